"""`caravel import`: running cases from a spreadsheet, each row once, with a report that repeats no cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from activities.case_session import CaseSession
from api.cli.options import As, Json
from api.cli.outcome import REFUSED, USAGE, CommandFailed, as_json, say, table
from api.cli.sheet_cells import SheetInvalid, read_cells
from api.cli.spreadsheets import SheetRow, read_mapping, rows_of
from api.cli.way import Caravel, asking
from api.http.command_json import CASE
from api.http.problems import Problem
from domain.case.state import Case
from domain.core.errors import Refused
from domain.core.fact import Command
from domain.core.policy import Policy
from infra.ids import fresh_id
from infra.policy.reading import load_policy
from infra.settings import Settings

Fault = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Report:
    """Says what became of one row."""

    row: int
    outcome: str
    case: str = ""
    number: str = ""
    faults: Sequence[Fault] = ()


def import_file(
    file: Path,
    *,
    mapping: Path,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    as_: As = "",
    json: Json = False,
) -> None:
    """Bring in running cases from a .csv or .xlsx. A repeat brings in only what is new; --dry-run records nothing."""
    try:
        rows = list(rows_of(read_mapping(mapping), read_cells(file)))
    except SheetInvalid as error:
        raise CommandFailed(USAGE, str(error)) from None
    policy = load_policy(Settings().policy)
    reports = [_tried(row, policy) for row in rows]
    if not dry_run:
        reports = asking(lambda caravel: _brought_in(caravel, rows, reports), person=as_)
    _tell(reports, json=json)
    if any(report.faults for report in reports):
        raise CommandFailed(REFUSED, "some rows were not brought in")


def _tried(row: SheetRow, policy: Policy) -> Report:
    """Decided in memory, as it would be."""
    if row.faults:
        return Report(row.number, "refused", faults=row.faults)
    turn = CaseSession(Case(id="case-dry-run"), (), datetime.now(UTC), fresh_id, policy, "dry-run")
    for tree in (row.opening, row.facts):
        try:
            turn.decide(_parsed(tree))
            turn.advance()
        except Problem as problem:
            return Report(row.number, "refused", faults=[(_field(f.pointer), f.detail) for f in problem.faults])
        except Refused as refused:
            return Report(row.number, "refused", faults=[(refused.field or tree["type"], refused.detail)])
    return Report(row.number, "can be brought in")


def _parsed(tree: Mapping[str, Any]) -> Command:
    command: Command = CASE.parse(tree, "operator")
    return command


def _field(pointer: str | None) -> str:
    return (pointer or "").removeprefix("#/")


async def _brought_in(caravel: Caravel, rows: Sequence[SheetRow], tried: Sequence[Report]) -> list[Report]:
    """What would be refused is not begun, so that no half of a row is left."""
    return [report if report.faults else await _one(caravel, row) for row, report in zip(rows, tried, strict=True)]


async def _one(caravel: Caravel, row: SheetRow) -> Report:
    report = Report(row.number, "refused")
    try:
        opened = await caravel.post("/cases", row.opening, row.key)
        report = replace(report, case=opened["case"], number=opened["number"])
        done = await caravel.post(f"/cases/{opened['case']}/commands", row.facts, f"{row.key}-facts")
    except CommandFailed as failed:
        if failed.code > USAGE:
            raise
        said = [one.partition(": ")[::2] for one in failed.details] or [("row", str(failed))]
        return replace(report, faults=said)
    return replace(report, outcome="there already" if done["repeated"] else "brought in")


def _tell(reports: Sequence[Report], *, json: bool) -> None:
    if json:
        faults = [[{"field": f, "reason": r} for f, r in one.faults] for one in reports]
        as_json([{**_plain(one), "faults": said} for one, said in zip(reports, faults, strict=True)])
        return
    shown = [r for r in reports if r.faults]
    if shown:
        table(("row", "field", "reason"), [(r.row, field, reason) for r in shown for field, reason in r.faults])
    counts = Counter(r.outcome for r in reports)
    say(", ".join(f"{number} {outcome}" for outcome, number in counts.items()) or "no rows")


def _plain(report: Report) -> dict[str, Any]:
    return {"row": report.row, "outcome": report.outcome, "case": report.case, "number": report.number}

"""`caravel audit export`: a case as a file that proves itself, or the ledger for other tools."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import httpx2
from cyclopts import Parameter

from api.cli.commands.history.export_stream import Format, Wanted, write
from api.cli.commands.history.verify import here
from api.cli.outcome import REFUSED, USAGE, CommandFailed, failed_of, say
from api.cli.way import running
from api.http.access import NO_CASE, case_meant
from api.run.http_app import http_app
from api.run.wiring import MACHINE, parts
from domain.core.errors import Reason, require

PATIENCE = 70
"""Seconds: a little more than the sealer takes at most."""
ENDS = {"cloudevents": "jsonl", "fhir": "json", "xes": "xes"}


def export(
    case: str = "", *, format: Format = "evidence", level: str = "regulator", out: Path | None = None,  # noqa: A002 - the word of the option
    wait: int = PATIENCE, all_: Annotated[bool, Parameter(name="--all", negative="")] = False, after: int = 0,
    resume: Annotated[bool, Parameter(negative="")] = False,
    open_: Annotated[bool, Parameter(name="--open", negative="")] = False,
) -> None:  # fmt: skip
    """Write the evidence package of a case, or events for other tools. Who took them is recorded.

    Args:
        case: Its id or number.
        format: evidence, cloudevents (JSON lines), fhir (AuditEvent: a Bundle, or NDJSON with --all), xes.
        level: Of a package: full, clinical or regulator (nothing personal, and still provable).
        out: The file; a name of the case and the format when nothing is said.
        wait: Of a package: seconds to wait at most until every event is sealed.
        all_: Every event of the ledger; with xes every case.
        after: Only events after this position.
        resume: Go on at the end of the file (cloudevents and fhir with --all).
        open_: With personal fields (cloudevents).
    """
    if bool(case) == all_ or (all_ and format == "evidence"):
        raise CommandFailed(USAGE, "name one case, or say --all and another format than evidence")
    if format == "evidence":
        _write_package(case, level, out, wait)
        return
    if open_ and format != "cloudevents":
        raise CommandFailed(USAGE, "only cloudevents have a place for personal fields")
    file = out or Path(f"{case or 'caravel'}.{ENDS[format]}")
    running(_export(Wanted(format, case, file, max(after, 0), resume, open_)))


def _write_package(case: str, level: str, out: Path | None, wait: int) -> None:
    stream, content = running(_dossier(case, level, wait))
    file = out or Path(f"{stream}-{level}.zip")
    try:
        file.write_bytes(content)
    except OSError as error:
        raise CommandFailed(REFUSED, f"the file cannot be written: {error.strerror}") from None
    say(f"{file}: {len(content)} bytes, SHA-256 {sha256(content).hexdigest()}")


async def _export(wanted: Wanted) -> None:
    async with parts(here(), connections=4) as ledger:
        service = http_app(ledger, local=MACHINE).state.service
        stream = await case_meant(service, wanted.case) if wanted.case else ""
        require(not stream or await service.worklist.belongings([stream]), Reason.NOT_FOUND, NO_CASE)
        await write(ledger, replace(wanted, case=stream), service)


async def _dossier(case: str, level: str, wait: int) -> tuple[str, bytes]:
    async with parts(here(), connections=4) as ledger:
        transport = httpx2.ASGITransport(app=http_app(ledger, local=MACHINE))
        async with httpx2.AsyncClient(transport=transport, base_url="http://caravel", timeout=None) as http:
            answer = await http.get(f"/audit/cases/{case}/evidence", params={"level": level, "wait": wait})
    if answer.is_error:
        problem: Any = answer.json()
        raise failed_of(answer.status_code, problem)
    named = answer.headers["content-disposition"].partition('"')[2].partition('"')[0]
    return named.removesuffix(f"-{level}.zip"), answer.content

"""The command line on the real ledger: as the machine, in a person's name, and over HTTP; exit codes and JSON."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest import mock

import openpyxl
import pytest

from api.cli import main
from api.run.wiring import Parts
from infra.policy.reading import POLICY, load_policy
from tests.api.conftest import CANARY, registered

pytestmark = pytest.mark.slow
INQUIRY = (
    "country=IN",
    "language=hi",
    "zone=Asia/Kolkata",
    f"patient_name={CANARY}",
    "team=asia",
    "despite_duplicates=test",
)


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, object]:
        read: dict[str, object] = json.loads(self.out)
        return read


class Cli:
    """Runs it in this process, in a thread; another process is asked for once, starting one takes a second."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    async def __call__(self, *words: str, **variables: str) -> Said:
        with mock.patch.dict(os.environ, {"COLUMNS": "200", **self._variables, **variables}):
            return await asyncio.to_thread(self._run, words)

    @staticmethod
    def _run(words: Sequence[str]) -> Said:
        out, err, code = io.StringIO(), io.StringIO(), 0
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main(words)
            except SystemExit as end:
                code = int(end.code or 0)
        return Said(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
async def cli(here: Parts) -> Cli:
    await registered(here, "coordinator")  # somebody in whose team cases are opened
    dsn = here.settings.database_url.get_secret_value()
    return Cli({"CARAVEL_DATABASE_URL": dsn, "CARAVEL_HOME": str(here.settings.home)})


async def test_a_case_by_hand(cli: Cli) -> None:
    opened = await cli("case", "open", *INQUIRY, "--json")
    assert opened.code == 0, opened.err
    case = str(opened.json["case"])
    sent = await cli("case", "send", case, "ReplyToFamily", "channel=call", "note=spoke at length")
    assert sent.code == 0
    assert "recorded FamilyAnswered" in sent.out
    shown = await cli("case", "show", str(opened.json["number"]), "--json")
    assert shown.json["case"]["people"]  # type: ignore[index]
    timeline = await cli("case", "timeline", case)
    assert "FamilyAnswered" in timeline.out
    assert "rule" in timeline.out
    agenda = await cli("case", "agenda", case, "--json")
    owed = [one["kind"] for one in agenda.json["obligations"]]  # type: ignore[attr-defined]
    assert "family_reply" in owed
    listed = await cli("case", "list", "--team", "asia", "--json")
    assert case in listed.out
    events = json.loads((await cli("case", "timeline", case, "--json")).out)
    opening = next(one["id"] for one in events if one["type"] == "ObligationOpened")
    assert "ObligationOpened" in (await cli("case", "why", case, opening)).out


async def test_costs_line_by_line(cli: Cli) -> None:
    opened = await cli("case", "open", *INQUIRY, "imported=true", "--json")
    case = str(opened.json["case"])
    facts = ("stage=eligibility", "centre=centre-x", "protocol=protocol-x", "accepted_until=2030-01-01T00:00:00Z")
    assert (await cli("case", "send", case, "ImportFacts", *facts)).code == 0
    lines = ('monitoring:={"low": 15000, "high": 25000}', 'trial_pays:=["cell_product"]')
    sent = await cli("case", "send", case, "IssueEstimate", "currency=USD", *lines)
    assert sent.code == 0, sent.err
    shown = await cli("case", "costs", case)
    assert "15,000 - 25,000" in shown.out
    assert "borne by the trial" in shown.out
    told: Any = (await cli("case", "costs", case, "--json")).json
    assert [row["kind"] for row in told["lines"]] == ["cell_product", "monitoring", "total"]


async def test_exit_codes(cli: Cli) -> None:
    opened = await cli("case", "open", *INQUIRY, "--json")
    case = str(opened.json["case"])
    assert (await cli("case", "send", case, "ResumeCase")).code == 1
    assert (await cli("case", "send", case, "AddNote", "kind=note", "colour=red")).code == 2
    assert (await cli("case", "send", case, "AddNote", "kind=song", "text=x")).code == 2
    assert (await cli("case", "send", case, "Snooze", "obligation=o", "until=2027-01-01T09:00", "reason=r")).code == 2
    assert (await cli("nonsense")).code == 2
    assert (await cli("case", "show", "case-nobody")).code == 1
    assert (await cli("case", "list", CARAVEL_DATABASE_URL="")).code == 3
    assert (await cli("case", "list", CARAVEL_API="http://127.0.0.1:9")).code == 3
    wrong = await cli("case", "show", "4821-7730-0")
    assert wrong.code == 2
    assert "check digit" in wrong.err


async def test_in_a_persons_name(cli: Cli, here: Parts) -> None:
    auditor = await registered(here, "auditor")
    refused = await cli("case", "open", *INQUIRY, "--as", auditor)
    assert refused.code == 1
    assert "auditor" in refused.err
    coordinator = await registered(here, "coordinator")
    opened = await cli("case", "open", *INQUIRY, "--as", coordinator, "--json")
    events = json.loads((await cli("case", "timeline", str(opened.json["case"]), "--json")).out)
    assert events[0]["actor"] == coordinator


async def test_moments_and_what_would_have_been(cli: Cli, tmp_path: Path) -> None:
    case = str((await cli("case", "open", *INQUIRY, "--json")).json["case"])
    await cli("case", "send", case, "ReplyToFamily", "channel=call")
    assert "first_reply" in (await cli("case", "diff", case, "--from", "1")).out
    held = await cli("case", "show", case, "--as-of", "2100-01-01T00:00:00Z")
    assert "true" in held.out, held.err
    assert "FamilyAnswered" in held.out
    listed = await cli("case", "list", "--team", "asia", "--known-at", "2100-01-01T00:00:00Z", "--json")
    assert case in listed.out, listed.err
    own = await cli("audit", "whatif", "--json")
    assert own.code == 0, own.err
    assert case not in own.json["changed"]  # type: ignore[operator]
    other = tmp_path / "policy.yaml"
    text = POLICY.read_text()
    other.write_text(
        text.replace(
            "due: 30 days\n    steps:\n      - {after: 2 days, remind: family}",
            "due: 40 days\n    steps:\n      - {after: 2 days, remind: family}",
            1,
        )
    )
    longer = await cli("audit", "whatif", "--policy", str(other), "--json")
    assert [row["type"] for row in longer.json["changed"][case]] == ["ObligationOpened"]  # type: ignore[index]
    assert "would stand differently" in (await cli("audit", "whatif", "--policy", str(other))).out
    assert (await cli("audit", "whatif", "--rule", "quote_ends=9")).code == 2
    assert (await cli("audit", "whatif", "--rule", "quote_ends")).code == 2
    assert (await cli("audit", "whatif", "--policy", str(tmp_path / "none"))).code == 2


async def test_lots(cli: Cli, tmp_path: Path) -> None:
    made = await cli("lot", "register", "product=CAR-NK-1", "units=u1,u2", "expires=2031-01-01T00:00:00Z", "--json")
    assert made.code == 0, made.err
    lot = str(made.json["id"])
    assert (await cli("lot", "send", lot, "ReleaseLot")).code == 1  # whoever registered it does not release it
    assert (await cli("lot", "show", lot)).code == 0
    assert lot in (await cli("lot", "list", "--json")).out
    paper = tmp_path / "label.pdf"
    refused = await cli("lot", "label", lot, "u1", "--to", str(paper))
    assert refused.code == 1
    assert "StateLabel" in refused.err
    said = ("number=L-7", "product_code=S1234V00", "donation=A9999251234569", "zone=Asia/Shanghai")
    assert (await cli("lot", "send", lot, "StateLabel", *said)).code == 0
    printed = await cli("lot", "label", lot, "u1", "--to", str(paper), "--language", "zh")
    assert printed.code == 0, printed.err
    assert paper.read_bytes().startswith(b"%PDF")
    assert sha256(paper.read_bytes()).hexdigest() in printed.out.replace("\n", "")
    assert (await cli("lot", "custody", lot, "u1", "--to", str(tmp_path / "custody.pdf"))).code == 0
    assert (await cli("recall", "report", "recall-none", "--to", str(tmp_path / "none.pdf"))).code != 0
    assert not (tmp_path / "none.pdf").exists()


async def test_as_a_program() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "api.cli", "policy", "check", stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    assert process.returncode == 0
    assert b"can be used" in out


async def test_migrate_doctor_and_policy(cli: Cli) -> None:
    assert (await cli("migrate")).code == 0
    examined = await cli("doctor", "--json", TEMPORAL_ADDRESS="127.0.0.1:9")
    assert examined.code == 3
    found = {one["part"]: one["ok"] for one in json.loads(examined.out)}
    assert (found["database"], found["ledger"], found["clocks"], found["temporal"]) == (True, True, True, False)
    assert (found["courier"], found["sealer"]) == (False, False), "no worker runs here"
    (keepers,) = [one["says"] for one in json.loads(examined.out) if one["part"] == "keepers"]
    assert keepers.endswith("people keep the catalogue")
    assert (await cli("policy", "check")).code == 0
    assert "first_reply" in (await cli("policy", "show", "--json")).out


async def test_policy_apply_lists_then_records_in_a_persons_name(cli: Cli, here: Parts, tmp_path: Path) -> None:
    case = str((await cli("case", "open", *INQUIRY, "--json")).json["case"])
    assert (await cli("policy", "apply", "--json")).json["moves"] == []
    longer = tmp_path / "policy.yaml"
    text = POLICY.read_text()
    longer.write_text(text.replace("  first_reply:\n    due: 1 working_day", "  first_reply:\n    due: 3 working_days"))
    new = {"CARAVEL_POLICY": str(longer)}
    listed = await cli("policy", "apply", "--json", **new)
    assert listed.code == 0, listed.err
    moves = [m for m in listed.json["moves"] if m["case"] == case]  # type: ignore[attr-defined]
    assert [m["obligation"] for m in moves] == ["first_reply"]
    assert moves[0]["old"] < moves[0]["new"]
    assert "ObligationRedated" not in (await cli("case", "timeline", case)).out, "a list records nothing"

    nobody = await cli("policy", "apply", "--yes", "--reason", "longer days", **new)
    assert (nobody.code, nobody.out) == (2, "")
    coordinator = await registered(here, "coordinator")
    refused = await cli("policy", "apply", "--yes", "--reason", "longer days", "--as", coordinator, **new)
    assert refused.code == 1
    supervisor = await registered(here, "supervisor")
    done = await cli("policy", "apply", "--yes", "--reason", "longer days", "--as", supervisor, "--json", **new)
    assert done.code == 0, done.err
    assert [m for m in done.json["moves"] if m["case"] == case] == moves  # type: ignore[attr-defined]
    told = [e for e in (await here.ledger.load(case)).facts if e.event.type == "ObligationRedated"]
    assert [(f.actor, f.event.reason, f.event.policy) for f in told] == [
        (supervisor, "longer days", load_policy(longer).hash)
    ]
    again = await cli("policy", "apply", "--yes", "--reason", "longer days", "--as", supervisor, "--json", **new)
    assert (again.code, again.json["moves"]) == (0, [])


MAPPING = """
name: desk-2026
key: Ref
open: {country: Country, patient_name: Patient, diagnosis: Diagnosis, despite_duplicates: Known}
facts: {stage: Status, consents: [Consent], entered: Arrived}
always: {language: hi, zone: Asia/Kolkata, team: asia}
values:
  Status: {collecting documents: records, waiting for the letter: visa}
dates: "%d/%m/%Y"
"""
ROWS = (
    ("Ref", "Country", "Patient", "Diagnosis", "Status", "Consent", "Arrived", "Known"),
    ("A1", "IN", f"{CANARY} 1", "ALL", "collecting documents", "data_processing", "", "another of that name"),
    ("A2", "India", f"{CANARY} 2", "ALL", "collecting documents", "data_processing", "", "another of that name"),
    ("A3", "IN", f"{CANARY} 3", "ALL", "somewhere", "data_processing", "31/31/2026", ""),
    ("A1", "IN", f"{CANARY} 4", "ALL", "collecting documents", "data_processing", "", "another of that name"),
    ("A5", "IN", f"{CANARY} 5", "ALL", "waiting for the letter", "data_processing", "05/03/2026", ""),
)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_import(cli: Cli, tmp_path: Path, kind: str) -> None:
    mapping, sheet = tmp_path / "mapping.yaml", tmp_path / f"cases.{kind}"
    mapping.write_text(MAPPING.replace("desk-2026", f"desk-{kind}"))
    if kind == "csv":
        sheet.write_text("\n".join(",".join(row) for row in ROWS))
    else:
        book = openpyxl.Workbook()
        for row in ROWS:
            book.worksheets[0].append(row)
        book.save(sheet)
    dry = await cli("import", str(sheet), "--mapping", str(mapping), "--dry-run", "--json")
    assert dry.code == 1
    faults = {row["row"]: {f["field"] for f in row["faults"]} for row in json.loads(dry.out)}
    assert faults == {2: set(), 3: {"country"}, 4: {"Status", "Arrived"}, 5: {"Ref"}, 6: {"centre"}}
    assert "Canary" not in dry.out + dry.err
    before = (await cli("case", "list", "--limit", "500", "--json")).out.count('"number"')
    first = await cli("import", str(sheet), "--mapping", str(mapping), "--json")
    again = await cli("import", str(sheet), "--mapping", str(mapping), "--json")
    outcomes = [[row["outcome"] for row in json.loads(one.out)] for one in (first, again)]
    assert outcomes[0] == ["brought in", "refused", "refused", "refused", "refused"]
    assert outcomes[1] == ["there already", *outcomes[0][1:]]
    after = (await cli("case", "list", "--limit", "500", "--json")).out.count('"number"')
    assert after - before == 1
    sheet = tmp_path / "once-more.csv"
    mapping.write_text(MAPPING.replace("desk-2026", f"desk-{kind}-2"))
    sheet.write_text("\n".join(",".join(row) for row in (ROWS[0], (*ROWS[1][:-1], ""))))
    [alike] = json.loads((await cli("import", str(sheet), "--mapping", str(mapping), "--json")).out)
    assert (alike["outcome"], [f["field"] for f in alike["faults"]]) == ("refused", ["despite_duplicates"])


async def test_a_file_becomes_a_document(cli: Cli, tmp_path: Path) -> None:
    case = str((await cli("case", "open", *INQUIRY, "--json")).json["case"])
    scan = tmp_path / "Rao, passport.pdf"
    scan.write_bytes(b"%PDF-1.7 scan")
    attached = await cli("case", "attach", case, str(scan), "--key", "scan-1")
    assert (attached.code, "recorded DocumentAttached" in attached.out) == (0, True), attached
    assert "was recorded before" in (await cli("case", "attach", case, str(scan), "--key", "scan-1")).out
    refused = await cli("case", "attach", case, str(Path(__file__)))
    assert (refused.code, "Traceback" in refused.err) == (1, False), refused
    gone = await cli("case", "attach", case, str(tmp_path / "none.pdf"))
    assert gone.code in (2, 3), gone

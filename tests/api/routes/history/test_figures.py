"""Figures over HTTP and on their page: of a period, as known on a day, with the cases behind them, and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from io import StringIO

from activities.command_handler import CommandRequest, Recorded
from activities.ports import Meta
from api.routes.history.figures import COLUMNS, written
from api.run.wiring import Parts
from domain.case.stage import Stage
from domain.core.fact import Command
from domain.stages.intake.inquiry import AcknowledgeScope, OpenCase, ReplyToFamily
from domain.stages.intake.people import GiveConsent
from infra.ids import fresh_stream
from tests.api.conftest import CANARY, Person


async def tell(here: Parts, case: str, command: Command) -> Recorded:
    return await here.commands.record(CommandRequest(case, Meta("person-owner"), command))


async def test_a_manager_gets_what_ended_with_the_cases_behind_it(here: Parts, people: Mapping[str, Person]) -> None:
    case, manager = fresh_stream("case"), people["supervisor"]
    state = (await tell(here, case, OpenCase("IN", "en", "Asia/Kolkata", CANARY, owner=manager.id, team="asia"))).case
    assert state.patient
    consent = GiveConsent("data_processing", state.patient.id, "1", "en")
    for command in (ReplyToFamily("call"), AcknowledgeScope(state.patient.id, "1"), consent):
        state = (await tell(here, case, command)).case
    assert state.stage is Stage.RECORDS
    answer = await manager.get("/figures")
    assert answer.status_code == 200, answer.text
    (stage,) = [one for one in answer.json()["figures"] if (one["measure"], one["of"]) == ("stage", "inquiry")]
    assert case in stage["cases"]
    assert stage["count"] >= 1
    lines = list(csv.reader(StringIO((await manager.get("/figures.csv")).text)))
    assert lines[0] == list(COLUMNS)
    assert any(line[:2] == ["stage", "inquiry"] and case in line[5] for line in lines)
    shown = await manager.get("/console/figures", measure="stage", of="inquiry")
    assert f'href="/console/cases/{case}"' in shown.text
    assert "<svg" in shown.text
    day_before = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    before = (await manager.get("/figures", known_on=day_before)).json()["figures"]
    assert not any(case in one["cases"] for one in before)


async def test_who_manages_nothing_gets_none_and_a_period_goes_forward(people: Mapping[str, Person]) -> None:
    for path in ("/figures", "/figures.csv", "/console/figures"):
        assert (await people["coordinator"].get(path)).status_code == 403
    wrong = await people["supervisor"].get("/figures", **{"from": "2026-05-02", "to": "2026-05-01"})
    assert wrong.status_code == 422
    assert "lies after" in wrong.text


def test_no_cell_is_a_formula() -> None:
    row = dict.fromkeys(COLUMNS, "") | {"of": "=HYPERLINK(1)", "measure": "-1", "cases": ["@x", "y"], "count": 3}
    assert written([row]).splitlines()[1] == "'-1,'=HYPERLINK(1),3,,,'@x y"

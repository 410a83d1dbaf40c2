"""Follow-up as planned by the protocol, over HTTP and on the page of a case and of its protocol."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from domain.stages.follow_up.follow_up import RecordVisit, visit_lines
from tests.api.conftest import Person
from tests.api.console.conftest import Browser
from tests.api.routes.test_callbacks import Hospital, hospital, keys
from tests.api.routes.test_commands import assert_problem
from tests.api.routes.test_screening import PROTOCOL
from tests.domain.stages.follow_up.test_visit_plan import followed

__all__ = ["hospital", "keys"]
SAYS = {"vector_integrates": False, "follow_up_years": 3, "visit_days": [28, 90]}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"follow_up_years": 51}, "follow_up_years"), ({"visit_days": [90, 28]}, "visit_days"),
     ({"visit_days": [28, 5000]}, "visit_days"), ({"visit_days": [0]}, "visit_days")],
)  # fmt: skip
async def test_a_follow_up_nobody_could_plan_is_refused(
    people: Mapping[str, Person], wrong: dict[str, object], field: str
) -> None:
    answer = await people["operator"].post("/protocols", {**PROTOCOL, **SAYS, **wrong})
    assert_problem(answer, 422, "invalid")
    assert field in answer.text


async def test_visits_are_planned_by_the_protocol_when_the_cells_are_told(
    people: Mapping[str, Person], hospital: Hospital, mei: Browser
) -> None:
    made = await people["operator"].post("/protocols", {**PROTOCOL, **SAYS})
    assert made.status_code == 201, made.text
    stream = made.json()["id"]
    case = str((await people["supervisor"].open(imported=True))["case"])
    now = datetime.now(UTC)
    taken = await people["supervisor"].send(
        case, "ImportFacts", stage="infusion", centre=hospital.id, protocol=stream, consents=["data_processing"],
        accepted_until="2030-01-01T00:00:00Z", entered=(now - timedelta(days=20)).isoformat(),
    )  # fmt: skip
    assert taken.is_success, taken.text
    before = (await people["supervisor"].get(f"/cases/{case}/visits")).json()
    assert (before["state"], before["visits"]) == ("none", [])
    given = {"type": "RecordInfusion", "unit": "U-1", "deviation": "told by telephone"}
    told = await hospital.say(case, given)
    assert told.is_success, told.text
    body = (await people["supervisor"].get(f"/cases/{case}/visits")).json()
    assert [(v["visit"], v["stands"]) for v in body["visits"]] == [
        (name, "ahead") for name in ("D28", "D90", "Y1", "Y2", "Y3")
    ]
    assert body["until"] == body["visits"][-1]["due"]
    assert now + timedelta(days=3 * 365) < datetime.fromisoformat(body["until"]) < now + timedelta(days=3 * 366)
    page = (await mei.get(f"/console/cases/{case}")).text
    assert "Planned until" in page
    assert "All 5 visits" in page
    assert "Vector integrates into the genome" in (await mei.get(f"/console/protocols/{stream}")).text


def test_each_visit_stands_as_it_is() -> None:
    j = followed(**{**SAYS, "visit_days": (28, 90, 180)})
    j.tell(RecordVisit("D90", True))
    j.wait(until=j.owed("visit").due)
    assert [(v.name, v.stands) for v in visit_lines(j.case)] == [
        ("D28", "earlier"),
        ("D90", "recorded"),
        ("D180", "missed"),
        ("Y1", "owed"),
        ("Y2", "ahead"),
        ("Y3", "ahead"),
    ]

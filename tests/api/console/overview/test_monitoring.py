"""The days after an infusion on the real stack: the protocol plans, the hospital tells, people read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.conftest import Person
from tests.api.console.conftest import Browser
from tests.api.routes.test_callbacks import Hospital, hospital, keys
from tests.api.routes.test_commands import assert_problem
from tests.api.routes.test_screening import PROTOCOL

__all__ = ["hospital", "keys"]
ROWS: list[dict[str, Any]] = [
    {"what": "blood_count", "days": [0, 3]},
    {"what": "persistence", "days": [3], "window": 2},
]


@pytest.mark.parametrize(
    "wrong",
    [
        [{"what": "tea", "days": [1]}],
        [{"what": "response", "days": []}],
        [{"what": "response", "days": [3, 1]}],
        [{"what": "response", "days": [101]}],
        [{"what": "response", "days": [1], "window": 15}],
        [{"what": "response", "days": [1]}, {"what": "response", "days": [1, 2]}],
    ],
)
async def test_a_schedule_nobody_could_keep_is_refused(people: Mapping[str, Person], wrong: list[object]) -> None:
    answer = await people["operator"].post("/protocols", {**PROTOCOL, "monitoring": wrong})
    assert_problem(answer, 422, "invalid")
    assert "monitoring" in answer.text


async def infused(people: Mapping[str, Person], hospital: Hospital, rows: list[dict[str, Any]]) -> str:
    made = await people["operator"].post("/protocols", {**PROTOCOL, "monitoring": rows})
    assert made.status_code == 201, made.text
    case = str((await people["supervisor"].open(imported=True))["case"])
    taken = await people["supervisor"].send(
        case, "ImportFacts", stage="infusion", centre=hospital.id, protocol=made.json()["id"],
        consents=["data_processing"], accepted_until="2030-01-01T00:00:00Z",
        entered=(datetime.now(UTC) - timedelta(days=20)).isoformat(),
    )  # fmt: skip
    assert taken.is_success, taken.text
    told = await hospital.say(case, {"type": "RecordInfusion", "unit": "U-1", "deviation": "told by telephone"})
    assert told.is_success, told.text
    return case


async def test_the_hospital_tells_of_each_planned_day_and_people_read_it(
    people: Mapping[str, Person], hospital: Hospital, mei: Browser
) -> None:
    case = await infused(people, hospital, ROWS)
    agenda = (await people["supervisor"].get(f"/cases/{case}/agenda")).json()
    assert [one["about"] for one in agenda["obligations"] if one["kind"] == "monitoring_day"] == ["1/0"]
    early = await hospital.say(case, {"type": "RecordMonitoring", "day": 3})
    assert "that day is still to come" in early.text
    said = await hospital.say(case, {"type": "RecordMonitoring", "day": 0, "finding": "neutrophils 0.3"})
    assert said.is_success, said.text
    left = await hospital.say(
        case, {"type": "SkipMonitoring", "day": 3, "what": ["persistence"], "reason": "no kit on site"}
    )
    assert left.is_success, left.text
    body = (await people["supervisor"].get(f"/cases/{case}/monitoring")).json()
    assert body["masked"] == []
    [table] = body["infusions"]
    assert (table["infusion"], table["by_protocol"]) == (1, True)
    assert [(one["day"], one["finding"], one["reason"]) for one in table["days"]] == [
        (0, "neutrophils 0.3", ""),
        (3, "", "no kit on site"),
    ]
    assert [one["stands"] for day in table["days"] for one in day["checks"]] == ["done", "owed", "skipped"]
    page = (await mei.get(f"/console/cases/{case}")).text
    assert "Monitoring after infusion" in page
    assert "neutrophils 0.3" in page
    assert "no kit on site" in page


async def test_who_may_not_see_what_is_clinical_sees_no_days(people: Mapping[str, Person], hospital: Hospital) -> None:
    case = await infused(people, hospital, ROWS)
    body = (await people["auditor"].get(f"/cases/{case}/monitoring")).json()
    assert body == {"infusions": [], "masked": ["clinical"]}

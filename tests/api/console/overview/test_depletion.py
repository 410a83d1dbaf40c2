"""Lymphodepletion day by day on the real stack: the hospital plans and tells, people read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.api.conftest import Person
from tests.api.console.conftest import Browser
from tests.api.routes.test_callbacks import Hospital, hospital, keys
from tests.api.routes.test_screening import PROTOCOL

__all__ = ["hospital", "keys"]
DRUGS = [
    {"variant": name, "drug": "fludarabine", "dose": dose, "unit": "mg/m2/d", "days": days}
    for name, dose, days in (("A", "25", [-5, -4]), ("B", "30", [-5, -4, -3]))
]


async def about_to_start(people: Mapping[str, Person], hospital: Hospital) -> str:
    made = await people["operator"].post("/protocols", {**PROTOCOL, "lymphodepletion": DRUGS})
    assert made.status_code == 201, made.text
    case = str((await people["supervisor"].open(imported=True))["case"])
    facts = {"stage": "lymphodepletion", "centre": hospital.id, "protocol": made.json()["id"]}
    taken = await people["supervisor"].send(
        case, "ImportFacts", **facts, consents=["data_processing"], accepted_until="2030-01-01T00:00:00Z"
    )
    assert taken.is_success, taken.text
    return case


async def days_of(person: Person, case: str) -> dict[str, Any]:
    answer = await person.get(f"/cases/{case}/depletion")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_the_hospital_plans_by_a_variant_and_tells_of_each_day(
    people: Mapping[str, Person], hospital: Hospital, mei: Browser
) -> None:
    case = await about_to_start(people, hospital)
    assert await days_of(people["supervisor"], case) == {"variants": ["A", "B"], "days": [], "masked": []}
    infusion = datetime.now(UTC).date() + timedelta(days=6)
    plan = {"type": "PlanDepletion", "infusion_day": infusion.isoformat()}
    refused = await hospital.say(case, plan)
    assert "the variant is one of: A, B" in refused.text
    said = await hospital.say(case, {**plan, "variant": "B"})
    assert said.is_success, said.text
    left = await hospital.say(case, {"type": "OmitDepletionDay", "day": -4, "reason": "fever of 39"})
    assert left.is_success, left.text
    days = (await days_of(people["supervisor"], case))["days"]
    assert [(one["day"], one["outcome"], one["reason"]) for one in days] == [
        (-5, "planned", ""),
        (-4, "omitted", "fever of 39"),
        (-3, "planned", ""),
    ]
    assert days[0]["on"] == (infusion - timedelta(days=5)).isoformat()
    assert [(drug["drug"], drug["dose"]) for drug in days[0]["drugs"]] == [("fludarabine", "30")]
    agenda = (await people["supervisor"].get(f"/cases/{case}/agenda")).json()
    owed = {one["about"] for one in agenda["obligations"] if one["kind"] == "depletion_day"}
    assert owed == {"1/-5", "1/-3"}
    page = (await mei.get(f"/console/cases/{case}")).text
    assert "Lymphodepletion, day by day" in page
    assert "fever of 39" in page


async def test_who_may_not_see_what_is_clinical_sees_no_days(people: Mapping[str, Person], hospital: Hospital) -> None:
    case = await about_to_start(people, hospital)
    body = await days_of(people["auditor"], case)
    assert (body["days"], body["masked"]) == ([], ["clinical"])

"""A slip on the real stack: the plan for another day, carried out in part, over HTTP."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.api.conftest import Person
from tests.api.routes.test_callbacks import PROTOCOL, Hospital, events_of, hospital, keys
from tests.api.routes.test_commands import assert_problem
from tests.api.test_costs import ESTIMATE

__all__ = ["hospital", "keys"]
DAY = timedelta(days=1)


async def planned(supervisor: Person, hospital: Hospital) -> tuple[str, date]:
    """A case that gets its visa now, and the day the patient is to arrive."""
    case = str((await supervisor.open(imported=True))["case"])
    now = datetime.now(UTC)
    facts = {"stage": "visa", "centre": hospital.id, "protocol": PROTOCOL, "consents": ["data_processing"]}
    until = {"accepted_until": (now + 30 * DAY).isoformat(), "bed_until": (now + 30 * DAY).isoformat()}
    taken = await supervisor.send(case, "ImportFacts", **facts, **until)
    assert taken.is_success, taken.text
    told = await supervisor.send(case, "IssueEstimate", **ESTIMATE, accommodation={"low": 2_000, "high": 3_000})
    assert told.is_success, told.text
    arrives = now.date() + 20 * DAY
    stay = {"days": 70, "attendant": "", "lodging": "Hostel", "funds_confirmed": True, "interpreter_language": "hi"}
    done = await supervisor.send(case, "PlanStay", arrives=arrives.isoformat(), **stay)
    assert done.is_success, done.text
    person = next(iter((await supervisor.get(f"/cases/{case}")).json()["case"]["people"]))
    assert (await supervisor.send(case, "RecordPassport", person=person, expires="2040-01-01")).is_success
    return case, arrives


async def slip(person: Person, case: str, arrives: date) -> dict[str, Any]:
    answer = await person.get(f"/cases/{case}/slip", arrives=arrives.isoformat())
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def open_steps(body: dict[str, Any]) -> list[str]:
    return [one["step"] for one in body["steps"] if not one["asked"]]


async def test_a_plan_is_shown_and_carried_out_in_part(supervisor: Person, hospital: Hospital) -> None:
    case, arrives = await planned(supervisor, hospital)
    assert open_steps(await slip(supervisor, case, arrives)) == ["protocol"]
    later = arrives + 30 * DAY
    plan = await slip(supervisor, case, later)
    assert open_steps(plan) == ["acceptance", "protocol", "bed", "lodging", "interpreter", "depletion"]
    first = plan["steps"][0]
    assert (first["why"], first["mend"], first["to"], first["price"]) == ("ends", "ask_centre", "hospital", None)
    lodging = next(step for step in plan["steps"] if step["kind"] == "lodging")
    assert (lodging["price"]["currency"], lodging["price"]["low"], lodging["price"]["high"]) == ("USD", 2_000, 3_000)
    assert (lodging["cost"], lodging["ask"], lodging["lost"], plan["sums"]) == (None, "lodging_house", "booking", [])
    await costs_told(supervisor, case, later)
    done = await supervisor.send(
        case, "MoveArrival", arrives=later.isoformat(), carry_out=["acceptance", "protocol", "bed"]
    )
    assert done.is_success, done.text
    moved = next(e["data"] for e in await events_of(supervisor, case) if e["type"] == "ArrivalMoved")
    assert [step["kind"] for step in moved["left_out"]] == ["lodging", "interpreter", "depletion"]
    wanted = {e["data"]["kind"] for e in await events_of(supervisor, case) if e["type"] == "EffectRequested"}
    assert {"hold_bed", "tell_centre_of_arrival", "tell_family_of_arrival"} <= wanted
    after = await slip(supervisor, case, later)
    assert (after["planned"], open_steps(after)) == (later.isoformat(), ["lodging", "interpreter", "depletion"])
    assert [step["kind"] for step in after["left_out"]] == ["lodging", "interpreter", "depletion"]


async def costs_told(supervisor: Person, case: str, later: date) -> None:
    free = datetime.now(UTC) + 3 * DAY
    said = {"step": "lodging", "currency": "CNY", "low": 400, "high": 600, "free_until": free.isoformat()}
    told = await supervisor.send(case, "RecordMovingCost", **said)
    assert told.is_success, told.text
    plan = await slip(supervisor, case, later)
    cost = next(step["cost"] for step in plan["steps"] if step["kind"] == "lodging")
    assert (cost["low"], cost["high"], cost["currency"], cost["then"]) == (0, 0, "CNY", {"low": 400, "high": 600})
    assert plan["sums"] == [{"currency": "CNY", "low": 0, "high": 0}]
    wrong = await supervisor.send(case, "RecordMovingCost", **(said | {"step": "boat"}))
    assert_problem(wrong, 404, "not_found")
    assert "there is: bed, lodging" in wrong.text


async def test_what_cannot_be_planned_says_why(supervisor: Person, hospital: Hospital) -> None:
    case, arrives = await planned(supervisor, hospital)
    past = await supervisor.get(f"/cases/{case}/slip", arrives="2020-01-01")
    assert_problem(past, 422, "invalid")
    none = await supervisor.get(f"/cases/{case}/slip", arrives="tomorrow")
    assert none.status_code in (400, 422)
    wrong = await supervisor.send(case, "MoveArrival", arrives=arrives.isoformat(), carry_out=["visas"])
    assert_problem(wrong, 422, "invalid")
    assert "it has: protocol" in wrong.text
    other = str((await supervisor.open())["case"])
    assert_problem(await supervisor.get(f"/cases/{other}/slip"), 409, "not_now")

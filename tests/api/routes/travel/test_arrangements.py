"""Arranging a stay on the real stack: asked over HTTP, agreed by a signed callback, shown with what is missing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx2

from api.run.wiring import Parts
from tests.api.conftest import Person
from tests.api.console.test_reply_page import link_to
from tests.api.routes.test_callbacks import Hospital, Waiting, events_of, hospital, keys
from tests.api.routes.test_commands import assert_problem
from tests.api.routes.travel.test_slip import planned

__all__ = ["hospital", "keys"]
DAY = timedelta(days=1)


async def arranging(supervisor: Person, hospital: Hospital) -> tuple[str, date]:
    """A planned stay whose centre may be told of the patient."""
    case, arrives = await planned(supervisor, hospital)
    person = next(iter((await supervisor.get(f"/cases/{case}")).json()["case"]["people"]))
    for purpose in ("share_with_hospital", "cross_border"):
        given = {"purpose": purpose, "person": person, "form_version": "1", "language": "hi", "recipient": hospital.id}
        told = await supervisor.send(case, "GiveConsent", **given)
        assert told.is_success, told.text
    return case, arrives


async def shown(supervisor: Person, case: str) -> dict[str, Any]:
    answer = await supervisor.get(f"/cases/{case}/arrangements")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def asked(supervisor: Person, case: str, kind: str) -> str:
    """The newest effect of that kind."""
    effects = [e["data"] for e in await events_of(supervisor, case) if e["type"] == "EffectRequested"]
    return str([one["effect"] for one in effects if one["kind"] == kind][-1])


async def test_lodging_is_asked_of_the_centre_which_agrees(supervisor: Person, hospital: Hospital) -> None:
    case, arrives = await arranging(supervisor, hospital)
    done = await supervisor.send(case, "AskArrangement", kind="lodging", distance_km=5, payer="family")
    assert done.is_success, done.text
    [known] = (await shown(supervisor, case))["arrangements"]
    assert (known["state"], known["starts"][:10], known["place"]) == ("asked", arrives.isoformat(), None)
    effect = await asked(supervisor, case, "arrange_service")
    says = {"type": "ConfirmArrangement", "arrangement": known["id"], "ref": "L-7", "distance_km": 2}
    bare = await hospital.say(case, says, effect=effect)
    assert_problem(bare, 422, "invalid")
    agreed = await hospital.say(case, {**says, "place": "12 Garden Road"}, effect=effect)
    assert agreed.is_success, agreed.text
    body = await shown(supervisor, case)
    assert [(a["state"], a["place"], a["distance_km"]) for a in body["arrangements"]] == [
        ("confirmed", "12 Garden Road", 2)
    ]
    ready = {one["kind"]: one["state"] for one in body["ready"]}
    assert (ready["lodging"], ready["interpreter"], ready["ticket"]) == ("there", "missing", "missing")


async def test_a_time_is_offered_chosen_and_booked(supervisor: Person, hospital: Hospital) -> None:
    case, arrives = await arranging(supervisor, hospital)
    assert (await supervisor.send(case, "AskArrangement", kind="admission")).is_success
    [known] = (await shown(supervisor, case))["arrangements"]
    first = datetime(arrives.year, arrives.month, arrives.day, 1, tzinfo=UTC)
    begins = [first + n * DAY for n in (0, 1)]
    slots = [{"starts": at.isoformat(), "ends": (at + timedelta(hours=1)).isoformat()} for at in begins]
    offers = {"type": "OfferSlots", "arrangement": known["id"], "slots": slots}
    offered = await hospital.say(case, offers, effect=await asked(supervisor, case, "book_appointment"))
    assert offered.is_success, offered.text
    [known] = (await shown(supervisor, case))["arrangements"]
    assert len(known["slots"]) == 2
    wrong = await supervisor.send(case, "ChooseSlot", arrangement=known["id"], starts=(first + 5 * DAY).isoformat())
    assert_problem(wrong, 422, "invalid")
    assert "the centre offered" in wrong.text
    chosen = await supervisor.send(case, "ChooseSlot", arrangement=known["id"], starts=known["slots"][1]["starts"])
    assert chosen.is_success, chosen.text
    booked = await hospital.say(
        case,
        {"type": "ConfirmArrangement", "arrangement": known["id"], "ref": "A-1"},
        effect=await asked(supervisor, case, "book_appointment"),
    )
    assert booked.is_success, booked.text
    [known] = (await shown(supervisor, case))["arrangements"]
    assert (known["state"], known["starts"][:10]) == ("confirmed", (arrives + DAY).isoformat())


async def test_the_plan_is_reckoned_backwards_and_moves_as_a_whole(supervisor: Person, hospital: Hospital) -> None:
    case, arrives = await planned(supervisor, hospital)
    plan = (await supervisor.get(f"/cases/{case}/plan")).json()
    steps = {one["step"]: one for one in plan["steps"]}
    assert steps["arrival"]["by"][:10] == arrives.isoformat()
    assert plan["infusion"] == plan["planned"] == (arrives + 21 * DAY).isoformat()
    assert steps["visa_application"]["late"]
    later = date.fromisoformat(plan["infusion"]) + 60 * DAY
    moved = (await supervisor.get(f"/cases/{case}/plan", infusion=later.isoformat())).json()
    assert {
        datetime.fromisoformat(one["by"]) - datetime.fromisoformat(steps[one["step"]]["by"]) for one in moved["steps"]
    } == {60 * DAY}
    other = str((await supervisor.open())["case"])
    assert_problem(await supervisor.get(f"/cases/{other}/plan"), 409, "missing")


async def test_the_family_tells_on_the_page_behind_the_link_what_it_arranged(
    supervisor: Person, hospital: Hospital, here: Parts, nobody: httpx2.AsyncClient
) -> None:
    case, _ = await arranging(supervisor, hospital)
    assert (await supervisor.send(case, "AskArrangement", kind="lodging", asked_of="family")).is_success
    effect = await asked(supervisor, case, "ask_family_to_arrange")
    link = await link_to(here, nobody, Waiting(case, effect))
    page = (await link.look()).text
    assert 'name="arrangement"' not in page, "the link knows which one is meant"
    told = await nobody.post(link.path, data={"type": "ConfirmArrangement", "place": "A flat in Garden Road"})
    assert told.status_code == 200, told.text
    [known] = (await shown(supervisor, case))["arrangements"]
    assert (known["state"], known["place"]) == ("confirmed", "A flat in Garden Road")

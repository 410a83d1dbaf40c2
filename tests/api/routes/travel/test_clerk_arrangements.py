"""A hospital's clerk sees what its centre was asked to arrange, offers times, agrees or refuses; no other centre's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI

from api.run.wiring import Parts
from domain.case.phases.arrangements import Arrangement
from domain.stages.intake.people import WithdrawConsent
from domain.stages.travel.arranging import AskArrangement
from tests.api.conftest import Person, registered
from tests.api.console.conftest import Browser, browsing, hidden
from tests.api.routes.test_callbacks import Hospital, events_of, hospital, keys, stranger
from tests.api.submitted import Submitted, submitted

__all__ = ["hospital", "keys", "stranger"]
LIST = "/hospital/arrangements"


@pytest.fixture
async def sent(here: Parts, hospital: Hospital) -> Submitted:
    return await submitted(here, hospital.id)


@pytest.fixture
async def clerk(app: FastAPI, here: Parts, hospital: Hospital) -> Browser:
    return await browsing(app, await registered(here, "hospital", hospital.id))


def noon(days: int) -> datetime:
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=days)


async def call(sent: Submitted) -> str:
    """A tele-consultation is asked of the centre that reads the dossier."""
    state = await sent.tell(AskArrangement("tele_consultation", starts=noon(3), ends=noon(12)))
    return next(iter(state.arrangements))


async def known(sent: Submitted, arrangement: str) -> Arrangement:
    return (await sent.state()).arrangements[arrangement]


async def form(clerk: Browser, path: str, kind: str, **fields: str) -> dict[str, str]:
    page = await clerk.get(path)
    assert page.status_code == 200, page.text
    return hidden(page.text) | {"type": kind, **fields}


async def test_a_clerk_offers_times_and_agrees_to_the_one_that_is_chosen(
    clerk: Browser, sent: Submitted, supervisor: Person
) -> None:
    arrangement = await call(sent)
    path = f"{LIST}/{sent.id}/{arrangement}"
    assert path in (await clerk.get(LIST)).text
    page = (await clerk.get(path)).text
    assert 'name="distance_km"' not in page, "a call is at no distance"
    zone = (await sent.state()).noted(sent.centre)["zone"]
    assert zone in page
    fields = {"slots.0.starts": noon(5).isoformat(), "slots.0.ends": (noon(5) + timedelta(hours=1)).isoformat()}
    stolen = await clerk.post(path, **await form(clerk, path, "OfferSlots", **fields) | {"csrf": "x"})
    assert stolen.status_code == 403
    late = {"slots.0.starts": noon(-5).isoformat(), "slots.0.ends": noon(-4).isoformat()}
    wrong = await clerk.post(path, **await form(clerk, path, "OfferSlots", **late))
    assert wrong.status_code == 422
    assert "lies ahead" in wrong.text
    offers = await form(clerk, path, "OfferSlots", **fields)
    for _ in range(2):  # sent twice, recorded once
        told = await clerk.post(path, **offers)
        assert told.is_success, told.text
    assert [slot.starts for slot in (await known(sent, arrangement)).slots] == [noon(5)]
    chosen = await supervisor.send(sent.id, "ChooseSlot", arrangement=arrangement, starts=noon(5).isoformat())
    assert chosen.is_success, chosen.text
    agrees = await form(clerk, path, "ConfirmArrangement", ref="T-1", place="https://call.example/7")
    assert (await clerk.post(path, **agrees)).is_success
    agreed = await known(sent, arrangement)
    assert (agreed.state, agreed.starts, agreed.place) == ("confirmed", noon(5), "https://call.example/7")
    facts = [e for e in await events_of(supervisor, sent.id) if e["type"] in ("SlotsOffered", "ArrangementConfirmed")]
    assert [(e["actor"], e["provenance"]) for e in facts] == [(clerk.id, "hospital page")] * 2
    looks = (await supervisor.get(f"/cases/{sent.id}/looks")).json()["looks"]
    assert {"worklist", "arrangements"} <= {one["what"] for one in looks if one["actor"] == clerk.id}


async def test_a_clerk_refuses_and_agrees_after_all(clerk: Browser, sent: Submitted) -> None:
    arrangement = await call(sent)
    path = f"{LIST}/{sent.id}/{arrangement}"
    assert (await clerk.post(path, **await form(clerk, path, "RefuseArrangement", code="none_free"))).is_success
    assert (await known(sent, arrangement)).state == "refused"
    assert 'value="RefuseArrangement"' not in (await clerk.get(path)).text
    when = {"starts": noon(6).isoformat(), "ends": (noon(6) + timedelta(hours=1)).isoformat()}
    agrees = await form(clerk, path, "ConfirmArrangement", place="https://call.example/8", **when)
    assert (await clerk.post(path, **agrees)).is_success
    assert (await known(sent, arrangement)).state == "confirmed"


async def test_nobody_else_sees_it_and_without_consent_neither_does_the_centre(
    app: FastAPI, here: Parts, clerk: Browser, stranger: Hospital, sent: Submitted
) -> None:
    arrangement = await call(sent)
    path = f"{LIST}/{sent.id}/{arrangement}"
    answer = await form(clerk, path, "RefuseArrangement", code="none_free")
    other = await browsing(app, await registered(here, "hospital", stranger.id))
    coordinator = await browsing(app, await registered(here, "coordinator"))
    assert path not in (await other.get(LIST)).text
    assert (await coordinator.get(LIST)).status_code == 404
    for one in (other, coordinator):
        assert (await one.get(path)).status_code == 404
        token = hidden((await one.get("/console/")).text)["csrf"]
        assert (await one.post(path, **answer | {"csrf": token})).status_code == 404
    await sent.tell(WithdrawConsent("cross_border", sent.patient, sent.centre))
    assert path not in (await clerk.get(LIST)).text
    assert (await clerk.get(path)).status_code == 404
    assert (await clerk.post(path, **answer)).status_code == 404
    assert (await known(sent, arrangement)).state == "asked"

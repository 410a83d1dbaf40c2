"""The family chooses one of a centre's times on the page behind a mail, and hears when it is agreed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.case.phases.arrangements import Slot
from domain.stages.intake.people import ChangeContact
from domain.stages.travel.arrangement_answers import ConfirmArrangement, OfferSlots, RefuseArrangement
from domain.stages.travel.arranging import AskArrangement
from tests.api.by_mail import MAIL, House, browser, by_mail
from tests.api.conftest import CANARY, HOST
from tests.api.submitted import submitted

FAMILY = "family@example.org"


@pytest.fixture(scope="module")
async def house(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with by_mail(postgres, tmp_path_factory.mktemp("mail")) as house:
        yield house


async def test_a_family_chooses_a_time_by_mail_and_hears_that_it_is_agreed(house: House) -> None:
    sent = await submitted(house.here, house.centre)
    offset = 12 - datetime.now(UTC).hour  # where it is not night now: mail to families rests at night
    zone = f"Etc/GMT{-offset:+d}" if offset else "UTC"
    await sent.tell(ChangeContact(sent.patient, FAMILY, "", zone, "en"))
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=3)
    state = await sent.tell(AskArrangement("tele_consultation", starts=noon, ends=noon + timedelta(days=9)))
    (arranged,) = state.arrangements
    times = [noon + timedelta(days=n) for n in range(2)]
    await sent.tell(OfferSlots(arranged, tuple(Slot(at, at + timedelta(hours=1)) for at in times)))
    await house.perform(sent.id, "offer_slots_to_family")
    body = await house.newest("please choose a time", FAMILY)
    assert CANARY not in body
    theirs = [f"{at.astimezone(ZoneInfo(zone)):%d %B %Y, %H:%M (%Z)}" for at in times]
    assert [one for one in theirs if one not in body] == [], body
    path = re.search(r"http://\S+", body)
    assert path
    link = path[0].removeprefix(f"http://{HOST}")
    async with browser(house.app) as http:
        page = await http.get(link)
        assert page.text.count(f'value="{times[1].isoformat()}"') == 1
        assert f"{times[1].astimezone(ZoneInfo(zone)):%H:%M}" in page.text, "by the family's clock there, too"
        other = {"type": "ChooseSlot", "starts": (noon + timedelta(hours=1)).isoformat()}
        assert (await http.post(link, data=other)).status_code == 422, "not offered"
        chosen = await http.post(link, data={"type": "ChooseSlot", "starts": times[1].isoformat()})
        assert chosen.status_code == 200, chosen.text
        known = (await sent.state()).arrangements[arranged]
        assert (known.state, known.starts, known.slot) == ("asked", times[1], True)
        assert (await http.get(link)).status_code == 410
    await sent.tell(ConfirmArrangement(arranged, "A-1", place="https://call.example/1"))
    await house.perform(sent.id, "tell_family_of_appointment")
    told = await house.newest("your appointment is confirmed", FAMILY)
    assert "https://call.example/1" in told
    assert theirs[1] in told
    await sent.tell(RefuseArrangement(arranged, "none_free"))
    await house.perform(sent.id, "tell_family_of_called_off")
    off = await house.newest("your appointment does not take place", FAMILY)
    assert theirs[1] in off
    assert theirs[0] not in off


async def test_a_centre_without_an_interface_offers_times_by_its_mail(house: House) -> None:
    sent = await submitted(house.here, house.centre)
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=3)
    state = await sent.tell(AskArrangement("tele_consultation", starts=noon, ends=noon + timedelta(days=9)))
    (arranged,) = state.arrangements
    await house.perform(sent.id, "book_appointment")
    path = re.search(r"http://\S+", await house.newest(state.number, MAIL))
    assert path
    times = {"slots.0.starts": f"{noon:%Y-%m-%dT%H:%M}", "slots.0.ends": f"{noon + timedelta(hours=1):%Y-%m-%dT%H:%M}"}
    async with browser(house.app) as http:
        link = path[0].removeprefix(f"http://{HOST}")
        page = await http.get(link)
        assert 'value="RefuseArrangement"' in page.text
        told = await http.post(link, data={"type": "OfferSlots", **times})
        assert told.status_code == 200, told.text
    (slot,) = (await sent.state()).arrangements[arranged].slots
    assert slot.starts == noon.replace(tzinfo=ZoneInfo("Asia/Shanghai")), "by the centre's clock"

"""One contract for every far side: repeats, questions, refusals, silence, nonsense, SIGKILL; on the real thing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from activities.gateways import GatewayRefused, Unreachable
from infra.mail.smtp import message_id
from tests.infra.gateways import SENDER, Mood, Rig, hospital, mail

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=[hospital, mail], ids=["fhir", "smtp"])
async def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    async with request.param(tmp_path_factory.mktemp("far_side")) as started:
        yield started


async def unknown(rig: Rig, mood: Mood) -> str:
    """Send what ends in nobody knows what; the effect's id."""
    request = rig.request(mood)
    began = time.monotonic()
    with pytest.raises(Exception) as raised:  # noqa: PT011  anything but a refusal, which is looked at below
        await rig.side.send(request)
    assert not isinstance(raised.value, GatewayRefused)
    assert time.monotonic() - began < 4
    address = str(request.body.get("address", "-"))
    assert address not in f"{raised.value!r} {raised.value.__cause__!r}"
    return request.effect


async def test_what_is_sent_is_kept_once_and_has_a_number(rig: Rig) -> None:
    request = rig.request()
    receipt = await rig.side.send(request)
    assert receipt.number
    assert await rig.kept(request.effect) == 1


async def test_a_repeat_is_recognised_or_carries_the_same_message_id(rig: Rig) -> None:
    request = rig.request()
    first, second = await rig.side.send(request), await rig.side.send(request)
    assert first.number == second.number
    assert await rig.kept(request.effect) == (1 if rig.side.channel == "asks" else 2)
    if rig.side.channel == "blind":
        assert first.number == message_id(request.effect, SENDER)


async def test_a_far_side_that_can_be_asked_answers_truly(rig: Rig) -> None:
    request = rig.request()
    if rig.side.channel == "blind":
        with pytest.raises(NotImplementedError):
            await rig.side.ask(request.effect)
        return
    assert await rig.side.ask(request.effect) is None
    receipt = await rig.side.send(request)
    assert await rig.side.ask(request.effect) == receipt


async def test_a_no_is_final_says_why_and_keeps_nothing(rig: Rig) -> None:
    request = rig.request("refuses")
    for _ in range(2):
        with pytest.raises(GatewayRefused) as refused:
            await rig.side.send(request)
        assert refused.value.code in ("550", "business-rule")
        assert str(refused.value) == refused.value.code
    assert await rig.kept(request.effect) == 0


async def test_silence_ends_in_time_and_says_nothing_of_what_became_of_it(rig: Rig) -> None:
    effect = await unknown(rig, "hangs")
    if rig.side.channel == "asks":
        assert await rig.side.ask(effect)


async def test_nonsense_is_no_receipt_though_it_may_have_arrived(rig: Rig) -> None:
    effect = await unknown(rig, "garbles")
    assert await rig.kept(effect) == 1
    if rig.side.channel == "asks":
        assert await rig.side.ask(effect)


async def test_not_now_is_not_a_no(rig: Rig) -> None:
    effect = await unknown(rig, "busy")
    assert await rig.kept(effect) == 0


async def test_a_killed_far_side_is_unknown_and_its_book_survives(rig: Rig) -> None:
    sent, cut_off = rig.request(), rig.request("hangs")
    receipt = await rig.side.send(sent)
    in_flight = asyncio.create_task(rig.side.send(cut_off))
    await asyncio.sleep(0.5)
    await rig.kill()
    with pytest.raises(Exception) as raised:  # noqa: PT011
        await in_flight
    assert not isinstance(raised.value, GatewayRefused | Unreachable)
    with pytest.raises(Unreachable):
        await rig.side.send(rig.request())
    await rig.start()
    assert await rig.kept(sent.effect) == 1
    again = await rig.side.send(sent)
    assert again.number == receipt.number
    if rig.side.channel == "asks":
        assert await rig.side.ask(sent.effect) == receipt
        assert await rig.side.ask(cut_off.effect)

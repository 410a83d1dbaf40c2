"""Far sides away for a while, and answers that come before, after, or twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from activities import perform
from activities.case_session import Reply
from activities.command_handler import CommandRequest, Recorded
from activities.gateways import Gateway, Request
from activities.perform import Delivered, Outward
from activities.ports import CommandKey, Meta
from domain.case.effect import Effect
from domain.case.state import Case
from infra.embedded.temporal_server import TemporalServer
from infra.hospitals.fhir_client import FhirGateway, Patience
from rehearsal.world.papers import papers
from tests.conftest import SOON
from tests.infra.gateways import Hospital, Mail, Simulator, asking
from tests.workflows.rig import Call, Engine, command, deliver, engine, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(110)]


@pytest.fixture(scope="module")
async def here(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    folder = tmp_path_factory.mktemp("engine")
    temporal = TemporalServer(tmp_path_factory.mktemp("temporal"), ui=False, config=SOON)
    async with temporal, engine(postgres, temporal.address, folder) as running:
        yield running


@pytest.fixture(autouse=True)
def _short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perform, "LEASE", timedelta(seconds=2))


def through(side: Gateway, request: Request, here: Engine) -> None:
    """Documents are asked for through this far side from now on."""

    async def hand(_case: Case, effect: Effect, _now: datetime, *, repeat: int) -> Delivered:
        known = Request(effect.id, request.kind, request.case, request.about, request.to, request.centre, request.body)
        return await Outward(side).deliver(known, repeat=repeat)

    async def answer(call: Call) -> Delivered:
        case, effect = await here.case(call.case), call.effect
        return await hand(case, case.effects[effect], call.at, repeat=call.repeat)

    here.hands.answers["request_record"] = answer


async def delivered(here: Engine, case: str) -> list[object]:
    return [f.event for f in await here.facts(case, "EffectDelivered", "EffectRefused", "EffectUnknown")]


async def test_mail_waits_for_its_server_and_goes_out_once_unmarked(here: Engine, tmp_path: Path) -> None:
    """However many attempts found nobody there: none of them was a mail."""
    mail = Mail(tmp_path)
    through(mail.side, mail.request(), here)
    case = await here.open()
    await here.send(case, command("RequestRecord", "labs"))
    await eventually(lambda: _attempts(here, case, 3), within=60)
    assert await delivered(here, case) == []
    await mail.start()
    try:
        (event,) = await eventually(lambda: delivered(here, case), within=60)
        assert event.possible_repeat is False  # type: ignore[attr-defined]
        assert await mail.kept(event.effect) == 1  # type: ignore[attr-defined]
    finally:
        await mail.process.stop()


async def _attempts(here: Engine, case: str, count: int) -> bool:
    return len(here.hands.of(case)) >= count


async def test_a_mail_nobody_can_tell_about_goes_out_once_more_and_says_so(here: Engine, tmp_path: Path) -> None:
    """The control of the one before: nonsense after the message was kept is no certainty."""
    mail = Mail(tmp_path)
    await mail.start()
    request = mail.request("garbles")
    through(mail.side, request, here)
    try:
        case = await here.open()
        await here.send(case, command("RequestRecord", "labs"))
        await eventually(lambda: _attempts(here, case, 4), within=60)
        effect = here.hands.of(case)[0].effect
        assert await mail.kept(effect) == 2  # sent, repeated once, and never again
        assert await delivered(here, case) == []
    finally:
        here.hands.answers["request_record"] = deliver
        await mail.process.stop()


async def test_a_hospital_away_has_it_once_when_it_is_back(here: Engine, tmp_path: Path) -> None:
    simulator = Simulator(tmp_path)
    async with httpx2.AsyncClient() as http:
        through(FhirGateway(http, simulator.base, Patience(1, 1, 3)), asking("x"), here)
        case = await here.open()
        await here.send(case, command("RequestRecord", "labs"))
        await eventually(lambda: _attempts(here, case, 2), within=60)
        await simulator.start()
        try:
            (event,) = await eventually(lambda: delivered(here, case), within=60)
            assert await Hospital(simulator).kept(event.effect) == 1  # type: ignore[attr-defined]
        finally:
            await simulator.stop()


def receive(here: Engine, case: Case, effect: Effect) -> CommandRequest:
    """The hospital's, or family's, answer to an effect."""
    item = effect.about.split("/")[0]
    key = CommandKey("hospital-1", effect.id, effect.id.encode())
    what = command("ReceiveRecord", item, "d" * 64, "en")
    return CommandRequest(case.id, Meta("hospital-1"), what, key, Reply(effect.id), stored=papers(what))


async def answer(here: Engine, case: str) -> Recorded:
    state = await here.case(case)
    (effect,) = (e for e in state.effects.values() if e.kind == "request_record")
    return await here.commands.record(receive(here, state, effect))


async def test_an_answer_before_the_deliverys_record_implies_it(here: Engine) -> None:
    """The far side answers while the call that asked it is still under way."""
    told: list[Recorded] = []

    async def answered_at_once(call: Call) -> Delivered:
        told.append(await answer(here, call.case))
        return await deliver(call)

    here.hands.answers["request_record"] = answered_at_once
    case = await here.open()
    await here.send(case, command("RequestRecord", "labs"))
    await eventually(lambda: _equal(here, case, "received"))
    await asyncio.sleep(1)
    assert [e.receipt for e in await delivered(here, case)] == ["answered"]  # type: ignore[attr-defined]
    assert len(here.hands.of(case, "request_record")) == 1


async def test_a_late_answer_ends_an_unknown_and_a_doubled_one_adds_nothing(here: Engine) -> None:
    async def silent(_call: Call) -> Delivered:
        raise OSError

    here.hands.answers["request_record"] = silent
    case = await here.open()
    await here.send(case, command("RequestRecord", "labs"))
    await eventually(lambda: _attempts(here, case, 1))
    first = await answer(here, case)
    before = len(await here.facts(case))
    second = await answer(here, case)
    assert (first.repeated, second.repeated) == (False, True)
    assert [f.id for f in first.facts] == [f.id for f in second.facts]
    await here.settled(case)
    await asyncio.sleep(3)  # the attempt that waits for its lease finds nothing to do
    assert len(await here.facts(case)) == before
    assert [e.type for e in await delivered(here, case)] == ["EffectDelivered"]  # type: ignore[attr-defined]
    here.hands.answers.clear()


async def _equal(here: Engine, case: str, state: str) -> bool:
    return [item.state for item in (await here.case(case)).records.values()] == [state]

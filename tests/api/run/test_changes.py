"""Who is told of a change: those who keep the catalogue and the contact from before, once, by real mail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.command_handler import CommandRequest
from activities.effect_handlers.mail import desks_of
from activities.gateways import Channel, Gateway, Receipt, Request
from activities.ports import Meta
from activities.telling import TellingChanges
from api.run.changes import adopt_desks, desks
from api.run.wiring import Parts, parts
from domain.catalogue.centre import ChangeEndpoint, RegisterCentre
from domain.catalogue.desks import STREAM, ChangeDesk
from domain.catalogue.four_eyes import ConfirmProposal
from domain.core.policy import Party
from domain.core.telling import notices
from infra.ids import fresh_stream
from tests.agreed import agreed
from tests.api.conftest import Staffed, registered, settings
from tests.infra.gateways import SENDER, Mail, mail

pytestmark = pytest.mark.slow
OLD = "intake@hospital.example"
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
CENTRE = RegisterCentre(
    "First", "Beijing", "CN", "Asia/Shanghai", ("zh",), True, ("cell_therapy",), "itself", datetime.now(UTC).date(),
    "https://first.example/fhir", OLD, KEY,
)  # fmt: skip
CHANGE = ChangeEndpoint("https://evil.example/fhir", "desk@evil.example", KEY)


@pytest.fixture(scope="module")
def staffed(unstaffed: Staffed) -> Staffed:
    return unstaffed


@pytest.fixture(scope="module")
async def post(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mail]:
    async with mail(tmp_path_factory.mktemp("mail")) as started:
        yield started


@pytest.fixture(scope="module")
async def two(here: Parts) -> tuple[str, str]:
    """The first two who keep the catalogue."""
    return await registered(here, "operator"), await registered(here, "supervisor")


@pytest.fixture
async def centre(here: Parts, two: tuple[str, str], post: Mail) -> str:
    """A centre that two people agreed on; whoever was to be told of that has been."""
    found = (await agreed(here.commands, fresh_stream("centre"), CENTRE)).stream
    await telling(here, post.side).round()
    return found


def telling(here: Parts, side: Gateway) -> TellingChanges:
    found = desks_of(here.ledger, {})
    return TellingChanges(here.commands, here.ledger.owing_notices, side, "https://caravel.example/x", SENDER, found)


async def proposed(here: Parts, centre: str, by: str, command: Any = CHANGE) -> str:
    said = await here.commands.record(CommandRequest(centre, Meta(by, "operation"), command, signed_in=True))
    assert said.state.eyes.proposal is not None
    return str(said.state.eyes.proposal.id)


async def messages(post: Mail, since: int = 0) -> Sequence[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = await post.process.get("/messages?limit=1000")
    return [one for one in found if one["id"] > since]


async def newest(post: Mail) -> int:
    return max((one["id"] for one in await messages(post)), default=0)


async def ended(here: Parts, stream: str) -> list[Any]:
    return [f.event for f in (await here.commands.entry(stream)).facts if f.event.type == "NoticeEnded"]


async def test_the_other_and_the_old_contact_are_told_once_each_step(
    here: Parts, two: tuple[str, str], centre: str, post: Mail
) -> None:
    operator, supervisor = two
    since = await newest(post)
    proposal = await proposed(here, centre, operator)
    await asyncio.gather(*(telling(here, post.side).round() for _ in range(3)))  # several workers at once
    await telling(here, post.side).round()
    assert sorted(one["recipient"] for one in await messages(post, since)) == [OLD, "staff@example.org"]
    confirm = CommandRequest(centre, Meta(supervisor, "operation"), ConfirmProposal(proposal), signed_in=True)
    await here.commands.record(confirm)
    await telling(here, post.side).round()
    told = await messages(post, since)
    assert sorted(one["recipient"] for one in told) == [OLD, OLD, "staff@example.org", "staff@example.org"]
    assert len({one["message_id"] for one in told}) == 4
    last = [(e.what, e.to, e.outcome, e.possible_repeat) for e in await ended(here, centre)][-4:]
    assert sorted(last) == sorted([
        ("proposed", supervisor, "sent", False), ("proposed", "contact", "sent", False),
        ("confirmed", operator, "sent", False), ("confirmed", "contact", "sent", False),
    ])  # fmt: skip
    assert centre not in await here.ledger.owing_notices()


class Killed:
    """A real mail server's side, whose process dies once the message is handed in."""

    channel: Channel = "blind"

    def __init__(self, side: Gateway) -> None:
        self._side = side

    async def send(self, request: Request) -> Receipt:
        await self._side.send(request)
        raise asyncio.CancelledError

    async def ask(self, effect: str) -> Receipt | None:
        raise NotImplementedError


async def test_a_mail_that_may_have_gone_out_goes_once_more_by_the_same_name_and_is_marked(
    here: Parts, two: tuple[str, str], centre: str, post: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    since = await newest(post)
    await proposed(here, centre, two[0])
    with pytest.raises(asyncio.CancelledError):
        await telling(here, Killed(post.side)).round()
    await telling(here, post.side).round()
    first = [e for e in await ended(here, centre) if e.what == "proposed"][-1]
    assert len(await messages(post, since)) == 2  # the one is not tried again while its claim lasts
    monkeypatch.setattr(notices, "LEASE", timedelta(0))
    await telling(here, post.side).round()
    told = await messages(post, since)
    assert len(told) == 3
    assert len({one["message_id"] for one in told}) == 2
    again = [e for e in await ended(here, centre) if e.what == "proposed"][-1]
    assert (first.possible_repeat, again.possible_repeat) == (False, True)


async def test_desks_are_adopted_once_and_the_setting_changes_nothing_after(
    here: Parts, dsn: str, two: tuple[str, str]
) -> None:
    first, later = {"supervisor": "lead@example.org"}, {"supervisor": "omar@evil.example", "reviewer": "x@evil.example"}

    async def goes(setting: Mapping[str, str]) -> dict[str, str]:
        """Where mail goes as a worker with that setting sees it."""
        async with parts(settings(dsn, here.settings.home, role_mail=setting), connections=2) as worker:
            await adopt_desks(worker)
            find = desks_of(worker.ledger, desks(worker.settings))
            found = {role.value: await find(role) for role in Party}
            return {role: reader.address for role, reader in found.items() if reader}

    assert await goes(first) == first
    assert await goes(later) == first
    proposal = await proposed(here, STREAM, two[0], ChangeDesk(Party.SUPERVISOR, "new@example.org"))
    assert await goes(later) == first
    confirm = CommandRequest(STREAM, Meta(two[1], "operation"), ConfirmProposal(proposal), signed_in=True)
    await here.commands.record(confirm)
    assert await goes(later) == {"supervisor": "new@example.org"}

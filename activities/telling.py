"""Tells by mail of changes that two people make, and of what is overdue at stores and lots of doses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Any

from activities.command_handler import CommandHandler, CommandRequest, Recorded
from activities.effect_handlers.mail import staff_of
from activities.effect_handlers.requests import Reader
from activities.gateways import Gateway, GatewayRefused, Request, Unreachable
from activities.perform import CALL
from activities.ports import Meta
from domain.core.errors import Refused
from domain.core.fact import ENGINE
from domain.core.policy import Party
from domain.core.telling.notices import CONTACT, TRIES, ClaimNotice, Outcome, Owed, RecordNotice
from domain.doses.stock import Lot, undecided
from domain.doses.store import Store

Desks = Callable[[Party], Awaitable[Reader | None]]
ROLES = frozenset(party.value for party in Party)
Owing = Callable[[], Awaitable[Sequence[str]]]
"""The streams of which somebody is to be told something."""
META = Meta(ENGINE, "operation")


def notice_id(stream: str, proposal: str, what: str, to: str) -> str:
    """Return what names a notice in its mail, the same for every attempt."""
    return sha256(f"{stream}/{proposal}/{what}/{to}".encode()).hexdigest()[:32]


class TellingChanges:
    """Sends each notice once; `link` is where one confirms, `contact` the address people may write back to.

    `desks` says where the mail of a role goes.
    """

    def __init__(
        self, commands: CommandHandler, owing: Owing, mail: Gateway, link: str, contact: str, desks: Desks
    ) -> None:
        self._commands, self._owing, self._mail = commands, owing, mail
        self._facts = {"link": link, "contact": contact}
        self._staff, self._desks = staff_of(commands.ledger), desks

    async def round(self) -> None:
        """Tell whoever is to be told now; what cannot be sent is tried again when its claim is over."""
        for stream in await self._owing():
            entry = await self._commands.entry(stream)
            for owed in _untold(entry.state):
                await self._tell(entry, owed)

    async def _tell(self, entry: Recorded, owed: Owed) -> None:
        about = owed.proposal, owed.what, owed.to
        try:
            await self._record(entry.stream, ClaimNotice(*about))
        except Refused:
            return  # another worker has it
        outcome = "unknown" if owed.tries >= TRIES else await self._sent(entry, owed)
        if outcome is not None:
            again = owed.tries > 0 and outcome == "sent"
            await self._record(entry.stream, RecordNotice(*about, outcome, again))

    async def _sent(self, entry: Recorded, owed: Owed) -> Outcome | None:
        """What became of it; None = nobody knows, so it is sent once more, with the same Message-ID."""
        reader = await self._reader(entry.state, owed)
        if reader is None:
            return "refused"
        try:
            async with asyncio.timeout(CALL):
                await self._mail.send(self._request(entry, owed, reader))
        except GatewayRefused:
            return "refused"
        except Unreachable:
            return "put_off"
        except Exception:  # noqa: BLE001 - whatever it was, the outcome is unknown
            return None
        return "sent"

    async def _reader(self, state: Any, owed: Owed) -> Reader | None:  # noqa: ANN401 - of any stream
        if owed.to in ROLES:
            return await self._desks(Party(owed.to))
        if owed.to != CONTACT:
            return await self._staff(owed.to)
        return Reader(owed.contact, next(iter(getattr(state, "languages", ())), "en"))

    def _request(self, entry: Recorded, owed: Owed, reader: Reader) -> Request:
        name = str(getattr(entry.state, "name", "") or entry.stream)
        facts = {**self._facts, "address": reader.address, "language": reader.language}
        facts |= {"entry": name, "by": owed.by, "says": owed.says}
        kind = f"change_{owed.what}"
        if isinstance(entry.state, Store | Lot):
            kind = f"chase_{owed.what}"
            console = self._facts["link"].rpartition("/")[0]
            facts["link"] = f"{console}/{entry.stream.partition('-')[0]}s/{entry.stream}"
        effect = notice_id(entry.stream, owed.proposal, owed.what, owed.to)
        return Request(effect, kind, entry.stream, owed.proposal, "staff", "", facts)

    async def _record(self, stream: str, command: ClaimNotice | RecordNotice) -> None:
        await self._commands.record(CommandRequest(stream, META, command))


def _untold(state: Any) -> Sequence[Owed]:  # noqa: ANN401 - of any stream
    """The mails to be sent; of a silence or decision that has ended none is."""
    if isinstance(state, Store):
        return state.chase.open(state.overdue)
    if isinstance(state, Lot):
        return state.chase.open(undecided(state))
    owed: Sequence[Owed] = state.eyes.owed
    return owed

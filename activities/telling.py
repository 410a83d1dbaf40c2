"""Tells by mail of changes that two people make: those who keep the catalogue, and the contact from before."""

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
from domain.catalogue.notices import CONTACT, TRIES, ClaimNotice, Outcome, Owed, RecordNotice
from domain.core.errors import Refused
from domain.core.fact import ENGINE

Owing = Callable[[], Awaitable[Sequence[str]]]
"""The streams of which somebody is to be told something."""
META = Meta(ENGINE, "operation")


def notice_id(stream: str, proposal: str, what: str, to: str) -> str:
    """Return what names a notice in its mail, the same for every attempt."""
    return sha256(f"{stream}/{proposal}/{what}/{to}".encode()).hexdigest()[:32]


class TellingChanges:
    """Sends each notice once; `link` is where one confirms, `contact` the address people may write back to."""

    def __init__(self, commands: CommandHandler, owing: Owing, mail: Gateway, link: str, contact: str) -> None:
        self._commands, self._owing, self._mail = commands, owing, mail
        self._facts = {"link": link, "contact": contact}
        self._staff = staff_of(commands.ledger)

    async def round(self) -> None:
        """Tell whoever is to be told now; what cannot be sent is tried again when its claim is over."""
        for stream in await self._owing():
            entry = await self._commands.entry(stream)
            for owed in entry.state.eyes.owed:
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
        if owed.to != CONTACT:
            return await self._staff(owed.to)
        return Reader(owed.contact, next(iter(getattr(state, "languages", ())), "en"))

    def _request(self, entry: Recorded, owed: Owed, reader: Reader) -> Request:
        name = str(getattr(entry.state, "name", "") or entry.stream)
        facts = {**self._facts, "address": reader.address, "language": reader.language}
        facts |= {"entry": name, "by": owed.by, "says": owed.says}
        effect = notice_id(entry.stream, owed.proposal, owed.what, owed.to)
        return Request(effect, f"change_{owed.what}", entry.stream, owed.proposal, "staff", "", facts)

    async def _record(self, stream: str, command: ClaimNotice | RecordNotice) -> None:
        await self._commands.record(CommandRequest(stream, META, command))

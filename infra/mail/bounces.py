"""Bounces (RFC 3464): mail comes back to an address that names its effect and that nobody else can make up."""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, Envelope, Session

from activities.ports import Keys
from domain.core.personal import KeyClass
from infra.mail.reports import came_back

STREAM = "bounces"
CLASS: KeyClass = "identity"
LARGEST = 1 << 20
MARK = 16
"""Hexadecimal digits of the mark: with the id it fits the 64 characters RFC 5321 leaves before the @."""
LOCAL = re.compile(rf"bounces\+(?P<effect>[A-Za-z0-9-]{{1,36}})\.(?P<mark>[0-9a-f]{{{MARK}}})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bounce:
    """A message that came back for good. `code` as `came_back` says it; the diagnostic may name the person."""

    effect: str
    code: str
    diagnostic: str = field(repr=False)


Take = Callable[[Bounce], Awaitable[None]]


class ReturnAddresses:
    """Makes the envelope sender of a message, and reads it when a bounce comes to it."""

    def __init__(self, keys: Keys, domain: str) -> None:
        self._keys = keys
        self._domain = domain

    async def of(self, effect: str) -> str:
        """Return the address a bounce of this effect goes to."""
        return f"bounces+{effect}.{await self._mark(effect)}@{self._domain}"

    async def read(self, address: str) -> str | None:
        """Return the effect a bounce is about; None for an address that was not made here."""
        found = LOCAL.fullmatch(address.partition("@")[0])
        if found is None:
            return None
        same = hmac.compare_digest(found["mark"].lower(), await self._mark(found["effect"]))
        return found["effect"] if same else None

    async def _mark(self, effect: str) -> str:
        key = (await self._keys.for_sealing(STREAM, [CLASS]))[CLASS].secret
        return hmac.digest(key, effect.encode(), "sha256").hex()[:MARK]


class Inbox:
    """Answers the SMTP server at each step: only addresses of ours, and nothing is said to be taken before it is."""

    def __init__(self, addresses: ReturnAddresses, take: Take) -> None:
        self._addresses = addresses
        self._take = take

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Refuse what was not sent from here."""
        if await self._addresses.read(address) is None:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Record it, or let the sender keep it and come again."""
        report = came_back(envelope.original_content or b"")
        for address in envelope.rcpt_tos if report else ():
            effect = await self._addresses.read(address)
            if effect is not None and report is not None:
                try:
                    await self._take(Bounce(effect, *report))
                except Exception:  # noqa: BLE001 - whatever it is, the sender still has the message
                    return "451 4.3.0 try again later"
        return "250 taken"


def inbox(addresses: ReturnAddresses, take: Take) -> SMTP:
    """Make one connection of the listener, for `loop.create_server`."""
    return SMTP(Inbox(addresses, take), data_size_limit=LARGEST, enable_SMTPUTF8=True, hostname="caravel")

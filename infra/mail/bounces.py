"""Bounces (RFC 3464): mail comes back to an address that names its effect and that nobody else can make up."""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import islice

from aiosmtpd.smtp import SMTP, Envelope, Session

from activities.ports import Keys
from domain.core.personal import KeyClass

STREAM = "bounces"
CLASS: KeyClass = "identity"
LARGEST = 1 << 20
MARK = 16
"""Hexadecimal digits of the mark: with the id it fits the 64 characters RFC 5321 leaves before the @."""
LOCAL = re.compile(rf"bounces\+(?P<effect>[A-Za-z0-9-]{{1,36}})\.(?P<mark>[0-9a-f]{{{MARK}}})", re.IGNORECASE)
REPORT = re.compile(rb"^content-type:[ \t]*(?:\r?\n[ \t]+)?message/delivery-status\b", re.IGNORECASE | re.MULTILINE)
"""Looked for as text: the library's parser takes two minutes for a header of 40 KiB of semicolons."""
REPORTS, LONGEST = 4, 16 * 1024
"""How many reports of a message are read, and how many bytes of each."""
BLANK = re.compile(rb"\r?\n[ \t]*\r?\n")
FIELD = re.compile(rb"^([A-Za-z-]+)[ \t]*:(.*(?:\n[ \t].*)*)", re.MULTILINE)
CODE = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class Bounce:
    """A message that came back for good. `code` is the status of RFC 3463; the diagnostic may name the person."""

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


def failed(raw: bytes) -> tuple[str, str] | None:
    """Status code and diagnostic of a delivery status notification that says "failed"; None for any other mail."""
    for part in islice(REPORT.finditer(raw), REPORTS):
        for recipient in _groups(raw[part.end() : part.end() + LONGEST]):
            if recipient.get("action", "").lower() == "failed":
                status = CODE.search(recipient.get("status", ""))
                return status[0] if status else "5.0.0", recipient.get("diagnostic-code", "")[:500]
    return None


def _groups(part: bytes) -> list[dict[str, str]]:
    """The fields of the message and of each recipient, by their names in lower case; values on one line."""
    return [
        {
            name.decode().lower(): " ".join(value.decode(errors="replace").split())
            for name, value in FIELD.findall(group)
        }
        for group in BLANK.split(part)
    ]


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
        report = failed(envelope.original_content or b"")
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

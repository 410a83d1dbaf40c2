"""Mail as a far side: one plain-text message per effect, with a Message-ID that is the same for every repeat."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

import aiosmtplib

from activities.gateways import Channel, GatewayRefused, Receipt, Request, Unreachable
from infra.mail.notices import CannotSay, compose

PASSING, PERMANENT = 400, 500
HERE = ("127.0.0.1", "::1", "localhost")
Security = Literal["auto", "starttls", "tls", "off"]
PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")


@dataclass(frozen=True, slots=True)
class MailServer:
    """Says where mail is handed in and whom it is from. Seconds: per step of the conversation, and for all of it."""

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    security: Security = "auto"
    ca: str | None = None
    step: float = 10
    total: float = 25

    def __post_init__(self) -> None:
        """Raises ValueError where a password would cross the network unencrypted."""
        if self.user and self.security == "off" and self.host not in HERE:
            raise ValueError("a password is never sent unencrypted: set CARAVEL_SMTP_SECURITY to starttls or tls")


class NotHandedIn(Exception):
    """The mail server gave no clear answer; names the kind of failure, never the address."""


class MailNotTaken(NotHandedIn, Unreachable):
    """The mail server has nothing of it: it could not be reached, or said "not now" before it took the message."""


class MailGateway:
    """`request.body` holds address, language and the facts of the notice (infra/mail/notices.py)."""

    channel: Channel = "blind"

    def __init__(
        self,
        server: MailServer,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        return_to: Callable[[str], Awaitable[str]] | None = None,
    ) -> None:
        self._server, self._clock, self._return_to = server, clock, return_to

    async def send(self, request: Request) -> Receipt:
        """Hand one message in. A permanent no = GatewayRefused; any other exception = unknown."""
        message = message_of(request, self._server.sender, self._clock())
        back = await self._return_to(request.effect) if self._return_to else None
        try:
            async with asyncio.timeout(self._server.total):
                await self._hand_in(message, back)
        except MailNotTaken:
            raise
        except (aiosmtplib.SMTPException, OSError) as error:
            # The library's own texts repeat the address, so neither they nor the chain go on from here.
            raise _outcome(error) from None
        return Receipt(str(message["Message-ID"]))

    async def ask(self, effect: str) -> Receipt | None:
        """Mail cannot be asked. Always raises NotImplementedError."""
        raise NotImplementedError("nobody can tell whether a message arrived")

    async def _hand_in(self, message: EmailMessage, back: str | None) -> None:
        client = await connected(self._server)
        try:
            await client.send_message(message, sender=back)
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):  # it has the message already
                await client.quit()
        finally:
            client.close()


async def connected(server: MailServer) -> aiosmtplib.SMTP:
    """Connect to a mail server, encrypted and signed in as told. Raises MailNotTaken, naming no secret."""
    must = server.security == "starttls" or (server.security == "auto" and server.user and server.host not in HERE)
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.user,
        password=server.password,
        use_tls=server.security == "tls",
        start_tls=True if must else None if server.security == "auto" else False,
        cert_bundle=server.ca,
        timeout=server.step,
    )
    try:
        await client.connect()
    except (aiosmtplib.SMTPException, OSError) as error:
        code = error.code if isinstance(error, aiosmtplib.SMTPResponseException) else ""
        raise MailNotTaken(f"{type(error).__name__} {code}".strip()) from None
    return client


async def examined(server: MailServer) -> str:
    """Connect, hand nothing in, and return what the mail server said. Raises MailNotTaken, TimeoutError."""
    async with asyncio.timeout(server.total):
        client = await connected(server)
        try:
            await client.noop()
            encrypted = client.get_transport_info("sslcontext") is not None
            await client.quit()
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailNotTaken(type(error).__name__) from None
        finally:
            client.close()
    signed_in = f", signed in as {server.user}" if server.user else ""
    return f"{server.host}:{server.port}, {'encrypted' if encrypted else 'not encrypted'}{signed_in}"


def message_of(request: Request, sender: str, now: datetime) -> EmailMessage:
    """Return the message of an effect. Raises GatewayRefused for what can never be sent: no address, no text for it."""
    body = request.body
    address = _address(body.get("address"))
    try:
        notice = compose(request.kind, str(body.get("language") or "en"), body)
        message = EmailMessage()
        message["From"] = sender
        message["To"] = address
        message["Subject"] = notice.subject
    except (CannotSay, MessageError, ValueError) as error:
        raise GatewayRefused("unspeakable", str(error) if isinstance(error, CannotSay) else "") from error
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id(request.effect, sender)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Caravel-Effect"] = request.effect if PLAIN_ID.fullmatch(request.effect) else _hashed(request.effect)
    message.set_content(notice.body, charset="utf-8")
    return message


def message_id(effect: str, sender: str) -> str:
    """Return the Message-ID, the same for every attempt of one effect."""
    local = effect if PLAIN_ID.fullmatch(effect) else _hashed(effect)
    return f"<{local}@{sender.rpartition('@')[2].rstrip('>')}>"


def _hashed(effect: str) -> str:
    return hashlib.sha256(effect.encode()).hexdigest()[:32]


def _address(given: object) -> str:
    """A single bare address; an erased or empty one can never be written to."""
    try:
        return Address(addr_spec=given).addr_spec if isinstance(given, str) and given else _no_address()
    except (MessageError, ValueError, IndexError):
        return _no_address()


def _no_address() -> str:
    raise GatewayRefused("no_address")


def _outcome(error: Exception) -> Exception:
    """A permanent no about this sender, recipient or message is definite; anything else leaves it open."""
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return GatewayRefused("address_not_supported")
    answers: list[Exception] = [error]
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        answers = [*error.recipients]
    about_it = (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError)
    codes = [answer.code for answer in answers if isinstance(answer, about_it)]
    if codes and min(codes) >= PERMANENT:
        return GatewayRefused(str(codes[0]))
    name = f"{type(error).__name__} {codes[0] if codes else ''}".strip()
    return MailNotTaken(name) if _before_the_message(error) else NotHandedIn(name)


def _before_the_message(error: Exception) -> bool:
    """Whether the message was not handed over, or its handing over was answered with a plain "not now"."""
    if isinstance(error, aiosmtplib.SMTPDataError):
        return PASSING <= error.code < PERMANENT
    return isinstance(
        error,
        (
            aiosmtplib.SMTPConnectError,
            aiosmtplib.SMTPHeloError,
            aiosmtplib.SMTPSenderRefused,
            aiosmtplib.SMTPRecipientsRefused,
        ),
    )

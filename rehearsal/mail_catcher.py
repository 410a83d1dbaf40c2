"""A mail server that delivers nowhere: keeps what it is given and shows it on loopback.

Started with `python -m rehearsal.mail_catcher`.

Addresses ending in these domains are treated as the name says: @bounce.invalid is refused for good (550), @busy.invalid
for now (451), @slow.invalid is never answered, @garbled.invalid gets nonsense after its message was kept, @dsn.invalid
is taken and comes back after a moment as a delivery report (RFC 3464) to --bounces-to.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from html import escape
from pathlib import Path
from typing import Any

import aiosmtplib
import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

BOUNCE, BUSY, SLOW, GARBLED = "@bounce.invalid", "@busy.invalid", "@slow.invalid", "@garbled.invalid"
RETURNED = "@dsn.invalid"
HANGS = 120
LARGEST = 1 << 20
COLUMNS = "id, received_at, sender, recipient, subject, effect, message_id"
SCHEMA = """CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY, received_at TEXT NOT NULL, sender TEXT NOT NULL, recipient TEXT NOT NULL,
    subject TEXT NOT NULL, effect TEXT NOT NULL, message_id TEXT NOT NULL, body TEXT NOT NULL, raw BLOB NOT NULL)"""


class Caught:
    """Every message in one SQLite file that survives SIGKILL; nothing is ever recognised as a repeat."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=10)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(SCHEMA)

    def keep(self, envelope: Envelope) -> None:
        """Keep a message in one row for each recipient."""
        raw = envelope.original_content or b""
        mail = message_from_bytes(raw, EmailMessage, policy=policy.default)
        text = mail.get_body(("plain",))
        row = [str(mail.get(name, "")) for name in ("Subject", "X-Caravel-Effect", "Message-ID")]
        body = str(text.get_content()) if text else ""
        now = datetime.now(UTC).isoformat()
        for recipient in envelope.rcpt_tos:
            values = (now, envelope.mail_from or "", recipient, *row, body, raw)
            query = """INSERT INTO message (received_at, sender, recipient, subject, effect, message_id, body, raw)
                       VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
            self._db.execute(query, values)

    def listed(self, to: str = "", effect: str = "", limit: int = 200) -> Sequence[Mapping[str, Any]]:
        """Return the newest messages, without bodies."""
        query = f"""SELECT {COLUMNS} FROM message WHERE (? = '' OR recipient = ?) AND (? = '' OR effect = ?)
                    ORDER BY id DESC LIMIT ?"""  # noqa: S608  the column list is a constant
        return [dict(row) for row in self._db.execute(query, (to, to, effect, effect, limit))]

    def shown(self, number: int) -> Mapping[str, Any] | None:
        """Read one message with its text."""
        row = self._db.execute(f"SELECT {COLUMNS}, body FROM message WHERE id = ?", (number,)).fetchone()  # noqa: S608
        return dict(row) if row else None


class Handler:
    """Answers the SMTP server at each step."""

    def __init__(self, caught: Caught, bounces_to: str = "") -> None:
        self._caught = caught
        self._bounces_to = bounces_to
        self._returning: set[asyncio.Task[None]] = set()

    async def handle_RCPT(  # noqa: N802  the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Bounce, put off, or accept a recipient."""
        if address.endswith(BOUNCE):
            return "550 5.1.1 no such mailbox"
        if address.endswith(BUSY):
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the message before saying so."""
        if any(address.endswith(SLOW) for address in envelope.rcpt_tos):
            await asyncio.sleep(HANGS)
        self._caught.keep(envelope)
        for address in envelope.rcpt_tos:
            if address.endswith(RETURNED) and self._bounces_to and envelope.mail_from:
                task = asyncio.create_task(returned(envelope.mail_from, address, self._bounces_to))
                self._returning.add(task)
                task.add_done_callback(self._returning.discard)
        garbled = any(address.endswith(GARBLED) for address in envelope.rcpt_tos)
        return "thank you for shopping" if garbled else "250 kept"


def delivery_report(to: str, recipient: str) -> MIMEMultipart:
    """Return a delivery status notification (RFC 3464): nobody has this mailbox."""
    report = MIMEMultipart("report")
    report.set_param("report-type", "delivery-status")
    report["From"], report["To"], report["Subject"] = "mailer-daemon@catcher.invalid", to, "Undelivered mail"
    report.attach(MIMEText("This message could not be delivered."))
    whole, about = Message(), Message()
    whole["Reporting-MTA"] = "dns; catcher.invalid"
    about["Final-Recipient"], about["Action"], about["Status"] = f"rfc822; {recipient}", "failed", "5.1.1"
    about["Diagnostic-Code"] = "smtp; 550 5.1.1 no such mailbox"
    status = MIMEBase("message", "delivery-status")
    status.set_payload([whole, about])
    report.attach(status)
    return report


async def returned(to: str, recipient: str, server: str) -> None:
    """Send the report, and again while the other side says "not now"."""
    host, _, port = server.rpartition(":")
    for wait in (0.5, 2, 5, 15, 60):
        await asyncio.sleep(wait)
        try:
            report = delivery_report(to, recipient)
            await aiosmtplib.send(report, sender="", recipients=[to], hostname=host, port=int(port), timeout=10)
        except (aiosmtplib.SMTPException, OSError):
            continue
        return


def application(caught: Caught) -> FastAPI:
    """Make the application that shows what was caught, as JSON and as pages."""
    app = FastAPI(title="Caught mail", openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])

    @app.get("/messages")
    async def messages(to: str = "", effect: str = "", limit: int = 200) -> Sequence[Mapping[str, Any]]:
        return caught.listed(to, effect, limit)

    @app.get("/messages/{number}")
    async def message(number: int) -> Mapping[str, Any]:
        found = caught.shown(number)
        if found is None:
            raise HTTPException(404)
        return found

    @app.get("/", response_class=HTMLResponse)
    async def page() -> str:
        rows = "".join(f"<tr><td>{'<td>'.join(_cells(m))}" for m in caught.listed())
        return _page("Caught mail", f"<table><tr><th>Received<th>To<th>Subject{rows}</table>")

    @app.get("/read/{number}", response_class=HTMLResponse)
    async def read(number: int) -> str:
        m = await message(number)
        return _page(m["subject"], f"<p>To {escape(m['recipient'])}<pre>{escape(m['body'])}</pre>")

    @app.get("/healthz")
    async def healthz() -> Mapping[str, str]:
        return {"status": "ok"}

    return app


def _cells(m: Mapping[str, Any]) -> Sequence[str]:
    link = f'<a href="/read/{m["id"]}">{escape(m["subject"])}</a>'
    return escape(m["received_at"][:19]), escape(m["recipient"]), link


def _page(title: str, content: str) -> str:
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
    return f"{head}<h1>{escape(title)}</h1>{content}"


async def serve(given: argparse.Namespace) -> None:
    """Catch and show until told to stop."""
    caught = Caught(given.book)
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(
        lambda: SMTP(
            Handler(caught, given.bounces_to), data_size_limit=LARGEST, enable_SMTPUTF8=True, hostname="catcher.invalid"
        ),
        given.host,
        given.smtp_port,
    )
    async with smtp:
        web = uvicorn.Config(application(caught), host=given.host, port=given.http_port, log_level="warning")
        await uvicorn.Server(web).serve()


def options(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.mail_catcher", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--bounces-to", default="", help="HOST:PORT that takes delivery reports")
    parser.add_argument("--book", type=Path, required=True, help="SQLite file, made when missing")
    return parser.parse_args(words)


if __name__ == "__main__":
    asyncio.run(serve(options()))

"""A message that comes back finds its effect: by an address nobody else can make up, from any mail server's report."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiosmtplib
import pytest

from infra.embedded.server_process import free_port
from infra.keys import FolderKeys
from infra.mail.bounces import Bounce, ReturnAddresses, failed, inbox
from infra.mail.smtp import MailFarSide, MailServer
from rehearsal.mail_catcher import RETURNED, delivery_report
from tests.infra.gateways import Mail

EFFECT = "0192b1f0-5a7e-7c3e-9d62-3f6a1c2b4d5e"


def addresses(folder: Path) -> ReturnAddresses:
    return ReturnAddresses(
        FolderKeys(folder / "keys", kek=folder / "kek", destroyed=folder / "destroyed"), "caravel.example"
    )


@asynccontextmanager
async def listening(own: ReturnAddresses, *, fails: int = 0) -> AsyncIterator[tuple[int, asyncio.Queue[Bounce]]]:
    """The listener with what it took; the first `fails` are answered "not now"."""
    taken: asyncio.Queue[Bounce] = asyncio.Queue()
    left = [fails]

    async def take(bounce: Bounce) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise ConnectionError("the database is away")
        await taken.put(bounce)

    port = free_port()
    server = await asyncio.get_running_loop().create_server(lambda: inbox(own, take), "127.0.0.1", port)
    async with server:
        yield port, taken


async def test_an_address_names_its_effect_and_cannot_be_made_up(tmp_path: Path) -> None:
    own = addresses(tmp_path)
    back = await own.of(EFFECT)
    assert len(back.partition("@")[0]) <= 64
    assert await own.read(back) == EFFECT
    assert await own.read(back.upper()) == EFFECT.upper() or await own.read(back.upper()) is None
    local, _, domain = back.partition("@")
    forged = (f"{local[:-1]}{'0' if local[-1] != '0' else '1'}@{domain}", f"bounces+{EFFECT}@{domain}", "desk@x", "")
    assert [await own.read(one) for one in forged] == [None] * 4
    other = back.replace("5e.", "5f.")
    assert other != back
    assert await own.read(other) is None


def test_only_a_report_of_failure_counts() -> None:
    report = delivery_report("bounces@x", "a@dsn.invalid")
    assert failed(report.as_bytes()) == ("5.1.1", "smtp; 550 5.1.1 no such mailbox")
    delayed = report.as_bytes().replace(b"Action: failed", b"Action: delayed")
    assert failed(delayed) is None
    assert failed(report.as_bytes().replace(b"Status: 5.1.1", b"Status: none")) == (
        "5.0.0",
        "smtp; 550 5.1.1 no such mailbox",
    )
    for noise in (b"", b"Subject: out of office\n\nI am away", b"Content-Type: multipart/report\n\n", b"\xff" * 100):
        assert failed(noise) is None


SENDMAIL = b"""Content-Type: multipart/report; report-type=delivery-status;\r
\tboundary="A/B"\r
\r
--A/B\r
Content-Type:\r
 message/delivery-status\r
\r
Reporting-MTA: dns; mx.example.org\r
\r
Final-Recipient: RFC822; a@example.org\r
Action: delayed\r
Status: 4.4.1\r
\r
Final-Recipient: RFC822; b@example.org\r
Action: Failed\r
Status: 5.7.1 (refused)\r
Diagnostic-Code: SMTP; 550 5.7.1\r
\tAccess denied for M\xc3\xbcller\r
--A/B--\r
"""


def test_a_report_is_read_with_its_folded_lines_and_by_recipient() -> None:
    assert failed(SENDMAIL) == ("5.7.1", "SMTP; 550 5.7.1 Access denied for Müller")
    assert failed(SENDMAIL.replace(b"\r\n", b"\n")) == failed(SENDMAIL)
    assert failed(SENDMAIL.replace(b"Failed", b"relayed")) is None


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "made_up",
    [
        b"Content-Type: multipart/report; boundary=x" + b";" * 900_000 + b"\r\n\r\n",
        b"Content-Type: " + b" \r\n " * 200_000,
        b"Content-Type: message/delivery-status\r\n\r\n" * 20_000,
        b"Content-Type: message/delivery-status\r\n\r\nDiagnostic-Code: " + b"a \r\n" * 200_000,
    ],
    ids=["semicolons", "folds", "reports", "words"],
)
def test_what_a_reader_of_mail_made_up_costs_nothing(made_up: bytes) -> None:
    assert failed(made_up) is None
    assert failed(SENDMAIL + made_up)


async def test_a_stranger_is_refused_and_a_report_waits_while_the_ledger_is_away(tmp_path: Path) -> None:
    own = addresses(tmp_path)
    back = await own.of(EFFECT)
    report = delivery_report(back, "a@dsn.invalid")
    async with listening(own, fails=1) as (port, taken):

        async def sent(to: str) -> None:
            await aiosmtplib.send(report, sender="", recipients=[to], hostname="127.0.0.1", port=port, timeout=5)

        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            await sent(f"bounces+{EFFECT}.0000000000000000@caravel.example")
        with pytest.raises(aiosmtplib.SMTPDataError) as away:
            await sent(back)
        assert away.value.code == 451
        await sent(back)
        assert taken.get_nowait() == Bounce(EFFECT, "5.1.1", "smtp; 550 5.1.1 no such mailbox")
        assert taken.empty()


@pytest.mark.slow
async def test_a_real_message_comes_back_from_a_real_mail_server(tmp_path: Path) -> None:
    own, rig = addresses(tmp_path), Mail(tmp_path)
    async with listening(own) as (port, taken):
        rig.process.words = (*rig.process.words, "--bounces-to", f"127.0.0.1:{port}")
        await rig.start()
        try:
            server: MailServer = rig.side._server  # type: ignore[attr-defined]  # the rig's own far side
            side = MailFarSide(server, return_to=own.of)
            good, lost = rig.request(), rig.request()
            lost = replace(lost, body={**lost.body, "address": f"{uuid.uuid4().hex}{RETURNED}"})
            assert (await side.send(good)).number
            assert (await side.send(lost)).number
            bounce = await asyncio.wait_for(taken.get(), 20)
            assert (bounce.effect, bounce.code) == (lost.effect, "5.1.1")
            await asyncio.sleep(1)
            assert taken.empty()
        finally:
            await rig.process.stop()

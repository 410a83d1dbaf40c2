"""A message that comes back finds its effect: by an address nobody else can make up, from any mail server's report."""

from __future__ import annotations

import asyncio
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiosmtplib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.embedded.server_process import free_port
from infra.keys import FolderKeys
from infra.mail.bounces import Bounce, ReturnAddresses, inbox
from infra.mail.reports import LINE, NOT_UNDERSTOOD, came_back
from infra.mail.smtp import MailGateway, MailServer
from rehearsal.mail_catcher import RETURNED, delivery_report
from tests.drawing import draws
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
    assert came_back(report.as_bytes()) == ("5.1.1", "smtp; 550 5.1.1 no such mailbox")
    delayed = report.as_bytes().replace(b"Action: failed", b"Action: delayed")
    assert came_back(delayed) is None
    assert came_back(report.as_bytes().replace(b"Status: 5.1.1", b"Status: none")) == (
        "5.0.0",
        "smtp; 550 5.1.1 no such mailbox",
    )


NO_NEWS = (
    b"", b"  \r\n", b"Subject: out of office\nAuto-Submitted: auto-replied (vacation)\n\nI am away; 5.1.1",
    b"Precedence: auto_reply\nSubject: Abwesend\n\nBis Montag", b"X-Autoreply: yes\n\nx",
    b'Content-Type: multipart/report; report-type=disposition-notification; boundary="x"\n\n--x\n',
)  # fmt: skip


@pytest.mark.parametrize("mail", NO_NEWS)
def test_who_is_away_or_has_read_it_has_got_it(mail: bytes) -> None:
    assert came_back(mail) is None


PLAIN = (
    b"From: mailer-daemon@example.org\r\nSubject: failure notice\r\n\r\nHi. Sorry, no mailbox here by that name.\r\n"
)


@pytest.mark.parametrize("mail", [PLAIN, b"Content-Type: multipart/report\n\n", b"\xff" * 100, b"Subject: x" * 9_000])
def test_what_is_in_no_known_form_is_kept_for_a_person(mail: bytes) -> None:
    found = came_back(mail)
    assert found
    assert (found[0], len(found[1]) <= LINE) == (NOT_UNDERSTOOD, True)
    assert came_back(PLAIN) == (NOT_UNDERSTOOD, "failure notice Hi. Sorry, no mailbox here by that name.")


def test_a_named_failure_without_a_report_counts() -> None:
    mail = PLAIN.replace(b"Subject", b"X-Failed-Recipients: a@example.org\r\nSubject")
    assert came_back(mail) == ("5.0.0", "failure notice Hi. Sorry, no mailbox here by that name.")
    coded = mail.replace(b"Sorry", b"550 5.7.26 Sorry")
    assert came_back(coded) == ("5.7.26", "failure notice Hi. 550 5.7.26 Sorry, no mailbox here by that name.")


REPORT = (
    b"Reporting-MTA: dns; x\r\n\r\n"
    b"Final-Recipient: rfc822; a@x\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; none\r\n"
)
BEFORE = b'Content-Type: multipart/report; boundary="x"\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nsorry\r\n--x\r\n'
KINDS = (
    b"message/delivery-status", b"message/global-delivery-status", b"Message/Delivery-Status; charset=us-ascii",
)  # fmt: skip


def packed(how: bytes, text: bytes, kind: bytes = KINDS[0], *, turned: bool = False) -> bytes:
    """A report packed for the way; `turned`: its two headers the other way round."""
    lines = [b"Content-Type: " + kind, b"Content-Transfer-Encoding: " + how]
    return BEFORE + b"\r\n".join(lines[::-1] if turned else lines) + b"\r\n\r\n" + text + b"\r\n--x--\r\n"


def folded(text: bytes) -> bytes:
    code = b64encode(text)
    return b"\r\n".join(code[i : i + 76] for i in range(0, len(code), 76))


PACKED = ((b"7bit", REPORT), (b"base64", folded(REPORT)), (b"BASE64", folded(REPORT)), (b"quoted-printable", REPORT))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_report_is_found_however_it_is_packed(kind: bytes, *, turned: bool) -> None:
    for how, text in PACKED:
        assert came_back(packed(how, text, kind, turned=turned)) == ("5.1.1", "smtp; none"), how


@pytest.mark.parametrize("action", [b"failed (bounced)", b"Failed", b"FAILED(5.1.1)"])
def test_a_comment_beside_what_was_done_changes_nothing(action: bytes) -> None:
    assert came_back(packed(b"7bit", REPORT.replace(b"failed", action))) == ("5.1.1", "smtp; none")
    assert came_back(packed(b"7bit", REPORT.replace(b"failed", b"delayed (failed before)"))) is None


@given(st.binary(max_size=400), st.sampled_from([b"base64", b"quoted-printable", b"8bit"]))
@draws(200)
def test_nothing_that_comes_back_makes_the_reader_fail(noise: bytes, how: bytes) -> None:
    for mail in (noise, packed(how, noise), b"Content-Type: message/delivery-status\n\n" + noise):
        found = came_back(mail)
        assert found is None or len(found[1]) <= LINE


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
    assert came_back(SENDMAIL) == ("5.7.1", "SMTP; 550 5.7.1 Access denied for Müller")
    assert came_back(SENDMAIL.replace(b"\r\n", b"\n")) == came_back(SENDMAIL)
    assert came_back(SENDMAIL.replace(b"Failed", b"relayed")) is None


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
    found = came_back(made_up)
    assert found is None or (found[0], len(found[1]) <= LINE) == (NOT_UNDERSTOOD, True)
    assert came_back(SENDMAIL + made_up)


async def test_a_stranger_is_refused_and_a_report_waits_while_the_ledger_is_away(tmp_path: Path) -> None:
    own = addresses(tmp_path)
    back = await own.of(EFFECT)
    report = delivery_report(back, "a@dsn.invalid")
    async with listening(own, fails=1) as (port, taken):

        async def sent(to: str) -> None:
            await aiosmtplib.send(report, sender="", recipients=[to], hostname="127.0.0.1", port=port, timeout=60)

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
            side = MailGateway(server, return_to=own.of)
            good, lost = rig.request(), rig.request()
            lost = replace(lost, body={**lost.body, "address": f"{uuid.uuid4().hex}{RETURNED}"})
            assert (await side.send(good)).number
            assert (await side.send(lost)).number
            bounce = await asyncio.wait_for(taken.get(), 60)
            assert (bounce.effect, bounce.code) == (lost.effect, "5.1.1")
            await asyncio.sleep(1)
            assert taken.empty()
        finally:
            await rig.process.stop()

"""A mail server that asks for a password and encrypts: what is told of it, and that no secret is."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from activities.gateways import Request
from api.cli.commands.doctor import _mail
from api.run.mailing import mail_server
from infra.embedded.server_process import free_port
from infra.mail.smtp import MailGateway, MailNotTaken, MailServer, examined
from infra.settings import Settings

USER, PASSWORD = "caravel", "canary-password-9"
BODY = {"address": "a@example.org", "language": "en", "number": "C-1", "what": "labs", "contact": "desk@example.org"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed one for this machine: certificate and key."""
    folder, key, now = tmp_path_factory.mktemp("tls"), generate_private_key(SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )  # fmt: skip
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


class Kept:
    """What was handed in, and by whom."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - theirs
        assert session.authenticated
        self.messages.append(envelope.original_content or b"")
        return "250 kept"


def known(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


@asynccontextmanager
async def serving(certificate: tuple[Path, Path], *, tls: bool) -> AsyncIterator[tuple[int, Kept]]:
    """STARTTLS is required before a password is taken; or all of it is encrypted from the first byte."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*map(str, certificate))
    kept, port = Kept(), free_port()

    def protocol() -> SMTP:
        own = None if tls else context
        return SMTP(
            kept, hostname="mail.test", tls_context=own, require_starttls=not tls, authenticator=known,
            auth_required=not tls, auth_require_tls=not tls,
        )  # fmt: skip

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", port, ssl=context if tls else None)
    async with server:
        yield port, kept


def told(port: int, security: str, ca: Path | None, password: str = PASSWORD) -> MailServer:
    """By the settings, as a process is told."""
    return mail_server(
        Settings(
            smtp=f"127.0.0.1:{port}", smtp_user=USER, smtp_password=password, smtp_security=security, smtp_ca=ca,
            mail_from="caravel@clinic.example",
        )
    )  # fmt: skip


def request() -> Request:
    return Request("mail-1", "request_record", "case-1", "item-1/1", "family", "", BODY)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_message_is_handed_in_encrypted_by_who_is_known(
    certificate: tuple[Path, Path], security: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(certificate, tls=security == "tls") as (port, kept):
        server = told(port, security, certificate[0])
        assert await examined(server) == f"127.0.0.1:{port}, encrypted, signed in as {USER}"
        await MailGateway(server).send(request())
    assert len(kept.messages) == 1
    assert PASSWORD not in repr(server) + caplog.text


@pytest.mark.parametrize(
    ("password", "trusted", "says"),
    [("wrong-canary", True, "SMTPAuthenticationError 535"), (PASSWORD, False, "SMTPConnectError")],
    ids=["wrong password", "unknown certificate"],
)
async def test_what_fails_before_the_message_is_no_delivery_and_tells_no_secret(
    certificate: tuple[Path, Path], password: str, says: str, *, trusted: bool
) -> None:
    async with serving(certificate, tls=False) as (port, kept):
        server = told(port, "starttls", certificate[0] if trusted else None, password)
        with pytest.raises(MailNotTaken) as no:
            await MailGateway(server).send(request())
    assert kept.messages == []
    assert password not in str(no.value)
    assert not trusted or str(no.value) == says


async def test_the_doctor_looks_at_the_mail_server(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    async with serving(certificate, tls=False) as (port, _):
        here = Settings(
            smtp=f"127.0.0.1:{port}", smtp_user=USER, smtp_password_file=secret, smtp_security="starttls",
            smtp_ca=certificate[0],
        )  # fmt: skip
        assert await _mail(here) == ("mail", True, f"127.0.0.1:{port}, encrypted, signed in as {USER}")
        part, fine, says = await _mail(here.model_copy(update={"smtp_user": "somebody"}))
    assert (part, fine, says) == ("mail", False, f"127.0.0.1:{port}: SMTPAuthenticationError 535")
    assert not (await _mail(here))[1], "nobody listens any more"


def test_a_password_is_never_sent_unencrypted() -> None:
    with pytest.raises(ValueError, match="never sent unencrypted"):
        MailServer("mail.example.org", 25, "a@example.org", USER, PASSWORD, "off")
    assert MailServer("127.0.0.1", 25, "a@example.org", USER, PASSWORD, "off").user

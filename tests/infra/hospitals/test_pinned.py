"""A hospital is called at the very address that was checked: real servers, and resolvers that change their answer."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from activities.gateways import GatewayRefused, Unreachable
from domain.catalogue.endpoint import Allowed
from infra.hospitals.fhir_client import FhirGateway, NotUnderstood
from infra.hospitals.pinned import NOT_ALLOWED, PinnedTransport
from tests.infra.gateways import asking

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"
NAME = "fhir.hospital.example"
SAID = b'{"resourceType": "Bundle", "type": "searchset", "total": 0}'
FOUND = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(SAID), SAID)
AWAY = "HTTP/1.1 302 Found\r\nLocation: http://{}:{}/\r\nContent-Length: 0\r\n\r\n"


@dataclass
class Server:
    """Answers every request with the same bytes and keeps what it was asked."""

    answer: bytes = FOUND
    asked: list[bytes] = field(default_factory=list)
    port: int = 0

    async def start(self, stack: AsyncExitStack, host: str, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        server = await asyncio.start_server(self._serve, host, port, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        await stack.enter_async_context(server)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.answer)
        await writer.drain()
        writer.close()


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


class Resolver:
    """Gives each answer once, the last for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers, self.calls = list(answers), 0

    async def __call__(self, host: str) -> Sequence[str]:
        assert host == NAME
        self.calls += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def side(stack: AsyncExitStack, allowed: Allowed, resolve: Resolver, base: str) -> FhirGateway:
    http = httpx2.AsyncClient(transport=PinnedTransport(allowed, resolve))
    return FhirGateway(await stack.enter_async_context(http), base)


async def test_a_name_is_resolved_at_each_call_and_what_it_says_then_counts(stack: AsyncExitStack) -> None:
    hospital, inside = Server(), Server()
    await hospital.start(stack, HERE)
    await inside.start(stack, ELSEWHERE, hospital.port)
    resolver = Resolver([HERE], [ELSEWHERE], [HERE])
    far = await side(stack, Allowed.of((HERE,)), resolver, f"http://{NAME}:{hospital.port}")
    assert await far.ask("effect-1") is None
    with pytest.raises(GatewayRefused) as no:
        await far.ask("effect-2")
    assert no.value.code == NOT_ALLOWED
    assert await far.ask("effect-3") is None
    assert (len(hospital.asked), len(inside.asked), resolver.calls) == (2, 0, 3)  # one question, one answer, one call
    assert f"Host: {NAME}:{hospital.port}".encode() in hospital.asked[0]
    wide = await side(stack, Allowed.of((ELSEWHERE,)), Resolver([ELSEWHERE]), f"http://{NAME}:{hospital.port}")
    assert await wide.ask("effect-4") is None  # the control: it is the list that kept it away
    assert len(inside.asked) == 1


@pytest.mark.parametrize("address", ["169.254.169.254", "10.0.0.1", "::1", "::ffff:127.0.0.1", "fe80::1%lo", "0.0.0.0"])
async def test_a_public_name_that_leads_inside_is_not_called(stack: AsyncExitStack, address: str) -> None:
    server = Server()
    await server.start(stack, HERE)
    far = await side(stack, Allowed(), Resolver([address]), f"https://{NAME}:{server.port}")
    with pytest.raises(GatewayRefused) as no:
        await far.send(asking("effect-1"))
    assert (no.value.code, server.asked) == (NOT_ALLOWED, [])


@pytest.mark.parametrize("written", ["127.0.0.1", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1", "localhost"])
async def test_an_address_of_an_older_ledger_is_checked_when_it_is_called(stack: AsyncExitStack, written: str) -> None:
    server = Server()
    await server.start(stack, HERE)
    http = await stack.enter_async_context(httpx2.AsyncClient(transport=PinnedTransport(Allowed())))
    with pytest.raises(GatewayRefused):
        await FhirGateway(http, f"http://{written}:{server.port}").ask("effect-1")
    assert server.asked == []


async def test_http_is_spoken_within_this_machine_only(stack: AsyncExitStack) -> None:
    far = await side(stack, Allowed.of((NAME, "10.0.0.0/8")), Resolver(["10.0.0.1"]), f"http://{NAME}")
    with pytest.raises(GatewayRefused):
        await far.ask("effect-1")


async def test_only_the_allowed_of_several_addresses_are_tried(stack: AsyncExitStack) -> None:
    hospital, inside = Server(), Server()
    await hospital.start(stack, HERE)
    await inside.start(stack, ELSEWHERE, hospital.port)
    nobody = "127.0.0.3"
    resolver = Resolver([ELSEWHERE, nobody, HERE])
    far = await side(stack, Allowed.of((HERE, nobody)), resolver, f"http://{NAME}:{hospital.port}")
    assert await far.ask("effect-1") is None
    assert (len(hospital.asked), len(inside.asked)) == (1, 0)


async def test_a_redirect_is_an_answer_and_not_followed(stack: AsyncExitStack) -> None:
    inside, hospital = Server(), Server()
    await inside.start(stack, HERE)
    hospital.answer = AWAY.format(HERE, inside.port).encode()
    await hospital.start(stack, HERE)
    far = await side(stack, Allowed.of((HERE,)), Resolver([HERE]), f"http://{NAME}:{hospital.port}")
    with pytest.raises(NotUnderstood):
        await far.ask("effect-1")
    assert (len(hospital.asked), inside.asked) == (1, [])


async def test_a_name_that_nobody_knows_is_tried_again_later(stack: AsyncExitStack) -> None:
    class Silent(Resolver):
        async def __call__(self, host: str) -> Sequence[str]:
            raise OSError(host)

    far = await side(stack, Allowed(), Silent(), f"https://{NAME}")
    with pytest.raises(Unreachable):
        await far.ask("effect-1")


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS for that name, and the file that vouches for it."""
    key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    written, private = folder / f"{name}.pem", folder / f"{name}.key"
    written.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(written, private)
    return tls, written


@pytest.mark.parametrize("name", [NAME, "fhir.other.example"])
async def test_the_host_still_proves_its_name(
    stack: AsyncExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whoever answers at the address must be the host by its certificate, though it is the address that is called."""
    tls, trusted = certified(tmp_path, name)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    server = Server()
    await server.start(stack, HERE, tls=tls)
    far = await side(stack, Allowed.of((HERE,)), Resolver([HERE]), f"https://{NAME}:{server.port}")
    if name == NAME:
        assert await far.ask("effect-1") is None
        assert len(server.asked) == 1
    else:
        with pytest.raises(Unreachable):
            await far.ask("effect-1")
        assert server.asked == []

"""A server that shares files behind SMART Health Links, on a real socket; another library encrypts them."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwe
from joserfc.jwk import OctKey

FHIR = "application/fhir+json"
KEY = bytes(range(32))


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def encrypted(content: bytes, key: bytes = KEY, **header: Any) -> str:
    """The file as joserfc encrypts it, which our code does not use for this."""
    told = {"alg": "dir", "enc": "A256GCM", "cty": FHIR, **header}
    return jwe.encrypt_compact(told, content, OctKey.import_key(key), algorithms=["dir", "A256GCM", "DEF"])


def link(url: str, key: bytes = KEY, **more: Any) -> str:
    told = {"url": url, "key": b64(key), **more}
    return "shlink:/" + b64(json.dumps(told, separators=(",", ":")).encode())


@dataclass
class Sharing:
    """Answers by path; keeps what it was asked: method, target and body."""

    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    passcode: str = ""
    tries: int = 5
    port: int = 0
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/{self.secret}"

    def shares(self, path: str, body: bytes | str | Mapping[str, Any], status: int = 200) -> str:
        """Answer so at a path, and return its address."""
        raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.answers[path] = (status, raw)
        return f"{self.base}/{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split("\r\n", 1)[0].split(" ")
        length = next(
            (int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-l")), 0
        )
        body = await reader.readexactly(length)
        self.asked.append((method, target, body))
        path = target.partition("?")[0].removeprefix(f"/{self.secret}/")
        status, raw = self.answers.get(path, (404, b"{}"))
        if self.passcode and method == "POST" and json.loads(body).get("passcode") != self.passcode:
            self.tries -= 1
            status, raw = 401, json.dumps({"remainingAttempts": self.tries}).encode()
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(raw)}\r\nConnection: close\r\n\r\n".encode() + raw)
        with suppress(ConnectionError):  # who refuses a large file hangs up
            await writer.drain()
        writer.close()


@asynccontextmanager
async def sharing(**more: Any) -> AsyncIterator[Sharing]:
    """Serve while the block runs."""
    one = Sharing(**more)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    async with server:
        yield one

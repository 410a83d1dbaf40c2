"""Our services as the compose file starts them: its commands, its environment, filled from .env.example.

Only host names, ports and folders are replaced, by those of the embedded servers; nothing of this process's own
environment comes in beside the PATH.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.test_compose import ROOT, services

SCRIPTS = str(Path(sys.executable).parent)
ISSUER = "https://id.example.org"


def example() -> dict[str, str]:
    """.env.example as compose reads it."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def filled(text: object) -> str:
    """A value of the file with its variables; `$$` is a dollar."""
    given = example()
    return re.sub(r"\$\{(\w+)[^}]*\}", lambda m: given[m[1]], str(text)).replace("$$", "$")


@dataclass
class Issuer:
    """An OpenID provider of which only the published keys are asked for."""

    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "1", "alg": "ES256", "use": "sig"}))

    def token(self, person: str, audience: str = "caravel") -> str:
        claims = {"iss": ISSUER, "aud": audience, "exp": int(time.time()) + 600, "caravel_person": person}
        return jwt.encode({"alg": "ES256", "kid": "1"}, claims, self.key)

    def keys(self) -> bytes:
        return json.dumps(KeySet([self.key]).as_dict(private=False)).encode()


@dataclass
class Collector:
    """An OpenTelemetry collector: keeps every span it is sent, with the service it is of."""

    raw: bytes = b""
    spans: list[tuple[str, Span]] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        self.raw += body
        for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(a.value.string_value for a in sent.resource.attributes if a.key == "service.name")
            self.spans += [(service, span) for scope in sent.scope_spans for span in scope.spans]

    def of(self, trace: bytes) -> dict[str, tuple[str, Span]]:
        """Of one trace: name → service and first span of that name."""
        latest_first = sorted(self.spans, key=lambda sent: -sent[1].start_time_unix_nano)
        return {span.name: (service, span) for service, span in latest_first if span.trace_id == trace}


@contextmanager
def outside(issuer: Issuer, collector: Collector) -> Iterator[int]:
    """One port for both."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(issuer.keys() if self.path == "/keys" else b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/v1/traces":
                collector.take(body)
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing to say."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


@dataclass
class Stack:
    """The services of the file on this machine."""

    folder: Path
    ports: Mapping[str, int]
    """Host of the file → port on this machine."""
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['api']}"

    def environment(self, name: str) -> dict[str, str]:
        given = {key: self._here(filled(value)) for key, value in services()[name]["environment"].items()}
        moved = {
            "CARAVEL_HOME": str(self.folder),
            "CARAVEL_API_HOST": "127.0.0.1",
            "CARAVEL_API_PORT": self.ports["api"],
        }
        return {"PATH": f"{SCRIPTS}:/usr/bin:/bin"} | given | {k: str(v) for k, v in moved.items() if k in given}

    def _here(self, value: str) -> str:
        """The same value with the machine's own hosts and ports."""
        for host, port in self.ports.items():
            value = re.sub(rf"(?<![\w.]){re.escape(host)}:\d+", f"127.0.0.1:{port}", value)
        return value.replace(f"{ISSUER}/keys", f"http://127.0.0.1:{self.ports['outside']}/keys")

    async def start(self, name: str, words: list[str], label: str = "", **variables: str) -> asyncio.subprocess.Process:
        with (self.folder / f"{label or name}.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *words, cwd=ROOT, env={**self.environment(name), **variables}, stdout=log, stderr=subprocess.STDOUT
            )
        self.running[label or name] = process
        return process

    async def job(self, name: str) -> None:
        """A service that ends; it must end well."""
        process = await self.start(name, self.words(name))
        assert await asyncio.wait_for(process.wait(), 60) == 0, self.log(name)

    def words(self, name: str) -> list[str]:
        """What its container would run."""
        service = services()[name]
        if "entrypoint" in service:
            return [*service["entrypoint"], *(filled(word) for word in service["command"])]
        return [sys.executable, "-m", "api.cli", *service["command"]]  # the image's entrypoint is `caravel`

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    async def caravel(self, *words: str, **variables: str) -> str:
        """`docker compose run api ...`, as an operator would."""
        process = await self.start("api", [sys.executable, "-m", "api.cli", *words], "cli", **variables)
        assert await asyncio.wait_for(process.wait(), 60) == 0, self.log("cli")
        return self.log("cli")

    async def healthy(self) -> None:
        """By the file's own health check."""
        words = [
            filled(word).replace("8000", str(self.ports["api"])) for word in services()["api"]["healthcheck"]["test"]
        ]
        assert words[:2] == ["CMD", "python"]
        async with asyncio.timeout(60):
            while await (await self.start("api", [sys.executable, *words[2:]], "health")).wait():
                assert self.running["api"].returncode is None, self.log("api")

    async def start_all(self) -> None:
        """Jobs first, then what stays, as the file says; healthy by its own check."""
        for job in ("temporal-namespace", "migrate", "restore"):
            await self.job(job)
        await self.start("api", self.words("api"))
        for label in self.workers:
            await self.start("worker", self.words("worker"), label)
        await self.healthy()

    @property
    def workers(self) -> list[str]:
        return [f"worker-{n}" for n in range(services()["worker"]["deploy"]["replicas"])]

    async def stop(self, *names: str) -> None:
        """By SIGTERM, within the time the file grants; they must end well."""
        for name in names:
            self.running[name].send_signal(signal.SIGTERM)
        for name in names:
            assert await asyncio.wait_for(self.running[name].wait(), 30) == 0, self.log(name)

    async def kill(self) -> None:
        for process in self.running.values():
            if process.returncode is None:
                process.kill()
                await process.wait()


@asynccontextmanager
async def reached_by(port: int, server: int) -> AsyncIterator[None]:
    """Whoever connects to `port` speaks to `server`, from now on."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", server)
        try:
            with suppress(ConnectionError):
                await asyncio.gather(carry(reader, back), carry(there, writer))
        finally:  # also where the server was closed meanwhile
            back.close()
            writer.close()

    async with await asyncio.start_server(both, "127.0.0.1", port):
        yield


async def eventually(true: Any, within: float = 60) -> Any:
    until = time.monotonic() + within
    while not (found := await true()):
        assert time.monotonic() < until, f"not within {within} s"
        await asyncio.sleep(0.2)
    return found

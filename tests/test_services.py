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
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from temporalio.client import Client

from infra.postgres_server import PostgresServer
from infra.server_process import free_port
from infra.temporal_server import TemporalServer
from tests.conftest import execute
from tests.test_compose import ROOT, services

pytestmark = pytest.mark.slow
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
    port: int = 0

    def token(self, person: str, audience: str = "caravel") -> str:
        claims = {"iss": ISSUER, "aud": audience, "exp": int(time.time()) + 600, "caravel_person": person}
        return jwt.encode({"alg": "ES256", "kid": "1"}, claims, self.key)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    here = Issuer()
    keys = json.dumps(KeySet([here.key]).as_dict(private=False)).encode()

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(keys)

        def log_message(self, *_: object) -> None:
            """Nothing to say."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Keys) as server:
        here.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield here
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
        return value.replace(f"{ISSUER}/keys", f"http://127.0.0.1:{self.ports['id']}/keys")

    async def start(self, name: str, words: list[str], label: str = "") -> asyncio.subprocess.Process:
        with (self.folder / f"{label or name}.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *words, cwd=ROOT, env=self.environment(name), stdout=log, stderr=subprocess.STDOUT
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

    async def caravel(self, *words: str) -> Any:
        """`docker compose run api ...`, as an operator would."""
        process = await self.start("api", [sys.executable, "-m", "api.cli", *words, "--json"], "cli")
        assert await asyncio.wait_for(process.wait(), 60) == 0, self.log("cli")
        return json.loads(self.log("cli"))

    async def healthy(self) -> None:
        """By the file's own health check."""
        words = [
            filled(word).replace("8000", str(self.ports["api"])) for word in services()["api"]["healthcheck"]["test"]
        ]
        assert words[:2] == ["CMD", "python"]
        async with asyncio.timeout(60):
            while await (await self.start("api", [sys.executable, *words[2:]], "health")).wait():
                assert self.running["api"].returncode is None, self.log("api")


@asynccontextmanager
async def stack(
    folder: Path, postgres: PostgresServer, temporal: TemporalServer, issuer: Issuer
) -> AsyncIterator[Stack]:
    ports = {"postgres": postgres.port, "temporal": temporal.port, "id": issuer.port, "api": free_port()}
    here = Stack(folder, ports)
    try:
        yield here
    finally:
        for process in here.running.values():
            if process.returncode is None:
                process.kill()
                await process.wait()


async def eventually(true: Any, within: float = 40) -> Any:
    until = time.monotonic() + within
    while not (found := await true()):
        assert time.monotonic() < until, f"not within {within} s"
        await asyncio.sleep(0.2)
    return found


async def test_a_case_is_opened_seen_to_and_everything_stops(
    tmp_path: Path, postgres_server: PostgresServer, temporal_server: TemporalServer, issuer: Issuer
) -> None:
    login = urlsplit(example()["CARAVEL_DATABASE_URL"])
    await execute(postgres_server.dsn, f"CREATE ROLE {login.username} SUPERUSER LOGIN PASSWORD '{login.password}'")
    async with stack(tmp_path, postgres_server, temporal_server, issuer) as here:
        await here.job("temporal-namespace")
        await here.job("migrate")
        await here.job("restore")
        await here.start("api", here.words("api"))
        workers = [f"worker-{n}" for n in range(services()["worker"]["deploy"]["replicas"])]
        for label in workers:
            await here.start("worker", here.words("worker"), label)
        await here.healthy()
        person = await here.caravel(
            "person", "register", "role=coordinator", "team=asia", "name=A. Canary",
            "mail=staff@example.org", "zone=Asia/Kolkata", "language=en",
        )  # fmt: skip
        await refused(here, issuer, person["id"])
        signed_in = {"Authorization": f"Bearer {issuer.token(person['id'])}"}
        async with httpx2.AsyncClient(base_url=here.url, headers=signed_in) as http:
            await eventually(lambda: ready(http))
            await opened_and_seen_to(here, http)
        stopping = {name: here.running[name] for name in ("api", *workers)}
        for process in stopping.values():
            process.send_signal(signal.SIGTERM)
        for name, process in stopping.items():
            assert await asyncio.wait_for(process.wait(), 30) == 0, here.log(name)
        said = "".join(here.log(name) for name in ("api", *workers, "restore"))
        assert "Canary" not in said
        assert "Traceback" not in said


async def refused(here: Stack, issuer: Issuer, person: str) -> None:
    """A word, a stranger's key, another audience, and the development sign-in."""
    strangers = ["x", Issuer().token(person), issuer.token(person, "other"), issuer.token("person-none")]
    async with httpx2.AsyncClient(base_url=here.url) as http:
        for token in strangers:
            answer = await http.get("/me", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 401, token
        assert (await http.post("/dev/sign-in", json={})).status_code == 404


async def ready(http: httpx2.AsyncClient) -> bool:
    """Database, schema, Temporal and a courier."""
    return bool((await http.get("/readyz")).json()["status"] == "ready")


async def opened_and_seen_to(here: Stack, http: httpx2.AsyncClient) -> None:
    body = {"country": "IN", "language": "en", "zone": "Asia/Kolkata", "patient_name": "B. Canary", "team": "asia"}
    answer = await http.post("/cases", json=body, headers={"Idempotency-Key": uuid.uuid4().hex})
    assert answer.status_code == 201, answer.text
    case = answer.json()["case"]
    client = await Client.connect(f"127.0.0.1:{here.ports['temporal']}", namespace="caravel")

    async def attended() -> bool:
        described = await client.get_workflow_handle(case).describe()
        return (await described.memo()).get("stage") == "inquiry"

    async def running() -> bool:
        return bool([w async for w in client.list_workflows("CaravelStage = 'inquiry'") if w.id == case])

    await eventually(running)
    await eventually(attended)
    agenda = (await http.get(f"/cases/{case}/agenda")).json()
    assert agenda["stage"] == "inquiry"
    assert agenda["obligations"]

"""Every process of an installation, on this machine, started as an operator starts it; each can be killed."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from pydantic import SecretStr

from api.run.embedded.child_processes import Program
from api.run.embedded.machine import POSTGRES, environment
from api.run.wiring import parts
from domain.catalogue.staff import RegisterPerson
from domain.core.roles import Role
from infra.embedded.postgres_server import PostgresServer
from infra.embedded.temporal_server import TemporalServer
from infra.ledger.schema.migrate import migrate
from infra.policy.reading import POLICY
from infra.settings import Settings
from rehearsal.demo import Demo, open_for_visitors
from rehearsal.hospitals.keys import HospitalKeys
from tests.agreed import agreed
from tests.jump import movable
from tests.services import ISSUER, Collector, Issuer, outside
from tests.soak.killing import started

A_DAY = 2.0
"""Seconds of ours in which a day of the simulated hospitals passes."""
TEAM = "soak"
ROLES = (Role.COORDINATOR, Role.REVIEWER, Role.TRANSLATOR, Role.SUPERVISOR, Role.QUALITY)
TRIED_AGAIN = ("[10 minutes, 1 hour, 6 hours]", "[1 minute, 2 minutes, 3 minutes]")
"""What nobody knows the outcome of is tried again while somebody still waits."""
PROGRAMS = ("mail", "hospitals", "API", "worker-1", "worker-2")


@dataclass
class Installation:
    """Its servers and programs by name, how to sign in, and where each keeps its book."""

    folder: Path
    settings: Settings
    postgres: PostgresServer
    temporal: TemporalServer
    programs: Mapping[str, Program]
    issuer: Issuer
    demo: Demo

    @property
    def servers(self) -> Mapping[str, PostgresServer | TemporalServer | Program]:
        """What is killed."""
        return {"PostgreSQL": self.postgres, "Temporal": self.temporal, **self.programs}

    @property
    def books(self) -> tuple[Path, Path]:
        """The hospitals' and the mail catcher's."""
        return self.folder / "hospitals.db", self.folder / "mail.db"

    async def caravel(self, *words: str) -> tuple[int, str]:
        """A command on this machine: its exit code and what it says."""
        everything = {**os.environ, **environment(self.settings, self.temporal)}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "api.cli", *words, env=everything, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode()

    def tell_programs(self) -> None:
        """What each of them runs."""
        hospitals, mail = self.books
        web, smtp, fhir = (self._port("mail", "http"), self._port("mail", "smtp"), self._port("hospitals", "http"))
        self.programs["mail"].runs(
            ["-m", "rehearsal.mail_catcher", "--smtp-port", smtp, "--http-port", web, "--book", str(mail)],
            answers=lambda: _healthy(web),
        )
        words = ["--port", fhir, "--speed", str(86_400 / A_DAY), "--api", self.settings.public_url]
        words += ["--book", str(hospitals), "--keys", str(self.folder / "hospital-keys")]
        self.programs["hospitals"].runs(["-m", "rehearsal.hospitals", *words], answers=lambda: _healthy(fhir))
        for name in ("API", "worker-1", "worker-2"):
            self.tell(name)

    def tell(self, name: str, home: Path | None = None) -> None:
        """What the API or a worker runs from its next start on, in its own home or another."""
        variables = environment(self.settings.model_copy(update={"home": home or self.settings.home}), self.temporal)
        port = str(self.settings.api_port)
        answers = (lambda: _healthy(port)) if name == "API" else None
        self.programs[name].runs(["-m", "api.cli", name.lower().partition("-")[0]], variables, answers=answers)

    def _port(self, program: str, name: str) -> str:
        return str(self.programs[program].port(name))


async def _healthy(port: str) -> bool:
    try:
        async with httpx2.AsyncClient(timeout=2) as http:
            return (await http.get(f"http://127.0.0.1:{port}/healthz")).is_success
    except httpx2.HTTPError:
        return False


@contextmanager
def described(folder: Path, postgres: PostgresServer, temporal: TemporalServer) -> Iterator[Installation]:
    """Its settings, with somebody to vouch for who signs in."""
    issuer = Issuer()
    programs = {name: Program(folder / name, name) for name in PROGRAMS}
    policy = folder / "policy.yaml"
    policy.write_text(POLICY.read_text().replace(*TRIED_AGAIN))
    with outside(issuer, Collector()) as port:
        settings = Settings(
            home=folder / "home",
            installation="soak",
            kind="production",
            database_url=SecretStr(postgres.dsn),
            policy=policy,
            smtp=f"127.0.0.1:{programs['mail'].port('smtp')}",
            public_url=f"http://127.0.0.1:{programs['API'].port('http')}",
            api_host="127.0.0.1",
            api_port=programs["API"].port("http"),
            endpoints_allowed=("127.0.0.1",),
            role_mail=dict.fromkeys(("coordinator", "supervisor", "reviewer", "translator"), "desk@caravel.example"),
            oidc_issuer=ISSUER,
            oidc_audience="caravel",
            oidc_jwks=f"http://127.0.0.1:{port}/keys",
            log_level="warning",
        )
        base = f"http://127.0.0.1:{programs['hospitals'].port('http')}"
        demo = Demo(0, 1, base, HospitalKeys(folder / "hospital-keys"))
        yield Installation(folder, settings, postgres, temporal, programs, issuer, demo)


async def staffed(here: Installation) -> None:
    """Hospitals at their address, open protocols, released lots, and two people of every role."""
    async with parts(here.settings, connections=4) as opened:
        await open_for_visitors(opened.commands, opened.ledger, here.demo)
        keeper = opened.commands
        for role in ROLES:
            for number in (1, 2):
                name = f"{role.value}-{number}"
                somebody = RegisterPerson(role.value, TEAM, name, f"{name}@caravel.example", "Europe/London", "en")  # type: ignore[arg-type]
                await agreed(keeper, f"person-{name}", somebody)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Installation]:
    """All of it, from an empty folder."""
    folder.chmod(0o755)  # noqa: ASYNC240 - the server may run as another user, who must pass through
    postgres = PostgresServer(folder / "postgres", settings=POSTGRES)
    temporal = TemporalServer(folder / "temporal", ui=False)
    async with AsyncExitStack() as stack:
        for server in (postgres, temporal):
            await stack.enter_async_context(server)
        await migrate(postgres.dsn)
        await movable(postgres.dsn)
        here = stack.enter_context(described(folder, postgres, temporal))
        here.tell_programs()
        await staffed(here)
        code, said = await here.caravel("restore")
        assert code == 0, said
        for program in here.programs.values():
            stack.push_async_callback(program.stop)
            await started(program)
        yield here

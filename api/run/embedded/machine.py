"""The servers and programs of one folder, and the settings they run with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import httpx2
from pydantic import SecretStr

from api.run.embedded.child_processes import Program
from infra.embedded.postgres_server import PostgresServer
from infra.embedded.server_process import LocalServer
from infra.embedded.temporal_server import NAMESPACE, TemporalServer
from infra.settings import Settings

INSTALLATION = "rehearsal"
POSTGRES = {"shared_buffers": "256MB", "max_wal_size": "2GB", "max_connections": "120"}


@dataclass(frozen=True, slots=True)
class Machine:
    """The servers and programs of one folder."""

    postgres: PostgresServer
    temporal: TemporalServer
    mail: Program
    hospitals: Program
    worker: Program
    api: Program

    def named(self) -> dict[str, LocalServer]:
        """Return what is supervised, in the order it is started."""
        return {
            "PostgreSQL": self.postgres,
            "Temporal": self.temporal,
            "mail catcher": self.mail,
            "hospitals": self.hospitals,
            "worker": self.worker,
        }


def machine(home: Path) -> Machine:
    """Set up the servers of a folder; nothing is started yet."""
    return Machine(
        PostgresServer(home / "postgres", settings=POSTGRES),
        TemporalServer(home / "temporal"),
        Program(home / "mail", "mail catcher"),
        Program(home / "hospitals", "hospitals"),
        Program(home / "worker", "worker"),
        Program(home / "api", "api"),
    )


def settings_of(home: Path, here: Machine) -> Settings:
    """Return the settings of every process of the folder."""
    return Settings(
        home=home,
        installation=INSTALLATION,
        kind="rehearsal",
        database_url=SecretStr(here.postgres.dsn),
        smtp=f"127.0.0.1:{here.mail.port('smtp')}",
        bounces=f"127.0.0.1:{here.worker.port('bounces')}",
        public_url=f"http://127.0.0.1:{here.api.port('http')}",
        api_port=here.api.port("http"),
        temporal_ui=f"{here.temporal.ui_url}/namespaces/{NAMESPACE}",
        endpoints_allowed=("127.0.0.1",),
        role_mail=dict.fromkeys(("coordinator", "supervisor", "reviewer", "translator"), "desk@caravel.example"),
    )


def environment(settings: Settings, temporal: TemporalServer) -> dict[str, str]:
    """Return the same settings as variables for a child process."""
    given = settings.model_dump(
        mode="json",
        include=set(settings.model_fields_set) - {"database_url", "role_mail", "checkpoints", "endpoints_allowed"},
    )
    return {
        **{f"CARAVEL_{name.upper()}": str(value) for name, value in given.items()},
        "CARAVEL_DATABASE_URL": settings.database_url.get_secret_value(),
        "CARAVEL_ROLE_MAIL": json.dumps(settings.role_mail),
        "CARAVEL_CHECKPOINTS": ",".join(settings.checkpoints),
        "CARAVEL_ENDPOINTS_ALLOWED": ",".join(settings.endpoints_allowed),
        "TEMPORAL_ADDRESS": temporal.address,
    }


def programs(here: Machine, settings: Settings, seed: int) -> None:
    """Say what each child program runs."""
    home, variables = settings.home, environment(settings, here.temporal)
    http, smtp = str(here.mail.port("http")), str(here.mail.port("smtp"))
    words = ["--smtp-port", smtp, "--http-port", http, "--bounces-to", settings.bounces]
    here.mail.runs(
        ["-m", "rehearsal.mail_catcher", *words, "--book", str(home / "mail/book.db")],
        answers=lambda: _answers(f"http://127.0.0.1:{http}/"),
    )
    port = str(here.hospitals.port("http"))
    words = ["--port", port, "--seed", str(seed), "--api", settings.public_url]
    words += ["--book", str(home / "hospitals/book.db"), "--keys", str(home / "hospital-keys")]
    here.hospitals.runs(["-m", "rehearsal.hospitals", *words], answers=lambda: _answers(f"http://127.0.0.1:{port}/"))
    alive = here.worker.port("health")
    here.worker.runs(
        ["-m", "api.cli", "worker"],
        variables | {"CARAVEL_HEALTH_PORT": str(alive)},
        answers=lambda: _answers(f"http://127.0.0.1:{alive}/"),
    )


async def _answers(url: str) -> bool:
    """Whether something speaks HTTP there."""
    try:
        async with httpx2.AsyncClient(timeout=5) as http:
            await http.get(url)
    except httpx2.HTTPError:
        return False
    return True

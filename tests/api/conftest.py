"""The application in process over a migrated database of its own, with people of every role signed in."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from api.ports import DevSignIn, Limits
from api.run.http_app import http_app
from api.run.wiring import Parts, parts
from domain.catalogue.staff import RegisterPerson
from infra.embedded.postgres_server import PostgresServer
from infra.ids import fresh_stream
from infra.settings import Settings
from tests.agreed import agreed
from tests.conftest import TEMPLATE, database, fresh

HOST = "caravel.test"
SECRET = "one-time-secret"
CANARY = "Wilhelmina Canary-Øster"
ROLES = ("coordinator", "supervisor", "reviewer", "translator", "quality", "auditor", "operator")
KEEPERS = ("supervisor", "operator")
PLAIN = tuple(role for role in ROLES if role not in KEEPERS)
"""Registered first: once there are two of the others, a registration takes two people and can be undone."""
OWNERS = {
    "person-other": "asia", "person-else": "europe", "person-x": "narrow", "person-far": "far", "person-9": "europe",
    "person-before": "asia", "person-after": "asia", "person-7": "asia", "person-pages": "pages",
    "person-pressing": "pressing", "person-moments": "moments",
}  # fmt: skip
NO_LIMIT = Limits(0, 0, 0)


@dataclass
class Person:
    """Somebody signed in."""

    id: str
    http: httpx2.AsyncClient

    async def post(self, path: str, body: Any = None, key: str | None = None, **headers: str) -> httpx2.Response:
        sent = {"Idempotency-Key": key or uuid.uuid4().hex, **{n.replace("_", "-"): v for n, v in headers.items()}}
        return await self.http.post(path, json=body, headers=sent)

    async def get(self, path: str, **query: Any) -> httpx2.Response:
        return await self.http.get(path, params=query)

    async def open(self, **fields: Any) -> dict[str, Any]:
        answer = await self.post("/cases", {**INQUIRY, **fields})
        assert answer.status_code == 201, answer.text
        opened: dict[str, Any] = answer.json()
        return opened

    async def send(self, case: str, type_: str, **fields: Any) -> httpx2.Response:
        return await self.post(f"/cases/{case}/commands", {"type": type_, **fields})


INQUIRY = {
    "country": "IN",
    "language": "hi",
    "zone": "Asia/Kolkata",
    "patient_name": CANARY,
    "patient_mail": "canary@example.org",
    "diagnosis": "r/r B-ALL canary",
    "team": "asia",
    "despite_duplicates": "every test opens its own",
}


def settings(dsn: str, home: Any, **more: Any) -> Settings:
    told: dict[str, Any] = {"kind": "development", "endpoints_allowed": ("127.0.0.1",), **more}
    return Settings(database_url=dsn, home=home, **told)


@dataclass(frozen=True)
class Staffed:
    """A database in which staff is registered, the folder with its keys, and two persons of each role."""

    name: str
    home: Path
    ids: Mapping[str, tuple[str, str]]


@pytest.fixture(scope="session")
async def staffed(migrated: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Staffed:
    """What every module's ledger is copied from: registering them there again takes longer than many a test."""
    name, home = "template_staffed", tmp_path_factory.mktemp("staffed") / "home"
    async with parts(settings(await fresh(migrated.dsn, name), home)) as here:
        for person, team in OWNERS.items():
            somebody = RegisterPerson("coordinator", team, "Somebody Else", "staff@example.org", "Asia/Kolkata", "en")
            await agreed(here.commands, person, somebody)
        ids = {role: (await registered(here, role), await registered(here, role)) for role in (*PLAIN, *KEEPERS)}
    return Staffed(name, home, ids)


@pytest.fixture(scope="session")
def unstaffed(migrated: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Staffed:
    """The same with nobody in it, for modules whose own people must be the only ones: they let `staffed` be this."""
    return Staffed(TEMPLATE, tmp_path_factory.mktemp("unstaffed"), {})


@pytest.fixture(scope="module")
async def dsn(migrated: PostgresServer, staffed: Staffed) -> AsyncIterator[str]:
    """Superuser's dsn of the database of `here`."""
    async with database(migrated, staffed.name) as dsn:
        yield dsn


@pytest.fixture(scope="module")
async def here(dsn: str, staffed: Staffed, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Parts]:
    home = shutil.copytree(staffed.home, tmp_path_factory.mktemp("here") / "home")
    async with parts(settings(dsn, home)) as opened:
        yield opened


@pytest.fixture(scope="module")
async def app(here: Parts) -> AsyncIterator[FastAPI]:
    app = http_app(here, dev=DevSignIn(SECRET, frozenset({HOST})), limits=NO_LIMIT)
    async with app.router.lifespan_context(app):
        yield app


def client(app: FastAPI, **headers: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=f"http://{HOST}", headers=headers)


@pytest.fixture(scope="module")
async def nobody(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    async with client(app) as http:
        yield http


async def registered(here: Parts, role: Any, team: str = "asia") -> str:
    keeper = here.commands
    command = RegisterPerson(role, team, f"{role} {CANARY}", "staff@example.org", "Asia/Kolkata", "en")
    return (await agreed(keeper, fresh_stream("person"), command)).stream


async def signed_in(app: FastAPI, person: str) -> Person:
    async with client(app) as http:
        answer = await http.post("/dev/sign-in", json={"person": person, "secret": SECRET})
    assert answer.status_code == 200, answer.text
    return Person(person, client(app, Authorization=f"Bearer {answer.json()['token']}"))


@pytest.fixture(scope="module")
async def people(app: FastAPI, staffed: Staffed) -> Mapping[str, Person]:
    """One of each role, all of team asia; beside them are those whom tests name as owners of cases not theirs."""
    return {role: await signed_in(app, staffed.ids[role][0]) for role in ROLES}


@pytest.fixture(scope="module")
def coordinator(people: Mapping[str, Person]) -> Person:
    return people["coordinator"]


@pytest.fixture(scope="module")
def supervisor(people: Mapping[str, Person]) -> Person:
    return people["supervisor"]

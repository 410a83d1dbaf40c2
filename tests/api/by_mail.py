"""A house whose far sides read mail: a centre and a translator without an interface, and the server of their mail."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import httpx2
from fastapi import FastAPI

from activities.messages import Order
from activities.perform import Performing
from api.run.http_app import http_app
from api.run.processes import handlers
from api.run.wiring import Parts, parts
from domain.catalogue.centre import RegisterCentre
from infra.identity.capabilities import links
from infra.ids import fresh_stream
from tests.agreed import agreed
from tests.api.conftest import HOST, NO_LIMIT, settings
from tests.infra.gateways import Mail

MAIL, TRANSLATOR = "intake@hospital.example", "words@agency.example"


def noon() -> str:
    """A zone in which nobody sleeps now, so that mail does not wait for the morning."""
    return f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"


@dataclass
class House:
    """A centre that is reached by mail alone, and the server that takes its mail."""

    here: Parts
    app: FastAPI
    mail: Mail
    centre: str

    async def newest(self, subject: str, to: str = MAIL) -> str:
        told = await self.mail.process.get(f"/messages?to={to}")
        found = next(one for one in told if subject in one["subject"])
        return str((await self.mail.process.get(f"/messages/{found['id']}"))["body"])

    async def count(self, to: str = MAIL) -> int:
        return len(await self.mail.process.get(f"/messages?to={to}"))

    async def perform(self, case: str, kind: str) -> None:
        """Carry out the newest effect of a kind as the worker does."""
        state = (await self.here.commands.case(case))[0]
        effect = [e.id for e in state.effects.values() if e.kind == kind][-1]
        epoch = (await self.here.ledger.engine()).epoch
        async with handlers(self.here, links(self.here.ledger, self.here.settings.public_url)) as table:
            await Performing(self.here.commands, table).attempt(Order(case, effect, epoch), table[kind])


@asynccontextmanager
async def by_mail(postgres: str, folder: Path) -> AsyncIterator[House]:
    mail = Mail(folder)
    await mail.start()
    smtp = f"127.0.0.1:{mail.side._server.port}"  # type: ignore[attr-defined] # where the catcher listens
    roles = {"translator": TRANSLATOR}
    given = settings(postgres, folder / "home", smtp=smtp, public_url=f"http://{HOST}", role_mail=roles)
    async with parts(given) as here:
        app = http_app(here, limits=NO_LIMIT)
        centre = fresh_stream("centre")
        entry = RegisterCentre(
            "By Mail", "Shanghai", "CN", "Asia/Shanghai", ("en",), True, ("cell_therapy",), "test",
            date(2026, 1, 1), mail=MAIL,
        )  # fmt: skip
        await agreed(here.commands, centre, entry)
        async with app.router.lifespan_context(app):
            yield House(here, app, mail, centre)
    await mail.process.stop()


def browser(app: FastAPI) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=f"http://{HOST}")


def code_in(body: str) -> str:
    found = re.search(r"^([2-9B-Z]{8})\s*$", body, re.MULTILINE)
    assert found, body
    return found[1]

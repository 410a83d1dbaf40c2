"""Real far sides in processes of their own, each with the same handles for the contract tests."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

import httpx2

from activities.gateways import Gateway, Request
from infra.embedded.server_process import ServerProcess, free_port
from infra.hospitals.fhir_client import FhirGateway, Patience
from infra.mail.smtp import MailGateway, MailServer
from rehearsal.hospitals.behaviour import HospitalPlan, behaviour
from rehearsal.mail_catcher import BOUNCE, BUSY, GARBLED, SLOW

SEED = 7
SENDER = "coordination@caravel.example"
CENTRE = "centre-test"
Mood = Literal["good", "refuses", "hangs", "garbles", "busy"]


class Rig(Protocol):
    """A far side, how to provoke it, and what it has really kept."""

    side: Gateway

    def request(self, mood: Mood = "good") -> Request: ...
    async def kept(self, effect: str) -> int: ...
    async def kill(self) -> None: ...
    async def start(self) -> None: ...


@dataclass
class Process:
    """A far side's process: the same port and book over every start."""

    folder: Path
    module: str
    words: tuple[str, ...]
    health: str
    _server: ServerProcess | None = None
    web: httpx2.AsyncClient = field(default_factory=lambda: httpx2.AsyncClient(timeout=30))

    async def start(self) -> None:
        self._server = self._server or ServerProcess(self.folder / self.module, self.module, signal.SIGTERM)
        await self._server.own()
        self._server.spawn([sys.executable, "-m", self.module, *self.words], env=dict(os.environ))
        async with asyncio.timeout(120):  # seconds; two on a free machine
            while not await self._healthy():
                assert self._server.pid, self._server.last_words()
                await asyncio.sleep(0.05)

    async def _healthy(self) -> bool:
        try:
            return (await self.web.get(f"{self.health}/healthz")).status_code == 200
        except httpx2.HTTPError:
            return False

    async def kill(self) -> None:
        assert self._server
        assert self._server.pid
        os.kill(self._server.pid, signal.SIGKILL)
        assert await self._server.wait() == -signal.SIGKILL

    async def stop(self) -> None:
        await self.web.aclose()
        if self._server:
            await self._server.stop(5)

    async def get(self, path: str) -> Any:
        return (await self.web.get(self.health + path)).json()


class Simulator(Process):
    """The simulated hospitals; `api` may be added before a start."""

    def __init__(self, folder: Path, api: str = "", speed: float = 1.0) -> None:
        port = free_port()
        self.book_path, self.keys_path = folder / "book.sqlite", folder / "keys"
        words = ("--port", str(port), "--seed", str(SEED), "--speed", str(speed), "--api", api)
        places = ("--book", str(self.book_path), "--keys", str(self.keys_path))
        super().__init__(folder, "rehearsal.hospitals", (*words, *places), f"http://127.0.0.1:{port}")

    @property
    def base(self) -> str:
        return f"{self.health}/{CENTRE}/fhir"


def effect_that(wanted: Callable[[HospitalPlan], bool], kind: str = "submit_dossier") -> str:
    """A fresh effect id with a fitting plan: behaviour is a pure function, so one can look."""
    ids: Iterator[str] = (str(uuid.uuid4()) for _ in range(200_000))
    return next(effect for effect in ids if wanted(behaviour(SEED, effect, kind)))


PLANS: dict[Mood, Callable[[HospitalPlan], bool]] = {
    "good": lambda plan: not plan.troubles and not plan.refusal,
    "refuses": lambda plan: not plan.troubles and bool(plan.refusal),
    "hangs": lambda plan: plan.troubles == ("hang_kept",) and not plan.refusal,
    "garbles": lambda plan: plan.troubles == ("garbage_kept",) and not plan.refusal,
    "busy": lambda plan: plan.troubles == ("busy",) and not plan.refusal,
}


class Hospital:
    """FHIR over HTTP against the simulator process."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.side: Gateway = FhirGateway(simulator.web, simulator.base, Patience(1, 1, 3))
        self.kill, self.start = simulator.kill, simulator.start

    def request(self, mood: Mood = "good") -> Request:
        return asking(effect_that(PLANS[mood]))

    async def kept(self, effect: str) -> int:
        effects = (await self.simulator.get("/book"))["effects"]
        return sum(1 for row in effects if row["effect"] == effect)


def asking(effect: str, kind: str = "submit_dossier", about: str = "submission-1/1") -> Request:
    return Request(effect, kind, "case-1", about, "hospital", CENTRE, {"protocol": "protocol-1"}, ["ab" * 32])


class Mail:
    """SMTP against the catcher process."""

    def __init__(self, folder: Path) -> None:
        smtp, web = free_port(), free_port()
        words = ("--smtp-port", str(smtp), "--http-port", str(web), "--book", str(folder / "mail.sqlite"))
        self.process = Process(folder, "rehearsal.mail_catcher", words, f"http://127.0.0.1:{web}")
        self.side: Gateway = MailGateway(MailServer("127.0.0.1", smtp, SENDER, step=1, total=3))
        self.kill, self.start = self.process.kill, self.process.start

    def request(self, mood: Mood = "good") -> Request:
        domains = {"good": "@family.example", "refuses": BOUNCE, "hangs": SLOW, "garbles": GARBLED, "busy": BUSY}
        address = uuid.uuid4().hex + domains[mood]
        facts = {"address": address, "language": "zh-CN", "number": "C-1", "what": "labs", "contact": SENDER}
        return Request(str(uuid.uuid4()), "request_record", "case-1", "item-1/1", "family", "", facts)

    async def kept(self, effect: str) -> int:
        return len(await self.process.get(f"/messages?effect={effect}"))


@asynccontextmanager
async def hospital(folder: Path) -> AsyncIterator[Hospital]:
    rig = Hospital(Simulator(folder))
    await rig.start()
    try:
        yield rig
    finally:
        await rig.simulator.stop()


@asynccontextmanager
async def mail(folder: Path) -> AsyncIterator[Mail]:
    rig = Mail(folder)
    await rig.start()
    try:
        yield rig
    finally:
        await rig.process.stop()

"""What simulated hospitals say arrives signed, as often as their book tells, over SIGKILL and an absent receiver."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from activities.gateways import GatewayRefused
from infra.embedded.server_process import free_port
from infra.hospitals.answers import answer_of
from infra.hospitals.callbacks import read_key, verify
from infra.hospitals.fhir_client import FhirGateway, Patience
from rehearsal.hospitals.behaviour import DAY, HospitalPlan, behaviour, callback_id
from rehearsal.hospitals.keys import HospitalKeys
from tests.infra.gateways import CENTRE, PLANS, SEED, Simulator, asking, effect_that

pytestmark = pytest.mark.slow
FAST = 20 * DAY  # twenty days of the journey in one second


def says_something_twice(plan: HospitalPlan) -> bool:
    return PLANS["good"](plan) and any(answer.copies > 1 for answer in plan.answers)


@dataclass
class Listener:
    """The receiving end, as the API will be: proves, reads, and answers with whatever `mood` says."""

    key: Callable[[], bytes]
    port: int = field(default_factory=free_port)
    heard: list[tuple[str, str]] = field(default_factory=list)
    mood: Callable[[int], int] = lambda _: 200
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def application(self) -> FastAPI:
        app = FastAPI()

        @app.post("/hospitals/{centre}/callbacks")
        async def callback(centre: str, request: Request) -> Response:
            body = await request.body()
            verify(request.headers, "POST", request.url.path, body, self.key(), datetime.now(UTC))
            answer = answer_of(body)
            assert centre == CENTRE
            assert answer.in_reply_to
            self.heard.append((answer.callback, answer.command["type"]))
            return Response(None, self.mood(len(self.heard)), self.headers)

        return app

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = uvicorn.Server(uvicorn.Config(self.application(), port=self.port, log_level="error"))
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110  uvicorn sets a flag, no event
            await asyncio.sleep(0.01)
        yield
        server.should_exit = True
        await serving


@dataclass
class Scene:
    simulator: Simulator
    listener: Listener

    async def ask(self, count: int, wanted: Callable[[HospitalPlan], bool] = PLANS["good"]) -> set[str]:
        """Send requests that the hospital takes at once, however long that is on a busy machine; their effect ids."""
        side = FhirGateway(self.simulator.web, self.simulator.base)
        effects = {effect_that(wanted) for _ in range(count)}
        for effect in effects:
            await side.send(asking(effect))
        return effects

    async def answers(self) -> list[dict[str, Any]]:
        return list((await self.simulator.get("/book"))["answers"])

    async def all_said(self) -> None:
        async with asyncio.timeout(60):
            while any(a["next_at"] is not None for a in await self.answers()):  # noqa: ASYNC110  another process
                await asyncio.sleep(0.05)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    listener = Listener(lambda: read_key(HospitalKeys(tmp_path / "keys").public(CENTRE)))
    simulator = Simulator(tmp_path, listener.url, FAST)
    await simulator.start()
    yield Scene(simulator, listener)
    await simulator.stop()


def expected(effects: set[str]) -> Counter[str]:
    plans = {effect: behaviour(SEED, effect, "submit_dossier") for effect in effects}
    return Counter({callback_id(e, n): said.copies for e, p in plans.items() for n, said in enumerate(p.answers)})


async def test_every_answer_arrives_signed_as_often_as_planned(scene: Scene) -> None:
    async with scene.listener.listening():
        effects = await scene.ask(60) | await scene.ask(1, says_something_twice)
        await scene.all_said()
    heard = Counter(callback for callback, _ in scene.listener.heard)
    assert heard == expected(effects)
    assert max(heard.values()) == 2
    assert {s for a in await scene.answers() for s in a["statuses"]} == {200}


async def test_an_absent_receiver_is_waited_for_and_a_no_is_accepted(scene: Scene) -> None:
    effects = await scene.ask(10)
    await asyncio.sleep(1)
    scene.listener.mood = lambda n: [503, 429, 404][n] if n < 3 else 422
    async with scene.listener.listening():
        await scene.all_said()
    book = {a["callback"]: a["statuses"] for a in await scene.answers()}
    assert all(statuses[-1] in (404, 422) for statuses in book.values())
    assert any(0 in statuses for statuses in book.values())
    assert any({429, 503} & set(statuses) for statuses in book.values())
    assert set(book) == set(expected(effects))


async def test_what_came_too_early_is_said_again_when_the_receiver_says(scene: Scene) -> None:
    scene.listener.headers = {"Retry-After": "1"}
    scene.listener.mood = lambda n: 409 if n == 1 else 200
    async with scene.listener.listening():
        await scene.ask(1)
        await scene.all_said()
    first = min(await scene.answers(), key=lambda a: a["first_try"])
    assert first["statuses"][:2] == [409, 200]
    assert scene.listener.heard.count(scene.listener.heard[0]) >= 2


async def test_a_killed_hospital_goes_on_saying_what_is_due(scene: Scene) -> None:
    async with scene.listener.listening():
        effects = await scene.ask(30)
        await scene.simulator.kill()
        before = len(scene.listener.heard)
        await asyncio.sleep(0.5)
        await scene.simulator.start()
        await scene.all_said()
    heard = Counter(callback for callback, _ in scene.listener.heard)
    assert before < len(scene.listener.heard)
    assert set(heard) == set(expected(effects))
    assert heard - expected(effects) <= Counter(dict.fromkeys(heard, 1))  # at most the ones under way were said again


async def test_moods_over_http_are_those_of_the_function(scene: Scene) -> None:
    """Kinds and moods mixed, each effect tried as often as its troubles last: the book holds what was planned."""
    side = FhirGateway(scene.simulator.web, scene.simulator.base, Patience(1, 0.3, 2))
    asking_after = FhirGateway(scene.simulator.web, scene.simulator.base)
    kept, planned = set(), {}
    async with scene.listener.listening():
        for n in range(120):
            effect = f"mixed-{n}"
            planned[effect] = behaviour(SEED, effect, "hold_bed")
            for _ in range(len(planned[effect].troubles) + 1):
                try:
                    await side.send(asking(effect, "hold_bed", f"{CENTRE}/1"))
                except GatewayRefused:
                    break
                except Exception:  # noqa: BLE001  unknown: ask, then try again
                    if await asking_after.ask(effect):
                        break
                else:
                    break
            kept.add(effect)
        await scene.all_said()
    book = {e["effect"]: e["kept"] for e in (await scene.simulator.get("/book"))["effects"]}
    assert book == dict.fromkeys(kept, 1)
    said = [kind for _, kind in scene.listener.heard]
    assert Counter(said) == Counter(
        s.command["type"] for plan in planned.values() for s in plan.answers for _ in range(s.copies)
    )

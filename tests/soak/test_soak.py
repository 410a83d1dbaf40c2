"""Kills without end over a running cohort; then ledger, simulator's book, mail catcher and Temporal are compared.

CARAVEL_SOAK_KILLS (500), CARAVEL_SOAK_SEED (1), CARAVEL_SOAK_CASES (300: how many the coordinators open, spread out).
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.effects import Effect, EffectDelivered
from domain.policy import Party
from infra.ids import fresh_stream
from infra.ledger.errors import DatabaseFailed
from infra.ledger.migrate import migrate
from infra.ledger.verify import verify_all
from infra.postgres_server import PostgresServer
from infra.server_process import ServerProcess
from infra.temporal_server import TemporalServer
from tests.conftest import SOON
from tests.contracts.rigs import Mail, Process, Simulator
from tests.soak.worker import policy
from tests.workflows.rig import Engine, command, engine, eventually, opening

pytestmark = [pytest.mark.soak, pytest.mark.slow]

KILLS = int(os.environ.get("CARAVEL_SOAK_KILLS", "500"))
SEED = int(os.environ.get("CARAVEL_SOAK_SEED", "1"))
CASES = int(os.environ.get("CARAVEL_SOAK_CASES", "300"))
PEOPLE = 3
SECONDS_A_KILL = 1.8
QUIET = 240
WEIGHTS = {"worker-1": 5, "worker-2": 5, "PostgreSQL": 2, "Temporal": 2, "hospitals": 2, "mail": 2}


@dataclass
class Coordinator:
    """Sends commands, repeats what got no answer under the same key, keeps what was acknowledged."""

    here: Engine
    name: str
    chance: random.Random
    pause: float
    acknowledged: dict[str, tuple[str, str]] = field(default_factory=dict)
    away: int = 0

    async def send(self, case: str, what: Any, key: str) -> None:
        while True:
            try:
                await self.here.send(case, what, key=key)
            except DatabaseFailed:
                self.away += 1
                await asyncio.sleep(0.2)
            else:
                self.acknowledged[key] = (case, what.type)
                return

    async def work(self, count: int) -> None:
        for number in range(count):
            case, key = fresh_stream("case"), f"{self.name}-{number}"
            await self.send(case, opening(), key)
            await self.send(case, command("RequestRecord", "labs"), f"{key}-labs")
            await self.send(case, command("RequestRecord", "imaging"), f"{key}-imaging")
            for n in range(self.chance.randint(0, 3)):
                await asyncio.sleep(self.chance.uniform(0, self.pause))
                await self.send(case, command("AddNote", "note", "x"), f"{key}-note-{n}")
            if self.chance.random() < 0.2:
                await self.send(case, command("VoidCase", "opened twice"), f"{key}-void")
            await asyncio.sleep(self.chance.uniform(0, self.pause))


@dataclass
class Victim:
    """A process to kill, and how it comes back."""

    pid: Callable[[], int | None]
    start: Callable[[], Awaitable[None]]


async def kill(victim: Victim) -> None:
    """SIGKILL, and back again at once, as the supervisor does."""
    pid = victim.pid()
    if pid:
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda: _gone(victim, pid), within=20, every=0.02)
    await victim.start()


async def _gone(victim: Victim, pid: int) -> bool:
    return victim.pid() != pid


async def kill_loop(victims: Mapping[str, Victim], kills: int, chance: random.Random) -> Counter[str]:
    """Who was killed how often."""
    done: Counter[str] = Counter()
    names = list(victims)
    while done.total() < kills:
        await asyncio.sleep(chance.uniform(0.1, 1.5))
        name = chance.choices(names, [WEIGHTS[n] for n in names])[0]
        await kill(victims[name])
        done[name] += 1
    return done


@dataclass
class Compared:
    """What the books say of each other."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    def holds(self, true: object, what: str) -> None:
        if not true:
            self.wrong.append(what)


async def quiet(here: Engine) -> bool:
    """Every case attended, every effect certain or given to a person, no reminder due soon."""
    pool = here.ledger._pool
    unattended = "select count(*) from attention where attended < version"
    pending = """select count(*) from effect_view where state = 'requested' or (state = 'unknown'
                 and not_before is not null)"""
    soon = "select count(*) from obligation_view where state = 'open' and next_step_at < now() + interval '1 minute'"
    return not any([await pool.fetchval(query) for query in (unattended, pending, soon)])


RECORDS = {
    "OpenCase": "CaseOpened",
    "RequestRecord": "RecordRequested",
    "AddNote": "NoteAdded",
    "VoidCase": "JourneyLeft",
}
CERTAIN = ("EffectDelivered", "EffectRefused")


@dataclass
class Books:
    """What everybody has: effect → how often."""

    hospital: Counter[str]
    mail: Counter[str]

    @staticmethod
    def read(hospital: Path, catcher: Path) -> Books:
        kept = sqlite3.connect(hospital).execute("select effect, 1 from effect").fetchall()
        caught = sqlite3.connect(catcher).execute("select effect, count(*) from message group by effect").fetchall()
        return Books(Counter(dict(kept)), Counter(dict(caught)))


async def compare_case(here: Engine, case: str, sent: Counter[tuple[str, str]], books: Books, found: Compared) -> None:
    """Its commands once each, its intents one outcome each, its effects as the far sides have them."""
    facts = await here.facts(case)
    types = Counter(f.event.type for f in facts)
    for said, event in RECORDS.items():
        found.holds(types[event] == sent[case, said], f"{case}: {sent[case, said]} {said}, {types[event]} {event}")
    asked = [f.event for f in facts if f.event.type == "EffectRequested"]
    found.holds(len({(e.kind, e.about) for e in asked}) == len(asked), f"{case}: something was asked for twice")
    found.asked |= {e.effect for e in asked}
    state = await here.case(case)
    for effect in state.effects.values():
        ends = [f.event for f in facts if f.event.type in CERTAIN and f.event.effect == effect.id]
        labs = effect.kind == "request_record" and state.records[effect.about.split("/")[0]].kind == "labs"
        compare_effect(effect, ends, (books.hospital if labs else books.mail)[effect.id], found, labs=labs)


def compare_effect(effect: Effect, ends: list[Any], times: int, found: Compared, *, labs: bool) -> None:
    """None lost; doubled only where nobody can tell, and marked."""
    found.outcomes[f"{'hospital' if labs else 'mail'} {effect.state}"] += 1
    found.holds(len(ends) == (effect.state in ("delivered", "refused")), f"{effect.id}: {len(ends)} outcomes")
    repeat = any(getattr(e, "possible_repeat", False) for e in ends)
    if effect.state == "delivered":
        found.outcomes["marked possible_repeat"] += repeat
        found.outcomes["mail that came twice"] += times > 1
        found.holds(times == 1 or (times > 1 and not labs and repeat), f"{effect.id}: {times} times, marked {repeat}")
    if effect.state == "refused":
        found.holds(not times, f"{effect.id}: refused, and somebody has it")


async def compared(here: Engine, people: list[Coordinator], books: Books) -> Compared:
    """Ledger, hospitals, mail and Temporal against each other."""
    found = Compared()
    sent = Counter(told for person in people for told in person.acknowledged.values())
    for case in {case for case, _ in sent}:
        await compare_case(here, case, sent, books, found)
    strange = {*books.hospital, *books.mail} - found.asked
    found.holds(not strange, f"somebody has what nobody asked for: {strange}")
    open_cases = {waiting.stream for waiting in await here.ledger.open_cases()}
    running = {run.id async for run in here.client.list_workflows("ExecutionStatus = 'Running'")}
    found.holds(running == open_cases, f"loops: {running - open_cases}, cases without: {open_cases - running}")
    verified = await verify_all(here.ledger._pool)
    found.holds(verified.broken is None, f"broken: {verified.broken}")
    found.outcomes["events"] = verified.events
    return found


@dataclass
class Stand:
    """Everything that is killed, and how each comes back."""

    folder: Path
    postgres: PostgresServer
    temporal: TemporalServer
    simulator: Simulator
    mail: Mail
    workers: list[ServerProcess]

    def victims(self) -> Mapping[str, Victim]:
        return {
            "PostgreSQL": Victim(lambda: self.postgres.pid, self.postgres.start),
            "Temporal": Victim(lambda: self.temporal.pid, self.temporal.start),
            "hospitals": Victim(lambda: _pid(self.simulator), self.simulator.start),
            "mail": Victim(lambda: _pid(self.mail.process), self.mail.start),
            **{p.name: Victim(lambda p=p: p.pid, lambda p=p: self.work(p)) for p in self.workers},  # type: ignore[misc]
        }

    async def work(self, process: ServerProcess) -> None:
        far_sides = [self.simulator.base, str(self.mail.side._server.port)]  # type: ignore[attr-defined]
        words = [self.postgres.dsn, self.temporal.address, str(self.own), *far_sides]
        await process.own()
        process.spawn([sys.executable, "-m", "tests.soak.worker", *words], env=dict(os.environ))

    @property
    def own(self) -> Path:
        """Where the installation keeps its keys."""
        return self.folder / "installation"

    async def books(self) -> Books:
        return await asyncio.to_thread(Books.read, self.simulator.book_path, self.folder / "mail.sqlite")


def _pid(program: Process) -> int | None:
    return program._server.pid if program._server else None


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    tmp_path.chmod(0o755)  # noqa: ASYNC240 - the server may run as another user, who must pass through
    workers = [ServerProcess(tmp_path / name, name, signal.SIGTERM) for name in ("worker-1", "worker-2")]
    postgres, temporal = PostgresServer(tmp_path / "pg"), TemporalServer(tmp_path / "temporal", ui=False, config=SOON)
    here = Stand(tmp_path, postgres, temporal, Simulator(tmp_path), Mail(tmp_path), workers)
    async with postgres, temporal:
        await migrate(postgres.dsn)
        try:
            for victim in here.victims().values():
                await victim.start()
            yield here
        finally:
            for worker in workers:
                await worker.stop(5)
            await here.simulator.stop()
            await here.mail.process.stop()


async def test_soak(stand: Stand) -> None:
    began = time.monotonic()
    address = stand.temporal.address
    async with engine(stand.postgres.dsn, address, stand.own, policy=policy(), working=False) as here:
        pause = KILLS * SECONDS_A_KILL / max(CASES / PEOPLE, 1) / 2.5
        people = [Coordinator(here, f"c{n}", random.Random(SEED + n), pause) for n in range(PEOPLE)]
        async with asyncio.TaskGroup() as group:
            for person in people:
                group.create_task(person.work(CASES // PEOPLE))
            killing = group.create_task(kill_loop(stand.victims(), KILLS, random.Random(SEED)))
        lasted = time.monotonic() - began
        await eventually(lambda: quiet(here), within=QUIET, every=1)
        calm = time.monotonic() - began - lasted
        await asyncio.sleep(5)  # the last loops end
        found = await compared(here, people, await stand.books())
    killed, commands = killing.result(), sum(len(p.acknowledged) for p in people)
    print(f"\n{killed.total()} kills in {lasted:.0f} s, calm {calm:.0f} s later: {dict(killed)}")  # noqa: T201
    print(f"{commands} commands acknowledged, {sum(p.away for p in people)} repeats; {dict(found.outcomes)}")  # noqa: T201
    assert found.wrong == []


WRONG = {
    "lost": (1, 0, False, False),
    "doubled and not marked": (1, 2, False, False),
    "a hospital has it twice": (1, 2, True, True),
    "two outcomes": (2, 1, False, False),
}


@pytest.mark.parametrize("case", WRONG)
def test_control_the_comparison_sees_what_is_wrong(case: str) -> None:
    outcomes, times, marked, labs = WRONG[case]
    requested = datetime(2026, 1, 2, tzinfo=UTC)
    effect = Effect("e", "remind", "o/0", Party.FAMILY, requested, "delivered")
    found = Compared()
    compare_effect(effect, [EffectDelivered("e", 1, "r", marked)] * outcomes, times, found, labs=labs)
    assert found.wrong

"""The engine on a real Temporal and a real PostgreSQL, with hands that do what a test tells them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecution
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from activities.command_handler import CommandHandler, CommandRequest, Recorded
from activities.perform import Delivered, EffectHandler
from activities.ports import CommandKey, Meta
from api.run.engine.courier import Courier
from api.run.engine.restore import Restored, restore
from api.run.engine.worker import EVERY_EFFECT, work, workers
from domain.case.effect import Effect
from domain.case.state import Case
from domain.core.fact import Fact
from domain.core.policy import Ladder, Party, Policy, Rung, Span
from domain.engine.evolve import EVENTS
from domain.journey import COMMANDS
from infra.ids import fresh_id, fresh_stream
from infra.keys import FolderKeys
from infra.ledger.ledger import PgLedger
from infra.ledger.opening import open_ledger
from infra.policy.reading import load_policy

T = TypeVar("T")
STAFF = Meta("person-1")
PATIENT = "Wilhelmina Canary"
MAIL = "canary@family.example"
NAMED = {command.__name__: command for command in COMMANDS}


def command(name: str, *words: Any, **more: Any) -> Any:
    """A command by its name, wherever its stage file lies."""
    return NAMED[name](*words, **more)


def opening() -> Any:
    return command("OpenCase", "IN", "en", "Asia/Kolkata", PATIENT, MAIL)


def seconds(amount: float) -> Span:
    return Span(amount / 3600, "hours")  # type: ignore[arg-type]


def ladder(due: float, *reminders: float, escalate: Sequence[float] = (), to: Party = Party.FAMILY) -> Ladder:
    """In seconds after the opening."""
    remind = [Rung(seconds(after), "remind", to) for after in reminders]
    return Ladder(seconds(due), (*remind, *(Rung(seconds(a), "escalate", Party.SUPERVISOR) for a in escalate)))


@cache
def shipped() -> Policy:
    """As it is shipped."""
    return load_policy()


def quick(retry: Sequence[float] = (2, 4), late_after: float = 900, **ladders: Ladder) -> Policy:
    """The shipped policy with some ladders of seconds."""
    waits = tuple(timedelta(seconds=s) for s in retry)
    known = {**shipped().ladders, **ladders}
    return replace(shipped(), ladders=known, retry_unknown=waits, late_after=timedelta(seconds=late_after))


@dataclass
class Call:
    """One time a hand was asked to deliver."""

    case: str
    effect: str
    kind: str
    about: str
    repeat: int
    at: datetime


Answer = Callable[[Call], Awaitable[Delivered]]


async def deliver(call: Call) -> Delivered:
    return Delivered(f"receipt-{call.effect[:8]}")


async def hang(_call: Call) -> Delivered:
    await asyncio.sleep(3600)
    raise AssertionError


@dataclass
class Hands:
    """One hand for every kind; `answers` says what a kind does, delivering being the rule."""

    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def table(self) -> Mapping[str, EffectHandler]:
        return dict.fromkeys(EVERY_EFFECT, self)

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        call = Call(case.id, effect.id, effect.kind, effect.about, repeat, now)
        self.calls.append(call)
        return await self.answers.get(effect.kind, deliver)(call)

    def of(self, case: str, kind: str = "") -> list[Call]:
        return [c for c in self.calls if c.case == case and kind in ("", c.kind)]


async def ledger_at(dsn: str, folder: Path, name: str = "test", kind: Any = "development", **more: Any) -> PgLedger:
    keys = FolderKeys(folder / "keys", kek=folder / "kek", destroyed=folder / "destroyed")
    return await open_ledger(dsn, keys, EVENTS, name, kind, ids=fresh_id, **more)


async def connected(address: str) -> Client:
    return await Client.connect(address, data_converter=pydantic_data_converter)


@dataclass
class Engine:
    """A door, a courier, and workers that can be stopped and started."""

    ledger: PgLedger
    commands: CommandHandler
    client: Client
    dsn: str
    hands: Hands
    courier: Courier
    _stop: asyncio.Event | None = None
    _working: asyncio.Task[None] | None = None

    def workers(self) -> list[Worker]:
        return workers(self.client, self.commands, self.hands.table())

    async def start(self, *, courier: bool = True) -> None:
        self._stop = asyncio.Event()
        beside = [self.courier.run] if courier else []
        self._working = asyncio.create_task(work(self.workers(), beside, self._stop))

    async def stop(self) -> None:
        if self._working and self._stop:
            self._stop.set()
            await self._working
            self._working = None

    async def restore(self, *, take_over: bool = False) -> Restored:
        return await restore(self.ledger, self.client, self.courier, take_over=take_over)

    async def open(self, *, key: str = "") -> str:
        case = fresh_stream("case")
        await self.send(case, opening(), key=key)
        return case

    async def send(self, case: str, what: Any, *, key: str = "") -> Recorded:
        known = CommandKey(STAFF.actor, key, key.encode().ljust(32)) if key else None
        return await self.commands.record(CommandRequest(case, replace(STAFF, key=key or None), what, known))

    async def to_records(self, case: str) -> None:
        """Through the inquiry."""
        patient = (await self.case(case)).patient
        assert patient
        for what in (
            command("ReplyToFamily", "call"),
            command("AcknowledgeScope", patient.id, "1"),
            command("GiveConsent", "data_processing", patient.id, "1", "en"),
        ):
            await self.send(case, what)

    async def case(self, case: str) -> Case:
        return (await self.commands.case(case))[0]

    async def facts(self, case: str, *types: str) -> list[Fact[Any]]:
        facts = (await self.commands.case(case))[1]
        return [f for f in facts if not types or f.event.type in types]

    async def runs(self, case: str) -> list[WorkflowExecution]:
        """The chain of runs, oldest first, once the list has caught up: Temporal's lists may be seconds behind."""
        while True:
            newest = await self.client.get_workflow_handle(case).describe()
            runs = [run async for run in self.client.list_workflows(f"WorkflowId = '{case}'")]
            if (newest.run_id, newest.status) in [(run.run_id, run.status) for run in runs]:
                return sorted(runs, key=lambda run: run.start_time)
            await asyncio.sleep(0.05)

    async def history(self, case: str, run: str | None = None) -> list[HistoryEvent]:
        return list((await self.client.get_workflow_handle(case, run_id=run).fetch_history()).events)

    async def looks(self, case: str, run: str | None = None) -> int:
        """How often the present run has looked, or another."""
        scheduled = [e.activity_task_scheduled_event_attributes for e in await self.history(case, run)]
        return sum(a.activity_type.name == "attend" for a in scheduled)

    async def status(self, case: str) -> str:
        """Of the newest run; empty before there is one."""
        try:
            described = await self.client.get_workflow_handle(case).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return ""
            raise
        return described.status.name if described.status else ""

    async def attended(self, case: str) -> bool:
        """Whether the engine has looked since the last fact."""
        row = await self.ledger._pool.fetchrow(
            "select attended >= version as yes from attention where stream = $1", case
        )
        return bool(row and row["yes"])

    async def settled(self, case: str) -> None:
        await eventually(lambda: self.attended(case))


@asynccontextmanager
async def engine(
    dsn: str,
    address: str,
    folder: Path,
    *,
    policy: Policy | None = None,
    hands: Hands | None = None,
    working: bool = True,
    **more: Any,
) -> AsyncIterator[Engine]:
    """An engine that has taken over where nobody has yet."""
    client = await connected(address)
    ledger = await ledger_at(dsn, folder, **more)
    commands = CommandHandler(ledger, policy or quick(), fresh_id, lambda _stream, state: state)
    here = Engine(ledger, commands, client, dsn, hands or Hands(), Courier(ledger, client, dsn))
    try:
        if not (await ledger.engine()).cluster and not ledger.read_only:
            await here.restore()
        if working:
            await here.start()
        yield here
    finally:
        await here.stop()
        await ledger.close()


async def eventually(true: Callable[[], Awaitable[T]], within: float = 60, every: float = 0.05) -> T:
    """Wait for it; its first true value. Raises AssertionError when it never comes."""
    until = time.monotonic() + within
    while True:
        found = await true()
        if found:
            return found
        assert time.monotonic() < until, f"not within {within} s"
        await asyncio.sleep(every)

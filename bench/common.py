"""What every bench uses: how it was asked, a server that syncs, and rounds in which everything takes its turn."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import asyncpg

from infra.embedded.postgres_server import PostgresServer
from infra.ledger.schema.migrate import migrate

K = TypeVar("K")
T = TypeVar("T")
Row = dict[str, Any]
Call = Callable[[], Awaitable[object]]
MANY = {"max_connections": "700"}
"""So that every store has a connection for each of its writers; everything else is as PostgreSQL comes."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a bench is to run. `small`: seconds, to see that it works; its figures mean nothing."""

    small: bool = False
    peers: bool = False
    events: int | None = None
    mebibytes: int | None = None

    def either(self, full: T, small: T) -> T:
        """One of two sizes."""
        return small if self.small else full


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls a second over all callers, and what one took."""

    per_second: float
    p50_ms: float
    p99_ms: float


@asynccontextmanager
async def server(databases: Iterable[str] = (), *, migrated: bool = True) -> AsyncIterator[tuple[PostgresServer, Path]]:
    """A fresh PostgreSQL with fsync on in a folder that goes with it."""
    with tempfile.TemporaryDirectory(prefix="caravel-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # noqa: ASYNC240 - the server's own user passes through
        async with PostgresServer(folder / "postgres", settings=MANY) as running:
            for database in databases:
                await execute(running.dsn, f"create database {database}")
            for dsn in (running.dsn, *map(running.dsn_of, databases)) if migrated else ():
                await migrate(dsn)
            yield running, folder


async def execute(dsn: str, *statements: str) -> None:
    """As superuser, each by itself."""
    connection = await asyncpg.connect(dsn)
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def timed(calls: Sequence[Call], seconds: float) -> Rate:
    """All callers at once, each one call after the other, for so long and at least once."""
    took: list[float] = []
    begun = time.perf_counter()
    end = begun + seconds

    async def one(call: Call) -> None:
        while True:
            at = time.perf_counter()
            await call()
            took.append(time.perf_counter() - at)
            if time.perf_counter() > end:
                return

    await asyncio.gather(*(one(call) for call in calls))
    whole = time.perf_counter() - begun
    return Rate(len(took) / whole, 1000 * median(took), 1000 * sorted(took)[int(0.99 * len(took))])


async def in_turns(kinds: Mapping[str, Callable[[], Awaitable[T]]], rounds: int) -> list[dict[str, T]]:
    """Each kind once a round, the order reversed from round to round, so that a busy machine is busy for all."""
    order = list(kinds)
    return [{kind: await kinds[kind]() for kind in order[:: 1 if n % 2 else -1]} for n in range(rounds)]


async def spans(places: Mapping[K, Mapping[str, Call]], rounds: int, each: int) -> dict[K, dict[str, float]]:
    """Median milliseconds of each call at each place, all in turns; a first round warms up."""
    took: dict[K, dict[str, list[float]]] = {place: {name: [] for name in calls} for place, calls in places.items()}
    for n in range(rounds + 1):
        for place, calls in places.items():
            for name, call in calls.items():
                found = [await _span(call) for _ in range(each)]
                took[place][name] += found if n else []
    return {place: {name: short(median(ms)) for name, ms in found.items()} for place, found in took.items()}


async def _span(call: Call) -> float:
    began = time.perf_counter()
    await call()
    return 1000 * (time.perf_counter() - began)


def growth(p50: Mapping[int, Mapping[str, float]]) -> Row:
    """The largest place against the smallest."""
    small, large = p50[min(p50)], p50[max(p50)]
    return {"growth": {name: short(large[name] / small[name]) for name in small}}


def rates(rounds: Sequence[Mapping[str, Rate]]) -> Row:
    """Medians over the rounds, by figure and kind."""
    return {
        field.name: {kind: short(median(getattr(one[kind], field.name) for one in rounds)) for kind in rounds[0]}
        for field in fields(Rate)
    }


def against(rounds: Sequence[Mapping[str, Rate]], kind: str, others: Iterable[str]) -> dict[str, float]:
    """How many times the rate of each other a kind has: compared within a round, then the median."""
    return {
        other: short(median(one[kind].per_second / one[other].per_second for one in rounds))
        for other in others
        if other in rounds[0]
    }


def short(number: float) -> float:
    """Three digits that count."""
    return float(f"{number:.3g}") if abs(number) < 100 else round(number)

"""1,000 allocators at once over 50 lots against the bare compare-and-set UPDATE of as many units, in turns in one run.

Each allocator looks at the stock, holds the soonest unit that fits and says why the others were not it, durable when
answered; the floor holds the first free row, with as many connections and no reason. Afterwards no unit is two cases'.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import asyncpg

from activities.command_handler import CommandHandler, CommandRequest
from activities.effect_handlers.doses import StockedLots
from activities.effect_handlers.reserving import Reserving
from activities.gateways import Unreachable
from activities.ports import Meta
from bench.common import Asked, Row, server, short
from domain.case.effect import Effect
from domain.case.state import Case
from domain.catalogue.streams import EVENTS, parse_source_state
from domain.core.policy import Party
from domain.doses.lot import RegisterLot, ReleaseLot
from domain.doses.stock import Lot
from domain.doses.waiting.turns import DoseTurn
from domain.stages.treatment.dose import HoldDose
from infra.embedded.postgres_server import PostgresServer
from infra.ids import fresh_id, fresh_stream
from infra.keys import FolderKeys
from infra.ledger.ledger import PgLedger
from infra.ledger.opening import open_ledger
from infra.policy.reading import load_policy

ALLOCATORS, LOTS, UNITS, ROUNDS, CONNECTIONS = 1_000, 50, 20, 3, 16
NOW = datetime.now(UTC)
FLOOR = """
update bare_unit set holder = $1, until = $2
where id = (select id from bare_unit where holder is null order by expires, id limit 1) and holder is null
returning id
"""
BARE = "create table bare_unit (id int primary key, expires int, holder text, until timestamptz)"
FREE = "create index bare_free on bare_unit (expires, id) where holder is null"
FILLED = "insert into bare_unit select n, n / $1 from generate_series(0, $2 - 1) n"


class Shelf(StockedLots):
    """Lots that every case of the bench may have a unit of; the search by product is no part of what is compared."""

    def __init__(self, ledger: PgLedger, keeper: CommandHandler, lots: Sequence[str]) -> None:
        super().__init__(ledger, keeper, ledger.lots_of)
        self._lots = lots

    async def stocked(self, case: Case, now: datetime) -> Sequence[str]:
        """Return every lot of the round."""
        del case, now
        return self._lots


async def _untyped(_: str) -> Sequence[frozenset[str]]:
    return ()


async def _nobody(_: Case) -> Sequence[DoseTurn]:
    return ()


async def registered(keeper: CommandHandler, lots: int, units: int) -> Sequence[str]:
    """Make lots of the round, each expiring a day after the one before, and release them."""
    streams = []
    for n in range(lots):
        stream, ends = fresh_stream("lot"), NOW + timedelta(days=100 + n)
        names = tuple(f"{n}-{one}" for one in range(units))
        for command in (RegisterLot("X", names, ends, by="person-a"), ReleaseLot("person-b")):
            await keeper.record(CommandRequest(stream, Meta("person-b"), command))
        streams.append(stream)
    return streams


async def ours(keeper: CommandHandler, ledger: PgLedger, lots: Sequence[str], allocators: int) -> Counter[str]:
    """Reserve for so many cases at once; how often each unit of the lots was given away."""
    reserving = Reserving(Shelf(ledger, keeper, lots), load_policy(), _untyped, _nobody)

    async def one(n: int) -> str:
        case = Case(fresh_stream("case"))
        effect = Effect(fresh_id(), "reserve_dose", f"centre-a/{n}", Party.HOSPITAL, NOW)
        while True:
            try:
                got = (await reserving.deliver(case, effect, NOW, repeat=0)).answer
            except Unreachable:
                continue
            return f"{got.lot} {got.unit}" if isinstance(got, HoldDose) else ""

    return Counter(await asyncio.gather(*map(one, range(allocators))))


async def bare(pool: "asyncpg.Pool[asyncpg.Record]", units: int, allocators: int, lots: int) -> Counter[str]:
    """Hold as many rows, each by one statement that compares and sets, again where somebody else was faster."""
    await pool.execute("truncate bare_unit")
    await pool.execute(FILLED, units, units * lots)
    until = NOW + timedelta(days=14)

    async def one(n: int) -> str:
        while (got := await pool.fetchval(FLOOR, f"case-{n}", until)) is None:
            if not await pool.fetchval("select exists (select from bare_unit where holder is null)"):
                return ""
        return str(got)

    return Counter(await asyncio.gather(*map(one, range(allocators))))


async def spent(call: Callable[[], Awaitable[Counter[str]]]) -> tuple[float, float, Counter[str]]:
    """Return seconds, processor seconds of this process, and what was given away."""
    began, busy = time.perf_counter(), time.process_time()
    given = await call()
    return time.perf_counter() - began, time.process_time() - busy, given


async def main(asked: Asked) -> AsyncIterator[Row]:
    """Yield one row: reservations a second of both, their ratio in each round, and units that were given twice."""
    allocators, lots, units = asked.either((ALLOCATORS, LOTS, UNITS), (60, 5, 10))
    async with server() as (running, folder):
        async for row in measured(running, folder, allocators, lots, units, asked.either(ROUNDS, 1)):
            yield row


async def measured(
    running: PostgresServer, folder: Path, allocators: int, lots: int, units: int, rounds: int
) -> AsyncIterator[Row]:
    """Run both in turns over one server."""
    keys = FolderKeys(folder / "keys", kek=folder / "kek", destroyed=folder / "destroyed")
    ledger = await open_ledger(running.dsn, keys, EVENTS, "bench", "development", ids=fresh_id, connections=CONNECTIONS)
    keeper = CommandHandler(ledger, load_policy(), fresh_id, parse_source_state)
    pool = await asyncpg.create_pool(running.dsn, min_size=CONNECTIONS, max_size=CONNECTIONS)
    await pool.execute(BARE)
    await pool.execute(FREE)
    took: dict[str, list[tuple[float, float]]] = {"ours": [], "bare": []}
    doubled = given = 0
    for _ in range(rounds):
        stock = await registered(keeper, lots, units)
        seconds, busy, found = await spent(lambda stock=stock: ours(keeper, ledger, stock, allocators))  # type: ignore[misc]
        took["ours"].append((seconds, busy))
        doubled += sum(n > 1 for unit, n in found.items() if unit)
        given += sum(n for unit, n in found.items() if unit)
        state = [(await keeper.entry(stream)).state for stream in stock]
        held = [unit.case for lot in state if isinstance(lot, Lot) for unit in lot.units.values() if unit.case]
        doubled += len(held) - len(set(held))
        seconds, busy, found = await spent(lambda: bare(pool, units, allocators, lots))
        took["bare"].append((seconds, busy))
    ratios = [mine[0] and floor[0] / mine[0] for mine, floor in zip(took["ours"], took["bare"], strict=True)]
    yield {
        "allocators": allocators, "lots": lots, "units": lots * units, "given away": given, "doubled": doubled,
        "a second": {name: round(allocators / median(s for s, _ in all_)) for name, all_ in took.items()},
        "processor ms each": {
            name: short(1000 * median(b for _, b in all_) / allocators) for name, all_ in took.items()
        },
        "of the bare UPDATE": short(median(ratios)), "rounds": list(map(short, sorted(ratios))),
    }  # fmt: skip
    await pool.close()
    await ledger.close()

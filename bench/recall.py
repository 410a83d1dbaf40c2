"""A recall over a million units against the recursive SQL floor over bare tables, now and as known on a past day.

Units of lots of vector lots of one run; one unit in ten was held, committed and infused. Ours reads the events, opens
whose each unit is, and answers with every unit and patient; the floor joins bare edges and units, the case in the open.
"""

import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import asyncpg

from activities.doses.genealogy import Genealogy
from activities.ports import Append, Meta
from bench.common import Asked, Row, in_turns, server, short
from domain.catalogue.streams import EVENTS
from domain.core.fact import Draft
from domain.doses.genealogy import patients_of, units_of
from domain.doses.linking import MaterialLinked
from domain.doses.lot import LotRegistered, LotReleased
from domain.doses.material import MaterialRegistered
from domain.doses.unit import UnitCommitted, UnitHeld, UnitUsed
from infra.ids import fresh_id, fresh_stream
from infra.keys import FolderKeys
from infra.ledger.ledger import PgLedger
from infra.ledger.opening import open_ledger
from infra.reads.genealogy import GenealogyQueries

UNITS, OF_A_LOT, VECTOR_LOTS, GIVEN, ROUNDS = 1_000_000, 500, 20, 10, 3
NOW = datetime.now(UTC)
BARE = ("create table bare_edge (child text, parent text)", "create index on bare_edge (parent)",
        "create table bare_unit (lot text, unit text, state text, holder text)", "create index on bare_unit (lot)",
        "analyze")  # fmt: skip
FLOOR = """
with recursive walked (child) as (
    select child from bare_edge where parent = $1
    union select e.child from walked w join bare_edge e on e.parent = w.child
) select u.lot, u.unit, u.state, u.holder from walked w join bare_unit u on u.lot = w.child
"""
Rows = list[tuple[Any, ...]]


async def told(ledger: PgLedger, stream: str, *events: object) -> None:
    """Append the events of a new stream at once."""
    await ledger.append(Append(stream, 0, [Draft(event, fresh_id()) for event in events], Meta("bench")))


async def batch(ledger: PgLedger, n: int, parent: str, units: Rows) -> str:
    """Make one lot of a vector lot; every tenth unit goes into a patient. What the floor is to know is added."""
    lot, names = fresh_stream("lot"), tuple(f"{n}-{one}" for one in range(OF_A_LOT))
    events: list[object] = [
        LotRegistered("X", names, NOW + timedelta(days=900), "", "", "person-a"), LotReleased("person-b"),
        MaterialLinked(parent),
    ]  # fmt: skip
    for at, unit in enumerate(names):
        case = fresh_stream("case") if at % GIVEN == 0 else ""
        if case:
            held = UnitHeld(unit, case, fresh_id(), NOW + timedelta(days=30))
            events += [held, UnitCommitted(unit), UnitUsed(unit)]
        units.append((lot, unit, "used" if case else "free", case))
    await told(ledger, lot, *events)
    return lot


async def filled(ledger: PgLedger, bare: "asyncpg.Connection[asyncpg.Record]", units: int) -> tuple[str, datetime]:
    """Make the genealogy in the ledger and in the bare tables; its run, and an instant when half of it was known."""
    run, edges, half = fresh_stream("material"), [], NOW
    await told(ledger, run, MaterialRegistered("vector_run", "R-1"))
    vectors = [fresh_stream("material") for _ in range(VECTOR_LOTS)]
    for n, vector in enumerate(vectors):
        lot = MaterialRegistered("vector_lot", f"LV-{n}", vector="lentiviral", integrating=True)
        await told(ledger, vector, lot, MaterialLinked(run))
        edges.append((vector, run))
    rows: Rows = []
    lots = units // OF_A_LOT
    for n in range(lots):
        parent = vectors[n % VECTOR_LOTS]
        edges.append((await batch(ledger, n, parent, rows), parent))
        if n == lots // 2:
            half = await bare.fetchval("select clock_timestamp()")
    await bare.copy_records_to_table("bare_edge", records=edges)
    await bare.copy_records_to_table("bare_unit", records=rows)
    for table in ("event", "bare_edge", "bare_unit"):
        await bare.execute(f"vacuum analyze {table}")
    return run, half


async def main(asked: Asked) -> AsyncIterator[Row]:
    """Yield one row: seconds of each, and how many times the floor ours took, now and on a past day."""
    units, rounds = asked.events or asked.either(UNITS, 5_000), asked.either(ROUNDS, 1)
    async with server() as (running, folder):
        keys = FolderKeys(folder / "keys", kek=folder / "kek", destroyed=folder / "destroyed")
        ledger = await open_ledger(running.dsn, keys, EVENTS, "bench", "development", ids=fresh_id)
        bare = await asyncpg.connect(running.dsn)
        for statement in BARE:
            await bare.execute(statement)
        run, half = await filled(ledger, bare, units)
        genealogy = Genealogy(ledger, GenealogyQueries(ledger.pool, keys))
        found: dict[str, Sequence[int]] = {}

        async def ours(name: str, known_at: datetime | None) -> tuple[float, float]:
            began, busy = time.perf_counter(), time.process_time()
            every = units_of(await genealogy.trace([run], known_at), known_at or NOW)
            found[name] = len(every), len(patients_of(every))
            return time.perf_counter() - began, time.process_time() - busy

        async def floor() -> tuple[float, float]:
            began, busy = time.perf_counter(), time.process_time()
            rows = await bare.fetch(FLOOR, run)
            found["floor"] = len(rows), len({row["holder"] for row in rows} - {""})
            return time.perf_counter() - began, time.process_time() - busy

        kinds = {"now": lambda: ours("now", None), "past": lambda: ours("past", half), "floor": floor}
        took = await in_turns(kinds, rounds)
        seconds = {kind: short(median(one[kind][0] for one in took)) for kind in kinds}
        busy = {kind: short(median(one[kind][1] for one in took)) for kind in kinds}
        times = {kind: short(median(one[kind][0] / one["floor"][0] for one in took)) for kind in ("now", "past")}
        assert found["now"] == found["floor"], found
        yield {
            "units": found["now"][0], "patients": found["now"][1], "units then": found["past"][0], "seconds": seconds,
            "processor seconds": busy, "times the floor": times,
        }  # fmt: skip
        await bare.close()
        await ledger.close()

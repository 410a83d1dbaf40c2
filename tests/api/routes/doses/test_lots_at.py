"""Many lots read at once are as each folded by itself: whose every unit is, now and at any instant before."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.ports import Append, Meta
from api.run.wiring import Parts
from domain.catalogue.streams import fold
from domain.core.fact import Draft, Fact
from domain.doses.custody.transit import UnitArrived, UnitLeft
from domain.doses.genealogy import Trace, units_of
from domain.doses.lot import LotQuarantined, LotRegistered, LotReleased
from domain.doses.states import may
from domain.doses.stock import Lot
from domain.doses.storage import UnitPlaced, UnitStopped
from domain.doses.unit import (
    HoldExtended,
    UnitCommitted,
    UnitFreed,
    UnitHeld,
    UnitSetAside,
    UnitSettled,
    UnitUsed,
    name_of,
)
from infra.ids import fresh_id, fresh_stream
from infra.reads.genealogy import GenealogyQueries

NOW = datetime.now(UTC)
NAMES = ("u1", "u2", "u3", "u 4")


def any_event(chance: random.Random, lot: Lot, *, stopping: bool) -> Any:
    """One that the table of states allows, or one that moves nothing."""
    unit = chance.choice(NAMES)
    until = NOW + timedelta(days=chance.randint(-2, 9))
    every: list[Any] = [
        UnitHeld(unit, f"case-{chance.randint(1, 3)}", fresh_id(), until), HoldExtended(unit, until), UnitFreed(unit),
        UnitCommitted(unit), UnitSetAside(unit), UnitUsed(unit), UnitSettled(unit, "returned", "why", "person-q"),
        UnitSettled(unit, "destroyed", "why", "person-q"), UnitLeft(unit, "way-1", "", NOW),
        UnitArrived(unit, "way-1", NOW),
    ]  # fmt: skip
    every += [UnitStopped(unit, "store-1", "warm")] if stopping else []
    state = lot.units[unit].state
    allowed: Sequence[Any] = [event for event in every if may(state, name_of(event))]
    return chance.choice([*allowed, UnitPlaced(unit, "store-1", "A1", NOW), LotQuarantined("why")])


async def history(here: Parts, chance: random.Random, *, stopping: bool) -> tuple[str, Sequence[Fact[Any]]]:
    stream, facts = fresh_stream("lot"), list[Fact[Any]]()
    events: list[Any] = [LotRegistered("X", NAMES, NOW + timedelta(days=99), "d", "v", "person-p"), LotReleased("q")]
    for n in range(22):
        event = events[n] if n < len(events) else any_event(chance, fold(stream, facts), stopping=stopping)  # type: ignore[arg-type]
        facts += await here.ledger.append(Append(stream, n, [Draft(event, fresh_id())], Meta("test")))
    return stream, facts


def told(stream: str, lot: Lot) -> Any:
    """What a trace says of a lot and its units, an hour ago and in three days."""
    one = Trace((stream,), frozenset(), frozenset(), {}, {stream: lot}, ())
    return lot.state, lot.product, lot.vector_lot, [units_of(one, NOW + timedelta(days=days)) for days in (-1, 0, 3)]


async def test_lots_read_at_once_are_as_each_folded_by_itself(here: Parts) -> None:
    chance, queries = random.Random(11), GenealogyQueries(here.ledger.pool, here.keys)
    known = dict([await history(here, chance, stopping=n < 3) for n in range(12)])
    instants = [chance.choice(facts).at for facts in known.values()]
    stopped = 0
    for known_at in (None, *chance.sample(instants, 5)):
        read = await queries.lots_at(list(known), known_at)
        for stream, facts in known.items():
            whole = fold(stream, [fact for fact in facts if known_at is None or fact.at <= known_at])
            assert isinstance(whole, Lot)
            if any(isinstance(f.event, UnitStopped) and (known_at is None or f.at <= known_at) for f in facts):
                assert stream not in read
                stopped += 1
            elif whole.state != "none":
                assert told(stream, read[stream]) == told(stream, whole)
    assert stopped

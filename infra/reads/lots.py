"""Reads many lots at once, as known at an instant: their own facts, and of each unit whose it is, from the events.

A lot of which a unit was stopped is left to whoever folds it whole: what stopped a unit is more than whose it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, get_args

from activities.ports import Keyring, Keys
from domain.catalogue.streams import fold
from domain.core.personal import Unread
from domain.doses import lot as lots
from domain.doses import unit
from domain.doses.states import MOVES, UnitState, after
from domain.doses.stock import Lot
from domain.doses.unit import Unit
from infra.ledger import queries
from infra.ledger.connections import Pool
from infra.ledger.encoding.codec import Codec, stored_type
from infra.ledger.encoding.errors import guarded
from infra.ledger.encoding.sealing import SealedPlace, unseal
from infra.ledger.encoding.stored import stored

MOVED = tuple(sorted({name.split()[0] for name in MOVES}))
"""The events that say whose a unit is, and what became of it."""
OWN = [event for event in get_args(lots.Event) if event not in get_args(unit.Event)]
OWN_TYPES = sorted(map(stored_type, OWN))
REGISTERED = stored_type(lots.LotRegistered)
HELD_FOR = "/case"
"""Where in what was sealed of a hold its case stands."""


class LotQueries:
    """Implements the port of activities/doses/genealogy.py."""

    def __init__(self, pool: Pool[Any], keys: Keys) -> None:
        self._pool = pool
        self._keys = keys
        self._codec = Codec(OWN)

    async def lots_at(self, streams: Sequence[str], known_at: datetime | None) -> Mapping[str, Lot]:
        """Return these lots without what they lay in; one of which a unit was stopped is left out."""
        asked = list(streams)
        facts = await self._facts(asked, OWN_TYPES, known_at)
        moved = await guarded(self._pool.fetch(queries.UNITS_MOVED, asked, list(MOVED), known_at))
        touched: defaultdict[str, list[Any]] = defaultdict(list)
        for row in moved:
            touched[row["stream"]].append(row)
        return {
            stream: await self._one(stream, rows, touched[stream])
            for stream, rows in facts.items()
            if not any("UnitStopped" in row["moves"] for row in touched[stream])
        }

    async def registered(self, streams: Sequence[str]) -> Mapping[str, Lot]:
        """Return these lots as they were registered."""
        facts = await self._facts(streams, [REGISTERED], None)
        return {stream: await self._one(stream, rows, ()) for stream, rows in facts.items()}

    async def _facts(
        self, streams: Sequence[str], types: Sequence[str], known_at: datetime | None
    ) -> Mapping[str, Sequence[Any]]:
        rows = await guarded(self._pool.fetch(queries.LOT_FACTS, list(streams), list(types), known_at))
        found: defaultdict[str, list[Any]] = defaultdict(list)
        for row in rows:
            found[row["stream"]].append(row)
        return found

    async def _one(self, stream: str, own: Iterable[Any], touched: Iterable[Any]) -> Lot:
        keys = await self._keys.for_opening(stream)
        lot = fold(stream, [self._codec.fact(stored(row), keys) for row in own])
        assert isinstance(lot, Lot)
        return replace(lot, units={**lot.units, **{row["unit"]: _unit(stream, row, keys) for row in touched}})


def _unit(stream: str, row: Any, keys: Keyring) -> Unit:  # noqa: ANN401 - a row
    """The unit as its moves leave it; `until` counts only while it is held."""
    state = _state(row["moves"])
    until = datetime.fromisoformat(row["until"]) if state == "held" else None
    known = unseal(SealedPlace(stream, row["id"]), row["sealed"], keys).get("trace", {}) if row["id"] else {}
    case = "" if isinstance(known, Unread) else known.get(HELD_FOR, "")
    return Unit(row["unit"], state, case, until=until)


@lru_cache(maxsize=10_000)
def _state(moves: str) -> UnitState:
    """The state after these events in order; most units go one of few ways."""
    state: UnitState = "free"
    for move in moves.split("|"):
        state = after(state, move)
    return state

"""Finds what lies in a store beside the units of one lot, so that no two units are put at one place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from domain.doses.stock import lying
from domain.doses.storage import LIES, UnitBeside

Beside = Mapping[str, Mapping[str, Any]]
Places = Callable[[str, str], Awaitable[tuple[int, Beside]]]
"""(store, lot) → the position of the ledger before it was read, and of other lots with units there, which and where."""
EntryAt = Callable[[str, int], Awaitable[Any]]
Head = Callable[[], Awaitable[int]]
LotsIn = Callable[[str], Awaitable[Sequence[tuple[str, int]]]]
"""A store → the lots of which a unit lies or lay in it, with their versions."""


def places_of(entry_at: EntryAt, head: Head, lots_in: LotsIn) -> Places:
    """Make what finds it; `entry_at` is asked for each lot, and folds one that did not change only once."""

    async def places(store: str, lot: str) -> tuple[int, Beside]:
        seen = await head()  # first: what is put there while the lots are read must conflict
        found = {}
        for other, version in await lots_in(store):
            if other != lot:
                state = await entry_at(other, version)
                found[other] = {LIES: tuple(UnitBeside(other, unit.id, at) for at, unit in lying(state, store))}
        return seen, found

    return places

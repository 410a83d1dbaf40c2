"""Shared by every way into the ledger: a repeated command gets its first result, a lost race is decided again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from activities.ports import CommandKey, Loaded, Remembered, VersionConflict
from domain.core.errors import Reason, Refused, require

R = TypeVar("R")
ATTEMPTS = 12
"""How often a command is decided again while others keep changing the same stream."""


async def recorded_once(
    load: Callable[[], Awaitable[Loaded]],
    again: Callable[[Loaded], Awaitable[R]],
    once: Callable[[Loaded], Awaitable[R]],
) -> R:
    """Load, then answer as before or decide. Raises Refused with nothing recorded; CONFLICT when others never pause."""
    for _ in range(ATTEMPTS):
        loaded = await load()
        try:
            return await (once(loaded) if loaded.remembered is None else again(loaded))
        except VersionConflict:
            continue
    raise Refused(Reason.CONFLICT, "others kept changing this; nothing was recorded, try again")


def require_same(key: CommandKey | None, loaded: Loaded, *, opening: bool) -> Remembered:
    """Return what was remembered; refuse its key with another command. An opening names no stream of its own."""
    first = loaded.remembered
    if key is None or first is None:
        raise TypeError("nothing is remembered without a key")
    same = first.is_of(key.body) and (opening or first.stream == loaded.stream)
    require(same, Reason.KEY_REUSED, "this idempotency key was used for another command")
    return first

"""Tells on what the database says, without the values it quotes."""

from collections.abc import Awaitable
from typing import TypeVar

import asyncpg
from asyncpg.exceptions import InternalClientError

from activities.ports import ClaimHeld, VersionConflict
from domain.core.errors import Reason, Refused

T = TypeVar("T")
FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, InternalClientError, OSError, TimeoutError)
LOST = "the end of this history is lost; `caravel doctor` says what is missing and what to do. Reading goes on"
REFUSALS = {
    "CV002": (Reason.KEY_REUSED, "this idempotency key was used with another body"),
    "CV003": (Reason.SUPERSEDED, "another engine has taken over"),
    "CV004": (Reason.NOT_ALLOWED, "an instant can be given only to a rehearsal that has not ended"),
    "CV008": (Reason.LEDGER_BEHIND, LOST),
    "CV009": (Reason.SUPERSEDED, "another process leads by now"),
    "CV007": (Reason.NOT_FOUND, "this ledger has not been named yet"),
}
CLOCK = "CV010"
"""Its message is a sentence of ours with two instants; see sql/clock.sql."""
MOVED_ON = "CV001"
HELD = "CV006"
UNIQUE = "23505"
DEADLOCK = "40P01"


class DatabaseFailed(Exception):
    """The database refused or is away. Carries codes and names of constraints only, never a value."""

    def __init__(self, code: str, constraint: str | None = None, *, away: bool = False) -> None:
        super().__init__(f"database: {code}" + (f" ({constraint})" if constraint else ""))
        self.code = code
        self.away = away


class Tampered(Exception):
    """A sealed part does not open with its own key: somebody changed it."""


def translate(error: BaseException) -> Exception:
    """Return the same failure in the words of the port."""
    code = getattr(error, "sqlstate", None)
    if code in REFUSALS:
        return Refused(*REFUSALS[code])
    if code == CLOCK:
        return Refused(Reason.CLOCK_WRONG, f"{getattr(error, 'message', error)}. Until then nothing is recorded")
    if code == HELD:
        return ClaimHeld(float(str(error)))
    constraint = getattr(error, "constraint_name", None)
    # Another case took the same number, or two transactions waited for each other: decide again.
    if code in (MOVED_ON, DEADLOCK) or (code == UNIQUE and constraint == "case_view_number"):
        return VersionConflict()
    away = code is None or code.startswith(("08", "57P"))
    return DatabaseFailed(code or type(error).__name__, constraint, away=away)


async def guarded(operation: Awaitable[T]) -> T:
    """Await it; whatever the database says is raised in our words, without the original as its context."""
    try:
        return await operation
    except FAILURES as error:
        failure = translate(error)
    raise failure

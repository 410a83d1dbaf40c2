"""Breaking the glass: somebody who may not read a case reads it for a while, says why, and is asked about it after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, assert_never

from domain.case.phases.bookkeeping import Access
from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.table import Owes, Takes
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity
from domain.core.policy import Party, Policy
from domain.core.roles import Action

LONGEST_HOURS = 24


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """Read this case for some hours (1 to 24) although it is nobody's task of mine; the reason is asked about after."""

    reason: Identity
    hours: int
    by: str = ""
    type: Literal["BreakGlass"] = "BreakGlass"


@dataclass(frozen=True, slots=True)
class ReviewAccess:
    """Somebody else looks afterwards whether breaking the glass was justified."""

    access: str
    finding: Literal["justified", "not_justified"]
    note: Identity = ""
    by: str = ""
    type: Literal["ReviewAccess"] = "ReviewAccess"


Command = BreakGlass | ReviewAccess


@dataclass(frozen=True, slots=True)
class GlassBroken:
    """Until `until`, `by` reads this case."""

    access: str
    reason: Identity
    until: datetime
    by: str
    type: Literal["GlassBroken"] = "GlassBroken"


@dataclass(frozen=True, slots=True)
class AccessReviewed:
    """Whether breaking the glass was justified."""

    access: str
    finding: str
    note: Identity
    by: str
    type: Literal["AccessReviewed"] = "AccessReviewed"


Event = GlassBroken | AccessReviewed

TAKES = (
    Takes(BreakGlass, (GlassBroken,), at=EVERY_STAGE, by=Action.BREAK_GLASS),
    Takes(ReviewAccess, (AccessReviewed,), at=EVERY_STAGE, by=Action.REVIEW_ACCESS, settles=("access_review",)),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a command about breaking the glass: return the events it brings about. Raises Refused."""
    match command:
        case BreakGlass():
            require(command.reason, Reason.INVALID, "say why, in a sentence somebody else can judge", "reason")
            spell = 1 <= command.hours <= LONGEST_HOURS
            require(spell, Reason.INVALID, f"1 to {LONGEST_HOURS} hours", "hours")
            return [GlassBroken(ids(), command.reason, now + timedelta(hours=command.hours), command.by)]
        case ReviewAccess():
            return [_reviewed(case, command)]
        case _:
            assert_never(command)


def _reviewed(case: Case, c: ReviewAccess) -> AccessReviewed:
    known = case.accesses.get(c.access)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "nobody broke the glass of this case under that id", "access")
    require(not known.finding, Reason.ALREADY, f"reviewed: {known.finding}", "access")
    require(known.by != c.by, Reason.FOUR_EYES, "nobody reviews an access of their own", "by")
    return AccessReviewed(c.access, c.finding, c.note, c.by)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event about access."""
    event = fact.event
    match event:
        case GlassBroken():
            return _with(case, event.access, Access(event.by, event.until))
        case AccessReviewed():
            known = case.accesses.get(event.access)
            return _with(case, event.access, replace(known, finding=event.finding)) if known else case
        case _:
            assert_never(event)


def _with(case: Case, access: str, stands: Access) -> Case:
    return replace(case, accesses={**case.accesses, access: stands})


def reading(case: Case, now: datetime) -> frozenset[str]:
    """Return who reads this case now because they broke the glass."""
    return frozenset(access.by for access in case.accesses.values() if now < access.until)


OWES = (
    Owes(
        "access_review",
        Party.SUPERVISOR,
        Party.FAMILY,
        lambda c: [name for name, access in c.accesses.items() if not access.finding],
        lambda c, about: bool(c.accesses[about].finding),
    ),
)

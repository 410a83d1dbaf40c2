"""Records that a change of the catalogue put other ways first for a case without an acceptance; its owner is told.

The engine compares the catalogue before and after the change, both at the same instant: what only time changed is not
told here. A way that is still first, alone or beside others, leaves nothing to tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.case.phases.submissions import FirstRank, RankedWay
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Takes, Wants
from domain.core.copying import replace
from domain.core.fact import Fact, Ids
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.criteria.checks import Offer
from domain.criteria.matching import Match, Prepared
from domain.stages.eligibility.matching import matches

NAMED = 5
"""How many of the ways that share a first rank are named."""
CATALOGUE = "catalogue"
"""Stands among what turned where the way came into the catalogue or left it."""
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class NoteFirstRank:
    """The catalogue changed up to `position`, and with it what is first for this case; only the engine says this."""

    before: tuple[RankedWay, ...]
    after: tuple[RankedWay, ...]
    position: int
    type: Literal["NoteFirstRank"] = "NoteFirstRank"


Command = NoteFirstRank


@dataclass(frozen=True, slots=True)
class FirstRankChanged:
    """Other protocols and centres stand first for this case since the catalogue changed; which, and by which checks.

    `position`: of the newest event that was taken into account. Of ways that share the rank five are named.
    """

    before: tuple[RankedWay, ...]
    after: tuple[RankedWay, ...]
    position: int
    type: Literal["FirstRankChanged"] = "FirstRankChanged"


Event = FirstRankChanged

SEEKING = stages(Stage.INQUIRY, Stage.ELIGIBILITY)
TAKES = (Takes(NoteFirstRank, (FirstRankChanged,), at=SEEKING, by=Action.ENGINE),)


def seeking(case: Case) -> bool:
    """Return whether a case is on its way to an acceptance and has none."""
    accepted = any(one.state == "accepted" for one in case.submissions.values())
    return case.open and not case.exit and case.stage in SEEKING and not accepted


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Record it once for each change, whoever found it first; nothing for a case that seeks no longer."""
    known = case.first_rank
    again = known is not None and known.position >= command.position
    return [] if again or not seeking(case) else [FirstRankChanged(command.before, command.after, command.position)]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold the newest change; earlier ones are in the history."""
    event = fact.event
    return replace(case, first_rank=FirstRank(fact.id, fact.at, event.before, event.after, event.position))


def changed_first(
    case: Case, before: Iterable[Offer] | Prepared, after: Iterable[Offer] | Prepared, now: datetime
) -> tuple[Sequence[RankedWay], Sequence[RankedWay]] | None:
    """Return what stood first and what stands first now; None where one of them still does, or nothing ever did."""
    was, is_ = _by_way(matches(case, before, now)), _by_way(matches(case, after, now))
    first, now_first = _first(was), _first(is_)
    if set(first) & set(now_first) or not (first or now_first):
        return None
    return [_told(way, was, is_) for way in first[:NAMED]], [_told(way, was, is_) for way in now_first[:NAMED]]


def _by_way(found: Sequence[Match]) -> Mapping[Pair, Match]:
    return {(one.offer.protocol, one.offer.centre): one for one in found}


def _first(found: Mapping[Pair, Match]) -> Sequence[Pair]:
    """The ways of the first rank; what something stands against is first for nobody."""
    return [way for way, one in found.items() if one.rank == 1 and one.standing != "excluded"]


def _told(way: Pair, was: Mapping[Pair, Match], is_: Mapping[Pair, Match]) -> RankedWay:
    """The way with the checks that turned at it; none where it stands as it did and others passed it or fell."""
    old, new = was.get(way), is_.get(way)
    if old is None or new is None:
        return RankedWay(*way, (CATALOGUE,))
    stood = {one.name: one.result for one in old.checks}
    return RankedWay(*way, tuple(one.name for one in new.checks if stood.get(one.name) != one.result))


def _to_tell(case: Case) -> Iterable[str]:
    return [case.first_rank.fact] if case.first_rank and seeking(case) else []


WANTS = (Wants("tell_owner_of_first_rank", Party.COORDINATOR, _to_tell),)

"""Looks for a family that missed a visit: way after way, until somebody answers or none is left [follow-up.lost].

The rows of WAYS are the order. A person says what came of each, or why it is passed over; only a person says "lost".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.case.obligation import Obligation
from domain.case.stage import Stage
from domain.case.state import Case
from domain.case.table import Owes, Takes, Wants
from domain.core.about import About
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical
from domain.core.policy import Party, Policy
from domain.stages.follow_up.visit_plan import following

Channel = Literal["call", "mail", "message", "visit", "second_contact", "doctor", "hospital"]
Way = Literal["family", "second_contact", "home_doctor", "hospital"]
WAYS: Mapping[Way, tuple[Channel, ...]] = {
    "family": ("call", "mail", "message", "visit"),
    "second_contact": ("second_contact",),
    "home_doctor": ("doctor",),
    "hospital": ("hospital",),
}
"""In the order they are gone, and by which channels each is [follow-up.lost]."""
ATTEMPTS, BY_CHANNELS = 3, 2
"""How often the family itself is tried, and by how many channels at least [follow-up.lost]."""
CHASED = ("visit", "yearly_questions")
"""What is looked for the family about when it was missed."""
ASKED = "ask_after_missed_visit"


@dataclass(frozen=True, slots=True)
class SkipContact:
    """A way to reach the family is passed over, and why: there is no second contact, or nobody may write to them."""

    way: Way
    reason: Clinical
    type: Literal["SkipContact"] = "SkipContact"


Command = SkipContact


@dataclass(frozen=True, slots=True)
class ContactSkipped:
    """A way to reach the family was passed over, and why."""

    way: Way
    reason: Clinical
    type: Literal["ContactSkipped"] = "ContactSkipped"


Event = ContactSkipped

TAKES = (Takes(SkipContact, (ContactSkipped,), at=(Stage.FOLLOW_UP,), settles=("reach_family",)),)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Pass over a way that was not gone. Raises Refused."""
    require(case.follow_up == "open", Reason.NOT_NOW, "no follow-up is open")
    require(command.way in left_to_try(case), Reason.ALREADY, "it was tried, or passed over", "way")
    return [ContactSkipped(command.way, command.reason)]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold that a way was passed over; the next sign of life takes it back."""
    return replace(case, skipped={**case.skipped, fact.event.way: fact.id})


def heard(case: Case, fact: str, at: datetime) -> Case:
    """Fold a sign of life: whoever looks for the family begins anew the next time."""
    last = max(filter(None, (case.heard, at)))
    return replace(case, contact_attempts=0, contacted=fact, heard=last, tried=(), skipped={})


def missed_since(case: Case) -> str:
    """Return what was missed first after the last sign of life, empty = nothing: the patient's whereabouts are known.

    Visits and yearly questions count alike; what was told late counts as told.
    """
    newest = {(o.kind, o.about): o for o in case.obligations.values() if o.kind in CHASED}
    missed = [o for o in newest.values() if o.state == "missed" and not _told(case, o)]
    silent: list[Obligation] = [o for o in missed if case.heard is None or o.due > case.heard]
    return min(silent, key=lambda o: o.due).about if silent else ""


def _told(case: Case, o: Obligation) -> bool:
    return o.about in case.visits if o.kind == "visit" else bool(case.yearly.get(o.about))


def left_to_try(case: Case) -> Sequence[Way]:
    """Return the ways nobody has gone since the last sign of life, in order."""
    return [way for way in WAYS if not _gone(case, way)]


def _gone(case: Case, way: Way) -> bool:
    if way in case.skipped:
        return True
    tried: list[str] = [channel for channel in case.tried if channel in WAYS[way]]
    if way != "family":
        return bool(tried)
    tried += _written_to(case)
    return len(tried) >= ATTEMPTS and len(set(tried)) >= BY_CHANNELS


def _written_to(case: Case) -> list[str]:
    """The mail that went out by itself is an attempt, unless it came back."""
    about = missed_since(case)
    sent = (e for e in case.effects.values() if e.kind == ASKED and e.about == about)
    return ["mail" for e in sent if e.state == "delivered" and not e.bounced]


def _silent(case: Case) -> Iterable[str]:
    about = missed_since(case) if following(case) else ""
    return [about] if about else []


def _next_way(case: Case) -> Iterable[str]:
    """One way at a time."""
    return [f"{way}/{about}" for about in _silent(case) for way in left_to_try(case)[:1]]


def _way_gone(case: Case, about: str) -> bool:
    """Met when that way was gone, and when the family was heard of."""
    asked = About.of(about)
    return missed_since(case) != asked.round or all(asked.id != way for way in left_to_try(case))


def _nowhere(case: Case) -> Iterable[str]:
    return [] if left_to_try(case) else _silent(case)


OWES = (
    Owes("reach_family", Party.COORDINATOR, Party.FAMILY, _next_way, _way_gone, settled_in="follow_up"),
    Owes(
        "lost_decision",
        Party.COORDINATOR,
        Party.SUPERVISOR,
        _nowhere,
        lambda c, about: c.follow_up == "lost" or missed_since(c) != about,
        settled_in="follow_up",
    ),
)
WANTS = (Wants(ASKED, Party.FAMILY, _silent),)

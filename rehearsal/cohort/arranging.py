"""Says what people do about what is arranged for a stay: ask, answer, choose a time, look elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.case.phases.arrangements import Arrangement
from domain.core.fact import Command
from domain.stages.travel.arrangement_answers import ChooseSlot, ConfirmArrangement
from domain.stages.travel.arrangement_kinds import KINDS
from domain.stages.travel.arranging import AskArrangement, AskArrangementAgain, CancelArrangement
from domain.stages.travel.readiness import arrival_items
from rehearsal.cohort.situation import React, Situation

DETAILS: Mapping[str, str] = {
    "place": "a flat in Hospital Road",
    "contact": "a cousin of the family",
    "phone": "+86 21 5550 0142",
}


def _known(s: Situation) -> Arrangement | None:
    return s.case.arrangements.get(s.root)


def _agree(s: Situation) -> Command | None:
    """Whoever was asked has it: told on the page behind the link, or by telephone."""
    known = _known(s)
    if known is None or KINDS[known.kind].appointment:
        return None
    told: dict[str, Any] = {name: DETAILS[name] for name in KINDS[known.kind].known}
    return ConfirmArrangement(known.id, **told)


def _by_phone(s: Situation) -> Command | None:
    """A hospital that has not answered is called."""
    known = _known(s)
    if not s.chased or known is None:
        return None
    if not KINDS[known.kind].appointment:
        return _agree(s)
    told: dict[str, Any] = dict.fromkeys(KINDS[known.kind].known, "by video, the link follows")
    return ConfirmArrangement(known.id, starts=max(known.starts, s.ahead(1)), ends=max(known.ends, s.ahead(2)), **told)


def _choose(s: Situation) -> Command | None:
    known = _known(s)
    ahead = [slot for slot in known.slots if slot.starts > s.now] if known else []
    return ChooseSlot(s.root, ahead[0].starts) if ahead else None


def _elsewhere(s: Situation) -> Command | None:
    """The family finds what a centre has not; what only the centre has is asked of it again."""
    known = _known(s)
    if known is None:
        return None
    if known.ends <= s.now:
        return CancelArrangement(known.id, "not_needed")
    if "family" not in KINDS[known.kind].of:
        return AskArrangementAgain(known.id, max(known.starts, s.ahead(1)), max(known.ends, s.ahead(3)))
    needed: dict[str, Any] = {name: getattr(known, name) for name in KINDS[known.kind].needs}
    return AskArrangement(known.kind, "family", starts=max(known.starts, s.now), ends=known.ends, **needed)


def _move(s: Situation) -> Command | None:
    known = _known(s)
    return AskArrangementAgain(known.id) if known else None


def ask_next(s: Situation) -> Command | None:
    """Ask for the first thing that must be there on arrival and that nobody was asked for yet."""
    missing = [one.kind for one in arrival_items(s.case) if one.state == "missing"]
    return next((ASKED[kind](s) for kind in missing if kind in ASKED), None)


def _interpreter(s: Situation) -> Command:
    there = "zh" if s.case.noted(s.case.centre).get("country") == "CN" else "en"
    home = s.case.language
    return AskArrangement("interpreter", language_from=home, language_to=there, mode="present", setting="consultations")


ASKED: Mapping[str, Callable[[Situation], Command]] = {
    "lodging": lambda _: AskArrangement("lodging", distance_km=5, payer="family"),
    "interpreter": _interpreter,
    "transfer": lambda _: AskArrangement("transfer", "agency", place="the airport"),
    "local_contact": lambda _: AskArrangement("local_contact"),
    "admission": lambda _: AskArrangement("admission"),
}
"""What a coordinator asks for, of whom."""

ARRANGING: Mapping[str, React] = {
    "arrangement_answer": _by_phone,
    "appointment_answer": _by_phone,
    "family_arrangement": _agree,
    "outside_arrangement": _agree,
    "slot_choice": _choose,
    "find_arrangement": _elsewhere,
    "arrangement_day": _move,
    "arrival_checklist": ask_next,
}
"""Kind of obligation → what is said next about it."""

"""Says which question an answer belongs to: one to an earlier round, doubled or late, never answers a later one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from domain.case.effect import Effect
from domain.case.state import Case
from domain.core.about import About
from domain.core.errors import Reason
from domain.core.fact import Command
from domain.journey import WANTS

ROUND: Mapping[str, Callable[[Case], int]] = {
    "confirm_open_door": lambda c: c.travel.round,
    "hold_bed": lambda c: c.bed.round,
    "request_invitation_letter": lambda c: c.letter.round,
}

ON_CASES = ("tell_linked_case", "erase_linked_case")
ON_LOTS = ("tell_lot_of_shipment",)
PROVED_BY_US = frozenset({"reserve_dose", "confirm_depletion_start", "confirm_thaw", "erase_case", *ON_CASES, *ON_LOTS})
"""Effects that begin at home (lots, keys, other cases): an answer from outside does not mean that was done."""


def of_this_round(case: Case, effect: Effect) -> bool:
    """Return whether an answer to this effect answers what is asked at present."""
    owed = case.obligations.get(About.of(effect.about).id)
    about = About.of(owed.about if owed else effect.about)  # a reminder is about what is owed
    arranged = case.arrangements.get(about.id)
    if arranged is not None:
        return about.round in ("", str(arranged.round))
    number = ROUND.get(effect.kind)
    return number is None or About.of(effect.about).round == str(number(case))


def of_another_centre(case: Case, command: Command, centre: str) -> bool:
    """Return whether a centre answers for another: about a submission, arrangement or shipment not its own."""
    submission = case.submissions.get(getattr(command, "submission", ""))
    arrangement = case.arrangements.get(getattr(command, "arrangement", ""))
    sent = case.shipments.get(getattr(command, "shipment", ""))
    return any(one is not None and one.centre != centre for one in (submission, arrangement, sent))


NOT_YET = frozenset({Reason.NOT_NOW, Reason.MISSING})
"""Refusals that time and people may lift; anything else stays a no."""


def too_early(case: Case, effect: str | None, refused: Reason) -> bool:
    """Return whether a refused answer may be right later: it was asked for, and the question is still open."""
    known = case.effects.get(effect) if effect else None
    if known is None or refused not in NOT_YET or known.state in ("refused", "withdrawn"):
        return False
    rows = [row for row in WANTS if row.kind == known.kind]
    return any(known.about in row.wanted(case) and not row.answered(case, known.about) for row in rows)

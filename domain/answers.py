"""Which question an answer belongs to: a doubled or late answer to an earlier round never answers a later one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from domain.effects import Effect
from domain.state import Case

ROUND: Mapping[str, Callable[[Case], int]] = {
    "confirm_open_door": lambda c: c.travel.round,
    "hold_bed": lambda c: c.bed.round,
    "request_invitation_letter": lambda c: c.letter.round,
}

PROVED_BY_US = frozenset({"reserve_dose", "confirm_depletion_start", "confirm_thaw"})
"""Effects that compare and set on a lot first: an answer from outside does not mean that was done."""


def of_this_round(case: Case, effect: Effect) -> bool:
    """Whether an answer to this effect answers what is asked at present."""
    number = ROUND.get(effect.kind)
    return number is None or effect.about.rsplit("/", maxsplit=1)[-1] == str(number(case))

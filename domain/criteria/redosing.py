"""What a protocol asks before another dose, as data [redosing.criteria]: a clinician's decision rests on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from domain.core.errors import Reason, require
from domain.criteria.response import ResponseCode

GradedKind = Literal["crs", "icans", "acute_gvhd", "chronic_gvhd", "hlh", "cytopenia", "infection"]
"""The kinds of harm a protocol may set a highest grade for; those a hospital's own words are told apart by."""
MOST_DAYS_BETWEEN, WORST_ALLOWED = 3650, 4
"""No protocol waits longer, or calls something fresh for longer; grade 5 is death."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToxicityLimit:
    """Says the highest grade since the last infusion with which another dose is foreseen."""

    kind: GradedKind
    highest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RedosingCriteria:
    """Says what a protocol asks before another dose; 0 or empty = it does not ask for that.

    `interval_days` since the last infusion at least; `most_infusions` of a patient in all; `antigen` found on the
    disease since the last infusion, at most `antigen_days` ago; antibodies against the donor looked at, at most
    `antibodies_days` ago; `responses`: how the newest assessment since the last infusion may read.
    """

    interval_days: int = 0
    most_infusions: int = 0
    toxicity: tuple[ToxicityLimit, ...] = ()
    antigen: str = ""
    antigen_days: int = 0
    antibodies_days: int = 0
    responses: tuple[ResponseCode, ...] = ()


def redosing_of(row: Mapping[str, Any]) -> RedosingCriteria:
    """Read them back from the JSON of a read model."""
    limits = tuple(ToxicityLimit(**one) for one in row["toxicity"])
    return RedosingCriteria(**{**row, "toxicity": limits, "responses": tuple(row["responses"])})


def require_askable(asked: RedosingCriteria | None, targets: Sequence[str], planned: int) -> None:
    """Refuse what no case could meet or miss; `targets` are the protocol's, `planned` its infusions. Raises Refused."""
    if asked is None:
        return
    _holds(asked != RedosingCriteria(), "asks for nothing; leave it out")
    _holds(_days(asked.interval_days), f"interval_days lies between 0 and {MOST_DAYS_BETWEEN}")
    enough = asked.most_infusions == 0 or asked.most_infusions >= planned
    _holds(enough and asked.most_infusions >= 0, "most_infusions is not less than are planned for everybody")
    kinds = [one.kind for one in asked.toxicity]
    _holds(len(kinds) == len(set(kinds)), "toxicity names each kind once")
    graded = all(0 <= one.highest <= WORST_ALLOWED for one in asked.toxicity)
    _holds(graded, f"toxicity allows grades from 0 to {WORST_ALLOWED}")
    _holds(bool(asked.antigen) == (asked.antigen_days > 0), "antigen goes with antigen_days, at least one")
    _holds(not asked.antigen or asked.antigen in targets, f"antigen is one of the targets: {', '.join(targets)}")
    fresh = _days(asked.antigen_days) and _days(asked.antibodies_days)
    _holds(fresh, f"antigen_days and antibodies_days lie between 0 and {MOST_DAYS_BETWEEN}")
    once = len(asked.responses) == len(set(asked.responses))
    _holds(once, f"responses names each once, of {', '.join(get_args(ResponseCode))}")


def _days(number: int) -> bool:
    return 0 <= number <= MOST_DAYS_BETWEEN


def _holds(holds: object, words: str) -> None:
    require(holds, Reason.INVALID, words, "redosing")

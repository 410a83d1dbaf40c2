"""Clinical holds of a protocol or product, with the conditions on which each may be lifted [governance.hold]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal, assert_never, get_args

from domain.core.codes import require_day_come
from domain.core.errors import Reason, Refused, require
from domain.core.roles import Action

HeldBy = Literal["regulator", "sponsor", "safety_board", "ethics_committee", "centre"]
"""Who may put a trial or a product on hold; the same lifts it."""
MOST_CONDITIONS, LONGEST = 50, 2000


@dataclass(frozen=True, slots=True)
class PlaceClinicalHold:
    """A regulator, the sponsor or a board put it on hold on a day; everything that uses it stands still from now on.

    `holder` says what they are, `authority` names them; each of `conditions` is to be fulfilled before it goes on.
    """

    holder: HeldBy
    authority: str
    reason: str
    decided: date
    conditions: tuple[str, ...] = ()
    type: Literal["PlaceClinicalHold"] = "PlaceClinicalHold"


@dataclass(frozen=True, slots=True)
class FulfilHoldCondition:
    """A condition of a hold is fulfilled since a day; both are counted from 1. `evidence` names what shows it."""

    hold: int
    condition: int
    evidence: str
    fulfilled: date
    type: Literal["FulfilHoldCondition"] = "FulfilHoldCondition"


@dataclass(frozen=True, slots=True)
class LiftClinicalHold:
    """Who put it on hold lets it go on, on a day; `source` is the decision. Every condition is fulfilled by then."""

    hold: int
    holder: HeldBy
    decided: date
    source: str
    type: Literal["LiftClinicalHold"] = "LiftClinicalHold"


@dataclass(frozen=True, slots=True)
class ClinicalHoldPlaced:
    """It is on hold: nothing of it is held, released or given until this is lifted."""

    hold: int
    holder: HeldBy
    authority: str
    reason: str
    decided: date
    conditions: tuple[str, ...]
    type: Literal["ClinicalHoldPlaced"] = "ClinicalHoldPlaced"


@dataclass(frozen=True, slots=True)
class HoldConditionFulfilled:
    """A condition of the hold is fulfilled."""

    hold: int
    condition: int
    evidence: str
    fulfilled: date
    type: Literal["HoldConditionFulfilled"] = "HoldConditionFulfilled"


@dataclass(frozen=True, slots=True)
class ClinicalHoldLifted:
    """The hold is lifted, by those who had placed it."""

    hold: int
    holder: HeldBy
    decided: date
    source: str
    type: Literal["ClinicalHoldLifted"] = "ClinicalHoldLifted"


Command = PlaceClinicalHold | FulfilHoldCondition | LiftClinicalHold
Event = ClinicalHoldPlaced | HoldConditionFulfilled | ClinicalHoldLifted
BY = {**dict.fromkeys(get_args(Command), Action.GOVERN), LiftClinicalHold: Action.RELEASE_LOT}
"""Many may say that it stands still; that it goes on is recorded by whoever releases lots."""


@dataclass(frozen=True, slots=True)
class HoldCondition:
    """One condition; `fulfilled` None = not yet."""

    words: str
    evidence: str = ""
    fulfilled: date | None = None


@dataclass(frozen=True, slots=True)
class ClinicalHold:
    """One hold as folded; `lifted` None = it stands."""

    number: int
    holder: HeldBy
    authority: str
    reason: str
    decided: date
    conditions: tuple[HoldCondition, ...] = ()
    lifted: date | None = None

    @property
    def unfulfilled(self) -> tuple[int, ...]:
        """Return the numbers of the conditions that nobody has fulfilled."""
        return tuple(n for n, one in enumerate(self.conditions, 1) if one.fulfilled is None)


def hold_of(row: Mapping[str, Any]) -> ClinicalHold:
    """Read a hold back from the JSON of a read model."""
    met = tuple(HoldCondition(**{**one, "fulfilled": _day(one["fulfilled"])}) for one in row["conditions"])
    days = {"decided": date.fromisoformat(row["decided"]), "lifted": _day(row["lifted"])}
    return ClinicalHold(**{**row, **days, "conditions": met})


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def decide(holds: Sequence[ClinicalHold], c: Command, now: datetime) -> Event:
    """Decide what is told of a hold. Raises Refused."""
    match c:
        case PlaceClinicalHold():
            return _placed(holds, c, now)
        case FulfilHoldCondition():
            known = _standing(holds, c.hold)
            numbers = ", ".join(map(str, known.unfulfilled)) or "none"
            open_ = f"the conditions that are not fulfilled are: {numbers}"
            require(c.condition in known.unfulfilled, Reason.INVALID, open_, "condition")
            require(_said(c.evidence), Reason.INVALID, "name what shows that it is fulfilled", "evidence")
            require_day_come(c.fulfilled, now, "fulfilled")
            return HoldConditionFulfilled(c.hold, c.condition, c.evidence, c.fulfilled)
        case LiftClinicalHold():
            return _lifted(_standing(holds, c.hold), c, now)
        case _:
            assert_never(c)


def _said(text: str) -> bool:
    return bool(text.strip()) and len(text) <= LONGEST


def _placed(holds: Sequence[ClinicalHold], c: PlaceClinicalHold, now: datetime) -> Event:
    for name in ("authority", "reason"):
        require(_said(getattr(c, name)), Reason.INVALID, f"say it, in at most {LONGEST} characters", name)
    require_day_come(c.decided, now, "decided")
    sound = len(c.conditions) <= MOST_CONDITIONS and all(map(_said, c.conditions))
    words = f"at most {MOST_CONDITIONS} conditions, each said in at most {LONGEST} characters"
    require(sound, Reason.INVALID, words, "conditions")
    same = any(one.lifted is None and (one.holder, one.authority) == (c.holder, c.authority) for one in holds)
    require(not same, Reason.ALREADY, "they have it on hold already; lift that hold first", "authority")
    return ClinicalHoldPlaced(len(holds) + 1, c.holder, c.authority, c.reason, c.decided, c.conditions)


def _standing(holds: Sequence[ClinicalHold], number: int) -> ClinicalHold:
    known = next((one for one in holds if one.number == number), None)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "no such hold; they are counted from 1", "hold")
    require(known.lifted is None, Reason.ALREADY, "the hold is lifted", "hold")
    return known


def _lifted(known: ClinicalHold, c: LiftClinicalHold, now: datetime) -> Event:
    numbers = ", ".join(map(str, known.unfulfilled))
    words = f"conditions {numbers} of the hold are not fulfilled; record what shows it first (FulfilHoldCondition)"
    require(not known.unfulfilled, Reason.MISSING, words, "hold")
    require(c.holder == known.holder, Reason.NOT_ALLOWED, f"the {known.holder} placed this hold and lifts it", "holder")
    require(_said(c.source), Reason.INVALID, "name the decision that lifts it", "source")
    require_day_come(c.decided, now, "decided")
    require(c.decided >= known.decided, Reason.INVALID, f"it was placed on {known.decided}", "decided")
    return ClinicalHoldLifted(c.hold, c.holder, c.decided, c.source)


def evolve(holds: Sequence[ClinicalHold], event: Event) -> tuple[ClinicalHold, ...]:
    """Fold what was told of a hold."""
    if isinstance(event, ClinicalHoldPlaced):
        conditions = tuple(map(HoldCondition, event.conditions))
        new = ClinicalHold(event.hold, event.holder, event.authority, event.reason, event.decided, conditions)
        return (*holds, new)
    return tuple(_after(one, event) if one.number == event.hold else one for one in holds)


def _after(known: ClinicalHold, event: HoldConditionFulfilled | ClinicalHoldLifted) -> ClinicalHold:
    if isinstance(event, ClinicalHoldLifted):
        return replace(known, lifted=event.decided)
    met = (
        HoldCondition(one.words, event.evidence, event.fulfilled) if n == event.condition else one
        for n, one in enumerate(known.conditions, 1)
    )
    return replace(known, conditions=tuple(met))


def in_force(holds: Sequence[ClinicalHold]) -> tuple[ClinicalHold, ...]:
    """Return the holds that stand."""
    return tuple(one for one in holds if one.lifted is None)


def noted_of(holds: Sequence[ClinicalHold]) -> Mapping[str, Any]:
    """Return what cases and lots note of the holds that stand; left out where there is none, as in rows of before."""
    standing = in_force(holds)
    return {"holds": standing} if standing else {}

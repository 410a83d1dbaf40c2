"""Takes what it costs to move or give up what a journey holds, as whoever it is booked with says [travel.slip-cost]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from domain.case.costs import MOST, TOO_MUCH
from domain.case.phases.arrangements import MovingCost
from domain.case.phases.travel import SLIP_KINDS
from domain.case.state import Case
from domain.case.table import Takes
from domain.core.codes import MOST_DAYS, require_currency
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.policy import Policy
from domain.stages.travel.arrangement_kinds import planned_arrival
from domain.stages.travel.arranging import AT


@dataclass(frozen=True, slots=True)
class RecordMovingCost:
    """What moving or giving up one thing costs, in the currency's main unit; without `high` it is exactly `low`.

    `step` names the thing as the plan of a slip does: `bed`, `ticket:1`, `lodging:<arrangement>`, `visa:<person>`.
    Until `free_until` it costs nothing.
    """

    step: str
    currency: str
    low: int
    high: int | None = None
    free_until: datetime | None = None
    type: Literal["RecordMovingCost"] = "RecordMovingCost"


Command = RecordMovingCost


@dataclass(frozen=True, slots=True)
class MovingCostRecorded:
    """What it costs to move or give up one thing was told; `round` says which of the times it was asked for."""

    step: str
    round: int
    currency: str
    low: int
    high: int
    free_until: datetime | None
    type: Literal["MovingCostRecorded"] = "MovingCostRecorded"


Event = MovingCostRecorded

TAKES = (Takes(RecordMovingCost, (MovingCostRecorded,), at=AT),)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Take what it costs to move something that is held or asked for. Raises Refused."""
    held = movable(case)
    if command.step not in held:
        words = f"nothing of that name is held or asked for; there is: {', '.join(held) or 'nothing yet'}"
        raise Refused(Reason.NOT_FOUND, words, "step")
    require_currency(command.currency)
    high = command.low if command.high is None else command.high
    require(command.low >= 0, Reason.INVALID, "a cost is nothing or more", "low")
    require(command.low <= high, Reason.INVALID, "a range goes from low to high", "high")
    require(high <= MOST, Reason.INVALID, TOO_MUCH, "high")
    near = command.free_until is None or command.free_until - now <= timedelta(days=MOST_DAYS)
    require(near, Reason.INVALID, f"at most {MOST_DAYS} days ahead", "free_until")
    said = (held[command.step], command.currency, command.low, high, command.free_until)
    return [MovingCostRecorded(command.step, *said)]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold what was told; a newer word on the same thing takes the place of the last."""
    e = fact.event
    known = MovingCost(e.round, e.currency, e.low, e.high, e.free_until, fact.at)
    return replace(case, moving_costs={**case.moving_costs, e.step: known})


def movable(case: Case) -> Mapping[str, int]:
    """Return what somebody outside holds or was asked to hold, by the step's name, with how often it was asked for."""
    tracks = {"dose": case.dose, "bed": case.bed, "letter": case.letter, f"ticket:{case.travel.round}": case.travel}
    held = {name: track.round for name, track in tracks.items() if track.state in ("asked", "held")}
    applied = {f"visa:{v.person}": v.round for v in case.visas.values() if v.state in ("filed", "granted")}
    arranged = {f"{a.kind}:{a.id}": a.round for a in case.arrangements.values() if a.live and a.kind in SLIP_KINDS}
    return {**held, **applied, **arranged, **_planned(case)}


def _planned(case: Case) -> Mapping[str, int]:
    """What the family's plan names and nobody was asked for; it is asked for with every day of arrival anew."""
    day = planned_arrival(case)
    if day is None:
        return {}
    wanted = ("lodging", "interpreter") if case.stay_plan.get("interpreter_language") else ("lodging",)
    asked = {a.kind for a in case.arrangements.values()}
    return {kind: day.toordinal() for kind in wanted if kind not in asked}


def moving_cost(case: Case, step: str) -> MovingCost | None:
    """Return what was told of the thing as it is held now; None where nothing was, or only of an earlier booking."""
    known = case.moving_costs.get(step)
    return known if known and movable(case).get(step) == known.round else None

"""Says what must be there before a family travels [S5], how each stands, and who may do without it [travel.ready]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from domain.case.phases.arrangements import ArrangementKind
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Owes, Takes
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, readable
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.stages.travel.arrangement_kinds import covers, made_for_another_day, planned_arrival
from domain.stages.travel.letter import needs_visa, preparing
from domain.stages.travel.visa import travellers

ReadyState = Literal["there", "asked", "missing", "contrary", "waived", "not_needed"]
Waivable = Literal["lodging", "interpreter", "transfer", "local_contact", "admission"]
"""What a family can see to by itself: a supervisor may do without it. Papers and the emergency number are not."""
WAIVABLE: tuple[Waivable, ...] = get_args(Waivable)


@dataclass(frozen=True, slots=True)
class WaiveArrivalItem:
    """Let the family travel without something that is otherwise to be there when they arrive."""

    kind: Waivable
    reason: Clinical
    type: Literal["WaiveArrivalItem"] = "WaiveArrivalItem"


Command = WaiveArrivalItem


@dataclass(frozen=True, slots=True)
class ArrivalItemWaived:
    """A supervisor said that the family travels without it."""

    kind: Waivable
    reason: Clinical
    type: Literal["ArrivalItemWaived"] = "ArrivalItemWaived"


Event = ArrivalItemWaived

TAKES = (
    Takes(
        WaiveArrivalItem,
        (ArrivalItemWaived,),
        at=stages(Stage.VISA, Stage.ADMISSION, Stage.REDOSING),
        by=Action.SUPERVISE,
        settles=("arrival_checklist",),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Waive it. Raises Refused where it is there, was waived before, or no reason is given."""
    require(preparing(case), Reason.NOT_NOW, "no journey is being prepared")
    require(readable(command.reason), Reason.INVALID, "say why they travel without it", "reason")
    state = next(one.state for one in arrival_items(case) if one.kind == command.kind)
    require(state not in ("there", "waived"), Reason.ALREADY, f"it is {state}", "kind")
    return [ArrivalItemWaived(command.kind, command.reason)]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold a waiver."""
    return replace(case, arrival_waived=case.arrival_waived | {fact.event.kind})


@dataclass(frozen=True, slots=True)
class ArrivalItem:
    """One thing that must be there. `about` is the arrangement it rests on; `contrary`: known, and not as needed."""

    kind: str
    state: ReadyState
    waivable: bool
    about: str = ""


def _ticket(case: Case) -> ReadyState:
    known: Mapping[str, ReadyState] = {"held": "there", "asked": "asked"}
    return known.get(case.travel.state, "missing")


def _letter(case: Case) -> ReadyState:
    if case.letter.state == "held":
        return "there"
    return "not_needed" if not needs_visa(case) or _visa(case) == "there" else "asked"


def _visa(case: Case) -> ReadyState:
    if not needs_visa(case):
        return "not_needed"
    known = [case.visas.get(person) for person in travellers(case)]
    good = "granted" if preparing(case) else "used"  # whoever has arrived has used it
    if known and all(v and (v.state == good or (v.state == "granted" and not v.again)) for v in known):
        return "there"
    if any(v and v.state in ("refused", "lapsed") for v in known):
        return "contrary"
    return "asked" if any(v and v.state == "filed" for v in known) else "missing"


def _emergency(case: Case) -> ReadyState:
    agreed = (a for a in case.arrangements.values() if a.state == "confirmed")
    return "there" if any("emergency_number" in a.told for a in agreed) else "missing"


def _arranged(kind: ArrangementKind) -> Callable[[Case], ReadyState]:
    """How the arrangements of a kind stand together: one that is agreed for the planned arrival is enough."""

    def state(case: Case) -> ReadyState:
        known = [a for a in case.arrangements.values() if a.kind == kind]
        if not known and kind == "interpreter" and not case.stay_plan.get("interpreter_language"):
            return "not_needed"
        arrives = planned_arrival(case)
        fits = [a for a in known if a.live and not made_for_another_day(case, a, arrives)]
        if any(a.state == "confirmed" and covers(case, a) for a in fits):
            return "there"
        if not preparing(case) and any(a.state == "over" for a in known):
            return "there"  # they have arrived, and it was
        if any(a.state in ("asked", "offered") for a in fits):
            return "asked"
        return "contrary" if any(a.live or a.state in ("refused", "lapsed") for a in known) else "missing"

    return state


ITEMS: Mapping[str, Callable[[Case], ReadyState]] = {
    "ticket": _ticket,
    "letter": _letter,
    "visa": _visa,
    **{kind: _arranged(kind) for kind in WAIVABLE},
    "emergency_number": _emergency,
}
"""What must be there → how it stands, in the order it is shown [travel.ready]."""
OPEN: frozenset[ReadyState] = frozenset({"missing", "asked", "contrary"})


def arrival_items(case: Case) -> Sequence[ArrivalItem]:
    """Return everything that must be there before the family travels, each with how it stands."""
    return [_item(case, kind, stands(case)) for kind, stands in ITEMS.items()]


def _item(case: Case, kind: str, state: ReadyState) -> ArrivalItem:
    waived = kind in case.arrival_waived and state in OPEN
    newest = next((a.id for a in reversed(list(case.arrangements.values())) if a.kind == kind), "")
    return ArrivalItem(kind, "waived" if waived else state, kind in WAIVABLE, newest)


def contrary(case: Case) -> tuple[str, ...]:
    """Name what was arranged and is known not to be as needed; papers have doors of their own."""
    return tuple(one.kind for one in arrival_items(case) if one.waivable and one.state == "contrary")


def _unready(case: Case) -> Iterable[str]:
    """Tickets are bought, and something that must be there is not."""
    going = preparing(case) and case.travel.state == "held"
    return [str(case.travel.round)] if going and any(one.state in OPEN for one in arrival_items(case)) else []


def _departs(case: Case, _: str) -> datetime | None:
    departs = case.stay_plan.get("departs")
    return departs if isinstance(departs, datetime) else None


OWES = (
    Owes(
        "arrival_checklist",
        Party.COORDINATOR,
        Party.FAMILY,
        _unready,
        lambda c, _: preparing(c) and not any(one.state in OPEN for one in arrival_items(c)),
        _departs,
        settled_in="arranging",
    ),
)

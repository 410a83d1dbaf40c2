"""Dose track: one unit of one lot held for one patient, on a lease that ends by itself [P8]."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, assert_never

from domain.case.release import spare
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Instants, Owes, Rule, Takes, Wants
from domain.core.about import About
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity, Trace, readable
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.doses.allocation import DoseWanted, PassedOver, WhyNone
from domain.doses.waiting.turns import DoseTurn, WhyItsTurn
from domain.stages.governing.by_class import from_stock
from domain.stages.governing.cohort_place import unplaced
from domain.stages.governing.standing_still import stands_still


@dataclass(frozen=True, slots=True)
class HoldDose:
    """Whoever keeps the lot holds one unit for this case until `until`; `passed`: the units that were not the one."""

    lot: Trace
    unit: Trace
    until: datetime
    passed: tuple[PassedOver, ...] = ()
    type: Literal["HoldDose"] = "HoldDose"


@dataclass(frozen=True, slots=True)
class RefuseDose:
    """No unit can be held now; `passed`: each that there is, and why not."""

    code: WhyNone
    passed: tuple[PassedOver, ...] = ()
    type: Literal["RefuseDose"] = "RefuseDose"


@dataclass(frozen=True, slots=True)
class AskDoseAgain:
    """A coordinator asks for a dose again after none was available, or for a longer hold."""

    type: Literal["AskDoseAgain"] = "AskDoseAgain"


@dataclass(frozen=True, slots=True)
class AskDoseOutOfTurn:
    """A supervisor has a dose asked for before others that wait, and says why; it goes first until it has one."""

    reason: Identity
    type: Literal["AskDoseOutOfTurn"] = "AskDoseOutOfTurn"


@dataclass(frozen=True, slots=True)
class OfferDose:
    """The list of those who wait offers a free unit of a lot; `place` of so many `waiting`, from 1."""

    lot: Trace
    because: WhyItsTurn
    place: int
    waiting: int
    type: Literal["OfferDose"] = "OfferDose"


Command = HoldDose | RefuseDose | AskDoseAgain | AskDoseOutOfTurn | OfferDose


@dataclass(frozen=True, slots=True)
class DoseHeld:
    """A unit is held for this case until `until`."""

    lot: Trace
    unit: Trace
    until: datetime
    passed: tuple[PassedOver, ...] = ()
    type: Literal["DoseHeld"] = "DoseHeld"
    schema_version: ClassVar[int] = 2


@dataclass(frozen=True, slots=True)
class DoseRefused:
    """No unit could be held."""

    code: str
    passed: tuple[PassedOver, ...] = ()
    type: Literal["DoseRefused"] = "DoseRefused"
    schema_version: ClassVar[int] = 2


@dataclass(frozen=True, slots=True)
class DoseAsked:
    """A dose is asked for again."""

    round: int
    type: Literal["DoseAsked"] = "DoseAsked"


@dataclass(frozen=True, slots=True)
class DoseAskedOutOfTurn:
    """A dose is asked for before others that wait; the case goes first until it has one."""

    round: int
    reason: Identity
    type: Literal["DoseAskedOutOfTurn"] = "DoseAskedOutOfTurn"


@dataclass(frozen=True, slots=True)
class DoseOffered:
    """A free unit is offered to this case, and why to it: how urgent, since when it waits, its place among so many."""

    lot: Trace
    because: WhyItsTurn
    urgent: bool
    since: datetime
    place: int
    waiting: int
    type: Literal["DoseOffered"] = "DoseOffered"


@dataclass(frozen=True, slots=True)
class DoseLapsed:
    """The hold ended by itself."""

    type: Literal["DoseLapsed"] = "DoseLapsed"


@dataclass(frozen=True, slots=True)
class DoseLost:
    """The held lot was quarantined or recalled."""

    lot_state: str
    type: Literal["DoseLost"] = "DoseLost"


Event = DoseHeld | DoseRefused | DoseAsked | DoseLapsed | DoseLost | DoseAskedOutOfTurn | DoseOffered

TAKES = (
    Takes(HoldDose, (DoseHeld,), at=stages(Stage.ELIGIBILITY), by=Action.ENGINE),
    Takes(RefuseDose, (DoseRefused,), at=stages(Stage.ELIGIBILITY), by=Action.ENGINE),
    Takes(
        AskDoseAgain,
        (DoseAsked,),
        at=stages(Stage.ELIGIBILITY, Stage.REDOSING),
        settles=("dose_hold_renewal", "find_dose"),
    ),
    Takes(AskDoseOutOfTurn, (DoseAskedOutOfTurn,), at=stages(Stage.ELIGIBILITY, Stage.REDOSING), by=Action.SUPERVISE),
    Takes(OfferDose, (DoseOffered,), at=stages(Stage.ELIGIBILITY), by=Action.ENGINE),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a dose command: return the events it brings about. Raises Refused."""
    match command:
        case HoldDose():
            named = readable(command.lot) and readable(command.unit)
            require(named, Reason.INVALID, "a held dose is a unit of a lot", "unit")
            require(command.until > now, Reason.INVALID, "the hold has ended already", "until")
            require(not _thawed(case), Reason.NOT_NOW, "a unit is thawing")
            return [DoseHeld(command.lot, command.unit, command.until, command.passed)]
        case RefuseDose():
            require(not case.dose.good_at(now), Reason.ALREADY, "a dose is held")
            return [DoseRefused(command.code, command.passed)]
        case AskDoseAgain():
            # of what is made in the body one is held only where somebody asks [classes.in-vivo]
            require(_on_the_way(case), Reason.NOT_NOW, "no dose is needed now")
            require(not (case.dose.unanswered and needed(case)), Reason.ALREADY, "a dose is asked for already")
            return [DoseAsked(case.dose.round + 1)]
        case AskDoseOutOfTurn():
            _require_waiting(case)
            return [DoseAskedOutOfTurn(case.dose.round + 1, command.reason)]
        case OfferDose():
            since = _require_waiting(case)
            told = command.place, command.waiting
            return [DoseOffered(command.lot, command.because, case.urgent, since, *told)]
        case _:
            assert_never(command)


def _require_waiting(case: Case) -> datetime:
    """Return since when the case waits; one that has a unit, or is being given one, does not."""
    since = case.dose_waits_since
    if since is None or case.dose.state != "refused" or not needed(case):
        raise Refused(Reason.NOT_NOW, "the case does not wait for a dose")
    return since


def _thawed(case: Case) -> bool:
    return case.treatment is not None and bool(case.treatment.thawed)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one dose event."""
    event = fact.event
    match event:
        case DoseHeld():
            return _held(case, event, fact.id)
        case DoseRefused():
            since = case.dose_waits_since or fact.at
            refused = case.dose.ended("refused", fact.id)
            return replace(case, dose=refused, passed_over=event.passed, dose_waits_since=since)
        case DoseAsked():
            renewed = case.dose.renewal() if case.dose.good_at(fact.at) else case.dose.again(fact.id)
            return replace(case, dose=renewed)
        case DoseAskedOutOfTurn():
            return replace(case, dose=case.dose.again(fact.id), dose_out_of_turn=True)
        case DoseOffered():
            return replace(case, dose=case.dose.again(fact.id))
        case DoseLapsed() | DoseLost():
            return replace(case, dose=case.dose.again(fact.id, "lapsed"))
        case _:
            assert_never(event)


def _held(case: Case, event: DoseHeld, fact: str) -> Case:
    """The unit is held; another unit held until now is to be given back."""
    lot = event.lot if isinstance(event.lot, str) else ""
    unit = event.unit if isinstance(event.unit, str) else ""
    other = (lot, unit) != (case.lot, case.dose.ref)
    kept = spare(case, "release_dose", case.dose) if other else case
    return replace(
        kept, dose=case.dose.held(unit, event.until, fact), lot=lot, units={**case.units, fact: (lot, unit)},
        passed_over=event.passed if other else case.passed_over, dose_waits_since=None, dose_out_of_turn=False,
    )  # fmt: skip


def own_unit(case: Case) -> tuple[str, str]:
    """Return lot and unit the case holds, or held until that ran out by time alone; empty where they are over.

    A unit that was infused, destroyed or lost is none of these, though its lot may not know so yet [P8].
    """
    if case.dose.state == "held":
        return case.lot, case.dose.ref
    by_time = case.dose.state == "lapsed" and case.seen.get("DoseLapsed") == case.dose.fact
    return ("", "") if not by_time or not case.units else list(case.units.values())[-1]


def needed(case: Case) -> bool:
    """Return whether the journey still needs a unit: accepted, priced, and the planned cells are not in yet."""
    return from_stock(case) and _on_the_way(case)


def waits(case: Case, now: datetime) -> bool:
    """Return whether the case stands among those who wait for a unit [doses.turns]; who stands still does not."""
    wants = needed(case) and case.dose_waits_since is not None and not case.dose.good_at(now)
    return wants and case.on_hold is None and not stands_still(case)


def turn_of(case: Case, wanted: DoseWanted, now: datetime) -> DoseTurn:
    """Return the case's turn among those who wait; who asks for the first time waits since now."""
    since = case.dose_waits_since or now
    return DoseTurn(wanted, since, case.urgent, case.dose_out_of_turn, asked=case.dose.state != "refused")


def _on_the_way(case: Case) -> bool:
    """Whether a unit can still be of use to the journey."""
    if case.exit or case.accepted is None or case.quote.state != "held":
        return False
    match case.stage:
        case Stage.ELIGIBILITY | Stage.VISA | Stage.ADMISSION:
            return True
        case Stage.REDOSING:
            return case.treatment is not None and case.treatment.untouched
        case Stage.LYMPHODEPLETION | Stage.INFUSION:
            return case.treatment is not None and not case.treatment.complete
        case _:
            return False


def lapse(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A hold ends at its own instant, whoever looks."""
    return [DoseLapsed()] if case.dose.ended_by(now) and not _thawed(case) else []


def _ends(case: Case) -> Instants:
    return [case.dose.until] if case.dose.state == "held" and not _thawed(case) else []


def lose_with_lot(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A held unit of a lot that is no longer released is no dose."""
    state = str(case.noted(case.lot).get("state", "released")) if case.lot else "released"
    return [DoseLost(state)] if case.dose.state == "held" and state != "released" and not _thawed(case) else []


def lose(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A held unit is no dose once its lot is no longer released, or it was stopped itself."""
    # a unit of its own is stopped where it was too warm [doses.excursion]
    stopped = case.noted(case.lot).get("stopped", ()) if case.lot else ()
    if case.dose.state == "held" and case.dose.ref in stopped and not _thawed(case):
        return [DoseLost("quarantined")]
    return lose_with_lot(case, now, ids, policy)


def lose_with_expiry(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A unit that left its storage is held without an end of its own; its lot's end of use is one."""
    return [DoseLapsed()] if any(end <= now for end in _expires(case) if end) else []


def _expires(case: Case) -> Instants:
    endless = case.dose.state == "held" and case.dose.until is None and not _thawed(case)
    end = case.noted(case.lot).get("expires") if endless and case.lot else None
    return [end] if isinstance(end, datetime) else []


RULES = (
    Rule("dose_hold_ends", 1, lapse, ("DoseHeld",), (DoseLapsed,), _ends),
    Rule("dose_expires", 1, lose_with_expiry, ("HandoverRecorded", "LotStateNoted"), (DoseLapsed,), _expires),
    Rule("dose_lot_not_released", 2, lose, ("DoseHeld", "LotStateNoted"), (DoseLost,)),
)
EARLIER = (Rule("dose_lot_not_released", 1, lose_with_lot, ("DoseHeld", "LotStateNoted"), (DoseLost,)),)
"""Before units were stopped one by one."""


def _open_question(case: Case) -> Iterable[str]:
    """A unit is asked for; none leaves the stock while trial or product stand still, or without a place in a cohort."""
    asked = needed(case) and case.dose.unanswered and not (stands_still(case) or unplaced(case))
    return [f"{case.centre}/{case.dose.round}"] if asked else []


def _answered(case: Case, about: str) -> bool:
    return case.dose.answered >= About.of(about).number and case.dose.state in ("held", "refused")


def _held_once(case: Case) -> Iterable[str]:
    lasts = case.dose.state == "held" and case.dose.until is not None
    return [case.dose.fact] if needed(case) and lasts and not case.dose.unanswered else []


OWES = (
    Owes(
        "dose_hold_renewal",
        Party.COORDINATOR,
        Party.HOSPITAL,
        _held_once,
        lambda c, about: (c.dose.state == "held" and _renewed(c, about)) or _used(c, about),
        lambda c, _: c.dose.until,
    ),
    Owes(
        "find_dose",
        Party.COORDINATOR,
        Party.FAMILY,
        lambda c: [c.dose.fact] if needed(c) and c.dose.state == "refused" else [],
        lambda c, about: c.dose.fact != about and c.dose.state in ("asked", "held"),
    ),
)


def _renewed(case: Case, about: str) -> bool:
    """Another hold stands, a longer one is asked for, or the dose left its storage and the hold does not end."""
    return case.dose.fact != about or case.dose.unanswered or case.dose.until is None


def _used(case: Case, about: str) -> bool:
    """The cells went in while this hold stood."""
    return case.dose.state == "done" and case.units.get(about, ("", ""))[0] == case.lot


WANTS = (Wants("reserve_dose", Party.HOSPITAL, _open_question, _answered),)

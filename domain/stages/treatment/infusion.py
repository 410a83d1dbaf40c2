"""Infusion [S8]: authorised, checked by two [infusion.two-people], thawed, infused; thawed cells never return."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, assert_never

from domain.case.asking import service
from domain.case.consenting import consent_gone, consents_to_cells
from domain.case.phases.bedside import DestroyedUnit
from domain.case.phases.treatment import Alert
from domain.case.stage import Stage, stages
from domain.case.state import Case, in_treatment
from domain.case.table import Need, Owes, Takes, Wants
from domain.case.treatment import Infusion, Treatment
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, Trace, readable
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.core.when import When
from domain.doses import codes
from domain.stages.eligibility.review_again import require_trial_runs
from domain.stages.governing import by_class, standing_still
from domain.stages.governing.cohort_place import require_turn
from domain.stages.treatment.lymphodepletion import require_good_dose


@dataclass(frozen=True, slots=True)
class CheckIdentity:
    """Two people at the bedside, independently, compared patient and bag. Never waived.

    Both are the hospital's staff and sign in there, not here: this is one signed answer of the hospital, kept as said
    by it (the fact's actor is the centre), and the two are its own identifiers, which must differ. What the two found
    not to match is recorded as a near miss; what they say matches and cannot be right is refused.
    """

    first: str
    second: str
    unit: Trace
    patient_matches: bool
    unit_matches: bool
    type: Literal["CheckIdentity"] = "CheckIdentity"


@dataclass(frozen=True, slots=True)
class StartThaw:
    """The bag leaves the cold. From here it is infused or destroyed, never put back."""

    unit: Trace
    occurred: When | None = None
    type: Literal["StartThaw"] = "StartThaw"


@dataclass(frozen=True, slots=True)
class DestroyUnit:
    """A thawed unit that was not infused was destroyed."""

    unit: Trace
    reason: Clinical
    type: Literal["DestroyUnit"] = "DestroyUnit"


@dataclass(frozen=True, slots=True)
class RecordInfusion:
    """The cells are in. `cells` is the dose as the hospital wrote it, with its unit.

    `deviation`: cells went in although the steps before were not told, and why. It is recorded, and alarms.
    """

    unit: Trace
    cells: Clinical = ""
    occurred: When | None = None
    deviation: Clinical = ""
    type: Literal["RecordInfusion"] = "RecordInfusion"


@dataclass(frozen=True, slots=True)
class PlanInfusions:
    """This treatment is planned as several infusions, or fewer than planned."""

    count: int
    type: Literal["PlanInfusions"] = "PlanInfusions"


Command = CheckIdentity | StartThaw | DestroyUnit | RecordInfusion | PlanInfusions


@dataclass(frozen=True, slots=True)
class IdentityChecked:
    """Two different people matched patient and unit."""

    treatment: int
    first: str
    second: str
    unit: Trace
    type: Literal["IdentityChecked"] = "IdentityChecked"


@dataclass(frozen=True, slots=True)
class IdentityMismatched:
    """Two people found that patient or unit does not match: a near miss. Nothing is thawed until all is done anew."""

    treatment: int
    first: str
    second: str
    unit: Trace
    patient_matched: bool
    unit_matched: bool
    type: Literal["IdentityMismatched"] = "IdentityMismatched"


@dataclass(frozen=True, slots=True)
class ThawStarted:
    """The unit is thawing."""

    treatment: int
    unit: Trace
    type: Literal["ThawStarted"] = "ThawStarted"


@dataclass(frozen=True, slots=True)
class UnitDestroyed:
    """A thawed unit was destroyed."""

    treatment: int
    unit: Trace
    reason: Clinical
    type: Literal["UnitDestroyed"] = "UnitDestroyed"


@dataclass(frozen=True, slots=True)
class InfusionDeviated:
    """Cells went in and the steps before were not told, or not all: answered by both sides like a near miss."""

    treatment: int
    unit: Trace
    deviation: Clinical
    type: Literal["InfusionDeviated"] = "InfusionDeviated"


@dataclass(frozen=True, slots=True)
class InfusionCompleted:
    """Cells went in: never changes again; follow-up begins. `monitored`: the days after it are planned and owed."""

    treatment: int
    number: int
    lot: Trace
    unit: Trace
    cells: Clinical
    monitored: bool = True
    schema_version: ClassVar[int] = 2
    type: Literal["InfusionCompleted"] = "InfusionCompleted"


@dataclass(frozen=True, slots=True)
class InfusionsPlanned:
    """How many infusions this treatment consists of."""

    treatment: int
    count: int
    type: Literal["InfusionsPlanned"] = "InfusionsPlanned"


Event = (
    IdentityChecked | IdentityMismatched | ThawStarted | UnitDestroyed | InfusionDeviated
    | InfusionCompleted | InfusionsPlanned
)  # fmt: skip

TAKES = (
    Takes(CheckIdentity, (IdentityChecked, IdentityMismatched), at=(Stage.INFUSION,), by=Action.ANSWER),
    Takes(StartThaw, (ThawStarted,), at=(Stage.INFUSION,), by=Action.ANSWER),
    Takes(DestroyUnit, (UnitDestroyed,), at=stages(Stage.INFUSION), by=Action.ANSWER, answers=("unit_destruction",)),
    Takes(
        RecordInfusion,
        (InfusionDeviated, InfusionCompleted),
        at=stages(Stage.INFUSION),
        by=Action.ANSWER,
        answers=("confirm_thaw",),
    ),
    Takes(PlanInfusions, (InfusionsPlanned,), at=stages(Stage.LYMPHODEPLETION, Stage.INFUSION), by=Action.ANSWER),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide an infusion command: return the events it brings about. Raises Refused."""
    number = len(case.treatments)
    match command:
        case CheckIdentity():
            return [checked(case, command)]
        case StartThaw():
            return [_thaw(case, command, now)]
        case DestroyUnit():
            return [UnitDestroyed(number, _thawed(case, command.unit), command.reason)]
        case RecordInfusion():
            return _infused_now(case, command)
        case PlanInfusions():
            return [_planned(case, command)]
        case _:
            assert_never(command)


def due(case: Case) -> Treatment:
    """Return the treatment that waits for cells. Raises Refused where none does."""
    if case.treatment is None or case.treatment.complete:
        raise Refused(Reason.NOT_NOW, "every planned infusion of this treatment is given")
    return case.treatment


def require_may_begin(case: Case) -> None:
    """Refuse cells without every consent they rest on, or under a trial that does not run. Raises Refused."""
    given = case.consented("data_processing") and consents_to_cells(case) and case.consented("risks")
    require(given, Reason.NEVER_WAIVED, "a consent is not given or was taken back")
    require_trial_runs(case)


def checked(case: Case, c: CheckIdentity) -> IdentityChecked | IdentityMismatched:
    """Return what a check leads to; what does not match is recorded at any time before the cells. Raises Refused."""
    waits = due(case)
    first, second = codes.folded(c.first), codes.folded(c.second)
    require(first and second and first != second, Reason.FOUR_EYES, "two different people check", "second")
    unit = waits.unit if waits.thawed else case.dose.ref if by_class.from_stock(case) else _named(c)
    require(unit or case.dose.state != "held", Reason.NEVER_WAIVED, "nobody can read now which unit is held", "unit")
    same = c.unit_matches and codes.same(c.unit, unit)
    if not (c.patient_matches and same):
        return IdentityMismatched(waits.number, c.first, c.second, c.unit, c.patient_matches, same)
    require(waits.authorised, Reason.MISSING, "the infusion is not authorised")
    require(not (waits.thawed and waits.identity_checked), Reason.ALREADY, "a unit is thawing")
    if not by_class.from_stock(case):  # no thaw comes after it that would ask
        require_may_begin(case)
    return IdentityChecked(waits.number, c.first, c.second, unit)


def _named(c: CheckIdentity) -> str:
    """Return what is given as the two name it: of what is made in the body there is no unit of a lot to compare."""
    require(readable(c.unit), Reason.INVALID, "name what is given, as its label says", "unit")
    return str(c.unit)


def _infused_now(case: Case, c: RecordInfusion) -> Sequence[Event]:
    """Cells that are in are recorded. What was not told before is a deviation and has to be called one."""
    if case.treatment is None:
        raise Refused(Reason.MISSING, "no treatment is under way")
    lot = case.lot if (stock := by_class.from_stock(case)) else ""  # one held before, of another product, did not go in
    done = InfusionCompleted(case.treatment.number, len(case.infusions) + 1, lot, c.unit, c.cells)
    if c.deviation:
        again = any(i.lot == lot and codes.same(i.unit, c.unit) for i in case.infusions)
        require(not again, Reason.ALREADY, "this unit was infused before", "unit")
        return [InfusionDeviated(case.treatment.number, c.unit, c.deviation), done]
    require(stock or case.treatment.identity_checked, Reason.NEVER_WAIVED, "two people have not checked identity")
    given = _thawed(case, c.unit)
    require(case.treatment.identity_checked, Reason.NEVER_WAIVED, "two people found a mismatch; it is checked anew")
    return [replace(done, unit=given)]


def _thaw(case: Case, c: StartThaw, now: datetime) -> Event:
    waits = due(case)
    require(by_class.from_stock(case), Reason.NOT_NOW, "nothing of this product is thawed; record the infusion itself")
    require(waits.authorised, Reason.MISSING, "the infusion is not authorised")
    require(waits.identity_checked, Reason.NEVER_WAIVED, "two people have not checked identity")
    require(not waits.thawed, Reason.ALREADY, "a unit is thawing")
    known = codes.same(c.unit, waits.unit) and waits.unit == case.dose.ref
    require(known, Reason.NEVER_WAIVED, "this is not the unit that was checked", "unit")
    require_may_begin(case)
    require_turn(case, now.date())
    require_good_dose(case, now)
    return ThawStarted(waits.number, waits.unit)


def _thawed(case: Case, unit: object) -> str:
    """Return the unit that was thawed, or only checked where none is, as it is held, however it was written now."""
    require(due(case).thawed or not by_class.from_stock(case), Reason.MISSING, "no unit is thawed")
    require(codes.same(unit, due(case).unit), Reason.NEVER_WAIVED, "this is not the unit that was thawed", "unit")
    return due(case).unit


def _planned(case: Case, c: PlanInfusions) -> Event:
    if case.treatment is None or case.treatment.given_up:
        raise Refused(Reason.MISSING, "no treatment is under way")
    given = len(case.treatment.infusions) + bool(case.treatment.thawed)
    require(c.count >= max(1, given), Reason.INVALID, "fewer than were given", "count")
    return InfusionsPlanned(case.treatment.number, c.count)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one infusion event."""
    event = fact.event
    match event:
        case IdentityChecked():
            unit = event.unit if isinstance(event.unit, str) else ""
            return in_treatment(case, event.treatment, identity_checked=fact.id, unit=unit)
        case IdentityMismatched():
            thawing = case.treatment is not None and bool(case.treatment.thawed)
            kept = case.treatment.unit if case.treatment and thawing else ""
            barred = in_treatment(case, event.treatment, authorised="", identity_checked="", unit=kept)
            return replace(barred, alerts={**case.alerts, fact.id: Alert(fact.id, "mismatch", "")})
        case InfusionDeviated():
            return replace(case, alerts={**case.alerts, fact.id: Alert(fact.id, "deviation", "")})
        case ThawStarted():
            return in_treatment(case, event.treatment, thawed=fact.id)
        case UnitDestroyed():
            gone = DestroyedUnit(fact.id, case.lot, event.unit if isinstance(event.unit, str) else "")
            dose = case.dose.again(fact.id, "lapsed")
            spent = replace(case, dose=dose, destroyed_units=(*case.destroyed_units, gone))
            return in_treatment(spent, event.treatment, thawed="", authorised="", identity_checked="", unit="")
        case InfusionCompleted():
            return _infused(case, event, fact)
        case InfusionsPlanned():
            return in_treatment(case, event.treatment, planned_infusions=event.count)
        case _:
            assert_never(event)


def _infused(case: Case, event: InfusionCompleted, fact: Fact[Event]) -> Case:
    known = next((t for t in case.treatments if t.number == event.treatment), Treatment(event.treatment))
    cells = event.cells if isinstance(event.cells, str) else ""
    new = Infusion(event.number, fact.occurred, event.lot, fact.id, event.unit, event.monitored, cells, known.order)
    infusions = (*known.infusions, new)
    given = replace(known, infusions=infusions, thawed="", authorised="", identity_checked="", unit="", order=None)
    others = tuple(t for t in case.treatments if t.number != event.treatment)
    treatments = tuple(sorted((*others, given), key=lambda t: t.number))
    follow_up = case.follow_up if case.follow_up != "none" else "open"
    spent = replace(case, dose=case.dose.again(fact.id, "done"), follow_up=follow_up, pathway="", handover="none")
    return replace(spent, treatments=treatments)


def _here(case: Case) -> bool:
    return case.stage is Stage.INFUSION and not case.exit


def infused_all(case: Case) -> bool:
    """Return whether the newest treatment has nothing left to give."""
    return case.treatment is not None and case.treatment.complete


NEEDS = (Need("every planned infusion given", lambda c, _: infused_all(c), rests_on=("InfusionCompleted",)),)


def _undestroyed(case: Case) -> Iterable[str]:
    """The journey is over and a unit lies thawed at the bedside."""
    return [case.treatment.thawed] if case.exit and case.treatment and case.treatment.thawed else []


def _to_thaw(case: Case) -> Iterable[str]:
    t = case.treatment
    ready = _here(case) and by_class.from_stock(case) and not (standing_still.stands_still(case) or consent_gone(case))
    return [t.identity_checked] if ready and t and t.identity_checked and not t.thawed else []


OWES = (
    Owes(
        "infusion_window",
        Party.HOSPITAL,
        Party.COORDINATOR,
        lambda c: [f"{len(c.treatments)}/{len(c.infusions)}"] if _here(c) and not infused_all(c) else [],
        lambda c, about: about != f"{len(c.treatments)}/{len(c.infusions)}" or infused_all(c),
        lambda c, _: c.treatment.window_closes if c.treatment else None,
        asked_by="confirm_thaw",
    ),
    Owes(
        "post_thaw",
        Party.HOSPITAL,
        Party.COORDINATOR,
        lambda c: [c.treatment.thawed] if c.treatment and c.treatment.thawed and not c.exit else [],
        lambda c, about: c.exit is None and (c.treatment is None or c.treatment.thawed != about),
        asked_by="confirm_thaw",
    ),
    Owes(
        "unit_destruction",
        Party.HOSPITAL,
        Party.COORDINATOR,
        _undestroyed,
        lambda c, _: not (c.treatment and c.treatment.thawed),
    ),
)

WANTS = (
    Wants("confirm_thaw", Party.HOSPITAL, _to_thaw, asks=service("Please confirm the thaw and report the infusion")),
    Wants("mark_unit_used", Party.HOSPITAL, lambda c: [i.fact for i in c.infusions if i.unit and i.lot]),
    Wants("mark_unit_destroyed", Party.HOSPITAL, lambda c: [u.fact for u in c.destroyed_units if u.unit and u.lot]),
)

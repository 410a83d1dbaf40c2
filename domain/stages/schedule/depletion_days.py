"""Lymphodepletion day by day [S7]: planned from the protocol's rows, each day told or chased [depletion.planned]."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, assert_never

from domain.case.consenting import consent_gone
from domain.case.stage import Stage, stages
from domain.case.state import Case, in_treatment
from domain.case.table import Owes, Rule, Takes
from domain.case.treatment import DepletionDay, DepletionPlan, DrugDays, Treatment
from domain.catalogue.product import Depletion
from domain.core.about import About
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.core.when import When
from domain.stages.governing.cohort_place import require_turn
from domain.stages.governing.standing_still import stands_still
from domain.stages.treatment.lymphodepletion import DepletionGiven, local_day, with_day, zone_of

FARTHEST = timedelta(days=60)
"""How far from today an infusion is planned; more is a slip of the pen."""
TOLD_BY = time(12)
"""A day is told by noon of the next one, where the centre is [depletion.day-told]."""


@dataclass(frozen=True, slots=True)
class PlanDepletion:
    """The hospital plans lymphodepletion before an infusion on that day, by one of the protocol's variants.

    Planned again, the days not told yet move. `variant` may be left out where the protocol has only one.
    """

    infusion_day: date
    variant: Clinical = ""
    type: Literal["PlanDepletion"] = "PlanDepletion"


@dataclass(frozen=True, slots=True)
class OmitDepletionDay:
    """Nothing was given on a planned day, and why. `day` counts from the infusion, day 0.

    `treatment` is the one it belongs to, None = the newest.
    """

    day: int
    reason: Clinical
    occurred: When | None = None
    treatment: int | None = None
    type: Literal["OmitDepletionDay"] = "OmitDepletionDay"


Command = PlanDepletion | OmitDepletionDay


@dataclass(frozen=True, slots=True)
class PlannedDrug:
    """A drug of the protocol as it stood when the days were planned."""

    drug: Clinical
    dose: Clinical
    unit: Clinical
    days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DepletionPlanned:
    """The days of lymphodepletion are planned."""

    treatment: int
    variant: Clinical
    infusion_day: date
    drugs: tuple[PlannedDrug, ...]
    type: Literal["DepletionPlanned"] = "DepletionPlanned"


@dataclass(frozen=True, slots=True)
class DepletionDayOmitted:
    """Nothing was given on a planned day."""

    treatment: int
    day: int
    reason: Clinical
    type: Literal["DepletionDayOmitted"] = "DepletionDayOmitted"


Event = DepletionPlanned | DepletionDayOmitted

TAKES = (
    Takes(
        PlanDepletion,
        (DepletionPlanned,),
        at=(Stage.LYMPHODEPLETION,),
        by=Action.ANSWER,
        answers=("confirm_depletion_start",),
    ),
    Takes(
        OmitDepletionDay,
        (DepletionDayOmitted,),
        at=stages(Stage.LYMPHODEPLETION),
        by=Action.ANSWER,
        answers=("confirm_depletion_start",),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a command about planned days: return the events it brings about. Raises Refused."""
    match command:
        case PlanDepletion():
            return [_planned_by(case, command, now)]
        case OmitDepletionDay():
            return [_omitted(case, command)]
        case _:
            assert_never(command)


def _planned_by(case: Case, c: PlanDepletion, now: datetime) -> Event:
    known = _newest(case)
    require(known.depletion in ("none", "started"), Reason.NOT_NOW, "lymphodepletion is over")
    choice = variants(case)
    require(choice, Reason.NOT_NOW, "the protocol names no days of lymphodepletion")
    variant = str(c.variant) or (choice[0] if len(choice) == 1 else "")
    require(variant in choice, Reason.INVALID, f"the variant is one of: {', '.join(choice)}", "variant")
    near = abs(c.infusion_day - now.date()) <= FARTHEST
    require(near, Reason.INVALID, f"an infusion is planned within {FARTHEST.days} days of today", "infusion_day")
    require_turn(case, c.infusion_day)
    event = _planned(case, known, variant, c.infusion_day)
    require(_plan(event) != known.plan, Reason.ALREADY, "these days are planned already", "infusion_day")
    return event


def _omitted(case: Case, c: OmitDepletionDay) -> Event:
    found = [t for t in case.treatments if c.treatment in (None, t.number)]
    known = found[-1] if found else None
    planned = known.plan.days if known and known.plan else ()
    if known is None or c.day not in planned:
        words = ", ".join(map(str, planned)) or "none"
        raise Refused(Reason.INVALID, f"that is no planned day; those planned are: {words}", "day")
    require(c.reason, Reason.INVALID, "say why nothing was given", "reason")
    given = any(d.day == c.day and d.outcome != "omitted" for d in known.days)
    require(not given, Reason.ALREADY, "that day was told as given; correct that fact instead", "day")
    return DepletionDayOmitted(known.number, c.day, c.reason)


def _newest(case: Case) -> Treatment:
    if case.treatment is None:
        raise Refused(Reason.MISSING, "no treatment is under way")
    return case.treatment


def _rows(case: Case) -> Sequence[Depletion]:
    noted: Sequence[Depletion] = case.noted(case.protocol).get("lymphodepletion", ())
    return noted


def variants(case: Case) -> Sequence[str]:
    """List the variants the protocol names days of; one without a name where none is named; empty = no days."""
    rows = _rows(case)
    named = tuple(dict.fromkeys(row.variant for row in rows if row.variant))
    return named or (("",) if rows else ())


def _planned(case: Case, known: Treatment, variant: str, infusion_day: date) -> DepletionPlanned:
    """A row that names no variant belongs to each."""
    rows = [row for row in _rows(case) if row.variant in ("", variant)]
    drugs = tuple(PlannedDrug(row.drug, row.dose, row.unit, row.days) for row in rows)
    return DepletionPlanned(known.number, variant, infusion_day, drugs)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold a plan, or a day that was left out."""
    event = fact.event
    match event:
        case DepletionPlanned():
            return in_treatment(case, event.treatment, plan=_plan(event))
        case DepletionDayOmitted():
            reason = _text(event.reason)
            told = DepletionDay(event.day, "omitted", local_day(case, fact.occurred), reason=reason)
            return with_day(case, event.treatment, told)
        case _:
            assert_never(event)


def _plan(event: DepletionPlanned) -> DepletionPlan:
    drugs = tuple(DrugDays(_text(d.drug), _text(d.dose), _text(d.unit), d.days) for d in event.drugs)
    return DepletionPlan(_text(event.variant), event.infusion_day, drugs)


def _text(said: object) -> str:
    """Nothing where its key is gone."""
    return said if isinstance(said, str) else ""


def _under_way(case: Case) -> Treatment | None:
    """The treatment whose lymphodepletion is due or being given, once its gate is signed."""
    here = case.stage is Stage.LYMPHODEPLETION and not case.exit
    known = case.treatment
    if not here or known is None or not known.gate or known.depletion not in ("none", "started"):
        return None
    return None if stands_still(case) and known.depletion == "none" else known


def follows_from_a_day(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A day told with its number and date plans the others, where the protocol has one variant only."""
    known, choice = _under_way(case), variants(case)
    if known is None or known.plan is not None or len(choice) != 1:
        return []
    event = _planned(case, known, choice[0], now.date())
    told = next((d for d in known.days if d.on is not None and d.day in _plan(event).days), None)
    if told is None or told.on is None:
        return []
    return [_planned(case, known, choice[0], told.on - timedelta(days=told.day))]


RULES = (
    Rule(
        "depletion_days_planned",
        1,
        follows_from_a_day,
        (DepletionGiven.__name__, "ProtocolStateNoted"),
        (DepletionPlanned,),
    ),
)


def _unplanned(case: Case) -> Iterable[str]:
    known = _under_way(case)
    return [str(known.number)] if known and known.plan is None and variants(case) and not consent_gone(case) else []


def _untold(case: Case) -> Iterable[str]:
    """Each planned day of the newest treatment, until it is told, broken off, or the patient is in follow-up."""
    known = case.treatment
    there = case.stage in (Stage.LYMPHODEPLETION, Stage.INFUSION) and not case.exit
    if not there or known is None or known.plan is None or known.given_up or known.depletion in ("omitted", "stopped"):
        return []
    if stands_still(case) and known.depletion == "none":
        return []
    return [f"{known.number}/{day}" for day in known.plan.days if not _told(known, day)]


def _told(known: Treatment, day: int) -> bool:
    return any(d.day == day for d in known.days)


def _treatment_of(case: Case, about: str) -> Treatment | None:
    return next((t for t in case.treatments if str(t.number) == About.of(about).id), None)


def _met(case: Case, about: str) -> bool:
    known = _treatment_of(case, about)
    return known is not None and _told(known, About.of(about).number)


def _told_by(case: Case, about: str) -> datetime | None:
    known = _treatment_of(case, about)
    if known is None or known.plan is None:
        return None
    following = known.plan.on(About.of(about).number) + timedelta(days=1)
    return datetime.combine(following, TOLD_BY, zone_of(case)).astimezone(UTC)


OWES = (
    Owes(
        "depletion_plan",
        Party.HOSPITAL,
        Party.COORDINATOR,
        _unplanned,
        lambda c, about: (known := _treatment_of(c, about)) is not None and known.plan is not None,
        asked_by="confirm_depletion_start",
    ),
    Owes(
        "depletion_day",
        Party.HOSPITAL,
        Party.COORDINATOR,
        _untold,
        _met,
        _told_by,
        asked_by="confirm_depletion_start",
        settled_in="lymphodepletion",
    ),
)


Outcome = Literal["planned", "late", "given", "reduced", "omitted", "broken_off"]


@dataclass(frozen=True, slots=True)
class DayLine:
    """One day as a table shows it: what is planned on which date, and what became of it.

    `late`: it was to be told and was not; `broken_off`: lymphodepletion ended before it. `on` is the date it was given
    on, else the planned one, None = unknown. `drugs` is empty for a day that was given without being planned.
    """

    treatment: int
    day: int
    on: date | None
    drugs: tuple[DrugDays, ...]
    outcome: Outcome
    told: str
    reason: str


def day_lines(case: Case) -> Sequence[DayLine]:
    """Return the days of every treatment in order, planned or told."""
    return [
        _line(case, known, day)
        for known in case.treatments
        for day in sorted({*(known.plan.days if known.plan else ()), *(d.day for d in known.days)})
    ]


def _line(case: Case, known: Treatment, day: int) -> DayLine:
    told = next((d for d in known.days if d.day == day), None)
    drugs = tuple(drug for drug in (known.plan.drugs if known.plan else ()) if day in drug.days)
    planned = known.plan.on(day) if known.plan and drugs else None
    if told is not None:
        return DayLine(known.number, day, told.on or planned, drugs, told.outcome, told.told, told.reason)
    return DayLine(known.number, day, planned, drugs, _became(case, known, day), "", "")


def _became(case: Case, known: Treatment, day: int) -> Outcome:
    """A missed day is late for as long as it could still be told; what was never told stays so."""
    if known.depletion in ("omitted", "stopped") or known.given_up:
        return "broken_off"
    owed = case.latest("depletion_day", f"{known.number}/{day}")
    return "late" if owed is not None and owed.state in ("missed", "withdrawn") else "planned"

"""Re-dosing [S11]: a new treatment of the same case, decided by a clinician, with its own dose, gate and day 0."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, assert_never

from domain.case.phases.redosing import Overruled
from domain.case.stage import Stage, stages
from domain.case.state import Case, in_treatment
from domain.case.table import Need, Owes, Rule, Takes
from domain.case.track import Track
from domain.case.treatment import Treatment
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, Identity, readable
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.stages.eligibility.redosing_criteria import RedosingQuestion, left_unmet, redosing_standings
from domain.stages.governing.by_class import from_stock


@dataclass(frozen=True, slots=True)
class DecideRedosing:
    """A clinician decides on another treatment; `planned_infusions` of it.

    `despite` is the clinician's reason where something the protocol asks before another dose is not met or not known.
    """

    clinician: Identity
    reason: Clinical = ""
    planned_infusions: int = 1
    despite: Clinical = ""
    type: Literal["DecideRedosing"] = "DecideRedosing"


@dataclass(frozen=True, slots=True)
class GiveUpRedosing:
    """A clinician decides against it after all; follow-up of the earlier dose goes on."""

    clinician: Identity
    reason: Clinical
    type: Literal["GiveUpRedosing"] = "GiveUpRedosing"


Command = DecideRedosing | GiveUpRedosing


@dataclass(frozen=True, slots=True)
class TreatmentPlanned:
    """A treatment begins: lymphodepletion or its omission, then the planned infusions."""

    treatment: int
    planned_infusions: int
    type: Literal["TreatmentPlanned"] = "TreatmentPlanned"


@dataclass(frozen=True, slots=True)
class RedosingDecided:
    """Another treatment will be given; `despite` says why, over the `unmet`: not met or not known."""

    clinician: Identity
    reason: Clinical
    despite: Clinical = ""
    unmet: tuple[RedosingQuestion, ...] = ()
    schema_version: ClassVar[int] = 2
    type: Literal["RedosingDecided"] = "RedosingDecided"


@dataclass(frozen=True, slots=True)
class RedosingGivenUp:
    """The treatment under way will not be given, or not to its end."""

    treatment: int
    clinician: Identity
    reason: Clinical
    type: Literal["RedosingGivenUp"] = "RedosingGivenUp"


@dataclass(frozen=True, slots=True)
class ReturnAwaited:
    """The patient went home before the treatment that is planned; the way to the centre is made anew."""

    treatment: int
    type: Literal["ReturnAwaited"] = "ReturnAwaited"


Event = TreatmentPlanned | RedosingDecided | RedosingGivenUp | ReturnAwaited

TAKES = (
    Takes(
        DecideRedosing,
        (RedosingDecided, TreatmentPlanned),
        at=stages(Stage.INFUSION, Stage.FOLLOW_UP),
        by=Action.ANSWER,
        answers=("redosing_decision", "after_loss"),
    ),
    Takes(
        GiveUpRedosing,
        (RedosingGivenUp,),
        at=stages(Stage.LYMPHODEPLETION, Stage.REDOSING),
        by=Action.ANSWER,
        answers=("redosing_decision",),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a re-dosing command: return the events it brings about. Raises Refused."""
    match command:
        case DecideRedosing():
            return _decided(case, command, now)
        case GiveUpRedosing():
            return [RedosingGivenUp(_running(case).number, command.clinician, command.reason)]
        case _:
            assert_never(command)


def _decided(case: Case, c: DecideRedosing, now: datetime) -> Sequence[Event]:
    require(c.planned_infusions > 0, Reason.INVALID, "at least one infusion", "planned_infusions")
    require(case.exit is None, Reason.NOT_NOW, "the journey was left; reopen it first")
    words = "the risks of another dose are not accepted; the patient's consent names them (risks, redosing)"
    require(case.consent_rules == 0 or case.accepts_risk("redosing"), Reason.MISSING, words)
    begun = case.treatment is not None and (case.treatment.infusions or case.treatment.given_up)
    require(begun, Reason.NOT_NOW, "a treatment is planned already")
    require(not (case.treatment and case.treatment.thawed), Reason.NOT_NOW, "a unit is thawing")
    planned = TreatmentPlanned(len(case.treatments) + 1, c.planned_infusions)
    over = left_unmet(redosing_standings(case, now, c.planned_infusions))
    _require_despite(over, c.despite)
    return [RedosingDecided(c.clinician, c.reason, c.despite if over else "", over), planned]


def _require_despite(over: Sequence[RedosingQuestion], despite: Clinical) -> None:
    """Refuse another dose over what the protocol asks without the clinician's reason [redosing.despite]."""
    way_on = (
        f"the protocol asks before another dose what is not met or not known: {', '.join(over)}; "
        "record what is missing, or say why it is decided all the same"
    )
    require(not over or readable(despite), Reason.MISSING, way_on, "despite")


def _running(case: Case) -> Treatment:
    """The re-dosing that can still be given up."""
    t = case.treatment
    if t is None or t.complete or not case.infusions or len(case.treatments) == 1:
        raise Refused(Reason.NOT_NOW, "no re-dosing is under way")
    require(not t.thawed, Reason.NOT_NOW, "a unit is thawing")
    return t


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one re-dosing event."""
    event = fact.event
    match event:
        case TreatmentPlanned():
            new = Treatment(event.treatment, event.planned_infusions)
            planned = replace(case, treatments=(*case.treatments, new), pathway="", fit_home="")
            return _come_again(planned, fact.id) if case.home is not None else planned
        case RedosingDecided():
            return _noted(replace(case, progressed="", loss_open=""), event)
        case ReturnAwaited():
            return _come_again(case, fact.id)
        case RedosingGivenUp():
            return replace(in_treatment(case, event.treatment, given_up=True), pathway="observe", returning=False)
        case _:
            assert_never(event)


def _noted(case: Case, event: RedosingDecided) -> Case:
    """Keep what it was decided over; where nothing stood against it there is nothing to keep."""
    if not event.unmet:
        return case
    reason = event.despite if isinstance(event.despite, str) else ""
    return replace(case, overruled=(*case.overruled, Overruled(len(case.treatments) + 1, event.unmet, reason)))


def _come_again(case: Case, fact: str) -> Case:
    """The patient is home: letter, visa, ticket, bed and arrival start anew, and what was waived for the first way."""
    return replace(
        case,
        returning=True,
        entered=None,
        stay_until=None,
        extension="none",
        address="",
        admitted="",
        discharged="",
        stay_plan={},
        arrival_waived=frozenset(),
        moved=None,
        bed=_anew(case.bed, fact),
        letter=_anew(case.letter, fact),
        fit_to_travel=_anew(case.fit_to_travel, fact),
        travel=_anew(case.travel, fact),
    )


def _anew(track: Track, fact: str) -> Track:
    return track if track.state == "none" else track.again(fact, "none")


def first_treatment(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Reaching lymphodepletion plans the first treatment, as many infusions as the protocol says."""
    due = case.stage is Stage.LYMPHODEPLETION and not case.treatments and not case.exit
    planned = int(case.noted(case.protocol).get("planned_infusions", 1) or 1)
    return [TreatmentPlanned(1, planned)] if due else []


def home_before_it(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Going home with a re-dosing planned means to come again for it."""
    away = case.home is not None and case.entered is not None and not (case.exit or case.died)
    return [ReturnAwaited(len(case.treatments))] if away and case.infusions and untouched(case) else []


RULES = (
    Rule("first_treatment", 1, first_treatment, ("StageEntered",), (TreatmentPlanned,)),
    Rule("home_before_redosing", 1, home_before_it, ("ReturnedHome", "RedosingDecided"), (ReturnAwaited,)),
)


def untouched(case: Case) -> bool:
    """Return whether the newest treatment is planned and nothing of it has begun."""
    return case.treatment is not None and case.treatment.untouched


def over(case: Case) -> bool:
    """Return whether there will be no further treatment."""
    return not untouched(case) and case.pathway not in ("", "redose")


NEEDS = (
    Need("next treatment decided, or given up", lambda c, _: untouched(c) or over(c), rests_on=("RedosingDecided",)),
    Need("back at the centre", lambda c, _: not c.returning or over(c), rests_on=("PatientArrived",)),
    Need("dose held", lambda c, now: c.dose.good_at(now) or over(c) or not from_stock(c), rests_on=("DoseHeld",)),
    Need(
        "permitted stay not over",
        lambda c, now: c.stay_until is None or now < c.stay_until or over(c),
        rests_on=("PatientArrived", "StayExtensionDecided"),
    ),
)


def _undecided(case: Case) -> Iterable[str]:
    open_question = case.stage is Stage.REDOSING and not case.exit and not untouched(case) and not over(case)
    return [str(len(case.treatments))] if open_question else []


OWES = (
    Owes(
        "redosing_decision",
        Party.HOSPITAL,
        Party.COORDINATOR,
        _undecided,
        lambda c, _: not c.exit and (untouched(c) or over(c)),
    ),
)

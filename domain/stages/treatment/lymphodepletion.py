"""Lymphodepletion [S7]: the gate that is never waived, then the days of chemotherapy, or their recorded omission."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, Literal, assert_never
from zoneinfo import ZoneInfo

from domain.case.asking import service
from domain.case.consenting import consent_gone, consents_to_cells, form_asked
from domain.case.stage import Stage, stages
from domain.case.state import Case, in_treatment
from domain.case.table import Need, Owes, Takes, Wants
from domain.case.treatment import DepletionDay, Treatment
from domain.core.codes import require_days
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, Identity
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.core.when import When
from domain.stages.eligibility.review_again import require_nothing_changed
from domain.stages.eligibility.submissions import require_open_door
from domain.stages.governing.by_class import depletion_planned, from_stock
from domain.stages.governing.cohort_place import infusion_day, kept, require_turn
from domain.stages.governing.standing_still import stands_still


@dataclass(frozen=True, slots=True)
class SignGate:
    """A clinician signs that nothing stands against starting. Dose, lot and door are checked at this instant."""

    clinician: Identity
    no_active_infection: bool
    organ_function_fine: bool
    finding: Clinical = ""
    type: Literal["SignGate"] = "SignGate"


@dataclass(frozen=True, slots=True)
class RecordDepletion:
    """One day of chemotherapy as the hospital gave it. `regimen` names drugs and doses as the hospital wrote them.

    `treatment` is the one it belongs to, None = the newest that has begun; told late, it changes no later step.
    `day` counts from the infusion, day 0; `reduced` says why less was given than planned, empty = as planned.
    """

    regimen: Clinical
    day: int | None = None
    occurred: When | None = None
    treatment: int | None = None
    reduced: Clinical = ""
    type: Literal["RecordDepletion"] = "RecordDepletion"


@dataclass(frozen=True, slots=True)
class CompleteDepletion:
    """The last day was given. The product's window closes `window_days` days later, None = as the policy says."""

    window_days: int | None = None
    occurred: When | None = None
    type: Literal["CompleteDepletion"] = "CompleteDepletion"


@dataclass(frozen=True, slots=True)
class OmitDepletion:
    """The protocol or the clinician left lymphodepletion out."""

    reason: Clinical
    occurred: When | None = None
    type: Literal["OmitDepletion"] = "OmitDepletion"


@dataclass(frozen=True, slots=True)
class StopDepletion:
    """It was broken off. What was given cannot be undone."""

    reason: Clinical
    occurred: When | None = None
    type: Literal["StopDepletion"] = "StopDepletion"


Command = SignGate | RecordDepletion | CompleteDepletion | OmitDepletion | StopDepletion


@dataclass(frozen=True, slots=True)
class GateSigned:
    """A clinician signed the gate for one treatment."""

    treatment: int
    clinician: Identity
    finding: Clinical
    type: Literal["GateSigned"] = "GateSigned"


@dataclass(frozen=True, slots=True)
class DepletionGiven:
    """Chemotherapy was given: the point of no cheap return."""

    treatment: int
    regimen: Clinical
    day: int | None
    reduced: Clinical = ""
    schema_version: ClassVar[int] = 2
    type: Literal["DepletionGiven"] = "DepletionGiven"


@dataclass(frozen=True, slots=True)
class DepletionCompleted:
    """Lymphodepletion is complete; the window for the cells closes at `window_closes`, None = unknown."""

    treatment: int
    window_closes: datetime | None
    type: Literal["DepletionCompleted"] = "DepletionCompleted"


@dataclass(frozen=True, slots=True)
class DepletionOmitted:
    """No lymphodepletion for this treatment."""

    treatment: int
    reason: Clinical
    type: Literal["DepletionOmitted"] = "DepletionOmitted"


@dataclass(frozen=True, slots=True)
class DepletionStopped:
    """Lymphodepletion was broken off."""

    treatment: int
    reason: Clinical
    type: Literal["DepletionStopped"] = "DepletionStopped"


Event = GateSigned | DepletionGiven | DepletionCompleted | DepletionOmitted | DepletionStopped

TAKES = (
    Takes(SignGate, (GateSigned,), at=(Stage.LYMPHODEPLETION,), by=Action.ANSWER, answers=("gate",)),
    Takes(
        RecordDepletion,
        (DepletionGiven,),
        at=stages(Stage.LYMPHODEPLETION),
        by=Action.ANSWER,
        answers=("confirm_depletion_start",),
        settles=("depletion_report",),
    ),
    Takes(
        CompleteDepletion,
        (DepletionCompleted,),
        at=stages(Stage.LYMPHODEPLETION),
        by=Action.ANSWER,
        answers=("confirm_depletion_start",),
    ),
    Takes(
        OmitDepletion, (DepletionOmitted,), at=(Stage.LYMPHODEPLETION,), by=Action.ANSWER, settles=("depletion_report",)
    ),
    Takes(
        StopDepletion,
        (DepletionStopped,),
        at=stages(Stage.LYMPHODEPLETION),
        by=Action.ANSWER,
        answers=("confirm_depletion_start",),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a lymphodepletion command: return the events it brings about. Raises Refused."""
    treatment = _treatment(case)
    number = treatment.number
    match command:
        case SignGate():
            _gate_checks(case, command, treatment, now, policy)
            return [GateSigned(number, command.clinician, command.finding)]
        case RecordDepletion():
            return [_given(case, command)]
        case CompleteDepletion():
            require(treatment.depletion == "started", Reason.NOT_NOW, "lymphodepletion is not under way")
            return [DepletionCompleted(number, _window(command, now, policy))]
        case OmitDepletion():
            require(treatment.gate, Reason.MISSING, "the lymphodepletion gate is not signed")
            require(treatment.depletion == "none", Reason.NOT_NOW, "lymphodepletion has started")
            return [DepletionOmitted(number, command.reason)]
        case StopDepletion():
            require(treatment.depletion == "started", Reason.NOT_NOW, "lymphodepletion is not under way")
            return [DepletionStopped(number, command.reason)]
        case _:
            assert_never(command)


def _given(case: Case, c: RecordDepletion) -> Event:
    """At its stage it waits for the gate; told late it happened, whatever was told before it."""
    known = _named(case, c.treatment)
    late = case.stage is not Stage.LYMPHODEPLETION or case.treatment != known
    require(late or known.gate, Reason.MISSING, "the lymphodepletion gate is not signed")
    return DepletionGiven(known.number, c.regimen, c.day, c.reduced)


def _named(case: Case, number: int | None) -> Treatment:
    if number is None:
        begun = [t for t in case.treatments if not t.untouched] if case.stage is not Stage.LYMPHODEPLETION else []
        return begun[-1] if begun else _treatment(case)
    found = next((t for t in case.treatments if t.number == number), None)
    if found is None:
        raise Refused(Reason.NOT_FOUND, "no such treatment", "treatment")
    return found


def _treatment(case: Case) -> Treatment:
    if case.treatment is None:
        raise Refused(Reason.MISSING, "no treatment is under way")
    return case.treatment


def _gate_checks(case: Case, c: SignGate, treatment: Treatment, now: datetime, policy: Policy) -> None:
    require(not treatment.gate, Reason.ALREADY, "the gate is signed for this treatment")
    require(consents_to_cells(case), Reason.MISSING, f"consent to the {form_asked(case)} is not given")
    require(case.consented("risks"), Reason.MISSING, "acceptance of the particular risks is not given")
    require(c.no_active_infection, Reason.INVALID, "an active infection keeps the gate closed", "no_active_infection")
    require(c.organ_function_fine, Reason.INVALID, "unfit organ function keeps the gate closed", "organ_function_fine")
    require_nothing_changed(case)
    require_open_door(case, case.centre, case.protocol, now)
    require_turn(case, infusion_day(case, now))
    require_good_dose(case, now)
    expires, leaves = case.noted(case.lot).get("expires"), case.stay_until
    lasts = not from_stock(case) or (isinstance(expires, datetime) and expires >= now + policy.dose_margin)
    require(lasts, Reason.LAPSED, "the lot expires too soon for the days before the infusion")
    stays = leaves is None or leaves >= now + policy.stay_margin
    require(stays, Reason.LAPSED, "the permitted stay ends too soon; it is extended first")


def require_good_dose(case: Case, now: datetime) -> None:
    """Refuse unless a dose is held now, of a lot that is released and has not expired; none where none is thawed."""
    if not from_stock(case):
        return
    require(case.dose.good_at(now), Reason.LAPSED, "no dose is held now")
    lot = case.noted(case.lot)
    require(lot.get("state") == "released", Reason.NEVER_WAIVED, "the lot is not known to be released")
    expires = lot.get("expires")
    require(isinstance(expires, datetime) and now < expires, Reason.LAPSED, "the lot has expired")


def _window(c: CompleteDepletion, now: datetime, policy: Policy) -> datetime | None:
    require(c.window_days is None or c.window_days > 0, Reason.INVALID, "a window has at least one day", "window_days")
    require_days(c.window_days or 0, "window_days")
    length = policy.infusion_window if c.window_days is None else timedelta(days=c.window_days)
    last = now if c.occurred is None else c.occurred.latest if c.occurred.known else None
    return last + length if last else None


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one lymphodepletion event."""
    event = fact.event
    match event:
        case GateSigned():
            return in_treatment(case, event.treatment, gate=fact.id)
        case DepletionGiven():
            told = with_day(case, event.treatment, _day_given(case, event, fact))
            return told if _told_late(case, event) else in_treatment(told, event.treatment, depletion="started")
        case DepletionCompleted():
            return in_treatment(case, event.treatment, depletion="completed", window_closes=event.window_closes)
        case DepletionOmitted():
            return in_treatment(case, event.treatment, depletion="omitted")
        case DepletionStopped():
            return in_treatment(case, event.treatment, depletion="stopped")
        case _:
            assert_never(event)


def _day_given(case: Case, event: DepletionGiven, fact: Fact[Event]) -> DepletionDay | None:
    """What it tells of a numbered day; None where the hospital did not say which."""
    if event.day is None:
        return None
    told, reason = (text if isinstance(text, str) else "" for text in (event.regimen, event.reduced))
    return DepletionDay(event.day, "reduced" if reason else "given", local_day(case, fact.occurred), told, reason)


def local_day(case: Case, occurred: When) -> date | None:
    """Return the date where the centre is; None while it is not known to the day."""
    if occurred.precision != "instant" or occurred.earliest is None:
        return occurred.day
    return occurred.earliest.astimezone(zone_of(case)).date()


def zone_of(case: Case) -> ZoneInfo:
    """Return the zone of the treating centre; UTC while nobody said."""
    return ZoneInfo(str(case.noted(case.centre).get("zone") or "UTC"))


def with_day(case: Case, number: int, day: DepletionDay | None) -> Case:
    """Return the case with one day of a treatment told; the newest telling of a day counts."""
    known = next((t for t in case.treatments if t.number == number), None)
    if known is None or day is None:
        return case
    others = (d for d in known.days if d.day != day.day)
    return in_treatment(case, number, days=tuple(sorted((*others, day), key=lambda d: d.day)))


def _told_late(case: Case, event: DepletionGiven) -> bool:
    """What is over does not begin again when one of its days is written down."""
    known = next((t for t in case.treatments if t.number == event.treatment), None)
    over = known is not None and known.depletion in ("completed", "stopped")
    return over and (case.stage is not Stage.LYMPHODEPLETION or known != case.treatment)


def _here(case: Case) -> bool:
    return case.stage is Stage.LYMPHODEPLETION and not case.exit and case.treatment is not None


def _gated(case: Case) -> bool:
    return bool(case.treatment and case.treatment.gate)


def _ready(case: Case) -> bool:
    """Whether nothing of it is to come: done, left out, or not planned by the protocol [depletion.none-planned]."""
    t, none = case.treatment, not depletion_planned(case)
    return t is not None and (t.depletion in ("completed", "omitted") or (none and t.depletion == "none"))


NEEDS = (
    Need("lymphodepletion gate signed", lambda c, _: _gated(c), waivable=False, rests_on=("GateSigned",)),
    Need(
        "lymphodepletion completed or left out",
        lambda c, _: _ready(c),
        rests_on=("DepletionCompleted", "DepletionOmitted", "ProtocolStateNoted"),
    ),
)


def _stopped(case: Case) -> bool:
    """The trial went on hold before the first day of chemotherapy."""
    return stands_still(case) and case.treatment is not None and case.treatment.depletion == "none"


def _this(case: Case) -> Iterable[str]:
    return [str(len(case.treatments))]


OWES = (
    Owes(
        "gate",
        Party.HOSPITAL,
        Party.COORDINATOR,
        lambda c: _this(c) if _here(c) and not (_gated(c) or kept(c)) else [],
        lambda c, _: _gated(c),
    ),
    Owes(
        "depletion_report",
        Party.HOSPITAL,
        Party.COORDINATOR,
        lambda c: _this(c) if _here(c) and _gated(c) and not _ready(c) else [],
        lambda c, _: _ready(c),
        asked_by="confirm_depletion_start",
    ),
)

WANTS = (
    Wants(
        "confirm_depletion_start",
        Party.HOSPITAL,
        lambda c: _this(c) if _here(c) and _gated(c) and not (_stopped(c) or consent_gone(c)) else [],
        asks=service("Please confirm the start and report each day"),
    ),
)

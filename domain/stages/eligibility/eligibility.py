"""Eligibility [S3]: a centre asks for more, accepts for a time, or declines and then names another way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, assert_never

from domain.case.phases.submissions import ASKED, CriterionResult, Reading
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Need, Owes, Takes
from domain.core.about import About
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, Identity, readable
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.stages.eligibility.criteria import against
from domain.stages.eligibility.review_again import unreviewed, version_of
from domain.stages.eligibility.submissions import (
    LIVE,
    by_round,
    ended,
    moved,
    past,
    protocol_open,
    require_not_there,
    require_submission,
    standing,
)
from domain.stages.governing.by_class import from_stock
from domain.stages.records import dossier
from domain.stages.records.records import RecordKind, RecordRequested


@dataclass(frozen=True, slots=True)
class AskForMore:
    """The hospital needs more documents before it can decide."""

    submission: str
    kinds: tuple[RecordKind, ...]
    note: Identity = ""
    type: Literal["AskForMore"] = "AskForMore"


@dataclass(frozen=True, slots=True)
class RecordCriterion:
    """Record how one criterion of the protocol stands, as a person read it."""

    submission: str
    criterion: str
    result: CriterionResult
    finding: Clinical = ""
    type: Literal["RecordCriterion"] = "RecordCriterion"


@dataclass(frozen=True, slots=True)
class AcceptPatient:
    """The treating centre provisionally accepts, signed by a named clinician; valid 28 days unless it says.

    `despite` is the clinician's reason where a criterion of the protocol stands as not met.
    """

    submission: str
    clinician: Identity
    valid_until: datetime | None = None
    despite: Clinical = ""
    type: Literal["AcceptPatient"] = "AcceptPatient"


@dataclass(frozen=True, slots=True)
class DeclinePatient:
    """The treating centre says no. `alternative` is never empty: another way is always named."""

    submission: str
    clinician: Identity
    code: Literal["cohort_full", "criteria_not_met", "protocol_closed", "progression", "redirect", "other"]
    alternative: Clinical
    type: Literal["DeclinePatient"] = "DeclinePatient"


Command = AskForMore | RecordCriterion | AcceptPatient | DeclinePatient


@dataclass(frozen=True, slots=True)
class MoreAsked:
    """The centre needs more before it decides."""

    submission: str
    kinds: tuple[RecordKind, ...]
    note: Identity
    type: Literal["MoreAsked"] = "MoreAsked"


@dataclass(frozen=True, slots=True)
class CriterionRecorded:
    """One criterion was read against the protocol by a person."""

    submission: str
    criterion: str
    result: CriterionResult
    finding: Clinical
    type: Literal["CriterionRecorded"] = "CriterionRecorded"


@dataclass(frozen=True, slots=True)
class PatientAccepted:
    """The treating centre accepted, provisionally, until `valid_until`; `despite` says why over what is not met.

    `protocol_version` is the version it was given under, 0 = not known.
    """

    submission: str
    clinician: Identity
    valid_until: datetime
    despite: Clinical = ""
    protocol_version: int = 0
    schema_version: ClassVar[int] = 3
    type: Literal["PatientAccepted"] = "PatientAccepted"


@dataclass(frozen=True, slots=True)
class PatientDeclined:
    """The treating centre declined and an alternative was named."""

    submission: str
    clinician: Identity
    code: str
    alternative: Clinical
    type: Literal["PatientDeclined"] = "PatientDeclined"


Event = MoreAsked | CriterionRecorded | PatientAccepted | PatientDeclined

TAKES = (
    Takes(
        AcceptPatient,
        (PatientAccepted,),
        at=stages(Stage.ELIGIBILITY, Stage.LYMPHODEPLETION, Stage.REDOSING),
        by=Action.ANSWER,
        answers=(
            "submit_dossier",
            "tell_centre_of_progression",
            "tell_centre_of_arrival",
            "reconfirm_decision",
            "amended_protocol",
        ),
    ),
    Takes(
        DeclinePatient,
        (PatientDeclined,),
        at=stages(Stage.ELIGIBILITY, Stage.ADMISSION),
        by=Action.ANSWER,
        answers=(
            "submit_dossier",
            "tell_centre_of_progression",
            "tell_centre_of_arrival",
            "reconfirm_decision",
            "amended_protocol",
        ),
    ),
    Takes(
        AskForMore,
        (MoreAsked, RecordRequested),
        at=stages(Stage.ELIGIBILITY, Stage.ADMISSION),
        by=Action.ANSWER,
        answers=("submit_dossier",),
    ),
    Takes(RecordCriterion, (CriterionRecorded,), at=stages(Stage.ELIGIBILITY, Stage.ADMISSION), by=Action.REVIEW),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event | RecordRequested]:
    """Decide an eligibility command: return the events it brings about. Raises Refused."""
    match command:
        case AskForMore():
            return _more(case, command, ids)
        case RecordCriterion():
            require_submission(case, command.submission, *LIVE, "declined", "withdrawn")
            return [CriterionRecorded(command.submission, command.criterion, command.result, command.finding)]
        case AcceptPatient():
            return [_accept(case, command, now, policy)]
        case DeclinePatient():
            return [_decline(case, command)]
        case _:
            assert_never(command)


def _more(case: Case, c: AskForMore, ids: Ids) -> Sequence[Event | RecordRequested]:
    require_submission(case, c.submission, "submitted", "acknowledged")
    require(c.kinds, Reason.INVALID, "name at least one kind of document", "kinds")
    asked = [RecordRequested(ids(), kind, "family", c.note) for kind in c.kinds]
    return [MoreAsked(c.submission, c.kinds, c.note), *asked]


def _accept(case: Case, c: AcceptPatient, now: datetime, policy: Policy) -> Event:
    known = require_submission(case, c.submission, *ASKED, "accepted")
    until = c.valid_until or now + policy.decision_valid
    require(until > now, Reason.INVALID, "the acceptance has ended already", "valid_until")
    _require_reason(against(case, known, now), c.despite)
    return PatientAccepted(c.submission, c.clinician, until, c.despite, version_of(case, known))


def _require_reason(not_met: Sequence[str], despite: Clinical) -> None:
    """Refuse to accept over a criterion that is not met without the clinician's reason [eligibility.despite]."""
    named = ", ".join(not_met)
    way_on = f"not met: {named}; give the clinician's reason to accept all the same, or record the criterion anew"
    require(not not_met or readable(despite), Reason.MISSING, way_on, "despite")


def _decline(case: Case, c: DeclinePatient) -> Event:
    require_not_there(case, require_submission(case, c.submission, *ASKED, "accepted"))
    require(c.alternative, Reason.INVALID, "a refusal names an alternative pathway", "alternative")
    return PatientDeclined(c.submission, c.clinician, c.code, c.alternative)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one eligibility event."""
    event = fact.event
    match event:
        case MoreAsked():
            return moved(case, event.submission, state="more_info")
        case CriterionRecorded():
            return _read(case, event)
        case PatientAccepted():
            return _taken(case, event, fact.id)
        case PatientDeclined():
            return replace(ended(case, event.submission, "declined", fact.id), alternative=fact.id)
        case _:
            assert_never(event)


def _taken(case: Case, event: PatientAccepted, fact: str) -> Case:
    """The centre has seen the case as it is now; an acceptance another gave before a change has not."""
    others = [s.id for s in case.submissions.values() if s.state == "accepted" and s.id != event.submission]
    if case.progressed:
        for one in others:
            case = moved(case, one, unseen=case.progressed)
    case = replace(case, progressed="", offered=case.offered if others else fact)
    until = event.valid_until
    return moved(
        case,
        event.submission,
        state="accepted",
        valid_until=until,
        fact=fact,
        unseen="",
        version=event.protocol_version,
    )


def _read(case: Case, event: CriterionRecorded) -> Case:
    known = case.submissions.get(event.submission)
    others = (one for one in known.criteria if one.criterion != event.criterion) if known else ()
    return moved(case, event.submission, criteria=(*others, Reading(event.criterion, event.result)))


def accepted_now(case: Case, now: datetime) -> bool:
    """Return whether a centre's acceptance stands at that instant."""
    known = case.accepted
    return known is not None and known.valid_until is not None and now < known.valid_until


NEEDS = (
    Need(
        "a centre's acceptance that still stands",
        lambda c, now: accepted_now(c, now) and not unreviewed(c),
        waivable=False,
        rests_on=("PatientAccepted", "ProgressionReported"),
    ),
    Need(
        "protocol known to be open",
        lambda c, now: protocol_open(c, c.centre, c.protocol, now),
        rests_on=("ProtocolStateNoted",),
    ),
    Need("quote accepted by the family", lambda c, _: c.quote.state == "held", rests_on=("QuoteAccepted",)),
    Need("dose held", lambda c, now: c.dose.good_at(now) or not from_stock(c), rests_on=("DoseHeld",)),
    Need("bed held", lambda c, now: c.bed.good_at(now), rests_on=("BedHeld",)),
)


def _valid_until(case: Case, about: str) -> datetime | None:
    known = case.submissions.get(About.of(about).id)
    return known.valid_until if known else None


def before_travel(case: Case) -> bool:
    """Return whether acceptance, price and holds still have to last until the patient arrives."""
    travelling = case.stage is Stage.ADMISSION and case.entered is None
    returning = case.stage is Stage.REDOSING and case.returning
    return (case.stage in (Stage.ELIGIBILITY, Stage.VISA) or travelling or returning) and not case.exit


def _accepted(case: Case) -> Iterable[str]:
    return [f"{s.id}/{s.fact}" for s in standing(case, "accepted") if before_travel(case)]


def _reconfirmed(case: Case, about: str) -> bool:
    known = case.submissions.get(About.of(about).id)
    return known is not None and known.state == "accepted" and known.fact != About.of(about).round


def _next_centre(case: Case) -> Iterable[str]:
    """Never a dead end: with nobody asked and nothing awaited from the family, the coordinator owes the next step."""
    if case.stage is not Stage.ELIGIBILITY or case.exit:
        return []
    pending = bool(standing(case, "submitted", "acknowledged", "accepted"))
    more = bool(standing(case, "more_info")) and dossier.awaited(case)
    return [] if pending or more else [f"after {len(case.submissions)}"]


OWES = (
    Owes(
        "next_centre",
        Party.COORDINATOR,
        Party.FAMILY,
        _next_centre,
        lambda c, about: about != f"after {len(c.submissions)}" or bool(standing(c, *ASKED, "accepted")),
        settled_in="submissions",
    ),
    Owes(
        "hospital_decision",
        Party.HOSPITAL,
        Party.COORDINATOR,
        lambda c: [by_round(s) for s in standing(c, "submitted", "acknowledged")],
        lambda c, about: past(c, about, "more_info", "accepted", "declined"),
        asked_by="submit_dossier",
    ),
    Owes(
        "reconfirm_decision",
        Party.HOSPITAL,
        Party.COORDINATOR,
        _accepted,
        lambda c, about: _reconfirmed(c, about) or c.entered is not None,
        _valid_until,
    ),
)

"""Eligibility [S3, S4]: centres review the frozen dossier and decide; estimate and quote; then dose and bed are held."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from domain.effects import Wants
from domain.errors import Reason, Refused, require
from domain.fact import Fact, Ids
from domain.obligations import Owes
from domain.personal import Clinical, Identity
from domain.policy import Party, Policy
from domain.stages.records import RecordKind, RecordRequested
from domain.state import Case, Stage, Submission, Track
from domain.table import Need, Rule

CriterionResult = Literal["met", "not_met", "unknown", "needs_review"]


@dataclass(frozen=True, slots=True)
class ChooseCentre:
    """A coordinator proposes a centre and one of its protocols, with the reasons; the name is never one."""

    centre: str
    protocol: str
    reason: Clinical = ""
    type: Literal["ChooseCentre"] = "ChooseCentre"


@dataclass(frozen=True, slots=True)
class SubmitDossier:
    """Put the frozen dossier before the chosen centre, or put a newer version before it again."""

    submission: str
    type: Literal["SubmitDossier"] = "SubmitDossier"


@dataclass(frozen=True, slots=True)
class AcknowledgeSubmission:
    """The hospital has the dossier and gives its own receipt number."""

    submission: str
    receipt: str
    type: Literal["AcknowledgeSubmission"] = "AcknowledgeSubmission"


@dataclass(frozen=True, slots=True)
class AskForMore:
    """The hospital needs more documents before it can decide."""

    submission: str
    kinds: tuple[RecordKind, ...]
    note: Identity = ""
    type: Literal["AskForMore"] = "AskForMore"


@dataclass(frozen=True, slots=True)
class RecordCriterion:
    """How one criterion of the protocol stands, as a person read it (DOMAIN.md 0.1)."""

    submission: str
    criterion: str
    result: CriterionResult
    finding: Clinical = ""
    type: Literal["RecordCriterion"] = "RecordCriterion"


@dataclass(frozen=True, slots=True)
class AcceptPatient:
    """The treating centre provisionally accepts, signed by a named clinician; valid 28 days unless it says."""

    submission: str
    clinician: Identity
    valid_until: datetime | None = None
    type: Literal["AcceptPatient"] = "AcceptPatient"


@dataclass(frozen=True, slots=True)
class DeclinePatient:
    """The treating centre says no. `alternative` is never empty: another way is always named."""

    submission: str
    clinician: Identity
    code: Literal["cohort_full", "criteria_not_met", "protocol_closed", "progression", "redirect", "other"]
    alternative: Clinical
    type: Literal["DeclinePatient"] = "DeclinePatient"


@dataclass(frozen=True, slots=True)
class WithdrawSubmission:
    """The case no longer asks this centre; the centre is told to destroy its copies where law allows."""

    submission: str
    type: Literal["WithdrawSubmission"] = "WithdrawSubmission"


@dataclass(frozen=True, slots=True)
class IssueEstimate:
    """Realistic range before travel, in the currency's main unit (ISO 4217)."""

    low: int
    high: int
    currency: str
    type: Literal["IssueEstimate"] = "IssueEstimate"


@dataclass(frozen=True, slots=True)
class AcknowledgeEstimate:
    """The family has seen the range and wants to go on."""

    person: str
    type: Literal["AcknowledgeEstimate"] = "AcknowledgeEstimate"


@dataclass(frozen=True, slots=True)
class GiveQuote:
    """The hospital's own price, in the currency's main unit; it supersedes the estimate."""

    submission: str
    total: int
    currency: str
    valid_until: datetime
    type: Literal["GiveQuote"] = "GiveQuote"


@dataclass(frozen=True, slots=True)
class AcceptQuote:
    """The family accepts the hospital's price while it is valid."""

    person: str
    type: Literal["AcceptQuote"] = "AcceptQuote"


Command = (
    ChooseCentre
    | SubmitDossier
    | AcknowledgeSubmission
    | AskForMore
    | RecordCriterion
    | AcceptPatient
    | DeclinePatient
    | WithdrawSubmission
    | IssueEstimate
    | AcknowledgeEstimate
    | GiveQuote
    | AcceptQuote
)


@dataclass(frozen=True, slots=True)
class CentreChosen:
    """A centre and a protocol are proposed for this case."""

    submission: str
    centre: str
    protocol: str
    reason: Clinical
    type: Literal["CentreChosen"] = "CentreChosen"


@dataclass(frozen=True, slots=True)
class DossierSubmitted:
    """A dossier version goes to the centre; `round` counts the submissions of one request."""

    submission: str
    dossier: int
    round: int
    type: Literal["DossierSubmitted"] = "DossierSubmitted"


@dataclass(frozen=True, slots=True)
class SubmissionAcknowledged:
    """The centre has the dossier."""

    submission: str
    receipt: str
    type: Literal["SubmissionAcknowledged"] = "SubmissionAcknowledged"


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
    """The treating centre accepted, provisionally, until `valid_until`."""

    submission: str
    clinician: Identity
    valid_until: datetime
    type: Literal["PatientAccepted"] = "PatientAccepted"


@dataclass(frozen=True, slots=True)
class PatientDeclined:
    """The treating centre declined and an alternative was named."""

    submission: str
    clinician: Identity
    code: str
    alternative: Clinical
    type: Literal["PatientDeclined"] = "PatientDeclined"


@dataclass(frozen=True, slots=True)
class SubmissionWithdrawn:
    """The case no longer asks this centre."""

    submission: str
    type: Literal["SubmissionWithdrawn"] = "SubmissionWithdrawn"


@dataclass(frozen=True, slots=True)
class EstimateIssued:
    """The family was told a realistic range."""

    low: int
    high: int
    currency: str
    type: Literal["EstimateIssued"] = "EstimateIssued"


@dataclass(frozen=True, slots=True)
class EstimateAcknowledged:
    """The family knows the range."""

    person: str
    type: Literal["EstimateAcknowledged"] = "EstimateAcknowledged"


@dataclass(frozen=True, slots=True)
class QuoteGiven:
    """The hospital named its price, valid until."""

    submission: str
    total: int
    currency: str
    valid_until: datetime
    type: Literal["QuoteGiven"] = "QuoteGiven"


@dataclass(frozen=True, slots=True)
class QuoteAccepted:
    """The family accepted the price."""

    person: str
    type: Literal["QuoteAccepted"] = "QuoteAccepted"


Event = (
    CentreChosen
    | DossierSubmitted
    | SubmissionAcknowledged
    | MoreAsked
    | CriterionRecorded
    | PatientAccepted
    | PatientDeclined
    | SubmissionWithdrawn
    | EstimateIssued
    | EstimateAcknowledged
    | QuoteGiven
    | QuoteAccepted
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event | RecordRequested]:
    """What an eligibility command brings about."""
    match command:
        case ChooseCentre():
            return _choose(case, command, ids)
        case SubmitDossier():
            return [_submit(case, command, now)]
        case AcknowledgeSubmission():
            _submission(case, command.submission, "submitted")
            return [SubmissionAcknowledged(command.submission, command.receipt)]
        case AskForMore():
            _submission(case, command.submission, "submitted", "acknowledged")
            require(command.kinds, Reason.INVALID, "name at least one kind of document", "kinds")
            asked = [RecordRequested(ids(), kind, "family", command.note) for kind in command.kinds]
            return [MoreAsked(command.submission, command.kinds, command.note), *asked]
        case RecordCriterion():
            _submission(case, command.submission)
            return [CriterionRecorded(command.submission, command.criterion, command.result, command.finding)]
        case AcceptPatient():
            return [_accept(case, command, now, policy)]
        case DeclinePatient():
            _submission(case, command.submission, "submitted", "acknowledged", "more_info", "accepted")
            return [_decline(command)]
        case WithdrawSubmission():
            _submission(case, command.submission, "chosen", "submitted", "acknowledged", "more_info", "accepted")
            return [SubmissionWithdrawn(command.submission)]
        case IssueEstimate():
            require(0 < command.low <= command.high, Reason.INVALID, "a range goes from low to high", "low")
            return [EstimateIssued(command.low, command.high, command.currency)]
        case AcknowledgeEstimate():
            require(case.estimate == "issued", Reason.MISSING, "no estimate is waiting to be acknowledged")
            return [EstimateAcknowledged(command.person)]
        case GiveQuote():
            _submission(case, command.submission, "accepted")
            require(command.valid_until > now, Reason.INVALID, "the quote has ended already", "valid_until")
            return [QuoteGiven(command.submission, command.total, command.currency, command.valid_until)]
        case AcceptQuote():
            require(case.quote.state == "asked", Reason.MISSING, "no quote is waiting to be accepted")
            require(case.quote.until and now < case.quote.until, Reason.LAPSED, "the quote has ended")
            return [QuoteAccepted(command.person)]
        case _:
            assert_never(command)


def _choose(case: Case, c: ChooseCentre, ids: Ids) -> Sequence[Event]:
    live = ("chosen", "submitted", "acknowledged", "more_info", "accepted")
    same = [s for s in case.submissions.values() if s.centre == c.centre and s.protocol == c.protocol]
    require(
        not any(s.state in live for s in same), Reason.ALREADY, "this centre is asked under this protocol", "centre"
    )
    require(case.accepted is None, Reason.ALREADY, "a centre has accepted; withdraw that first", "centre")
    return [CentreChosen(ids(), c.centre, c.protocol, c.reason)]


def _submission(case: Case, submission: str, *states: str) -> Submission:
    known = case.submissions.get(submission)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "no such submission in this case", "submission")
    require(not states or known.state in states, Reason.NOT_NOW, f"the submission is {known.state}", "submission")
    return known


def protocol_open(case: Case, protocol: str, now: datetime) -> bool:
    """Whether the protocol is known to be open at that instant: open is a lease that ends by itself (P7)."""
    state = case.noted(protocol)
    until = state.get("open_until")
    return bool(state.get("open")) and isinstance(until, datetime) and now < until


def require_open_door(case: Case, centre: str, protocol: str, now: datetime) -> None:
    """Refuse unless centre and protocol take patients right now."""
    require(case.noted(centre), Reason.NOT_FOUND, "no such centre in the catalogue", "centre")
    require(not case.noted(centre).get("paused"), Reason.LAPSED, "the centre takes no patients at present", "centre")
    require(case.noted(protocol), Reason.NOT_FOUND, "no such protocol in the catalogue", "protocol")
    require(
        protocol_open(case, protocol, now),
        Reason.LAPSED,
        "the protocol is not known to be open now; ask the centre to confirm it",
        "protocol",
    )


def _submit(case: Case, c: SubmitDossier, now: datetime) -> Event:
    known = _submission(case, c.submission, "chosen", "submitted", "acknowledged", "more_info")
    require(case.dossier.version > 0, Reason.MISSING, "there is no frozen dossier to submit")
    require(
        known.state == "chosen" or case.dossier.version > known.dossier,
        Reason.ALREADY,
        "this dossier version was submitted",
        "submission",
    )
    require(
        case.consented("share_with_hospital", known.centre),
        Reason.MISSING,
        "consent to share with this centre is not given",
        "submission",
    )
    require_open_door(case, known.centre, known.protocol, now)
    return DossierSubmitted(known.id, case.dossier.version, known.round + 1)


def _accept(case: Case, c: AcceptPatient, now: datetime, policy: Policy) -> Event:
    _submission(case, c.submission, "submitted", "acknowledged", "more_info", "accepted")
    other = case.accepted
    require(other is None or other.id == c.submission, Reason.ALREADY, "another centre has accepted", "submission")
    until = c.valid_until or now + policy.decision_valid
    require(until > now, Reason.INVALID, "the acceptance has ended already", "valid_until")
    return PatientAccepted(c.submission, c.clinician, until)


def _decline(c: DeclinePatient) -> Event:
    require(c.alternative, Reason.INVALID, "a refusal names an alternative pathway", "alternative")
    return PatientDeclined(c.submission, c.clinician, c.code, c.alternative)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one eligibility event."""
    event = fact.event
    match event:
        case CentreChosen():
            new = Submission(event.submission, event.centre, event.protocol, 0, "chosen", fact=fact.id)
            return replace(case, submissions={**case.submissions, new.id: new})
        case DossierSubmitted():
            return _moved(case, event.submission, state="submitted", dossier=event.dossier, round=event.round)
        case SubmissionAcknowledged():
            return _moved(case, event.submission, state="acknowledged")
        case MoreAsked():
            return _moved(case, event.submission, state="more_info")
        case CriterionRecorded():
            return case
        case PatientAccepted():
            return _moved(case, event.submission, state="accepted", valid_until=event.valid_until, fact=fact.id)
        case PatientDeclined():
            declined = _moved(case, event.submission, state="declined", fact=fact.id)
            return replace(declined, alternative=fact.id)
        case SubmissionWithdrawn():
            return _moved(case, event.submission, state="withdrawn")
        case EstimateIssued():
            return replace(case, estimate="issued")
        case EstimateAcknowledged():
            return replace(case, estimate="acknowledged")
        case QuoteGiven():
            return replace(case, quote=Track("asked", event.submission, event.valid_until, fact.id))
        case QuoteAccepted():
            return replace(case, quote=replace(case.quote, state="held", until=None))
        case _:
            assert_never(event)


def _moved(case: Case, submission: str, **changes: object) -> Case:
    known = case.submissions.get(submission)
    if known is None:
        return case
    changed = replace(known, **changes)  # type: ignore[arg-type]
    return replace(case, submissions={**case.submissions, submission: changed})


def accepted_now(case: Case, now: datetime) -> bool:
    """Whether a centre's acceptance stands at that instant."""
    known = case.accepted
    return known is not None and known.valid_until is not None and now < known.valid_until


def drop_others(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """One centre accepted, so the others are no longer asked."""
    if case.accepted is None:
        return []
    live = ("chosen", "submitted", "acknowledged", "more_info")
    return [SubmissionWithdrawn(s.id) for s in case.submissions.values() if s.state in live]


RULES = (Rule("one_centre_accepts", 1, drop_others, ("PatientAccepted",)),)

NEEDS = (
    Need("a centre's acceptance that still stands", accepted_now, waivable=False, rests_on=("PatientAccepted",)),
    Need(
        "protocol known to be open",
        lambda c, now: protocol_open(c, c.protocol, now),
        rests_on=("ProtocolStateNoted",),
    ),
    Need("quote accepted by the family", lambda c, _: c.quote.state == "held", rests_on=("QuoteAccepted",)),
    Need("dose held", lambda c, now: c.dose.good_at(now), rests_on=("DoseHeld",)),
    Need("bed held", lambda c, now: c.bed.good_at(now), rests_on=("BedHeld",)),
)


def _in(case: Case, *states: str) -> Iterable[Submission]:
    return [] if case.exit else [s for s in case.submissions.values() if s.state in states]


def _round(s: Submission) -> str:
    return f"{s.id}/{s.round}"


def _of(case: Case, about: str) -> Submission | None:
    return case.submissions.get(about.split("/", maxsplit=1)[0])


def _past(case: Case, about: str, *states: str) -> bool:
    known = _of(case, about)
    return known is not None and known.state in states


def _valid_until(case: Case, about: str) -> datetime | None:
    known = _of(case, about)
    return known.valid_until if known else None


def _before_travel(case: Case) -> bool:
    return case.stage in (Stage.ELIGIBILITY, Stage.VISA) and not case.exit


def _next_centre(case: Case) -> Iterable[str]:
    """Never a dead end: with nobody asked, the coordinator owes the next step."""
    idle = case.stage is Stage.ELIGIBILITY and not case.exit
    pending = list(_in(case, "submitted", "acknowledged", "accepted"))
    return [] if pending or not idle else [f"after {len(case.submissions)}"]


OWES = (
    Owes(
        "next_centre",
        Party.COORDINATOR,
        Party.FAMILY,
        _next_centre,
        lambda c, _: any(s.state != "declined" for s in c.submissions.values()),
    ),
    Owes(
        "submission_receipt",
        Party.HOSPITAL,
        Party.COORDINATOR,
        lambda c: [_round(s) for s in _in(c, "submitted")],
        lambda c, about: _past(c, about, "acknowledged", "more_info", "accepted", "declined"),
    ),
    Owes(
        "hospital_decision",
        Party.HOSPITAL,
        Party.COORDINATOR,
        lambda c: [_round(s) for s in _in(c, "submitted", "acknowledged")],
        lambda c, about: _past(c, about, "more_info", "accepted", "declined"),
    ),
    Owes(
        "reconfirm_decision",
        Party.HOSPITAL,
        Party.COORDINATOR,
        lambda c: [f"{s.id}/{s.fact}" for s in _in(c, "accepted") if _before_travel(c)],
        lambda c, about: bool(c.accepted and c.accepted.fact != about.split("/")[-1]) or not _before_travel(c),
        _valid_until,
    ),
    Owes(
        "estimate",
        Party.COORDINATOR,
        Party.FAMILY,
        lambda c: ["estimate"] if _before_travel(c) and c.estimate == "none" and c.quote.state == "none" else [],
        lambda c, _: c.estimate != "none" or c.quote.state != "none",
    ),
    Owes(
        "quote",
        Party.HOSPITAL,
        Party.FAMILY,
        lambda c: [s.id for s in _in(c, "accepted") if c.quote.state == "none" and _before_travel(c)],
        lambda c, _: c.quote.state != "none",
    ),
    Owes(
        "quote_answer",
        Party.FAMILY,
        Party.HOSPITAL,
        lambda c: [c.quote.fact] if c.quote.state == "asked" and _before_travel(c) else [],
        lambda c, _: c.quote.state == "held",
    ),
)

WANTS = (
    Wants(
        "submit_dossier",
        Party.HOSPITAL,
        lambda c: [_round(s) for s in _in(c, "submitted", "acknowledged", "more_info", "accepted") if s.round],
    ),
    Wants(
        "request_quote",
        Party.HOSPITAL,
        lambda c: [s.id for s in _in(c, "accepted") if c.quote.state == "none" and _before_travel(c)],
    ),
    Wants(
        "withdraw_submission",
        Party.HOSPITAL,
        lambda c: [_round(s) for s in c.submissions.values() if s.state == "withdrawn" and s.round],
    ),
)

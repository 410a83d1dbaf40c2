"""Centres [S3]: one is chosen with its protocol and gets the dossier; never where the door is not known to be open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, assert_never

from domain.case.asking import notice, service
from domain.case.phases.submissions import ASKED, Submission
from domain.case.release import let_go
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Owes, Rule, Takes, Wants
from domain.catalogue.site import until_open
from domain.core.about import About
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, readable
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.criteria.checks import MatchCheck
from domain.stages.eligibility.excluding import checked
from domain.stages.eligibility.exporting import require_may_leave
from domain.stages.intake.people import NAMED


@dataclass(frozen=True, slots=True)
class ChooseCentre:
    """A coordinator proposes a centre and one of its protocols, with the reasons; the name is never one.

    `rank` and `ranked`: where it stood among so many ways that whoever chooses saw, 0 = they saw none.
    """

    centre: str
    protocol: str
    reason: Clinical = ""
    rank: int = 0
    ranked: int = 0
    type: Literal["ChooseCentre"] = "ChooseCentre"


@dataclass(frozen=True, slots=True)
class ChooseExcludedCentre:
    """A supervisor proposes a centre and protocol that the catalogue excludes for this case, with the reason."""

    centre: str
    protocol: str
    despite: Clinical
    rank: int = 0
    ranked: int = 0
    type: Literal["ChooseExcludedCentre"] = "ChooseExcludedCentre"


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
class WithdrawSubmission:
    """The case no longer asks this centre; the centre is told to destroy its copies where law allows."""

    submission: str
    type: Literal["WithdrawSubmission"] = "WithdrawSubmission"


Command = ChooseCentre | ChooseExcludedCentre | SubmitDossier | AcknowledgeSubmission | WithdrawSubmission


@dataclass(frozen=True, slots=True)
class CentreChosen:
    """A centre and a protocol are proposed for this case, with what was open and what stood against them then."""

    submission: str
    centre: str
    protocol: str
    reason: Clinical
    against: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    rank: int = 0
    ranked: int = 0
    schema_version: ClassVar[int] = 2
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
class SubmissionWithdrawn:
    """The case no longer asks this centre."""

    submission: str
    type: Literal["SubmissionWithdrawn"] = "SubmissionWithdrawn"


Event = CentreChosen | DossierSubmitted | SubmissionAcknowledged | SubmissionWithdrawn

TAKES = (
    Takes(ChooseCentre, (CentreChosen,), at=stages(Stage.ELIGIBILITY, Stage.ADMISSION), settles=("next_centre",)),
    Takes(
        ChooseExcludedCentre,
        (CentreChosen,),
        at=stages(Stage.ELIGIBILITY, Stage.ADMISSION),
        by=Action.SUPERVISE,
    ),
    Takes(SubmitDossier, (DossierSubmitted,), at=stages(Stage.ELIGIBILITY, Stage.ADMISSION), settles=("next_centre",)),
    Takes(
        AcknowledgeSubmission,
        (SubmissionAcknowledged,),
        at=stages(Stage.ELIGIBILITY, Stage.ADMISSION),
        by=Action.ANSWER,
        answers=("submit_dossier",),
    ),
    Takes(
        WithdrawSubmission,
        (SubmissionWithdrawn,),
        at=stages(Stage.ELIGIBILITY, Stage.ADMISSION),
        settles=("trial_hold_review",),
    ),
)

LIVE = ("chosen", *ASKED, "accepted")
MOST_RANKED = 1_000_000
"""More ways than any catalogue offers; what is recorded of a choice is bounded."""


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a command about centres: return the events it brings about. Raises Refused."""
    match command:
        case ChooseCentre() | ChooseExcludedCentre():
            return [_choose(case, command, now, ids)]
        case SubmitDossier():
            return [_submit(case, command, now)]
        case AcknowledgeSubmission():
            require_submission(case, command.submission, "submitted")
            return [SubmissionAcknowledged(command.submission, command.receipt)]
        case WithdrawSubmission():
            require_not_there(case, require_submission(case, command.submission, *LIVE))
            return [SubmissionWithdrawn(command.submission)]
        case _:
            assert_never(command)


def _choose(case: Case, c: ChooseCentre | ChooseExcludedCentre, now: datetime, ids: Ids) -> Event:
    same = [s for s in case.submissions.values() if s.centre == c.centre and s.protocol == c.protocol]
    asked = any(s.state in LIVE for s in same)
    require(not asked, Reason.ALREADY, "this centre is asked under this protocol", "centre")
    require(case.accepted is None, Reason.ALREADY, "a centre has accepted; withdraw that first", "centre")
    streams = c.centre.startswith("centre-") and c.protocol.startswith("protocol-")
    require(streams, Reason.INVALID, "name a centre and one of its protocols by their streams", "centre")
    require(0 <= c.rank <= c.ranked <= MOST_RANKED, Reason.INVALID, "a rank is one of those that were seen", "rank")
    found = checked(case, c.centre, c.protocol, now)
    against = [one for one in found if one.result == "no"]
    if isinstance(c, ChooseExcludedCentre):
        require(
            against, Reason.NOT_NOW, "the catalogue excludes nothing here; choose the centre (ChooseCentre)", "type"
        )
        require(readable(c.despite), Reason.MISSING, "say why it is chosen all the same", "despite")
    else:
        require_nothing_against(against)
    reason = c.despite if isinstance(c, ChooseExcludedCentre) else c.reason
    open_ = tuple(one.name for one in found if one.result == "unknown")
    return CentreChosen(ids(), c.centre, c.protocol, reason, tuple(map(said, against)), open_, c.rank, c.ranked)


def said(one: MatchCheck) -> str:
    """Return a check as it is recorded: its name, and for the door how it stands, as `protocol:full`."""
    return f"{one.name}:{one.about[0]}" if one.name == "protocol" and one.about else one.name


def require_nothing_against(against: Sequence[MatchCheck]) -> None:
    """Refuse what the catalogue excludes, naming each reason and the way on [eligibility.excluded]."""
    named = ", ".join(map(said, against))
    way_on = "choose another way, have the catalogue put right, or a supervisor chooses it with a reason"
    at = "protocol" if any(one.name in ("protocol", "diagnosis") for one in against) else "centre"
    require(not against, Reason.NOT_NOW, f"the catalogue excludes this choice: {named}; {way_on}", at)


def require_submission(case: Case, submission: str, *states: str) -> Submission:
    """Return the submission, if it stands as the command needs it."""
    known = case.submissions.get(submission)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "no such submission in this case", "submission")
    require(known.state in states, Reason.NOT_NOW, f"the submission is {known.state}", "submission")
    return known


def protocol_open(case: Case, centre: str, protocol: str, now: datetime) -> bool:
    """Return whether the protocol is known to be open there and then: open is a lease that ends by itself [P7]."""
    until = open_until(case, centre, protocol)
    return until is not None and now < until


def open_until(case: Case, centre: str, protocol: str) -> datetime | None:
    """Return the end of the lease under which a protocol is known to be open at a centre; None = it is not.

    Where sites of the protocol are known, the centre's counts, and no other word for it [doors.sites].
    """
    state = case.noted(protocol)
    if state.get("holds"):
        return None  # whoever takes patients otherwise takes none while it is on hold [governance.hold]
    if sites := state.get("sites"):
        return until_open(sites, centre)
    until = state.get("open_until")
    return until if state.get("open") and isinstance(until, datetime) else None


def require_open_door(case: Case, centre: str, protocol: str, now: datetime) -> None:
    """Refuse unless centre and protocol take patients right now."""
    require(case.noted(centre), Reason.NOT_FOUND, "no such centre in the catalogue", "centre")
    require(not case.noted(centre).get("paused"), Reason.LAPSED, "the centre takes no patients at present", "centre")
    require(case.noted(protocol), Reason.NOT_FOUND, "no such protocol in the catalogue", "protocol")
    known = protocol_open(case, centre, protocol, now)
    words = "the protocol is not known to be open now; ask the centre to confirm it"
    require(known, Reason.LAPSED, words, "protocol")


def _submit(case: Case, c: SubmitDossier, now: datetime) -> Event:
    known = require_submission(case, c.submission, "chosen", *ASKED)
    require(case.dossier.version > 0, Reason.MISSING, "there is no frozen dossier to submit")
    newer = known.state == "chosen" or case.dossier.version > known.dossier
    require(newer, Reason.ALREADY, "this dossier version was submitted", "submission")
    consented = case.consented("share_with_hospital", known.centre)
    require(consented, Reason.MISSING, "consent to share with this centre is not given", "submission")
    require_open_door(case, known.centre, known.protocol, now)
    words = "consent to send records to this centre's country is not given"
    require(may_receive(case, known.centre), Reason.MISSING, words, "submission")
    require_may_leave(case, known.centre)
    return DossierSubmitted(known.id, case.dossier.version, known.round + 1)


def may_receive(case: Case, centre: str) -> bool:
    """Return whether records may go to this centre; abroad only with its own consent [people.consent-abroad]."""
    abroad = case.noted(centre).get("country") != case.country
    crossing = not abroad or case.consented("cross_border", centre)
    return crossing and case.consented("share_with_hospital", centre)


def require_not_there(case: Case, known: Submission) -> None:
    """Once the patient is there, the centre's no is a failed screening, or the journey is left."""
    there = known.state == "accepted" and (case.entered or case.infusions)
    require(not there, Reason.NOT_NOW, "the patient is there; record a failed screening or leave the journey")


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event about centres."""
    event = fact.event
    match event:
        case CentreChosen():
            new = Submission(event.submission, event.centre, event.protocol, 0, "chosen", fact=fact.id)
            return replace(case, submissions={**case.submissions, new.id: new})
        case DossierSubmitted():
            sent = case.dossier.documents
            return moved(
                case, event.submission, state="submitted", dossier=event.dossier, round=event.round, documents=sent,
                misread="",
            )  # fmt: skip
        case SubmissionAcknowledged():
            return moved(case, event.submission, state="acknowledged")
        case SubmissionWithdrawn():
            return ended(case, event.submission, "withdrawn", fact.id)
        case _:
            assert_never(event)


def ended(case: Case, submission: str, state: str, fact: str) -> Case:
    """The submission is over; with an acceptance goes all that was acquired under it."""
    accepted = case.accepted is not None and case.accepted.id == submission
    return moved(let_go(case, fact) if accepted else case, submission, state=state, fact=fact)


def moved(case: Case, submission: str, **changes: object) -> Case:
    """Return the case with one submission standing differently."""
    known = case.submissions.get(submission)
    if known is None:
        return case
    changed = replace(known, **changes)  # type: ignore[arg-type]
    return replace(case, submissions={**case.submissions, submission: changed})


def drop_others(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """The journey goes on with one acceptance, so every other request ends."""
    taken = case.accepted
    others = (s for s in case.submissions.values() if taken and s.id != taken.id and s.state in LIVE)
    return [SubmissionWithdrawn(s.id) for s in others]


def drop_others_1(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """The first centre that accepted ended the other requests, whatever the family would have chosen."""
    if not any(s.state == "accepted" for s in case.submissions.values()):
        return []
    return [SubmissionWithdrawn(s.id) for s in case.submissions.values() if s.state in ("chosen", *ASKED)]


def stop_sharing(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A centre is no longer asked once the consent to share with it was taken back."""
    if case.exit or case.entered or case.infusions:
        return []
    return [SubmissionWithdrawn(s.id) for s in case.submissions.values() if s.state in LIVE and _taken_back(case, s)]


def _taken_back(case: Case, s: Submission) -> bool:
    """A consent it needs was given and ended; one that was never asked for ends nothing that is under way."""
    withdrawn = any(c.recipient == s.centre and c.purpose in NAMED and not c.given for c in case.consents.values())
    return withdrawn and not may_receive(case, s.centre)


RULES = (
    Rule("one_centre_accepts", 2, drop_others, ("AcceptanceChosen", "PatientAccepted"), (SubmissionWithdrawn,)),
    Rule("consent_to_share_withdrawn", 2, stop_sharing, ("ConsentWithdrawn",), (SubmissionWithdrawn,)),
)
EARLIER = (Rule("one_centre_accepts", 1, drop_others_1, ("PatientAccepted",), (SubmissionWithdrawn,)),)


def standing(case: Case, *states: str) -> Sequence[Submission]:
    """Return the submissions in these states, while the journey goes on."""
    return [] if case.exit else [s for s in case.submissions.values() if s.state in states]


def by_round(s: Submission) -> str:
    """Return one round of a submission, as obligations and effects name it."""
    return f"{s.id}/{s.round}"


def past(case: Case, about: str, *states: str) -> bool:
    """Return whether this round of a submission, or a later one, has come so far."""
    known = case.submissions.get(About.of(about).id)
    return known is not None and (known.state in states or known.round > About.of(about).number)


OWES = (
    Owes(
        "submission_receipt",
        Party.HOSPITAL,
        Party.COORDINATOR,
        lambda c: [by_round(s) for s in standing(c, "submitted")],
        lambda c, about: past(c, about, "acknowledged", "more_info", "accepted", "declined"),
        asked_by="submit_dossier",
    ),
)

WANTS = (
    Wants(
        "submit_dossier",
        Party.HOSPITAL,
        lambda c: [by_round(s) for s in standing(c, *ASKED, "accepted") if s.round and may_receive(c, s.centre)],
        lambda c, about: past(c, about, "acknowledged", "more_info", "accepted", "declined"),
        asks=service("Please review this dossier"),
    ),
    Wants(
        "withdraw_submission",
        Party.HOSPITAL,
        lambda c: [by_round(s) for s in c.submissions.values() if s.state == "withdrawn" and s.round],
        lambda c, about: c.submissions[About.of(about).id].copies_gone,
        asks=notice("This request is withdrawn"),
    ),
)

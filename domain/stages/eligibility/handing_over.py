"""The dossier reaches the hospital [S3]: which documents it may open, what was handed over, what it says it read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.phases.submissions import ASKED, Submission
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Owes, Takes
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, readable
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.stages.eligibility.submissions import may_receive, moved, require_submission, standing

DIGEST = re.compile("[0-9a-f]{64}")
SUMMARY = "summary"
"""Names the patient summary that goes with a dossier: made of the case as it stood when the dossier was submitted."""
READABLE = (*ASKED, "accepted")
"""While a submission stands so, its centre may open the documents of its dossier."""


@dataclass(frozen=True, slots=True)
class HandOverDocument:
    """A document of a submitted dossier was opened by the centre; `digest` is the SHA-256 of what it was given."""

    submission: str
    round: int
    document: str
    digest: Clinical
    type: Literal["HandOverDocument"] = "HandOverDocument"


@dataclass(frozen=True, slots=True)
class ConfirmDossierRead:
    """The hospital names the SHA-256 of each document it read, so that both know it read the very documents."""

    submission: str
    digests: tuple[str, ...]
    type: Literal["ConfirmDossierRead"] = "ConfirmDossierRead"


@dataclass(frozen=True, slots=True)
class ExplainMisreading:
    """A coordinator found out with the hospital why it read something else than it was given."""

    submission: str
    explanation: Clinical
    type: Literal["ExplainMisreading"] = "ExplainMisreading"


Command = HandOverDocument | ConfirmDossierRead | ExplainMisreading


@dataclass(frozen=True, slots=True)
class DocumentHandedOver:
    """The centre opened one document of the dossier."""

    submission: str
    round: int
    document: str
    digest: Clinical
    type: Literal["DocumentHandedOver"] = "DocumentHandedOver"


@dataclass(frozen=True, slots=True)
class DossierRead:
    """The centre named what it read: `documents` are ours, `wrong` counts what none of them is."""

    submission: str
    round: int
    documents: tuple[str, ...]
    wrong: int
    digests: Clinical
    type: Literal["DossierRead"] = "DossierRead"


@dataclass(frozen=True, slots=True)
class MisreadingExplained:
    """It is known why the centre read something else than it was given."""

    submission: str
    explanation: Clinical
    type: Literal["MisreadingExplained"] = "MisreadingExplained"


Event = DocumentHandedOver | DossierRead | MisreadingExplained

_ASKED_AT = stages(Stage.ELIGIBILITY, Stage.FOLLOW_UP)
TAKES = (
    Takes(HandOverDocument, (DocumentHandedOver,), at=_ASKED_AT, by=Action.ENGINE),
    Takes(ConfirmDossierRead, (DossierRead,), at=_ASKED_AT, by=Action.ANSWER),
    Takes(ExplainMisreading, (MisreadingExplained,), at=_ASKED_AT, settles=("misread_dossier",)),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a command about what a hospital reads: return the events it brings about. Raises Refused."""
    match command:
        case HandOverDocument():
            known = require_readable(case, command.submission, command.round)
            require_inside(case, known, command.document)
            require(command.document not in known.handed, Reason.ALREADY, "it was opened before", "document")
            return [DocumentHandedOver(known.id, known.round, command.document, command.digest)]
        case ConfirmDossierRead():
            return [_read(require_submission(case, command.submission, *READABLE), command.digests)]
        case ExplainMisreading():
            known = require_submission(case, command.submission, *READABLE)
            require(known.misread, Reason.NOT_NOW, "the centre named nothing it was not given", "submission")
            told = readable(command.explanation)
            require(told, Reason.INVALID, "say what was found out with the hospital", "explanation")
            return [MisreadingExplained(known.id, command.explanation)]
        case _:
            assert_never(command)


def require_readable(case: Case, submission: str, round_: int) -> Submission:
    """Return the submission whose documents its centre may open now. Raises Refused, saying why it may not."""
    known = case.submissions.get(submission)
    require(known is not None, Reason.NOT_FOUND, "no such submission in this case", "submission")
    assert known is not None
    live = known.state in READABLE and not case.exit and not case.forgotten
    require(live, Reason.LAPSED, "this request has ended, and with it the way to its documents", "submission")
    require(known.round == round_, Reason.LAPSED, "a newer dossier was submitted since; open that one", "submission")
    require(may_read(case, known), Reason.LAPSED, "the consent to share with this centre does not stand", "submission")
    return known


def require_inside(case: Case, known: Submission, document: str) -> None:
    """Refuse what is not in that dossier, or turned out not to be fit for it [records.struck]. Raises Refused."""
    inside = document in known.documents or document == SUMMARY
    require(inside, Reason.NOT_FOUND, "no such document in the dossier that was submitted", "document")
    fit = document not in case.unfit
    require(fit, Reason.LAPSED, "this document turned out not to be fit for the dossier; do not rely on it", "document")


def may_read(case: Case, known: Submission) -> bool:
    """Return whether the centre may open the documents of this submission now."""
    ended = case.exit or case.forgotten
    return known.state in READABLE and not ended and may_receive(case, known.centre)


def undecided(case: Case, submission: str, round_: int) -> Submission | None:
    """Return the submission while its centre, asked in this round, has not decided and may read; None = it is over."""
    known = case.submissions.get(submission)
    asked = known is not None and known.state in ASKED and known.round == round_
    return known if known is not None and asked and may_read(case, known) and not case.exit else None


def _read(known: Submission, digests: Sequence[str]) -> DossierRead:
    require(known.handed, Reason.NOT_NOW, "no document of this request was opened yet", "submission")
    formed = bool(digests) and all(DIGEST.fullmatch(one) for one in digests)
    require(formed, Reason.INVALID, "name the SHA-256 of each document, 64 hexadecimal digits in lower case", "digests")
    read = tuple(name for name in known.documents if known.handed.get(name) in digests)
    ours = set(known.handed.values())
    wrong = sum(1 for one in dict.fromkeys(digests) if one not in ours)
    unknown = not all(readable(one) for one in ours)  # a digest whose key is gone: nobody can say what differs
    return DossierRead(known.id, known.round, read, 0 if unknown else wrong, " ".join(dict.fromkeys(digests)))


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one event about what a hospital reads."""
    event = fact.event
    known = case.submissions.get(event.submission)
    if known is None:
        return case
    match event:
        case DocumentHandedOver():
            return moved(case, known.id, handed={**known.handed, event.document: event.digest})
        case DossierRead():
            read = (*known.read, *(name for name in event.documents if name not in known.read))
            return moved(case, known.id, read=read, misread=fact.id if event.wrong else "")
        case MisreadingExplained():
            return moved(case, known.id, misread="")
        case _:
            assert_never(event)


def _misread(case: Case) -> Iterable[str]:
    return [s.id for s in standing(case, *READABLE) if s.misread]


OWES = (
    Owes(
        "misread_dossier",
        Party.COORDINATOR,
        Party.HOSPITAL,
        _misread,
        lambda c, about: about in c.submissions and not c.submissions[about].misread,
    ),
)

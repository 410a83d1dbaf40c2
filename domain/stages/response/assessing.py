"""Assessments of the response: by whom, how and by which published system [response.systems].

Several of one time point stand beside each other; none replaces another, and nothing here is inferred.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Literal

from domain.case.phases.redosing import ResponseTold
from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.table import Owes, Takes
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, readable
from domain.core.policy import Party, Policy
from domain.core.when import When
from domain.criteria import observation
from domain.criteria import response as published


@dataclass(frozen=True, slots=True)
class AssessResponse:
    """A response check with its result as reported (CR, CRi, PR, SD, PD, MRD-negative CR …).

    With a `system` the result is one of its categories. `mrd_sensitivity` is the smallest share of cells the test
    finds, such as 0.0001. `deauville` counts 1 to 5; `uptake` compares what lights up at 4 or 5 with before.
    """

    result: Clinical
    detail: Clinical = ""
    occurred: When | None = None
    system: Clinical = ""
    assessor: Clinical = ""
    examination: Clinical = ""
    mrd: Clinical = ""
    mrd_method: Clinical = ""
    mrd_sensitivity: Clinical = ""
    deauville: int | None = None
    uptake: Clinical = ""
    type: Literal["AssessResponse"] = "AssessResponse"


Command = AssessResponse


@dataclass(frozen=True, slots=True)
class ResponseAssessed:
    """The result of a response check."""

    result: Clinical
    detail: Clinical
    system: Clinical = ""
    assessor: Clinical = ""
    examination: Clinical = ""
    mrd: Clinical = ""
    mrd_method: Clinical = ""
    mrd_sensitivity: Clinical = ""
    deauville: int | None = None
    uptake: Clinical = ""
    schema_version: ClassVar[int] = 2
    type: Literal["ResponseAssessed"] = "ResponseAssessed"


Event = ResponseAssessed

TAKES = (
    Takes(
        AssessResponse,
        (ResponseAssessed,),
        at=EVERY_STAGE,
        over_fhir=True,
        answers=("response_check", "response_recheck"),
    ),
)

CODED: Mapping[str, Sequence[str]] = {
    "system": tuple(published.SYSTEMS),
    "assessor": published.ASSESSORS,
    "examination": published.EXAMINATIONS,
    "mrd": published.MRD_RESULTS,
    "mrd_method": published.MRD_METHODS,
    "uptake": published.UPTAKES,
}
"""Field → what may be said in it, besides nothing."""


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide an assessment: it becomes a fact, as it was said. Raises Refused."""
    c = command
    for field, codes in CODED.items():
        said = getattr(c, field)
        require(not said or said in codes, Reason.INVALID, f"is one of {', '.join(codes)}, or left out", field)
    if c.system:
        categories = published.SYSTEMS[str(c.system)].categories
        words = f"the categories of this system are {', '.join(categories)}; leave the system out for other words"
        require(c.result in categories, Reason.INVALID, words, "result")
    _require_residual(c)
    scored = c.deauville is None or c.deauville in published.DEAUVILLE
    require(scored, Reason.INVALID, "the score runs from 1 to 5", "deauville")
    lit = c.deauville is not None and c.deauville > published.COMPLETE_TO
    require(lit or not c.uptake, Reason.INVALID, "uptake is compared at a score of 4 or 5", "uptake")
    return [
        ResponseAssessed(
            c.result, c.detail, c.system, c.assessor, c.examination, c.mrd, c.mrd_method, c.mrd_sensitivity,
            c.deauville, c.uptake,
        )
    ]  # fmt: skip


def _require_residual(c: AssessResponse) -> None:
    """Refuse residual disease without how it was looked for, and how it was looked for without a result."""
    looked = c.mrd in ("negative", "positive")
    require(
        not looked or c.mrd_method, Reason.MISSING, "say by which method residual disease was looked for", "mrd_method"
    )
    words = "say the smallest share of cells the test finds, such as 0.0001"
    require(not looked or c.mrd_sensitivity, Reason.MISSING, words, "mrd_sensitivity")
    for field in ("mrd_method", "mrd_sensitivity"):
        require(c.mrd or not getattr(c, field), Reason.INVALID, "goes with a result of residual disease", field)
    if c.mrd_sensitivity and _share(c.mrd_sensitivity) is None:
        raise Refused(Reason.INVALID, "is a share of cells between 0 and 1, such as 0.0001", "mrd_sensitivity")


def _share(said: object) -> Decimal | None:
    share = observation.number(str(said)) if readable(said) else None
    return share if share is not None and 0 < share < 1 else None


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one assessment; a word whose key is gone is no word."""
    e = fact.event
    said = {field: _text(getattr(e, field)) for field in (*CODED, "mrd_sensitivity")}
    told = ResponseTold(_text(e.result), fact.occurred, deauville=e.deauville, **said)
    return with_response(replace(case, assessments=case.assessments + 1), fact.id, told)


def _text(said: Clinical) -> str:
    return said if isinstance(said, str) else ""


def with_response(case: Case, fact: str, told: ResponseTold) -> Case:
    """Fold an assessment, or a progression that somebody reported, beside all others."""
    return replace(case, responses={**case.responses, fact: told})


def residual(told: ResponseTold) -> bool | None:
    """Tell whether finding nothing was deep enough for the system to say that nothing is left; None = not asked."""
    return published.deep_enough(told.system, _share(told.mrd_sensitivity)) if told.mrd == "negative" else None


AGAIN = timedelta(days=90 + 10)
"""The end of the window of the second response check, from the last infusion [response.indeterminate]."""


def _last_infusion(case: Case) -> datetime | None:
    known = [i.occurred.earliest for i in case.infusions if i.occurred.known and i.occurred.earliest]
    return max(known) if len(known) == len(case.infusions) and known else None


def _open_score(case: Case) -> Iterable[str]:
    """The newest dated assessments since the last infusion leave it open: one scored 4, or could not be evaluated."""
    last = _last_infusion(case)
    if last is None or case.left:
        return []
    dated = [(one.occurred.day, one) for one in case.responses.values() if one.occurred.day]
    since = [(day, one) for day, one in dated if day >= last.date()]
    newest = max((day for day, _ in since), default=None)
    open_ = [one for day, one in since if day == newest and _indeterminate(one)]
    return [str(len(case.infusions))] if open_ else []


def _indeterminate(told: ResponseTold) -> bool:
    scored = told.deauville == published.INDETERMINATE and published.response_code(told.result) != "PD"
    return scored or told.result == published.NOT_EVALUABLE


def _again_by(case: Case, _: str) -> datetime | None:
    last = _last_infusion(case)
    return last + AGAIN if last else None


OWES = (
    Owes(
        "response_recheck",
        Party.HOSPITAL,
        Party.COORDINATOR,
        _open_score,
        lambda c, about: about == str(len(c.infusions)) and not c.left and not _open_score(c),
        _again_by,
    ),
)

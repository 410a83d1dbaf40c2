"""Keeps what summaries say of the patient: conditions, allergies, medications, each with its place [criteria.ips]."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, assert_never, get_args

from domain.case.phases.findings import Said, SectionName, Statement, StatementKind, Summary
from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.table import Takes
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Dated, Fact, Ids
from domain.core.names import visible
from domain.core.personal import Clinical, Identity, readable
from domain.core.policy import Policy
from domain.core.when import When
from domain.criteria.diseases import DISEASES, broader
from domain.stages.intake.inquiry import DiagnosisStated

MOST = 5_000
"""How many statements one bundle may bring."""
LONGEST = 1_000
"""Characters of each text of a statement."""
MANDATORY: tuple[SectionName, ...] = ("problems", "allergies", "medications")
"""What every patient summary says something about, and be it that nothing is known [criteria.ips]."""
SECTIONS: tuple[SectionName, ...] = get_args(SectionName)
DATE = re.compile(
    r"(?P<year>[0-9]{4})(-[0-9]{2}(-[0-9]{2}"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9]))?)?)?"
)
"""A date of FHIR R4, at whatever precision."""
YEARS = range(1900, 2200)
COMES_LATER: tuple[StatementKind, ...] = ("plan", "directive", "alert", "medication", "device")
"""What may begin after today; everything else has happened."""
OVER = frozenset({"inactive", "resolved", "remission", "refuted", "entered-in-error"})
"""Statuses of a condition that is not under way."""
AHEAD = timedelta(days=1)
"""It may be tomorrow already where the bundle was written."""


@dataclass(frozen=True, slots=True)
class SummaryTaken:
    """What a bundle says of the patient was taken in: what was new of it, and how much was known already."""

    bundle: Clinical
    statements: tuple[Statement, ...]
    known: int
    type: Literal["SummaryTaken"] = "SummaryTaken"


@dataclass(frozen=True, slots=True)
class StrikeSummary:
    """Strike what a bundle said: it is wrong, or another patient's; `bundle_fact` is the fact by which it was taken in.

    The diagnosis it brought goes with it. Results of it stay, and are corrected one by one.
    """

    bundle_fact: str
    reason: Identity
    type: Literal["StrikeSummary"] = "StrikeSummary"


@dataclass(frozen=True, slots=True)
class SummaryStruck:
    """What a bundle said counts no more, and why."""

    bundle_fact: str
    reason: Identity
    type: Literal["SummaryStruck"] = "SummaryStruck"


Command = StrikeSummary
Event = SummaryTaken | SummaryStruck
TAKES = (Takes(StrikeSummary, (SummaryStruck,), at=EVERY_STAGE),)
"""A summary comes with a file of results, in the same step."""


def decide(case: Case, c: StrikeSummary, now: datetime, ids: Ids, policy: Policy) -> Sequence[SummaryStruck]:
    """Decide to strike what a bundle said. Raises Refused."""
    require(c.bundle_fact in case.summaries, Reason.NOT_FOUND, "nothing was taken in by this fact", "bundle_fact")
    require(readable(c.reason), Reason.INVALID, "say why it counts no more", "reason")
    return [SummaryStruck(c.bundle_fact, c.reason)]


def taken(
    case: Case, bundle: Clinical, statements: Sequence[Statement], now: datetime
) -> Iterable[SummaryTaken | Dated[DiagnosisStated]]:
    """Return what statements bring about: those that are new, and the diagnosis where nobody has stated one.

    Raises Refused, which names the statement and the field.
    """
    require(len(statements) <= MOST, Reason.INVALID, f"a bundle holds at most {MOST} statements", "statements")
    for number, one in enumerate(statements):
        try:
            require_statement(one, now)
        except Refused as no:
            raise Refused(no.reason, no.detail, f"statements/{number}/{no.field}") from None
    if not statements:
        return []
    seen = {_what(one) for known in case.summaries.values() for one in known.statements}
    new = []
    for one in statements:
        if _what(one) not in seen:
            new.append(one)
        seen.add(_what(one))
    told = SummaryTaken(bundle, tuple(new), len(statements) - len(new))
    return [told, *_diagnosis(case, new, now)]


def require_statement(one: Statement, now: datetime) -> None:
    """Refuse a statement that says nothing, or lies in the future. Raises Refused, which names the field."""
    named = readable(one.text) or readable(one.code)
    require(named or one.said != "stated", Reason.INVALID, "neither words nor a code say what it is", "text")
    for name in ("text", "code", "status", "detail"):
        short = len(str(getattr(one, name))) <= LONGEST
        require(short, Reason.INVALID, f"has more than {LONGEST} characters", name)
    for name in ("began", "ended"):
        written = getattr(one, name)
        if readable(written):
            first = _when(str(written), name).earliest
            late = first is not None and first > now + AHEAD and one.kind not in COMES_LATER
            require(not late or name == "ended", Reason.INVALID, "a fact lies in the past", name)
    known = not readable(one.disease) or one.disease in DISEASES
    require(known, Reason.INVALID, "is no disease that is known here", "disease")


def _when(text: str, field: str) -> When:
    """When a written date was. Raises Refused."""
    found = DATE.fullmatch(text)
    words = "is no date: a year, a month, a day, or an instant with its zone"
    require(found, Reason.INVALID, words, field)
    assert found is not None
    require(int(found["year"]) in YEARS, Reason.INVALID, "is of no year that is taken", field)
    try:
        return When.written(text.replace("Z", "+00:00"))
    except ValueError:
        raise Refused(Reason.INVALID, words, field) from None


def _what(one: Statement) -> tuple[object, ...]:
    """What makes two statements the same, wherever they stand: a second bundle with the same words says nothing new."""
    named = one.code if readable(one.code) else visible(str(one.text)).casefold()
    of = one.section if one.said != "stated" else ""
    return (one.kind, one.said, of, named, one.status, one.detail, one.began, one.ended)


def _diagnosis(case: Case, new: Sequence[Statement], now: datetime) -> Iterable[Dated[DiagnosisStated]]:
    """The diagnosis, where nobody has stated one and the conditions name exactly one disease."""
    if readable(case.diagnosis) or readable(case.disease):
        return []
    named = {str(one.disease): one for one in new if readable(one.disease) and under_way(one)}
    exact = [code for code in named if not any(code in broader(other) and code != other for other in named)]
    if len(exact) != 1:
        return []
    told = named[exact[0]]
    began = _when(str(told.began), "began") if readable(told.began) else When.unknown()
    passed = began.earliest is None or began.earliest <= now
    return [Dated(DiagnosisStated(told.text or exact[0], exact[0]), began if passed else When.unknown())]


def under_way(one: Statement) -> bool:
    """Return whether a condition is not said to be over, refuted or a mistake."""
    return one.said == "stated" and not readable(one.ended) and not OVER & set(str(one.status).split(", "))


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold what a bundle said, or that it counts no more."""
    event = fact.event
    match event:
        case SummaryTaken():
            told = Summary(event.bundle, event.statements, fact.at, first=not (case.diagnosis or case.disease))
            return replace(case, summaries={**case.summaries, fact.id: told})
        case SummaryStruck():
            kept = {name: one for name, one in case.summaries.items() if name != event.bundle_fact}
            return _without_its_diagnosis(replace(case, summaries=kept), case.summaries[event.bundle_fact])
        case _:
            assert_never(event)


def _without_its_diagnosis(case: Case, struck: Summary) -> Case:
    """The diagnosis that a struck bundle brought goes too: unknown again, until somebody states it."""
    said = {(str(one.text) or str(one.disease), str(one.disease)) for one in struck.statements if readable(one.disease)}
    its_own = struck.first and (str(case.diagnosis), str(case.disease)) in said
    return replace(case, diagnosis="", disease="") if its_own else case


@dataclass(frozen=True, slots=True)
class ToldStatement:
    """One statement with the bundle it stands in, and the fact by which it was taken in."""

    statement: Statement
    bundle: Clinical
    fact: str


@dataclass(frozen=True, slots=True)
class Section:
    """Holds what is known under one heading. `said` is `not_said` where nothing was ever said, or only that."""

    name: SectionName
    said: Said
    told: Sequence[ToldStatement]


def sections(case: Case) -> Sequence[Section]:
    """Return what all summaries said, by section in their order; the mandatory ones always, so that silence shows."""
    found: dict[SectionName, list[ToldStatement]] = {name: [] for name in MANDATORY}
    for fact, summary in case.summaries.items():
        for one in summary.statements:
            found.setdefault(one.section, []).append(ToldStatement(one, summary.bundle, fact))
    return [Section(name, _standing(found[name]), found[name]) for name in SECTIONS if name in found]


def _standing(told: Sequence[ToldStatement]) -> Said:
    said: Mapping[Said, bool] = dict.fromkeys((one.statement.said for one in told), True)
    return next((one for one in get_args(Said) if one in said), "not_said")

"""Results from a file: all of what a laboratory sent, in one step, or nothing of it [criteria.import]."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from domain.case.phases.findings import NotTaken, Observed, ResultsFile, Sample, SectionName, Source, Statement
from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.table import Takes
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Dated, Fact, Ids
from domain.core.personal import Clinical, readable
from domain.core.policy import Policy
from domain.core.when import When
from domain.criteria import observation
from domain.criteria.analytes import ANALYTES
from domain.stages.intake.inquiry import DiagnosisStated
from domain.stages.records.observing import ObservationRecorded, PatientDescribed, described, recorded
from domain.stages.records.summary import SummaryTaken, taken

Form = Literal["csv", "fhir"]
MOST = 20_000
"""How many results one file may bring."""
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Observed):
    """One result of a file, as it was written, with when its sample was taken, and its place in a bundle."""

    occurred: When
    section: SectionName = "other"
    entry: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResults:
    """Take in the results of a file; what the case has already is not taken twice. `left` is what was not read.

    `birth` and `sex` are as the file has them, empty = it does not say: another patient's file is refused.
    `statements` is what a bundle says beside results, and `bundle` its identifier.
    """

    form: Form
    results: tuple[Result, ...] = ()
    statements: tuple[Statement, ...] = ()
    bundle: Clinical = ""
    left: tuple[NotTaken, ...] = ()
    birth: Clinical = ""
    sex: Clinical = ""
    type: Literal["ImportResults"] = "ImportResults"


Command = ImportResults


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsImported:
    """A file of results was taken in: how many were new, how many known already, and what was not taken."""

    form: Form
    taken: int
    known: int
    left: tuple[NotTaken, ...]
    type: Literal["ResultsImported"] = "ResultsImported"


Event = ResultsImported
TAKES = (
    Takes(
        ImportResults,
        (ObservationRecorded, PatientDescribed, ResultsImported, SummaryTaken, DiagnosisStated),
        at=EVERY_STAGE,
    ),
)

Brought = ResultsImported | PatientDescribed | SummaryTaken | Dated[DiagnosisStated] | Dated[ObservationRecorded]


def decide(case: Case, c: ImportResults, now: datetime, ids: Ids, policy: Policy) -> Sequence[Brought]:
    """Decide an import: return what it brings about, all of it or nothing. Raises Refused."""
    something = c.results or c.statements or readable(c.birth) or readable(c.sex)
    require(something, Reason.INVALID, "there is nothing to take", "results")
    require(len(c.results) <= MOST, Reason.INVALID, f"a file holds at most {MOST} results", "results")
    require_same_patient(case, c.birth, c.sex)
    every = [_result(case, one, n, c.bundle) for n, one in enumerate(c.results)]
    seen = {_what(one.observed, one.taken) for one in case.samples.values()}
    new: list[Dated[ObservationRecorded]] = []
    for one in every:
        what = _what(one.event, one.occurred)
        if what not in seen:
            new.append(one)
        seen.add(what)
    told = ResultsImported(form=c.form, taken=len(new), known=len(every) - len(new), left=c.left)
    return [told, *_patient(case, c, now), *taken(case, c.bundle, c.statements, now), *new]


def require_same_patient(case: Case, birth: Clinical, sex: Clinical) -> None:
    """Refuse a file whose birth date or sex contradicts the case's: it may be another patient's."""
    words = "differs from the case: this may be another patient's file"
    if readable(birth) and readable(case.birth):
        (low, high), (first, last) = observation.birth_days(str(birth)), observation.birth_days(str(case.birth))
        apart = low and high and first and last and (low > last or first > high)
        require(not apart, Reason.INVALID, words, "birth")
    told = {str(one) for one in (sex, case.sex) if readable(one)} - {UNKNOWN}
    require(len(told) < len(("one", "other")), Reason.INVALID, words, "sex")


def _patient(case: Case, c: ImportResults, now: datetime) -> Iterable[PatientDescribed]:
    """Birth date and sex, where the case does not have them."""
    birth = case.birth if readable(case.birth) else c.birth
    sex = case.sex if readable(case.sex) and case.sex != UNKNOWN else c.sex or case.sex
    return [described(birth, sex, now)] if (birth, sex) != (case.birth, case.sex) else []


def _result(case: Case, one: Result, number: int, bundle: Clinical) -> Dated[ObservationRecorded]:
    source = Source(bundle, one.section, one.entry) if one.entry else None
    try:
        return Dated(replace(recorded(case, one, one.occurred), source=source), one.occurred)
    except Refused as no:
        raise Refused(no.reason, no.detail, f"results/{number}/{no.field}") from None


def _what(one: Observed, taken: When) -> tuple[object, ...]:
    """What makes two results the same: of what, when, how, and how much in the canonical unit."""
    return (*_measurement(one, taken), _value(one))


def _measurement(one: Observed, taken: When) -> tuple[object, ...]:
    return (one.analyte, one.target, one.method, one.specimen, taken)


def _value(one: Observed) -> Decimal | str:
    row = ANALYTES.get(one.analyte)
    value = observation.converted(one.analyte, one.value, one.unit) if row and row.unit and not row.lapse else None
    return value.normalize() if value is not None else str(one.value)


def conflicts(case: Case) -> Sequence[Sequence[str]]:
    """Return the observations that contradict one another: one measurement of one time with several values."""
    groups: dict[tuple[object, ...], dict[str, Sample]] = {}
    for name, one in case.samples.items():
        if readable(one.observed.value) and one.taken.known:
            groups.setdefault(_measurement(one.observed, one.taken), {})[name] = one
    return [list(group) for group in groups.values() if len({_value(one.observed) for one in group.values()}) > 1]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold that a file was taken in; its observations are facts of their own."""
    event = fact.event
    return replace(case, files=(*case.files, ResultsFile(event.form, event.taken, event.known, event.left, fact.at)))

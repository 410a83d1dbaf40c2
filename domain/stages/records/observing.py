"""Observations: what was measured or stated of the patient, with unit, sample time and method [criteria.units]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal, assert_never

from domain.case.phases.findings import Observed, Sample, Source, Therapy
from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.table import Takes
from domain.core.appended import appended
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, readable
from domain.core.policy import Policy
from domain.core.when import When
from domain.criteria import observation
from domain.criteria.analytes import ANALYTES
from domain.criteria.computed import Computed, computed
from domain.doses import codes

SEXES = ("female", "male", "other", "unknown")
MOST_LINES = 30


@dataclass(frozen=True, slots=True)
class DescribePatient:
    """Say who the patient is, as far as criteria ask: birth date or year, empty = unknown; sex as recorded."""

    birth: Clinical = ""
    sex: Clinical = ""
    type: Literal["DescribePatient"] = "DescribePatient"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordObservation(Observed):
    """Record one thing that was measured or stated, as it was written; `occurred` is when the sample was taken."""

    occurred: When | None = None
    type: Literal["RecordObservation"] = "RecordObservation"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTherapy(Therapy):
    """Record one prior therapy, or one that was planned and could not be given: what came of it, and why it ended."""

    type: Literal["RecordTherapy"] = "RecordTherapy"


Command = DescribePatient | RecordObservation | RecordTherapy


@dataclass(frozen=True, slots=True)
class PatientDescribed:
    """Birth date or year, and sex as recorded, so that criteria may read them."""

    birth: Clinical
    sex: Clinical
    type: Literal["PatientDescribed"] = "PatientDescribed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationRecorded(Observed):
    """Something was measured or stated of the patient."""

    source: Source | None = None
    schema_version: ClassVar[int] = 2
    type: Literal["ObservationRecorded"] = "ObservationRecorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class TherapyRecorded(Therapy):
    """One prior therapy with what came of it, or one that could not be given."""

    type: Literal["TherapyRecorded"] = "TherapyRecorded"


Event = PatientDescribed | ObservationRecorded | TherapyRecorded

TAKES = (
    Takes(DescribePatient, (PatientDescribed,), at=EVERY_STAGE),
    Takes(RecordObservation, (ObservationRecorded,), at=EVERY_STAGE, over_fhir=True),
    Takes(RecordTherapy, (TherapyRecorded,), at=EVERY_STAGE),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a command about what was observed: return the event it brings about. Raises Refused."""
    match command:
        case DescribePatient():
            return [described(command.birth, command.sex, now)]
        case RecordObservation():
            return [recorded(case, command, command.occurred)]
        case RecordTherapy():
            return [_therapy(command, now)]
        case _:
            assert_never(command)


def described(birth: Clinical, sex: Clinical, now: datetime) -> PatientDescribed:
    """Return the event that tells birth date and sex. Raises Refused, which names the field at fault."""
    observation.require_born(birth, now)
    require(not readable(sex) or sex in SEXES, Reason.INVALID, f"is one of {', '.join(SEXES)}", "sex")
    return PatientDescribed(birth, sex)


def recorded(case: Case, c: Observed, occurred: When | None) -> ObservationRecorded:
    """Return the event that an observation brings about. Raises Refused, which names the field at fault."""
    observation.require_observable(c.analyte)
    row = ANALYTES[c.analyte]
    require(occurred, Reason.INVALID, "say when the sample was taken, or that nobody knows", "occurred")
    require(bool(c.target) == row.targeted, Reason.INVALID, f"{c.analyte} {_target(row.targeted)}", "target")
    target = codes.allele(c.target, "target") if c.analyte == "hla_antibodies" else c.target
    require(not c.item or c.item in case.records, Reason.NOT_FOUND, "no such record in this case", "item")
    if row.codes:
        listed = f"is one of {', '.join(row.codes)}"
        require(c.value in row.codes, Reason.INVALID, listed, "value")
        require(not c.unit and not readable(c.limit), Reason.INVALID, "what is stated has no unit and no limit", "unit")
    elif not row.lapse:
        _measured(c)
    return ObservationRecorded(**{f.name: getattr(c, f.name) for f in fields(Observed)} | {"target": target})


def _target(needed: bool) -> str:
    return "is of an antigen: name it, as CD19" if needed else "is of no antigen: leave this empty"


def _measured(c: Observed) -> None:
    value = observation.canonical(c.analyte, str(c.value), c.unit)
    observation.require_plausible(c.analyte, value)
    if readable(c.limit):
        limit = observation.canonical(c.analyte, str(c.limit), c.limit_unit or c.unit, "limit", "limit_unit")
        require(limit > 0, Reason.INVALID, "a limit is more than nothing", "limit")


def _therapy(c: RecordTherapy, now: datetime) -> TherapyRecorded:
    require(0 <= c.line <= MOST_LINES, Reason.INVALID, f"lines count from 1 to {MOST_LINES}, 0 = not said", "line")
    for name, day in (("started", c.started), ("ended", c.ended)):
        require(day is None or day <= now.date(), Reason.INVALID, "a therapy of the past lies in the past", name)
    ordered = c.started is None or c.ended is None or c.started <= c.ended
    require(ordered, Reason.INVALID, "ends after it started", "ended")
    require(not c.ended or c.ended_because != "under_way", Reason.INVALID, "what has ended is not under way", "ended")
    return TherapyRecorded(**{f.name: getattr(c, f.name) for f in fields(Therapy)})


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold what was observed."""
    event = fact.event
    match event:
        case PatientDescribed():
            return replace(case, birth=event.birth, sex=event.sex)
        case ObservationRecorded():
            observed = Observed(**{f.name: getattr(event, f.name) for f in fields(Observed)})
            return replace(case, samples=appended(case.samples, fact.id, Sample(observed, fact.occurred, event.source)))
        case TherapyRecorded():
            told = Therapy(**{f.name: getattr(event, f.name) for f in fields(Therapy)})
            return replace(case, therapies={**case.therapies, fact.id: told})
        case _:
            assert_never(event)


def observed(case: Case, now: datetime) -> Sequence[observation.Observation]:
    """Return what a criterion may rest on: every observation that can be read, and what is reckoned from others.

    What is reckoned never stands in the place of what was measured: where a value was measured, none is computed.
    """
    aged = observation.aged(str(case.birth), now) if readable(case.birth) else None
    read = [_read(name, sample) for name, sample in case.samples.items()]
    known = [one for one in (aged, lines(case, now), *read) if one is not None]
    measured = {one.analyte for one in known}
    return [*known, *(one.observation for one in reckoned(case, known, now) if one.observation.analyte not in measured)]


def reckoned(case: Case, known: Sequence[observation.Observation], now: datetime) -> Sequence[Computed]:
    """Return the kidney values that follow from creatinine, age, sex and weight, each with its formula and inputs."""
    return computed(known, str(case.sex) if readable(case.sex) else "", now)


def lines(case: Case, now: datetime) -> observation.Observation | None:
    """Return how many lines of therapy are recorded: at least so many, for records may be incomplete; None = none."""
    told = {one.line for one in case.therapies.values() if one.line}
    if not told:
        return None
    low, high = Decimal(max(*told, len(told))), Decimal(MOST_LINES)
    return observation.Observation(id="therapies", analyte="prior_lines", low=low, high=high, taken=When.at(now))


def _read(name: str, sample: Sample) -> observation.Observation | None:
    """The observation in canonical units; None where nothing can be read any more."""
    one, row = sample.observed, ANALYTES.get(sample.observed.analyte)
    if row is None or not (readable(one.value) or row.lapse):
        return None
    told: dict[str, Any] = {"id": name, "analyte": one.analyte, "target": one.target, "method": one.method}
    told |= {"taken": sample.taken, "supported": one.supported}
    if row.codes or row.lapse:
        return observation.Observation(code=str(one.value), **told)
    value = observation.converted(one.analyte, one.value, one.unit)
    limit = observation.converted(one.analyte, one.limit, one.limit_unit or one.unit)
    return observation.Observation(low=value, high=value, limit=limit, **told) if value is not None else None

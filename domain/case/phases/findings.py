"""Says what was observed of the patient before treatment, and what a criterion may read of who the patient is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from domain.core.personal import Clinical
from domain.core.when import When


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One thing measured or stated, as it was written: `value` is a number in `unit`, or a code.

    `limit` is the upper limit of normal of the laboratory that measured, in `limit_unit`, "" = in the value's own.
    `target` is the antigen; `item` the record it was read in; `supported`: under transfusion or growth factor.
    """

    analyte: str
    value: Clinical = ""
    unit: str = ""
    limit: Clinical = ""
    limit_unit: str = ""
    target: str = ""
    method: str = ""
    specimen: str = ""
    laboratory: Clinical = ""
    item: str = ""
    supported: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """An observation with the time of its sample."""

    observed: Observed
    taken: When


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Says how many parts of one kind a file held that were not taken, and why. `kind` is a FHIR type, or "line"."""

    kind: str
    left_because: str
    number: int


@dataclass(frozen=True, slots=True)
class ResultsFile:
    """A file of results that was taken in: what came of its parts."""

    form: str
    taken: int
    known: int
    left: tuple[NotTaken, ...]
    at: datetime


@dataclass(frozen=True)
class Findings:
    """Holds the birth date or year, sex as recorded, and every observation by the fact that told it first."""

    birth: Clinical = ""
    sex: Clinical = ""
    samples: Mapping[str, Sample] = field(default_factory=dict)
    files: tuple[ResultsFile, ...] = ()

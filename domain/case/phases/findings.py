"""Says what was observed of the patient before treatment, and what a criterion may read of who the patient is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

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


TherapyKind = Literal[
    "chemotherapy", "immunotherapy", "targeted", "radiotherapy", "autologous_transplant", "allogeneic_transplant",
    "autologous_car_t", "allogeneic_car_t", "car_nk", "other",
]  # fmt: skip
Response = Literal["not_known", "complete_response", "partial_response", "stable", "progression"]
EndedBecause = Literal[
    "not_known", "under_way", "completed", "progression", "toxicity", "manufacture_failed", "not_feasible", "too_slow",
    "wish", "other",
]  # fmt: skip
"""Why a line of therapy ended, or why one that was planned was not given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Therapy:
    """One prior therapy. `line` counts from 1, 0 = not said; `target` is the antigen it was directed against, if one.

    `started` and `ended` None = not known.
    """

    kind: TherapyKind
    name: Clinical = ""
    line: int = 0
    target: str = ""
    started: date | None = None
    ended: date | None = None
    best_response: Response = "not_known"
    ended_because: EndedBecause = "not_known"


@dataclass(frozen=True)
class Findings:
    """Holds who the patient is as criteria ask, the disease as a code, observations and prior therapies by fact."""

    birth: Clinical = ""
    sex: Clinical = ""
    of_age: str = ""  # the fact that the patient came of age during the case
    of_age_at: datetime | None = None
    samples: Mapping[str, Sample] = field(default_factory=dict)
    files: tuple[ResultsFile, ...] = ()
    disease: Clinical = ""
    therapies: Mapping[str, Therapy] = field(default_factory=dict)

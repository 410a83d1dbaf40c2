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
class Source:
    """Says where something stands in a FHIR bundle: its identifier, the section, the entry counted from 1."""

    bundle: Clinical
    section: str
    entry: int


@dataclass(frozen=True, slots=True)
class Sample:
    """An observation with the time of its sample, and where it was read, if it came in a bundle."""

    observed: Observed
    taken: When
    source: Source | None = None


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


StatementKind = Literal[
    "condition", "allergy", "medication", "procedure", "immunization", "device", "finding", "plan", "directive",
    "alert",
]  # fmt: skip
SectionName = Literal[
    "problems", "allergies", "medications", "immunizations", "procedures", "devices", "results", "past_illness",
    "functional_status", "plan_of_care", "social_history", "vital_signs", "advance_directives", "pregnancy", "alerts",
    "patient_story", "other",
]  # fmt: skip
"""The sections of a patient summary [criteria.ips]."""
Said = Literal["stated", "none_known", "not_said"]
"""Whether something is stated, or that there is nothing known, or that there is no information."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One thing a summary says of the patient, in its own words; `code` is `system|code` as it was written.

    `entry` is its place in the bundle, counted from 1; of a section that says it is empty, the Composition's. `began`
    and `ended` are FHIR dates as written, at whatever precision. `disease` is our code, where one is named.
    """

    kind: StatementKind
    section: SectionName
    entry: int
    said: Said = "stated"
    text: Clinical = ""
    code: Clinical = ""
    status: Clinical = ""
    detail: Clinical = ""
    began: Clinical = ""
    ended: Clinical = ""
    disease: Clinical = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """Holds what one bundle said that was new, and when it was taken in.

    `first`: nobody had stated a diagnosis before, so that one of its conditions may be the case's diagnosis.
    """

    bundle: Clinical
    statements: tuple[Statement, ...]
    at: datetime
    first: bool = False


TherapyKind = Literal[
    "chemotherapy", "immunotherapy", "targeted", "radiotherapy", "autologous_transplant", "allogeneic_transplant",
    "autologous_car_t", "allogeneic_car_t", "car_nk", "other",
]  # fmt: skip
Response = Literal["not_known", "complete_response", "partial_response", "stable", "progression"]
EndedBecause = Literal[
    "not_known", "under_way", "completed", "progression", "toxicity", "manufacture_failed", "harvest_contaminated",
    "not_feasible", "too_slow", "wish", "other",
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
    summaries: Mapping[str, Summary] = field(default_factory=dict)

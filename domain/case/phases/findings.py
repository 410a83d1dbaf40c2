"""Says what was observed of the patient before treatment, and what a criterion may read of who the patient is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class Findings:
    """Holds the birth date or year, sex as recorded, and every observation by the fact that told it first."""

    birth: Clinical = ""
    sex: Clinical = ""
    samples: Mapping[str, Sample] = field(default_factory=dict)

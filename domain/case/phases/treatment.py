"""Says what is done at the hospital: dose, bed, admission, infusions, what was found out after them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from domain.case.track import Track
from domain.case.treatment import Infusion, Treatment
from domain.core.personal import ClinicalCode, TraceCode
from domain.core.when import When


@dataclass(frozen=True, slots=True)
class LookBack:
    """Holds what stands around the cells of a patient with a new cancer, as found at an instant.

    `alike` counts the other lots of the same vector lots, `units` all that was made, `patients` everybody else with it.
    """

    lots: tuple[TraceCode, ...]
    vector_lots: tuple[TraceCode, ...]
    alike: int
    units: int
    patients: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Alert:
    """Something dangerous found out, in time or after cells went in. `answered` are the parties that dealt with it.

    `report_by` is until when an authority hears of it if the clinician finds it unexpected; `reported` is the fact that
    says whether it was. `occurred` is when a new cancer was found, `looked_back` what stands around the cells.
    """

    id: str
    kind: Literal["malignancy", "recall", "mismatch", "deviation", "adverse_event", "excursion", "custody"]
    about: TraceCode
    answered: frozenset[str] = frozenset()
    report_by: datetime | None = None
    reported: str = ""
    looked_back: LookBack | None = None
    occurred: When | None = None


@dataclass(frozen=True, slots=True)
class Episode:
    """Follows one adverse event: its newest grade and its worst, and whether it is over. It goes by its first fact.

    `name` is the hospital's word where the kind is none of ours. `calculated` is the newest computed grade, None where
    no inputs were told. `alerted` is the grade that last raised an alert.
    """

    kind: ClinicalCode
    name: ClinicalCode
    fact: str
    grade: int | None
    highest: int
    calculated: int | None = None
    alerted: int = 0
    over: bool = False


@dataclass(frozen=True)
class InHospital:
    """Holds treatments as they were given, and what they need."""

    dose: Track = field(default_factory=Track)
    lot: TraceCode = ""
    units: Mapping[str, tuple[TraceCode, TraceCode]] = field(
        default_factory=dict
    )  # id of the fact that held it → lot, unit
    bed: Track = field(default_factory=Track)
    admitted: str = ""
    screening: Literal["none", "confirmed", "failed"] = "none"
    treatments: tuple[Treatment, ...] = ()
    assessments: int = 0
    discharged: str = ""
    readmissions: int = 0
    pathway: str = ""
    transplant: Literal["none", "referred", "done", "declined"] = "none"
    referrals: int = 0
    transplants: int = 0
    alerts: Mapping[str, Alert] = field(default_factory=dict)
    episodes: Mapping[str, Episode] = field(default_factory=dict)

    @property
    def treatment(self) -> Treatment | None:
        """Return the treatment under way or last given."""
        return self.treatments[-1] if self.treatments else None

    @property
    def infusions(self) -> tuple[Infusion, ...]:
        """Return every infusion of every treatment, in order."""
        return tuple(i for t in self.treatments for i in t.infusions)

"""Says what a protocol gives and how it is come by: the product's make, lymphodepletion, where it is approved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from domain.core.codes import require_country, require_day_come
from domain.core.errors import Reason, require
from domain.core.planned_check import PlannedCheck

Access = Literal["trial", "hospital_programme", "approved_use", "compassionate_use"]
"""How a patient comes to the product [catalogue.access]."""
ApprovalStatus = Literal["approved", "conditional", "refused", "withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Depletion:
    """One drug of a variant of lymphodepletion, as the source writes it; `days` count from the infusion, day 0."""

    variant: str = ""
    drug: str
    dose: str = ""
    unit: str = ""
    days: tuple[int, ...] = ()


def depletion_of(row: Mapping[str, Any]) -> Depletion:
    """Read a drug back from the JSON of a read model."""
    return Depletion(**{**row, "days": tuple(row["days"])})


def planned_check_of(row: Mapping[str, Any]) -> PlannedCheck:
    """Read a check back from the JSON of a read model."""
    return PlannedCheck(**{**row, "days": tuple(row["days"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place a registry lists for a study, with the status it gives there: no word of the place itself."""

    facility: str
    city: str = ""
    country: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class RecordApproval:
    """A country's regulator decided about the product on a day; `indication` in the decision's own words."""

    country: str
    regulator: str
    status: ApprovalStatus
    decided: date
    indication: str
    source: str
    type: Literal["RecordApproval"] = "RecordApproval"


@dataclass(frozen=True, slots=True)
class ApprovalRecorded:
    """A country's regulator decided about the product."""

    country: str
    regulator: str
    status: ApprovalStatus
    decided: date
    indication: str
    source: str
    type: Literal["ApprovalRecorded"] = "ApprovalRecorded"


def decide(known: Sequence[ApprovalRecorded], c: RecordApproval, now: datetime) -> ApprovalRecorded:
    """Decide what is told of an approval. Raises Refused."""
    require_country(c.country)
    for name in ("regulator", "indication", "source"):
        require(getattr(c, name), Reason.INVALID, "this is never empty", name)
    require_day_come(c.decided, now, "decided")
    told = ApprovalRecorded(c.country, c.regulator, c.status, c.decided, c.indication, c.source)
    require(told not in known, Reason.ALREADY, "this decision is recorded", "decided")
    return told


IN_FORCE: frozenset[ApprovalStatus] = frozenset({"approved", "conditional"})


def in_force(known: Sequence[ApprovalRecorded]) -> Sequence[ApprovalRecorded]:
    """Return the newest decision of each country and indication, those approved or conditional, by country."""
    return [one for one in _newest(known) if one.status in IN_FORCE]


def said_in(known: Sequence[ApprovalRecorded], country: str) -> tuple[tuple[str, bool], ...]:
    """Return of each indication whether what the regulator of a country decided last is an approval in force."""
    return tuple((one.indication, one.status in IN_FORCE) for one in _newest(known) if one.country == country)


def _newest(known: Sequence[ApprovalRecorded]) -> Sequence[ApprovalRecorded]:
    """The newest decision of each country and indication, in their order."""
    newest: dict[tuple[str, str], ApprovalRecorded] = {}
    for one in sorted(known, key=lambda told: told.decided):
        newest[one.country, one.indication] = one
    return [newest[key] for key in sorted(newest)]

"""Criteria: how those of a protocol stand for a case, computed beside what people read. Never a decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.case.phases.submissions import CriterionResult, Submission
from domain.case.state import Case
from domain.criteria.criterion import Criterion
from domain.criteria.screening import OPEN, Finding, screen
from domain.stages.records.observing import observed


@dataclass(frozen=True, slots=True)
class Standing:
    """One criterion with what was computed and what a person read; `read` None = nobody has."""

    criterion: Criterion
    finding: Finding
    read: CriterionResult | None = None

    @property
    def not_met(self) -> bool:
        """Return whether it stands against an acceptance: what a person read counts before what was computed."""
        return self.stands == "not_met"

    @property
    def open(self) -> bool:
        """Return whether something is still to be obtained for it."""
        return self.stands in (*OPEN, "needs_review")

    @property
    def stands(self) -> str:
        """Return how it stands: as a person read it, else as it was computed."""
        return self.read or self.finding.result


def noted_criteria(case: Case, protocol: str) -> Sequence[Criterion]:
    """Return the criteria of a protocol as this case last noted them."""
    return tuple(case.noted(protocol).get("criteria", ()))


def standings(
    case: Case, criteria: Iterable[Criterion], submission: Submission | None, now: datetime
) -> list[Standing]:
    """Return how each criterion stands; `submission` is where people read them, None = nowhere yet."""
    read = {one.criterion: one.result for one in submission.criteria} if submission else {}
    every = list(criteria)
    found = screen(every, observed(case, now), now)
    return [Standing(one, finding, read.get(one.id)) for one, finding in zip(every, found, strict=True)]


def counts(found: Iterable[Standing]) -> Mapping[str, int]:
    """Return how many stand as not met and how many are open. There is no number that says more than that."""
    every = list(found)
    return {"not_met": sum(one.not_met for one in every), "open": sum(one.open for one in every), "all": len(every)}


def asked_under(case: Case, protocol: str) -> Submission | None:
    """Return the newest submission under a protocol, where people read its criteria."""
    return next((s for s in reversed(list(case.submissions.values())) if s.protocol == protocol), None)


def against(case: Case, submission: Submission, now: datetime) -> Sequence[str]:
    """Return the names of the criteria that stand as not met: those people read so, then those computed so."""
    computed = standings(case, noted_criteria(case, submission.protocol), submission, now)
    return list(dict.fromkeys([*submission.not_met, *(one.criterion.id for one in computed if one.not_met)]))

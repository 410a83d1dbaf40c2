"""Says what a case asks of the unit that is held for it: until when, how long its lot lasts, and of whose cells not."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.case.state import Case
from domain.core.policy import Policy
from domain.criteria.redosing import RedosingCriteria
from domain.doses.allocation import DoseWanted
from domain.stages.records.observing import observed
from domain.stages.travel.arrangement_kinds import lands, planned_arrival

ANTIBODIES = ("donor_specific_antibodies", "hla_antibodies")
"""What a protocol's criteria are about where it asks for antibodies against the donor."""


def dose_wanted(case: Case, now: datetime, policy: Policy) -> DoseWanted:
    """Return what the case asks of a unit that is held for it from now on.

    Its lot outlasts the hold, the planned arrival and the day an infusion was moved to, by the margin [doses.margin].
    """
    until, moved = now + policy.dose_hold, case.moved_infusion
    days = (planned_arrival(case), moved.infusion_day if moved else None)
    last = max(until, *(lands(day) for day in days if day)) if any(days) else until
    return DoseWanted(case.id, until, last + policy.dose_margin, _against(case, now))


def asks_for_antibodies(case: Case) -> bool:
    """Return whether the protocol asks for antibodies against the donor: before another dose, or as a criterion."""
    told = case.noted(case.protocol)
    again = told.get("redosing")
    before = isinstance(again, RedosingCriteria) and again.antibodies_days > 0
    return before or any(test.analyte in ANTIBODIES for one in told.get("criteria", ()) for test in one.tests)


def _against(case: Case, now: datetime) -> frozenset[str]:
    """Return the alleles that the newest test of each found antibodies against; one without a date counts as found."""
    if not asks_for_antibodies(case):
        return frozenset()
    never = datetime.min.replace(tzinfo=UTC)
    told = [one for one in observed(case, now) if one.analyte == "hla_antibodies"]
    newest: dict[str, datetime] = {}
    for one in told:
        newest[one.target] = max(newest.get(one.target, never), one.taken.latest or never)
    return frozenset(
        one.target
        for one in told
        if one.code == "positive" and (one.taken.latest is None or one.taken.latest >= newest[one.target])
    )

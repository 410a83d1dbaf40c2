"""Says which doors are shut, or about to end, for somebody who is about to travel or has booked."""

from __future__ import annotations

from datetime import datetime

from domain.case.state import Case
from domain.core.policy import Policy
from domain.stages.eligibility.eligibility import accepted_now
from domain.stages.eligibility.review_again import ON_HOLD, PROGRESSED, unreviewed
from domain.stages.eligibility.submissions import protocol_open
from domain.stages.governing.by_class import from_stock
from domain.stages.governing.cohort_place import unplaced
from domain.stages.governing.standing_still import stands_still
from domain.stages.travel.arrangement_kinds import lands, planned_arrival
from domain.stages.travel.letter import needs_visa
from domain.stages.travel.postponing import arrives_in_time
from domain.stages.travel.visa import may_enter, passport_lasts, stay_lasts, travellers


def closed_doors(case: Case, now: datetime, policy: Policy) -> tuple[str, ...]:
    """Say what is shut or about to end; empty = the way is free right now."""
    day = planned_arrival(case)
    arrival = lands(day) if day else now
    checks: list[tuple[bool, str]] = [
        (accepted_now(case, now), "the centre's acceptance has ended"),
        (not case.noted(case.centre).get("paused"), "the centre takes no patients at present"),
        (protocol_open(case, case.centre, case.protocol, now), "the protocol is not known to be open"),
        (not unreviewed(case), PROGRESSED),
        (not stands_still(case), ON_HOLD),
        (not unplaced(case), "the trial's cohort has no place for this patient"),
        (case.dose.good_at(now) or not from_stock(case), "no dose is held"),
        (_lot_lasts(case, policy), "the held lot expires too soon after the planned arrival"),
        (case.bed.good_at(now), "no bed is held"),
        (arrives_in_time(case), "the hospital has postponed the admission past the planned arrival"),
        (case.fit_to_travel.good_at(now) or now > arrival, "fitness to travel is not stated or has ended"),
        (bool(case.stay_plan.get("funds_confirmed")), "the stay is not planned and funded"),
    ]
    if needs_visa(case):
        entry = max(now, arrival)
        checks += [(may_enter(case, p, entry), "a traveller has no visa valid on arrival") for p in travellers(case)]
        checks += [(stay_lasts(case, p, policy), "a visa's permitted stay is too short") for p in travellers(case)]
        checks += [(passport_lasts(case, p, arrival, policy), "a passport ends too soon") for p in travellers(case)]
    return tuple(dict.fromkeys(words for good, words in checks if not good))


def _lot_lasts(case: Case, policy: Policy) -> bool:
    """Whether the lot held outlasts the planned arrival by the margin; day 0 comes later still [doses.margin]."""
    expires, day = case.noted(case.lot).get("expires"), planned_arrival(case)
    return not isinstance(expires, datetime) or day is None or expires >= lands(day) + policy.dose_margin

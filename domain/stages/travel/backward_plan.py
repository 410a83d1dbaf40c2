"""Reckons the plan of a journey backwards from its infusion: by when what, and what is late [travel.backward]."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from domain.case.state import Case
from domain.core.errors import Reason, Refused, require
from domain.core.policy import Party, Policy, Span
from domain.stages.governing.by_class import depletion_planned, from_stock
from domain.stages.travel.arrangement_kinds import lands, planned_arrival
from domain.stages.travel.readiness import ITEMS

FARTHEST = timedelta(days=2 * 365)


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step: until when it is to be done, in UTC, whether it is, and whether that instant has passed without it."""

    kind: str
    by: datetime
    done: bool
    late: bool


def _ready(kind: str) -> Callable[[Case], bool]:
    return lambda case: ITEMS[kind](case) in ("there", "not_needed") or kind in case.arrival_waived


BEGUN = ("started", "completed", "omitted")
STEPS: Mapping[str, Callable[[Case], bool]] = {
    "acceptance": lambda c: c.accepted is not None,
    "price": lambda c: c.quote.state == "held",
    "dose": lambda c: c.dose.state == "held" or bool(c.infusions) or not from_stock(c),
    "bed": lambda c: c.bed.state == "held" or bool(c.admitted),
    "stay_plan": lambda c: bool(c.stay_plan.get("funds_confirmed")),
    "letter": _ready("letter"),
    "visa_application": lambda c: ITEMS["visa"](c) in ("there", "asked", "not_needed"),
    "visa": _ready("visa"),
    "admission_appointment": _ready("admission"),
    "lodging": _ready("lodging"),
    "interpreter": _ready("interpreter"),
    "local_contact": _ready("local_contact"),
    "transfer": _ready("transfer"),
    "fitness": lambda c: c.fit_to_travel.state == "held",
    "ticket": _ready("ticket"),
    "arrival": lambda c: c.entered is not None,
    "admission": lambda c: bool(c.admitted),
    "screening": lambda c: c.screening == "confirmed",
    "depletion": lambda c: not depletion_planned(c) or bool(c.treatment and c.treatment.depletion in BEGUN),
    "infusion": lambda c: bool(c.infusions),
}
"""Step → whether it is done, in the order of the journey; how long before the infusion is the policy's."""
BEFORE = frozenset(STEPS) - {"infusion"}
"""The steps that have a lead time."""
ONCE_THERE = frozenset(("letter", "visa_application", "visa", "admission_appointment", "lodging", "interpreter",
                        "local_contact", "transfer", "fitness", "ticket"))  # fmt: skip
"""What the way there needs: once the patient is in the country it is not asked for any more."""


def planned_infusion(case: Case, policy: Policy) -> date | None:
    """Return the day of infusion that the planned arrival leads to; None where no stay is planned."""
    arrives = planned_arrival(case)
    return arrives + timedelta(days=policy.lead_times["arrival"].amount) if arrives else None


def backward_plan(case: Case, infusion: date | None, now: datetime, policy: Policy) -> Sequence[PlanStep]:
    """Return each step with the instant it is to be done by, for the infusion on that day or the planned one.

    Another day moves the plan as a whole. Raises Refused where no day is known, or it lies too far away.
    """
    day = infusion or planned_infusion(case, policy)
    if day is None:
        raise Refused(Reason.MISSING, "no stay is planned yet (PlanStay): name the day of the infusion", "infusion")
    words = f"a plan is made for a day at most {FARTHEST.days} days from now"
    require(abs(lands(day) - now) <= FARTHEST, Reason.INVALID, words, "infusion")
    case = as_if(case, day, policy) if infusion else case
    country = case.country_of(Party.HOSPITAL, "", policy)
    return [_step(case, kind, lands(day), country, now, policy) for kind in STEPS]


def as_if(case: Case, infusion: date, policy: Policy) -> Case:
    """Return the case as if the patient arrived on the day that leads to that infusion."""
    arrives = infusion - timedelta(days=policy.lead_times["arrival"].amount)
    return replace(case, stay_plan={**case.stay_plan, "arrives": arrives}) if case.stay_plan else case


def _step(case: Case, kind: str, infusion: datetime, country: str, now: datetime, policy: Policy) -> PlanStep:
    lead = policy.lead_times[kind] if kind in BEFORE else Span(0, "days")
    by = policy.instant(infusion, Span(-lead.amount, lead.unit), country)
    done = STEPS[kind](case) or (kind in ONCE_THERE and case.entered is not None)
    return PlanStep(kind, by.astimezone(UTC), done, by < now and not done)

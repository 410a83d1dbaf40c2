"""Works out a slip once the patient is there: what does not hold until another day of infusion [travel.slip-there]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from domain.case.phases.arrangements import ArrangementKind
from domain.case.phases.travel import MovedInfusion, SlipKind, SlipStep
from domain.case.stage import Stage
from domain.case.state import Case
from domain.core.errors import Reason, require
from domain.core.policy import Party, Policy
from domain.stages.eligibility.submissions import open_until
from domain.stages.governing.by_class import depletion_planned
from domain.stages.travel.arrangement_kinds import lands
from domain.stages.travel.backward_plan import planned_infusion
from domain.stages.treatment import dose
from domain.stages.treatment.admission import in_country
from domain.stages.treatment.slip import SlipLine, Thing, kind_of, line_of

FARTHEST = timedelta(days=180)
"""How far from today an infusion is moved; more is a slip of the pen."""
DAY = timedelta(days=1)
THERE = (Stage.ADMISSION, Stage.LYMPHODEPLETION, Stage.INFUSION)
"""The stages at which an infusion may still be to come for a patient who has arrived."""


@dataclass(frozen=True, slots=True)
class _Then:
    """A case as if the next infusion were on that day. `moved`: another day is planned; `ends`: so long the stay is."""

    case: Case
    infusion: datetime
    ends: datetime
    moved: bool
    policy: Policy

    def made_for_another(self, kind: SlipKind) -> bool:
        """Return whether something was made for another day: the day moves, or moved and this was left out."""
        known = moved_infusion(self.case)
        return self.moved or kind in {step.kind for step in (known.left_out if known else ())}


def there(case: Case) -> bool:
    """Return whether the patient is there for a treatment of which nothing was infused yet."""
    known = case.treatment
    begun = known is not None and (known.given_up or bool(known.infusions))
    return in_country(case) and case.stage in THERE and not (case.exit or begun)


def moved_infusion(case: Case) -> MovedInfusion | None:
    """Return the newest move while it counts: no cells since, and no newer plan of the hospital."""
    known = case.moved_infusion
    newest = known is not None and known.plan == planned_by_hospital(case)
    return known if known and newest and known.given == len(case.infusions) else None


def planned_by_hospital(case: Case) -> date | None:
    """Return the day of infusion that the hospital's plan of lymphodepletion names; None = no plan."""
    plan = case.treatment.plan if case.treatment else None
    return plan.infusion_day if plan else None


def expected_infusion(case: Case, policy: Policy) -> date | None:
    """Return the planned day of the next infusion: as it was moved, as the hospital plans it, else by the arrival."""
    known = moved_infusion(case)
    return known.infusion_day if known else planned_by_hospital(case) or planned_infusion(case, policy)


def next_infusion(case: Case, now: datetime, policy: Policy) -> date:
    """Return the day a plan is proposed for: the planned one, unless it is over or nobody knows one."""
    return max(expected_infusion(case, policy) or now.date(), now.date())


def infusion_slip(case: Case, infusion: date, now: datetime, policy: Policy) -> Sequence[SlipLine]:
    """Return what does not hold for an infusion on that day, in the order of the plan. Raises Refused."""
    require(there(case), Reason.NOT_NOW, "no patient is there whose infusion is to come")
    require(infusion >= now.date(), Reason.INVALID, "the day of the infusion is over", "infusion_day")
    near = infusion <= now.date() + FARTHEST
    require(near, Reason.INVALID, f"an infusion is planned at most {FARTHEST.days} days ahead", "infusion_day")
    planned = expected_infusion(case, policy)
    after = max(int(case.stay_plan.get("days", 0)) - policy.lead_times["arrival"].amount, 0)
    day = _Then(case, lands(infusion), lands(infusion) + after * DAY, planned not in (None, infusion), policy)
    return [line_of(row, step, case, now) for row in ROWS for step in row.found(day)]


def _ending(kind: SlipKind, until: datetime | None, needed: datetime) -> Iterable[SlipStep]:
    return [] if until is not None and until >= needed else [SlipStep(kind, "", until, needed)]


def _protocol(then: _Then) -> Iterable[SlipStep]:
    """Nobody is infused under a protocol that is not known to be open."""
    case = then.case
    paused = case.noted(case.centre).get("paused")
    return _ending("protocol", None if paused else open_until(case, case.centre, case.protocol), then.infusion)


def _dose(then: _Then) -> Iterable[SlipStep]:
    """The hold and the lot both last until the day is over."""
    case = then.case
    if not dose.needed(case):
        return []
    held, expires = case.dose.until if case.dose.state == "held" else None, case.noted(case.lot).get("expires")
    until = min(held, expires) if held and isinstance(expires, datetime) else held
    return _ending("dose", until, then.infusion + DAY)


def _stay(then: _Then) -> Iterable[SlipStep]:
    """The permitted stay lasts for what was planned after the infusion, with its margin [travel.stay]."""
    ends = then.case.stay_until
    return _ending("stay", ends, then.ends + then.policy.stay_margin) if ends else []


def _arranged(kind: ArrangementKind, until: Callable[[_Then], datetime]) -> Callable[[_Then], Iterable[SlipStep]]:
    """What is arranged with somebody, and ends before it is needed for the last time."""

    def found(then: _Then) -> Iterable[SlipStep]:
        known = [a for a in then.case.arrangements.values() if a.kind == kind and a.live]
        return [SlipStep(kind_of(a), a.id, a.ends, until(then)) for a in known if a.ends < until(then)]

    return found


def _lodging(then: _Then) -> Iterable[SlipStep]:
    """Where nobody was asked for lodging, it is what the family's plan says in words."""
    if any(a.kind == "lodging" for a in then.case.arrangements.values()):
        return _arranged("lodging", lambda t: t.ends)(then)
    return [SlipStep("lodging", "", None, then.ends)] if then.made_for_another("lodging") else []


def _depletion(then: _Then) -> Iterable[SlipStep]:
    """The hospital plans its days anew; once it is done, the window for the infusion ends [depletion.window]."""
    known = then.case.treatment
    if known is not None and known.depletion in ("completed", "omitted"):
        closes = known.window_closes
        return _ending("depletion", closes, then.infusion) if closes else []
    anew = depletion_planned(then.case) and then.made_for_another("depletion")
    return [SlipStep("depletion", "", None, then.infusion)] if anew else []


def _carried_out(case: Case, step: SlipStep) -> bool:
    known = moved_infusion(case)
    return known is not None and step in known.carried_out


def _extended(case: Case, step: SlipStep) -> bool:
    return case.extension == "filed" or _carried_out(case, step)


ROWS: tuple[Thing[_Then], ...] = (
    Thing("protocol", "ask_centre", Party.HOSPITAL, _protocol, _carried_out, "confirmation"),
    Thing("dose", "ask_again", Party.HOSPITAL, _dose, lambda c, _: c.dose.unanswered, "dose_hold",
               price="cell_product", lapsed=lambda c, _: c.dose.state == "lapsed"),
    Thing("stay", "extend_stay", Party.FAMILY, _stay, _extended, "stay_days", "authority"),
    Thing("lodging", "arrange_anew", Party.FAMILY, _lodging, _carried_out, "booking", "lodging_house",
               "accommodation"),
    Thing("interpreter", "arrange_anew", Party.HOSPITAL, _arranged("interpreter", lambda t: t.infusion + DAY),
               _carried_out, "booking", price="interpreter"),
    Thing("local_contact", "ask_again", Party.HOSPITAL, _arranged("local_contact", lambda t: t.ends),
               _carried_out, "booking"),
    Thing("depletion", "plan_anew", Party.HOSPITAL, _depletion, _carried_out, "window", price="lymphodepletion"),
)  # fmt: skip
"""In the order of the plan before the journey: open door, what is scarce, papers, bookings, the treatment's days."""

"""Works out a slip: what of a journey being prepared does not hold on a day of arrival [travel.slip]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Generic, Literal, TypeVar

from domain.case.costs import TOTAL, Item, compared, items
from domain.case.phases.arrangements import Arrangement, ArrangementKind, AskedOf, MovingCost
from domain.case.phases.travel import SLIP_KINDS, SlipKind, SlipStep, Visa
from domain.case.state import Case
from domain.case.track import Track
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.policy import Party, Policy
from domain.stages.eligibility.submissions import open_until
from domain.stages.travel.arrangement_kinds import lands, made_for_another_day, planned_arrival
from domain.stages.travel.letter import needs_visa, preparing
from domain.stages.travel.moving_costs import moving_cost
from domain.stages.travel.visa import may_enter, passport_lasts, passport_needed, stay_lasts, travellers
from domain.stages.treatment import bed, dose

D = TypeVar("D")
Why = Literal["ends", "lapsed", "missing", "moves"]
"""It ends before it is needed; it was held and ended; nothing is held; or it was made for another day."""
Lost = Literal["", "decision", "confirmation", "dose_hold", "bed_hold", "letter", "visa_window", "stay_days",
               "passport", "statement", "ticket", "booking", "start_day", "window", "price"]  # fmt: skip
"""What of the thing is gone, or is given back, when it does not hold; empty = nothing was held."""
Told = Literal["centre", "consulate", "passport_office", "doctor", "carrier", "lodging_house", "agency", "family",
               "authority"]  # fmt: skip
"""Who knows what moving it costs where the case does not."""
Mend = Literal["ask_centre", "ask_again", "new_letter", "new_application", "new_passport", "state_again", "rebook",
               "arrange_anew", "plan_anew", "extend_stay"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class SlipLine:
    """One step of a plan: why it does not hold, what mends it and who is asked for that.

    `asked`: it has been asked for already. `price` is what the newest price or estimate says for the thing itself, and
    when that was told; None = the case knows no sum. `cost` is what moving it costs as far as somebody said so, `free`:
    nothing yet; where it is None, `told_by` knows.
    """

    step: SlipStep
    why: Why
    mend: Mend
    to: Party
    asked: bool
    lost: Lost
    told_by: Told
    cost: MovingCost | None = None
    free: bool = False
    price: Item | None = None
    currency: str = ""
    priced: datetime | None = None

    @property
    def charged(self) -> tuple[int, int] | None:
        """Return the least and the most that moving it costs now; None = not known."""
        return None if self.cost is None else (0, 0) if self.free else (self.cost.low, self.cost.high)


@dataclass(frozen=True, slots=True)
class SlipSum:
    """What all that is to be asked for costs to move, in one currency."""

    currency: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class _Day:
    """A case as if the patient arrived on that day. `moved`: another day is planned."""

    case: Case
    lands: datetime
    moved: bool
    policy: Policy

    def made_for_another(self, kind: SlipKind, about: str = "") -> bool:
        """Return whether something was made for another day: the day moves, or moved and this was left out."""
        left = self.case.moved.left_out if self.case.moved else ()
        return self.moved or (kind, about) in {(step.kind, step.about) for step in left}

    def visa(self, person: str) -> Visa | None:
        """Return a traveller's visa if it is granted."""
        known = self.case.visas.get(person)
        return known if known and known.state == "granted" else None


@dataclass(frozen=True, slots=True)
class Thing(Generic[D]):
    """Says of a thing how it is found not to hold on a day, whether it has been asked for, what mends it, whom to ask.

    `lost` is what is gone with it; `told_by` knows what moving it costs; `lapsed`: it was held, and ended by itself.
    """

    kind: SlipKind
    mend: Mend
    to: Party
    found: Callable[[D], Iterable[SlipStep]]
    asked: Callable[[Case, SlipStep], bool]
    lost: Lost
    told_by: Told = "centre"
    price: str = ""
    lapsed: Callable[[Case, SlipStep], bool] = lambda *_: False


def next_day(case: Case, now: datetime) -> date | None:
    """Return the day a plan is proposed for: the planned one, unless it is over or the hospital admits only later."""
    planned = planned_arrival(case)
    if planned is None:
        return None
    return max(planned, now.date(), case.postponed.admits_from if case.postponed else planned)


def require_day(case: Case, arrives: date, now: datetime) -> date:
    """Return the planned day. Raises Refused where no journey is prepared, or nobody can arrive on the new day."""
    require(preparing(case), Reason.NOT_NOW, "no journey is being prepared")
    planned = planned_arrival(case)
    if planned is None:
        raise Refused(Reason.MISSING, "no stay is planned yet: plan it first (PlanStay)")
    require(arrives >= now.date(), Reason.INVALID, "the day of arrival is over", "arrives")
    near = arrives <= now.date() + LATEST
    require(near, Reason.INVALID, f"an arrival is planned at most {LATEST.days} days ahead", "arrives")
    known = case.postponed
    if known is not None:
        words = f"the hospital admits only from {known.admits_from.isoformat()} on"
        require(arrives >= known.admits_from, Reason.INVALID, words, "arrives")
    return planned


LATEST = timedelta(days=2 * 365)


def slip(case: Case, arrives: date, now: datetime, policy: Policy) -> Sequence[SlipLine]:
    """Return what does not hold if the patient arrives on that day, in the order of the plan. Raises Refused."""
    planned = require_day(case, arrives, now)
    then = replace(case, stay_plan={**case.stay_plan, "arrives": arrives})
    day = _Day(then, lands(arrives), arrives != planned, policy)
    return [line_of(row, step, case, now) for row in ROWS for step in row.found(day)]


def sums(lines: Iterable[SlipLine]) -> Sequence[SlipSum]:
    """Return what the open steps cost to move, by currency; what nobody has told the cost of is in none of them."""
    # one new visa mends both its days to enter and its days to stay: it is paid for once
    things = {("visa" if o.step.kind == "stay" else o.step.kind, o.step.about): o for o in lines if not o.asked}
    known = [(line.cost.currency, *line.charged) for line in things.values() if line.cost and line.charged]
    found: dict[str, SlipSum] = {}
    for currency, low, high in known:
        before = found.get(currency, SlipSum(currency, 0, 0))
        found[currency] = SlipSum(currency, before.low + low, before.high + high)
    return list(found.values())


def parted(lines: Iterable[SlipLine], carry_out: Sequence[str]) -> tuple[tuple[SlipStep, ...], tuple[SlipStep, ...]]:
    """Return the open steps that are named and those that are not. Raises Refused for a name that is none of them."""
    steps = [line.step for line in lines if not line.asked]
    names = [step.name for step in steps]
    unknown = next((name for name in carry_out if name not in names), "")
    words = f"the plan for this day has no open step {unknown!r}; it has: {', '.join(names) or 'none'}"
    require(not unknown, Reason.INVALID, words, "carry_out")
    chosen = tuple(step for step in steps if step.name in carry_out)
    return chosen, tuple(step for step in steps if step not in chosen)


def unasked(case: Case, now: datetime, policy: Policy) -> int | None:
    """Count what is to be asked for so that the next arrival holds; None where no journey with a day is prepared."""
    day = next_day(case, now)
    if day is None or not preparing(case):
        return None
    return sum(not line.asked for line in slip(case, day, now, policy))


def line_of(row: Thing[D], step: SlipStep, case: Case, now: datetime) -> SlipLine:
    """Return the line of a step, with what is known of its cost and price."""
    why = _why(row, step, case)
    known = case.quoted or case.estimated
    price = _prices(case).get(row.price)
    arranged = case.arrangements.get(step.about)
    cost = moving_cost(case, f"visa:{step.about}" if step.kind == "stay" else step.name)
    return SlipLine(
        step,
        why,
        row.mend,
        ASKED_OF[arranged.asked_of] if arranged else row.to,
        row.asked(case, step),
        "" if why == "missing" else row.lost,
        arranged.asked_of if arranged else row.told_by,
        cost,
        cost is not None and cost.free(now),
        price,
        known.currency if known and price else "",
        known.at if known and price else None,
    )


def _why(row: Thing[D], step: SlipStep, case: Case) -> Why:
    if step.until is not None and step.until <= step.needed:
        return "ends"
    if row.lapsed(case, step):
        return "lapsed"
    return "moves" if step.until or row.kind in MADE_FOR_A_DAY else "missing"


ASKED_OF: Mapping[AskedOf, Party] = {
    "centre": Party.HOSPITAL,
    "family": Party.FAMILY,
    "lodging_house": Party.COORDINATOR,
    "agency": Party.COORDINATOR,
}
"""Who asks again for an arrangement, or is asked."""
MADE_FOR_A_DAY: frozenset[SlipKind] = frozenset({"ticket", "lodging", "interpreter", "depletion"})


def _prices(case: Case) -> dict[str, Item]:
    known = case.quoted or case.estimated
    if known is None:
        return {}
    total = compared(None, known)[-1].quoted
    return {**items(known), **({TOTAL: total} if total else {})}


def _ending(day: _Day, kind: SlipKind, until: datetime | None, needed: datetime | None = None) -> Iterable[SlipStep]:
    """The step, unless what is held lasts longer than it is needed."""
    needed = needed or day.lands
    return [] if until is not None and until > needed else [SlipStep(kind, "", until, needed)]


def _held(track: Track) -> datetime | None:
    return track.until if track.state == "held" else None


def _acceptance(day: _Day) -> Iterable[SlipStep]:
    known = day.case.accepted
    return _ending(day, "acceptance", known.valid_until if known else None)


def _protocol(day: _Day) -> Iterable[SlipStep]:
    case = day.case
    paused = case.noted(case.centre).get("paused")
    return _ending(day, "protocol", None if paused else open_until(case, case.centre, case.protocol))


def _dose(day: _Day) -> Iterable[SlipStep]:
    """The hold and the lot must both outlast the arrival by the margin: day 0 comes later still [doses.margin]."""
    if not dose.needed(day.case):
        return []
    held, expires = _held(day.case.dose), day.case.noted(day.case.lot).get("expires")
    until = min(held, expires) if held and isinstance(expires, datetime) else held
    return _ending(day, "dose", until, day.lands + day.policy.dose_margin)


def _bed(day: _Day) -> Iterable[SlipStep]:
    return _ending(day, "bed", _held(day.case.bed)) if bed.needed(day.case) else []


def _letter(day: _Day) -> Iterable[SlipStep]:
    """Somebody must still apply for a visa, and the letter ends by then or names another day."""
    if not (needs_visa(day.case) and any(not _admitted(day, person) for person in travellers(day.case))):
        return []
    held = _held(day.case.letter)
    made = [SlipStep("letter", "", held, day.lands)] if day.made_for_another("letter") else []
    return made or _ending(day, "letter", held)


def _admitted(day: _Day, person: str) -> bool:
    known = day.visa(person)
    fits = may_enter(day.case, person, day.lands) and stay_lasts(day.case, person, day.policy)
    return bool(known and not known.again and fits)


def _visa(day: _Day) -> Iterable[SlipStep]:
    for person in travellers(day.case) if needs_visa(day.case) else ():
        if not may_enter(day.case, person, day.lands):
            known = day.visa(person)
            yield SlipStep("visa", person, known.valid_until if known else None, day.lands)


def _stay(day: _Day) -> Iterable[SlipStep]:
    """A granted visa permits fewer days than are planned, with the margin [travel.stay]."""
    for person in travellers(day.case) if needs_visa(day.case) else ():
        known = day.visa(person)
        if known and not stay_lasts(day.case, person, day.policy):
            needed = day.lands + timedelta(days=day.case.stay_plan["days"]) + day.policy.stay_margin
            yield SlipStep("stay", person, day.lands + timedelta(days=known.stay_days), needed)


def _passport(day: _Day) -> Iterable[SlipStep]:
    for person in travellers(day.case) if needs_visa(day.case) else ():
        if not passport_lasts(day.case, person, day.lands, day.policy):
            expires = day.case.passports.get(person)
            ends = datetime.combine(expires, time(), UTC) if expires else None
            yield SlipStep("passport", person, ends, passport_needed(day.case, day.lands, day.policy))


def _fitness(day: _Day) -> Iterable[SlipStep]:
    return _ending(day, "fitness", _held(day.case.fit_to_travel))


def _ticket(day: _Day) -> Iterable[SlipStep]:
    known = day.case.travel
    bought = known.state in ("asked", "held") and day.made_for_another("ticket", str(known.round))
    return [SlipStep("ticket", str(known.round), None, day.lands)] if bought else []


def _arranged(kind: ArrangementKind) -> Callable[[_Day], Iterable[SlipStep]]:
    """What is arranged with somebody else, and for another day of arrival."""

    def found(day: _Day) -> Iterable[SlipStep]:
        known = [a for a in day.case.arrangements.values() if a.kind == kind]
        other = [a for a in known if made_for_another_day(day.case, a, day.lands.date())]
        return [SlipStep(kind_of(a), a.id, a.ends, day.lands) for a in other]

    return found


def kind_of(a: Arrangement) -> SlipKind:
    """Return the kind of the step that moves an arrangement."""
    return next(kind for kind in SLIP_KINDS if kind == a.kind)


def _lodging(day: _Day) -> Iterable[SlipStep]:
    """Where nobody was asked for lodging, it is what the family's plan says in words."""
    if any(a.kind == "lodging" for a in day.case.arrangements.values()):
        return _arranged("lodging")(day)
    return [SlipStep("lodging", "", None, day.lands)] if day.made_for_another("lodging") else []


def _interpreter(day: _Day) -> Iterable[SlipStep]:
    if any(a.kind == "interpreter" for a in day.case.arrangements.values()):
        return _arranged("interpreter")(day)
    wanted = day.case.stay_plan.get("interpreter_language") and day.made_for_another("interpreter")
    return [SlipStep("interpreter", "", None, day.lands)] if wanted else []


def _depletion(day: _Day) -> Iterable[SlipStep]:
    """It starts only once the patient is there and the gate is signed; the centre plans it and the infusion anew."""
    return [SlipStep("depletion", "", None, day.lands)] if day.made_for_another("depletion") else []


def _quote(day: _Day) -> Iterable[SlipStep]:
    """A price the family has accepted does not end; one they have not accepted does."""
    known = day.case.quote
    if known.state == "held":
        return []
    return _ending(day, "quote", known.until if known.state == "asked" else None)


def _carried_out(case: Case, step: SlipStep) -> bool:
    """It was asked for with the newest plan, for the same need."""
    return case.moved is not None and step in case.moved.carried_out


def _applied(case: Case, step: SlipStep) -> bool:
    """An application runs, or is owed: a visa that is refused, lapsed or not applied for is owed by itself."""
    known = case.visas.get(step.about)
    return known is None or known.state != "granted" or known.again


def _track_lapsed(track: Callable[[Case], Track]) -> Callable[[Case, SlipStep], bool]:
    return lambda case, _: track(case).state == "lapsed"


def _visa_lapsed(case: Case, step: SlipStep) -> bool:
    known = case.visas.get(step.about)
    return known is not None and known.state == "lapsed"


ROWS: tuple[Thing[_Day], ...] = (
    Thing("acceptance", "ask_centre", Party.HOSPITAL, _acceptance, _carried_out, "decision"),
    Thing("protocol", "ask_centre", Party.HOSPITAL, _protocol, _carried_out, "confirmation"),
    Thing("dose", "ask_again", Party.HOSPITAL, _dose, lambda c, _: c.dose.unanswered, "dose_hold",
         price="cell_product", lapsed=_track_lapsed(lambda c: c.dose)),
    Thing("bed", "ask_again", Party.HOSPITAL, _bed, lambda c, _: c.bed.unanswered, "bed_hold",
         price="hospital_charges", lapsed=_track_lapsed(lambda c: c.bed)),
    Thing("letter", "new_letter", Party.HOSPITAL, _letter, lambda c, _: c.letter.unanswered, "letter",
         lapsed=_track_lapsed(lambda c: c.letter)),
    Thing("visa", "new_application", Party.FAMILY, _visa, _applied, "visa_window", "consulate", lapsed=_visa_lapsed),
    Thing("stay", "new_application", Party.FAMILY, _stay, _applied, "stay_days", "consulate"),
    Thing("passport", "new_passport", Party.FAMILY, _passport, _carried_out, "passport", "passport_office"),
    Thing("fitness", "state_again", Party.HOME_ONCOLOGIST, _fitness, lambda c, _: c.fit_to_travel.unanswered,
         "statement", "doctor", lapsed=_track_lapsed(lambda c: c.fit_to_travel)),
    Thing("ticket", "rebook", Party.COORDINATOR, _ticket, _carried_out, "ticket", "carrier"),
    Thing("lodging", "arrange_anew", Party.FAMILY, _lodging, _carried_out, "booking", "lodging_house", "accommodation"),
    Thing("interpreter", "arrange_anew", Party.HOSPITAL, _interpreter, _carried_out, "booking", price="interpreter"),
    Thing("transfer", "ask_again", Party.HOSPITAL, _arranged("transfer"), _carried_out, "booking"),
    Thing("local_contact", "ask_again", Party.HOSPITAL, _arranged("local_contact"), _carried_out, "booking"),
    Thing("admission", "ask_again", Party.HOSPITAL, _arranged("admission"), _carried_out, "booking"),
    Thing("depletion", "plan_anew", Party.HOSPITAL, _depletion, _carried_out, "start_day", price="lymphodepletion"),
    Thing("quote", "ask_centre", Party.HOSPITAL, _quote, lambda c, s: c.quote.unanswered or _carried_out(c, s), "price",
         price=TOTAL, lapsed=_track_lapsed(lambda c: c.quote)),
)  # fmt: skip
"""In the order in which things are given back when a journey ends [undoing.order]: the open door first, then what is
scarce, papers, bookings, the treatment's days, and money last."""

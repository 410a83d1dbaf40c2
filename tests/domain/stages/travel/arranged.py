"""Arranging a stay, step by step, from a case whose stay is planned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.case.phases.arrangements import Arrangement, AskedOf, Slot
from domain.stages.travel.arrangement_answers import ChooseSlot, ConfirmArrangement, OfferSlots, RefuseArrangement
from domain.stages.travel.arranging import AskArrangement, AskArrangementAgain, CancelArrangement
from domain.stages.travel.readiness import OPEN, WaiveArrivalItem, arrival_items
from domain.stages.travel.travel import PlanStay
from tests.domain.course import STEPS
from tests.domain.journey import DAY, HOUR, Journey

Lead = Callable[[Journey], object]


def newest(j: Journey) -> Arrangement:
    """The arrangement asked for last."""
    return list(j.case.arrangements.values())[-1]


def ask_lodging(of: AskedOf = "centre") -> Lead:
    return lambda j: j.tell(AskArrangement("lodging", of, distance_km=5, payer="family"))


def ask_interpreter(j: Journey) -> None:
    j.tell(AskArrangement("interpreter", language_from="hi", language_to="zh", mode="present"))


def ask_admission(j: Journey) -> None:
    j.tell(AskArrangement("admission"))


def times(j: Journey) -> tuple[Slot, ...]:
    """Two mornings from the planned arrival on."""
    at = newest(j).starts + 9 * HOUR
    return Slot(at, at + HOUR), Slot(at + DAY, at + DAY + HOUR)


def offer(j: Journey) -> None:
    j.tell(OfferSlots(newest(j).id, times(j)))


def choose(j: Journey) -> None:
    j.tell(ChooseSlot(newest(j).id, newest(j).slots[1].starts))


def ask_and_offer(j: Journey) -> None:
    """An admission is asked for, and the centre offers times."""
    ask_admission(j)
    offer(j)


def confirm_admission(j: Journey) -> None:
    """A time was offered and chosen, and the centre agrees."""
    ask_and_offer(j)
    choose(j)
    j.tell(ConfirmArrangement(newest(j).id, "A-1"))


def confirm_lodging(j: Journey) -> None:
    j.tell(ConfirmArrangement(newest(j).id, "L-7", place="12 Garden Road", distance_km=2))


def refuse(j: Journey) -> None:
    j.tell(RefuseArrangement(newest(j).id, "none_free"))


def confirm_and_refuse(j: Journey) -> None:
    """The centre agreed to a time, and cannot keep it."""
    confirm_admission(j)
    refuse(j)


def confirm_anew(j: Journey) -> None:
    """The centre agrees to the time after all."""
    j.tell(ConfirmArrangement(newest(j).id, "A-2", starts=newest(j).starts))


def cancel(j: Journey) -> None:
    j.tell(CancelArrangement(newest(j).id, "not_needed"))


def cancelled(of: AskedOf = "centre") -> Lead:
    """Agreed, and not wanted any more."""

    def lead(j: Journey) -> None:
        ask_lodging(of)(j)
        confirm_lodging(j)
        cancel(j)

    return lead


def plan_another_day(j: Journey) -> None:
    """The stay is planned three days later."""
    days: Any = j.case.stay_plan["arrives"] + 3 * DAY
    j.tell(PlanStay(days, 70, "", "Hostel", funds_confirmed=True))


def again(j: Journey) -> None:
    j.tell(AskArrangementAgain(newest(j).id))


def _then(*leads: Lead) -> Lead:
    def lead(j: Journey) -> None:
        for one in leads:
            one(j)

    return lead


def contact_on_site(j: Journey) -> None:
    """Somebody on site, with a number for emergencies."""
    j.tell(AskArrangement("local_contact"))
    j.tell(ConfirmArrangement(newest(j).id, contact="Ms Wang", phone="+86 1", emergency_number="+86 2"))


def make_ready(j: Journey) -> None:
    """A contact on site, and without the rest of what can be waived."""
    contact_on_site(j)
    for one in arrival_items(j.case):
        if one.waivable and one.state in OPEN:
            j.tell(WaiveArrivalItem(one.kind, "the family sees to it"))  # type: ignore[arg-type]


def buy_tickets(j: Journey) -> None:
    """On from the planned stay until the centre confirmed and the tickets are bought."""
    for name in ("filed", "granted", "fit", "booking", "admission"):
        STEPS[name](j)


SCENES_OF_ARRANGEMENTS: dict[str, tuple[Lead, Lead]] = {
    "arrangement_answer": (ask_lodging(), confirm_lodging),
    "appointment_answer": (ask_admission, offer),
    "family_arrangement": (ask_lodging("family"), refuse),
    "outside_arrangement": (ask_lodging("agency"), confirm_lodging),
    "slot_choice": (_then(ask_admission, offer), choose),
    "find_arrangement": (_then(ask_lodging(), refuse), ask_lodging("agency")),
    "arrival_checklist": (buy_tickets, make_ready),
    "arrangement_day": (_then(ask_lodging(), confirm_lodging, plan_another_day), again),
}
"""What is owed → how it comes to be owed, and what meets it."""

"""For everything that is asked of the world: where it comes to be asked, what answers it, what makes it unwanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from domain.case.messages.threads import DOCTOR
from domain.case.phases.submissions import ResourceKind
from domain.case.undoing import Fate
from domain.core.fact import ENGINE
from domain.stages.anytime.erasing import ConfirmErasure, OrderErasure
from domain.stages.anytime.linking import AcceptLink, LinkCase
from domain.stages.eligibility.eligibility import AcceptPatient
from domain.stages.eligibility.waiting import StopWaiting, WaitForPlace
from domain.stages.follow_up.acquired import ConfirmDestruction, OrderCells, RecordResource, ReportResource
from domain.stages.follow_up.closing import UNDO, LeaveJourney, ReopenCase
from domain.stages.intake.people import GiveConsent, WithdrawConsent
from domain.stages.records.dossier import DeliverTranslation, OrderTranslation
from domain.stages.records.records import ReceiveRecord, RejectRecord, RequestRecord
from domain.stages.travel.letter import IssueLetter
from domain.stages.treatment.bed import HoldBed
from domain.stages.treatment.infusion import DestroyUnit
from domain.stages.treatment.look_back import RecordLookBack
from domain.stages.treatment.observations import ReportDeath, ReportProgression
from domain.stages.treatment.safety import AnswerAlert, ReportMalignancy
from domain.stages.treatment.transplant import DeclineTransplant, ReferTransplant
from tests.domain.case.obligation_scenes import (
    accepted_by_two,
    choose,
    estimate,
    move_arrival,
    move_infusion,
    plan_anew,
    plan_later,
    postpone,
    read_estimate,
)
from tests.domain.course import DOCUMENT, PROTOCOL, STEPS, UNIT, item, patient, submission, withdraw
from tests.domain.journey import DAY, Journey
from tests.domain.stages.eligibility.waits import note_first_rank
from tests.domain.stages.follow_up.searched import answer, ask_of_the_year, found, miss_a_visit
from tests.domain.stages.governing.seated import escalates
from tests.domain.stages.messages.any_message import (
    come,
    doctor_not_agreed,
    hospital_answers,
    hospital_not_shared,
    write,
    write_to_centre,
    write_to_doctor,
)
from tests.domain.stages.records.lent import ask, ask_family, at_hand
from tests.domain.stages.supply.given import confirm, in_the_body, name_lot
from tests.domain.stages.supply.sent import on_way, receive
from tests.domain.stages.travel.arranged import (
    ask_admission,
    ask_and_offer,
    ask_lodging,
    cancel,
    cancelled,
    confirm_admission,
    confirm_and_refuse,
    confirm_anew,
    confirm_lodging,
    offer,
)
from tests.domain.stages.travel.arranged import choose as choose_slot

Lead = Callable[[Journey], object]


@dataclass(frozen=True)
class Scene:
    """Where something comes to be asked, what answers it (None = nothing does), what makes it unwanted."""

    at: str
    ask: Lead
    answer: Lead | None = None
    drop: Lead | None = lambda j: j.tell(ReportDeath())


def leave(j: Journey) -> None:
    """Out of the journey, with all earlier steps delivered until the wanted one is asked."""
    j.tell(LeaveJourney("declined"))


def leave_until(kind: str) -> Lead:
    """Out of the journey, and everything of an earlier rank delivered."""
    rank = next(row[0] for row in UNDO if row[1] == kind)
    earlier = [row[1] for row in UNDO if row[0] < rank]

    def lead(j: Journey) -> None:
        leave(j)
        while any(e.kind in earlier for e in j.agenda.effects):
            j.deliver(*earlier)

    return lead


def acquire(kind: ResourceKind, effect: str) -> Lead:
    """It is there, and the journey is left."""

    def lead(j: Journey) -> None:
        paid = kind == "payment"
        j.tell(RecordResource(kind, submission(j), "N-1", "", 5000 if paid else None, "USD" if paid else ""))
        leave_until(effect)(j)

    return lead


def erase_both(j: Journey) -> None:
    j.tell(AcceptLink("case-2", "1111-2222-3", "link"), ENGINE)
    order_erasure(j)


def enrol(j: Journey) -> None:
    j.tell(GiveConsent("registry", patient(j), "1", "hi"))
    j.tell(RecordResource("registry_enrolment", submission(j))).tell(WithdrawConsent("registry", patient(j)))


def order(j: Journey) -> None:
    acquire("patient_cells", "hold_cells")(j)
    j.tell(OrderCells(next(iter(j.case.resources)), "stored", patient(j)))


def became(fate: Fate) -> Lead:
    return lambda j: j.tell(ReportResource(next(iter(j.case.resources)), fate))


def destroyed(j: Journey) -> None:
    j.tell(ConfirmDestruction(submission(j)))


def reopen(j: Journey) -> None:
    j.tell(ReopenCase("they came back"))


def order_erasure(j: Journey) -> None:
    j.tell(OrderErasure("objection", stops="follow_up", by="person-8"))
    assert j.case.erasure
    j.tell(ConfirmErasure(j.case.erasure.order, "person-9"))


SCENES: dict[str, Scene] = {
    "request_record": Scene("records", STEPS["asked_records"], STEPS["received"]),
    "request_record_from_doctor": Scene(
        "records",
        lambda j: j.tell(RequestRecord("labs", "home_oncologist")),
        lambda j: j.tell(ReceiveRecord(item(j), DOCUMENT, "en")),
    ),
    "ask_for_specimen": Scene("records", ask_family, at_hand),
    "ask_for_specimen_from_doctor": Scene("records", ask, at_hand),
    "order_translation": Scene(
        "received",
        lambda j: j.tell(OrderTranslation(item(j), "zh")),
        lambda j: j.tell(DeliverTranslation(item(j), DOCUMENT, "person-4")),
    ),
    "submit_dossier": Scene("chosen", STEPS["submitted"], STEPS["acknowledged"]),
    "tell_family_of_acceptances": Scene("submitted", accepted_by_two, choose, withdraw),
    "tell_owner_of_first_rank": Scene("chosen", lambda j: j.tell(note_first_rank(), ENGINE)),
    "withdraw_submission": Scene("submitted", withdraw, destroyed, drop=None),
    "send_estimate": Scene("eligibility", estimate, read_estimate),
    "send_quote": Scene("accepted", STEPS["quoted"], STEPS["priced"]),
    "request_quote": Scene("acknowledged", STEPS["accepted"], STEPS["quoted"]),
    "reserve_dose": Scene("quoted", STEPS["priced"], STEPS["dose_held"]),
    "tell_waiting_list": Scene(
        "eligibility",
        lambda j: j.tell(WaitForPlace(PROTOCOL)),
        drop=lambda j: j.tell(StopWaiting(next(iter(j.case.waiting)))),
    ),
    "tell_cohort": Scene("accepted", escalates),
    "hold_bed": Scene("quoted", STEPS["priced"], lambda j: j.tell(HoldBed("B", j.now + DAY))),
    "request_invitation_letter": Scene(
        "dose_held", STEPS["visa"], lambda j: j.tell(IssueLetter("L", j.now + 30 * DAY))
    ),
    "confirm_open_door": Scene("fit", STEPS["booking"], STEPS["admission"]),
    "arrange_stay": Scene("booking", STEPS["admission"]),
    "arrange_service": Scene("planned", ask_lodging(), confirm_lodging, cancel),
    "book_appointment": Scene("planned", ask_admission, offer, cancel),
    "offer_slots_to_family": Scene("planned", ask_and_offer, choose_slot, cancel),
    "tell_family_of_appointment": Scene("planned", confirm_admission, drop=cancel),
    "tell_family_of_called_off": Scene("planned", confirm_and_refuse, drop=confirm_anew),
    "ask_family_to_arrange": Scene("planned", ask_lodging("family"), confirm_lodging, cancel),
    "cancel_arrangement": Scene("planned", cancelled(), drop=None),
    "cancel_family_arrangement": Scene("planned", cancelled("family"), drop=None),
    "cancel_outside_arrangement": Scene("planned", cancelled("agency"), drop=None),
    "warn_of_closed_door": Scene(
        "admission",
        lambda j: j.source(PROTOCOL, open=False).look(),
        drop=lambda j: j.source(PROTOCOL, open=True).look(),
    ),
    "tell_family_of_postponement": Scene("planned", postpone, drop=plan_anew),
    "tell_family_of_arrival": Scene("planned", move_arrival, drop=plan_later),
    "tell_centre_of_arrival": Scene("planned", move_arrival, drop=plan_later),
    "tell_family_of_infusion": Scene("arrived", move_infusion),
    "tell_centre_of_infusion": Scene("arrived", move_infusion),
    "announce_arrival": Scene("admission", STEPS["arrived"], STEPS["admitted"]),
    "confirm_depletion_start": Scene("lymphodepletion", STEPS["gated"]),
    "confirm_thaw": Scene("authorised", STEPS["checked"]),
    "mark_unit_destroyed": Scene("thawed", lambda j: j.tell(DestroyUnit(UNIT, "broken bag")), drop=None),
    "tell_centre_of_progression": Scene(
        "invited", lambda j: j.tell(ReportProgression("bone")), lambda j: j.tell(AcceptPatient(submission(j), "Dr Li"))
    ),
    "tell_centre_of_document": Scene(
        "submitted",
        lambda j: j.tell(RejectRecord(item(j), "wrong_patient")),
        drop=withdraw,
    ),
    "tell_centre_of_alert": Scene(
        "handed_over",
        lambda j: j.tell(ReportMalignancy("T cell")),
        lambda j: j.tell(AnswerAlert(next(iter(j.case.alerts)), "hospital")),
    ),
    "look_back": Scene(
        "handed_over",
        lambda j: j.tell(ReportMalignancy("T cell")),
        lambda j: j.tell(RecordLookBack(next(iter(j.case.alerts)), ("lot-1",), (), 0, 1, 0), ENGINE),
        drop=None,
    ),
    "ask_for_handover": Scene("dose_held", on_way, receive, drop=None),
    "tell_lot_of_shipment": Scene("dose_held", on_way, drop=None),
    "trace_vector_lot": Scene("", lambda j: name_lot(in_the_body(j)), confirm, drop=None),
    "refer_transplant": Scene(
        "infused", lambda j: j.tell(ReferTransplant("Dr Li")), lambda j: j.tell(DeclineTransplant("no donor"))
    ),
    "write_to_family": Scene("admission", write(), come()),
    "write_to_doctor": Scene("admission", write_to_doctor, come(DOCTOR), doctor_not_agreed),
    "write_to_centre": Scene("admission", write_to_centre, hospital_answers, hospital_not_shared),
    "send_handover": Scene("assessed", STEPS["follow_up"], STEPS["handed_over"]),
    "ask_yearly_questions": Scene("handed_over", ask_of_the_year, lambda j: j.tell(answer(j))),
    "ask_after_missed_visit": Scene("handed_over", miss_a_visit, drop=found),
    "tell_centre_of_exit": Scene("arrived", leave, drop=reopen),
    "release_dose": Scene("granted", leave, drop=None),
    "release_bed": Scene("granted", leave, drop=None),
    "void_letter": Scene("granted", leave_until("void_letter"), drop=None),
    "withdraw_visa": Scene("filed", leave_until("withdraw_visa"), drop=reopen),
    "recall_dossier": Scene("submitted", leave, destroyed, drop=reopen),
    "return_material": Scene("submitted", acquire("slides", "return_material"), became("returned"), reopen),
    "cancel_manufacturing": Scene(
        "dose_held", acquire("manufacturing_slot", "cancel_manufacturing"), became("cancelled"), reopen
    ),
    "hold_cells": Scene("dose_held", acquire("patient_cells", "hold_cells"), became("destroyed"), reopen),
    "carry_out_order": Scene("dose_held", order, became("stored"), drop=None),
    "withdraw_from_registry": Scene(
        "arrived", enrol, became("kept"), lambda j: j.tell(GiveConsent("registry", patient(j), "2", "hi"))
    ),
    "refund_payment": Scene("priced", acquire("payment", "refund_payment"), became("refunded"), reopen),
    "cancel_travel": Scene("admission", leave_until("cancel_travel"), drop=None),
    "tell_family_of_exit": Scene("records", leave, drop=reopen),
    "tell_linked_case": Scene("opened", lambda j: j.meet().tell(LinkCase("case-2", "one person")), drop=None),
    "erase_linked_case": Scene("handed_over", erase_both, drop=None),
    "erase_case": Scene("handed_over", order_erasure, drop=None),
}
"""`drop=None`: what is held is given back whatever follows."""

"""For everything that can be owed: where it comes to be owed, and what meets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from domain.case.obligation import Obligation
from domain.core.fact import ENGINE
from domain.core.when import When
from domain.journey import OWES
from domain.stages.anytime.access import BreakGlass, ReviewAccess
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.anytime.erasing import ConfirmErasure, OrderErasure, RecordErasure
from domain.stages.anytime.holding import HoldCase, ResumeCase
from domain.stages.anytime.notes import AssignCase, SettleEffect
from domain.stages.anytime.outcomes import RecordOutcome
from domain.stages.anytime.reconsidering import ReviewDecision
from domain.stages.eligibility.choosing import ChooseAcceptance
from domain.stages.eligibility.eligibility import AcceptPatient
from domain.stages.eligibility.handing_over import ConfirmDossierRead, ExplainMisreading, HandOverDocument
from domain.stages.eligibility.quote import AcknowledgeEstimate, IssueEstimate
from domain.stages.eligibility.submissions import ChooseCentre, SubmitDossier, WithdrawSubmission
from domain.stages.follow_up.acquired import ConfirmDestruction, OrderCells, RecordResource, ReportResource
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.follow_up.follow_up import RecordVisit
from domain.stages.intake.inquiry import AcknowledgeScope
from domain.stages.intake.people import AddPerson, GiveConsent
from domain.stages.records.dossier import CertifyTranslation, DeliverTranslation, OrderTranslation
from domain.stages.records.observing import DescribePatient
from domain.stages.records.records import ReceiveRecord, RequestRecord
from domain.stages.schedule.monitoring_days import RecordMonitoring
from domain.stages.schedule.moving_infusion import MoveInfusion
from domain.stages.travel.postponing import PostponeAdmission
from domain.stages.travel.travel import PlanStay
from domain.stages.travel.visa import PassportRecorded, RecordPassport
from domain.stages.treatment.admission import DecideStayExtension, FileStayExtension, RecordArrival, RegisterAddress
from domain.stages.treatment.adverse_events import ReportToxicity
from domain.stages.treatment.arrival import MoveArrival
from domain.stages.treatment.bed import HoldBed, RefuseBed
from domain.stages.treatment.dose import HoldDose, RefuseDose
from domain.stages.treatment.infusion import DestroyUnit, InfusionCompleted, RecordInfusion
from domain.stages.treatment.lymphodepletion import OmitDepletion
from domain.stages.treatment.observations import ReportProgression, ReportTrialHold, ReportTrialResumed
from domain.stages.treatment.recovery import DecidePathway
from domain.stages.treatment.redosing import DecideRedosing
from domain.stages.treatment.safety import AnswerAlert, RecordSafetyReport, ReportMalignancy
from domain.stages.treatment.transplant import RecordTransplant, ReferTransplant
from tests.domain.case.scenes_beside import SCENES_BESIDE
from tests.domain.course import DOCUMENT, LOT, OPENED, PROTOCOL, STEPS, UNIT, item, patient, start, submission
from tests.domain.journey import DAY, Journey
from tests.domain.stages.eligibility.waits import lapsed_place, offered_place, still_waits, take_place
from tests.domain.stages.schedule.planned import SCENES_OF_DAYS
from tests.domain.stages.travel.arranged import SCENES_OF_ARRANGEMENTS
from tests.domain.stages.treatment.bedside import SCENES_OF_CONSENTS

Lead = Callable[[Journey], object]
ROWS = {row.kind: row for row in OWES}
TICK = timedelta(microseconds=1)


def accepted_by_two(j: Journey) -> None:
    """A second centre is asked, and both accept."""
    first = submission(j)
    j.tell(ChooseCentre("centre-b", "protocol-b"))
    second = submission(j)
    j.tell(SubmitDossier(second)).tell(AcceptPatient(first, "Dr Li", j.now + 60 * DAY))
    j.tell(AcceptPatient(second, "Dr B", j.now + 50 * DAY))


def _amended(j: Journey) -> None:
    """It was accepted under version 1; the protocol reads otherwise now."""
    j.source(PROTOCOL, number=1).look()
    j.tell(AcceptPatient(submission(j), "Dr Li", j.now + 50 * DAY))
    j.source(PROTOCOL, number=2).look()


def choose(j: Journey) -> None:
    j.tell(ChooseAcceptance(submission(j), patient(j)))


def comes_of_age(j: Journey) -> None:
    """A child's mother has consented; the child comes of age in three days; the month after, it is asked."""
    j.tell(DescribePatient((j.now + 3 * DAY).date().replace(year=j.now.year - 18).isoformat()))
    j.tell(AddPerson("legal_representative", "Mother", "Asia/Kolkata", "hi"))
    j.tell(GiveConsent("translation", list(j.case.people)[-1], "1", "hi"))
    j.away(34 * DAY).look()


def consents_anew(j: Journey) -> None:
    j.tell(GiveConsent("translation", patient(j), "2", "hi"))


def postpone(j: Journey) -> None:
    j.tell(PostponeAdmission(j.case.stay_plan["arrives"] + 9 * DAY, "no bed on the ward"))


def read_something_else(j: Journey) -> None:
    document = next(iter(j.case.submissions[submission(j)].documents))
    j.tell(HandOverDocument(submission(j), 1, document, "a" * 64), ENGINE)
    j.tell(ConfirmDossierRead(submission(j), ("b" * 64,)))


def plan_anew(j: Journey) -> None:
    assert j.case.postponed
    j.tell(PlanStay(j.case.postponed.admits_from, 70, "", "Hostel", funds_confirmed=True))


def move_arrival(j: Journey) -> None:
    j.tell(MoveArrival(j.case.stay_plan["arrives"] + 5 * DAY))


def move_infusion(j: Journey) -> None:
    j.tell(MoveInfusion((j.now + 40 * DAY).date()))


def plan_later(j: Journey) -> None:
    j.tell(PlanStay(j.case.stay_plan["arrives"] + DAY, 70, "", "Hostel", funds_confirmed=True))


def estimate(j: Journey) -> None:
    j.tell(IssueEstimate("USD", 6_000, 9_000))


def read_estimate(j: Journey) -> None:
    j.tell(AcknowledgeEstimate(patient(j)))


@dataclass(frozen=True)
class Scene:
    """Where something comes to be owed, and what meets it."""

    at: str
    meet: Lead
    before: Lead = lambda _: None


def _glass(j: Journey) -> None:
    j.tell(BreakGlass("on call, the family rang", 2, "person-8"))


def _unowned(j: Journey) -> None:
    j.tell(replace(OPENED, owner="", team=""))


def _doctor_not_asked_of(j: Journey) -> None:
    j.tell(AcknowledgeScope(patient(j), "1")).tell(GiveConsent("data_processing", patient(j), "1", "hi"))


def _infused_on_an_unknown_day(j: Journey) -> None:
    j.tell(RecordInfusion(UNIT, "1e8", When.unknown()))
    for step in ("assessed", "follow_up"):
        STEPS[step](j)


def _the_day_is_found(j: Journey) -> None:
    fact = j.newest(InfusionCompleted)
    j.tell(CorrectFact(fact, RecordInfusion(UNIT, "1e8", When.on((j.now - 20 * DAY).date())), "found in the chart"))


def _refuse_the_request(j: Journey) -> None:
    j.tell(RequestRecord("labs"))
    [effect] = j.agenda.effects
    j.tell(RecordOutcome(effect.id, 1, "refused", code="no_such_address"), "engine")


def _settle(j: Journey) -> None:
    refused = next(e.id for e in j.case.effects.values() if e.state == "refused")
    j.tell(SettleEffect(refused, "delivered", "by phone", "person-1"))


def _a_high_grade(j: Journey) -> None:
    j.tell(ReportToxicity("CRS", 3))


def _alert(j: Journey) -> str:
    return next(iter(j.case.alerts))


FORGET = OrderErasure("consent_withdrawn", stops="follow_up", by="person-8")


def _order(j: Journey) -> str:
    assert j.case.erasure
    return j.case.erasure.order


def _confirm_erasure(j: Journey) -> None:
    if j.case.erasure is None or not j.case.erasure.stands(j.now):
        j.tell(FORGET)
    j.tell(ConfirmErasure(_order(j), "person-9"))


def _infuse(j: Journey) -> None:
    for step in ("authorised", "checked", "thawed", "infused"):
        STEPS[step](j)


def _extend(j: Journey) -> None:
    j.tell(FileStayExtension()).tell(DecideStayExtension(granted=True, until=j.now + 200 * DAY))


def _passport_told_again(j: Journey) -> None:
    j.tell(CorrectFact(j.newest(PassportRecorded), RecordPassport(patient(j), date(2034, 1, 1)), "read again"))


def _in_question(j: Journey) -> str:
    return next(key.split("/")[0] for key, done in j.case.reopened.items() if not done)


def _resource(j: Journey) -> str:
    return next(iter(j.case.resources))


def _sent_and_left(j: Journey) -> None:
    j.tell(RecordResource("slides", submission(j))).tell(LeaveJourney("declined"))


def _collected_and_left(j: Journey) -> None:
    j.tell(RecordResource("patient_cells", submission(j))).tell(LeaveJourney("declined"))


def _nothing_could_be_made(j: Journey) -> None:
    j.tell(RecordResource("manufacturing_slot", submission(j))).tell(ReportResource(_resource(j), "failed"))


SCENES: dict[str, Scene] = {
    "first_reply": Scene("opened", STEPS["answered"]),
    "family_reply": Scene("answered", STEPS["records"]),
    "doctor_consent": Scene(
        "answered", lambda j: j.tell(GiveConsent("share_with_home_doctor", patient(j), "1", "hi")), _doctor_not_asked_of
    ),
    "record": Scene("asked_records", STEPS["received"]),
    "record_from_doctor": Scene(
        "records",
        lambda j: j.tell(ReceiveRecord(item(j), DOCUMENT, "en")),
        lambda j: j.tell(RequestRecord("labs", "home_oncologist")),
    ),
    **{kind: Scene(at, meet, before) for kind, (at, meet, before) in SCENES_BESIDE.items()},
    "record_check": Scene("received", STEPS["verified"]),
    "translation": Scene(
        "received",
        lambda j: j.tell(DeliverTranslation(item(j), DOCUMENT, "person-4")),
        lambda j: j.tell(OrderTranslation(item(j), "zh")),
    ),
    "translation_review": Scene(
        "received",
        lambda j: j.tell(CertifyTranslation(item(j), "person-5")),
        lambda j: j.tell(OrderTranslation(item(j), "zh")).tell(DeliverTranslation(item(j), DOCUMENT, "person-4")),
    ),
    "summary_signature": Scene("drafted", STEPS["eligibility"]),
    "records_list": Scene("records", STEPS["asked_records"]),
    "next_centre": Scene("eligibility", STEPS["chosen"]),
    "submission_receipt": Scene("submitted", STEPS["acknowledged"]),
    "consent_at_majority": Scene("opened", consents_anew, comes_of_age),
    "amended_protocol": Scene("accepted", STEPS["accepted"], _amended),
    "study_filing": Scene(
        "submitted",
        lambda j: j.source(PROTOCOL, filing="F-1").look(),
        lambda j: j.source(PROTOCOL, route="cn_order_818", reviewed=j.now).look(),
    ),
    "place_offer": Scene("eligibility", take_place, offered_place),
    "still_waiting": Scene("eligibility", still_waits, lapsed_place),
    "acceptance_choice": Scene("submitted", choose, accepted_by_two),
    "misread_dossier": Scene(
        "submitted",
        lambda j: j.tell(ExplainMisreading(submission(j), "they had opened an older copy")),
        read_something_else,
    ),
    "hospital_decision": Scene("submitted", STEPS["accepted"]),
    "reconfirm_decision": Scene("accepted", lambda j: j.tell(AcceptPatient(submission(j), "Dr Li", j.now + 90 * DAY))),
    "review_again": Scene(
        "invited",
        lambda j: j.tell(AcceptPatient(submission(j), "Dr Li")),
        lambda j: j.tell(ReportProgression("bone")),
    ),
    "trial_hold_review": Scene(
        "invited", lambda j: j.tell(ReportTrialResumed("FDA")), lambda j: j.tell(ReportTrialHold("FDA"))
    ),
    "estimate": Scene("eligibility", STEPS["estimated"]),
    "estimate_answer": Scene("eligibility", read_estimate, estimate),
    "quote": Scene("accepted", STEPS["quoted"]),
    "quote_answer": Scene("quoted", STEPS["priced"]),
    "dose_hold_renewal": Scene("dose_held", lambda j: j.tell(HoldDose(LOT, UNIT, j.now + 90 * DAY))),
    "find_dose": Scene(
        "priced", lambda j: j.tell(HoldDose(LOT, UNIT, j.now + 9 * DAY)), lambda j: j.tell(RefuseDose("none_available"))
    ),
    "bed_answer": Scene("priced", lambda j: j.tell(HoldBed("B", j.now + 9 * DAY))),
    "bed_hold_renewal": Scene("visa", lambda j: j.tell(HoldBed("B", j.now + 90 * DAY))),
    "find_bed": Scene("priced", lambda j: j.tell(HoldBed("B", j.now + 9 * DAY)), lambda j: j.tell(RefuseBed("full"))),
    "invitation_letter": Scene("visa", STEPS["invited"]),
    "visa_application": Scene("invited", STEPS["filed"]),
    "visa_outcome": Scene("filed", STEPS["granted"]),
    "stay_plan": Scene("visa", STEPS["planned"]),
    "fit_to_travel": Scene("planned", STEPS["fit"]),
    "travel_booking": Scene("fit", STEPS["booking"]),
    "door_confirmation": Scene("booking", STEPS["admission"]),
    **{kind: Scene("planned", meet, before) for kind, (before, meet) in SCENES_OF_ARRANGEMENTS.items()},
    "new_arrival_plan": Scene("planned", plan_anew, postpone),
    "closed_door": Scene(
        "admission",
        lambda j: j.source(PROTOCOL, open=True).look(),
        lambda j: j.source(PROTOCOL, open=False).look(),
    ),
    "arrival": Scene("admission", STEPS["arrived"]),
    "address_registration": Scene(
        "admission", lambda j: j.tell(RegisterAddress("hotel")), lambda j: j.away(7 * DAY).tell(RecordArrival(j.now))
    ),
    "admission": Scene("arrived", STEPS["admitted"]),
    **{kind: Scene("admission", meet, before) for kind, (before, meet) in SCENES_OF_CONSENTS.items()},
    "screening_result": Scene("admitted", STEPS["lymphodepletion"]),
    "stay_end": Scene("arrived", _extend),
    "gate": Scene("lymphodepletion", STEPS["gated"]),
    **{kind: Scene("lymphodepletion", meet, before) for kind, (before, meet) in SCENES_OF_DAYS.items()},
    "depletion_report": Scene("gated", lambda j: j.tell(OmitDepletion("protocol"))),
    "infusion_window": Scene("infusion", _infuse),
    "post_thaw": Scene("thawed", STEPS["infused"]),
    "unit_destruction": Scene(
        "thawed", lambda j: j.tell(DestroyUnit(UNIT, "not given")), lambda j: j.tell(LeaveJourney("withdrawn"))
    ),
    "monitoring_day": Scene("infused", lambda j: j.tell(RecordMonitoring(0))),
    "response_check": Scene("infused", lambda j: j.tell(DecidePathway("palliative", "Dr Li"))),
    "resource_undone": Scene("submitted", lambda j: j.tell(ReportResource(_resource(j), "returned")), _sent_and_left),
    "cells_order": Scene(
        "dose_held", lambda j: j.tell(OrderCells(_resource(j), "destroyed", patient(j))), _collected_and_left
    ),
    "destruction_confirmation": Scene(
        "submitted",
        lambda j: j.tell(ConfirmDestruction(submission(j))),
        lambda j: j.tell(WithdrawSubmission(submission(j))),
    ),
    "manufacturing_failed": Scene(
        "accepted", lambda j: j.tell(RecordResource("manufacturing_slot", submission(j))), _nothing_could_be_made
    ),
    "fit_home": Scene("assessed", STEPS["follow_up"]),
    "return_home": Scene("follow_up", STEPS["home"]),
    "redosing_decision": Scene(
        "infused", lambda j: j.tell(DecideRedosing("Dr Li")), lambda j: j.tell(DecidePathway("redose", "Dr Li"))
    ),
    "transplant_referral": Scene(
        "assessed",
        lambda j: j.tell(ReferTransplant("Dr Li")),
        lambda j: j.tell(DecidePathway("transplant", "Dr Li")),
    ),
    "transplant_decision": Scene(
        "infused", lambda j: j.tell(RecordTransplant()), lambda j: j.tell(ReferTransplant("Dr Li"))
    ),
    "visit": Scene("handed_over", lambda j: j.tell(RecordVisit(j.owed("visit").about.split("/")[0], alive=True))),
    "infusion_date": Scene("thawed", _the_day_is_found, _infused_on_an_unknown_day),
    "handover": Scene("follow_up", STEPS["handed_over"]),
    "first_contact_home": Scene("home", STEPS["handed_over"]),
    "access_review": Scene(
        "records", lambda j: j.tell(ReviewAccess(next(iter(j.case.accesses)), "justified", by="person-9")), _glass
    ),
    "hold_review": Scene("records", lambda j: j.tell(ResumeCase()), lambda j: j.tell(HoldCase("infection"))),
    "decision_review": Scene("filed", lambda j: j.tell(ReviewDecision(_in_question(j))), _passport_told_again),
    "settle_effect": Scene("records", _settle, _refuse_the_request),
    "owner": Scene("", lambda j: j.tell(AssignCase("person-1", "")), _unowned),
    "erasure_confirmation": Scene("handed_over", _confirm_erasure, lambda j: j.tell(FORGET)),
    "key_destruction": Scene("handed_over", lambda j: j.tell(RecordErasure(_order(j)), ENGINE), _confirm_erasure),
    "safety_alert": Scene(
        "handed_over",
        lambda j: j.tell(AnswerAlert(_alert(j), "coordinator")),
        lambda j: j.tell(ReportMalignancy("T cell")),
    ),
    "safety_answer": Scene(
        "handed_over",
        lambda j: j.tell(AnswerAlert(_alert(j), "hospital")),
        lambda j: j.tell(ReportMalignancy("T cell")),
    ),
    "urgent_alert": Scene("infused", lambda j: j.tell(AnswerAlert(_alert(j), "coordinator")), _a_high_grade),
    "urgent_answer": Scene("infused", lambda j: j.tell(AnswerAlert(_alert(j), "hospital")), _a_high_grade),
    "safety_report": Scene(
        "infused", lambda j: j.tell(RecordSafetyReport(_alert(j), reported=True, to="authority")), _a_high_grade
    ),
}
NEVER_WITHDRAWN = {
    "access_review", "settle_effect", "unit_destruction", "resource_undone", "specimen_at_hand", "cells_order",
    "corrective_action", "corrective_again", "corrective_check", "corrective_plan",
    "destruction_confirmation", "safety_alert", "urgent_alert", "safety_report", "erasure_confirmation",
    "key_destruction", "shipment_arrival", "maker_arrival", "shipment_judgement", "custody_gap",
    "vector_lot", "incoming_message",
}  # fmt: skip
"""What somebody has to do whatever becomes of the patient."""
KINDS = [row.kind for row in OWES]


def scene(kind: str) -> tuple[Journey, Obligation]:
    j = start(SCENES[kind].at)
    SCENES[kind].before(j)
    j.deliver()
    return j, j.owed(kind)


def stands(j: Journey, o: Obligation) -> str:
    return j.case.obligations[o.id].state

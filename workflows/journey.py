"""The journey as the engine sees it: stage → the effects it may ask for → the named activity for each.

JOURNEY, below, is the page to read; above each stage stands what it waits for. An EffectActivity says which activity
asks for it, on which queue, by what kind of channel and with which time-outs. Read beside domain/journey.py; a test
compares the two in both directions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from domain.case.stage import Stage
from workflows.names import CASES, HOSPITALS, NOTICES


@dataclass(frozen=True, slots=True)
class EffectActivity:
    """Names one activity: its queue, its channel, how long one call may take and one attempt in all.

    Channels: `asks` = the far side can be asked whether it has the effect; `dedupes` = a repeat with the same key is
    harmless; `blind` = mail: repeated once, and said so.
    """

    activity: str
    channel: str
    queue: str = CASES
    call: timedelta = timedelta(seconds=30)
    attempt: timedelta = timedelta(minutes=10)


def _hospital(activity: str) -> EffectActivity:
    return EffectActivity(activity, "asks", HOSPITALS)


def _lot(activity: str) -> EffectActivity:
    return EffectActivity(activity, "dedupes")


def _lot_and_hospital(activity: str) -> EffectActivity:
    return EffectActivity(activity, "dedupes", HOSPITALS)


def _mail(activity: str) -> EffectActivity:
    return EffectActivity(activity, "blind", NOTICES)


REQUEST_RECORD = _mail("request_record")
REQUEST_RECORD_FROM_DOCTOR = _mail("request_record_from_doctor")
SPECIMENS = (_mail("ask_for_specimen"), _mail("ask_for_specimen_from_doctor"))
ORDER_TRANSLATION = _mail("order_translation")
DOSSIER = (REQUEST_RECORD, REQUEST_RECORD_FROM_DOCTOR, *SPECIMENS, ORDER_TRANSLATION)

SUBMIT_DOSSIER = _hospital("submit_dossier")
REQUEST_QUOTE = _hospital("request_quote")
WITHDRAW_SUBMISSION = _hospital("withdraw_submission")
HOLD_BED = _hospital("hold_bed")
RESERVE_DOSE = _lot("reserve_dose")
CENTRES = (SUBMIT_DOSSIER, REQUEST_QUOTE, WITHDRAW_SUBMISSION, HOLD_BED, RESERVE_DOSE)

COSTS = (_mail("send_estimate"), _mail("send_quote"))

REMIND = _mail("remind")
ESCALATE = _mail("escalate")
REFER_TRANSPLANT = _hospital("refer_transplant")
SEND_HANDOVER = _mail("send_handover")
ASK_AFTER = (_mail("ask_yearly_questions"), _mail("ask_after_missed_visit"))
PROGRESSION = _hospital("tell_centre_of_progression")
ALERT = (_hospital("tell_centre_of_alert"), EffectActivity("look_back", "dedupes"))
STRUCK = _hospital("tell_centre_of_document")
WARN = _mail("warn_of_closed_door")
POSTPONED = _mail("tell_family_of_postponement")
MOVED = (_hospital("tell_centre_of_arrival"), _mail("tell_family_of_arrival"))
MOVED_INFUSION = (_hospital("tell_centre_of_infusion"), _mail("tell_family_of_infusion"))
ARRANGE = (
    _hospital("arrange_service"),
    _hospital("book_appointment"),
    _mail("ask_family_to_arrange"),
    _mail("offer_slots_to_family"),
    _mail("tell_family_of_appointment"),
    _mail("tell_family_of_called_off"),
    _hospital("cancel_arrangement"),
    _mail("cancel_family_arrangement"),
    _mail("cancel_outside_arrangement"),
)
ACCEPTANCES = _mail("tell_family_of_acceptances")
MARK_UNIT = (
    _lot("mark_unit_used"),
    _lot("mark_unit_destroyed"),
    EffectActivity("trace_vector_lot", "dedupes"),
)
SHIPPING = (_hospital("ask_for_handover"), _lot("tell_lot_of_shipment"))
TELL_LIST = EffectActivity("tell_waiting_list", "dedupes")
COHORT = EffectActivity("tell_cohort", "dedupes")
CARRY_OUT = _hospital("carry_out_order")
ERASE = (EffectActivity("erase_case", "dedupes"), EffectActivity("erase_linked_case", "dedupes"))
FIRST_RANK = _mail("tell_owner_of_first_rank")
LINKED = EffectActivity("tell_linked_case", "dedupes")

UNDO = (
    _hospital("tell_centre_of_exit"),
    _lot("release_dose"),
    _hospital("release_bed"),
    _hospital("cancel_manufacturing"),
    _hospital("hold_cells"),
    _hospital("void_letter"),
    _mail("withdraw_visa"),
    _hospital("recall_dossier"),
    _hospital("return_material"),
    _hospital("withdraw_from_registry"),
    _mail("cancel_travel"),
    *ARRANGE[5:],
    _hospital("refund_payment"),
    _mail("tell_family_of_exit"),
)
"""In the order of [undoing.order]."""

WRITES = (_mail("write_to_family"), _mail("write_to_doctor"), _hospital("write_to_centre"))
ANYTIME = (*WRITES, REMIND, ESCALATE, LINKED, COHORT)

JOURNEY: Mapping[Stage, tuple[EffectActivity, ...]] = {
    # waits for the first answer to the family, their consent, and their word that nothing is promised
    Stage.INQUIRY: (*DOSSIER, FIRST_RANK, *ANYTIME),
    # waits for every document verified or waived, translations reviewed, the summary signed, the dossier frozen
    Stage.RECORDS: (*DOSSIER, FIRST_RANK, TELL_LIST, *ANYTIME),
    # waits for a centre's acceptance, the price accepted by the family, a dose held and a bed held
    Stage.ELIGIBILITY: (
        *DOSSIER,
        *CENTRES,
        *COSTS,
        ACCEPTANCES,
        FIRST_RANK,
        TELL_LIST,
        *ARRANGE,
        PROGRESSION,
        STRUCK,
        *ALERT,
        *SHIPPING,
        *ANYTIME,
    ),
    # waits for the letter, visas of all who travel, a stay plan, fitness, and a ticket at an open door
    Stage.VISA: (
        *DOSSIER,
        *CENTRES,
        *COSTS,
        _hospital("request_invitation_letter"),
        _hospital("confirm_open_door"),
        _hospital("arrange_stay"),
        TELL_LIST,
        PROGRESSION,
        STRUCK,
        WARN,
        POSTPONED,
        *MOVED,
        *ARRANGE,
        *ALERT,
        *SHIPPING,
        *ANYTIME,
    ),
    # waits for arrival, admission, screening on site, and consent to the trial or treatment
    Stage.ADMISSION: (
        *CENTRES,
        *COSTS,
        _hospital("arrange_stay"),
        _hospital("announce_arrival"),
        TELL_LIST,
        PROGRESSION,
        STRUCK,
        WARN,
        POSTPONED,
        *MOVED,
        *MOVED_INFUSION,
        *ARRANGE,
        *ALERT,
        REFER_TRANSPLANT,
        *SHIPPING,
        *ANYTIME,
    ),
    # waits for the signed gate, then for the hospital's report of each day, or of the omission
    Stage.LYMPHODEPLETION: (
        *MOVED_INFUSION,
        *ARRANGE,
        TELL_LIST,
        PROGRESSION,
        STRUCK,
        *ALERT,
        RESERVE_DOSE,
        _lot_and_hospital("confirm_depletion_start"),
        REFER_TRANSPLANT,
        *SHIPPING,
        *ANYTIME,
    ),
    # waits for every planned infusion, the response check, how it goes on, and fitness to travel home
    Stage.INFUSION: (
        *MOVED_INFUSION,
        *ARRANGE,
        *MARK_UNIT,
        STRUCK,
        *ALERT,
        RESERVE_DOSE,
        _lot_and_hospital("confirm_thaw"),
        REFER_TRANSPLANT,
        *SHIPPING,
        *ANYTIME,
    ),
    # waits for the next treatment or for giving it up: decided, back at the centre, a dose held
    Stage.REDOSING: (
        *MARK_UNIT,
        PROGRESSION,
        STRUCK,
        POSTPONED,
        *MOVED,
        *ARRANGE,
        *ALERT,
        RESERVE_DOSE,
        REFER_TRANSPLANT,
        *SHIPPING,
        *ANYTIME,
    ),
    # waits for the return home, the hand-over, and every visit until year fifteen
    Stage.FOLLOW_UP: (
        *MARK_UNIT,
        *ERASE,
        STRUCK,
        *ALERT,
        SEND_HANDOVER,
        *ASK_AFTER,
        REFER_TRANSPLANT,
        *ARRANGE[:5],
        *UNDO,
        CARRY_OUT,
        *SHIPPING,
        *ANYTIME,
    ),
    # waits for nothing; what was acquired is still undone, and late answers are kept
    Stage.CLOSED: (
        *MARK_UNIT,
        *ERASE,
        TELL_LIST,
        *ALERT,
        SEND_HANDOVER,
        REFER_TRANSPLANT,
        WITHDRAW_SUBMISSION,
        *UNDO,
        CARRY_OUT,
        *SHIPPING,
        *ANYTIME,
    ),
}

EFFECTS: Mapping[str, EffectActivity] = {e.activity: e for effects in JOURNEY.values() for e in effects}

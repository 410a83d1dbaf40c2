"""Says what people do about what they owe, from the first question until the tickets are bought."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from domain.case.costs import CostLine
from domain.case.phases.submissions import ASKED, Submission
from domain.case.state import Case
from domain.core.fact import Command
from domain.core.when import When
from domain.stages.eligibility import choosing, eligibility, handing_over, quote, submissions, waiting
from domain.stages.eligibility.submissions import may_receive
from domain.stages.follow_up import acquired, closing, custody
from domain.stages.intake import inquiry, people
from domain.stages.records import checklist, dossier, observing, records
from domain.stages.travel import letter, travel, visa
from domain.stages.travel.letter import needs_visa
from domain.stages.travel.readiness import contrary
from domain.stages.treatment import bed, dose
from rehearsal.cohort.arranging import ARRANGING, ask_next
from rehearsal.cohort.named import made_up
from rehearsal.cohort.situation import CLINICIAN, React, Situation, consent, deciding

WRITER, READER = "reviewer-1", "reviewer-2"
PAPERS: tuple[records.RecordKind, ...] = ("passport", "pathology", "labs", "imaging")


def _reply(s: Situation) -> Command | None:
    return (
        inquiry.AdviseLocalCare("call") if s.family.urgent and not s.case.local_care else inquiry.ReplyToFamily("call")
    )


def _agree(s: Situation) -> Command | None:
    case, patient = s.case, s.case.patient
    if s.family.silent:
        return None
    if patient and patient.minor and not any(p.role == "legal_representative" for p in case.people.values()):
        parent = made_up(case.country, f"parent/{case.id}")
        return people.AddPerson("legal_representative", parent, case.zone, case.language, "parent@example.org")
    if not any(p.role == "home_oncologist" for p in case.people.values()):
        doctor = made_up(case.country, f"doctor/{case.id}")
        return people.AddPerson("home_oncologist", doctor, case.zone, case.language, "doctor@example.org")
    for purpose in ("data_processing", "translation"):
        if not case.consented(purpose):
            return consent(case, purpose)
    if not case.shares_with_doctor:
        return consent(case, "share_with_home_doctor")
    return None if case.scope_acknowledged else inquiry.AcknowledgeScope(deciding(case), "1")


def _list(s: Situation) -> Command | None:
    """Every second coordinator draws up the whole list; the others ask for what they think of."""
    if not s.case.records and s.often(0.5):
        return checklist.DrawUpChecklist()
    asked = {item.kind for item in s.case.records.values()}
    for kind in PAPERS:
        if kind not in asked:
            return records.RequestRecord(kind, "home_oncologist" if kind == "pathology" else "family")
    if s.case.dossier.drafted_by:
        return None
    return _read_values(s) or dossier.DraftSummary(_document(s, "summary"), WRITER)


VALUES = (
    ("ecog", "1", "", ""),
    ("lvef", "61", "%", ""),
    ("creatinine", "0.9", "mg/dL", "1.2"),
    ("alt", "31", "U/L", "40"),
    ("ast", "28", "U/L", ""),
)
"""What a writer reads out of the papers; the upper limit of one is missing, and nobody measured the others yet."""


def _read_values(s: Situation) -> Command | None:
    """Record one value after another. How old somebody is, nobody has asked yet."""
    known = {one.observed.analyte for one in s.case.samples.values()}
    day = When.on((s.now - timedelta(days=3)).date())
    left = (row for row in VALUES if row[0] not in known)
    return next(
        (
            observing.RecordObservation(analyte=what, value=value, unit=unit, limit=limit, occurred=day)
            for what, value, unit, limit in left
        ),
        None,
    )


def _summary(_: Situation) -> Command | None:
    return dossier.SignSummary(READER)


def _document(s: Situation, what: str) -> str:
    return sha256(f"{s.case.id}/{what}".encode()).hexdigest()


def _send_paper(s: Situation) -> Command | None:
    item = s.case.records.get(s.root)
    if item is None or item.state not in ("requested", "rejected"):
        return None
    return records.ReceiveRecord(item.id, _document(s, f"{item.id}/{item.round}"), s.case.language)


def _send_on(s: Situation) -> Command | None:
    """To the newest centre that may have them; where there is none any more, home."""
    asked = [one for one in s.case.submissions.values() if one.state in (*ASKED, "accepted")]
    able = [one.id for one in asked if may_receive(s.case, one.centre)]
    if not able or s.case.exit:
        return custody.ReportSpecimen(s.root, "returned")
    return custody.ReportSpecimen(s.root, "forwarded", submission=able[-1], ref="by courier")


def _read_paper(s: Situation) -> Command | None:
    item = s.case.records.get(s.root)
    if item is None:
        return None
    if item.state == "received" and item.round == 1 and s.often(0.1):
        return records.RejectRecord(item.id, "illegible")
    if item.state == "received" and item.language not in ("en", "zh") and item.kind != "passport":
        return dossier.OrderTranslation(item.id, "en")
    return records.VerifyRecord(item.id, WRITER) if item.state in ("received", "translated") else None


def _translate(s: Situation) -> Command | None:
    return dossier.DeliverTranslation(s.root, _document(s, f"{s.root}/en"), "translator-1")


def _compare(s: Situation) -> Command | None:
    return dossier.CertifyTranslation(s.root, "translator-2")


def _submission(case: Case, *states: str) -> Submission | None:
    return next((x for x in reversed(list(case.submissions.values())) if x.state in states), None)


def _next_centre(s: Situation) -> Command | None:
    """More papers where they were asked for, else the next trial; with none left, another way is named."""
    waiting = _submission(s.case, "chosen", "more_info")
    if waiting is not None:
        return _put_before(s, waiting)
    tried = {(x.centre, x.protocol) for x in s.case.submissions.values()}
    left = [t for t in s.family.trials if (t.centre, t.protocol) not in tried]
    if left and s.case.accepted is None:
        return submissions.ChooseCentre(left[0].centre, left[0].protocol, "the trial takes this disease")
    return closing.LeaveJourney("not_suitable", "treatment at home with the present doctor")


def _put_before(s: Situation, x: Submission) -> Command | None:
    for purpose in ("share_with_hospital", "cross_border"):
        if not s.case.consented(purpose, x.centre):
            return consent(s.case, purpose, x.centre)
    shut = not s.case.noted(x.protocol).get("open")
    if shut or (s.chased and x.state == "more_info" and s.case.dossier.version <= x.dossier):
        return submissions.WithdrawSubmission(x.id)
    if x.state == "more_info" and not s.case.resources:
        return acquired.RecordResource("slides", x.id, "by courier")
    return submissions.SubmitDossier(x.id)


def _receipt(s: Situation) -> Command | None:
    return submissions.AcknowledgeSubmission(s.root, "by phone") if s.chased else None


def _decision(s: Situation) -> Command | None:
    if not s.chased:
        return None
    accepts = eligibility.AcceptPatient(s.root, CLINICIAN, s.ahead(28))
    return accepts if s.often(0.6) else submissions.WithdrawSubmission(s.root)


def _of_age(s: Situation) -> Command | None:
    """Consent in their own name, one by one, to what was consented to for them."""
    patient = s.case.patient
    left = [c for c in s.case.consents.values() if patient and c.given and c.person != patient.id]
    if patient is None or not left:
        return None
    return people.GiveConsent(left[0].purpose, patient.id, "1", s.case.language, left[0].recipient)  # type: ignore[arg-type]


def _choose(s: Situation) -> Command | None:
    """Take the acceptance that stands longest, once nobody is still deciding or the choice is overdue."""
    if not s.chased and any(x.state in ASKED for x in s.case.submissions.values()):
        return None
    accepted = [x for x in s.case.submissions.values() if x.state == "accepted" and x.valid_until]
    longest = max(accepted, key=lambda x: x.valid_until or s.now, default=None)
    if longest is None:
        return None
    if longest.unseen or (longest.valid_until and longest.valid_until <= s.now):
        return eligibility.AcceptPatient(longest.id, CLINICIAN, s.ahead(28))
    return choosing.ChooseAcceptance(longest.id, deciding(s.case))


def _misread(s: Situation) -> Command | None:
    return handing_over.ExplainMisreading(s.root, "the hospital had opened an older copy")


def _reconfirm(s: Situation) -> Command | None:
    asked = s.case.submissions.get(s.root)
    if not s.case.noted(asked.protocol if asked else s.case.protocol).get("open"):
        return eligibility.DeclinePatient(s.root, CLINICIAN, "protocol_closed", "another centre of the catalogue")
    if s.often(0.05):
        return eligibility.DeclinePatient(s.root, CLINICIAN, "progression", "treatment at home")
    return eligibility.AcceptPatient(s.root, CLINICIAN, s.ahead(28))


ESTIMATE = quote.IssueEstimate(
    "USD",
    hospital_charges=CostLine(40_000, 70_000, ("hospital", "condition")),
    cell_product=CostLine(20_000, 60_000, ("protocol", "access")),
    lymphodepletion=CostLine(3_000, 5_000, ("protocol",)),
    monitoring=CostLine(15_000, 25_000, ("condition",)),
    accommodation=CostLine(4_000, 7_000, ("hospital",)),
    interpreter=CostLine(2_000, 3_000, ("hospital",)),
    contingency=CostLine(6_000, 10_000, ("condition", "protocol")),
)


def _read_estimate(s: Situation) -> Command | None:
    return quote.AcknowledgeEstimate(deciding(s.case))


def _estimate(_: Situation) -> Command | None:
    return ESTIMATE


def _price(s: Situation) -> Command | None:
    accepted = s.case.accepted
    return quote.GiveQuote(accepted.id, "USD", s.ahead(30), 130_000) if s.chased and accepted else None


def _answer_price(s: Situation) -> Command | None:
    if s.family.declines:
        return closing.LeaveJourney("declined")
    accepted, until = s.case.accepted, s.case.quote.until
    if until is not None and until <= s.now and accepted:
        return quote.GiveQuote(accepted.id, "USD", s.ahead(30), 130_000)
    return quote.AcceptQuote(deciding(s.case))


def _dose(_: Situation) -> Command | None:
    return dose.AskDoseAgain()


def _bed(_: Situation) -> Command | None:
    return bed.AskBedAgain()


def _bed_told(s: Situation) -> Command | None:
    return bed.HoldBed("by phone", s.ahead(7)) if s.chased else None


def _letter(s: Situation) -> Command | None:
    return letter.IssueLetter("by phone", s.ahead(90)) if s.chased else None


def _apply(s: Situation) -> Command | None:
    person, known = s.root, s.case.visas.get(s.root)
    if known is not None and known.state == "refused" and known.round >= 2:  # noqa: PLR2004 - twice is enough
        return closing.LeaveJourney("declined")
    if person not in s.case.passports:
        return visa.RecordPassport(person, (s.now + timedelta(days=3000)).date(), "P0000000")
    if not s.case.letter.good_at(s.now):
        return letter.AskLetterAgain("expired")
    return visa.FileVisa(person, "as the consulate says")


def _consulate(s: Situation) -> Command | None:
    if s.often(0.1):
        return visa.RefuseVisa(s.root, "not_convinced")
    return visa.GrantVisa(s.root, s.ahead(90), 180)


def _deposit(s: Situation) -> Command | None:
    """A price that was accepted is paid in part before anybody plans to travel."""
    paid = any(r.kind == "payment" for r in s.case.resources.values())
    accepted = s.case.accepted
    if paid or accepted is None or s.case.quote.state != "held":
        return None
    return acquired.RecordResource("payment", accepted.id, "by transfer", "", 20_000, "USD")


def _stay(s: Situation) -> Command | None:
    return travel.PlanStay(
        (s.now + timedelta(days=18)).date(),
        70,
        "",
        "near the centre",
        funds_confirmed=True,
        interpreter_language=s.case.language,
    )


def _fit(s: Situation) -> Command | None:
    return travel.RecordFitToTravel("Dr Home", s.ahead(30))


def _book(s: Situation) -> Command | None:
    """Everything tickets rest on is asked again where it has ended."""
    case = s.case
    arrives = case.stay_plan.get("arrives")
    if arrives is None or arrives <= s.now.date():
        return _stay(s)
    if not case.fit_to_travel.good_at(s.now):
        return _fit(s)
    if needs_visa(case) and not any(v.state == "granted" for v in case.visas.values()):
        return None
    if case.accepted and (not case.noted(case.protocol).get("open") or (s.chased and _ended(case, s.now))):
        return submissions.WithdrawSubmission(case.accepted.id)
    if contrary(case):  # somebody looks for another one first
        return None
    return ask_next(s) or travel.BookTravel(s.ahead(1.5))


def _ended(case: Case, now: datetime) -> bool:
    until = case.accepted.valid_until if case.accepted else None
    return until is not None and until <= now


def _door(s: Situation) -> Command | None:
    return travel.ConfirmTravel("by phone") if s.chased else None


def _closed_door(_: Situation) -> Command | None:
    return travel.StopTravel("door_closed")


def _later(s: Situation) -> Command | None:
    """Plan the stay for the day from which the hospital can admit."""
    if (known := s.case.postponed) is None:
        return None
    return travel.PlanStay(
        known.admits_from, 70, "", "near the centre", funds_confirmed=True, interpreter_language=s.case.language
    )


def _take_place(s: Situation) -> Command | None:
    return waiting.TakePlace(s.root, deciding(s.case))


BEFORE_TRAVEL: Mapping[str, React] = {
    **ARRANGING,
    "first_reply": _reply,
    "family_reply": _agree,
    "doctor_consent": lambda s: consent(s.case, "share_with_home_doctor"),
    "records_list": _list,
    "record": _send_paper,
    "record_from_doctor": _send_paper,
    "specimen": lambda s: custody.ReportSpecimen(s.root, "at_hand"),
    "specimen_from_doctor": lambda s: custody.ReportSpecimen(s.root, "at_hand"),
    "specimen_at_hand": _send_on,
    "specimen_receipt": lambda s: acquired.ReportResource(s.root, "received") if s.chased else None,
    "record_check": _read_paper,
    "translation": _translate,
    "translation_review": _compare,
    "summary_signature": _summary,
    "next_centre": _next_centre,
    "acceptance_choice": _choose,
    "place_offer": _take_place,
    "still_waiting": lambda s: waiting.ConfirmWaiting(s.root, deciding(s.case)),
    "consent_at_majority": _of_age,
    "submission_receipt": _receipt,
    "misread_dossier": _misread,
    "hospital_decision": _decision,
    "reconfirm_decision": _reconfirm,
    "estimate": _estimate,
    "estimate_answer": _read_estimate,
    "quote": _price,
    "quote_answer": _answer_price,
    "dose_hold_renewal": _dose,
    "find_dose": _dose,
    "bed_answer": _bed_told,
    "bed_hold_renewal": _bed,
    "find_bed": _bed,
    "invitation_letter": _letter,
    "visa_application": _apply,
    "visa_outcome": _consulate,
    "stay_plan": lambda s: _deposit(s) or _stay(s),
    "fit_to_travel": _fit,
    "travel_booking": _book,
    "door_confirmation": _door,
    "closed_door": _closed_door,
    "new_arrival_plan": _later,
}
"""Kind of obligation → what is said next about it."""

"""What people do about what they owe: a pure table, kind of obligation → the next command, None = nothing yet.

The simulated hospitals answer by themselves where an effect asks them; here is what staff, families, doctors at home,
consulates and bedsides do, and what a coordinator is told on the phone when an answer had to be chased.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from api.run.rehearsal.families import Family
from domain.case import Command
from domain.stages import (
    admission,
    anytime,
    bed,
    centres,
    closing,
    dose,
    dossier,
    eligibility,
    follow_up,
    holding,
    infusion,
    inquiry,
    letter,
    lymphodepletion,
    observations,
    people,
    quote,
    records,
    recovery,
    redosing,
    safety,
    transplant,
    travel,
    visa,
)
from domain.state import Case, Submission

WRITER, READER = "reviewer-1", "reviewer-2"
CLINICIAN = "Dr Li Wei"
PAPERS: tuple[records.RecordKind, ...] = ("passport", "pathology", "labs", "imaging")
CONTACT: tuple[follow_up.TryContact, ...] = (
    follow_up.TryContact("call", answered=False),
    follow_up.TryContact("mail", answered=False),
    follow_up.TryContact("doctor", answered=False),
)


@dataclass(frozen=True, slots=True)
class Situation:
    """What is owed about what, in which case, by whose family, now. `chased`: it was missed and somebody calls."""

    case: Case
    about: str
    family: Family
    chance: random.Random
    now: datetime
    chased: bool

    def often(self, share: float) -> bool:
        """True in that share of cases."""
        return self.chance.random() < share

    def ahead(self, days: float) -> datetime:
        """So many days from now."""
        return self.now + timedelta(days=days)

    @property
    def root(self) -> str:
        """What it is about, without its round."""
        return self.about.split("/", maxsplit=1)[0]


React = Callable[[Situation], Command | None]


def next_command(kind: str, s: Situation) -> Command | None:
    """What is said next about an obligation of that kind."""
    found = REACTIONS.get(kind)
    return found(s) if found else None


def deciding(case: Case) -> str:
    """Whoever consents: the patient, or the legal representative."""
    patient = case.patient
    assert patient is not None
    others = [p.id for p in case.people.values() if p.role == "legal_representative"]
    return others[0] if patient.minor and others else patient.id


def _reply(s: Situation) -> Command | None:
    return (
        inquiry.AdviseLocalCare("call") if s.family.urgent and not s.case.local_care else inquiry.ReplyToFamily("call")
    )


def _agree(s: Situation) -> Command | None:
    case, patient = s.case, s.case.patient
    if s.family.silent:
        return None
    if patient and patient.minor and not any(p.role == "legal_representative" for p in case.people.values()):
        return people.AddPerson("legal_representative", "Parent", case.zone, case.language, "parent@example.org")
    if not any(p.role == "home_oncologist" for p in case.people.values()):
        return people.AddPerson("home_oncologist", "Dr Home", case.zone, case.language, "doctor@example.org")
    for purpose in ("data_processing", "translation"):
        if not case.consented(purpose):
            return _consent(case, purpose)
    return None if case.scope_acknowledged else inquiry.AcknowledgeScope(deciding(case), "1")


def _consent(case: Case, purpose: people.Purpose, recipient: str = "") -> Command:
    return people.GiveConsent(purpose, deciding(case), "1", case.language, recipient)


def _list(s: Situation) -> Command | None:
    asked = {item.kind for item in s.case.records.values()}
    for kind in PAPERS:
        if kind not in asked:
            return records.RequestRecord(kind, "home_oncologist" if kind == "pathology" else "family")
    return None if s.case.dossier.drafted_by else dossier.DraftSummary(_document(s, "summary"), WRITER)


def _summary(_: Situation) -> Command | None:
    return dossier.SignSummary(READER)


def _document(s: Situation, what: str) -> str:
    return sha256(f"{s.case.id}/{what}".encode()).hexdigest()


def _send_paper(s: Situation) -> Command | None:
    item = s.case.records.get(s.root)
    if item is None or item.state not in ("requested", "rejected"):
        return None
    return records.ReceiveRecord(item.id, _document(s, f"{item.id}/{item.round}"), s.case.language)


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
    return dossier.CertifyTranslation(s.root, _document(s, f"{s.root}/en"), "translator-1", "translator-2")


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
        return centres.ChooseCentre(left[0].centre, left[0].protocol, "the trial takes this disease")
    return closing.LeaveJourney("not_suitable", "treatment at home with the present doctor")


def _put_before(s: Situation, x: Submission) -> Command | None:
    for purpose in ("share_with_hospital", "cross_border"):
        if not s.case.consented(purpose, x.centre):
            return _consent(s.case, purpose, x.centre)
    shut = not s.case.noted(x.protocol).get("open")
    if shut or (s.chased and x.state == "more_info" and s.case.dossier.version <= x.dossier):
        return centres.WithdrawSubmission(x.id)
    return centres.SubmitDossier(x.id)


def _receipt(s: Situation) -> Command | None:
    return centres.AcknowledgeSubmission(s.root, "by phone") if s.chased else None


def _decision(s: Situation) -> Command | None:
    if not s.chased:
        return None
    accepts = eligibility.AcceptPatient(s.root, CLINICIAN, s.ahead(28))
    return accepts if s.often(0.6) else centres.WithdrawSubmission(s.root)


def _reconfirm(s: Situation) -> Command | None:
    if not s.case.noted(s.case.protocol).get("open"):
        return eligibility.DeclinePatient(s.root, CLINICIAN, "protocol_closed", "another centre of the catalogue")
    if s.often(0.05):
        return eligibility.DeclinePatient(s.root, CLINICIAN, "progression", "treatment at home")
    return eligibility.AcceptPatient(s.root, CLINICIAN, s.ahead(28))


def _estimate(_: Situation) -> Command | None:
    return quote.IssueEstimate(90_000, 180_000, "USD")


def _price(s: Situation) -> Command | None:
    accepted = s.case.accepted
    return quote.GiveQuote(accepted.id, 130_000, "USD", s.ahead(30)) if s.chased and accepted else None


def _answer_price(s: Situation) -> Command | None:
    if s.family.declines:
        return closing.LeaveJourney("declined")
    accepted, until = s.case.accepted, s.case.quote.until
    if until is not None and until <= s.now and accepted:
        return quote.GiveQuote(accepted.id, 130_000, "USD", s.ahead(30))
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


def _stay(s: Situation) -> Command | None:
    return travel.PlanStay((s.now + timedelta(days=18)).date(), 70, "", "near the centre", funds_confirmed=True)


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
    if case.accepted and (not case.noted(case.protocol).get("open") or (s.chased and _ended(case, s.now))):
        return centres.WithdrawSubmission(case.accepted.id)
    return travel.BookTravel(s.ahead(1.5))


def _ended(case: Case, now: datetime) -> bool:
    until = case.accepted.valid_until if case.accepted else None
    return until is not None and until <= now


def _door(s: Situation) -> Command | None:
    return travel.ConfirmTravel("by phone") if s.chased else None


def _closed_door(_: Situation) -> Command | None:
    return travel.StopTravel("door_closed")


def _arrive(s: Situation) -> Command | None:
    return admission.RecordArrival(s.now - timedelta(hours=3))


def _register(_: Situation) -> Command | None:
    return admission.RegisterAddress("hotel")


def _admit(s: Situation) -> Command | None:
    return admission.AdmitPatient("by phone") if s.chased else None


def _consent_on_site(s: Situation) -> Command | None:
    for purpose in ("trial", "risks"):
        if not s.case.consented(purpose):
            return _consent(s.case, purpose)
    return None


def _screen(s: Situation) -> Command | None:
    return admission.ConfirmScreening(CLINICIAN) if s.chased else None


def _stay_end(s: Situation) -> Command | None:
    if s.case.extension == "filed":
        return admission.DecideStayExtension(
            granted=True, until=max(s.now, s.case.stay_until or s.now) + timedelta(days=60)
        )
    return admission.FileStayExtension() if s.case.extension != "granted" or s.chased else None


def _gate(_: Situation) -> Command | None:
    return lymphodepletion.SignGate(CLINICIAN, no_active_infection=True, organ_function_fine=True)


def _depleted(s: Situation) -> Command | None:
    t = s.case.treatment
    if not s.chased or t is None:
        return None
    started = lymphodepletion.CompleteDepletion(14)
    return started if t.depletion == "started" else lymphodepletion.RecordDepletion("fludarabine + cyclophosphamide")


def _bedside(s: Situation) -> Command | None:
    t = s.case.treatment
    if t is None:
        return None
    if t.thawed:
        return infusion.RecordInfusion(t.unit) if s.chased else None
    if not s.case.dose.good_at(s.now):
        return dose.AskDoseAgain() if s.case.dose.state != "asked" else None
    if not t.authorised:
        return infusion.AuthoriseInfusion(CLINICIAN)
    if not t.identity_checked:
        return infusion.CheckIdentity("nurse-1", "nurse-2", s.case.dose.ref, patient_matches=True, unit_matches=True)
    return infusion.StartThaw(t.unit) if s.chased else None


def _destroy(s: Situation) -> Command | None:
    t = s.case.treatment
    return infusion.DestroyUnit(t.unit, "thawed and not infused") if t else None


def _response(s: Situation) -> Command | None:
    """What happened since, then the response, then how it goes on."""
    drawn = s.chance.random()
    if drawn < 0.06:  # noqa: PLR2004 - one in seventeen dies before the response check
        return observations.ReportDeath("sepsis")
    if s.case.assessments < len(s.case.infusions):
        result = "CR" if drawn < 0.6 else "PR" if drawn < 0.75 else "PD"  # noqa: PLR2004 - as published cohorts run
        return observations.AssessResponse(result)
    way: recovery.Pathway = "observe" if drawn < 0.75 else "transplant" if drawn < 0.88 else "redose"  # noqa: PLR2004
    again = way == "redose" and len(s.case.treatments) < 3  # noqa: PLR2004 - three treatments at most
    return recovery.DecidePathway(way if way != "redose" or again else "palliative", CLINICIAN)


def _fit_home(_: Situation) -> Command | None:
    return recovery.DeclareFitHome(CLINICIAN)


def _go_home(_: Situation) -> Command | None:
    return follow_up.ReturnHome()


def _alert(s: Situation) -> Command | None:
    return safety.AnswerAlert(s.root, "coordinator")


def _hospital_alert(s: Situation) -> Command | None:
    return safety.AnswerAlert(s.root, "hospital") if s.chased else None


def _redose(s: Situation) -> Command | None:
    if s.often(0.2):
        return redosing.GiveUpRedosing(CLINICIAN, "not fit for another treatment")
    return redosing.DecideRedosing(CLINICIAN, "response lost")


def _transplant(s: Situation) -> Command | None:
    return transplant.DeclineTransplant("no donor found in time") if s.chased else None


def _visit(s: Situation) -> Command | None:
    """A visit; or a death, a relapse, or nobody to be found."""
    drawn = s.chance.random()
    if s.family.lost and len(s.case.visits) >= 2:  # noqa: PLR2004 - after a while
        tried = s.case.contact_attempts
        if not s.chased:
            return None
        return CONTACT[tried] if tried < len(CONTACT) else follow_up.EndFollowUp("lost")
    if drawn < 0.03:  # noqa: PLR2004 - each visit
        return observations.ReportDeath("relapse")
    if drawn < 0.05 and len(s.case.treatments) < 3:  # noqa: PLR2004 - as above
        return redosing.DecideRedosing(CLINICIAN, "relapse after response")
    return follow_up.RecordVisit(s.root, alive=True, result="no sign of disease")


def _handover(_: Situation) -> Command | None:
    return follow_up.AcceptHandover()


def _greet(_: Situation) -> Command | None:
    return follow_up.TryContact("call", answered=True)


def _resume(_: Situation) -> Command | None:
    return holding.ResumeCase()


def _settle(s: Situation) -> Command | None:
    known = s.case.effects.get(s.root)
    again = known is not None and known.state == "unknown" and s.often(0.3)
    return anytime.SettleEffect(s.root, "try_again" if again else "delivered", by="coordinator-1")


REACTIONS: Mapping[str, React] = {
    "first_reply": _reply,
    "family_reply": _agree,
    "records_list": _list,
    "record": _send_paper,
    "record_from_doctor": _send_paper,
    "record_check": _read_paper,
    "translation": _translate,
    "summary_signature": _summary,
    "next_centre": _next_centre,
    "submission_receipt": _receipt,
    "hospital_decision": _decision,
    "reconfirm_decision": _reconfirm,
    "estimate": _estimate,
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
    "stay_plan": _stay,
    "fit_to_travel": _fit,
    "travel_booking": _book,
    "door_confirmation": _door,
    "closed_door": _closed_door,
    "arrival": _arrive,
    "address_registration": _register,
    "admission": _admit,
    "trial_consent": _consent_on_site,
    "screening_result": _screen,
    "stay_end": _stay_end,
    "gate": _gate,
    "depletion_report": _depleted,
    "infusion_window": _bedside,
    "unit_destruction": _destroy,
    "response_check": _response,
    "fit_home": _fit_home,
    "return_home": _go_home,
    "safety_alert": _alert,
    "safety_answer": _hospital_alert,
    "redosing_decision": _redose,
    "transplant_decision": _transplant,
    "visit": _visit,
    "handover": _handover,
    "first_contact_home": _greet,
    "hold_review": _resume,
    "settle_effect": _settle,
}
"""Every kind that is ever owed, but the owner of a case, who is there from the start, and a day 0 told too late."""

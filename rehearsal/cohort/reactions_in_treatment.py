"""Says what people do about what they owe, from the arrival to the fifteenth year."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from domain.case.consenting import consents_to_cells, form_asked
from domain.case.undoing import UNDOING
from domain.core.about import About
from domain.core.fact import Command
from domain.criteria.response import systems_for
from domain.stages.anytime import corrective, holding, notes, reconsidering
from domain.stages.eligibility import eligibility
from domain.stages.eligibility.redosing_criteria import left_unmet, redosing_standings
from domain.stages.follow_up import acquired, follow_up
from domain.stages.response import assessing, donor_search, late_toxicity
from domain.stages.schedule import depletion_days, monitoring_days
from domain.stages.treatment import (
    admission,
    adverse_events,
    grading,
    infusion,
    lymphodepletion,
    observations,
    recovery,
    redosing,
    safety,
    transplant,
)
from domain.stages.treatment.redosing import untouched
from rehearsal.cohort import sponsor
from rehearsal.cohort.bedside import bedside
from rehearsal.cohort.reactions_in_follow_up import IN_FOLLOW_UP
from rehearsal.cohort.sending import plan_dose
from rehearsal.cohort.situation import CLINICIAN, React, Situation, consent, deciding


def _arrive(s: Situation) -> Command | None:
    return admission.RecordArrival(s.now - timedelta(hours=3))


def _register(_: Situation) -> Command | None:
    return admission.RegisterAddress("hotel")


def _admit(s: Situation) -> Command | None:
    """Whoever arranges the admission sees to it that the dose travels."""
    return admission.AdmitPatient("by phone") if s.chased else plan_dose(s)


def _consent_on_site(s: Situation) -> Command | None:
    if not consents_to_cells(s.case):
        return consent(s.case, form_asked(s.case))
    return None if s.case.consented("risks") else consent(s.case, "risks")


def _screen(s: Situation) -> Command | None:
    return admission.ConfirmScreening(CLINICIAN) if s.chased else None


def _stay_end(s: Situation) -> Command | None:
    if s.case.extension == "filed":
        return admission.DecideStayExtension(
            granted=True, until=max(s.now, s.case.stay_until or s.now) + timedelta(days=60)
        )
    return admission.FileStayExtension() if s.case.extension != "granted" or s.chased else None


def _gate(s: Situation) -> Command | None:
    """Before it is signed, whoever keeps the dose sends it."""
    return plan_dose(s) or lymphodepletion.SignGate(CLINICIAN, no_active_infection=True, organ_function_fine=True)


def _depleted(s: Situation) -> Command | None:
    t = s.case.treatment
    if not s.chased or t is None:
        return None
    started = lymphodepletion.CompleteDepletion(14)
    return started if t.depletion == "started" else lymphodepletion.RecordDepletion("fludarabine + cyclophosphamide")


def _plan(s: Situation) -> Command | None:
    """By telephone, where the hospital has not planned by itself."""
    first = next(iter(depletion_days.variants(s.case)), "")
    return depletion_days.PlanDepletion((s.now + timedelta(days=6)).date(), first) if s.chased else None


def _day(s: Situation) -> Command | None:
    """A day nobody told of was given, given reduced, or left out; somebody calls and hears it."""
    if not s.chased:
        return None
    treatment, day = int(s.root), About.of(s.about).number
    if s.often(0.1):
        return depletion_days.OmitDepletionDay(day, "fever", treatment=treatment)
    reduced = "creatinine clearance" if s.often(0.1) else ""
    return lymphodepletion.RecordDepletion("fludarabine + cyclophosphamide", day, treatment=treatment, reduced=reduced)


def _monitored(s: Situation) -> Command | None:
    """The ward tells of most days by itself, of the others when somebody calls; a few checks were not made."""
    infusion_number, day = int(s.root), About.of(s.about).number
    if not s.chased and s.often(0.15):
        return None
    if s.chased and s.often(0.2):
        return monitoring_days.SkipMonitoring(day, "the patient was not on the ward", infusion=infusion_number)
    finding = "temperature 38.4" if day in FEVER_DAYS and s.often(0.2) else "as expected"
    return monitoring_days.RecordMonitoring(day, finding=finding, infusion=infusion_number)


FEVER_DAYS = range(1, 6)


def _undone(s: Situation) -> Command | None:
    """What the hospital tells of it when somebody calls."""
    known = s.case.resources.get(s.root)
    return acquired.ReportResource(known.id, UNDOING[known.kind].ends[0]) if known and s.chased else None


def _cells(s: Situation) -> Command | None:
    return acquired.OrderCells(s.root, "destroyed", deciding(s.case))


def _copies(s: Situation) -> Command | None:
    return acquired.ConfirmDestruction(s.root) if s.chased else None


def _slot(s: Situation) -> Command | None:
    accepted = s.case.accepted
    return acquired.RecordResource("manufacturing_slot", accepted.id) if accepted else None


def _destroy(s: Situation) -> Command | None:
    t = s.case.treatment
    return infusion.DestroyUnit(t.unit, "thawed and not infused") if t else None


def _harm(s: Situation) -> Command | None:
    """What the cells did in the first days: fever in every second patient, more in some, as published cohorts run."""
    drawn = s.chance.random()
    return next((make(s) for least, make in HARM if drawn >= least), None)


HARM: tuple[tuple[float, React], ...] = (
    (0.985, lambda _: grading.GradeGVHD(skin_percent="30", stool_ml="700")),
    (0.97, lambda s: grading.GradeCytopenia(days_500=s.chance.randint(3, 20))),
    (0.94, lambda _: adverse_events.ReportInfection("blood", "CMV", 3)),
    (0.9, lambda _: grading.GradeICANS(ice=5, awake="to_voice")),
    (0.8, lambda _: grading.GradeCRS(fever=True, oxygen="low_flow")),
    (0.5, lambda _: grading.GradeCRS(fever=True)),
)
"""From which draw on → what happened."""


def _response(s: Situation) -> Command | None:
    """What happened since, then the response, then how it goes on."""
    if not s.case.episodes and (harm := _harm(s)) is not None:
        return harm
    drawn = s.chance.random()
    if drawn < 0.06:  # noqa: PLR2004 - one in seventeen dies before the response check
        return observations.ReportDeath("sepsis")
    if s.case.assessments < len(s.case.infusions):
        result = "CR" if drawn < 0.6 else "PR" if drawn < 0.75 else "PD"  # noqa: PLR2004 - as published cohorts run
        return _assessed(s, result)
    way: recovery.Pathway = "observe" if drawn < 0.75 else "transplant" if drawn < 0.88 else "redose"  # noqa: PLR2004
    again = way == "redose" and len(s.case.treatments) < 3  # noqa: PLR2004 - three treatments at most
    return recovery.DecidePathway(way if way != "redose" or again else "palliative", CLINICIAN)


def _assessed(s: Situation, result: str) -> Command:
    """Written by the system of the disease, as far as it has one."""
    disease = s.case.disease
    system = next(iter(systems_for(disease)), "") if isinstance(disease, str) else ""
    if system == "lugano":
        scored = {"CR": (2, ""), "PR": (4, "less"), "PD": (5, "more")}[result]
        written = {"CR": "CMR", "PR": "PMR", "PD": "PMD"}[result]
        return assessing.AssessResponse(
            written, system=system, assessor="investigator", examination="pet_ct", deauville=scored[0], uptake=scored[1]
        )
    if system in ("all", "imwg"):
        left = "negative" if result == "CR" else "positive"
        return assessing.AssessResponse(
            result, system=system, assessor="investigator", examination="marrow", mrd=left, mrd_method="flow",
            mrd_sensitivity="0.00001",
        )  # fmt: skip
    return assessing.AssessResponse(result, system=system, assessor="investigator")


def _response_again(s: Situation) -> Command | None:
    """Of those scored 4 at first about a quarter progressed [response.indeterminate]."""
    return _assessed(s, "PD" if s.often(0.26) else "CR")


def _corrects(s: Situation) -> Command | None:
    """A plan is made about an alert; what did not help is tried another way."""
    day, known = s.now.date(), s.case.corrective.get(s.root)
    alert = known.alert if known else s.root
    return corrective.PlanCorrectiveAction(alert, "retrain", "ward", day + timedelta(14), day + timedelta(60))


def _corrected(s: Situation) -> Command | None:
    return corrective.CompleteCorrectiveAction(s.root, "staff trained again")


def _checked(s: Situation) -> Command | None:
    return corrective.CheckCorrectiveAction(s.root, s.often(0.8), "no such event since")


def _donor(s: Situation) -> Command | None:
    found = "unrelated" if s.often(0.5) else "haploidentical" if s.often(0.8) else "none_found"
    match = {"unrelated": "10/10", "haploidentical": "5/10"}.get(found, "")
    return donor_search.RecordDonorSearch(found, match)


def _after_loss(s: Situation) -> Command | None:
    return recovery.DecidePathway("observe" if s.often(0.5) else "other_therapy", CLINICIAN)


def _late(s: Situation) -> Command | None:
    """Counts mostly recover in the weeks after; then it is closed."""
    return late_toxicity.CloseLateToxicity(s.root, "recovered") if s.chased or s.often(0.5) else None


def _fit_home(_: Situation) -> Command | None:
    return recovery.DeclareFitHome(CLINICIAN)


def _go_home(_: Situation) -> Command | None:
    return follow_up.ReturnHome()


def _alert(s: Situation) -> Command | None:
    return safety.AnswerAlert(s.root, "coordinator")


def _safety_report(s: Situation) -> Command | None:
    judged = sponsor.limiting(s)
    return judged or safety.RecordSafetyReport(s.root, reported=True, to="sponsor")


def _hospital_alert(s: Situation) -> Command | None:
    return safety.AnswerAlert(s.root, "hospital") if s.chased else None


def _redose(s: Situation) -> Command | None:
    if s.often(0.2):
        return redosing.GiveUpRedosing(CLINICIAN, "not fit for another treatment")
    return _another_dose(s, "response lost")


def _another_dose(s: Situation, reason: str) -> Command:
    """Decided over what the protocol asks, where it asks for something that is not there, with a reason."""
    over = left_unmet(redosing_standings(s.case, s.now))
    return redosing.DecideRedosing(CLINICIAN, reason, despite="nothing else is left to offer" if over else "")


def _refer(_: Situation) -> Command | None:
    return transplant.ReferTransplant(CLINICIAN)


def _transplant(s: Situation) -> Command | None:
    return transplant.DeclineTransplant("no donor found in time") if s.chased else None


def _visit(s: Situation) -> Command | None:
    """A visit; or a death, a relapse, or nobody to be found."""
    drawn = s.chance.random()
    if s.family.lost and len(s.case.visits) >= 2:  # noqa: PLR2004 - after a while
        return None
    if drawn < 0.03:  # noqa: PLR2004 - each visit
        return observations.ReportDeath("relapse")
    if drawn < 0.05 and len(s.case.treatments) < 3:  # noqa: PLR2004 - as above
        return _another_dose(s, "relapse after response")
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
    return notes.SettleEffect(s.root, "try_again" if again else "delivered", by="coordinator-1")


def _look_again(s: Situation) -> Command:
    return reconsidering.ReviewDecision(s.root, "seen with the corrected fact; it stands")


def _review_again(s: Situation) -> Command | None:
    """By telephone, where the centre does not answer; once cells are in, how it goes on is decided."""
    if not s.chased:
        return None
    if s.case.infusions and not untouched(s.case):
        return recovery.DecidePathway("palliative", CLINICIAN)
    return eligibility.AcceptPatient(s.root, CLINICIAN, s.ahead(28))


def _trial_goes_on(s: Situation) -> Command | None:
    return observations.ReportTrialResumed("sponsor") if s.chased else None


IN_TREATMENT: Mapping[str, React] = {
    "arrival": _arrive,
    "address_registration": _register,
    "admission": _admit,
    "trial_consent": _consent_on_site,
    "treatment_consent": _consent_on_site,
    "screening_result": _screen,
    "stay_end": _stay_end,
    "review_again": _review_again,
    "trial_hold_review": _trial_goes_on,
    "cohort_place": sponsor.wait,
    "gate": _gate,
    "depletion_report": _depleted,
    "depletion_plan": _plan,
    "depletion_day": _day,
    "monitoring_day": _monitored,
    "infusion_window": bedside,
    "post_thaw": bedside,
    "unit_destruction": _destroy,
    "resource_undone": _undone,
    "cells_order": _cells,
    "destruction_confirmation": _copies,
    "manufacturing_failed": _slot,
    "response_check": _response,
    "response_recheck": _response_again,
    "corrective_plan": _corrects,
    "corrective_action": _corrected,
    "corrective_check": _checked,
    "corrective_again": _corrects,
    "donor_search": _donor,
    "after_loss": _after_loss,
    "late_toxicity": _late,
    "fit_home": _fit_home,
    "return_home": _go_home,
    "safety_alert": _alert,
    "safety_answer": _hospital_alert,
    "urgent_alert": _alert,
    "urgent_answer": _hospital_alert,
    "safety_report": _safety_report,
    "redosing_decision": _redose,
    "transplant_referral": _refer,
    "transplant_decision": _transplant,
    "visit": _visit,
    **IN_FOLLOW_UP,
    "handover": _handover,
    "first_contact_home": _greet,
    "hold_review": _resume,
    "settle_effect": _settle,
    "decision_review": _look_again,
}
"""Kind of obligation → what is said next about it."""

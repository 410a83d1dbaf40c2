"""Infusion [S8-S10]: two people, one unit, one patient; what was thawed never goes back; then recovery."""

from datetime import timedelta
from unittest.mock import ANY

import pytest

from domain.case.stage import Exit, Stage
from domain.core.errors import Reason
from domain.core.when import When
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.anytime.moving import StageEntered
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.follow_up.visit_plan import FollowUpPlanned
from domain.stages.intake.people import WithdrawConsent
from domain.stages.response.assessing import AssessResponse, ResponseAssessed
from domain.stages.schedule.monitoring_days import DEFAULT, MonitoringPlanned
from domain.stages.treatment.adverse_events import ReportInfection, ReportToxicity, ToxicityReported
from domain.stages.treatment.bedside.authorising import AuthoriseInfusion, InfusionAuthorised
from domain.stages.treatment.infusion import (
    CheckIdentity,
    DestroyUnit,
    IdentityChecked,
    IdentityMismatched,
    InfusionCompleted,
    InfusionDeviated,
    InfusionsPlanned,
    PlanInfusions,
    RecordInfusion,
    StartThaw,
    ThawStarted,
    UnitDestroyed,
)
from domain.stages.treatment.observations import DeathReported, ReportDeath
from domain.stages.treatment.recovery import (
    DecidePathway,
    DeclaredFitHome,
    DeclareFitHome,
    DischargePatient,
    PathwayDecided,
    PatientDischarged,
    PatientReadmitted,
    ReadmitPatient,
)
from domain.stages.treatment.redosing import DecideRedosing
from domain.stages.treatment.safety import AdverseEventAlerted
from tests.domain.course import LOT, STEPS, UNIT, patient, start
from tests.domain.journey import DAY, HOUR, Journey, when
from tests.domain.refusals import No

PLANNED = (MonitoringPlanned(1, DEFAULT, by_protocol=False), FollowUpPlanned(1, 15, (), "Asia/Kolkata"))
"""Follow-up where the protocol says nothing of it."""


def check(first: str = "nurse-1", second: str = "nurse-2", unit: str = UNIT, match: bool = True) -> CheckIdentity:
    return CheckIdentity(first, second, unit, patient_matches=match, unit_matches=match)


REFUSALS = (
    No("infused", AuthoriseInfusion("Dr"), Reason.NOT_NOW, "every planned infusion of this treatment is given"),
    No(
        "infusion",
        AuthoriseInfusion("Dr"),
        Reason.NEVER_WAIVED,
        "a consent is not given or was taken back",
        lambda j: j.tell(WithdrawConsent("trial", patient(j))),
    ),
    No(
        "checked",
        StartThaw(UNIT),
        Reason.NEVER_WAIVED,
        "a consent is not given or was taken back",
        lambda j: j.tell(WithdrawConsent("risks", patient(j))),
    ),
    No("infusion", AuthoriseInfusion("Dr"), Reason.LAPSED, "no dose is held now", lambda j: j.away(90 * DAY)),
    No("checked", StartThaw(UNIT), Reason.LAPSED, "the lot has expired", lambda j: j.source(LOT, expires=j.now)),
    No("infusion", check(), Reason.MISSING, "the infusion is not authorised"),
    No("thawed", check(), Reason.ALREADY, "a unit is thawing"),
    No("authorised", check("nurse-1", "nurse-1"), Reason.FOUR_EYES, "two different people check"),
    No("authorised", check("", "nurse-1"), Reason.FOUR_EYES, "two different people check"),
    No("authorised", check("nurse-1", " Nurse-1 "), Reason.FOUR_EYES, "two different people check"),
    No("authorised", check("nurse-1", "nurse-1", match=False), Reason.FOUR_EYES, "two different people check"),
    No("infusion", StartThaw(UNIT), Reason.MISSING, "the infusion is not authorised"),
    No("authorised", StartThaw(UNIT), Reason.NEVER_WAIVED, "two people have not checked identity"),
    No("thawed", StartThaw(UNIT), Reason.ALREADY, "a unit is thawing"),
    No("checked", StartThaw("unit-9"), Reason.NEVER_WAIVED, "this is not the unit that was checked"),
    No("checked", RecordInfusion(UNIT), Reason.MISSING, "no unit is thawed"),
    No(
        "thawed",
        RecordInfusion(UNIT),
        Reason.NEVER_WAIVED,
        "two people found a mismatch; it is checked anew",
        lambda j: j.tell(check(match=False)),
    ),
    No("infused", RecordInfusion(UNIT, deviation="told twice"), Reason.ALREADY, "this unit was infused before"),
    No("admission", RecordInfusion(UNIT), Reason.NOT_NOW, "RecordInfusion is accepted in:"),
    No(
        "infused",
        lambda j: CorrectFact(j.case.infusions[0].fact, RecordInfusion(UNIT, deviation="no check"), "x"),
        Reason.INVALID,
        "a deviation is told with the infusion itself",
    ),
    No("thawed", RecordInfusion("unit-9"), Reason.NEVER_WAIVED, "this is not the unit that was thawed"),
    No("thawed", DestroyUnit("unit-9", "x"), Reason.NEVER_WAIVED, "this is not the unit that was thawed"),
    No("infusion", PlanInfusions(0), Reason.INVALID, "fewer than were given"),
    No("infusion", DecidePathway("observe", "Dr"), Reason.MISSING, "no cells were infused"),
    No(
        "infused",
        DecidePathway("observe", "Dr"),
        Reason.NOT_NOW,
        "another treatment is planned; give that up first",
        lambda j: j.tell(DecideRedosing("Dr")),
    ),
    No("infusion", ReportToxicity("CRS", 2, 3), Reason.INVALID, "a grade is exact or a lower bound, not both"),
    No("infusion", ReportToxicity("CRS", 6), Reason.INVALID, "grades run from 0 to 5"),
    No("infusion", ReportInfection("lung", "", None, 6), Reason.INVALID, "grades run from 0 to 5"),
    No("infusion", ReportInfection("lung", "", -1), Reason.INVALID, "grades run from 0 to 5"),
    No(
        "infused",
        ReportDeath(),
        Reason.ALREADY,
        "the death is recorded; a correction supersedes it",
        lambda j: j.tell(ReportDeath()),
    ),
    No(
        "infusion",
        lambda j: ReportToxicity("CRS", 1, occurred=When.at(j.now + HOUR)),
        Reason.INVALID,
        "a fact lies in the past",
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_authorised_checked_thawed_infused() -> None:
    j = start("infusion")
    when(j, AuthoriseInfusion("Dr Li")).then_told(InfusionAuthorised(1, "Dr Li"))
    when(j, check()).then_told(IdentityChecked(1, "nurse-1", "nurse-2", UNIT)).then_asks("confirm_thaw")
    j.deliver()
    when(j, StartThaw(UNIT)).then_told(ThawStarted(1, UNIT))
    when(j, RecordInfusion(UNIT, "1e8")).then_told(InfusionCompleted(1, 1, LOT, UNIT, "1e8"), *PLANNED).then_opens(
        "monitoring_day", "response_check"
    )
    assert j.case.follow_up == "open"
    assert j.owed("response_check").due == j.now + timedelta(days=31)


def test_a_mismatch_at_the_bedside_is_kept_as_a_near_miss_and_bars_the_infusion() -> None:
    j = start("checked")
    patient_only = CheckIdentity("nurse-1", "nurse-2", "unit-9", patient_matches=True, unit_matches=False)
    when(j, patient_only).then_told(IdentityMismatched(1, "nurse-1", "nurse-2", "unit-9", True, False)).then_opens(
        "safety_alert", "safety_answer", "corrective_plan"
    ).then_asks("tell_centre_of_alert")
    when(j, StartThaw(UNIT)).then_refused(Reason.MISSING, "the infusion is not authorised")
    when(j, check()).then_refused(Reason.MISSING, "the infusion is not authorised")
    STEPS["authorised"](j)
    when(j, StartThaw(UNIT)).then_refused(Reason.NEVER_WAIVED, "two people have not checked identity")
    when(j, check()).then_told(IdentityChecked(1, "nurse-1", "nurse-2", UNIT))
    j.tell(StartThaw(UNIT))
    assert [f.event.type for f in j.facts].count("IdentityMismatched") == 1


def test_a_unit_that_is_not_the_one_held_is_a_mismatch_though_nobody_saw_a_difference() -> None:
    j = start("checked")
    when(j, check(unit="unit-9")).then_told(
        IdentityMismatched(1, "nurse-1", "nurse-2", "unit-9", True, False)
    ).then_opens("safety_alert", "safety_answer", "corrective_plan").then_asks("tell_centre_of_alert")
    when(j, StartThaw(UNIT)).then_refused(Reason.MISSING, "the infusion is not authorised")


@pytest.mark.parametrize("at", ["infusion", "checked"])
def test_a_mismatch_waits_for_no_authorisation(at: str) -> None:
    when(start(at), check(match=False)).then_told(IdentityMismatched(1, "nurse-1", "nurse-2", UNIT, False, False))


def test_a_mismatch_found_after_the_thaw_stops_the_infusion_until_all_is_checked_anew() -> None:
    j = start("thawed")
    when(j, check(unit="unit-9")).then_told(IdentityMismatched(1, "nurse-1", "nurse-2", "unit-9", True, False))
    when(j, RecordInfusion(UNIT)).then_refused(Reason.NEVER_WAIVED, "two people found a mismatch")
    again = j.fork()
    when(j, DestroyUnit(UNIT, "mix-up")).then_told(UnitDestroyed(1, UNIT, "mix-up")).then_asks(
        "reserve_dose", "mark_unit_destroyed"
    )
    STEPS["authorised"](again)
    again.tell(check())
    when(again, RecordInfusion(UNIT)).then_told(InfusionCompleted(1, 1, LOT, UNIT, ""), *PLANNED)


def test_cells_that_went_in_without_the_steps_before_are_recorded_and_alarm() -> None:
    j = start("infusion")
    day = When.on(j.now.date())
    told = RecordInfusion(UNIT, "1e8", day, "given at night, the system was away")
    when(j, told).then_told(
        InfusionDeviated(1, UNIT, "given at night, the system was away"),
        InfusionCompleted(1, 1, LOT, UNIT, "1e8"),
        *PLANNED,
    ).then_opens("monitoring_day", "response_check", "safety_alert", "safety_answer", "corrective_plan").then_asks(
        "mark_unit_used", "tell_centre_of_alert"
    )
    assert (j.case.follow_up, j.case.infusions[0].occurred) == ("open", day)
    assert [a.kind for a in j.case.alerts.values()] == ["deviation"]


def test_a_thaw_asked_for_before_the_mismatch_is_no_longer_wanted() -> None:
    j = start("authorised").tell(check())
    [asked] = j.asked("confirm_thaw")
    j.tell(check(match=False))
    assert j.case.effects[asked.id].state == "withdrawn"


def test_a_thawed_unit_that_was_not_given_is_destroyed_and_another_asked_for() -> None:
    j = start("thawed")
    when(j, DestroyUnit(UNIT, "broken bag")).then_told(UnitDestroyed(1, UNIT, "broken bag")).then_asks(
        "reserve_dose", "mark_unit_destroyed"
    )
    [told] = j.asked("mark_unit_destroyed")
    assert [(u.fact, u.lot, u.unit) for u in j.case.destroyed_units] == [(told.about, LOT, UNIT)]
    assert j.case.treatment
    begun = (j.case.treatment.authorised, j.case.treatment.identity_checked, j.case.treatment.thawed)
    assert begun == ("", "", "")
    assert j.asked("release_dose") == [], "never back to stock"


def test_several_planned_infusions_each_need_a_unit_of_their_own() -> None:
    j = start("infusion")
    when(j, PlanInfusions(2)).then_told(InfusionsPlanned(1, 2))
    for step in ("authorised", "checked", "thawed", "infused"):
        STEPS[step](j)
    assert j.all_owed("response_check") == []
    assert [e.kind for e in j.agenda.effects if e.kind == "reserve_dose"] == ["reserve_dose"]
    STEPS["dose_held"](j)
    for step in ("authorised", "checked", "thawed", "infused"):
        STEPS[step](j)
    assert [i.number for i in j.case.infusions] == [1, 2]
    assert j.owed("response_check").about == "2"


def test_fewer_infusions_than_were_planned() -> None:
    j = start("infusion")
    j.tell(PlanInfusions(2))
    for step in ("authorised", "checked", "thawed", "infused"):
        STEPS[step](j)
    when(j, PlanInfusions(1)).then_told(InfusionsPlanned(1, 1)).then_opens("response_check")
    when(j, PlanInfusions(0)).then_refused(Reason.INVALID)


def test_the_grade_is_kept_as_given() -> None:
    j = start("infused")
    day = When.on((j.now - DAY).date())
    when(j, ReportToxicity("CRS", None, 3, "", day)).then_told(
        ToxicityReported("CRS", None, 3, ""), AdverseEventAlerted("crs", "CRS", 3, ANY)
    )
    assert next(f for f in j.facts if f.event.type == "ToxicityReported").occurred == day


def test_a_unit_scanned_in_another_writing_is_the_unit_that_is_held() -> None:
    j = start("authorised")
    scanned = f" {UNIT.upper()} "
    when(j, CheckIdentity("nurse-1", "nurse-2", scanned, patient_matches=True, unit_matches=True)).then_told(
        IdentityChecked(1, "nurse-1", "nurse-2", UNIT)
    )
    when(j, StartThaw(scanned)).then_told(ThawStarted(1, UNIT))
    when(j, RecordInfusion(scanned, "1e8", When.at(j.now))).then_told(
        InfusionCompleted(1, 1, ANY, UNIT, "1e8"), *PLANNED
    )


def test_one_person_written_in_two_ways_is_not_two() -> None:
    j = start("authorised")
    check = CheckIdentity("N1", "n\u200b1", UNIT, patient_matches=True, unit_matches=True)
    when(j, check).then_refused(Reason.FOUR_EYES, "two different people check")


def test_discharge_and_back() -> None:
    j = start("infused")
    when(j, DischargePatient("Dr Li")).then(PatientDischarged("Dr Li"))
    when(j, ReadmitPatient("fever")).then(PatientReadmitted("fever"))
    assert (j.case.discharged, j.case.readmissions) == ("", 1)


def test_the_response_check_leads_home() -> None:
    j = start("discharged")
    when(j, AssessResponse("CR")).then_told(ResponseAssessed("CR", ""))
    when(j, DecidePathway("observe", "Dr Li")).then_told(PathwayDecided("observe", "Dr Li", "")).then_opens("fit_home")
    when(j, DeclareFitHome("Dr Li")).then_told(
        DeclaredFitHome("Dr Li"), StageEntered(Stage.FOLLOW_UP, Stage.INFUSION)
    ).then_opens("return_home", "visit", "handover")


def test_whoever_stays_for_a_transplant_is_followed_up_without_being_sent_home() -> None:
    when(start("infused"), DecidePathway("transplant", "Dr Li")).then_told(
        PathwayDecided("transplant", "Dr Li", ""), StageEntered(Stage.FOLLOW_UP, Stage.INFUSION)
    )


def test_after_the_cells_leaving_leads_to_follow_up_never_to_the_end() -> None:
    j = start("infused")
    when(j, LeaveJourney("withdrawn"))
    assert (j.case.stage, j.case.follow_up, j.case.exit) == (Stage.FOLLOW_UP, "open", Exit.WITHDRAWN)
    assert "infused_cells" in j.case.undone


def test_death_at_the_bedside_stops_reminders_and_leaves_the_bag_to_be_destroyed() -> None:
    j = start("thawed")
    when(j, ReportDeath("sepsis"))
    assert j.last[0] == DeathReported("sepsis")
    assert {o.kind for o in j.all_owed()} == {"unit_destruction"}
    assert not [e for e in j.agenda.effects if e.to == "family"]
    when(j, DestroyUnit(UNIT, "patient died")).then_told(UnitDestroyed(1, UNIT, "patient died"))
    assert j.all_owed() == []
    assert j.asked("release_dose") == []


def test_an_infusion_told_after_the_death_is_still_an_infusion() -> None:
    """Reports come out of order; no infused dose may be lost."""
    j = start("thawed")
    j.tell(ReportDeath())
    when(j, RecordInfusion(UNIT, "1e8"))
    assert InfusionCompleted(1, 1, LOT, UNIT, "1e8") in j.last
    assert (len(j.case.infusions), j.case.follow_up, j.case.stage) == (1, "died", Stage.CLOSED)


def test_an_infusion_told_after_leaving_opens_follow_up() -> None:
    j = start("thawed")
    j.tell(LeaveJourney("withdrawn"))
    when(j, RecordInfusion(UNIT, "1e8", When.at(j.now)))
    assert StageEntered(Stage.FOLLOW_UP, Stage.CLOSED) in j.last
    assert j.case.follow_up == "open"


def test_the_window_for_the_cells_is_chased_when_it_closes() -> None:
    j = start("infusion")
    window = j.owed("infusion_window")
    j.wait(until=window.due)
    assert j.owed("chase").about == f"infusion_window:{window.about}"


def test_numbers_of_a_fact_are_the_ledgers() -> None:
    j: Journey = start("infused")
    [infusion] = j.case.infusions
    assert (infusion.lot, infusion.fact) == (LOT, j.newest(InfusionCompleted))
    assert infusion.occurred.precision == "instant"

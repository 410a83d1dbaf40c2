"""Re-dosing [S11]: a new treatment with its own dose, gate and day 0; also after going home; given up; never twice."""

import pytest

from domain.case.stage import Stage
from domain.core.errors import Reason
from domain.stages.anytime.holding import HoldCase
from domain.stages.anytime.moving import StageEntered
from domain.stages.eligibility.eligibility import AcceptPatient
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.follow_up.follow_up import ReturnedHome, ReturnHome
from domain.stages.treatment.admission import AdmitPatient, PatientAdmitted, RecordArrival
from domain.stages.treatment.bed import HoldBed
from domain.stages.treatment.bedside.authorising import AuthoriseInfusion
from domain.stages.treatment.dose import HoldDose
from domain.stages.treatment.infusion import (
    PlanInfusions,
)
from domain.stages.treatment.lymphodepletion import OmitDepletion, RecordDepletion
from domain.stages.treatment.recovery import DecidePathway, PathwayDecided
from domain.stages.treatment.redosing import (
    DecideRedosing,
    GiveUpRedosing,
    RedosingDecided,
    RedosingGivenUp,
    ReturnAwaited,
    TreatmentPlanned,
)
from tests.domain.course import LOT, STEPS, start, visit_every_time
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No


def redosing(name: str = "infused") -> Journey:
    return start(name).tell(DecideRedosing("Dr Li"))


def second_thaw(j: Journey) -> None:
    j.tell(DecideRedosing("Dr Li")).tell(HoldDose(LOT, "unit-2", j.now + 60 * DAY))
    STEPS["gated"](j)
    j.tell(OmitDepletion("protocol"))
    for step in ("authorised", "checked", "thawed"):
        STEPS[step](j)


REFUSALS = (
    No("infused", DecideRedosing("Dr", "", 0), Reason.INVALID, "at least one infusion"),
    No("infusion", DecideRedosing("Dr"), Reason.NOT_NOW, "a treatment is planned already"),
    No(
        "infused", DecideRedosing("Dr"), Reason.NOT_NOW, "a treatment is planned", lambda j: j.tell(DecideRedosing("A"))
    ),
    No(
        "infused",
        DecideRedosing("Dr"),
        Reason.NOT_NOW,
        "the journey was left; reopen it first",
        lambda j: j.tell(LeaveJourney("declined")),
    ),
    No("infused", GiveUpRedosing("Dr", "x"), Reason.NOT_NOW, "no re-dosing is under way"),
    No("infusion", GiveUpRedosing("Dr", "x"), Reason.NOT_NOW, "no re-dosing is under way"),
    No("infused", GiveUpRedosing("Dr", "x"), Reason.NOT_NOW, "a unit is thawing", second_thaw),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_no_new_treatment_while_a_unit_of_a_planned_series_is_thawing() -> None:
    j = start("infusion")
    j.tell(PlanInfusions(2))
    for step in ("authorised", "checked", "thawed", "infused", "dose_held", "authorised", "checked", "thawed"):
        STEPS[step](j)
    when(j, DecideRedosing("Dr")).then_refused(Reason.NOT_NOW, "a unit is thawing")


def test_the_pathway_leads_to_redosing_and_the_hospital_owes_the_decision() -> None:
    when(start("infused"), DecidePathway("redose", "Dr Li")).then_told(
        PathwayDecided("redose", "Dr Li", ""), StageEntered(Stage.REDOSING, Stage.INFUSION)
    ).then_opens("redosing_decision")


def test_the_decision_plans_a_second_treatment_and_asks_for_its_dose() -> None:
    when(start("infused"), DecideRedosing("Dr Li", "partial response", 2)).then_told(
        RedosingDecided("Dr Li", "partial response"),
        TreatmentPlanned(2, 2),
        StageEntered(Stage.REDOSING, Stage.INFUSION),
    ).then_asks("reserve_dose")


def test_the_second_gate_is_a_gate_of_its_own() -> None:
    j = redosing()
    when(j, HoldDose(LOT, "unit-2", j.now + 60 * DAY))
    assert StageEntered(Stage.LYMPHODEPLETION, Stage.REDOSING) in j.last
    when(j, RecordDepletion("Flu")).then_refused(Reason.MISSING, "the lymphodepletion gate is not signed")
    for step in ("gated", "depleting", "infusion", "authorised", "checked", "thawed", "infused"):
        STEPS[step](j)
    assert [(t.number, len(t.infusions)) for t in j.case.treatments] == [(1, 1), (2, 1)]
    assert j.owed("response_check").about == "2"


def test_the_second_treatment_cannot_be_given_under_the_first_gate() -> None:
    """On hold the case stands at infusion although a second treatment is planned."""
    j = start("infused").tell(HoldCase("waiting")).tell(DecideRedosing("Dr Li"))
    j.tell(HoldDose(LOT, "unit-2", j.now + 60 * DAY))
    assert j.case.stage == Stage.INFUSION
    when(j, AuthoriseInfusion("Dr")).then_refused(Reason.NEVER_WAIVED, "the lymphodepletion gate is not signed")


def test_given_up_it_leads_to_follow_up_and_the_dose_goes_back() -> None:
    j = redosing()
    j.tell(HoldDose(LOT, "unit-2", j.now + 60 * DAY))
    when(j, GiveUpRedosing("Dr Li", "infection")).then_told(
        RedosingGivenUp(2, "Dr Li", "infection"), StageEntered(Stage.FOLLOW_UP, Stage.LYMPHODEPLETION)
    )
    assert [e.kind for e in j.agenda.effects if e.kind == "release_dose"] == ["release_dose"]
    when(j, PlanInfusions(2)).then_refused(Reason.NOT_NOW)


def test_after_giving_up_another_treatment_gets_a_number_of_its_own() -> None:
    j = redosing()
    j.tell(GiveUpRedosing("Dr Li", "infection"))
    when(j, DecideRedosing("Dr Li"))
    assert TreatmentPlanned(3, 1) in j.last
    assert StageEntered(Stage.REDOSING, Stage.FOLLOW_UP) in j.last


def test_another_pathway_before_any_decision_leads_on() -> None:
    j = start("infused").tell(DecidePathway("redose", "Dr Li"))
    when(j, DecidePathway("palliative", "Dr Li")).then_told(
        PathwayDecided("palliative", "Dr Li", ""), StageEntered(Stage.FOLLOW_UP, Stage.REDOSING)
    )


def test_a_stay_that_is_over_keeps_the_second_treatment_waiting() -> None:
    j = redosing()
    j.away(130 * DAY)
    j.source(LOT, state="released", expires=j.now + 300 * DAY)
    when(j, HoldDose(LOT, "unit-2", j.now + 60 * DAY))
    assert j.case.stage == Stage.REDOSING


def test_after_going_home_the_whole_way_is_made_again() -> None:
    j = start("handed_over")
    when(j, DecideRedosing("Dr Li", "relapse")).then_told(
        RedosingDecided("Dr Li", "relapse"), TreatmentPlanned(2, 1), StageEntered(Stage.REDOSING, Stage.FOLLOW_UP)
    ).then_opens("reconfirm_decision", "bed_answer", "invitation_letter", "stay_plan").then_asks(
        "reserve_dose", "hold_bed", "request_invitation_letter"
    )
    j.deliver()
    assert j.owed("reconfirm_decision").state == "open"
    for step in ("dose_held", "invited", "planned", "filed", "granted", "fit"):
        STEPS[step](j)
    j.tell(HoldBed("B-2", j.now + 60 * DAY))
    j.tell(AcceptPatient(next(iter(j.case.submissions)), "Dr Li", j.now + 60 * DAY))
    for step in ("booking", "admission"):
        STEPS[step](j)
    assert j.owed("arrival").about.startswith("arrival/")
    j.away(7 * DAY)
    when(j, RecordArrival(j.now))
    assert StageEntered(Stage.LYMPHODEPLETION, Stage.REDOSING) in j.last
    assert j.case.home is None
    assert not j.case.returning
    when(j, AdmitPatient("E-2")).then_told(PatientAdmitted("E-2"))


def test_follow_up_counts_from_the_last_infusion() -> None:
    j = redosing()
    j.tell(HoldDose(LOT, "unit-2", j.now + 60 * DAY))
    for step in ("gated", "depleting", "infusion", "authorised", "checked", "thawed", "infused"):
        STEPS[step](j)
    second = j.case.infusions[-1].occurred.earliest
    for step in ("discharged", "assessed", "follow_up", "home", "handed_over"):
        STEPS[step](j)
    visit = j.owed("visit")
    assert visit.about == "M2/2"
    assert second
    assert visit.due == second + 61 * DAY
    visit_every_time(j, j.now + 300 * DAY)
    assert {name.split("/")[1] for name in j.case.visits} == {"2"}


def test_who_goes_home_before_it_comes_again_and_somebody_owes_the_way() -> None:
    j = redosing()
    when(j, ReturnHome()).then_told(ReturnedHome(), ReturnAwaited(2))
    assert j.case.returning
    assert j.case.entered is None
    assert {"stay_plan", "invitation_letter"} <= {o.kind for o in j.agenda.obligations}

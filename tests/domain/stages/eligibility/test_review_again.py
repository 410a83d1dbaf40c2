"""On the way to the cells: a progression is reviewed again, and a trial on hold gives no cells to anybody."""

import pytest

from domain.case.stage import Stage
from domain.core.errors import Reason
from domain.core.fact import Command
from domain.stages.anytime.moving import StageEntered
from domain.stages.eligibility.eligibility import AcceptPatient, DeclinePatient
from domain.stages.travel.travel import BookTravel, DoorClosed, DoorReopened
from domain.stages.treatment.admission import ConfirmScreening
from domain.stages.treatment.bed import HoldBed
from domain.stages.treatment.bedside.authorising import AuthoriseInfusion, InfusionAuthorised
from domain.stages.treatment.infusion import (
    StartThaw,
)
from domain.stages.treatment.lymphodepletion import GateSigned, SignGate
from domain.stages.treatment.observations import (
    ProgressionReported,
    ReportProgression,
    ReportTrialHold,
    ReportTrialResumed,
    TrialHoldReported,
    TrialResumed,
)
from domain.stages.treatment.recovery import DecidePathway
from domain.stages.treatment.redosing import DecideRedosing
from tests.domain.course import STEPS, UNIT, start, submission
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No

PROGRESSED = "the patient's condition changed and the centre has not reviewed the case again"
ON_HOLD = "the trial is on hold"
GATE = SignGate("Dr Li", no_active_infection=True, organ_function_fine=True)


def progressed(j: Journey) -> Journey:
    return j.tell(ReportProgression("bone"))


def held(j: Journey) -> Journey:
    return j.tell(ReportTrialHold("FDA"))


REFUSALS = (
    No("fit", lambda j: BookTravel(j.now + 6 * DAY), Reason.LAPSED, PROGRESSED, progressed),
    No("lymphodepletion", GATE, Reason.LAPSED, PROGRESSED, progressed),
    No("fit", lambda j: BookTravel(j.now + 6 * DAY), Reason.LAPSED, ON_HOLD, held),
    No("lymphodepletion", GATE, Reason.LAPSED, ON_HOLD, held),
    No("infusion", AuthoriseInfusion("Dr Li"), Reason.LAPSED, ON_HOLD, held),
    No("checked", StartThaw(UNIT), Reason.LAPSED, ON_HOLD, held),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_progression_is_told_to_the_centre_which_decides_anew() -> None:
    j = start("invited")
    when(j, ReportProgression("bone")).then_told(ProgressionReported("bone")).then_opens("review_again").then_asks(
        "tell_centre_of_progression"
    )
    j.tell(AcceptPatient(submission(j), "Dr Li", j.now + 60 * DAY))
    assert not j.all_owed("review_again")
    for step in ("planned", "filed", "granted", "fit", "booking"):
        STEPS[step](j)


def test_every_centre_that_has_the_dossier_hears_of_it() -> None:
    j = progressed(start("submitted"))
    assert [o.about.split("/")[0] for o in j.all_owed("review_again")] == [submission(j)]
    when(j, DeclinePatient(submission(j), "Dr Li", "progression", "hospice")).then_opens("next_centre")
    assert not j.all_owed("review_again")
    assert not progressed(start("records")).all_owed("review_again"), "nobody has the dossier yet"


def test_an_acceptance_older_than_the_progression_does_not_lead_to_the_visa() -> None:
    j = progressed(start("dose_held"))
    j.tell(HoldBed("B-1", j.now + 9 * DAY))
    assert j.case.stage == Stage.ELIGIBILITY
    when(j, AcceptPatient(submission(j), "Dr Li"))
    assert StageEntered(Stage.VISA, Stage.ELIGIBILITY) in j.last


def test_a_door_closes_after_the_tickets_were_bought() -> None:
    j = start("admission")
    when(j, ReportProgression("bone")).then_told(ProgressionReported("bone"), DoorClosed((PROGRESSED,)))
    assert j.owed("closed_door").state == "open"
    when(j, ReportTrialHold("FDA")).then_told(TrialHoldReported("FDA", ""), DoorClosed((PROGRESSED, ON_HOLD)))
    j.tell(AcceptPatient(submission(j), "Dr Li", j.now + 60 * DAY))
    when(j, ReportTrialResumed("FDA")).then_told(TrialResumed("FDA", ""), DoorReopened())


def test_the_screening_on_site_is_a_review() -> None:
    j = progressed(start("admitted"))
    j.tell(ConfirmScreening("Dr Li"))
    when(j, GATE).then_told(GateSigned(1, "Dr Li", ""))


@pytest.mark.parametrize("decision", [DecidePathway("palliative", "Dr Li"), DecideRedosing("Dr Li")])
def test_after_the_cells_the_treating_centre_decides_how_to_go_on(decision: Command) -> None:
    j = start("infused")
    when(j, ReportProgression("bone")).then_told(ProgressionReported("bone")).then_opens("review_again").then_asks()
    review = j.owed("review_again")
    j.tell(decision)
    assert j.case.obligations[review.id].state == "met"


def test_a_hold_of_the_trial_is_looked_into_and_lifted() -> None:
    j = start("infusion")
    when(j, ReportTrialHold("FDA")).then_told(TrialHoldReported("FDA", "")).then_opens("trial_hold_review")
    review = j.owed("trial_hold_review")
    when(j, ReportTrialResumed("FDA")).then_told(TrialResumed("FDA", ""))
    assert j.case.obligations[review.id].state == "met"
    when(j, AuthoriseInfusion("Dr Li")).then_told(InfusionAuthorised(1, "Dr Li"))


def test_a_hold_takes_back_what_the_hospital_was_asked_to_begin() -> None:
    for name, kind in (("gated", "confirm_depletion_start"), ("checked", "confirm_thaw")):
        j = start(name)
        asked = j.asked(kind)
        held(j)
        assert not [e for e in j.agenda.effects if e.kind == kind]
        again = j.tell(ReportTrialResumed("FDA")).asked(kind)
        assert len(again) == len(asked) == 1


def test_a_hold_changes_nothing_for_who_has_all_the_cells() -> None:
    when(start("infused"), ReportTrialHold("FDA")).then(TrialHoldReported("FDA", ""))
    when(start("home"), ReportTrialHold("FDA")).then(TrialHoldReported("FDA", ""))

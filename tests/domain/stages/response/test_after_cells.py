"""Cells that are lost, and harm that lasts after discharge: what they rest on, what is then owed, what ends it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.case.phases.redosing import LateWatch
from domain.core.errors import Reason
from domain.core.personal import ERASED
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.follow_up.follow_up import EndFollowUp
from domain.stages.response.cell_loss import CellsLost, ReportCellLoss, below_limit
from domain.stages.response.late_toxicity import CloseLateToxicity, LateToxicityClosed, LateToxicityWatched
from domain.stages.treatment.adverse_events import ReportToxicity, ResolveToxicity
from domain.stages.treatment.grading import GradeGVHD
from domain.stages.treatment.observations import ReportDeath
from domain.stages.treatment.recovery import DecidePathway, DeclareFitHome, DischargePatient
from domain.stages.treatment.redosing import DecideRedosing
from tests.domain.course import start
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No
from tests.domain.stages.response.assessed import FOUR, LOST, close, lasting


def closed(j: Journey) -> None:
    lasting(j)
    close(j)


REFUSALS = (
    No("infused", replace(LOST, loss="gone"), Reason.INVALID, "is one of these: persistence, rejection"),
    No("infused", replace(LOST, quantification_limit=""), Reason.MISSING, "say the assay's limit of quantification"),
    No("infused", replace(LOST, quantification_limit="0"), Reason.INVALID, "a limit is more than nothing"),
    No("infused", replace(LOST, measured="few"), Reason.INVALID, "is a number from 0"),
    No("infused", replace(LOST, assay_unit=""), Reason.MISSING, "say in which unit the assay counts"),
    No("thawed", LOST, Reason.MISSING, "no cells were infused that could be lost"),
    No("infused", CloseLateToxicity("nothing", "x"), Reason.NOT_FOUND, "nothing of that name is looked at after disch"),
    No(
        "infused",
        lambda j: CloseLateToxicity(next(iter(j.case.late_watches)), "again"),
        Reason.ALREADY,
        "that is closed; a higher grade opens it again",
        closed,
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


@pytest.mark.parametrize("decided", [DecidePathway("other_therapy", "Dr Li"), DecideRedosing("Dr Li", "lost")])
def test_after_a_loss_a_clinician_owes_how_it_goes_on(decided: DecidePathway | DecideRedosing) -> None:
    j = start("infused").away(60 * DAY)
    when(j, LOST).then_told(CellsLost("persistence", "qpcr", "30", "50", "copies/ug", ""))
    assert j.owed("after_loss").due == j.now + 14 * DAY
    [loss] = j.case.cell_losses.values()
    assert below_limit(loss) is True
    j.tell(decided)
    assert j.all_owed("after_loss") == []
    assert j.case.loss_open == ""
    j.tell(ReportCellLoss("rejection", "antibodies"))
    assert j.owed("after_loss").about == j.newest(CellsLost)


@pytest.mark.parametrize(
    ("measured", "limit", "below"), [("30", "50", True), ("50", "50", False), ("", "50", True), ("30", "", None)]
)
def test_what_was_measured_is_compared_with_the_limit(measured: str, limit: str, *, below: bool | None) -> None:
    j = start("infused").tell(replace(LOST, loss="rejection", measured=measured, quantification_limit=limit))
    [loss] = j.case.cell_losses.values()
    assert below_limit(loss) is below


def test_a_loss_told_wrongly_is_told_again_in_its_place() -> None:
    j = start("infused").tell(LOST)
    wrong = j.newest(CellsLost)
    j.tell(CorrectFact(wrong, replace(LOST, measured="10"), "another patient's tube"))
    assert {fact: one.measured for fact, one in j.case.cell_losses.items()} == {wrong: "10"}
    assert j.case.loss_open == wrong


def test_a_loss_whose_key_is_gone_still_asks() -> None:
    j = start("infused").record(CellsLost(ERASED, ERASED, ERASED, ERASED, ERASED, ERASED)).look()
    assert j.owed("after_loss").about == j.newest(CellsLost)
    assert below_limit(next(iter(j.case.cell_losses.values()))) is None


def test_nobody_decides_for_the_dead() -> None:
    j = start("infused").tell(LOST).tell(ReportDeath())
    assert j.all_owed("after_loss") == []


def watched(j: Journey) -> str:
    [(episode, watch)] = j.case.late_watches.items()
    assert watch.open
    return episode


def test_what_is_there_at_discharge_is_owed_until_a_person_closes_it() -> None:
    j = start("infused").away(10 * DAY).tell(ReportToxicity("neutropenia", 3))
    assert j.case.late_watches == {}
    j.tell(DischargePatient("Dr Li"))
    episode = watched(j)
    assert LateToxicityWatched(episode, 3) in j.last
    j.away(DAY).tell(ResolveToxicity("neutropenia"))
    assert j.owed("late_toxicity").about == episode
    when(j, CloseLateToxicity(episode, "recovered")).then_told(LateToxicityClosed(episode, "recovered"))
    assert j.all_owed("late_toxicity") == []


def test_what_comes_after_discharge_is_watched_and_a_higher_grade_opens_it_again() -> None:
    j = start("infused").away(10 * DAY).tell(DischargePatient("Dr Li"))
    assert j.case.late_watches == {}
    j.away(40 * DAY).tell(GradeGVHD(skin_percent="30"))
    episode = watched(j)
    j.tell(CloseLateToxicity(episode, "seen at home")).tell(GradeGVHD(skin_percent="30"))
    assert j.case.late_watches == {episode: LateWatch(open=False, grade=1)}
    j.tell(GradeGVHD(skin_percent="60"))
    assert j.case.late_watches == {episode: LateWatch(open=True, grade=2)}


def test_what_passes_by_itself_is_not_watched() -> None:
    j = start("infused").tell(ReportToxicity("CRS", 3)).away(10 * DAY).tell(DischargePatient("Dr Li"))
    assert j.case.late_watches == {}


def test_whoever_is_followed_no_longer_is_asked_about_no_longer() -> None:
    asked = {"late_toxicity", "response_recheck", "transplant_referral", "donor_search"}
    j = start("infused")
    lasting(j)
    j.away(10 * DAY).tell(FOUR).tell(DecidePathway("transplant", "Dr Li")).tell(DeclareFitHome("Dr Li"))
    owed = [o for o in j.all_owed() if o.kind in asked]
    assert {o.kind for o in owed} == asked
    j.tell(EndFollowUp("withdrawn"))
    assert {j.case.obligations[o.id].state for o in owed} == {"withdrawn"}
    assert [o.kind for o in j.all_owed()] == ["stay_end"]  # the patient has not gone home yet

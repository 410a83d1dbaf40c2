"""A grade calls those who must know, stands beside the clinician's, is reported in time [safety.thresholds]."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import ANY

import pytest

from domain.case.effect import EffectRequested
from domain.case.obligation import ObligationOpened
from domain.case.phases.treatment import Episode
from domain.core.errors import Reason
from domain.core.personal import ERASED
from domain.core.policy import Party
from domain.engine.evolve import evolve
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.treatment.adverse_events import ReportInfection, ReportToxicity, ResolveToxicity, ToxicityReported
from domain.stages.treatment.grading import (
    CRSGraded,
    CytopeniaGraded,
    GradeCRS,
    GradeCytopenia,
    GradeGVHD,
    GradeICANS,
    GVHDGraded,
    ICANSGraded,
)
from domain.stages.treatment.observations import ReportDeath
from domain.stages.treatment.safety import (
    AdverseEventAlerted,
    AnswerAlert,
    RecordSafetyReport,
    ReportMalignancy,
    SafetyReportRecorded,
)
from tests.domain.course import start
from tests.domain.journey import DAY, HOUR, Journey, when
from tests.domain.refusals import No

URGENT = ("urgent_alert", "urgent_answer", "safety_report")


CANCER = ReportMalignancy("T cell")


def alert(j: Journey) -> str:
    return list(j.case.alerts)[-1]


def episode(j: Journey) -> Episode:
    [known] = j.case.episodes.values()
    return known


def high(j: Journey) -> None:
    j.tell(ReportToxicity("CRS", 3))


def reported(j: Journey) -> None:
    high(j)
    j.tell(RecordSafetyReport(alert(j), reported=True, to="sponsor"))


def _report(j: Journey, to: str = "sponsor", reason: str = "", *, done: bool = True) -> RecordSafetyReport:
    return RecordSafetyReport(alert(j), reported=done, to=to, reason=reason)


REFUSALS = (
    No("infused", GradeCRS(hypotension="low"), Reason.INVALID, "is one of none, no_vasopressor"),
    No("infused", GradeCRS(fever=True, grade=6), Reason.INVALID, "grades run from 0 to 5"),
    No("infused", GradeICANS(ice=11), Reason.INVALID, "the ICE score runs from 0 to 10"),
    No("infused", GradeGVHD(skin_percent="101"), Reason.INVALID, "is a number from 0 to 100"),
    No("infused", GradeGVHD(stool_ml="much"), Reason.INVALID, "is a number from 0 to 20000"),
    No("infused", GradeGVHD(bilirubin="3", bilirubin_unit="g"), Reason.INVALID, "bilirubin is given in"),
    No("infused", GradeCytopenia(days_500=32), Reason.INVALID, "is a number of days from 0 to 31"),
    No("infused", GradeCytopenia(days_500=3, days_100=4), Reason.INVALID, "days with at most 100 have at most 500"),
    No("infused", GradeCytopenia(platelet_days_50=32), Reason.INVALID, "is a number of days up to 31"),
    No("infused", GradeCytopenia(platelet_days_20=3), Reason.INVALID, "days under 20 are days under 50 too"),
    No(
        "infused",
        GradeCytopenia(late_platelets="40", platelet_days_50=3),
        Reason.INVALID,
        "days under 50 are counted to day 30; after it the count is told",
    ),
    No("infused", GradeCytopenia(late_platelets="-1"), Reason.INVALID, "platelets are counted from 0"),
    No(
        "infused",
        ReportInfection("lung", treatment_route="rest"),
        Reason.INVALID,
        "an infection is treated in one of these ways: watched, oral",
    ),
    No("infused", GradeCytopenia(late_neutrophils="low"), Reason.INVALID, "must be a number"),
    No("infused", GradeCytopenia(late_neutrophils="-1"), Reason.INVALID, "is a count from 0"),
    No("infused", GradeCytopenia(late_neutrophils="400", neutrophils_unit="g"), Reason.INVALID, "neutrophils is given"),
    No(
        "infused",
        GradeCytopenia(days_500=3, late_neutrophils="0.4"),
        Reason.INVALID,
        "days are counted to day 30; after it the count is told alone",
    ),
    No("infused", RecordSafetyReport("none", reported=True, to="x"), Reason.NOT_FOUND, "no such alert in this case"),
    No("infused", lambda j: _report(j, to=""), Reason.INVALID, "say to whom it was reported", high),
    No("infused", lambda j: _report(j, done=False), Reason.INVALID, "say why it is not to be reported", high),
    No("infused", _report, Reason.ALREADY, "it is said whether it was reported", reported),
    No("infused", _report, Reason.NOT_NOW, "an alert of this kind is not reported", lambda j: j.tell(CANCER)),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_grade_from_which_others_must_know_calls_them_within_hours() -> None:
    j = start("infused")
    told, alerted = ToxicityReported("CRS", 5, None, ""), AdverseEventAlerted("crs", "CRS", 5, j.now + 7 * DAY)
    when(j, ReportToxicity("CRS", 5)).then_told(told, alerted).then_opens(*URGENT).then_asks("tell_centre_of_alert")
    assert {o.debtor for o in j.all_owed() if o.kind in URGENT} == {Party.COORDINATOR, Party.HOSPITAL}
    assert [o.due - j.now for o in j.all_owed("urgent_answer")] == [4 * HOUR]
    assert [o.due - j.now for o in j.all_owed("safety_report")] == [7 * DAY]


@pytest.mark.parametrize(
    ("name", "grade", "calls"),
    [
        ("CRS", 1, False),
        ("Cytokine-Release Syndrome", 2, True),
        ("ICANS", 2, True),
        ("aGvHD", 1, False),
        ("graft-versus-host disease", 4, True),
        ("neutropenia", 3, False),
        ("neutropenia", 4, True),
        ("tumour lysis syndrome", 2, False),
        ("tumour lysis syndrome", 3, True),
        ("CRS", None, False),
    ],
)
def test_which_grade_calls(name: str, grade: int | None, calls: bool) -> None:
    j = start("infused").tell(ReportToxicity(name, grade))
    assert bool(j.case.alerts) is calls


def test_at_least_so_much_calls_as_so_much_does() -> None:
    assert start("infused").tell(ReportToxicity("GVHD", None, 3)).case.alerts


def test_before_treatment_begins_nothing_calls() -> None:
    assert not start("admission").tell(ReportToxicity("hepatitis", 4)).case.alerts


def test_an_infection_calls_from_grade_3_and_each_is_its_own() -> None:
    j = start("infused").tell(ReportInfection("lung", "Aspergillus", 3)).tell(ReportInfection("lung", "Aspergillus", 3))
    j.tell(ReportInfection("blood", "CMV", 3)).tell(ReportInfection("skin", "", 2))
    assert len(j.case.alerts) == 2
    assert len(j.case.episodes) == 3


def test_an_episode_calls_again_only_for_a_higher_grade_or_after_its_end() -> None:
    j = start("infused")
    for grade, alerts in ((2, 1), (2, 1), (1, 1), (3, 2), (2, 2)):
        assert len(j.tell(ReportToxicity("CRS", grade)).case.alerts) == alerts
    assert (episode(j).grade, episode(j).highest) == (2, 3)
    j.tell(ResolveToxicity("CRS"))
    assert episode(j).over
    assert len(j.tell(ReportToxicity("CRS", 2)).case.alerts) == 3
    assert episode(j).highest == 2


def test_the_computed_grade_stands_beside_the_clinicians_which_counts() -> None:
    j = start("infused")
    seen: dict[str, Any] = {"fever": True, "hypotension": "one_vasopressor", "oxygen": "low_flow"}
    when(j, GradeCRS(**seen, grade=2)).then_told(
        CRSGraded(**seen, grade=2, calculated=3), AdverseEventAlerted("crs", "", 2, ANY)
    )
    assert (episode(j).grade, episode(j).calculated) == (2, 3)


def test_without_the_clinicians_the_computed_grade_counts() -> None:
    j = start("infused")
    when(j, GradeICANS(ice=2)).then_told(ICANSGraded(ice=2, calculated=3), AdverseEventAlerted("icans", "", 3, ANY))
    inputs: dict[str, Any] = {"skin_percent": "30", "bilirubin": "70", "bilirubin_unit": "umol/L"}
    when(j, GradeGVHD(**inputs)).then_told(
        GVHDGraded(**inputs, calculated=3), AdverseEventAlerted("acute_gvhd", "", 3, ANY)
    )


def test_fever_taken_away_by_a_drug_counts_in_an_open_episode_only() -> None:
    j = start("infused")
    seen: dict[str, Any] = {"fever_suppressed": True, "oxygen": "high_flow"}
    when(j, GradeCRS(**seen)).then_told(CRSGraded(**seen, calculated=0))
    j.tell(GradeCRS(fever=True))
    when(j, GradeCRS(**seen)).then_told(CRSGraded(**seen, calculated=3), AdverseEventAlerted("crs", "", 3, ANY))


def test_a_grade_corrected_upwards_calls_and_both_tellings_stay() -> None:
    j = start("infused").tell(ReportToxicity("CRS", 1))
    wrong = next(f.id for f in j.facts if f.event.type == "ToxicityReported")
    j.tell(CorrectFact(wrong, ReportToxicity("CRS", 4), "read wrongly"))
    assert len(j.case.alerts) == 1
    assert episode(j).grade == 4
    assert [f.event.grade for f in j.facts if isinstance(f.event, ToxicityReported)] == [1, 4]


def test_reported_or_not_to_be_is_said_in_time() -> None:
    j = start("infused").tell(ReportToxicity("CRS", 3))
    assert [o.due - j.now for o in j.all_owed("safety_report")] == [15 * DAY]
    when(j, RecordSafetyReport(alert(j), reported=False, reason="expected")).then_told(
        SafetyReportRecorded(alert(j), reported=False, to="", reason="expected")
    )
    assert not list(j.all_owed("safety_report"))


def test_a_report_that_does_not_come_is_chased_and_called_in() -> None:
    j = start("infused").tell(ReportToxicity("CRS", 4))
    for party in ("coordinator", "hospital"):
        j.tell(AnswerAlert(alert(j), party))
    owed, before = next(iter(j.all_owed("safety_report"))), len(j.facts)
    j.wait(by=timedelta(days=8))
    asked = [f.event for f in j.facts[before:] if isinstance(f.event, EffectRequested)]
    assert [e.kind for e in asked if e.about.startswith(owed.id)] == ["remind", "remind", "escalate"]
    assert any(isinstance(f.event, ObligationOpened) and "safety_report" in f.event.about for f in j.facts[before:])


def test_a_death_is_still_answered_by_the_coordinator_and_reported() -> None:
    j = start("infused").tell(ReportToxicity("CRS", 5)).tell(ReportDeath("CRS"))
    assert {o.kind for o in j.all_owed()} >= {"urgent_alert", "safety_report"}
    assert not list(j.all_owed("urgent_answer"))


def test_leaving_the_journey_takes_no_alert_away() -> None:
    j = start("infused").tell(ReportToxicity("CRS", 3)).tell(LeaveJourney("withdrawn"))
    assert list(j.all_owed("urgent_alert"))


def test_what_was_erased_leaves_no_episode_and_no_crash() -> None:
    j = start("infused")
    before = j.case
    seen = len(j.facts)
    told = j.tell(ReportToxicity("CRS", 3)).facts[seen : seen + 2]
    assert [f.event.type for f in told] == ["ToxicityReported", "AdverseEventAlerted"]
    case = before
    for fact in told:
        hidden = {name: ERASED for name in ("name", "detail", "kind") if hasattr(fact.event, name)}
        event: Any = fact.event
        case = evolve(case, replace(fact, event=replace(event, **hidden)))
    assert case.episodes == {}
    assert len(case.alerts) == 1


def test_low_neutrophils_are_graded_by_days_and_after_day_30_by_the_count() -> None:
    j = start("infused")
    days: Any = {"days_500": 15, "days_100": 14}
    when(j, GradeCytopenia(**days)).then_told(
        CytopeniaGraded(**days, calculated=4), AdverseEventAlerted("cytopenia", "", 4, ANY)
    )
    late: Any = {"late_neutrophils": "400", "neutrophils_unit": "/uL", "grade": 2}
    when(j, GradeCytopenia(**late)).then_told(CytopeniaGraded(**late, calculated=3))
    known = episode(j)
    assert (known.kind, known.grade, known.highest, known.calculated) == ("cytopenia", 2, 4, 3), (
        "the clinician's counts"
    )


@pytest.mark.parametrize(
    ("told", "computed", "by_platelets"),
    [
        (GradeCytopenia(days_500=3, platelet_days_50=8), 2, 2),
        (GradeCytopenia(days_500=8, platelet_days_50=3), 2, 1),
        (GradeCytopenia(late_neutrophils="0.4", late_platelets="60"), 3, 1),
        (GradeCytopenia(late_platelets="15", platelet_days_20=20), 4, 4),
        (GradeCytopenia(late_platelets="40000", platelets_unit="/uL"), 2, 2),
    ],
)
def test_the_worse_of_neutrophils_and_platelets_is_computed(
    told: GradeCytopenia, computed: int, by_platelets: int
) -> None:
    j = start("infused").tell(told)
    event = next(one for one in j.last if isinstance(one, CytopeniaGraded))
    assert (event.calculated, event.calculated_platelets) == (computed, by_platelets)


@pytest.mark.parametrize(
    ("told", "counts", "alerted"),
    [
        (ReportInfection("blood", "CMV", treatment_route="intravenous"), 3, True),
        (ReportInfection("blood", "CMV", 2, treatment_route="intravenous"), 2, False),
        (ReportInfection("blood", "CMV", treatment_route="oral", life_threatening=True), 4, True),
        (ReportInfection("blood", "CMV", treatment_route="watched"), 1, False),
        (ReportInfection("blood", "CMV"), None, False),
    ],
)
def test_an_infection_is_graded_by_its_treatment_beside_the_clinician(
    told: ReportInfection, counts: int | None, *, alerted: bool
) -> None:
    j = start("infused").tell(told)
    [episode] = j.case.episodes.values()
    assert episode.grade == counts
    assert any(a.kind == "adverse_event" for a in j.case.alerts.values()) is alerted
    [grade] = j.case.grades.values()
    assert grade.exact is (counts is not None)

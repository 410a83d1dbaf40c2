"""What a protocol asks before another dose: met, not met or unknown, and decided over only with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from domain.case.phases.redosing import GradeTold, Overruled, ResponseTold
from domain.case.stage import Stage
from domain.case.state import Case
from domain.core.errors import Reason, Refused
from domain.core.personal import ERASED
from domain.core.when import When
from domain.criteria.redosing import RedosingCriteria, ToxicityLimit, redosing_of, require_askable
from domain.criteria.response import response_code
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.anytime.moving import StageEntered
from domain.stages.eligibility.redosing_criteria import RedosingStanding, redosing_standings
from domain.stages.records.observing import RecordObservation
from domain.stages.response.assessing import AssessResponse, ResponseAssessed
from domain.stages.treatment.adverse_events import InfectionReported, ReportToxicity, ToxicityReported
from domain.stages.treatment.grading import GradeCRS
from domain.stages.treatment.observations import ReportProgression
from domain.stages.treatment.redosing import DecideRedosing, RedosingDecided, TreatmentPlanned
from tests.domain.course import PROTOCOL, start
from tests.domain.journey import DAY, Journey, when

ON = StageEntered(Stage.REDOSING, Stage.INFUSION)
INTERVAL = RedosingCriteria(interval_days=28)
MOST = RedosingCriteria(most_infusions=2)
CRS = RedosingCriteria(toxicity=(ToxicityLimit(kind="crs", highest=2),))
ANTIGEN = RedosingCriteria(antigen="CD19", antigen_days=14)
ANTIBODIES = RedosingCriteria(antibodies_days=30)
RESPONSE = RedosingCriteria(responses=("PR", "SD"))
EVERY = RedosingCriteria(
    interval_days=28, most_infusions=3, toxicity=CRS.toxicity, antigen="CD19", antigen_days=14, antibodies_days=30,
    responses=("SD", "PD"),
)  # fmt: skip


def asked(what: RedosingCriteria | None, days: int = 30) -> Journey:
    """So many days after the first infusion, under a protocol that asks for this before another."""
    j = start("infused")
    j.source(PROTOCOL, redosing=what).look()
    return j.away(days * DAY)


def standing(j: Journey) -> RedosingStanding:
    [one] = redosing_standings(j.case, j.now)
    return one


def seen(analyte: str, value: str, target: str = "", **told: Any) -> Callable[[Journey], Journey]:
    return lambda j: j.tell(RecordObservation(analyte=analyte, value=value, target=target, **told))


def days_ago(j: Journey, days: int) -> When:
    return When.on((j.now - days * DAY).date())


def crs(grade: int | None = None, **told: Any) -> ReportToxicity:
    return ReportToxicity("CRS", grade, **told)


def test_a_protocol_that_says_nothing_asks_nothing() -> None:
    j = asked(None, 1)
    assert not redosing_standings(j.case, j.now)
    when(j, DecideRedosing("Dr Li", "relapse", despite="not needed")).then_told(
        RedosingDecided("Dr Li", "relapse", "", ()), TreatmentPlanned(2, 1), ON
    )
    assert j.case.overruled == ()


def test_before_the_first_cells_nothing_is_asked() -> None:
    j = start("thawed")
    j.source(PROTOCOL, redosing=EVERY).look()
    assert not redosing_standings(j.case, j.now)


@pytest.mark.parametrize(("days", "stands"), [(27, "not_met"), (28, "met"), (40, "met")])
def test_the_interval_counts_from_the_last_infusion(days: int, stands: str) -> None:
    j = asked(INTERVAL, days)
    assert (standing(j).stands, standing(j).found) == (stands, str(days))
    assert standing(j).rests_on == (j.case.infusions[-1].fact,)


def test_an_infusion_without_a_date_leaves_the_interval_unknown() -> None:
    j = asked(INTERVAL, 400)
    [given] = j.case.infusions
    j.case = replace(
        j.case,
        treatments=tuple(replace(t, infusions=(replace(given, occurred=When.unknown()),)) for t in j.case.treatments),
    )
    assert standing(j).stands == "unknown"


def test_infusions_are_counted_with_those_to_be_decided_on() -> None:
    j = asked(MOST)
    assert (standing(j).stands, standing(j).found) == ("met", "1")
    when(j.fork(), DecideRedosing("Dr Li", "relapse", 2)).then_refused(
        Reason.MISSING, "not met or not known: infusions"
    )
    when(j, DecideRedosing("Dr Li", "relapse", 1)).then_told(
        RedosingDecided("Dr Li", "relapse"), TreatmentPlanned(2, 1), ON
    )
    assert standing(j).stands == "met"


def test_an_infusion_more_than_foreseen_is_not_met() -> None:
    j = asked(replace(MOST, most_infusions=1))
    assert standing(j).stands == "not_met"


@pytest.mark.parametrize(
    ("told", "stands", "found"),
    [
        ([], "unknown", ""),
        ([crs(0)], "met", "0"),
        ([crs(2)], "met", "2"),
        ([crs(3), crs(1)], "not_met", "3"),
        ([crs(None)], "unknown", ""),
        ([crs(None, grade_at_least=1)], "unknown", "1"),
        ([crs(None, grade_at_least=3)], "not_met", "3"),
        ([crs(1), crs(None)], "unknown", "1"),
        ([crs(1, occurred=When.unknown())], "unknown", "1"),
        ([crs(4, occurred=When.unknown())], "not_met", "4"),
        ([ReportToxicity("ICANS", 4)], "unknown", ""),
        ([GradeCRS(fever=True, hypotension="one_vasopressor")], "not_met", "3"),
        ([GradeCRS(fever=True, hypotension="one_vasopressor", grade=2)], "met", "2"),
    ],
)
def test_the_worst_grade_since_the_last_infusion_counts(told: list[Any], stands: str, found: str) -> None:
    j = asked(CRS, 3)
    for one in told:
        j.tell(one)
    assert (standing(j).stands, standing(j).found) == (stands, found)
    assert len(standing(j).rests_on) == sum(getattr(one, "name", "CRS") == "CRS" for one in told)


def test_a_grade_of_before_the_last_infusion_counts_for_nothing() -> None:
    j = asked(CRS, 3)
    j.tell(crs(4, occurred=days_ago(j, 20)))
    assert (standing(j).stands, standing(j).found) == ("unknown", "")
    j.tell(crs(1))
    assert (standing(j).stands, standing(j).found) == ("met", "1")


def test_a_corrected_grade_stands_in_the_wrong_ones_place() -> None:
    j = asked(CRS, 3).tell(crs(4))
    assert standing(j).stands == "not_met"
    j.tell(CorrectFact(j.newest(ToxicityReported), crs(1), "read wrongly"))
    assert (standing(j).stands, standing(j).found) == ("met", "1")


def test_a_toxicity_whose_word_is_erased_may_be_any() -> None:
    j = asked(CRS, 3).tell(crs(1))
    j.record(ToxicityReported(ERASED, 3, None, ERASED))
    assert standing(j).stands == "unknown"
    other = asked(CRS, 3).tell(crs(1))
    other.record(InfectionReported(ERASED, ERASED, 4, None, ERASED))
    assert standing(other).stands == "met"


@pytest.mark.parametrize(
    ("value", "target", "days", "stands"),
    [
        ("positive", "CD19", 3, "met"),
        ("negative", "CD19", 3, "not_met"),
        ("indeterminate", "CD19", 3, "not_met"),
        ("positive", "CD22", 3, "unknown"),
        ("positive", "CD19", 15, "unknown"),
        ("positive", "CD19", 31, "unknown"),
    ],
)
def test_the_antigen_is_looked_for_after_the_last_infusion(value: str, target: str, days: int, stands: str) -> None:
    j = asked(ANTIGEN)
    seen("antigen", value, target, occurred=days_ago(j, days))(j)
    assert standing(j).stands == stands


def test_a_fresh_sample_of_before_the_infusion_says_nothing_of_what_it_left() -> None:
    j = asked(ANTIGEN, 2)
    seen("antigen", "positive", "CD19", occurred=days_ago(j, 5))(j)
    assert standing(j).stands == "unknown"


@pytest.mark.parametrize(("days", "stands"), [(30, "met"), (31, "unknown")])
def test_antibodies_are_looked_at_whatever_was_found(days: int, stands: str) -> None:
    j = asked(ANTIBODIES)
    assert standing(j).stands == "unknown"
    seen("donor_specific_antibodies", "positive", occurred=days_ago(j, days))(j)
    assert standing(j).stands == stands


@pytest.mark.parametrize(
    ("told", "stands"),
    [
        ([], "unknown"),
        ([AssessResponse("PR")], "met"),
        ([AssessResponse("stable disease")], "met"),
        ([AssessResponse("MRD-negative CR")], "not_met"),
        ([AssessResponse("as expected")], "unknown"),
        ([AssessResponse("PR", occurred=When.unknown())], "unknown"),
        ([AssessResponse("PR"), AssessResponse("CR", occurred=When.unknown())], "unknown"),
        ([AssessResponse("PR"), ReportProgression()], "unknown"),
    ],
)
def test_the_newest_response_since_the_last_infusion_counts(told: list[Any], stands: str) -> None:
    j = asked(RESPONSE)
    for one in told:
        j.tell(one)
    assert standing(j).stands == stands


def test_of_two_days_the_later_counts_and_a_progression_is_a_response_too() -> None:
    j = asked(RESPONSE).tell(AssessResponse("PR")).away(DAY).tell(ReportProgression())
    assert (standing(j).stands, standing(j).found) == ("not_met", "PD")
    j.away(DAY).tell(AssessResponse("SD"))
    assert (standing(j).stands, standing(j).rests_on) == ("met", (j.newest(ResponseAssessed),))
    j.record(ResponseAssessed(ERASED, ERASED))
    assert standing(j).stands == "unknown"


def filled(days: int = 30) -> Journey:
    """Everything that EVERY asks for was told and is met."""
    j = asked(EVERY, days).tell(crs(1)).tell(AssessResponse("SD"))
    seen("antigen", "positive", "CD19", occurred=When.at(j.now))(j)
    seen("donor_specific_antibodies", "negative", occurred=When.at(j.now))(j)
    return j


def test_all_met_needs_no_reason() -> None:
    j = filled()
    assert {one.stands for one in redosing_standings(j.case, j.now)} == {"met"}
    when(j, DecideRedosing("Dr Li", "relapse")).then_told(
        RedosingDecided("Dr Li", "relapse", "", ()), TreatmentPlanned(2, 1), ON
    )


@pytest.mark.parametrize("despite", ["", ERASED])
def test_over_what_is_unmet_or_unknown_the_clinician_gives_a_reason(despite: Any) -> None:
    j = asked(EVERY, 20)
    words = "not met or not known: interval, toxicity, antigen, antibodies, response"
    when(j, DecideRedosing("Dr Li", "relapse", despite=despite)).then_refused(Reason.MISSING, words)


def test_the_reason_is_kept_with_what_it_was_decided_over() -> None:
    j = filled(20)
    when(j, DecideRedosing("Dr Li", "relapse", despite="the disease doubles in days")).then_told(
        RedosingDecided("Dr Li", "relapse", "the disease doubles in days", ("interval",)), TreatmentPlanned(2, 1), ON
    )
    assert j.case.overruled == (Overruled(2, ("interval",), "the disease doubles in days"),)
    assert j.refold().overruled == j.case.overruled
    j.record(RedosingDecided(ERASED, ERASED, ERASED, ("toxicity",)))
    assert j.case.overruled[-1] == Overruled(3, ("toxicity",), "")


WORDS = ("SD", "PD", "CR", "as expected", "")


@st.composite
def cases(draw: st.DrawFn) -> tuple[Case, Any]:
    """A case with whatever was told since its infusion, or before it, or nobody knows when."""
    j = asked(EVERY, draw(st.integers(0, 60)))
    dates = st.one_of(
        st.just(When.unknown()), st.integers(0, 70).map(lambda days: When.on((j.now - timedelta(days=days)).date()))
    )
    grades = st.builds(
        GradeTold, st.sampled_from(("crs", "icans", "")), st.none() | st.integers(0, 5), st.booleans(), dates
    )
    told = st.builds(ResponseTold, st.sampled_from(WORDS), dates)
    named: dict[str, st.SearchStrategy[Any]] = {
        "grades": st.lists(grades, max_size=3),
        "responses": st.lists(told, max_size=3),
    }
    found: dict[str, Any] = {
        field: {f"{field}-{n}": one for n, one in enumerate(draw(many))} for field, many in named.items()
    }
    for one in ("antigen", "donor_specific_antibodies"):
        for value in draw(st.lists(st.sampled_from(("positive", "negative")), max_size=2)):
            seen(one, value, "CD19" if one == "antigen" else "", occurred=draw(dates))(j)
    return replace(j.case, **found), j.now


FIELD = {"toxicity": "grades", "response": "responses", "antigen": "samples", "antibodies": "samples"}
UNDATED, UNREAD = {"occurred": When.unknown()}, {"grades": {"kind": ""}, "responses": {"result": ""}}


def stand(case: Case, now: Any) -> dict[str, RedosingStanding]:
    return {one.question: one for one in redosing_standings(case, now)}


@drawn(cases())
def test_without_the_facts_it_rests_on_nothing_is_met(drawn: tuple[Case, Any]) -> None:
    case, now = drawn
    for question, one in stand(case, now).items():
        assert one.stands == "unknown" or one.rests_on, one
        if question in FIELD:
            emptied: dict[str, Any] = {FIELD[question]: {}}
            assert stand(replace(case, **emptied), now)[question].stands == "unknown"


@drawn(cases())
def test_a_date_or_a_word_that_is_lost_never_makes_anything_met(drawn: tuple[Case, Any]) -> None:
    case, now = drawn
    before = stand(case, now)
    for field in ("grades", "responses"):
        known = getattr(case, field)
        for fact, change in [(fact, change) for fact in known for change in (UNDATED, UNREAD[field])]:
            lost: dict[str, Any] = {field: {**known, fact: replace(known[fact], **change)}}
            after = stand(replace(case, **lost), now)
            assert all(before[q].stands == "met" for q, one in after.items() if one.stands == "met"), (fact, change)


@drawn(cases(), st.integers(0, 5))
def test_another_grade_never_makes_a_toxicity_met_that_was_not(drawn: tuple[Case, Any], grade: int) -> None:
    case, now = drawn
    more = {**case.grades, "more": GradeTold("crs", grade, True, When.at(now))}
    met = stand(replace(case, grades=more), now)["toxicity"].stands == "met"
    assert not met or stand(case, now)["toxicity"].stands != "not_met"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (RedosingCriteria(), "asks for nothing"),
        (RedosingCriteria(interval_days=-1), "interval_days"),
        (RedosingCriteria(interval_days=4000), "interval_days"),
        (RedosingCriteria(most_infusions=1), "most_infusions"),
        (RedosingCriteria(most_infusions=-1), "most_infusions"),
        (RedosingCriteria(toxicity=(ToxicityLimit(kind="crs", highest=5),)), "grades from 0 to 4"),
        (RedosingCriteria(toxicity=(*CRS.toxicity, *CRS.toxicity)), "each kind once"),
        (RedosingCriteria(antigen="CD19"), "antigen_days"),
        (RedosingCriteria(antigen_days=3), "antigen_days"),
        (RedosingCriteria(antigen="CD7", antigen_days=3), "one of the targets: CD19"),
        (RedosingCriteria(antibodies_days=9999), "antibodies_days"),
        (RedosingCriteria(responses=("PR", "PR")), "each once"),
    ],
)
def test_what_no_case_could_meet_or_miss_is_refused(wrong: RedosingCriteria, words: str) -> None:
    require_askable(EVERY, ("CD19",), 2)
    require_askable(None, ("CD19",), 2)
    with pytest.raises(Refused, match=words) as no:
        require_askable(wrong, ("CD19",), 2)
    assert no.value.field == "redosing"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("PR", "PR"),
        ("CRi", "CR"),
        ("mrd-negative  CR", "CR"),
        ("VGPR", "PR"),
        ("疾病进展", "PD"),
        ("fine", None),
        ("", None),
    ],
)
def test_a_response_counts_by_its_word(written: str, code: str | None) -> None:
    assert response_code(written) == code


def test_they_come_back_from_the_json_of_a_read_model() -> None:
    row = {
        "interval_days": 28, "most_infusions": 3, "toxicity": [{"kind": "crs", "highest": 2}], "antigen": "CD19",
        "antigen_days": 14, "antibodies_days": 30, "responses": ["SD", "PD"],
    }  # fmt: skip
    assert redosing_of(row) == EVERY

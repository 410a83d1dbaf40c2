"""Criteria that are read [eligibility.despite]: what people and the computation find stands against an acceptance."""

from datetime import datetime

import pytest

from domain.case.phases.submissions import CriterionResult
from domain.core.errors import Reason
from domain.core.personal import ERASED
from domain.core.when import When
from domain.criteria.criterion import Comparison, Criterion
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.anytime.reconsidering import DecisionReopened
from domain.stages.eligibility.criteria import asked_under, noted_criteria, standings
from domain.stages.eligibility.eligibility import AcceptPatient, CriterionRecorded, PatientAccepted, RecordCriterion
from domain.stages.eligibility.submissions import ChooseCentre, SubmitDossier
from domain.stages.records.observing import ObservationRecorded, RecordObservation
from tests.domain.course import PROTOCOL, start, submission
from tests.domain.journey import DAY, Journey, when


def read_as(*results: CriterionResult) -> Journey:
    """The centre has the dossier, and these are the readings of one criterion, the oldest first."""
    j = start("submitted")
    for result in results:
        j.away(DAY).tell(RecordCriterion(submission(j), "ecog", result))
    return j


def test_a_criterion_that_is_not_met_asks_the_clinician_for_the_reason() -> None:
    j = read_as("met", "not_met")
    for silent in ("", ERASED):
        when(j, AcceptPatient(submission(j), "Dr Li", despite=silent)).then_refused(Reason.MISSING, "not met: ecog;")
        assert j.refused
        assert j.refused.field == "despite"
        assert "record the criterion anew" in j.refused.detail
    until = j.now + j.policy.decision_valid
    when(j, AcceptPatient(submission(j), "Dr Li", despite="ECOG 3 from a fracture")).then_told(
        PatientAccepted(submission(j), "Dr Li", until, "ECOG 3 from a fracture")
    )


@pytest.mark.parametrize("newest", ["met", "unknown", "needs_review"])
def test_only_the_newest_reading_of_a_criterion_stands(newest: CriterionResult) -> None:
    j = read_as("not_met", newest)
    when(j, AcceptPatient(submission(j), "Dr Li")).then_asks("request_quote")


def test_a_criterion_corrected_to_met_no_longer_stands_against_it() -> None:
    j = read_as("not_met")
    j.tell(CorrectFact(j.newest(CriterionRecorded), RecordCriterion(submission(j), "ecog", "met"), "another patient's"))
    when(j, AcceptPatient(submission(j), "Dr Li")).then_asks("request_quote")


def test_what_is_not_met_for_one_centre_does_not_stand_against_another() -> None:
    j = read_as("not_met")
    j.tell(ChooseCentre("centre-b", "protocol-b"))
    second = submission(j)
    j.tell(SubmitDossier(second))
    when(j, AcceptPatient(second, "Dr B")).then_opens("reconfirm_decision", "acceptance_choice")


def test_to_confirm_an_acceptance_over_a_criterion_not_met_takes_the_reason_again() -> None:
    j = read_as("not_met").tell(AcceptPatient(submission(read_as()), "Dr Li", despite="a fracture"))
    when(j, AcceptPatient(submission(j), "Dr Li")).then_refused(Reason.MISSING, "not met: ecog;")


LIVER = Criterion(
    id="bilirubin",
    kind="inclusion",
    words="total bilirubin <=2 x ULN",
    ways=((Comparison(analyte="bilirubin", op="<=", value="2", unit="{ULN}"),),),
)


def observed(bilirubin: str, limit: str = "20") -> Journey:
    """The protocol asks for bilirubin, and a value was recorded."""
    j = start("submitted").source(PROTOCOL, criteria=(LIVER,))
    day = When.on(j.now.date() - DAY)
    return j.tell(RecordObservation(analyte="bilirubin", value=bilirubin, unit="umol/L", limit=limit, occurred=day))


def test_a_criterion_computed_as_not_met_asks_for_the_reason_too() -> None:
    j = observed("41")
    when(j, AcceptPatient(submission(j), "Dr Li")).then_refused(Reason.MISSING, "not met: bilirubin;")
    when(j, AcceptPatient(submission(j), "Dr Li", despite="haemolysis")).then_asks("request_quote")


@pytest.mark.parametrize(("value", "limit"), [("40", "20"), ("41", "")])
def test_what_is_met_or_not_known_does_not_stand_against_an_acceptance(value: str, limit: str) -> None:
    """Control; an unknown is shown, and does not bar."""
    j = observed(value, limit)
    when(j, AcceptPatient(submission(j), "Dr Li")).then_asks("request_quote")


def test_what_a_person_read_counts_before_what_was_computed_and_both_are_shown() -> None:
    j = observed("41").tell(RecordCriterion(submission(observed("41")), "bilirubin", "met", "haemolysis"))
    [both] = standings(j.case, noted_criteria(j.case, PROTOCOL), asked_under(j.case, PROTOCOL), j.now)
    assert (both.finding.result, both.read, both.not_met) == ("not_met", "met", False)
    when(j, AcceptPatient(submission(j), "Dr Li")).then_asks("request_quote")


def test_a_protocol_that_was_amended_is_held_against_as_it_reads_now() -> None:
    j = observed("41").source(PROTOCOL, criteria=()).look()
    when(j, AcceptPatient(submission(j), "Dr Li")).then_asks("request_quote")


def test_a_corrected_observation_reopens_the_acceptance_that_rested_on_it() -> None:
    j = observed("39").tell(AcceptPatient(submission(observed("39")), "Dr Li", j_until(observed("39"))))
    told, accepted = j.newest(ObservationRecorded), j.newest(PatientAccepted)
    day = When.on(j.now.date() - DAY)
    right = RecordObservation(analyte="bilirubin", value="69", unit="umol/L", limit="20", occurred=day)
    j.tell(CorrectFact(told, right, "mistyped"))
    assert [(e.kind, e.decision, e.fact) for e in j.last if isinstance(e, DecisionReopened)] == [
        ("PatientAccepted", accepted, told)
    ]


def j_until(j: Journey) -> datetime:
    return j.now + 60 * DAY

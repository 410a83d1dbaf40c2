"""Every decision that rested on a corrected fact is found, named, and open until somebody has looked again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from domain.core.errors import Reason
from domain.core.when import When
from domain.engine.evolve import CORRECTABLE, EVENTS, fold
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.anytime.reconsidering import RESTS, STANDS, DecisionReopened, DecisionReviewed, ReviewDecision
from domain.stages.eligibility.eligibility import AcceptPatient, CriterionRecorded, PatientAccepted, RecordCriterion
from domain.stages.eligibility.quote import GiveQuote, QuoteGiven
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.intake.inquiry import DiagnosisStated, StateDiagnosis
from domain.stages.intake.people import AddPerson, ConsentGiven, PersonAdded
from domain.stages.records.records import RecordRejected, RejectRecord
from domain.stages.travel.visa import GrantVisa, PassportRecorded, RecordPassport, VisaGranted
from domain.stages.treatment.adverse_events import LaboratoryReported, ReportLaboratory
from domain.stages.treatment.lymphodepletion import GateSigned
from tests.domain.course import STEPS, patient, start
from tests.domain.journey import DAY, HOUR, Journey, when
from tests.domain.refusals import No

REFUSALS = (
    No("priced", ReviewDecision("nothing"), Reason.NOT_FOUND, "no such decision waits"),
    No(
        "priced",
        lambda j: ReviewDecision(j.newest(PatientAccepted)),
        Reason.NOT_FOUND,
        "no such decision waits",
    ),
    No("opened", StateDiagnosis(""), Reason.INVALID, "say what was diagnosed"),
    No(
        "priced",
        lambda j: CorrectFact(j.newest(PersonAdded), AddPerson("carer", "X", "UTC", "en"), "x"),
        Reason.INVALID,
        "a correction is about the same person",
    ),
    No(
        "priced",
        lambda j: CorrectFact(first_person(j), AddPerson("patient", "", "UTC", "en"), "x"),
        Reason.INVALID,
        "a person needs a name",
    ),
    No(
        "priced",
        lambda j: CorrectFact(first_person(j), AddPerson("patient", "X", "Nowhere", "en"), "x"),
        Reason.INVALID,
        "no such time zone",
    ),
    No(
        "priced",
        lambda j: CorrectFact(first_criterion(j), RecordCriterion(submission(j), "other", "met"), "x"),
        Reason.INVALID,
        "a correction is about the same criterion",
        lambda j: j.tell(RecordCriterion(submission(j), "creatinine", "met", "0.9 mg/dL")),
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def submission(j: Journey) -> str:
    return next(iter(j.case.submissions))


def first_person(j: Journey) -> str:
    return next(f.id for f in j.facts if isinstance(f.event, PersonAdded))


def first_criterion(j: Journey) -> str:
    return j.newest(CriterionRecorded)


def reopened(j: Journey) -> Sequence[tuple[str, str, str]]:
    """Kind, decision and corrected fact of what the last command reopened."""
    return [(e.kind, e.decision, e.fact) for e in j.last if isinstance(e, DecisionReopened)]


def reviewed_under_a_value() -> Journey:
    """A centre accepted on a laboratory value that was read into the criteria."""
    j = start("acknowledged").tell(RecordCriterion(submission(j0()), "creatinine", "met", "0.9 mg/dL"))
    return j.away(HOUR).tell(AcceptPatient(submission(j), "Dr Li", j.now + 20 * DAY))


def j0() -> Journey:
    return start("acknowledged")


def test_a_corrected_laboratory_value_reopens_the_acceptance_that_rested_on_it() -> None:
    j = reviewed_under_a_value()
    value, accepted = j.newest(CriterionRecorded), j.newest(PatientAccepted)
    right = RecordCriterion(submission(j), "creatinine", "not_met", "2.9 mg/dL")
    j.away(HOUR).tell(CorrectFact(value, right, "wrong column"))
    assert reopened(j) == [("PatientAccepted", accepted, value)]
    owed = j.owed("decision_review")
    assert owed.about.split("/") == [accepted, j.case.corrected[value]]
    why = next(f.why for f in j.facts if isinstance(f.event, DecisionReopened))
    assert why
    assert why.rule == "ground_corrected"
    j.away(HOUR).tell(ReviewDecision(accepted, "still within the protocol's limit"))
    assert not j.all_owed("decision_review")
    assert j.case.obligations[owed.id].state == "met"
    assert DecisionReviewed(accepted, "still within the protocol's limit") in j.last


def test_another_decision_ends_the_review_too() -> None:
    j = reviewed_under_a_value()
    value = j.newest(CriterionRecorded)
    j.tell(CorrectFact(value, RecordCriterion(submission(j), "creatinine", "met", "1.1"), "x"))
    owed = j.owed("decision_review")
    j.away(HOUR).tell(AcceptPatient(submission(j), "Dr Li", j.now + 20 * DAY))
    assert j.case.obligations[owed.id].state == "met"
    assert not reopened(j), "the new decision rests on the corrected value"


def test_a_decision_made_before_the_fact_was_told_does_not_rest_on_it() -> None:
    j = start("accepted")
    j.tell(RecordCriterion(submission(j), "creatinine", "met", "0.9"))
    j.tell(CorrectFact(j.newest(CriterionRecorded), RecordCriterion(submission(j), "creatinine", "met", "1.1"), "x"))
    assert not reopened(j)


def test_a_corrected_diagnosis_date_reopens_the_quote() -> None:
    j = start("opened").tell(StateDiagnosis("r/r B-ALL", When.on(date(2025, 11, 3))))
    for name in list(STEPS)[1 : list(STEPS).index("quoted") + 1]:
        STEPS[name](j)
        j.deliver()
    stated, quote = j.newest(DiagnosisStated), j.newest(QuoteGiven)
    j.away(HOUR).tell(CorrectFact(stated, StateDiagnosis("r/r B-ALL", When.on(date(2025, 3, 11))), "day and month"))
    kinds = {kind: (decision, fact) for kind, decision, fact in reopened(j)}
    assert kinds["QuoteGiven"] == (quote, stated)
    assert {"PatientAccepted", "SummarySigned"} <= set(kinds)
    about = {o.about.split("/")[0] for o in j.all_owed("decision_review")}
    assert about == {decision for decision, _ in kinds.values()}
    j.away(HOUR).tell(GiveQuote(submission(j), "CNY", j.now + 14 * DAY, 480_000))
    assert quote not in {o.about.split("/")[0] for o in j.all_owed("decision_review")}


def test_a_corrected_identity_reopens_consents_and_papers_in_that_name_and_no_others() -> None:
    j = start("filed")
    carer = j.tell(AddPerson("carer", "C", "UTC", "en")).newest(PersonAdded)
    first = first_person(j)
    person = j.case.people[patient(j)]
    right = AddPerson("patient", "Another Name", person.zone, person.language, person.mail, person.phone)
    j.away(HOUR).tell(CorrectFact(first, right, "as in the passport"))
    assert j.case.people[patient(j)].name == "Another Name"
    kinds = {kind for kind, _, _ in reopened(j)}
    assert {"ConsentGiven", "VisaFiled", "LetterIssued", "PatientAccepted"} <= kinds
    assert len([e for e in j.last if isinstance(e, DecisionReopened) and e.kind == "ConsentGiven"]) == sum(
        isinstance(f.event, ConsentGiven) for f in j.facts
    )
    j.tell(CorrectFact(carer, AddPerson("carer", "D", "UTC", "en"), "x"))
    assert not reopened(j), "nothing was decided on who the carer is"


def test_a_chain_of_two_corrections_reopens_twice_and_both_are_settled_at_once() -> None:
    j = reviewed_under_a_value()
    value, accepted = j.newest(CriterionRecorded), j.newest(PatientAccepted)
    for finding in ("1.9", "2.9"):
        right = RecordCriterion(submission(j), "creatinine", "not_met", finding)
        j.away(HOUR).tell(CorrectFact(value, right, "x"))
        assert reopened(j) == [("PatientAccepted", accepted, value)]
    assert len(j.all_owed("decision_review")) == 2
    assert [f.event.finding for f in j.facts if isinstance(f.event, CriterionRecorded)] == ["0.9 mg/dL", "1.9", "2.9"]
    j.tell(ReviewDecision(accepted))
    assert not j.all_owed("decision_review")
    assert j.refold() == j.case


def test_a_second_correction_after_the_review_reopens_it_again() -> None:
    j = reviewed_under_a_value()
    value, accepted = j.newest(CriterionRecorded), j.newest(PatientAccepted)
    j.tell(CorrectFact(value, RecordCriterion(submission(j), "creatinine", "met", "1.0"), "x"))
    j.tell(ReviewDecision(accepted))
    j.tell(CorrectFact(value, RecordCriterion(submission(j), "creatinine", "met", "1.2"), "x"))
    assert reopened(j) == [("PatientAccepted", accepted, value)]


def test_what_a_rule_did_on_a_corrected_fact_is_found_by_what_it_names() -> None:
    j = start("granted")
    granted = j.newest(VisaGranted)
    j.wait(until=j.case.visas[patient(j)].valid_until)
    lapsed = j.case.seen["VisaLapsed"]
    j.tell(CorrectFact(granted, GrantVisa(patient(j), j.now + 60 * DAY, 120), "wrong year"))
    assert ("VisaLapsed", lapsed, granted) in reopened(j)


def test_a_laboratory_value_reopens_the_gate() -> None:
    j = start("lymphodepletion")
    j.tell(ReportLaboratory("creatinine", "0.9"))
    STEPS["gated"](j)
    j.tell(CorrectFact(j.newest(LaboratoryReported), ReportLaboratory("creatinine", "2.9"), "x"))
    assert ("GateSigned", j.newest(GateSigned)) in {(kind, decision) for kind, decision, _ in reopened(j)}


def test_after_the_journey_was_left_it_is_found_and_nobody_owes_it() -> None:
    j = reviewed_under_a_value()
    value = j.newest(CriterionRecorded)
    j.tell(LeaveJourney("not_suitable", "local care"))
    j.tell(CorrectFact(value, RecordCriterion(submission(j), "creatinine", "met", "1.0"), "x"))
    assert not j.all_owed("decision_review")


def test_a_passport_reopens_only_what_concerns_that_person() -> None:
    j = start("fit")
    when(j, CorrectFact(j.newest(PassportRecorded), RecordPassport(patient(j), date(2034, 1, 1)), "read again"))
    assert {kind for kind, _, _ in reopened(j)} == {"VisaFiled"}


def test_without_the_memory_nothing_would_be_found() -> None:
    """Control: the same history without the marks of its corrections reopens nothing."""
    j = reviewed_under_a_value()
    value = j.newest(CriterionRecorded)
    j.tell(CorrectFact(value, RecordCriterion(submission(j), "creatinine", "met", "1.0"), "x"))
    assert j.case.corrected
    assert not fold([replace(f, corrects=None) for f in j.facts]).corrected


def test_the_table_names_events_and_facts_that_can_be_corrected() -> None:
    names = {event.__name__ for event in EVENTS}
    assert set(RESTS) <= names
    assert set(STANDS) <= set(RESTS)
    undone = {"RecordVerified"}  # not told again: a later rejection undoes it
    assert {kind for kinds in RESTS.values() for kind in kinds} <= CORRECTABLE | undone


def test_a_verified_document_that_is_another_patients_reopens_what_rested_on_it_and_the_centre_is_told() -> None:
    j = start("priced")
    report = next(iter(j.case.records.values()))
    when(j, RejectRecord(report.id, "wrong_patient")).then_asks("request_record", "tell_centre_of_document")
    assert isinstance(j.last[0], RecordRejected)
    assert j.last[0].verified == report.verified
    kinds = [kind for kind, _, fact in reopened(j) if fact == report.verified]
    assert kinds == ["SummarySigned", "PatientAccepted", "QuoteGiven"]
    assert len(j.all_owed("decision_review")) == len(kinds)
    j.tell(ReviewDecision(j.newest(PatientAccepted)))
    assert len(j.all_owed("decision_review")) == len(kinds) - 1


def test_a_document_rejected_before_anybody_relied_on_it_reopens_nothing() -> None:
    j = start("received")
    j.tell(RejectRecord(next(iter(j.case.records)), "wrong_patient"))
    assert not reopened(j)
    j = start("verified")
    when(j, RejectRecord(next(iter(j.case.records)), "wrong_patient")).then_asks("request_record")
    assert not reopened(j)


def test_a_rejection_recorded_before_documents_were_corrected_reopens_nothing() -> None:
    """Facts of before name no verification, and fold as they did."""
    j = start("priced")
    report = next(iter(j.case.records.values()))
    assert j.tell(RejectRecord(report.id, "wrong_patient")).case.corrected
    told = next(n for n, f in enumerate(j.facts) if isinstance(f.event, RecordRejected))
    before = [*j.facts[:told], replace(j.facts[told], event=RecordRejected(report.id, "wrong_patient"))]
    case = fold(before)
    assert not case.corrected
    assert not case.records[report.id].struck

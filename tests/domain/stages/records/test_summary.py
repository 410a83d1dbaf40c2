"""What summaries say [criteria.ips]: kept with its place, nothing twice, silence apart from "none known"."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.case.phases.findings import Statement
from domain.core.errors import Reason
from domain.core.when import When
from domain.criteria.conditions import disease_named, of_icd10
from domain.stages.intake.inquiry import DiagnosisStated, StateDiagnosis
from domain.stages.records.results import ImportResults, Result, ResultsImported
from domain.stages.records.summary import MOST, StrikeSummary, SummaryStruck, SummaryTaken, sections
from tests.domain.course import start
from tests.domain.journey import when
from tests.domain.refusals import No
from tests.domain.stages.records.test_results import TODAY

CONDITION: dict[str, Any] = {"kind": "condition", "section": "problems", "entry": 3, "text": "Asthma"}
LYMPHOMA = Statement(**CONDITION | {"text": "Mantle cell lymphoma", "disease": "mcl", "status": "active, confirmed"})
NO_ALLERGY = Statement(kind="allergy", section="allergies", entry=1, said="none_known")


def one(**more: Any) -> Statement:
    return Statement(**CONDITION | more)


def bundle(*statements: Statement, **more: Any) -> ImportResults:
    return ImportResults(form="fhir", statements=statements, bundle="urn:uuid:7", **more)


REFUSALS = (
    No("opened", StrikeSummary("nothing", "why"), Reason.NOT_FOUND, "nothing was taken in"),
    No(
        "opened",
        lambda j: StrikeSummary(next(iter(j.case.summaries)), ""),
        Reason.INVALID,
        "say why it counts",
        before=lambda j: j.tell(bundle(one())),
    ),
    No("opened", bundle(one(text="")), Reason.INVALID, "neither words nor a code"),
    No("opened", bundle(one(began="2026-13")), Reason.INVALID, "is no date"),
    No("opened", bundle(one(began="2026-02-30")), Reason.INVALID, "is no date"),
    No("opened", bundle(one(began="yesterday")), Reason.INVALID, "is no date"),
    No("opened", bundle(one(began="9999")), Reason.INVALID, "is of no year"),
    No("opened", bundle(one(began="2199-01-01")), Reason.INVALID, "a fact lies in the past"),
    No("opened", bundle(one(disease="flu")), Reason.INVALID, "is no disease"),
    No("opened", bundle(one(text="x" * 1001)), Reason.INVALID, "has more than 1000 characters"),
    No("opened", bundle(*[one()] * (MOST + 1)), Reason.INVALID, f"a bundle holds at most {MOST} statements"),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_fault_names_the_statement_and_the_field() -> None:
    j = start("opened").tried(bundle(one(), one(ended="x")))
    assert j.refused
    assert j.refused.field == "statements/1/ended"
    assert j.case.summaries == {}


def test_statements_are_one_fact_with_the_name_of_their_bundle() -> None:
    j = start("opened").tell(StateDiagnosis("B-ALL", disease="b_all"))
    when(j, bundle(one(), NO_ALLERGY)).then_told(
        ResultsImported(form="fhir", taken=0, known=0, left=()), SummaryTaken("urn:uuid:7", (one(), NO_ALLERGY), 0)
    )
    assert [s.statements for s in j.case.summaries.values()] == [(one(), NO_ALLERGY)]
    assert j.refold() == j.case


def test_what_was_said_before_is_counted_and_not_kept_again() -> None:
    j = start("opened").tell(bundle(one(), NO_ALLERGY))
    j.tell(bundle(one(entry=9), one(text="asthma "), one(text="Gout"), NO_ALLERGY))
    assert j.last[-1] == SummaryTaken("urn:uuid:7", (one(text="Gout"),), 3)


def test_silence_none_known_and_something_are_three_things() -> None:
    j = start("opened").tell(bundle(one()))
    assert [(s.name, s.said) for s in sections(j.case)] == [
        ("problems", "stated"), ("allergies", "not_said"), ("medications", "not_said"),
    ]  # fmt: skip
    j.tell(bundle(NO_ALLERGY, Statement(kind="medication", section="medications", entry=1, said="not_said")))
    assert [s.said for s in sections(j.case)] == ["stated", "none_known", "not_said"]
    j.tell(bundle(Statement(kind="allergy", section="allergies", entry=4, text="Penicillin")))
    allergies = sections(j.case)[1]
    assert (allergies.said, [t.statement.said for t in allergies.told]) == ("stated", ["none_known", "stated"])


def test_what_was_another_patients_counts_no_more_and_can_be_taken_again() -> None:
    j = start("opened").tell(bundle(one(), NO_ALLERGY))
    [taken] = j.case.summaries
    when(j, StrikeSummary(taken, "of her sister")).then_told(SummaryStruck(taken, "of her sister"))
    assert j.case.summaries == {}
    j.tell(bundle(one()))
    assert [s.said for s in sections(j.case)] == ["stated", "not_said", "not_said"]
    assert j.refold() == j.case


def test_one_disease_becomes_the_diagnosis_where_nobody_stated_one() -> None:
    j = start("opened").tell(bundle(replace(LYMPHOMA, began="2024-05"), one()))
    assert j.last[-1] == DiagnosisStated("Mantle cell lymphoma", "mcl")
    assert j.facts[-1].occurred == When.written("2024-05")


@pytest.mark.parametrize(("statements", "diagnosis"), [
    ((LYMPHOMA,), "mcl"), ((LYMPHOMA, one(disease="b_nhl")), "mcl"), ((LYMPHOMA, one(disease="myeloma")), ""),
    ((one(disease="mcl", status="resolved, confirmed"),), ""), ((one(disease="mcl", ended="2020"),), ""),
    ((one(),), ""),
])  # fmt: skip
def test_only_one_disease_that_is_under_way_is_a_diagnosis(statements: tuple[Statement, ...], diagnosis: str) -> None:
    j = start("opened").tell(bundle(*statements))
    assert j.case.disease == diagnosis


def test_a_struck_bundle_takes_the_diagnosis_it_brought_with_it_and_no_other() -> None:
    j = start("opened").tell(bundle(LYMPHOMA))
    [taken] = j.case.summaries
    assert j.case.disease == "mcl"
    j.tell(StrikeSummary(taken, "of her sister"))
    assert (j.case.diagnosis, j.case.disease) == ("", "")
    assert j.refold() == j.case
    for stated in (("T-ALL", "t_all"), ("Mantle cell lymphoma", "mcl")):
        j = start("opened").tell(StateDiagnosis(stated[0], disease=stated[1])).tell(bundle(LYMPHOMA))
        j.tell(StrikeSummary(next(iter(j.case.summaries)), "of her sister"))
        assert (j.case.diagnosis, j.case.disease) == stated, "a person stated it before"


def test_what_a_person_stated_stays() -> None:
    j = start("opened").tell(StateDiagnosis("T-ALL", disease="t_all")).tell(bundle(LYMPHOMA))
    assert j.case.disease == "t_all"


def test_a_result_keeps_where_it_stood() -> None:
    result = Result(analyte="lvef", value="55", unit="%", occurred=TODAY, section="results", entry=8)
    j = start("opened").tell(bundle(results=(result,)))
    [sample] = j.case.samples.values()
    assert sample.source
    assert (sample.source.bundle, sample.source.section, sample.source.entry) == ("urn:uuid:7", "results", 8)


@pytest.mark.parametrize(("code", "disease"), [
    ("C83.3", "lbcl"), ("C83.30", "lbcl"), ("c91.00", "all"), ("C90.01", "myeloma"), ("C82.1", "fl"), ("J45", ""),
    ("", ""), ("C8", ""),
])  # fmt: skip
def test_an_icd10_code_names_a_disease_as_exactly_as_it_does(code: str, disease: str) -> None:
    assert of_icd10(code) == disease


def test_words_and_codes_name_a_disease_together_or_none_where_they_differ() -> None:
    assert disease_named("Diffuse large B-cell lymphoma", ["C83.3"]) == "dlbcl"
    assert disease_named("Acute leukaemia", ["C91.0"], ["277571004"]) == "b_all"
    assert disease_named("Multiple myeloma", ["C83.3"]) == ""


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), min_size=1, max_size=8))
def test_a_second_time_brings_nothing_new(said: list[tuple[str, int]]) -> None:
    whole = bundle(*(one(text=text, began=str(2020 + year)) for text, year in said))
    j = start("opened").tell(whole).tell(whole)
    kept = [s for summary in j.case.summaries.values() for s in summary.statements]
    assert len(kept) == len(set(said))

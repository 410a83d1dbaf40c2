"""Results from a file [criteria.import]: all or nothing, nothing twice, nothing chosen, no other patient's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.case.phases.findings import NotTaken
from domain.core.errors import Reason
from domain.core.personal import ERASED
from domain.core.when import When
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.records.observing import DescribePatient, ObservationRecorded, PatientDescribed
from domain.stages.records.results import MOST, ImportResults, Result, ResultsImported, conflicts
from tests.domain.course import start
from tests.domain.journey import DAY, START, Journey, when
from tests.domain.refusals import No
from tests.domain.stages.records.test_observing import told

TODAY = When.on(START.date())
EARLIER = When.on((START - timedelta(days=9)).date())


def result(value: str = "55", unit: str = "%", occurred: When = TODAY, **more: Any) -> Result:
    return Result(**{"analyte": "lvef", "value": value, "unit": unit, "occurred": occurred, **more})


def file(*results: Result, **more: Any) -> ImportResults:
    return ImportResults(form="csv", results=results, **more)


REFUSALS = (
    No("opened", file(), Reason.INVALID, "there is nothing to take"),
    No("opened", file(result(), result("99")), Reason.INVALID, "is not plausible"),
    No("opened", file(result(occurred=When.on(START.date() + 9 * DAY))), Reason.INVALID, "a fact lies in the past"),
    No("opened", file(*[result()] * (MOST + 1)), Reason.INVALID, f"a file holds at most {MOST} results"),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_fault_names_the_result_and_the_field() -> None:
    j = start("opened").tried(file(result(), result("0.5")))
    assert j.refused
    assert j.refused.field == "results/1/value"
    assert j.case.samples == {}


def test_each_result_is_a_fact_with_its_own_day_that_can_be_corrected() -> None:
    j = start("opened")
    left = (NotTaken("line", "faulty", 2),)
    when(j, file(result("55"), result("48", occurred=EARLIER), left=left)).then_told(
        ResultsImported(form="csv", taken=2, known=0, left=left),
        ObservationRecorded(analyte="lvef", value="55", unit="%"),
        ObservationRecorded(analyte="lvef", value="48", unit="%"),
    )
    assert [one.taken for one in j.case.samples.values()] == [TODAY, EARLIER]
    j.tell(CorrectFact(next(iter(j.case.samples)), told("lvef", "57", "%"), "another line"))
    assert [str(one.observed.value) for one in j.case.samples.values()] == ["57", "48"]
    assert j.refold() == j.case


def test_what_is_there_already_is_counted_and_not_taken_again() -> None:
    bilirubin: Any = {"analyte": "bilirubin"}
    j = start("opened").tell(file(result("34.2", "umol/L", **bilirubin)))
    j.tell(file(result("2.0", "mg/dL", **bilirubin), result("55"), result("55.0")))
    assert [(one.taken, one.known) for one in j.case.files] == [(1, 0), (1, 2)]
    assert len(j.case.samples) == 2


def test_values_of_one_measurement_that_differ_are_both_kept_and_shown() -> None:
    j = start("opened").tell(
        file(result("55"), result("45"), result("50", occurred=EARLIER), result("52", method="MRI"))
    )
    assert conflicts(j.case) == [list(j.case.samples)[:2]]
    gone = {name: replace(s, observed=replace(s.observed, value=ERASED)) for name, s in j.case.samples.items()}
    assert conflicts(replace(j.case, samples=gone)) == []


@pytest.mark.parametrize(("born", "says", "fine"), [
    ("1980-03-02", "1980-03-02", True), ("1980", "1980-03-02", True), ("1980-03-02", "1980", True),
    ("", "1980-03-02", True), ("1980-03-02", "", True), ("1980-03-02", "1980-03-03", False), ("1980", "1981", False),
])  # fmt: skip
def test_another_birth_date_is_another_patient(born: str, says: str, fine: bool) -> None:
    j = start("opened").tell(DescribePatient(born)).tried(file(result(), birth=says))
    assert (j.refused is None) is fine
    if not fine:
        assert j.refused
        assert (j.refused.field, "another patient's" in j.refused.detail) == ("birth", True)


def test_another_sex_is_another_patient_and_unknown_contradicts_nothing() -> None:
    when(start("opened").tell(DescribePatient("", "male")), file(result(), sex="female")).then_refused(
        Reason.INVALID, "differs from the case"
    )
    j = start("opened").tell(DescribePatient("1980", "unknown")).tell(file(result(), sex="female"))
    assert (j.case.birth, j.case.sex) == ("1980", "female")
    assert j.last[-2] == PatientDescribed("1980", "female")


@given(st.lists(st.tuples(st.integers(30, 33), st.integers(0, 2)), min_size=1, max_size=8))
def test_a_second_time_brings_nothing_new(lines: list[tuple[int, int]]) -> None:
    whole = file(*(result(str(n), occurred=When.on((START - DAY * d).date())) for n, d in lines))
    j: Journey = start("opened").tell(whole)
    once = dict(j.case.samples)
    j.tell(whole)
    assert j.case.samples == once
    assert len(once) == len(set(lines))

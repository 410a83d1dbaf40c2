"""Prior therapies, the disease as a code, and what is reckoned beside what was measured [criteria.lines]."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.core.copying import replace
from domain.core.errors import Reason
from domain.core.personal import ERASED
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.eligibility.matching import own_cells
from domain.stages.intake.inquiry import DiagnosisStated, StateDiagnosis
from domain.stages.records.observing import DescribePatient, RecordTherapy, TherapyRecorded, observed
from tests.domain.course import start
from tests.domain.journey import DAY, START, Journey, when
from tests.domain.refusals import No
from tests.domain.stages.records.test_observing import told

TODAY = START.date()


def therapy(**more: Any) -> RecordTherapy:
    return RecordTherapy(**{"kind": "chemotherapy", "line": 1, **more})


REFUSALS = (
    No("opened", therapy(line=-1), Reason.INVALID, "lines count from 1"),
    No("opened", therapy(started=TODAY + DAY), Reason.INVALID, "a therapy of the past lies in"),
    No("opened", therapy(started=TODAY, ended=TODAY - DAY), Reason.INVALID, "ends after it started"),
    No("opened", therapy(ended=TODAY, ended_because="under_way"), Reason.INVALID, "what has ended is not"),
    No("opened", StateDiagnosis("x", None, "cancer"), Reason.INVALID, "is one of haematological"),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def counted(j: Journey) -> list[tuple[str, str]]:
    return [(str(one.low), str(one.high)) for one in observed(j.case, j.now) if one.analyte == "prior_lines"]


def test_lines_are_at_least_as_many_as_are_recorded() -> None:
    j = start("opened")
    assert counted(j) == []
    when(j, therapy(name="R-CHOP")).then_told(TherapyRecorded(kind="chemotherapy", line=1, name="R-CHOP"))
    j.tell(therapy(kind="autologous_car_t", line=3, ended_because="manufacture_failed")).tell(therapy(line=0))
    assert counted(j) == [("3", "30")]
    j.tell(CorrectFact(j.newest(TherapyRecorded), therapy(line=4), "was the fourth"))
    assert counted(j) == [("4", "30")]
    assert j.refold() == j.case


def test_the_disease_is_stated_with_the_diagnosis() -> None:
    j = start("opened")
    when(j, StateDiagnosis("r/r B-ALL", None, "b_all")).then_told(DiagnosisStated("r/r B-ALL", "b_all"))
    assert j.case.disease == "b_all"
    assert j.tell(StateDiagnosis("something else")).case.disease == "", "words alone state no code"


def test_what_was_measured_is_never_replaced_by_what_is_computed() -> None:
    j = start("opened").tell(DescribePatient("1966", "male"))
    j.tell(told("creatinine", "1.0", "mg/dL")).tell(told("weight", "72", "kg"))
    both = {"creatinine_clearance", "egfr"}
    assert {one.analyte for one in observed(j.case, j.now) if one.id.startswith("computed:")} == both
    j.tell(told("egfr", "40", "mL/min/{1.73_m2}"))
    assert {one.analyte for one in observed(j.case, j.now) if one.id.startswith("computed:")} == both - {"egfr"}
    assert len([one for one in observed(j.case, j.now) if one.analyte == "egfr"]) == 1


def test_without_the_sex_nothing_is_computed_and_erased_is_unknown() -> None:

    j = start("opened").tell(DescribePatient("1966", "male")).tell(told("creatinine", "1.0", "mg/dL"))
    for case in (replace(j.case, sex=""), replace(j.case, sex=ERASED), replace(j.case, birth=ERASED)):
        assert not [one for one in observed(case, j.now + timedelta(1)) if one.id.startswith("computed:")]


@pytest.mark.parametrize(
    ("ended", "reason"),
    [("harvest_contaminated", ("autologous_not_feasible",)), ("not_feasible", ("autologous_not_feasible",)),
     ("wish", ())],
)  # fmt: skip
def test_why_the_patients_own_cells_are_no_way(ended: Any, reason: tuple[str, ...]) -> None:
    j = start("opened").tell(therapy(kind="autologous_car_t", ended_because=ended))
    assert own_cells(j.case) == reason

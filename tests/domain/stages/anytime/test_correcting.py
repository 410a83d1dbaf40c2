"""Corrections: the right fact in the place of the wrong one, both visible; an infusion never disappears."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from unittest.mock import ANY

import pytest

from domain.core.errors import Reason
from domain.core.when import When
from domain.engine.evolve import fold
from domain.stages.anytime.correcting import CorrectFact, FactCorrected
from domain.stages.response.assessing import AssessResponse, ResponseAssessed
from domain.stages.travel.visa import GrantVisa, PassportRecorded, RecordPassport, VisaGranted
from domain.stages.treatment.adverse_events import ReportToxicity, ToxicityReported
from domain.stages.treatment.dose import HoldDose
from domain.stages.treatment.infusion import InfusionCompleted, RecordInfusion
from domain.stages.treatment.lymphodepletion import DepletionGiven, OmitDepletion, RecordDepletion
from domain.stages.treatment.observations import DeathReported, ReportDeath
from domain.stages.treatment.redosing import DecideRedosing
from domain.stages.treatment.safety import AdverseEventAlerted, MalignancyReported, ReportMalignancy
from domain.stages.treatment.transplant import RecordTransplant, TransplantGiven
from tests.domain.course import LOT, STEPS, UNIT, patient, start
from tests.domain.journey import DAY, HOUR, Journey, when
from tests.domain.refusals import No


def correction(event: type, command: Any) -> Callable[[Journey], CorrectFact]:
    return lambda j: CorrectFact(j.newest(event), command(j) if callable(command) else command, "mistyped")


REFUSALS = (
    No("infused", CorrectFact("nothing", ReportDeath(), "x"), Reason.NOT_FOUND, "no such fact that can be corrected"),
    No(
        "infused",
        correction(InfusionCompleted, ReportDeath()),
        Reason.INVALID,
        "a InfusionCompleted is corrected by another InfusionCompleted",
    ),
    No(
        "granted",
        correction(PassportRecorded, RecordPassport("nobody", date(2030, 1, 1))),
        Reason.INVALID,
        "a correction is about the same person",
    ),
    No(
        "granted",
        correction(VisaGranted, lambda j: GrantVisa(patient(j), j.now, 0)),
        Reason.INVALID,
        "a stay has at least one day",
    ),
    No(
        "infused",
        correction(InfusionCompleted, lambda j: RecordInfusion(UNIT, "", When.at(j.now + HOUR))),
        Reason.INVALID,
        "a fact lies in the past",
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_both_tellings_stay_on_record_and_the_second_counts() -> None:
    j = start("infused").tell(ReportToxicity("CRS", 2))
    wrong = j.newest(ToxicityReported)
    when(j, CorrectFact(wrong, ReportToxicity("CRS", 3), "chart")).then_told(
        FactCorrected(wrong, "chart"), ToxicityReported("CRS", 3, None, ""), AdverseEventAlerted("crs", "CRS", 3, ANY)
    )
    assert [f.event.type for f in j.facts if f.corrects == wrong] == ["ToxicityReported"]
    assert j.case.correctable[wrong] == ToxicityReported("CRS", 3, None, "")
    assert [f.event for f in j.facts if isinstance(f.event, ToxicityReported)] == [
        ToxicityReported("CRS", 2, None, ""),
        ToxicityReported("CRS", 3, None, ""),
    ]


def test_a_correction_of_a_correction_names_the_first_telling() -> None:
    j = start("infused").tell(AssessResponse("PR"))
    first = j.newest(ResponseAssessed)
    j.tell(CorrectFact(first, AssessResponse("CR"), "x"))
    second = j.facts[-1].id
    when(j, CorrectFact(second, AssessResponse("CRi"), "x")).then_refused(Reason.NOT_FOUND, "name the first telling")
    j.tell(CorrectFact(first, AssessResponse("CRi"), "x"))
    assert j.case.correctable[first] == ResponseAssessed("CRi", "")
    assert j.case.assessments == 1


def test_the_date_of_the_first_infusion_corrected_after_the_second_keeps_both() -> None:
    j = start("infused")
    first = j.newest(InfusionCompleted)
    j.tell(DecideRedosing("Dr Li")).tell(HoldDose("lot-b", "unit-2", j.now + 60 * DAY))
    STEPS["gated"](j)
    j.tell(OmitDepletion("protocol"))
    for step in ("authorised", "checked", "thawed", "infused"):
        STEPS[step](j)
    earlier = When.on(date(2026, 3, 20))
    when(j, CorrectFact(first, RecordInfusion("unit-x", "2e8", earlier), "chart"))
    assert InfusionCompleted(1, 1, LOT, "unit-x", "2e8") in j.last
    assert [(i.number, i.lot) for i in j.case.infusions] == [(1, LOT), (2, "lot-b")]
    assert j.case.infusions[0].occurred == earlier
    assert [len(t.infusions) for t in j.case.treatments] == [1, 1]


def test_a_corrected_death_is_still_a_death() -> None:
    j = start("infused").tell(ReportDeath("relapse"))
    died = j.newest(DeathReported)
    day = When.on((j.now - DAY).date())
    when(j, CorrectFact(died, ReportDeath("infection", day), "certificate"))
    assert DeathReported("infection") in j.last
    assert j.case.died == died
    assert not j.all_owed()


def test_other_facts_that_may_be_told_again() -> None:
    j = start("granted")
    visa = j.newest(VisaGranted)
    until = j.now + 40 * DAY
    when(j, CorrectFact(visa, GrantVisa(patient(j), until, 60, 2), "read again"))
    assert (j.case.visas[patient(j)].stay_days, j.case.visas[patient(j)].valid_until) == (60, until)
    j.tell(CorrectFact(j.newest(PassportRecorded), RecordPassport(patient(j), date(2031, 1, 1)), "read again"))
    assert j.case.passports[patient(j)] == date(2031, 1, 1)
    k = start("infused")
    k.tell(CorrectFact(k.newest(DepletionGiven), RecordDepletion("Flu", -4), "chart"))
    assert DepletionGiven(1, "Flu", -4) in k.last
    k.tell(RecordTransplant(1)).tell(ReportMalignancy("x"))
    k.tell(CorrectFact(k.newest(TransplantGiven), RecordTransplant(2), "chart"))
    assert k.case.transplants == 1
    alert = k.newest(MalignancyReported)
    k.tell(CorrectFact(alert, ReportMalignancy("T cell"), "pathology"))
    assert list(k.case.alerts) == [alert]


def test_a_corrected_fact_read_without_its_history_only_counts() -> None:
    """Control: folding a correction on top would infuse twice."""
    j: Journey = start("infused")
    j.tell(CorrectFact(j.newest(InfusionCompleted), RecordInfusion(UNIT, "2e8", When.at(j.now)), "x"))
    assert len(j.case.infusions) == 1
    twice = fold([replace(f, corrects=None) for f in j.facts])
    assert len(twice.infusions) == 2

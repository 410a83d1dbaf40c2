"""The card of the patient: who it is by what was told, for whoever may see it; silence says nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from api.console.overview.patient_card import patient_card
from api.console.text.fact_text import FactWriter
from api.console.text.texts import Texts
from api.console.text.times import ViewerClock
from api.http.masking import EVERYTHING, NOTHING, Sees
from domain.case.phases.findings import Statement, Summary
from domain.core.personal import ERASED
from domain.core.when import When
from domain.stages.intake.people import AddPerson
from domain.stages.records.observing import DescribePatient, RecordObservation
from tests.domain.course import start
from tests.domain.journey import DAY, Journey


def card(j: Journey, visible: Sees = EVERYTHING) -> dict[str, str]:
    clock = ViewerClock(j.now, ZoneInfo("UTC"), Texts("en"))
    return dict(patient_card(j.case, j.now, FactWriter(j.case, clock, visible, {})))


def born(j: Journey, years: int, days: int = 0) -> str:
    day = j.now.date()
    return (date(day.year - years, day.month, min(day.day, 28)) - days * DAY).isoformat()


@pytest.mark.parametrize(("years", "says"), [(30, "30 years"), (2, "2 years"), (0, "0 months")])
def test_an_age_is_by_the_birth_date(years: int, says: str) -> None:
    j = start("records")
    j.tell(DescribePatient(born(j, years), "female"))
    assert (card(j)["Age"], card(j)["Sex"]) == (says, "female")


def test_by_a_year_both_ages_are_said() -> None:
    j = start("records")
    j.tell(DescribePatient(str(j.now.year - 9)))
    assert card(j)["Age"] == "8 - 9 years"


def test_the_newest_weight_stands_with_its_day_whichever_was_told_last() -> None:
    j = start("records")
    for kilos, ago in (("61", 5), ("64", 40)):
        told = RecordObservation(analyte="weight", value=kilos, unit="kg", occurred=When.at(j.now - ago * DAY))
        j.tell(told)
    assert card(j)["Weight"].startswith("61 kg, ")
    assert str((j.now - 5 * DAY).day) in card(j)["Weight"]


def test_a_guardian_is_named_and_one_that_is_needed_is_missed() -> None:
    j = start("records")
    assert "Guardian" not in card(j)
    patient = j.case.patient
    assert patient is not None
    j.case = replace(j.case, people={**j.case.people, patient.id: replace(patient, minor=True)})
    assert card(j)["Guardian"] == "nobody is named yet"
    j.tell(AddPerson("legal_representative", "Ada Rao", "UTC", "en"))
    assert card(j)["Guardian"] == "Ada Rao"


def test_allergies_are_said_as_told_and_silence_says_nothing() -> None:
    j = start("records")
    assert "Allergies" not in card(j)
    silent = Summary("b", (Statement(kind="condition", section="problems", entry=1, text="B-ALL"),), j.now)
    j.case = replace(j.case, summaries={"f": silent})
    assert "Allergies" not in card(j), "no word of allergies is not the word that there are none"
    none = replace(silent, statements=(Statement(kind="allergy", section="allergies", entry=1, said="none_known"),))
    j.case = replace(j.case, summaries={"f": none})
    assert card(j)["Allergies"] == "none known"
    told = replace(silent, statements=(Statement(kind="allergy", section="allergies", entry=1, text="Penicillin"),))
    j.case = replace(j.case, summaries={"f": told})
    assert card(j)["Allergies"] == "Penicillin"


def test_nothing_of_it_is_for_whoever_may_not_see_it_and_what_is_erased_is_said_to_be() -> None:
    j = start("records")
    j.tell(DescribePatient("1990-01-01", "male"))
    assert set(card(j, NOTHING)) <= {"Language"}
    j.case = replace(j.case, birth=ERASED, sex=ERASED, diagnosis=ERASED)
    assert {card(j)[name] for name in ("Age", "Sex", "Diagnosis")} == {"[erased]"}

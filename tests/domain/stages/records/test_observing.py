"""Observations [criteria.units]: what is kept as it was written, what is refused by name, what a correction changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.core.errors import Reason
from domain.core.personal import ERASED, NO_KEY
from domain.core.when import When
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.records.observing import (
    DescribePatient,
    ObservationRecorded,
    PatientDescribed,
    RecordObservation,
    observed,
)
from tests.domain.course import item, start
from tests.domain.journey import DAY, START, Journey, when
from tests.domain.refusals import No

TODAY = When.on(START.date())


def told(
    analyte: str, value: str = "", unit: str = "", occurred: When | None = TODAY, **more: Any
) -> RecordObservation:
    return RecordObservation(analyte=analyte, value=value, unit=unit, occurred=occurred, **more)


REFUSALS = (
    No("opened", told("sodium", "140", "mmol/L"), Reason.INVALID, "nothing of that name is observed"),
    No("opened", told("age", "40", "a"), Reason.INVALID, "is reckoned from the birth date: describe the patient"),
    No("opened", told("lvef", "0.55", "%"), Reason.INVALID, "is a percentage: write 55, not 0.55"),
    No("opened", told("lvef", "99", "%"), Reason.INVALID, "is not plausible: lvef lies between 5 and 90 %"),
    No("opened", told("alt", "30", "mg/dL"), Reason.INVALID, "alt is given in U/L"),
    No("opened", told("alt", "30", "U/L", limit="ten"), Reason.INVALID, "must be a number"),
    No("opened", told("alt", "30", "U/L", limit="0"), Reason.INVALID, "a limit is more than nothing"),
    No("opened", told("alt", "30", "U/L", None), Reason.INVALID, "say when the sample was taken"),
    No("opened", told("alt", "30", "U/L", When.on(START.date() + 9 * DAY)), Reason.INVALID, "a fact lies in the past"),
    No("opened", told("alt", "30", "U/L", target="CD7"), Reason.INVALID, "alt is of no antigen"),
    No("opened", told("antigen_percentage", "80", "%"), Reason.INVALID, "is of an antigen: name it, as CD19"),
    No("opened", told("ecog", "7"), Reason.INVALID, "is one of 0, 1, 2, 3, 4, 5"),
    No("opened", told("ecog", "1", "points"), Reason.INVALID, "what is stated has no unit"),
    No("opened", told("hiv", "maybe"), Reason.INVALID, "is one of positive, negative, indeterminate"),
    No("opened", told("alt", "30", "U/L", item="nothing"), Reason.NOT_FOUND, "no such record in this case"),
    No("opened", DescribePatient("2.3.1980"), Reason.INVALID, "write 1960-12-01, or 1960"),
    No("opened", DescribePatient("2980"), Reason.INVALID, "write 1960-12-01, or 1960"),
    No("opened", DescribePatient("1880-01-01"), Reason.INVALID, "write 1960-12-01, or 1960"),
    No("opened", DescribePatient("1980", "f"), Reason.INVALID, "is one of female, male, other, unknown"),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_an_observation_is_kept_as_it_was_written_and_counts_in_its_canonical_unit() -> None:
    j = start("asked_records")
    command = told("creatinine", "2.0", "mg/dL", limit="106.08", limit_unit="umol/L", item=item(j), laboratory="Lab A")
    when(j, command).then_told(
        ObservationRecorded(
            analyte="creatinine", value="2.0", unit="mg/dL", limit="106.08", limit_unit="umol/L", item=item(j),
            laboratory="Lab A",
        )
    )  # fmt: skip
    [counts] = observed(j.case, j.now)
    assert (str(counts.low), str(counts.limit), counts.day) == ("176.80", "106.08", START.date())
    assert j.refold() == j.case


def test_the_patient_is_described_by_a_day_a_year_or_nothing() -> None:
    j = start("opened")
    when(j, DescribePatient("1980-03-02", "female")).then_told(PatientDescribed("1980-03-02", "female"))
    assert [str(one.low) for one in observed(j.case, j.now)] == [str(46 * 12)]
    j.tell(DescribePatient("1980"))
    [age] = observed(j.case, j.now)
    assert (age.low, age.high) == (Decimal(45 * 12 + 2), Decimal(46 * 12 + 2))
    j.tell(DescribePatient())
    assert observed(j.case, j.now) == []


def test_a_correction_takes_the_place_of_the_wrong_value_with_its_own_day() -> None:
    j = start("opened").tell(told("lvef", "35", "%"))
    wrong = j.newest(ObservationRecorded)
    earlier = When.on((START - timedelta(days=30)).date())
    j.tell(CorrectFact(wrong, told("lvef", "53", "%", earlier), "another column"))
    [counts] = observed(j.case, j.now)
    assert (counts.id, str(counts.low), counts.taken) == (wrong, "53", earlier)
    when(j, CorrectFact(wrong, told("lvef", "530", "%"), "x")).then_refused(Reason.INVALID, "is not plausible")


def test_what_is_erased_is_not_known() -> None:
    j = start("opened").tell(told("lvef", "35", "%")).tell(DescribePatient("1980"))
    assert len(observed(j.case, j.now)) == 2
    for value in (ERASED, NO_KEY, "", "illegible"):
        gone = {name: replace(s, observed=replace(s.observed, value=value)) for name, s in j.case.samples.items()}
        assert observed(replace(j.case, samples=gone, birth=value), j.now) == []


def test_nobody_may_know_when_a_sample_was_taken() -> None:
    """Control of the refusal without a time: that it is unknown can be said."""
    j: Journey = start("opened").tell(told("lvef", "55", "%", When.unknown()))
    assert [one.day for one in observed(j.case, j.now)] == [None]

"""The page of the screened courses is what the code says today; what is not published is unknown, on every line."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from rehearsal.courses.screened import PAGE as WRITTEN
from rehearsal.courses.screened import ScreenedPatient, every_course, every_protocol, facts_of, held, page

COURSES = {course.patient: course for course in every_course()}


def row(patient: str, protocol: str) -> ScreenedPatient:
    return next(one for one in held(COURSES[patient], every_protocol()) if one.asked.name == protocol)


def results(patient: str, protocol: str) -> dict[str, str]:
    return {one.criterion: one.result for one in row(patient, protocol).findings}


def test_the_page_is_what_the_code_says_today() -> None:
    assert WRITTEN.read_text(encoding="utf-8") == page(), "python -m rehearsal.courses.screened"


def test_every_course_is_held_against_every_given_protocol_and_no_line_is_a_verdict() -> None:
    asked = every_protocol()
    assert (len(COURSES), len(asked), len({one.name for one in asked})) == (32, 24, 24)
    assert [one.name for one in asked if not one.sourced] == ["NCT04637763"]
    text = page()
    for patient in COURSES:
        assert patient in text
    assert text.count("| NCT04637763 |") == text.count("\n## ") - 1
    assert "eligible" not in text.casefold()


def test_only_what_is_published_is_observed() -> None:
    assert facts_of(COURSES["Brudno-1"]) == []
    told = {(one.analyte, one.code or one.low, one.target) for one in facts_of(COURSES["Qasim-1"])}
    assert told == {("age", 11, ""), ("disease_group", "all", ""), ("antigen", "positive", "CD19")}
    blasts = [one for one in facts_of(COURSES["UCART123-BPDCN-1"]) if one.analyte == "marrow_blasts"]
    assert [one.low for one in blasts] == [30]


@pytest.mark.parametrize(
    ("patient", "protocol", "criterion", "result"),
    [
        ("Qasim-1", "NCT04557436", "age", "met"),
        ("Qasim-1", "NCT02746952", "age", "not_met"),
        ("Qasim-1", "NCT02746952", "antigen", "met"),
        ("Qasim-1", "NCT02746952", "disease", "unknown"),
        ("BE-CAR7-1", "ISRCTN15323014", "age", "met"),
        ("FT819-UCI-1", "NCT06308978", "age", "met"),
        ("FT819-UCI-1", "NCT06308978", "weight", "unknown"),
        ("Li24-1", "NCT05909527", "age", "unknown"),
        ("Li24-1", "ISRCTN15323014", "age", "not_met"),
    ],
)
def test_what_was_published_of_some_patients_stands_so(
    patient: str, protocol: str, criterion: str, result: str
) -> None:
    assert results(patient, protocol)[criterion] == result


def test_a_patient_of_whom_nothing_is_published_meets_and_misses_nothing() -> None:
    for one in held(COURSES["PanZ-1"], every_protocol()):
        assert set(one.counts) <= {"unknown", "not_applicable"}
    without = replace(COURSES["Qasim-1"], age="", disease="")
    counts = sum((one.counts for one in held(without, every_protocol())), Counter[str]())
    assert set(counts) == {"unknown"}
    assert {one.diagnosis for one in held(without, every_protocol())} == {"unknown"}

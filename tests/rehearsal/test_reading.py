"""The reader: any file of the format, every problem with patient and field, nothing dropped."""

import json
from datetime import date
from typing import Any

import pytest

from api.run.rehearsal.corrections import correction
from api.run.rehearsal.courses import KINDS, CoursesInvalid, Published, read_courses
from api.run.rehearsal.days import days_of, read_day, when
from api.run.rehearsal.known import catalogued, own_protocol
from api.run.rehearsal.mainline import CELLS
from api.run.rehearsal.tellings import TELLINGS
from tests.rehearsal.played import FILES, courses_of


def one(**course: Any) -> str:
    return json.dumps({"courses": [{"patient": "P-1", "events": [], **course}]})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not a list with at least one course"),
        ('{"courses": {}}', "not a list"),
        ('{"courses": [3]}', r"courses\[0\]: is no object"),
        ('{"courses": [{"events": []}]}', r"courses\[0\]: patient: has no name"),
        (one(events=None), "P-1: events: is no list"),
        (one(events=[{"day": {}}]), r"P-1: events\[0\].kind: is missing"),
        (one(events=[{"kind": "death", "day": {"known": True}}]), r"P-1: events\[0\].day: is known, and none of"),
        (one(end={"alive": "yes"}), "P-1: end.alive: is neither"),
        (one(dose=3), "P-1: dose: is no object"),
    ],
)
def test_a_problem_names_patient_and_field(text: str, words: str) -> None:
    with pytest.raises(CoursesInvalid, match=words):
        read_courses(text)


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(CoursesInvalid, match=r"events\[0\].kind.*end.alive|end.alive.*events\[0\].kind"):
        read_courses(one(events=[{}], end={"alive": 1.5}))


def test_a_patient_stands_once() -> None:
    course = {"patient": "P-1", "events": []}
    with pytest.raises(CoursesInvalid, match="P-1: patient: stands twice"):
        read_courses(json.dumps([course, course]))


def test_every_kind_of_the_format_has_a_word() -> None:
    assert set(KINDS) == {*TELLINGS, *CELLS, "correction"}
    about = json.loads(FILES["given"].read_text())["about"]
    assert set(KINDS) == {word.strip() for word in about.split("kinds:")[1].split(",")}


def test_the_made_up_courses_use_every_kind_and_every_form_of_day() -> None:
    events = [e for course in courses_of("unseen") for e in course.events]
    assert {e.kind for e in events} >= set(KINDS)
    forms = {form for e in events for form in e.day.told}
    assert forms >= {"at", "before", "at_or_before", "about", "after", "at_or_after", "between", "from", "to"}
    assert any(not e.day.told["known"] for e in events)


def test_a_protocol_is_matched_by_number_or_by_a_products_own_name() -> None:
    protocols = catalogued().protocols
    matched = {c.patient: own_protocol(c, protocols) for c in courses_of("given")}
    names = {patient: found[1] for patient, found in matched.items() if found}
    assert names["BE-CAR7-1"] == "BE-CAR7"
    assert names["TyU19-1"] == "TyU19"
    assert names["UCART123-BPDCN-1"] == "UCART123"
    assert "Qasim-1" not in names  # eleven months old; the trial of UCART19 in the catalogue is for 16 to 70 years
    assert "Brudno-1" not in names  # donor-derived anti-CD19 CAR T is a description, no product's name


def event(index: int, kind: str, day: dict[str, Any] | None = None, **fields: Any) -> Published:
    return Published(index, kind, read_day(day or {"known": True, "at": index}), fields)


EARLIER = [
    event(0, "toxicity", name="CRS", grade=1),
    event(1, "toxicity", name="ICANS", grade_at_least=2),
    event(2, "assessment", result="CR"),
    event(3, "toxicity", name="CRS", grade=2),
    event(4, "progression"),
]


@pytest.mark.parametrize(
    ("fields", "target", "after"),
    [
        ({"of": "assessment", "was": "CR", "now": "PR"}, 2, {"result": "PR"}),
        ({"result": "PR"}, 2, {"result": "PR"}),
        ({"of": "toxicity", "name": "CRS", "grade": 3}, 3, {"name": "CRS", "grade": 3}),
        ({"of": {"kind": "toxicity", "name": "CRS", "grade": 1}, "to": {"grade": 0}}, 0, {"name": "CRS", "grade": 0}),
        ({"name": "ICANS", "grade": 1}, 1, {"name": "ICANS", "grade": 1}),
        ({"of": 0, "to": 4}, 0, {"name": "CRS", "grade": 4}),
        ({"of": "progression", "what": "pseudoprogression"}, 4, {"what": "pseudoprogression"}),
        ({"of": "CRS", "grade": 4}, 3, {"name": "CRS", "grade": 4}),
    ],
)
def test_a_correction_means_the_newest_event_that_fits(
    fields: dict[str, Any], target: int, after: dict[str, Any]
) -> None:
    found = correction(event(9, "correction", **fields), {e.index: e for e in EARLIER})
    assert found is not None
    assert (found.target, dict(found.right.fields)) == (target, after)
    assert found.right.day == EARLIER[target].day


def test_a_correction_that_means_nothing_earlier_is_none() -> None:
    assert correction(event(9, "correction", of="infection", organism="CMV"), {e.index: e for e in EARLIER}) is None


def test_a_correction_may_name_another_day_for_the_event() -> None:
    told = event(9, "correction", of="assessment", to={"day": {"known": False}})
    found = correction(told, {e.index: e for e in EARLIER})
    assert found is not None
    assert days_of(when(found.right.day, date(2024, 1, 1), after_cells=True), date(2024, 1, 1)) == {
        "precision": "unknown"
    }

"""The reader: any file of the format, every problem with patient and field, nothing dropped."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain.core.when import When
from domain.stages.response.assessing import AssessResponse
from domain.stages.treatment.adverse_events import ReportInfection, ReportToxicity
from domain.stages.treatment.grading import GradeCRS, GradeCytopenia, GradeICANS
from rehearsal.courses.known import catalogued, own_protocol
from rehearsal.courses.mainline import CELLS
from rehearsal.courses.published.corrections import correction
from rehearsal.courses.published.courses import CoursesInvalid, Published, read_courses
from rehearsal.courses.published.days import days_of, read_day, when
from rehearsal.courses.published.kinds import KINDS
from rehearsal.courses.tellings import TELLINGS, left_out
from tests.rehearsal.courses.played import FILES, courses_of


def one(**course: Any) -> str:
    return json.dumps({"courses": [{"patient": "P-1", "events": [], **course}]})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not a list with at least one course"),
        ('{"courses": {}}', "not a list"),
        ('{"courses": [{"patient": NaN}]}', "NaN is no number"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_file_of_courses_is_refused_whole(text: str, words: str) -> None:
    with pytest.raises(CoursesInvalid, match=words):
        read_courses(text)


TOXICITY = {"kind": "toxicity", "name": "CRS"}


@pytest.mark.parametrize(
    ("text", "event", "field", "reason"),
    [
        ('{"courses": [3]}', None, "", "is no object"),
        ('{"courses": [{"events": []}]}', None, "patient", "has no name"),
        (one(patient="a\ud800"), None, "patient", "holds a character that is none"),
        (one(events=None), None, "events", "is no list"),
        (one(end={"alive": "yes"}), None, "end.alive", "is neither true, false nor null"),
        (one(end={"alive": 1}), None, "end.alive", "is neither true, false nor null"),
        (one(end={"day": {"known": True}}), None, "end.day", "is known, and none of at, before"),
        (one(dose=3), None, "dose", "is no object"),
        (one(disease="x\0"), None, "disease", "holds a character that is none"),
        (one(events=[3]), 0, "", "is no object"),
        (one(events=[{"day": {}}]), 0, "kind", "is missing"),
        (one(events=[{"kind": 4}]), 0, "kind", "is no word"),
        (one(events=[{"kind": "death"}, {"kind": "death", "day": {"known": True}}]), 1, "day", "is known, and none of"),
        (one(events=[{**TOXICITY, "day": {"known": False, "at": 3}}]), 0, "day", "is not known, and yet `at` is given"),
        (one(events=[{**TOXICITY, "day": {"known": "yes"}}]), 0, "day", "`known` is neither true nor false"),
        (one(events=[{**TOXICITY, "day": {"at": "3"}}]), 0, "day", "`at` is no number of days"),
        (one(events=[{**TOXICITY, "day": {"at": 3, "unit": "moons"}}]), 0, "day", "`unit` is none of day, week"),
        (one(events=[{**TOXICITY, "day": {"between": [9, 3]}}]), 0, "day", "ends before it begins"),
        (one(events=[{**TOXICITY, "note": ["\ud800"]}]), 0, "note", "holds a character that is none"),
    ],
)
def test_a_problem_names_event_field_and_reason(text: str, event: int | None, field: str, reason: str) -> None:
    (course,) = read_courses(text)
    (wrong,) = course.wrong
    assert (wrong.event, wrong.field) == (event, field)
    assert wrong.reason.startswith(reason)
    assert course.playable == (field in ("patient", "dose", "disease") or field.startswith("end.") or event is not None)


def test_what_is_wrong_with_one_course_is_not_held_against_another() -> None:
    good = {"patient": "P-1", "events": [{"kind": "infusion", "day": {"known": True, "at": 0}}]}
    first, twin, broken = read_courses(json.dumps([good, good, {"patient": "P-2", "events": [{}, good["events"][0]]}]))
    assert (first.wrong, first.patient, len(first.events)) == ((), "P-1", 1)
    assert (twin.patient, [str(w) for w in twin.wrong]) == (
        "P-1 (courses[1])", ["patient: stands twice in the file, first as courses[0]"],
    )  # fmt: skip
    assert ([e.index for e in broken.events], [str(w) for w in broken.wrong]) == ([1], ["events[0].kind: is missing"])


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("Infusion ", "infusion"),
        ("follow-up", "follow_up"),
        ("relapse", "progression"),
        ("GVHD", "toxicity"),
        ("Second malignancy", "malignancy"),
        ("pregnancy", "occurrence"),
        ("CRS resolved", "toxicity_resolved"),
        ("B-cell aplasia", "toxicity"),
        ("SLEDAI-2K", "assessment"),
        ("flare", "progression"),
    ],
)
def test_a_kind_is_read_however_it_is_written(word: str, kind: str) -> None:
    (event,) = read_courses(one(events=[{"kind": word}]))[0].events
    assert event.kind == kind
    assert event.word == (kind if kind.startswith(word.strip().casefold()[:6]) else word)
    if event.told and event.kind in TELLINGS:
        assert word in str(TELLINGS[event.kind](event, When.unknown()))


NOWHERE: dict[str, Any] = {"grade": None, "occurred": When.unknown()}


@pytest.mark.parametrize(
    ("event", "command"),
    [
        (
            {"kind": "toxicity", "name": "CRS", "grade": 2, "fever": True, "oxygen": "low_flow"},
            GradeCRS(**{**NOWHERE, "grade": 2}, fever=True, oxygen="low_flow", detail='{"name": "CRS"}'),
        ),
        (
            {"kind": "toxicity", "name": "neurotoxicity", "ice": 5},
            GradeICANS(**NOWHERE, ice=5, detail='{"name": "neurotoxicity"}'),
        ),
        (
            {"kind": "toxicity", "name": "neutropenia", "days_500": 9, "note": "ongoing"},
            GradeCytopenia(**NOWHERE, days_500=9, detail='{"name": "neutropenia", "note": "ongoing"}'),
        ),
        (  # no such score: kept in the source's words
            {"kind": "toxicity", "name": "ICANS", "ice": 11},
            ReportToxicity("ICANS", None, None, '{"ice": 11}', When.unknown()),
        ),
        (  # a lower bound is no grade to stand beside
            {"kind": "toxicity", "name": "CRS", "grade_at_least": 3, "fever": True},
            ReportToxicity("CRS", None, 3, '{"fever": true}', When.unknown()),
        ),
        ({"kind": "toxicity", "name": "CRS", "grade": 3}, ReportToxicity("CRS", 3, None, "", When.unknown())),
        (
            {"kind": "infection", "organism": "CMV", "treatment_route": "intravenous"},
            ReportInfection("", "CMV", None, None, "", When.unknown(), "intravenous"),
        ),
        (
            {"kind": "assessment", "result": "CRi", "system": "all", "assessor": "independent_committee"},
            AssessResponse("CRi", "", When.unknown(), "all", "independent_committee", ""),
        ),
        (
            {"kind": "assessment", "result": "CRi", "system": "lugano"},
            AssessResponse("CRi", '{"system": "lugano"}', When.unknown()),
        ),
    ],
)
def test_what_a_grade_rests_on_is_told_by_its_own_fields(event: dict[str, Any], command: object) -> None:
    (told,) = read_courses(one(events=[{**event, "day": {"known": False}}]))[0].events
    assert TELLINGS[told.kind](told, When.unknown()) == command


@pytest.mark.parametrize(
    ("note", "none"),
    [
        ("none (no chemotherapy before cells)", True),
        ("Omitted because of cytopenia", True),
        ("given without conditioning", True),
        ("no dose reduction", False),
        ("reduced dose, nothing omitted", False),
    ],
)
def test_no_lymphodepletion_is_told_from_an_unknown_one(note: str, none: bool) -> None:
    (told,) = read_courses(one(events=[{"kind": "lymphodepletion", "regimen": None, "note": note}]))[0].events
    assert left_out(told) is none


def test_every_kind_of_the_format_has_a_word() -> None:
    assert {*KINDS, "malignancy", "occurrence"} == {*TELLINGS, *CELLS, "correction"}
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


@pytest.mark.parametrize(
    ("product", "publication", "stream"),
    [
        ("donor CD19 CAR-T + haplo-HSCT", "Somebody 2026", None),  # the catalogue's haplo-HSCT is a trial of CD7 cells
        ("cells, then haplo-HSCT", "Somebody 2026", None),
        ("CD19 CAR-T", "after BE-CAR7 had failed", None),
        ("donor CD7 CAR-T + haplo-HSCT", "Somebody 2026 (NCT05827835)", "protocol-nct05827835"),
        ("BE-CAR7", "Somebody 2026", "protocol-isrctn15323014"),
        ("base-edited CD7 CAR-T (BE-CAR7)", "Somebody 2026", "protocol-isrctn15323014"),
    ],
)
def test_a_protocol_of_another_target_or_a_stray_word_is_no_match(
    product: str, publication: str, stream: str | None
) -> None:
    [course] = read_courses(one(product=product, publication=publication))
    found = own_protocol(course, catalogued().protocols)
    assert (found[0].stream if found else None) == stream


def test_readme_says_how_many_courses_run_on_their_own_protocol() -> None:
    protocols = catalogued().protocols
    courses = courses_of("given")
    own = [course for course in courses if own_protocol(course, protocols)]
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    assert f"{len(courses)} published courses, {len(own)} of them on their own protocols" in readme


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
        ({"of": "ICANS", "to": "ruled out"}, 1, {"name": "ICANS", "grade_at_least": 2, "correction": "ruled out"}),
        ({"what": "response CR of day 2 corrected to PR after review"}, 2, {"result": "PR"}),
        ({"what": "CRS of day 0 was grade 2"}, 0, {"name": "CRS", "grade": 2}),
        ({"of": "ICANS grade", "note": "ICANS reclassified as PRES"}, 1, {"name": "PRES", "grade_at_least": 2}),
        (
            {"note": "the relapse was none: pseudoprogression"},
            4,
            {"correction": "the relapse was none: pseudoprogression"},
        ),
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


def test_a_correction_that_names_what_nobody_told_is_none() -> None:
    """Nothing is corrected by guess: the missing event is named instead."""
    told = event(9, "correction", of="nothing known", to="x")
    assert correction(told, {e.index: e for e in EARLIER}) is None


def test_a_correction_may_name_another_day_for_the_event() -> None:
    told = event(9, "correction", of="assessment", to={"day": {"known": False}})
    found = correction(told, {e.index: e for e in EARLIER})
    assert found is not None
    assert days_of(when(found.right.day, date(2024, 1, 1), after_cells=True), date(2024, 1, 1)) == {
        "precision": "unknown"
    }

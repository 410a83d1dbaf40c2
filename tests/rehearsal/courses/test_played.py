"""Every course, given and made up, against its publication: each event with its day, the end, what was assumed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from domain.core.errors import Reason, Refused
from rehearsal.courses.courses_run import Played, play_courses
from rehearsal.courses.known import catalogued
from rehearsal.world.opening import stage
from tests.conftest import fresh
from tests.rehearsal.courses.played import START, courses_of, day_0, expected, play, told

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
MISSING = {
    ("U-09", 10): "already: the death is recorded",
    ("U-09", 11): "no earlier event of this source is meant",
}
CORRECTED = {  # the corrected event keeps its own day, unless the correction names another for it
    ("U-01", 7): {"precision": "day", "day": 28},
    ("U-09", 0): {"precision": "day", "day": 2},
    ("U-09", 4): {"precision": "day", "day": 5},
    ("U-09", 5): {"precision": "day", "day": 0},
    ("U-09", 7): {"precision": "day", "day": 60},
    ("U-09", 9): {"precision": "day", "day": 100},
}


@pytest.fixture(scope="module", params=["given", "unseen"])
async def file(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
async def played(postgres: str, file: str, tmp_path_factory: pytest.TempPathFactory) -> Sequence[Played]:
    dsn = await fresh(postgres, f"courses_{file}_{tmp_path_factory.mktemp(file).parent.name.replace('-', '_')}")
    return await play(dsn, tmp_path_factory.mktemp("keys"), courses_of(file))


@pytest.fixture(scope="module")
async def cases(played: Sequence[Played]) -> Mapping[str, dict[str, Any]]:
    return told(played)


async def test_every_published_event_is_represented_on_its_day(cases: Mapping[str, Any], file: str) -> None:
    for course in courses_of(file):
        case = cases[course.patient]
        by_index = {row["index"]: row for row in case["represented"]}
        missing = {(course.patient, row["index"]) for row in case["missing"]}
        assert missing == {m for m in MISSING if m[0] == course.patient}, case["missing"]
        assert all(MISSING[course.patient, row["index"]] in row["reason"] for row in case["missing"])
        assert len(by_index) + len(missing) == len(course.events)
        for event in course.events:
            if event.index in by_index:
                own = expected(event.kind, event.day.told)
                assert by_index[event.index]["recorded_day"] == own, (course.patient, event)
                corrected = by_index[event.index].get("corrected_day")
                assert corrected == CORRECTED.get((course.patient, event.index)), (course.patient, event)


async def test_nothing_assumed_was_refused(cases: Mapping[str, Any]) -> None:
    assert {patient: case["problems"] for patient, case in cases.items() if case["problems"]} == {}


async def test_the_end_is_the_publications(cases: Mapping[str, Any], file: str) -> None:
    for course in courses_of(file):
        end = cases[course.patient]["end_state"]
        assert end["status"] == {True: "alive", False: "dead", None: "unknown"}[course.alive], course.patient
        infusions = sum(e.kind in ("infusion", "reinfusion") for e in course.events)
        assert len(end["infusions"]) == infusions
        assert end["transplants"] == sum(e.kind == "transplant" for e in course.events)
        living = course.alive is not False and infusions
        assert end["follow_up"] == ("open" if living else "died" if infusions else "none"), course.patient
        assert (end["stage"] == "closed") == (course.alive is False)


async def test_treatments_are_told_apart(cases: Mapping[str, Any], file: str) -> None:
    wanted = {"U-02": 3, "U-03": 1, "U-04": 2, "U-10": 2} if file == "unseen" else {"Li24-1": 2, "Brudno-1": 1}
    assert {patient: cases[patient]["end_state"]["treatments"] for patient in wanted} == wanted


async def test_every_fact_says_whether_it_was_published_or_assumed(played: Sequence[Played]) -> None:
    for one in played:
        published = {fact.id for fact in one.facts.values()}
        assert all(f.provenance.startswith(f"published: {one.script.course.source}") for f in one.facts.values())
        assert len(published) == len(one.facts)


async def test_nothing_of_the_source_is_lost(played: Sequence[Played]) -> None:
    """Every word and number of an event is in the facts that its command brought about."""
    for one in played:
        for event in one.script.course.events:
            if event.index not in one.facts or event.kind == "correction":
                continue
            said = str(one.facts[event.index].event)
            for name, value in event.fields.items():
                if value is None or isinstance(value, bool | dict):
                    continue
                assert str(value) in said or repr(value) in said, (one.script.course.patient, name, said)


async def test_contradictions_are_kept_and_said(cases: Mapping[str, Any], file: str) -> None:
    if file == "unseen":
        assert cases["U-04"]["contradictions"] == [
            "assessment (event 1) lies after the death",
            "reinfusion (event 3) lies after the death",
            "follow_up (event 4) lies after the death",
        ]
    else:
        assert cases["P-ML-004"]["contradictions"] == ["assessment (event 3) lies after the death"]


async def test_facts_are_dated_by_day_0_of_their_course(cases: Mapping[str, Any]) -> None:
    for case in cases.values():
        for event in case["events"]:
            if event["occurred"]["precision"] == "day":
                days = (day_0(case).fromisoformat(event["occurred"]["earliest"][:10]) - day_0(case)).days
                assert event["days"]["day"] == days


async def test_the_same_seed_gives_the_same_events_in_the_same_order(postgres: str, tmp_path: Path) -> None:
    courses = [c for c in courses_of("unseen") if c.patient in ("U-02", "U-09")]
    seen = []
    for n, seed in enumerate((7, 7, 8)):
        dsn = await fresh(postgres, f"repeat_{n}_{tmp_path.name.replace('-', '_')}")
        async with stage(START, seed, database=dsn, folder=tmp_path / str(n)) as scene:
            ran = await play_courses(scene, courses, catalogued())
            seen.append([(f.id, f.at, f.event) for one in ran for f in scene.ledger.facts(one.case)])
    assert seen[0] == seen[1]
    assert seen[0]
    assert [f[0] for f in seen[0]] != [f[0] for f in seen[2]]


async def test_only_an_empty_rehearsal_ledger_will_do(postgres: str, tmp_path: Path) -> None:
    dsn = await fresh(postgres, f"empty_{tmp_path.name.replace('-', '_')}")
    courses = courses_of("unseen")[5:6]
    await play(dsn, tmp_path, courses)
    with pytest.raises(Refused) as ended:
        await play(dsn, tmp_path, courses)
    assert ended.value.reason is Reason.ALREADY
    with pytest.raises(Refused) as foreign:
        async with stage(START, 1, database=dsn, folder=tmp_path, name="somebody else"):
            pass
    assert foreign.value.reason in (Reason.ALREADY, Reason.NOT_ALLOWED)

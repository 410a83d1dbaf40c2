"""Invented courses: never treated, treated years later, corrected in words, malformed … each asserted exactly."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from rehearsal.command import rehearse_courses
from rehearsal.courses.report import malformed, table
from tests.conftest import fresh
from tests.rehearsal.courses.played import HERE, START

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
UNKNOWN = {"precision": "unknown"}


def day(number: int) -> dict[str, Any]:
    return {"precision": "day", "day": number}


@pytest.fixture(scope="module")
async def told(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    folder = tmp_path_factory.mktemp("invented")
    dsn = await fresh(postgres, f"invented_{folder.parent.name.replace('-', '_')}")
    text = (HERE / "invented.json").read_text(encoding="utf-8")
    return await rehearse_courses(text, database=dsn, folder=folder, start=START)


@pytest.fixture(scope="module")
async def cases(told: Mapping[str, Any]) -> Mapping[str, Any]:
    return {case["patient"]: case for case in told["courses"]}


EVENTS = {
    "I-01": [
        (0, "leukapheresis", "OtherTreatmentReported", day(-30)),
        (1, "manufacturing_failure", "OccurrenceReported", day(-9)),
        (2, "off_study", "OffStudyReported", day(-5)),
    ],
    "I-02": [(0, "progression", "ProgressionReported", day(-12)), (1, "death", "DeathReported", day(-4))],
    "I-03": [],
    "I-04": [
        (0, "lymphodepletion", "DepletionGiven", day(-150)),
        (1, "infusion", "InfusionCompleted", day(0)),
        (2, "assessment", "ResponseAssessed", {"precision": "bound", "first": 167, "last": 199}),
        (3, "second malignancy", "MalignancyReported", day(900)),
    ],
    "I-05": [
        (0, "infusion", "InfusionCompleted", day(0)),
        (1, "relapse", "ProgressionReported", day(120)),
        (2, "lymphodepletion", "OtherTreatmentReported", day(140)),
        (3, "transplant", "TransplantGiven", day(145)),
        (4, "reinfusion", "InfusionCompleted", day(4100)),
        (5, "follow_up", "LaboratoryReported", day(4200)),
    ],
    "I-06": [
        (0, "infusion", "InfusionCompleted", day(0)),
        (1, "assessment", "ResponseAssessed", day(28)),
        (2, "toxicity", "ToxicityReported", day(3)),
        (3, "correction", "ResponseAssessed", day(100)),
        (4, "correction", "ToxicityReported", UNKNOWN),
        (5, "death", "DeathReported", day(40)),
        (6, "correction", "DeathRetracted", {"precision": "instant", "day": 50}),
    ],
    "[/red] I-07": [
        (0, "infusion", "InfusionCompleted", day(0)),
        (1, "toxicity", "ToxicityReported", day(3)),
        (4, "toxicity", "ToxicityReported", day(3)),
    ],
    "I-08": [
        (0, "infusion", "InfusionCompleted", day(0)),
        (1, "infusion", "InfusionCompleted", day(400)),
        (2, "lymphodepletion", "DepletionOmitted", day(0)),
    ],
    "I-09": [
        (0, "SLEDAI-2K", "ResponseAssessed", day(-1)),
        (1, "infusion", "InfusionCompleted", day(0)),
        (2, "CRS", "ToxicityReported", {"precision": "bound", "first": 1, "last": 2}),
        (3, "CRS resolved", "ToxicityResolved", {"precision": "bound", "first": 3, "last": 9}),
        (4, "hypogammaglobulinaemia", "ToxicityReported", {"precision": "bound", "first": 28, "last": None}),
        (5, "pregnancy", "OccurrenceReported", {"precision": "bound", "first": 547, "last": 913}),
        (6, "flare", "ProgressionReported", {"precision": "bound", "first": 0, "last": 900}),
        (7, "vital status", "LaboratoryReported", day(1000)),
    ],
    "I-10": [
        (0, "infusion", "InfusionCompleted", day(0)),
        (1, "infusion", "InfusionCompleted", UNKNOWN),
        (2, "infection", "InfectionReported", day(9)),
        (3, "correction", "InfectionReported", UNKNOWN),
        (5, "correction", "InfectionReported", day(21)),
    ],
}  # fmt: skip
MISSING = {
    "[/red] I-07": [
        {"index": 2, "kind": "toxicity", "day": {"known": True, "at": "4"}, "reason": "day: `at` is no number of days"},
        {"index": 3, "kind": None, "day": None, "reason": "is no object"},
    ],
    "I-10": [
        {
            "index": 4,
            "kind": "correction",
            "day": {"known": True, "at": 20},
            "reason": "no earlier event of this source is meant by the correction",
        }
    ],
}
ENDS = {  # status, stage, exit, follow-up, treatments, infusions, transplants, death
    "I-01": ("alive", "closed", "not_suitable", "none", 0, 0, 0, None),
    "I-02": ("dead", "closed", "died", "none", 0, 0, 0, day(-4)),
    "I-03": ("alive", "admission", None, "none", 0, 0, 0, None),
    "I-04": ("unknown", "infusion", None, "open", 1, 1, 0, None),
    "I-05": ("dead", "closed", "died", "died", 2, 2, 1, {"precision": "bound", "first": None, "last": 4200}),
    "I-06": ("alive", "infusion", None, "open", 1, 1, 0, None),
    "[/red] I-07": ("unknown", "infusion", None, "open", 1, 1, 0, None),
    "I-08": ("alive", "infusion", None, "open", 2, 2, 0, None),
    "I-09": ("dead", "closed", "died", "died", 1, 1, 0, {"precision": "bound", "first": None, "last": 1000}),
    "I-10": ("dead", "closed", "died", "died", 1, 2, 0, {"precision": "bound", "first": None, "last": 60}),
}


async def test_every_event_is_represented_on_its_day_or_named_as_missing(cases: Mapping[str, Any]) -> None:
    said = {
        name: [(row["index"], row["kind"], row["type"], row["recorded_day"]) for row in case["represented"]]
        for name, case in cases.items()
    }
    assert said == EVENTS
    assert {name: case["missing"] for name, case in cases.items() if case["missing"]} == MISSING
    assert {name: case["problems"] for name, case in cases.items() if case["problems"]} == {}


async def test_every_case_ends_as_its_course_does(cases: Mapping[str, Any]) -> None:
    keys = ("status", "stage", "exit", "follow_up", "treatments", "infusions", "transplants", "death")
    ends = {name: dict(case["end_state"]) for name, case in cases.items()}
    for end in ends.values():
        end["infusions"] = len(end["infusions"])
    assert {name: tuple(end[key] for key in keys) for name, end in ends.items()} == ENDS


async def test_a_correction_changes_what_it_means_and_nothing_else(cases: Mapping[str, Any]) -> None:
    rows = {row["index"]: row for row in cases["I-06"]["represented"]}
    assert (rows[3]["corrects"], rows[3]["corrected_day"]) == (rows[1]["event"], day(28))
    assert (rows[4]["corrects"], rows[4]["corrected_day"]) == (rows[2]["event"], day(3))
    superseded = {e["event"] for e in cases["I-06"]["events"] if e["superseded"]}
    assert superseded == {rows[1]["event"], rows[2]["event"]}


async def test_what_a_source_says_beside_its_events_is_kept(cases: Mapping[str, Any]) -> None:
    beside = [
        e for e in cases["I-08"]["events"] if e["event"] not in {r["event"] for r in cases["I-08"]["represented"]}
    ]
    assert [(e["type"], e["days"]) for e in beside] == [("OccurrenceReported", UNKNOWN), ("VisitRecorded", day(500))]
    assert cases["I-08"]["protocol"]["matched_by"] == "NCT04030195"
    assert "product class" in cases["I-02"]["made_up"]
    assert "product class" not in cases["I-04"]["made_up"]


async def test_contradictions_are_said(cases: Mapping[str, Any]) -> None:
    said = {name: case["contradictions"] for name, case in cases.items() if case["contradictions"]}
    assert said == {
        "I-06": ["a death is told, and the patient is last known alive"],
        "[/red] I-07": [
            "toxicity (event 1) is of grade 5, and no death is told",
            "toxicity (event 4) is of grade 5, and no death is told",
            "toxicity (event 4) is told twice, first as event 1",
        ],
    }


async def test_what_is_malformed_is_named_and_the_rest_is_played(told: Mapping[str, Any]) -> None:
    assert told["refused"] == [
        {"patient": "I-07b", "errors": [{"event": None, "field": "events", "reason": "is no list"}]}
    ]
    assert malformed(told) == [
        "[/red] I-07: end.alive: is neither true, false nor null",
        "[/red] I-07: events[2].day: `at` is no number of days",
        "[/red] I-07: events[3]: is no object",
        "I-07b: events: is no list",
    ]
    assert table(told["courses"]).row_count == len(told["courses"])
    json.loads(json.dumps(told, allow_nan=False))

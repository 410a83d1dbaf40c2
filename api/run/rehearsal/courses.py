"""Published patient courses as a file tells them: read whole or refused with every problem named."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.run.rehearsal.days import Day, read_day

KINDS = (
    "assessment", "correction", "death", "follow_up", "hospitalised", "infection", "infusion", "laboratory",
    "lymphodepletion", "off_study", "other_treatment", "progression", "reinfusion", "toxicity", "toxicity_resolved",
    "transplant", "trial_hold",
)  # fmt: skip
"""What the format's `about` lists; anything else is read, and reported as missing."""
SHOWN = 20


class CoursesInvalid(ValueError):
    """The file cannot be rehearsed; the message names patient and field of every problem."""


@dataclass(frozen=True, slots=True)
class Published:
    """One event of a course. `index` is its place in the source, `fields` all it says beside kind and day."""

    index: int
    kind: str
    day: Day
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Course:
    """One patient as published. `alive` None = the source does not say."""

    patient: str
    publication: str
    events: tuple[Published, ...]
    alive: bool | None = None
    last_known: str = ""
    product: str = ""
    product_class: str = ""
    disease: str = ""
    age: str = ""
    sex: str = ""
    sources: tuple[str, ...] = ()
    dose: Mapping[str, Any] = field(default_factory=dict)
    prior: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """What the events rest on, in a few words."""
        return self.publication or (self.sources[0] if self.sources else "the file itself")


def read_courses(text: str | bytes) -> Sequence[Course]:
    """Every course of a file. Raises CoursesInvalid."""
    try:
        told = json.loads(text)
    except ValueError as error:
        raise CoursesInvalid(f"not JSON: {error}") from error
    rows = told.get("courses") if isinstance(told, Mapping) else told
    if not isinstance(rows, list) or not rows:
        raise CoursesInvalid("courses: not a list with at least one course")
    problems: list[str] = []
    courses = [_course(row, number, problems) for number, row in enumerate(rows)]
    names = [course.patient for course in courses]
    problems += [f"{name}: patient: stands twice in the file" for name in sorted(set(names)) if names.count(name) > 1]
    if problems:
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise CoursesInvalid("; ".join(problems[:SHOWN]) + more)
    return courses


def _course(row: object, number: int, problems: list[str]) -> Course:
    if not isinstance(row, Mapping):
        problems.append(f"courses[{number}]: is no object")
        return Course(f"courses[{number}]", "", ())
    patient = row.get("patient")
    name = patient if isinstance(patient, str) and patient.strip() else f"courses[{number}]"
    if name != patient:
        problems.append(f"{name}: patient: has no name")
    end = _object(row, "end", name, problems)
    if end.get("alive") not in (True, False, None):
        problems.append(f"{name}: end.alive: is neither true, false nor null")
    told = row.get("sources")
    return Course(
        name,
        _text(row.get("publication")),
        _events(row.get("events"), name, problems),
        end.get("alive"),
        _text(end.get("last_known")),
        product=_text(row.get("product")),
        product_class=_text(row.get("product_class")),
        disease=_text(row.get("disease")),
        age=_text(row.get("age")),
        sex=_text(row.get("sex")),
        sources=tuple(map(_text, told)) if isinstance(told, list) else (),
        dose=_object(row, "dose", name, problems),
        prior=_object(row, "prior", name, problems),
    )


def _object(row: Mapping[str, Any], key: str, name: str, problems: list[str]) -> Mapping[str, Any]:
    value = row.get(key)
    if value is None or isinstance(value, Mapping):
        return value or {}
    problems.append(f"{name}: {key}: is no object")
    return {}


def _events(rows: object, name: str, problems: list[str]) -> tuple[Published, ...]:
    if not isinstance(rows, list):
        problems.append(f"{name}: events: is no list")
        return ()
    events: list[Published] = []
    for index, row in enumerate(rows):
        where = f"{name}: events[{index}]"
        if not isinstance(row, Mapping) or not isinstance(row.get("kind"), str) or not row["kind"]:
            problems.append(f"{where}.kind: is missing")
            continue
        try:
            day = read_day(row.get("day", {"known": False}))
        except ValueError as wrong:
            problems.append(f"{where}.day: {wrong}")
            continue
        fields = {key: value for key, value in row.items() if key not in ("kind", "day")}
        events.append(Published(index, row["kind"], day, fields))
    return tuple(events)


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

"""Published patient courses as a file tells them. What is malformed is named, and everything else is read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearsal.courses.published.days import Day, read_day
from rehearsal.courses.published.kinds import kind_of, written

KNOWN = (
    "patient", "publication", "sources", "age", "sex", "disease", "prior", "product", "product_class", "dose",
    "events", "end",
)  # fmt: skip
NO_DAY = Day("unknown", None, None, {"known": False})


class CoursesInvalid(ValueError):
    """The file as a whole is none of the format."""


@dataclass(frozen=True, slots=True)
class CourseFault:
    """Names what of a course could not be read: the field, why, and the place of the event it belongs to."""

    field: str
    reason: str
    event: int | None = None
    row: object = None

    def __str__(self) -> str:
        """Write it in one line."""
        where = "" if self.event is None else f"events[{self.event}]"
        return f"{'.'.join(filter(None, (where, self.field)))}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Published:
    """One event of a course. `index` is its place in the source, `fields` all it says beside kind and day.

    `told` is the source's own word for the kind, where it is another one.
    """

    index: int
    kind: str
    day: Day
    fields: Mapping[str, Any]
    told: str = ""

    @property
    def word(self) -> str:
        """Return the kind as the source calls it."""
        return self.told or self.kind


@dataclass(frozen=True, slots=True)
class Course:
    """One patient as published. `alive` None = the source does not say; `more` is what has no field of its own."""

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
    more: Mapping[str, Any] = field(default_factory=dict)
    last_day: Day = NO_DAY
    wrong: tuple[CourseFault, ...] = ()

    @property
    def source(self) -> str:
        """Say in a few words what the events rest on."""
        return self.publication or (self.sources[0] if self.sources else "the file itself")

    @property
    def playable(self) -> bool:
        """Return whether there is a patient with a list of events, be it empty."""
        return not any(w.field in ("", "events") and w.event is None for w in self.wrong)


def read_courses(text: str | bytes) -> Sequence[Course]:
    """Return every course of a file, each with what is wrong with it. Raises CoursesInvalid."""
    try:
        told = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise CoursesInvalid(f"not JSON: {error}") from error
    rows = told.get("courses") if isinstance(told, Mapping) else told
    if not isinstance(rows, list) or not rows:
        raise CoursesInvalid("courses: not a list with at least one course")
    names: dict[str, int] = {}
    return [_course(row, number, names) for number, row in enumerate(rows)]


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _course(row: object, number: int, names: dict[str, int]) -> Course:
    if not isinstance(row, Mapping):
        return Course(f"courses[{number}]", "", (), wrong=(CourseFault("", "is no object"),))
    wrong: list[CourseFault] = []
    name = _name(row.get("patient"), number, names, wrong)
    odd = {key: why for key, value in row.items() if key not in ("events", "patient") for why in _odd(value)}
    wrong += [CourseFault(key, why) for key, why in odd.items()]
    row = {key: value for key, value in row.items() if key not in odd}
    end = _object(row, "end", wrong)
    alive = end.get("alive")
    if alive not in (True, False, None) or isinstance(alive, int | float) is not isinstance(alive, bool):
        wrong.append(CourseFault("end.alive", "is neither true, false nor null"))
        alive = None
    sources = row.get("sources")
    return Course(
        name,
        _text(row.get("publication")),
        _events(row.get("events"), wrong),
        alive,
        _last(end),
        product=_text(row.get("product")),
        product_class=_text(row.get("product_class")),
        disease=_text(row.get("disease")),
        age=_text(row.get("age")),
        sex=_text(row.get("sex")),
        sources=tuple(map(_text, sources)) if isinstance(sources, list) else tuple(filter(None, [_text(sources)])),
        dose=_object(row, "dose", wrong),
        prior=_object(row, "prior", wrong),
        more={key: value for key, value in row.items() if key not in KNOWN and value is not None},
        last_day=_day(end.get("day"), "end.day", wrong),
        wrong=tuple(wrong),
    )


def _name(told: object, number: int, names: dict[str, int], wrong: list[CourseFault]) -> str:
    """A patient without a name, or with that of another, goes by its place in the file."""
    odd = next(iter(_odd(told)), "")
    name = told.strip() if isinstance(told, str) and not odd else ""
    if odd:
        wrong.append(CourseFault("patient", odd))
    elif not name:
        wrong.append(CourseFault("patient", "has no name"))
    elif name in names:
        wrong.append(CourseFault("patient", f"stands twice in the file, first as courses[{names[name]}]"))
        name = f"{name} (courses[{number}])"
    names.setdefault(name, number)
    return name or f"courses[{number}]"


def _object(row: Mapping[str, Any], key: str, wrong: list[CourseFault]) -> Mapping[str, Any]:
    value = row.get(key)
    if value is None or isinstance(value, Mapping):
        return value or {}
    wrong.append(CourseFault(key, "is no object"))
    return {}


def _last(end: Mapping[str, Any]) -> str:
    """How the patient was last known, with whatever else the end says."""
    known = end.get("last_known")
    rest = {k: v for k, v in end.items() if k not in ("alive", "last_known", "day") and v is not None}
    return _text(rest | {"last_known": known} if rest else known)


def _day(told: object, where: str, wrong: list[CourseFault]) -> Day:
    try:
        return NO_DAY if told is None else read_day(told)
    except ValueError as why:
        wrong.append(CourseFault(where, str(why)))
        return NO_DAY


def _events(rows: object, wrong: list[CourseFault]) -> tuple[Published, ...]:
    if not isinstance(rows, list):
        wrong.append(CourseFault("events", "is no list"))
        return ()
    read = (_event(row, index) for index, row in enumerate(rows))
    told = list(read)
    wrong += [one for one in told if isinstance(one, CourseFault)]
    return tuple(one for one in told if isinstance(one, Published))


def _event(row: object, index: int) -> Published | CourseFault:
    if not isinstance(row, Mapping):
        return CourseFault("", "is no object", index, row)
    word = row.get("kind")
    if not isinstance(word, str) or not word.strip():
        return CourseFault("kind", "is missing" if word is None else "is no word", index, row)
    odd = next((CourseFault(key, why, index, row) for key, value in row.items() for why in _odd(value)), None)
    if odd:
        return odd
    try:
        day = NO_DAY if row.get("day") is None else read_day(row["day"])
    except ValueError as why:
        return CourseFault("day", str(why), index, row)
    kind = kind_of(word)
    fields = {key: value for key, value in row.items() if key not in ("kind", "day")}
    return Published(index, kind, day, fields, "" if written(word) == kind else word.strip())


def _odd(value: object) -> Iterable[str]:
    """What no ledger can keep: half a character, an invisible NUL, a number without end."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
            yield "holds a character that is none"
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield "holds a number without end"
    elif isinstance(value, Mapping | list):
        inside = [*value, *value.values()] if isinstance(value, Mapping) else value
        yield from (odd for one in inside for odd in _odd(one))


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

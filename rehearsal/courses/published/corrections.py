"""Finds which earlier event a published correction means, and how that event reads once corrected."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rehearsal.courses.published.courses import Published
from rehearsal.courses.published.days import read_day
from rehearsal.courses.published.kinds import kind_of
from rehearsal.courses.published.prose import days_in, kinds_in, mentions, prose, reworded

NAMING = ("of", "corrects", "target", "event", "earlier", "fact", "of_kind")
OLD = ("was", "from", "earlier_call", "old")
NEW = ("to", "now", "becomes", "instead", "corrected", "new")
SAID_OF = {
    "toxicity": ("name", "grade", "grade_at_least"),
    "toxicity_resolved": ("name",),
    "infection": ("organism", "site", "grade", "grade_at_least"),
    "assessment": ("result",),
    "death": ("cause",),
    "lymphodepletion": ("regimen",),
    "transplant": ("number", "donor"),
    "laboratory": ("what",),
    "other_treatment": ("what",),
    "trial_hold": ("by",),
    "progression": ("what",),
    "hospitalised": ("what",),
    "off_study": ("what",),
    "infusion": ("cells", "dose"),
    "reinfusion": ("cells", "dose"),
}
"""What is said of each kind that can be corrected; the first is what a bare new value replaces."""
DENIED = re.compile(
    r"\b(never happened|did not (happen|occur)|not confirmed|ruled out|retracted|in error)\b", re.IGNORECASE
)
"""How a source takes something back altogether: no new value of any field."""
Filter = Callable[[Published], bool]


@dataclass(frozen=True, slots=True)
class Correction:
    """`target` is the place of the earlier event, `right` that event as it should have been, `reason` what is left.

    `retracts`: it never happened; only of a death.
    """

    target: int
    right: Published
    reason: str
    retracts: bool = False


def correction(event: Published, told: Mapping[int, Published]) -> Correction | None:
    """`told` are the events so far as they stand, by place. None = no earlier event is meant by this."""
    known = [e for e in told.values() if e.kind in SAID_OF and e.index != event.index]
    found = _meant(event, sorted(known, key=lambda e: (e.index < event.index, e.index)))
    if found is None:
        return None
    fields = {k: v for k, v in event.fields.items() if k not in (*NAMING, *OLD, *NEW)}
    fresh, day = _fresh(event, found)
    if not fresh and day is found.day and (text := prose(event.fields)):
        fresh = reworded(text, SAID_OF[found.kind])
    said = {k: v for k, v in fields.items() if k in SAID_OF[found.kind]}
    overlay = said | fresh
    right = replace(found, fields={k: v for k, v in found.fields.items() if k not in _gone(overlay)} | overlay)
    reason = {k: v for k, v in event.fields.items() if k not in said} | {"day": dict(event.day.told)}
    why = json.dumps(reason, ensure_ascii=False, sort_keys=True)
    alive = found.kind == "death" and any(_plain(v) in ("alive", "true", "false") for v in fresh.values())
    return Correction(found.index, replace(right, day=day), why, alive)


def _meant(event: Published, known: Sequence[Published]) -> Published | None:
    """The newest event that fits all that the correction says of it; what fits none is not held against them.

    None also where it names something and nothing that was told fits any of it.
    """
    named = next((event.fields[n] for n in NAMING if event.fields.get(n) is not None), None)
    if isinstance(named, int) and not isinstance(named, bool):
        return next((e for e in known if e.index == named), None)
    kinds = _kinds(event, named)
    left = [e for e in known if e.kind in kinds] if kinds else list(known)
    anything = bool(kinds) or named is None
    for fits in _filters(event, named):
        narrowed = [e for e in left if fits(e)]
        left, anything = narrowed or left, anything or bool(narrowed)
    return left[-1] if left and anything else None


def _kinds(event: Published, named: object) -> set[str]:
    kind = named.get("kind") if isinstance(named, Mapping) else named
    if isinstance(kind, str) and kind_of(kind) in SAID_OF:
        return {kind_of(kind)}
    if in_words := kinds_in(prose(event.fields)) & set(SAID_OF):
        return in_words
    said = {name for name in event.fields if name not in (*NAMING, *OLD, *NEW)}
    fitting = [k for k, names in SAID_OF.items() if said & set(names)]
    return set(fitting)


def _filters(event: Published, named: object) -> Sequence[Filter]:
    """Name, earlier value and day, as far as they are said."""
    filters: list[Filter] = []
    text = prose(event.fields)
    if days := days_in(text):
        filters.append(lambda e: e.day.form == "at" and e.day.first in days)
    if text:
        filters.append(lambda e: mentions(text, e.fields))
    if isinstance(named, str):
        filters.append(lambda e: _plain(named) in map(_plain, e.fields.values()))
    if isinstance(named, Mapping):
        pairs = [(k, v) for k, v in named.items() if k not in ("kind", "day")]
        filters += [lambda e, k=k, v=v: e.fields.get(k) == v for k, v in pairs]  # type: ignore[misc]
        filters += [_on(named["day"])] if "day" in named else []
    if name := event.fields.get("name"):
        filters.append(lambda e: e.fields.get("name") == name)
    old = next((event.fields[n] for n in OLD if event.fields.get(n) is not None), None)
    if isinstance(old, Mapping):
        filters += [lambda e, k=k, v=v: e.fields.get(k) == v for k, v in old.items()]  # type: ignore[misc]
    elif old is not None:
        filters.append(lambda e: _plain(old) in map(_plain, e.fields.values()))
    return filters


def _on(told: object) -> Filter:
    try:
        day = read_day(told)
    except ValueError:
        return lambda _: True
    return lambda e: (e.day.first, e.day.last) == (day.first, day.last)


def _fresh(event: Published, found: Published) -> tuple[dict[str, Any], Any]:
    """The new values, and the day: an earlier event keeps its own unless the correction names another for it."""
    new = next((event.fields[n] for n in NEW if event.fields.get(n) is not None), None)
    if new is None:
        return {}, found.day
    if not isinstance(new, Mapping):
        denied = isinstance(new, str) and DENIED.search(new) is not None
        field = str(event.fields.get("field") or ("correction" if denied else _field(found.kind, new)))
        new = {field: {"known": True, "at": new} if field == "day" else new}
    fresh = {k: v for k, v in new.items() if k not in ("kind", "day")}
    try:
        return fresh, read_day(new["day"]) if "day" in new else found.day
    except ValueError:
        return fresh | {"day": new["day"]}, found.day


def _field(kind: str, value: object) -> str:
    number = isinstance(value, int) and not isinstance(value, bool)
    return "grade" if number and "grade" in SAID_OF[kind] else SAID_OF[kind][0]


def _gone(overlay: Mapping[str, Any]) -> set[str]:
    """An exact grade replaces a lower bound, and the other way round."""
    pair = {"grade", "grade_at_least"}
    return pair if pair & set(overlay) else set()


def _plain(value: object) -> str:
    return str(value).casefold().strip()

"""Reads annotations, in this one place: what kind of value a field of a command takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from domain.core.personal import Unread
from domain.core.when import When


@dataclass(frozen=True, slots=True)
class Shape:
    """Says what an annotation comes to: its kind, whether it may be left out, what it is chosen from or made of.

    Kinds: text, number, check (yes or no), maybe (yes, no or nothing said), instant, date, hours, when, choice (one of
    `words`, of the enumeration `inner` where it is one), many (some of `words`), lines (several texts), several (of
    `inner`), nested (the dataclass `inner`), one_of (one of the dataclasses `inner`, whose names are `words`).
    """

    kind: str
    optional: bool = False
    words: Sequence[str] = ()
    inner: Any = None


PLAIN: Mapping[Any, str] = {
    bool: "check",
    int: "number",
    datetime: "instant",
    date: "date",
    timedelta: "hours",
    When: "when",
    str: "text",
}


@cache
def _shapes(command: object) -> Mapping[str, Shape]:
    assert isinstance(command, type)
    hints = get_type_hints(command, include_extras=True)
    return {field.name: shape_of(hints[field.name]) for field in fields(command) if field.name != "type"}


def shapes(command: type[Any]) -> Mapping[str, Shape]:
    """Return the shape of every field of a dataclass but `type`, by name and in their order."""
    kind: object = command
    return _shapes(kind)


def shape_of(hint: Any) -> Shape:  # noqa: ANN401 - an annotation
    """Return the shape of an annotation. What has none of its own is text."""
    members = [one for one in _members(hint) if one not in (NoneType, Unread)]
    optional = NoneType in _members(hint)
    if len(members) > 1 and all(is_dataclass(one) for one in members):
        return Shape("one_of", optional, [one.__name__ for one in members], members)
    return replace(_single(members[0], optional=optional), optional=optional)


def _single(hint: Any, *, optional: bool) -> Shape:  # noqa: ANN401 - an annotation
    if get_origin(hint) is Literal:
        return Shape("choice", words=[str(one) for one in get_args(hint)])
    if get_origin(hint) is tuple:
        return _list(get_args(hint)[0])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Shape("choice", words=[str(one.value) for one in hint], inner=hint)
    if hint is bool and optional:
        return Shape("maybe")
    if hint in PLAIN:
        return Shape(PLAIN[hint])
    return Shape("nested", inner=hint) if is_dataclass(hint) else Shape("text")


def _list(inner: Any) -> Shape:  # noqa: ANN401 - an annotation
    one = shape_of(inner)
    if one.kind == "choice":
        return Shape("many", words=one.words, inner=one.inner)
    return Shape("lines") if one.kind == "text" else Shape("several", inner=inner)


def _members(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401 - an annotation
    if get_origin(hint) is Annotated:
        return _members(get_args(hint)[0])
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)

"""Tells what a case would take now, by trying: a command is decided with made-up words, and nothing of it is kept.

What is tried varies one field at a time over what it may be chosen from. A command is impossible where every try is
refused for what the case is, never for what was typed: then no form could bring it about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from domain.case.state import Case
from domain.core.about import About
from domain.core.errors import Refused
from domain.core.policy import Policy
from domain.core.shape import Shape, shapes
from domain.core.when import When
from domain.engine.decide import decide

MOST = 48
"""Tries for one command; a command with more to choose from counts as possible."""
MONTH, HOUR = timedelta(days=30), timedelta(hours=1)
Known = Mapping[str, Sequence[str]]
"""The ids a field is chosen from, by the name of the field, or of a command and its field: what this case knows."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A case at an instant, with what its ids are chosen from; `by`: who would give the command."""

    case: Case
    now: datetime
    policy: Policy
    known: Known
    by: str = ""

    def refusal(self, command: type[Any], **given: Any) -> Refused | None:  # noqa: ANN401 - fields of any command
        """Return why a command cannot be given whatever is typed; None where it may be possible.

        `given` are values of fields that are not varied.
        """
        known = self._known(command)
        if any(not known[name] for name in self.ids_of(command) if name not in given):
            return None
        found: Refused | None = None
        for n, tried in enumerate(self._tries(command, given)):
            refused = self._refused(tried)
            if refused is None or n == MOST or (refused.field or "type") not in ("type", *known):
                return None
            found = found or refused
        return found

    def lacks(self, command: type[Any]) -> str:
        """Return the field that must name something of this case, of which there is none; empty where none is."""
        return next((name for name in self.ids_of(command) if not self._known(command)[name]), "")

    def left(self, command: type[Any], field: str) -> Sequence[str]:
        """Return those ids of a field with which the command may be possible; all of them where it is with none."""
        ids = self._known(command)[field]
        return [one for one in ids if self.refusal(command, **{field: one}) is None] or ids

    def ids_of(self, command: type[Any]) -> Sequence[str]:
        """Return the fields that must name something this case knows."""
        known = self._known(command)
        return [one.name for one in _asked(command) if one.needed and one.name in known]

    def named_by(self, command: type[Any], about: str, obligation: str) -> Mapping[str, str]:
        """Return which fields of a command an obligation fills in: those that can name what it is about, or itself."""
        names = {about, About.of(about).id, About.of(about).round, obligation}
        found = {name: one for name, ids in self._known(command).items() for one in ids if one in names}
        return {name: one for name, one in found.items() if one in self.left(command, name)}

    def _known(self, command: type[Any]) -> Known:
        """By field: what this command's own is chosen from, else what any field of that name is."""
        text = [one.name for one in _asked(command) if one.shape.kind == "text"]
        both = {name: self.known.get(f"{command.__name__}.{name}", self.known.get(name)) for name in text}
        return {name: ids for name, ids in both.items() if ids is not None}

    def _tries(self, command: type[Any], given: Mapping[str, Any]) -> Iterator[Any]:
        known = self._known(command)
        asked = {one.name: one for one in _asked(command)}
        ways = {n: known[n] if n in known and one.needed else self._ways(one) for n, one in asked.items()}
        ways |= {name: [value] for name, value in given.items()}
        if not all(ways.values()):
            return
        plain = {name: way[0] for name, way in ways.items()}
        yield command(**plain)
        for name, way in ways.items():
            yield from (command(**{**plain, name: other}) for other in way[1:])

    def _ways(self, one: _Asked) -> Sequence[Any]:
        """Return what a field is tried with; nothing where none can be made up."""
        if one.name == "by" and not one.needed:
            return [self.by]
        if not one.needed and one.shape.kind not in ("check", "choice"):
            return [one.default]
        return _MADE[one.shape.kind](one.shape, self.now) if one.shape.kind in _MADE else ()

    def _refused(self, command: Any) -> Refused | None:  # noqa: ANN401 - any command
        try:
            decide(self.case, command, self.now, lambda: "made-up", self.policy)
        except Refused as refused:
            return refused
        return None


@dataclass(frozen=True, slots=True)
class _Asked:
    name: str
    shape: Shape
    needed: bool
    default: Any


@cache
def _fields(command: object) -> Sequence[_Asked]:
    assert isinstance(command, type)
    found = shapes(command)
    return [_one(field, found[field.name]) for field in fields(command) if field.name != "type"]


def _asked(command: type[Any]) -> Sequence[_Asked]:
    kind: object = command
    return _fields(kind)


def _one(field: Field[Any], shape: Shape) -> _Asked:
    needed = field.default is MISSING and field.default_factory is MISSING
    return _Asked(field.name, shape, needed, () if field.default is MISSING else field.default)


def _words(shape: Shape, _: datetime) -> Sequence[Any]:
    return [shape.inner(word) if shape.inner else word for word in shape.words]


_MADE: Mapping[str, Callable[[Shape, datetime], Sequence[Any]]] = {
    "text": lambda _, __: ["1"],
    "number": lambda _, __: [1],
    "check": lambda _, __: [True, False],
    "choice": _words,
    "instant": lambda _, now: [now, now + MONTH],
    "date": lambda _, now: [now.date(), (now + MONTH).date()],
    "hours": lambda _, __: [HOUR],
    "when": lambda _, now: [When.at(now)],
    "many": lambda shape, now: [(word,) for word in _words(shape, now)],
    "lines": lambda _, __: [("1",)],
}
"""Kind of a field → what it is tried with."""

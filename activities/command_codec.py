"""Commands as they arrive: JSON in, one dataclass of the union out, or a refusal that names the field."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from hashlib import sha256
from types import NoneType
from typing import Annotated, Any, Union, get_type_hints

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from activities.gateways import REFERENCE, is_reference
from domain.catalogue import streams as catalogue
from domain.core import json_names
from domain.core.json_names import TWICE, NamedTwice
from domain.core.names import visible
from domain.core.when import When
from domain.criteria.analytes import UNITS
from domain.journey import COMMANDS

STRICT = ConfigDict(extra="forbid", strict=True)
TOLD = frozenset({"ReportTrialHold", "ReportTrialResumed", "RegisterAddress", "ConfirmProtocolOpen", "ConfirmSite"})
"""Commands whose `by` is somebody outside, told by whoever sends it; everywhere else it is who is signed in."""
MOST_FAULTS, MAX_NAME = 20, 60
LONGEST = 500
"""Characters of a text that is not sealed, and of each of a catalogue; the longest that are meant are addresses."""

LONGER: Mapping[str, int] = {"source": 2000, "change": 2000}
"""Where a text is meant to be longer: several sources of one entry, what an amendment changes."""

MESSAGES: Mapping[str, str] = {
    "missing": "is required",
    "unexpected_keyword_argument": "is not a field of this command",
    "string_type": "must be text",
    "int_type": "must be a whole number without a unit",
    "bool_type": "must be true or false",
    "date_from_datetime_parsing": "must be a day, as 2026-11-21",
    "date_type": "must be a day, as 2026-11-21",
    "date_parsing": "must be a day, as 2026-11-21",
    "datetime_type": "must be an instant with a zone, as 2026-11-21T09:00:00Z",
    "datetime_parsing": "must be an instant with a zone, as 2026-11-21T09:00:00Z",
    "datetime_from_date_parsing": "must be an instant with a zone, as 2026-11-21T09:00:00Z",
    "dataclass_type": "must be an object with fields of its own",
    "value_error": "does not hold together",
}
WHEN = (
    'must be a time, as {"precision": "day", "earliest": "2026-11-20T00:00:00Z", "latest": "2026-11-20T23:59:59Z"}, '
    'or {"precision": "unknown"}'
)
MEMBERS = frozenset({"str", "int", "bool", "none", "datetime", "date", "function-after", "function-before"})
"""What pydantic adds to the place of an error for members of a union."""
FIELD = re.compile("[a-z][a-z0-9_]{0,39}")
PLAIN = (str, int, NoneType)
"""What holds no time."""
YEARS = range(1900, 2200)
Tree = Mapping[str, Any]
"""One JSON object."""
NAIVE = "must have a zone, as 2026-11-21T09:00:00Z"


@dataclass(frozen=True, slots=True)
class CommandFault:
    """Names one thing that is wrong with a command, with a JSON pointer to where."""

    detail: str
    pointer: str


class Unreadable(Exception):
    """Says that the body is no command. `faults` says what is wrong and where; none = it is not even JSON.

    No value that was sent is repeated.
    """

    def __init__(self, detail: str, *faults: CommandFault) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = faults


@dataclass(frozen=True)
class Commands:
    """A closed set of command classes, told apart by their `type`."""

    classes: Sequence[type[Any]]
    sealed_too: bool = False
    """Whether texts that are sealed are short as well, as in the catalogue; notes of a case may be long."""

    @cached_property
    def by_name(self) -> Mapping[str, type[Any]]:
        """Return the classes by their `type`."""
        return {c.__name__: c for c in self.classes}

    @property
    def adapter(self) -> TypeAdapter[Any]:
        """Strict: no unknown field, no number as text, no text as number."""
        return _adapter(tuple(self.classes))

    def parse_outside(self, said: Tree, actor: str) -> Any:  # noqa: ANN401 - any command
        """Parse what somebody outside says, whose plain texts must be references. Raises Unreadable."""
        command = Commands.parse(self, said, actor)
        if faults := list(unsayable(command)):
            raise Unreadable(f"{command.type} cannot be read", *faults)
        return command

    def parse(self, said: bytes | Tree, actor: str, *, only: Collection[str] = (), default: str = "") -> Any:  # noqa: ANN401 - any command
        """Parse the command of a JSON text or of its tree, its `by` set to the actor. Raises Unreadable."""
        tree = read_json(said) if isinstance(said, bytes) else said
        name = tree.get("type", default)
        if not isinstance(name, str) or name not in (only or self.by_name):
            raise Unreadable("no command of that type is taken here", CommandFault(_unknown(name), "#/type"))
        if "by" in tree and name not in TOLD and "by" in self.by_name[name].__dataclass_fields__:
            raise Unreadable("a field is not yours to set", CommandFault("is set to who is signed in", "#/by"))
        if isinstance(said, bytes) and "type" in tree:
            return signed(self._validated(name, said, tree), actor)
        text = to_json({**tree, "type": name})
        _without_nul(text, tree)
        return signed(self._validated(name, text, tree), actor)

    def _validated(self, name: str, text: bytes, tree: Tree) -> Any:  # noqa: ANN401 - any command
        try:
            command = self.adapter.validate_json(text)
        except ValidationError as error:
            faults = [
                _fault(one["type"], one["loc"], tree, one.get("ctx", {})) for one in error.errors(include_url=False)
            ]
        else:
            faults = [*untimely(command), *overlong(command, sealed_too=self.sealed_too), *blank(command)]
            if not faults and command.type == name:
                return command
        unique = {fault.pointer: fault for fault in reversed(faults) if fault}
        raise Unreadable(f"{name} cannot be read", *list(reversed(unique.values()))[:MOST_FAULTS])

    def digest(self, stream: str, command: Any) -> bytes:  # noqa: ANN401 - any command
        """Return what an idempotency key is remembered with: the same for the same command, however it was written."""
        return sha256(stream.encode() + b"\0" + self.adapter.dump_json(command)).digest()

    def schema(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """JSON Schema of the union and of its members, for the API's description."""
        whole = self.adapter.json_schema(ref_template="#/components/schemas/{model}")
        members = whole.pop("$defs", {})
        for name in set(self.by_name) - TOLD:
            members[name].get("properties", {}).pop("by", None)
            members[name].setdefault("required", []).append("type")
        return whole, members


@cache
def _adapter(classes: Sequence[type[Any]]) -> TypeAdapter[Any]:
    union: Any = Annotated[Union[tuple(classes)], Field(discriminator="type")]  # noqa: UP007 - a table
    return TypeAdapter(union, config=STRICT)


CASE = Commands(COMMANDS)
CATALOGUE = Commands(catalogue.COMMANDS, sealed_too=True)


def read_json(body: bytes) -> dict[str, Any]:
    """Return an object, however deep or odd the text claims to be. Raises Unreadable.

    A name that stands twice in one object would leave open which of the two counts.
    """
    try:
        tree = from_json(body, allow_inf_nan=False)
        json_names.loads(body)
    except NamedTwice:
        raise Unreadable(TWICE, CommandFault(TWICE, "#")) from None
    except (ValueError, RecursionError):
        raise Unreadable("the body is not JSON") from None
    if not isinstance(tree, dict):
        raise Unreadable("the body must be one JSON object", CommandFault("must be an object", "#"))
    _without_nul(body, tree)
    return tree


def _without_nul(text: bytes, tree: Tree) -> None:
    if b"\\u0000" in text and (pointer := next(_nul(tree, "#"), None)):
        raise Unreadable("text holds a character that cannot be kept", CommandFault("holds a NUL character", pointer))


def signed(command: Any, actor: str) -> Any:  # noqa: ANN401 - any command
    """Return the same command in the actor's name."""
    if command.type in TOLD or "by" not in command.__dataclass_fields__:
        return command
    return replace(command, by=actor)


def unsayable(command: Any) -> Iterator[CommandFault]:  # noqa: ANN401 - any command
    """Find plain texts that say more than a reference or a unit can: words may name somebody, for ever."""
    hints = get_type_hints(type(command), include_extras=True)
    for field in fields(command):
        text = getattr(command, field.name)
        if hints[field.name] is str and text and not (is_reference(text) or text in UNITS):
            yield CommandFault(REFERENCE, f"#/{field.name}")


def untimely(value: Any, pointer: str = "#") -> Iterator[CommandFault]:  # noqa: ANN401 - any part of a command
    """Find instants without a zone, or where nothing of a patient's can have happened or be planned."""
    if isinstance(value, datetime) and value.tzinfo is None:
        yield CommandFault(NAIVE, pointer)
    elif isinstance(value, date):
        if value.year not in YEARS:
            yield CommandFault(f"must lie between {YEARS.start} and {YEARS.stop}", pointer)
    elif isinstance(value, When) and (words := _too_wide(value)):
        yield CommandFault(words, f"{pointer}/latest")
    elif is_dataclass(value):
        for name in value.__dataclass_fields__:
            if not isinstance(part := getattr(value, name), PLAIN):
                yield from untimely(part, f"{pointer}/{name}")
    elif isinstance(value, tuple):
        for n, one in enumerate(value):
            yield from untimely(one, f"{pointer}/{n}")


LONGEST_DAY = timedelta(hours=25)
"""The day on which summer time ends."""


def _too_wide(when: When) -> str:
    """Say what is wrong with an instant that lasts, or a day that does not end."""
    if when.precision not in ("instant", "day") or when.earliest is None or when.latest is None:
        return ""
    lasts = when.latest - when.earliest
    if when.precision == "instant":
        return "is the same as earliest in an instant; a span has the precision bound" if lasts else ""
    return "is at most a day after earliest; a span has the precision bound" if lasts > LONGEST_DAY else ""


def overlong(command: Any, *, sealed_too: bool) -> Iterator[CommandFault]:  # noqa: ANN401 - any command
    """Find texts that are kept for ever, shown in lists and sent to each caller, and are longer than any of them is."""
    hints = get_type_hints(type(command), include_extras=True)
    for field in fields(command):
        text = getattr(command, field.name)
        most = LONGER.get(field.name, LONGEST)
        if isinstance(text, str) and len(text) > most and (sealed_too or hints[field.name] is str):
            yield CommandFault(f"has at most {most} characters", f"#/{field.name}")


def blank(value: Any, pointer: str = "#") -> Iterator[CommandFault]:  # noqa: ANN401 - any part of a command
    """Find texts that are there and show nothing, as blanks for a name or a reason."""
    if isinstance(value, str):
        if value and not visible(value):
            yield CommandFault("is empty: nothing of it shows", pointer)
    elif is_dataclass(value):
        for name in value.__dataclass_fields__:
            yield from blank(getattr(value, name), f"{pointer}/{name}")
    elif isinstance(value, tuple):
        for n, one in enumerate(value):
            yield from blank(one, f"{pointer}/{n}")


def _nul(value: Any, pointer: str) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(value, str) and "\0" in value:
        yield pointer
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _nul(one, f"{pointer}/{name}" if "\0" not in name else pointer)
            if "\0" in name:
                yield pointer
    elif isinstance(value, list):
        for n, one in enumerate(value):
            yield from _nul(one, f"{pointer}/{n}")


def _fault(kind: str, loc: tuple[int | str, ...], tree: Tree, rule: Mapping[str, Any]) -> CommandFault | None:
    """Return the fault; None for what the members of a nested union say that the sender did not mean."""
    steps = list(loc[1:])
    inner = tree.get(str(steps[0])) if steps else None
    if isinstance(inner, dict) and len(steps) > 1 and str(steps[1])[:1].isupper():
        if steps[1] != inner.get("type"):
            return (
                None if inner.get("type") in CASE.by_name else CommandFault("is no such command", f"#/{steps[0]}/type")
            )
        del steps[1]
    known = [str(step) for step in steps if step not in MEMBERS and "[" not in str(step)]
    if kind == "unexpected_keyword_argument" and known and not FIELD.fullmatch(known[-1]):
        known[-1:] = []  # what cannot be a name of ours may be anything, a person's name too
    if kind == "dataclass_type" and rule.get("class_name") == When.__name__:
        return CommandFault(WHEN, "/".join(["#", *known]))
    listed = f"must be {rule.get('expected')}" if kind == "literal_error" else "has no value this field can take"
    return CommandFault(MESSAGES.get(kind, listed), "/".join(["#", *known]))


def _unknown(name: object) -> str:
    shown = name if isinstance(name, str) and name.isidentifier() and len(name) <= MAX_NAME else ""
    return f"{shown} is no command that is taken here" if shown else "name a command"

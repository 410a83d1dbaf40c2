"""Commands as they arrive: JSON in, one dataclass of the union out, or a problem that names the field."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, Union

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from api.http.problems import Fault, Problem, invalid
from domain.catalogue import streams as catalogue
from domain.engine.decide import COMMANDS

MAX_BODY = 256 * 1024
STRICT = ConfigDict(extra="forbid", strict=True)
TOLD = frozenset({"ReportTrialHold", "ReportTrialResumed", "RegisterAddress", "ConfirmProtocolOpen"})
"""Commands whose `by` is somebody outside, told by whoever sends it; everywhere else it is who is signed in."""
MOST_FAULTS, MAX_NAME = 20, 60

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
    "value_error": "does not hold together",
}
MEMBERS = frozenset({"str", "int", "bool", "none", "datetime", "date", "function-after", "function-before"})
"""What pydantic adds to the place of an error for members of a union."""
FIELD = re.compile("[a-z][a-z0-9_]{0,39}")
YEARS = range(1900, 2200)
NAIVE = "must have a zone, as 2026-11-21T09:00:00Z"


@dataclass(frozen=True)
class Commands:
    """A closed set of command classes, told apart by their `type`."""

    classes: Sequence[type[Any]]

    @cached_property
    def by_name(self) -> Mapping[str, type[Any]]:
        """Class by `type`."""
        return {c.__name__: c for c in self.classes}

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """Strict: no unknown field, no number as text, no text as number."""
        union: Any = Annotated[Union[tuple(self.classes)], Field(discriminator="type")]  # noqa: UP007 - a table
        return TypeAdapter(union, config=STRICT)

    def parse(self, body: bytes, actor: str, *, only: Collection[str] = (), default: str = "") -> Any:  # noqa: ANN401 - any command
        """The command in `body`, its `by` set to the actor. Raises Problem."""
        tree = read_json(body)
        name = tree.get("type", default)
        if not isinstance(name, str) or name not in (only or self.by_name):
            raise invalid("no command of that type is taken here", Fault(_unknown(name), "#/type"))
        if "by" in tree and name not in TOLD and "by" in _fields(self.by_name[name]):
            raise invalid("a field is not yours to set", Fault("is set to who is signed in", "#/by"))
        return signed(self._validated({**tree, "type": name}), actor)

    def _validated(self, tree: dict[str, Any]) -> Any:  # noqa: ANN401 - any command
        try:
            command = self.adapter.validate_json(to_json(tree))
        except ValidationError as error:
            faults = [_fault(one["type"], one["loc"], tree) for one in error.errors(include_url=False)]
        else:
            faults = list(untimely(command))
            if not faults:
                return command
        unique = {fault.pointer: fault for fault in reversed(faults) if fault}
        raise invalid(f"{tree['type']} cannot be read", *list(reversed(unique.values()))[:MOST_FAULTS])

    def digest(self, stream: str, command: Any) -> bytes:  # noqa: ANN401 - any command
        """What an idempotency key is remembered with: the same for the same command, however it was written."""
        return sha256(stream.encode() + b"\0" + self.adapter.dump_json(command)).digest()

    def schema(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """JSON Schema of the union and of its members, for the API's description."""
        whole = self.adapter.json_schema(ref_template="#/components/schemas/{model}")
        members = whole.pop("$defs", {})
        for name in set(self.by_name) - TOLD:
            members[name].get("properties", {}).pop("by", None)
            members[name].setdefault("required", []).append("type")
        return whole, members


CASE = Commands(COMMANDS)
CATALOGUE = Commands(catalogue.COMMANDS)


def read_json(body: bytes) -> dict[str, Any]:
    """An object, however deep or odd the text claims to be. Raises Problem."""
    try:
        tree = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise Problem(400, "malformed", "the body is not JSON") from None
    if not isinstance(tree, dict):
        raise invalid("the body must be one JSON object", Fault("must be an object", "#"))
    if b"\\u0000" in body and (pointer := next(_nul(tree, "#"), None)):
        raise invalid("text holds a character that cannot be kept", Fault("holds a NUL character", pointer))
    return tree


def signed(command: Any, actor: str) -> Any:  # noqa: ANN401 - any command
    """The same command in the actor's name."""
    if command.type in TOLD or "by" not in _fields(type(command)):
        return command
    return replace(command, by=actor)


def untimely(value: Any, pointer: str = "#") -> Iterator[Fault]:  # noqa: ANN401 - any part of a command
    """Where an instant has no zone, or lies where nothing of a patient's can have happened or be planned."""
    if isinstance(value, datetime) and value.tzinfo is None:
        yield Fault(NAIVE, pointer)
    elif isinstance(value, date):
        if value.year not in YEARS:
            yield Fault(f"must lie between {YEARS.start} and {YEARS.stop}", pointer)
    elif is_dataclass(value):
        for name in _fields(type(value)):
            yield from untimely(getattr(value, name), f"{pointer}/{name}")
    elif isinstance(value, tuple):
        for n, one in enumerate(value):
            yield from untimely(one, f"{pointer}/{n}")


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


def _fault(kind: str, loc: tuple[int | str, ...], tree: Mapping[str, Any]) -> Fault | None:
    """None for what the members of a nested union say that the sender did not mean."""
    steps = list(loc[1:])
    inner = tree.get(str(steps[0])) if steps else None
    if isinstance(inner, dict) and len(steps) > 1 and str(steps[1])[:1].isupper():
        if steps[1] != inner.get("type"):
            return None if inner.get("type") in CASE.by_name else Fault("is no such command", f"#/{steps[0]}/type")
        del steps[1]
    known = [str(step) for step in steps if step not in MEMBERS and "[" not in str(step)]
    if kind == "unexpected_keyword_argument" and not FIELD.fullmatch(known[-1]):
        known[-1:] = []  # what cannot be a name of ours may be anything, a person's name too
    return Fault(MESSAGES.get(kind, "has no value this field can take"), "/".join(["#", *known]))


def _unknown(name: object) -> str:
    shown = name if isinstance(name, str) and name.isidentifier() and len(name) <= MAX_NAME else ""
    return f"{shown} is no command that is taken here" if shown else "name a command"


def _fields(command: type[Any]) -> frozenset[str]:
    return frozenset(f.name for f in fields(command))

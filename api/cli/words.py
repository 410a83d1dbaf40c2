"""`field=value` words as the JSON of a command, by the types of the command's fields."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from api.cli.outcome import USAGE, CommandFailed
from domain.core.shape import Shape, shape_of, shapes

YES, NO = ("true", "yes", "1"), ("false", "no", "0")


def command_of(known: Mapping[str, type[Any]], name: str, words: Sequence[str]) -> dict[str, Any]:
    """Return the command as JSON; `field:=json` is taken as it is. Raises CommandFailed(USAGE)."""
    command = known.get(name)
    if command is None:
        near = [one for one in known if one.lower().startswith(name.lower()[:4])]
        raise CommandFailed(USAGE, f"no such command: {name}", [f"perhaps {one}" for one in near])
    known_shapes = shapes(command)
    tree: dict[str, Any] = {"type": name}
    for word in words:
        field, separator, text = word.partition("=")
        if not separator:
            raise CommandFailed(USAGE, f"write {word} as field=value", [_usage(command)])
        plain = field.removesuffix(":")
        if plain not in known_shapes:
            raise CommandFailed(USAGE, f"{name} has no field {plain}", [_usage(command)])
        tree[plain] = _json(text) if field.endswith(":") else value_of(known_shapes[plain], text)
    return tree


def _usage(command: type[Any]) -> str:
    names = " ".join(f"{f.name}=…" for f in fields(command) if f.name not in ("type", "by"))
    return f"{command.__name__} {names}"


def _json(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text)
    except ValueError:
        raise CommandFailed(USAGE, "what follows := must be JSON") from None


def value_of(shape: Shape, text: str) -> Any:  # noqa: ANN401 - JSON
    """Read one word as the JSON its field takes; what does not fit is passed on, so that the API names it."""
    if text == "" and shape.optional:
        return None
    read = READS.get(shape.kind)
    return read(shape, text) if read else text


def _several(shape: Shape, text: str) -> list[Any]:
    inner = shape_of(shape.inner) if shape.inner else Shape("text")
    return [value_of(inner, one) for one in text.split(",") if one]


def _yes_or_no(_: Shape, text: str) -> bool | str:
    return text.lower() in YES if text.lower() in (*YES, *NO) else text


def when_of(text: str) -> dict[str, Any]:
    """2026-11-21, 2026-11-21T09:00Z, ..2026-11-21 (not after), 2026-11-21.. (not before), a..b, unknown."""
    if text == "unknown":
        return {"precision": "unknown"}
    try:
        if ".." in text:
            first, last = text.split("..", maxsplit=1)
            bounds = {"earliest": _start(first) if first else None, "latest": _end(last) if last else None}
            return {"precision": "bound", **bounds}
        precision = "instant" if "T" in text else "day"
        return {"precision": precision, "earliest": _start(text), "latest": _end(text)}
    except ValueError:
        raise CommandFailed(
            USAGE, f"{text} is no date: write 2026-11-21, ..2026-11-21, 2026-11-21T09:00Z or unknown"
        ) from None


def _start(text: str) -> str:
    if "T" in text:
        return datetime.fromisoformat(text).isoformat()
    return datetime.combine(date.fromisoformat(text), time(), UTC).isoformat()


def _end(text: str) -> str:
    if "T" in text:
        return datetime.fromisoformat(text).isoformat()
    return (datetime.fromisoformat(_start(text)) + timedelta(days=1) - timedelta(microseconds=1)).isoformat()


READS: Mapping[str, Callable[[Shape, str], Any]] = {
    "check": _yes_or_no,
    "lines": _several,
    "many": _several,
    "maybe": _yes_or_no,
    "nested": lambda _, text: _json(text),
    "number": lambda _, text: int(text) if text.lstrip("-").isdecimal() else text,
    "one_of": lambda _, text: _json(text),
    "several": _several,
    "when": lambda _, text: when_of(text),
}
"""How a word becomes the JSON of a field of that kind; any other is text."""

"""`field=value` words as the JSON of a command, by the types of the command's fields."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, get_args, get_origin, get_type_hints

from api.cli.outcome import USAGE, Failed
from domain.core.when import When

YES, NO = ("true", "yes", "1"), ("false", "no", "0")


def command_of(known: Mapping[str, type[Any]], name: str, words: Sequence[str]) -> dict[str, Any]:
    """The command as JSON; `field:=json` is taken as it is. Raises Failed(USAGE)."""
    command = known.get(name)
    if command is None:
        near = [one for one in known if one.lower().startswith(name.lower()[:4])]
        raise Failed(USAGE, f"no such command: {name}", [f"perhaps {one}" for one in near])
    hints = get_type_hints(command)
    tree: dict[str, Any] = {"type": name}
    for word in words:
        field, separator, text = word.partition("=")
        if not separator:
            raise Failed(USAGE, f"write {word} as field=value", [_usage(command)])
        plain = field.removesuffix(":")
        if plain not in hints or plain == "type":
            raise Failed(USAGE, f"{name} has no field {plain}", [_usage(command)])
        tree[plain] = _json(text) if field.endswith(":") else value_of(hints[plain], text)
    return tree


def _usage(command: type[Any]) -> str:
    names = " ".join(f"{f.name}=…" for f in fields(command) if f.name not in ("type", "by"))
    return f"{command.__name__} {names}"


def _json(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text)
    except ValueError:
        raise Failed(USAGE, "what follows := must be JSON") from None


def value_of(hint: Any, text: str) -> Any:  # noqa: ANN401 - JSON
    """One word as the JSON its field takes; what does not fit is passed on, so that the API names it."""
    members = {hint, *get_args(hint)}
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        return [value_of(inner, one) for one in text.split(",") if one]
    if When in members:
        return when_of(text)
    if bool in members and text.lower() in (*YES, *NO):
        return text.lower() in YES
    if int in members and text.lstrip("-").isdecimal():
        return int(text)
    if text == "" and type(None) in members:
        return None
    return _json(text) if is_dataclass(hint) else text


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
        raise Failed(
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

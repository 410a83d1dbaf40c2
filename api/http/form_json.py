"""A command as the fields of an HTML form, and a submitted form as the command's JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from api.http.limits import MAX_BODY
from api.http.problems import Fault, invalid
from domain.core.when import When

MOST_FIELDS = 60
WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Asked:
    """One field of a form; `kind` is the type of its input."""

    name: str
    words: str
    kind: str
    required: bool
    choices: Sequence[str] = ()
    many: bool = False
    value: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing that can be answered."""

    type: str
    words: str
    meaning: str
    fields: Sequence[Asked]


def words(name: str) -> str:
    """AcceptPatient → Accept patient; valid_until → Valid until."""
    return WORDS.sub(" ", name).replace("_", " ").capitalize()


def answer_for(command: type[Any], fixed: Mapping[str, str], given: Mapping[str, str] | None = None) -> Answer:
    """The form of a command without what is known already."""
    hints = get_type_hints(command)
    left = [f for f in fields(command) if f.name not in ("type", "by") and f.name not in fixed]
    asked = [_asked(f, hints[f.name], (given or {}).get(f.name, "")) for f in left]
    meaning = (command.__doc__ or "").split("`", maxsplit=1)[0].strip()
    return Answer(command.__name__, words(command.__name__), meaning, asked)


def _asked(field: Field[Any], hint: Any, value: str) -> Asked:  # noqa: ANN401 - an annotation
    needed = field.default is MISSING and field.default_factory is MISSING
    choices, many = _choices(hint)
    kind = KINDS.get(_core(hint), "text")
    return Asked(field.name, words(field.name), kind, needed and kind != "checkbox", choices, many, value)


def _core(hint: Any) -> Any:  # noqa: ANN401 - an annotation
    """What is left of an optional type."""
    members = [one for one in get_args(hint) if one is not type(None)]
    return next((one for one in (hint, *members) if one in KINDS), str)


def _choices(hint: Any) -> tuple[Sequence[str], bool]:  # noqa: ANN401 - an annotation
    if get_origin(hint) is Literal:
        return [str(one) for one in get_args(hint)], False
    inner = get_args(hint)[0] if get_origin(hint) is tuple else None
    return ([str(one) for one in get_args(inner)], True) if get_origin(inner) is Literal else ((), False)


KINDS: Mapping[Any, str] = {bool: "checkbox", int: "number", datetime: "datetime-local", date: "date", When: "date"}


def read_form(body: bytes, most: int = MOST_FIELDS) -> list[tuple[str, str]]:
    """The pairs of a submitted form. Raises Problem."""
    assert len(body) <= MAX_BODY
    try:
        return parse_qsl(body.decode(), max_num_fields=most, keep_blank_values=True, errors="strict")
    except ValueError:
        raise invalid("the form cannot be read") from None


def command_tree(
    command: type[Any], pairs: Sequence[tuple[str, str]], fixed: Mapping[str, str], zone: str
) -> dict[str, Any]:
    """The JSON a form stands for; what is known already is not taken from the form. Raises Problem."""
    hints = get_type_hints(command)
    names = [f.name for f in fields(command) if f.name not in ("type", "by")]
    tree: dict[str, Any] = {"type": command.__name__}
    for name in names:
        if name in fixed:
            tree[name] = fixed[name]
            continue
        values = [value.strip() for key, value in pairs if key == name and value.strip()]
        if _choices(hints[name])[1]:
            tree[name] = values
        elif values or hints[name] is bool:
            tree[name] = _value(name, _core(hints[name]), values[-1] if values else "", ZoneInfo(zone))
    return tree


def _value(name: str, core: Any, text: str, zone: ZoneInfo) -> Any:  # noqa: ANN401 - JSON
    try:
        if core is bool:
            return text == "true"
        if core is int:
            return int(text)
        if core is datetime:
            return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC).isoformat()
        return _day(text, zone) if core is When else text
    except (ValueError, OverflowError):
        raise invalid("a field has no usable value", Fault("cannot be read", f"#/{name}")) from None


def _day(text: str, zone: ZoneInfo) -> dict[str, str]:
    """That day where it was seen."""
    start = datetime.combine(date.fromisoformat(text), time(), zone).astimezone(UTC)
    end = start + timedelta(days=1) - timedelta(microseconds=1)
    return {"precision": "day", "earliest": start.isoformat(), "latest": end.isoformat()}

"""A form that was sent, as the JSON of its command: for the console and for the page behind a link in a mail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from activities.command_codec import TOLD
from api.http.problems import Fault, invalid
from domain.core.shape import Shape, shape_of, shapes
from domain.core.when import When

Pairs = Sequence[tuple[str, str]]
Read = Callable[[str, tzinfo], Any]
SLOTS = 3
"""How many of a list of nested things a form has room for at once."""
OF_A_FILE = ("document", "name", "media_type", "bytes")
"""What the file itself says of a command that names a document."""


def takes_file(command: type[Any]) -> bool:
    """Return whether the form of a command asks for a file."""
    return any(field.name == OF_A_FILE[0] for field in fields(command))


def asked(command: type[Any], above: str = "") -> Sequence[Field[Any]]:
    """Return the fields a form asks for: `by` is who is signed in, except where somebody outside is told of.

    `above`: it stands inside another form, which takes no file.
    """
    given = {"type"} if command.__name__ in TOLD else {"type", "by"}
    given |= set(OF_A_FILE) if takes_file(command) and not above else set()
    return [field for field in fields(command) if field.name not in given]


def numbers(shape: Shape) -> bool:
    """Return whether a form asks for a list of numbers, one on each line."""
    return shape.kind == "several" and shape_of(shape.inner).kind == "number"


class _Nothing:
    """Left empty: the field is not named in the command at all."""


NOTHING = _Nothing()


def form_parse(
    command: type[Any], pairs: Pairs, zone: tzinfo, known: Mapping[str, Any] | None = None, *, rules_say: bool = True
) -> dict[str, Any]:
    """Return the JSON tree. Raises Problem that names every field whose text cannot be read.

    `known` stands in the tree as it is, whatever the form says. `rules_say`: a needed text that was left empty is an
    empty text, about which the rules of the command have the say; else it is left out.
    """
    reader = _Reader(pairs, zone, [], known or {}, rules_say)
    tree = reader.tree(command, "")
    if reader.faults:
        raise invalid("some fields cannot be read", *reader.faults)
    return tree


@dataclass(frozen=True, slots=True)
class _Reader:
    pairs: Pairs
    zone: tzinfo
    faults: list[Fault]
    known: Mapping[str, Any]
    rules_say: bool

    def tree(self, command: type[Any], above: str) -> dict[str, Any]:
        known = shapes(command)
        tree: dict[str, Any] = {"type": command.__name__} if "type" in command.__dataclass_fields__ else {}
        for field in asked(command, above):
            shape, name = known[field.name], f"{above}{field.name}"
            value = self.known[name] if name in self.known else self._value(name, shape)
            if isinstance(value, _Nothing) and self.rules_say and shape.kind == "text" and field.default is MISSING:
                value = ""
            if not isinstance(value, _Nothing):
                tree[field.name] = value
        return tree

    def _value(self, name: str, shape: Shape) -> Any:  # noqa: ANN401 - JSON
        texts = self._texts(name)
        groups: Mapping[str, Callable[[], Any]] = {
            "check": lambda: bool(texts),
            "many": lambda: texts,
            "lines": lambda: self._lines(name),
            "when": lambda: self._when(name),
            "several": lambda: self._several(name, shape),
            "nested": lambda: self.tree(shape.inner, f"{name}.") if self._any(name) else NOTHING,
            "one_of": lambda: self._one_of(name, shape),
        }
        if shape.kind in groups:
            return groups[shape.kind]()
        return self._read(name, READS.get(shape.kind, _text), texts[-1]) if texts else NOTHING

    def _lines(self, name: str) -> list[str]:
        return [line.strip() for text in self._texts(name) for line in text.splitlines() if line.strip()]

    def _several(self, name: str, shape: Shape) -> list[Any]:
        if numbers(shape):
            found = [self._read(name, READS["number"], line) for line in self._lines(name)]
            return [one for one in found if not isinstance(one, _Nothing)]
        found = [self._value(f"{name}.{n}", shape_of(shape.inner)) for n in range(SLOTS)]
        return [one for one in found if not isinstance(one, _Nothing)]

    def _texts(self, name: str) -> list[str]:
        return [value.strip() for key, value in self.pairs if key == name and value.strip()]

    def _any(self, name: str) -> bool:
        return any(key.startswith(f"{name}.") and value.strip() for key, value in self.pairs)

    def _one_of(self, name: str, shape: Shape) -> Any:  # noqa: ANN401 - JSON
        chosen = next(iter(self._texts(f"{name}.type")), "")
        inner = next((one for one in shape.inner if one.__name__ == chosen), None)
        return self.tree(inner, f"{name}.") if inner else NOTHING

    def _when(self, name: str) -> Any:  # noqa: ANN401 - JSON
        if day := self._texts(name):  # a form that only asks for the day
            span = self._day(self._instant_of(name, f"{day[-1]}T00:00"))
            return NOTHING if span[0] is None else _told("day", *span)
        precision = next(iter(self._texts(f"{name}.precision")), "")
        if not precision:
            return NOTHING
        first, last = (self._instant(f"{name}.{part}") for part in ("first", "last"))
        spans: Mapping[str, Callable[[], tuple[datetime | None, datetime | None]]] = {
            "instant": lambda: (first, first),
            "day": lambda: self._day(first),
            "bound": lambda: (first, last),
        }
        earliest, latest = spans.get(precision, lambda: (None, None))()
        if precision in ("instant", "day") and earliest is None:
            self.faults.append(Fault("give the date", _pointer(f"{name}.first")))
            return NOTHING
        return _told(precision, earliest, latest)

    def _instant(self, name: str) -> datetime | None:
        texts = self._texts(name)
        return self._instant_of(name, texts[-1]) if texts else None

    def _instant_of(self, name: str, text: str) -> datetime | None:
        found = self._read(name, _instant, text)
        return datetime.fromisoformat(found) if isinstance(found, str) else None

    def _day(self, at: datetime | None) -> tuple[datetime | None, datetime | None]:
        if at is None:
            return None, None
        when = When.on(at.astimezone(self.zone).date(), self.zone)
        return when.earliest, when.latest

    def _read(self, name: str, read: Read, text: str) -> Any:  # noqa: ANN401 - JSON
        try:
            return read(text, self.zone)
        except (ValueError, OverflowError):
            self.faults.append(Fault("cannot be read", _pointer(name)))
            return NOTHING


def _told(precision: str, earliest: datetime | None, latest: datetime | None) -> dict[str, str]:
    ends = {"earliest": earliest, "latest": latest}
    return {"precision": precision, **{end: at.isoformat() for end, at in ends.items() if at}}


def _pointer(name: str) -> str:
    return "#/" + name.replace(".", "/")


def _text(text: str, _: tzinfo) -> str:
    return text


def _instant(text: str, zone: tzinfo) -> str:
    read = datetime.fromisoformat(text)  # a choice among instants brings its own offset
    return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC).isoformat()


READS: Mapping[str, Read] = {
    "number": lambda text, _: int(text),
    "instant": _instant,
    "date": lambda text, _: date.fromisoformat(text).isoformat(),
    "hours": lambda text, _: f"PT{int(text)}H",
    "maybe": lambda text, _: text == "true",
}
"""How the text of one input becomes JSON."""


def pointed(pointer: str) -> Sequence[str]:
    """List names an error may stand at, the nearest first: #/a/b → a.b, a. Ends of a When are named as its inputs."""
    steps = pointer.removeprefix("#/").replace("earliest", "first").replace("latest", "last").split("/")
    return [".".join(steps[:n]) for n in range(len(steps), 0, -1)]

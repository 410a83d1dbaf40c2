"""Any command as the inputs of a form: its types say which inputs, so a new command needs no page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, replace
from enum import Enum
from typing import Any

from api.console.text.texts import Texts
from api.http.form_parse import SLOTS, Pairs, asked, numbers
from domain.core.shape import Shape, shape_of, shapes

Option = tuple[str, str]
Choices = Mapping[str, Sequence[Option]]
"""What a field of that name, or that field of a command, is chosen from, as far as the case knows it."""

LONG_TEXTS = frozenset({"reason", "note", "text", "finding", "alternative", "detail", "result"})
PRECISIONS = ("instant", "day", "bound", "unknown")


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a form, or a group of them."""

    name: str
    words: str
    kind: str
    needed: bool
    optional: bool
    hint: str = ""
    options: Sequence[Option] = ()
    values: Sequence[str] = ()
    error: str = ""
    parts: Sequence[Input] = ()

    @property
    def value(self) -> str:
        """Return what stands in it."""
        return self.values[-1] if self.values else ""

    @property
    def id(self) -> str:
        """Return the id an error links to."""
        return "f-" + self.name.replace(".", "-")


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes the inputs of one form: texts, what can be chosen, what was typed (None = nothing yet), what is wrong."""

    t: Texts
    choices: Choices
    typed: Pairs | None
    errors: Mapping[str, str]
    fresh: bool = False
    """What is typed already is only a beginning: elsewhere the defaults stand."""
    zone: str = ""
    """Where the clock hangs by which instants are typed."""
    known: Collection[str] = ()
    """What the form's page knows already, and does not ask."""
    of_case: Collection[str] = ()
    """What names something of the case, and so is never typed: with nothing to name there is nothing to choose."""
    by_day: bool = False
    """A day is enough for when something happened."""

    def inputs(self, command: type[Any], above: str = "") -> Sequence[Input]:
        """Return every field that is asked for."""
        known = shapes(command)
        left = [f for f in asked(command, above) if f"{above}{f.name}" not in self.known]
        return [self._field(f, known[f.name], f"{above}{f.name}", command) for f in left]

    def file(self) -> Sequence[Input]:
        """Return the input of a file, which stands last: what is typed is read before it."""
        wrong = self.errors.get("file", "")
        return [
            Input(
                "file",
                self.t("upload.file"),
                "file",
                needed=True,
                optional=False,
                hint=self.t("upload.lead"),
                error=wrong,
            )
        ]

    def _hint(self, command: type[Any], field: str, kind: str) -> str:
        """In words of its own, for this command or for any, and how this kind of input is filled."""
        own = self.t.own("hint", f"{command.__name__}.{field}") or self.t.own("hint", field)
        return f"{own} {self._way(kind)}".strip()

    def _way(self, kind: str) -> str:
        ways = {"instant": lambda: self.t("form.zone", zone=self.zone), "lines": lambda: self.t("form.list")}
        return ways[kind]() if kind in ways else ""

    def _field(self, field: Field[Any], shape: Shape, name: str, command: type[Any]) -> Input:
        free = field.default is not MISSING or field.default_factory is not MISSING
        kind = "lines" if numbers(shape) else shape.kind
        hint = self._hint(command, field.name, kind)
        made = Input(name, self.t.named("field", field.name), kind, not free, free or shape.optional, hint)
        made = replace(made, error=self.errors.get(name, ""), values=self._values(name, field, shape))
        return self._filled(made, shape, field.name, command)

    def _values(self, name: str, field: Field[Any], shape: Shape) -> Sequence[str]:
        typed = [value for key, value in self.typed or () if key == name]
        if typed or not (self.fresh or self.typed is None):
            return typed
        default = field.default
        plain = shape.kind in ("text", "choice", "number") and default is not MISSING and default is not None
        return [str(default.value if isinstance(default, Enum) else default)] if plain and default != "" else []

    def _filled(self, made: Input, shape: Shape, field: str, command: type[Any]) -> Input:
        if made.kind in ("text", "lines"):
            return self._chosen(made, field, command)
        groups: Mapping[str, Callable[[], Input]] = {
            "choice": lambda: replace(made, options=self._worded(field, shape)),
            "many": lambda: replace(made, options=self._worded(field, shape)),
            "maybe": lambda: replace(made, kind="choice", options=self._yes_or_no()),
            "when": lambda: self._whenever(made),
            "nested": lambda: replace(made, parts=self.inputs(shape.inner, f"{made.name}.")),
            "one_of": lambda: self._one_of(made, shape),
            "several": lambda: replace(made, kind="nested", parts=[self._slot(made, shape, n) for n in range(SLOTS)]),
        }
        return groups[made.kind]() if made.kind in groups else made

    def _chosen(self, made: Input, field: str, command: type[Any]) -> Input:
        """Text that is chosen where the case knows what from; the only thing there is stands there already."""
        named = (f"{command.__name__}.{field}", field)
        name = next((name for name in named if name in self.choices or name in self.of_case), "")
        options = self.choices.get(name, ())
        if not options and name not in self.of_case:
            return replace(made, kind="area") if made.kind == "text" and field in LONG_TEXTS else made
        if made.kind == "lines":
            return replace(made, kind="many", options=options)
        untyped = self.fresh or self.typed is None
        only = name in self.of_case and made.needed and len(options) == 1 and untyped
        return replace(made, kind="choice", options=options, values=made.values or [i for i, _ in options if only])

    def _worded(self, field: str, shape: Shape) -> Sequence[Option]:
        return [(one, self.t.named(field, one)) for one in shape.words]

    def _yes_or_no(self) -> Sequence[Option]:
        return [("true", self.t("form.yes")), ("false", self.t("form.no"))]

    def _slot(self, made: Input, shape: Shape, n: int) -> Input:
        name = f"{made.name}.{n}"
        slot = Input(name, f"{made.words} {n + 1}", "when", needed=False, optional=True)
        if shape_of(shape.inner).kind == "when":
            return replace(slot, parts=self._when(name))
        return replace(slot, kind="nested", parts=self.inputs(shape.inner, f"{name}."))

    def _whenever(self, made: Input) -> Input:
        return replace(made, kind="date") if self.by_day else replace(made, parts=self._when(made.name))

    def _when(self, name: str) -> Sequence[Input]:
        t = self.t
        options = [("", t("form.when_now")), *((p, t(f"form.when_{p}")) for p in PRECISIONS)]
        kinds = (
            ("precision", "form.when", "choice"),
            ("first", "form.from", "instant"),
            ("last", "form.until", "instant"),
        )
        return [
            Input(
                f"{name}.{part}",
                t(words),
                kind,
                needed=part == "precision",
                optional=part != "precision",
                hint=self._way(kind),
                options=options if part == "precision" else (),
                values=[value for key, value in self.typed or () if key == f"{name}.{part}"],
                error=self.errors.get(f"{name}.{part}", ""),
            )
            for part, words, kind in kinds
        ]

    def _one_of(self, made: Input, shape: Shape) -> Input:
        """Which of several forms it is stands in `name.type`; without that only the choice is asked."""
        chosen = next((value for key, value in self.typed or () if key == f"{made.name}.type"), "")
        inner = next((one for one in shape.inner if one.__name__ == chosen), None)
        options = [(name, self.t.named("command", name)) for name in shape.words]
        parts = self.inputs(inner, f"{made.name}.") if inner else ()
        return replace(made, options=options, values=[chosen], parts=parts)

"""A command as the fields of a plain HTML form, and the pairs of a form that was sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass
from typing import Any
from urllib.parse import parse_qsl

from api.http.form_parse import asked
from api.http.limits import MAX_BODY
from api.http.problems import invalid
from domain.core.shape import Shape, shapes

MOST_FIELDS = 60
WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a form; `kind` is the type of its input."""

    name: str
    words: str
    kind: str
    required: bool
    choices: Sequence[str] = ()
    many: bool = False
    value: str = ""


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """One thing that can be answered."""

    type: str
    words: str
    meaning: str
    fields: Sequence[FormField]


def words(name: str) -> str:
    """AcceptPatient → Accept patient; valid_until → Valid until."""
    return WORDS.sub(" ", name).replace("_", " ").capitalize()


def answer_for(command: type[Any], fixed: Mapping[str, str], given: Mapping[str, str], meaning: str) -> AnswerForm:
    """Return the form of a command without what is known already."""
    known = shapes(command)
    left = [f for f in asked(command) if f.name not in fixed]
    inputs = [_input(f, known[f.name], given.get(f.name, "")) for f in left]
    return AnswerForm(command.__name__, words(command.__name__), meaning, inputs)


def _input(field: Field[Any], shape: Shape, value: str) -> FormField:
    needed = field.default is MISSING and field.default_factory is MISSING
    kind = INPUTS.get(shape.kind, "text")
    required = needed and kind != "checkbox"
    choices = shape.words if shape.kind in ("choice", "many") else ()
    return FormField(field.name, words(field.name), kind, required, choices, shape.kind == "many", value)


INPUTS: Mapping[str, str] = {
    "check": "checkbox",
    "maybe": "checkbox",
    "number": "number",
    "hours": "number",
    "instant": "datetime-local",
    "date": "date",
    "when": "date",
}
"""The type of the input for a kind of field; a day is enough for when something happened."""


def read_form(body: bytes, most: int = MOST_FIELDS) -> list[tuple[str, str]]:
    """Return the pairs of a submitted form. Raises Problem."""
    assert len(body) <= MAX_BODY
    try:
        return parse_qsl(body.decode(), max_num_fields=most, keep_blank_values=True, errors="strict")
    except ValueError:
        raise invalid("the form cannot be read") from None

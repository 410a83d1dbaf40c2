"""Texts that are kept in the clear, and those of the catalogue, are short; notes of a case may be long."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, get_type_hints

import pytest

from activities.command_codec import CASE, CATALOGUE, LONGER, LONGEST, Commands, Unreadable, overlong

PERSON = {"type": "RegisterPerson", "role": "coordinator", "team": "asia", "name": "A", "mail": "a@example.org",
          "zone": "UTC", "language": "en"}  # fmt: skip
LONG = "x" * (LONGEST + 1)
INQUIRY = {"type": "OpenCase", "country": "IN", "language": "en", "zone": "Asia/Kolkata", "patient_name": "A. Rao",
           "team": "asia"}  # fmt: skip


def parsed(commands: Commands, said: dict[str, Any]) -> Any:
    return commands.parse(json.dumps(said).encode(), "person-1")


@pytest.mark.parametrize(
    ("commands", "said", "field"),
    [(CATALOGUE, PERSON, name) for name in ("team", "name", "mail", "zone", "language")]
    + [(CASE, INQUIRY, name) for name in ("team", "country", "zone")],
)
def test_a_long_text_is_refused_by_its_name_and_not_repeated(
    commands: Commands, said: dict[str, Any], field: str
) -> None:
    with pytest.raises(Unreadable) as refused:
        parsed(commands, {**said, field: LONG})
    assert [(one.pointer, one.detail) for one in refused.value.faults] == [
        (f"#/{field}", f"has at most {LONGEST} characters")
    ]
    assert LONG not in f"{refused.value}{refused.value.faults}"
    assert getattr(parsed(commands, {**said, field: LONG[:-1]}), field) == LONG[:-1], "the control"


def test_what_somebody_writes_of_a_case_may_be_long() -> None:
    note = {"type": "AddNote", "kind": "note", "text": "x" * 100_000}
    assert len(parsed(CASE, note).text) == 100_000


@pytest.mark.parametrize("text", [" ", "\u200b", "\u3164", "\u2800", "\u00ad", "\u202e", "\n\t"])
def test_what_shows_nothing_is_no_text(text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        parsed(CASE, {"type": "AddNote", "kind": "note", "text": text})
    assert [(one.pointer, one.detail) for one in refused.value.faults] == [("#/text", "is empty: nothing of it shows")]
    moved = {"type": "OpenCase", "country": "IN", "language": "en", "zone": "Asia/Kolkata", "patient_name": "A"}
    with pytest.raises(Unreadable):
        parsed(CASE, {**moved, "despite_duplicates": text})
    assert parsed(CASE, {**moved, "despite_duplicates": f"{text}twin"}), "the control"


TEXTS = [
    (c, f.name) for c in CATALOGUE.classes for f in fields(c) if f.name != "type" and get_type_hints(c)[f.name] is str
]


@pytest.mark.parametrize(("kind", "field"), TEXTS, ids=lambda one: getattr(one, "__name__", one))
def test_no_text_of_the_catalogue_is_left_out(kind: type[Any], field: str) -> None:
    """Whatever it is called, and whether it is sealed."""
    command = object.__new__(kind)
    for one in fields(kind):
        object.__setattr__(command, one.name, "x" * (LONGER.get(field, LONGEST) + 1) if one.name == field else "")
    assert [fault.pointer for fault in overlong(command, sealed_too=True)] == [f"#/{field}"]


@pytest.mark.parametrize("name", ["[", "a[0]", "a b", "Mr Rao", "\u00e9"])
def test_a_field_whose_name_is_none_of_ours_is_a_fault_without_the_name(name: str) -> None:
    for commands, said in ((CATALOGUE, PERSON), (CASE, INQUIRY)):
        with pytest.raises(Unreadable) as refused:
            parsed(commands, {**said, name: None})
        assert [one.pointer for one in refused.value.faults] == ["#"]

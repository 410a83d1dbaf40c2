"""Says which fields describe a person, and the values that stand where one cannot be read.

A field of an event or command that identifies or describes a person is annotated with one of the types below;
the ledger seals it with the case's data key of that class [privacy.key-classes].
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Annotated, Literal

KeyClass = Literal["identity", "clinical", "trace"]
KEY_CLASSES: tuple[KeyClass, ...] = ("identity", "clinical", "trace")


class Unread(Enum):
    """Stands in for a value that cannot be read; rules treat it as unknown.

    ERASED: its key was destroyed, for good. NO_KEY: its key is not on this machine, and may be on another.
    """

    ERASED = "erased"
    NO_KEY = "no_key"


ERASED, NO_KEY = Unread.ERASED, Unread.NO_KEY


def readable(value: object) -> bool:
    """Return whether a personal value is there at all: not empty, not erased, its key on this machine."""
    return not isinstance(value, Unread) and bool(value)


def unread(value: object) -> Unread | None:
    """Return what keeps something in it from being read, at whatever depth; a missing key before an erasure."""
    found = set(_unread(value))
    return NO_KEY if NO_KEY in found else ERASED if found else None


def _unread(value: object) -> Iterator[Unread]:
    if isinstance(value, Unread):
        yield value
    elif is_dataclass(value):
        for one in fields(value):
            yield from _unread(getattr(value, one.name))
    elif isinstance(value, tuple | list | Mapping):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _unread(one)


@dataclass(frozen=True, slots=True)
class Sealed:
    """Marks a field with its key class."""

    key_class: KeyClass


Identity = Annotated[str | Unread, Sealed("identity")]
"""Names, contacts, numbers, free text about a person. Rules never read it."""

Clinical = Annotated[str | Unread, Sealed("clinical")]
"""Diagnosis, findings, results; birth date and sex, since criteria read them."""

Trace = Annotated[str | Unread, Sealed("trace")]
"""What thirty-year traceability needs: lot, unit and recipient codes [privacy.thirty-years]."""

ClinicalCode = Annotated[str, Sealed("clinical")]
"""A clinical word as a fold keeps it: text, empty where it was never known or its key is destroyed."""

TraceCode = Annotated[str, Sealed("trace")]
"""A code of that class as a fold keeps it: text, empty where it was never known or its key is destroyed."""

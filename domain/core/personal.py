"""Says which fields describe a person, and the value that stands where a key was destroyed.

A field of an event or command that identifies or describes a person is annotated with one of the types below;
the ledger seals it with the case's data key of that class [privacy.key-classes].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Annotated, Literal

KeyClass = Literal["identity", "clinical", "trace"]
KEY_CLASSES: tuple[KeyClass, ...] = ("identity", "clinical", "trace")


class Erased(Enum):
    """Stands in for a value whose key was destroyed; rules treat it as unknown."""

    ERASED = "erased"


ERASED = Erased.ERASED


def readable(value: object) -> bool:
    """Return whether a personal value is there at all: not empty, not erased."""
    return value is not ERASED and bool(value)


def erased(value: object) -> bool:
    """Return whether something in it was erased, at whatever depth."""
    if is_dataclass(value):
        return any(erased(getattr(value, one.name)) for one in fields(value))
    if isinstance(value, tuple | list):
        return any(map(erased, value))
    return value is ERASED or (isinstance(value, Mapping) and any(map(erased, value.values())))


@dataclass(frozen=True, slots=True)
class Sealed:
    """Marks a field with its key class."""

    key_class: KeyClass


Identity = Annotated[str | Erased, Sealed("identity")]
"""Names, contacts, numbers, birth dates, free text about a person. Rules never read it."""

Clinical = Annotated[str | Erased, Sealed("clinical")]
"""Diagnosis, findings, results."""

Trace = Annotated[str | Erased, Sealed("trace")]
"""What thirty-year traceability needs: lot, unit and recipient codes [privacy.thirty-years]."""

TraceCode = Annotated[str, Sealed("trace")]
"""A code of that class as a fold keeps it: text, empty where it was never known or its key is destroyed."""

"""Holds what was read of a file of results: its results, what is wrong with others, what it held that is not read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from domain.case.phases.findings import NotTaken, Statement
from domain.stages.records.results import Form, Result

Why = Literal[
    "attach_file", "bound_only", "faulty", "narrative_only", "no_value", "not_final", "not_observed", "not_read",
    "other_subject", "part_of_other", "section_missing",
]  # fmt: skip
"""Why a part of a file was not taken; each has words in the console."""


@dataclass(frozen=True, slots=True)
class WrongResult:
    """Names what is wrong with one result: where it stands, which column or element, the field it feeds, and why."""

    place: int
    column: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Left:
    """A part of a file that was not taken. `kind` is a FHIR type, a section of a summary, or "line"."""

    place: int
    kind: str
    why: Why


@dataclass(slots=True)
class Read:
    """Holds all that a file came to. `name` is the patient's, in every way the file writes it; it is never kept.

    `used` are the entries that say whose and which document it is: the Patient and the Composition.
    """

    form: Form
    results: list[tuple[int, Result]] = field(default_factory=list)
    statements: list[tuple[int, Statement]] = field(default_factory=list)
    bundle: str = ""
    used: list[int] = field(default_factory=list)
    wrong: list[WrongResult] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    birth: str = ""
    sex: str = ""
    names: Sequence[str] = field(default=(), repr=False)


class Unusable(ValueError):
    """The file, or the mapping, cannot be read at all; the text says why and repeats nothing of it."""

    def __init__(self, detail: str, pointer: str = "#/file") -> None:
        super().__init__(detail)
        self.pointer = pointer


def summed(left: Iterable[Left]) -> tuple[NotTaken, ...]:
    """Return what was not taken, by kind and reason, with how many there were of each."""
    counts: dict[tuple[str, str], int] = {}
    for one in left:
        counts[one.kind, one.why] = counts.get((one.kind, one.why), 0) + 1
    return tuple(NotTaken(kind, why, number) for (kind, why), number in sorted(counts.items()))

"""A case is put together from its phases: each field is in one of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from inspect import get_annotations

from domain.case.state import Case

MOST = 16
"""Fields of one phase."""


def owned(of: type) -> Counter[str]:
    """How many bases of the class have each field of their own."""
    return Counter(name for base in of.__mro__[1:] for name in get_annotations(base))


def test_every_field_of_a_case_is_in_one_phase() -> None:
    assert owned(Case) == Counter(field.name for field in fields(Case))
    assert not get_annotations(Case)


def test_no_phase_grows_into_another_case() -> None:
    assert max(len(get_annotations(base)) for base in Case.__mro__[1:-1]) <= MOST


def test_the_control_sees_a_field_that_is_in_two_phases() -> None:
    @dataclass(frozen=True)
    class Twice(Case):
        pass

    @dataclass(frozen=True)
    class Other:
        visas: int = 0

    mixed: type = dataclass(frozen=True)(type("Mixed", (Twice, Other), {}))
    assert owned(mixed)["visas"] == 2

"""The codes of laboratories: each holds its check digit, and leads to something that is observed."""

from __future__ import annotations

import pytest

from domain.criteria.analytes import ANALYTES
from domain.criteria.loinc import ANALYTE_OF, SAME_UNIT, STATED


def check_digit(digits: str) -> int:
    """By Luhn, as LOINC reckons it: every other digit from the right counts twice."""
    doubled = [int(d) * (2 if n % 2 == 0 else 1) for n, d in enumerate(reversed(digits))]
    return -sum(sum(map(int, str(one))) for one in doubled) % 10


@pytest.mark.parametrize("code", ANALYTE_OF)
def test_the_check_digit_holds(code: str) -> None:
    digits, _, last = code.partition("-")
    assert check_digit(digits) == int(last)
    assert check_digit(str(int(digits) + 1)) != int(last), "the control"


def test_every_code_leads_to_what_is_observed() -> None:
    assert set(ANALYTE_OF.values()) <= set(ANALYTES)
    stated = {code for row in ANALYTES.values() for code in row.codes}
    assert set(STATED.values()) <= stated
    assert set(SAME_UNIT.values()) <= {unit for row in ANALYTES.values() for unit in row.units}

"""What is observed is checked before it is kept, and converted exactly; criteria are checked before they are loaded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from domain.core.errors import Reason, Refused
from domain.criteria.analytes import ALIASES, ANALYTES, ucum
from domain.criteria.criterion import Comparison, Criterion, require_sound
from domain.criteria.observation import canonical, require_born, require_observable, require_plausible
from tests.domain.criteria.observed import among, number

NOW = datetime(2026, 11, 30, tzinfo=UTC)
EXACT = [
    ("creatinine", "2.0", "mg/dL", "176.80"),
    ("bilirubin", "1.5", "mg/dL", "25.65"),
    ("haemoglobin", "8.0", "g/dL", "80"),
    ("platelets", "75000", "/uL", "75"),
    ("neutrophils", "1000", "/mm3", "1"),
    ("fibrinogen", "150", "mg/dL", "1.5"),
    ("weight", "85462.84761341237", "g", "85.46284761341237"),
    ("creatinine", "1.23456789012345678901", "mg/dL", "109.135801486913580148484"),
    ("neutrophils", "1.5", "x10*9/L", "1.5"),
    ("life_expectancy", "12", "weeks", "84"),
    ("karnofsky", "80", "", "80"),
]


@pytest.mark.parametrize(("code", "value", "unit", "expected"), EXACT)
def test_a_value_is_converted_exactly(code: str, value: str, unit: str, expected: str) -> None:
    assert canonical(code, value, unit) == Decimal(expected)


def kept(code: str, value: str, unit: str) -> None:
    require_plausible(code, canonical(code, value, unit))


def limited(code: str, value: str, unit: str) -> None:
    canonical(code, value, unit, "limit", "limit_unit")


WRONG: list[tuple[Callable[[], None], str, str]] = [
    (lambda: kept("lvef", "0.55", "%"), "value", "write 55, not 0.55"),
    (lambda: kept("antigen_percentage", "0.72", "%"), "value", "write 55, not 0.55"),
    (lambda: kept("lvef", "95", "%"), "value", "lvef lies between 5 and 90 %"),
    (lambda: kept("creatinine", "1.4", "umol/L"), "value", "look at value and unit again"),
    (lambda: kept("creatinine", "1.4", "mmol"), "unit", "creatinine is given in umol/L or mg/dL"),
    (lambda: limited("alt", "3", "mmol"), "limit_unit", "alt is given in U/L"),
    (lambda: kept("alt", "high", "U/L"), "value", "must be a number"),
    (lambda: kept("alt", "NaN", "U/L"), "value", "must be a number"),
    (lambda: kept("alt", "1,5", "U/L"), "value", "with a point for decimals"),
    (lambda: kept("alt", "1.234567890123456789012", "U/L"), "value", "at most 21 digits"),
    (lambda: kept("creatinine", "1e999999", "mg/dL"), "value", "must be a number"),
    (lambda: kept("platelets", "1e-999999", "/uL"), "value", "must be a number"),
    (lambda: require_born("20010101", NOW), "birth", "write 1960-12-01, or 1960"),
    (lambda: require_born("2001-W01-1", NOW), "birth", "write 1960-12-01, or 1960"),
    (lambda: require_born("١٩٦٠", NOW), "birth", "write 1960-12-01, or 1960"),
    (lambda: kept("karnofsky", "85", ""), "value", "goes in steps of 10"),
    (lambda: kept("sodium", "140", "mmol/L"), "analyte", "nothing of that name is observed; known are age, ecog"),
    (lambda: require_observable("age"), "analyte", "describe the patient"),
]


@pytest.mark.parametrize(("keep", "field", "words"), WRONG, ids=[words for _, _, words in WRONG])
def test_what_nobody_has_is_refused_by_name(keep: Callable[[], None], field: str, words: str) -> None:
    with pytest.raises(Refused, match=words) as no:
        keep()
    assert (no.value.reason, no.value.field) == (Reason.INVALID, field)


def test_what_is_plausible_is_taken() -> None:
    """Control: half a percent of blasts is half a percent; the ends of a range belong to it."""
    for code, value, unit in [("residual_disease", "0.1", "%"), ("lvef", "5", "%"), ("lvef", "90", "%")]:
        kept(code, value, unit)


def test_every_row_of_the_table_holds_together() -> None:
    for code, row in ANALYTES.items():
        assert bool(row.unit) != bool(row.codes), code
        assert row.lapse or not row.unit or row.low < row.high, code
        assert all(factor > 0 and ucum(unit) == unit for unit, factor in row.factors.items()), code
    assert all(ucum(unit) == unit for unit in ALIASES.values())


def crit(*tests: Comparison, name: str = "a", words: str = "w", within: int | None = None) -> Criterion:
    return Criterion(id=name, kind="inclusion", words=words, ways=(tests,), within_days=within)


LVEF = number("lvef", ">=", "50", "%")
UNSOUND: list[tuple[list[Criterion], str]] = [
    ([crit(number("sodium", ">=", "140", "mmol/L"))], "criterion a: sodium is not observed; known are"),
    ([crit(number("lvef", "=>", "50", "%"))], "criterion a: lvef is compared by <, <=, >, >=, in"),  # type: ignore[arg-type]
    ([crit(number("lvef", ">=", "fifty", "%"))], "lvef needs a number as value"),
    ([crit(number("lvef", ">=", "50", "mL"))], "lvef is compared in %, {ULN}"),
    ([crit(among("lvef", "yes"))], "lvef is compared with a number"),
    ([crit(number("ecog", "<=", "2"))], "ecog is one of: in, with codes 0, 1, 2, 3, 4, 5"),
    ([crit(among("ecog", "0", "9"))], "ecog is one of"),
    ([crit(number("antigen_percentage", ">=", "70", "%"))], "antigen_percentage needs target antigen"),
    ([crit(number("lvef", ">=", "50", "%", target="CD7"))], "lvef takes no target antigen"),
    ([crit(LVEF), crit(LVEF)], "criterion a: needs an id of its own"),
    ([crit(LVEF, name="")], "criterion 1: needs an id of its own"),
    ([crit(LVEF, words=" ")], "criterion a: needs the source's own words"),
    ([crit(LVEF, within=0)], "criterion a: a window has at least one day"),
    ([crit(LVEF, within=9999)], "at most 3660 days"),
    ([crit()], "criterion a: a way has at least one test"),
]


@pytest.mark.parametrize(("criteria", "words"), UNSOUND, ids=[words for _, words in UNSOUND])
def test_criteria_that_cannot_be_read_are_refused_by_name(criteria: list[Criterion], words: str) -> None:
    with pytest.raises(Refused) as no:
        require_sound(criteria)
    assert (no.value.reason, no.value.field) == (Reason.INVALID, "criteria")
    assert words in no.value.detail


def test_sound_criteria_are_taken() -> None:
    """Control: the same, written rightly; and one whose source states no value."""
    require_sound([crit(LVEF, among("ecog", "0", "1")), crit(LVEF, name="b", within=90)])
    require_sound([Criterion(id="organs", kind="inclusion", words="adequate, values not in source")])

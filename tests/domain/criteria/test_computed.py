"""Kidney values that are computed: by which formula, on what they rest, and when there are none [criteria.computed]."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from domain.criteria.computed import ckd_epi, cockcroft_gault, computed
from domain.criteria.observation import Observation, aged
from tests.domain.criteria.observed import NOW, measured


def born(year: str) -> Observation:
    one = aged(year, NOW)
    assert one
    return one


CREATININE, WEIGHT = measured("creatinine", "1.0", "mg/dL", age=3), measured("weight", "72", "kg")


@pytest.mark.parametrize(("female", "value"), [(False, "80"), (True, "68")])
def test_cockcroft_gault(female: bool, value: str) -> None:
    assert cockcroft_gault(Decimal(60), Decimal(1), Decimal(72), female=female) == Decimal(value)


@pytest.mark.parametrize(("age", "creatinine", "female", "value"), [
    (60, "1.0", False, 86), (50, "0.6", True, 109), (50, "1.8", True, 34), (30, "0.9", False, 118),
])  # fmt: skip
def test_ckd_epi(age: int, creatinine: str, female: bool, value: int) -> None:
    assert round(ckd_epi(Decimal(age), Decimal(creatinine), female=female)) == value


def test_a_value_names_its_formula_and_inputs_and_is_as_old_as_the_creatinine() -> None:
    age = born("1966-11-30")
    found = {c.observation.analyte: c for c in computed([age, CREATININE, WEIGHT], "male", NOW)}
    clearance, filtration = found["creatinine_clearance"], found["egfr"]
    assert (str(clearance.observation.low), clearance.observation.method) == ("80.0", "cockcroft_gault")
    assert clearance.inputs == (CREATININE.id, "birth", WEIGHT.id)
    assert filtration.inputs == (CREATININE.id, "birth")
    assert {c.observation.taken for c in found.values()} == {CREATININE.taken}


def test_a_year_of_birth_gives_a_range() -> None:
    found = [c.observation for c in computed([born("1966"), CREATININE, WEIGHT], "male", NOW)]
    assert all(one.low and one.high and one.low < one.high for one in found)


@pytest.mark.parametrize(("known", "sex"), [
    ([born("1966-11-30"), WEIGHT], "male"), ([CREATININE, WEIGHT], "male"),
    ([born("1966-11-30"), CREATININE, WEIGHT], ""), ([born("1966-11-30"), CREATININE, WEIGHT], "other"),
    ([born("2012-01-01"), CREATININE, WEIGHT], "male"),
    ([born("1966-11-30"), CREATININE, replace(CREATININE, id="two", low=Decimal(300), high=Decimal(300))], "male"),
    ([born("1966-11-30"), measured("creatinine", "1", "mg/dL", age=-2)], "male"),
])  # fmt: skip
def test_nothing_is_computed_of_a_child_or_without_one_clear_input(known: list[Observation], sex: str) -> None:
    assert computed(known, sex, NOW) == []

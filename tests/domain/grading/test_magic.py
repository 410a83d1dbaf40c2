"""Acute graft-versus-host disease as MAGIC stages organs and grades the whole [safety.gvhd]."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.grading import magic

STAGES = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 1), st.integers(0, 4))


def grade(skin: int, liver: int, upper: int, lower: int) -> int:
    return magic.acute_gvhd(skin_stage=skin, liver_stage=liver, upper_stage=upper, lower_stage=lower)


@pytest.mark.parametrize(
    ("percent", "bullae", "stage"),
    [
        ("0", False, 0),
        ("24.9", False, 1),
        ("25", False, 2),
        ("50", False, 2),
        ("50.1", False, 3),
        ("90", True, 4),
    ],
)
def test_skin(percent: str, bullae: bool, stage: int) -> None:
    assert magic.skin(Decimal(percent), bullae=bullae) == stage


@pytest.mark.parametrize(
    ("bilirubin", "stage"), [("1.9", 0), ("2", 1), ("3", 1), ("3.1", 2), ("6", 2), ("6.1", 3), ("15", 3), ("15.1", 4)]
)
def test_liver(bilirubin: str, stage: int) -> None:
    assert magic.liver(Decimal(bilirubin)) == stage


@pytest.mark.parametrize(("stool", "stage"), [(499, 0), (500, 1), (999, 1), (1000, 2), (1500, 2), (1501, 3)])
def test_lower_gut(stool: int, stage: int) -> None:
    assert magic.lower_gut(Decimal(stool), severe=False) == stage
    assert magic.lower_gut(Decimal(stool), severe=True) == 4


@pytest.mark.parametrize(
    ("stages", "overall"),
    [
        ((0, 0, 0, 0), 0),
        ((1, 0, 0, 0), 1),
        ((2, 0, 0, 0), 1),
        ((3, 0, 0, 0), 2),
        ((0, 1, 0, 0), 2),
        ((0, 0, 1, 0), 2),
        ((2, 0, 0, 1), 2),
        ((0, 2, 0, 0), 3),
        ((0, 0, 0, 3), 3),
        ((4, 0, 0, 0), 4),
        ((0, 0, 0, 4), 4),
    ],
)
def test_the_whole(stages: tuple[int, int, int, int], overall: int) -> None:
    assert grade(*stages) == overall


@given(STAGES, STAGES)
def test_a_worse_organ_never_lowers_the_grade(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    worse = tuple(map(max, one, other))
    assert max(grade(*one), grade(*other)) <= grade(*worse)

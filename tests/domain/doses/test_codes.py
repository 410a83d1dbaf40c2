"""One code written in many ways is one code, and two codes stay two [doses.codes]."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.core.personal import ERASED
from domain.doses.codes import check_character, folded, same

DONATIONS = st.from_regex(r"[A-Z1-9][0-9]{12}", fullmatch=True)


@pytest.mark.parametrize(
    ("donation", "check"),
    [("G123498654321", "H"), ("A999925123456", "9"), ("A999926000001", "8"), ("W000025000001", "W")],
)
def test_the_check_character_is_the_published_one(donation: str, check: str) -> None:
    assert check_character(donation) == check


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A9999 17 123456", "A999917123456"),
        ("A1", "A1 "),
        ("a1", "A1"),
        ("A\u200b1", "A1"),
        ("\uff21\uff11", "A1"),
        ("\u0410-1", "A-1"),
        ("=A99992512345600", "A999925123456"),
        ("A9999 25 123456 9", "A999925123456"),
    ],
)
def test_ways_of_writing_one_code(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("A10", "A1O"), ("A1", "AI"), ("A-1", "A1"), ("A9999251234568", "A999925123456")]
)
def test_what_is_another_code(one: str, other: str) -> None:
    assert not same(one, other)


@pytest.mark.parametrize("nothing", ["", " ", "\u200b", "\u3164", "\u2800", "\u00ad", "\u202e"])
def test_what_shows_nothing_is_no_code(nothing: str) -> None:
    assert folded(nothing) == ""
    assert not same(nothing, nothing)


def test_what_cannot_be_read_is_the_same_as_nothing() -> None:
    assert not same(ERASED, ERASED)
    assert not same(ERASED, "A1")


@given(DONATIONS)
def test_a_donation_number_is_the_same_with_and_without_its_check_character(donation: str) -> None:
    assert folded(donation + check_character(donation)) == folded(donation) == donation


@given(DONATIONS, st.integers(0, 12), st.sampled_from("0123456789"))
def test_one_wrong_digit_shows_in_the_check_character(donation: str, at: int, digit: str) -> None:
    wrong = donation[:at] + digit + donation[at + 1 :]
    assert wrong == donation or check_character(wrong) != check_character(donation)


@example("\u00b5\u00b4")
@given(st.text(max_size=13))
def test_folding_twice_is_folding_once(code: str) -> None:
    assert same(code, folded(code)) or not folded(code)

"""Probably one person: what speaks for it, what excludes it, and that it never depends on who is asked about first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.core.personal import ERASED
from domain.stages.intake.duplicates import Described, described, grounds

LI = ("Wei Li", "1980-03-02", "wei@family.example", "+86 138 0013 8000")


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (("Li, Wei", "", "", ""), ["name"]),
        (("LI Wèi", "1980", "", ""), ["name"]),
        (("Wei Li Zhang", "", "", ""), ["name"]),
        (("Wei", "", "", ""), []),
        (("Wei Li", "1980-03-02", "", ""), ["name", "birth"]),
        (("Wei Li", "1981", "", ""), []),
        (("Somebody Else", "", "WEI@family.example ", ""), ["contact"]),
        (("Somebody Else", "", "", "0138-00138000"), ["contact"]),
        (("Somebody Else", "", "", "٠١٣٨٠٠١٣٨٠٠٠"), ["contact"]),
        (("Wei Zhang", "1980-03-02", "", ""), ["birth"]),
        (("李伟", "1980-03-02", "", ""), ["birth"]),
        (("李伟", "1980", "", ""), []),
        (("Somebody Else", "1980-03-02", "", ""), []),
        (("Somebody Else", "1980-03-02", "", "38000"), []),
        (("", "", "", ""), []),
    ],
)
def test_what_speaks_for_one_person(other: tuple[str, str, str, str], why: list[str]) -> None:
    assert grounds(described(*LI), described(*other)) == why


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("王小明", "王 小明"),
        ("Łukasz Nowak", "Lukasz Nowak"),
        ("فاطمة علي", "فاطمه على"),
        ("محـمد أحمد", "محمد احمد"),
        ("O'Brien Sean", "OBrien Sean"),
        ("Nguyễn Đặng An", "Nguyen Dang An"),
        ("Søren Sørensen", "Soren Sorensen"),
        ("Yıldız Can", "YILDIZ CAN"),  # noqa: RUF001
        ("Anna-Maria Roth", "Annamaria Roth"),
    ],
)
def test_one_name_is_the_same_however_it_is_written(name: str, other: str) -> None:
    assert grounds(described(name, ""), described(other, "")) == ["name"]


def test_vowel_signs_of_a_line_belong_to_a_name() -> None:
    """राम and रमेश had been taken apart into single consonants, of which one name has what another has."""
    assert grounds(described("राम शर्मा", ""), described("रमेश शर्मा", "")) == []
    assert grounds(described("राम शर्मा", ""), described("राम  शर्मा", "")) == ["name"], "the control"


def test_what_is_erased_counts_as_unknown() -> None:
    assert described(ERASED, ERASED, ERASED) == Described()
    assert grounds(described(*LI), described(ERASED, "1980-03-02", ERASED)) == ["birth"], (
        "no name, so nothing excludes it"
    )


PEOPLE = st.builds(
    described,
    st.sampled_from(["Wei Li", "Li", "李伟", "आशा राव", "Asha Rao", "", "Ángel"]),
    st.sampled_from(["", "1980", "1980-03-02", "1981-01-01"]),
    st.sampled_from(["", "a@b.example", "A@B.example"]),
    st.sampled_from(["", "+91 98765 43210", "98765-43210", "12"]),
)


@given(PEOPLE, PEOPLE)
def test_it_is_the_same_either_way_round(one: Described, other: Described) -> None:
    assert grounds(one, other) == grounds(other, one)


@given(PEOPLE)
def test_whoever_is_known_by_anything_is_like_themselves(one: Described) -> None:
    assert bool(grounds(one, one)) == bool(one.name or one.contacts or len(one.birth) > len("1980"))

"""What something is about is read as it is stored, and stored as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.core.about import About, chased

IDS = st.text(st.characters(codec="ascii", exclude_characters="/:"), min_size=1)


@given(IDS, IDS)
def test_it_is_read_as_it_was_stored(name: str, asked: str) -> None:
    assert About.of(str(About(name, asked))) == About(name, asked)
    assert About.of(str(About(name))) == About(name)


def test_a_round_is_a_number_where_rounds_are_counted() -> None:
    assert About.of("submission-1/3").number == 3
    with pytest.raises(ValueError, match="invalid literal"):
        About.of("submission-1/id-7").number  # noqa: B018 - the property raises


def test_what_is_chased_keeps_its_own_about() -> None:
    kind, about = chased("hospital_decision:submission-1/3")
    assert (kind, About.of(about)) == ("hospital_decision", About("submission-1", "3"))

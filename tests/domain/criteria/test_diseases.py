"""Diseases: what words name, what lies within what, and what their cells mostly carry [criteria.diseases]."""

from __future__ import annotations

import pytest

from domain.criteria.diseases import DISEASES, broader, closest, disease_in, expected, within


@pytest.mark.parametrize(("words", "code"), [
    ("r/r B-ALL, third relapse", "b_all"), ("T-ALL relapsed after allogeneic SCT", "t_all"), ("B\u2011ALL", "b_all"),
    ("CD19+ infant B-ALL", "b_all"), ("refractory T lymphoblastic lymphoma", "t_lbl"), ("lymphoma", "nhl"),
    ("AML (not M3)", "aml"), ("CLL/SLL", "cll"), ("ALL", "all"), ("transformed indolent NHL", "tfl"),
    ("CD7+ haematological malignancy", "haematological"), ("all in all", ""), ("no lymphoma", ""), ("", ""),
    ("DLBCL or B-ALL", ""), ("B-NHL: DLBCL", "dlbcl"), ("smaller cells", ""),
])  # fmt: skip
def test_what_words_name(words: str, code: str) -> None:
    assert disease_in(words) == code


def test_what_is_known_less_exactly_than_it_is_asked_is_not_known() -> None:
    assert (within("dlbcl", "b_nhl"), within("dlbcl", "t_nhl"), within("nhl", "dlbcl")) == (True, False, None)
    assert (closest("dlbcl", ["t_all", "lbcl"]), closest("all", ["b_all"]), closest("myeloma", ["b_all"])) == (
        True, None, False,
    )  # fmt: skip


@pytest.mark.parametrize("code", DISEASES)
def test_every_disease_lies_within_known_ones_and_is_found_by_each_of_its_names(code: str) -> None:
    row = DISEASES[code]
    assert set(row.within) <= set(DISEASES)
    assert code not in {one for other in row.within for one in broader(other)}, "nothing lies within itself"
    assert {disease_in(name.upper()) for name in row.names} == {code}


def test_antigens_are_a_hint_from_the_disease_and_what_it_lies_within() -> None:
    assert expected("b_all") >= {"CD19", "CD22"}
    assert "CD7" not in expected("burkitt")
    assert expected("t_lbl") >= {"CD7", "CD5"}
    assert not expected("")

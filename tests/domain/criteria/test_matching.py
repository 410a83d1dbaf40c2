"""Matching: each reason to rank or exclude, and what never changes a rank [criteria.matching]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.criteria.checks import CHECKS, PREFERRED, RESTS_ON, Name, Offer, Patient
from domain.criteria.matching import STANDINGS, Match, Prepared, match, next_ways
from domain.criteria.observation import Observation, aged
from tests.domain.criteria.observed import NOW, asks, days_ago, measured, number, stated

LVEF = asks((number("lvef", ">=", "50", "%"),))
OFFER = Offer(
    protocol="protocol-1", centre="centre-1", product="allogeneic", targets=("CD19",), diseases=("B-ALL", "DLBCL"),
    criteria=(LVEF,), door="open", accepts_from_abroad=True, country="CN",
    capabilities=frozenset({"cell_therapy", "transplant", "paediatric"}), languages=frozenset({"zh", "hi"}),
)  # fmt: skip
POSITIVE = stated("antigen", "positive", 5, "CD19", "flow")
FACTS: Sequence[Observation] = (measured("lvef", "55", "%", age=3), POSITIVE)
PATIENT = Patient(country="IN", language="hi", disease="b_all", facts=FACTS)


def one(patient: Patient = PATIENT, **changes: Any) -> Match:
    [found] = match(patient, [replace(OFFER, **changes)], NOW)
    return found


def check(found: Match, name: Name) -> str:
    return next(c.result for c in found.checks if c.name == name)


def born(year: str) -> Observation:
    told = aged(year, NOW)
    assert told
    return told


CASES: Sequence[tuple[Name, str, dict[str, Any], dict[str, Any]]] = (
    ("protocol", "no", {"door": "shut"}, {}), ("protocol", "unknown", {"door": "not_known"}, {}),
    ("centre", "no", {"takes_patients": False}, {}),
    ("international", "no", {"accepts_from_abroad": False}, {}),
    ("international", "unknown", {"accepts_from_abroad": None}, {}),
    ("international", "no_matter", {"accepts_from_abroad": False, "country": "IN"}, {}),
    ("paediatric", "no", {"capabilities": frozenset()}, {"facts": (born("2015"),)}),
    ("paediatric", "unknown", {"capabilities": frozenset()}, {}),
    ("paediatric", "unknown", {"capabilities": frozenset()}, {"facts": (born("2008"),)}),
    ("paediatric", "no_matter", {"capabilities": frozenset()}, {"facts": (born("1980"),)}),
    ("diagnosis", "no", {"diseases": ("multiple myeloma",)}, {}),
    ("diagnosis", "unknown", {"diseases": ("myeloma", "??")}, {}),
    ("diagnosis", "unknown", {}, {"disease": ""}), ("diagnosis", "unknown", {}, {"disease": "all"}),
    ("diagnosis", "yes", {"diseases": ("B-cell malignancy",)}, {}),
    ("antigen", "no", {}, {"facts": (stated("antigen", "negative", 5, "CD19", "flow"),)}),
    ("antigen", "unknown", {}, {"facts": (POSITIVE, stated("antigen", "negative", 5, "CD19", "ihc"))}),
    ("antigen", "unknown", {}, {"directed": {"CD19": days_ago(2).day}}),
    ("antigen", "yes", {}, {"directed": {"CD19": days_ago(9).day}}),
    ("antigen", "unknown", {}, {"directed": {"CD19": None}}),
    ("antigen", "yes", {}, {"facts": (POSITIVE, stated("antigen", "negative", 50, "CD19", "flow"))}),
    ("antigen", "yes", {}, {"facts": (measured("antigen_percentage", "80", "%", target="CD19"),)}),
    ("antigen", "yes", {"targets": ("CD19", "CD22")}, {}),
    ("own_cells", "no", {"product": "autologous"}, {"own_cells": ("manufacture_failed",)}),
    ("own_cells", "yes", {}, {"own_cells": ("manufacture_failed",)}),
    ("own_cells", "no_matter", {"product": "autologous"}, {}),
    ("own_cells", "unknown", {"product": "autologous"}, {"disease": "t_all"}),
    ("own_cells", "no_matter", {}, {"disease": "t_all"}),
    ("own_cells", "no_matter", {"product": "autologous"}, {"disease": "haematological"}),
    ("own_cells", "no", {"product": "autologous"}, {"disease": "t_all", "own_cells": ("autologous_not_feasible",)}),
    ("approval", "no_matter", {}, {}), ("approval", "unknown", {"approvals": ()}, {}),
    ("approval", "yes", {"approvals": (("relapsed B-ALL", True),)}, {}),
    ("approval", "yes", {"approvals": (("myeloma", True), ("relapsed B-ALL", True))}, {}),
    ("approval", "no", {"approvals": (("relapsed B-ALL", False),)}, {}),
    ("approval", "no", {"approvals": (("multiple myeloma", True),)}, {}),
    ("approval", "unknown", {"approvals": (("multiple myeloma", True), ("a rare disease", True))}, {}),
    ("approval", "unknown", {"approvals": (("relapsed B-ALL", True),)}, {"disease": ""}),
    ("criteria", "no", {}, {"facts": (measured("lvef", "40", "%"),)}), ("criteria", "unknown", {"criteria": ()}, {}),
    ("criteria", "yes", {}, {"facts": (), "read": {"protocol-1": {"one": "met"}}}),
    ("urgency", "no", {"product": "autologous"}, {"urgent": True}), ("urgency", "yes", {}, {"urgent": True}),
    ("urgency", "no_matter", {}, {}),
    ("transplant", "no", {"capabilities": frozenset({"paediatric"})}, {"disease": "t_all"}),
    ("transplant", "no_matter", {}, {}),
    ("language", "yes", {}, {}), ("language", "no", {"languages": frozenset({"zh"})}, {}),
    ("language", "unknown", {"languages": frozenset()}, {}),
    ("language", "yes", {"languages": frozenset({"hi-IN"})}, {}),
)  # fmt: skip


@pytest.mark.parametrize(("name", "result", "offer", "patient"), CASES)
def test_a_check_stands_as_the_facts_say(
    name: Name, result: str, offer: dict[str, Any], patient: dict[str, Any]
) -> None:
    assert check(one(replace(PATIENT, **patient), **offer), name) == result


def test_ways_ranked_together_are_checked_as_each_by_itself() -> None:
    """What is worked out once for a patient is worked out for each value it rests on."""
    for patient in {str(told): replace(PATIENT, **told) for _, _, _, told in CASES}.values():
        offers = [replace(OFFER, **changes, protocol=f"protocol-{n}") for n, (_, _, changes, _) in enumerate(CASES)]
        together = {m.offer.protocol: m.checks for m in match(patient, offers, NOW)}
        assert together == {offer.protocol: match(patient, [offer], NOW)[0].checks for offer in offers}
    assert set(RESTS_ON) == set(CHECKS)


def test_every_check_is_made_of_every_offer() -> None:
    assert {c.name for c in one().checks} == set(get_args(Name)) == {*CHECKS, "criteria"}
    assert one().standing == "nothing_against", "the control of all that excludes"


def test_excluded_stands_last_and_preferences_only_order() -> None:
    offers = [
        replace(OFFER, protocol="protocol-shut", door="shut"),
        replace(OFFER, protocol="protocol-ask", door="not_known"),
        replace(OFFER, protocol="protocol-zh", languages=frozenset({"zh"})),
        OFFER,
    ]
    found = match(PATIENT, offers, NOW)
    assert [(m.offer.protocol, m.rank, m.standing) for m in found] == [
        ("protocol-1", 1, "nothing_against"), ("protocol-zh", 2, "nothing_against"), ("protocol-ask", 3, "open"),
        ("protocol-shut", 4, "excluded"),
    ]  # fmt: skip
    assert [m.offer.protocol for m in next_ways(found, {("protocol-1", "centre-1")})] == ["protocol-zh", "protocol-ask"]


def test_names_are_no_factor() -> None:
    alike = [replace(OFFER, protocol=f"protocol-{n}", centre=f"centre-{9 - n}") for n in range(5)]
    assert {m.rank for m in match(PATIENT, alike, NOW)} == {1}


KNOWN = st.lists(
    st.sampled_from(
        [
            *FACTS, born("1980"), born("2015"), measured("lvef", "40", "%", age=1),
            measured("lvef", "60", "%", age=400),
            stated("antigen", "negative", 2, "CD19", "flow"), stated("antigen", "positive", 2, "CD19", "ihc"),
        ]
    ),
    max_size=6, unique_by=lambda fact: fact.id,
)  # fmt: skip


ADULT = replace(asks((number("age", ">=", "18", "a"),)), id="two")
LVEF_TOO = replace(LVEF, id="again", kind="exclusion")
RANKED = tuple(
    replace(
        OFFER, **{"criteria": ((LVEF,), (), (LVEF, ADULT), (ADULT, LVEF_TOO))[n % 4]} | changes,
        protocol=f"protocol-{n}", centre=f"centre-{9 - n % 5}",
    )
    for n, changes in enumerate(changes for _, _, changes, _ in CASES)
)  # fmt: skip
"""An offer of each kind, with criteria that others ask too."""
READ = st.dictionaries(st.sampled_from(["one", "two"]), st.sampled_from(["met", "not_met", "needs_review"]))


def place(found: Match) -> tuple[int, int, int]:
    """The rule of ranking written plainly: what is against it, what is open, what is preferred and is not so."""
    hard = [c.result for c in found.checks if c.name not in PREFERRED]
    preferred = [{"no": 2, "unknown": 1}.get(c.result, 0) for c in found.checks if c.name in PREFERRED]
    return hard.count("no"), hard.count("unknown"), sum(preferred)


@given(KNOWN, st.dictionaries(st.sampled_from(["protocol-1", "protocol-4"]), READ), st.booleans())
def test_the_rank_is_the_one_that_the_checks_give(
    facts: list[Observation], read: dict[str, dict[str, str]], urgent: bool
) -> None:
    """Ranks are worked out without the names of criteria; each check is then that of the offer by itself."""
    patient = replace(PATIENT, facts=facts, read=read, urgent=urgent)
    found = match(patient, Prepared(RANKED), NOW)
    plainly = sorted((bool(a) * 2 or bool(o), a, o, w) for a, o, w in map(place, found))
    assert [(STANDINGS.index(m.standing), *place(m)) for m in found] == plainly
    assert [m.rank for m in found] == [sorted(set(plainly)).index(one) + 1 for one in plainly]
    for m in found[:: len(found) // 7]:
        assert m.checks == match(patient, [m.offer], NOW)[0].checks


@given(KNOWN, st.sampled_from(["b_all", "all", "myeloma", ""]), st.booleans())
def test_what_is_no_longer_known_never_improves_how_an_offer_stands(
    facts: list[Observation], disease: str, urgent: bool
) -> None:
    """All that was observed of one thing is forgotten, or the disease: nothing comes to have nothing against it."""
    patient = replace(PATIENT, facts=facts, disease=disease, urgent=urgent)
    before = one(patient)
    fewer = [[f for f in facts if f.analyte != what] for what in {f.analyte for f in facts}]
    for less in (*(replace(patient, facts=left) for left in fewer), replace(patient, disease="")):
        after = one(less)
        assert after.standing != "nothing_against" or before.standing == "nothing_against"
        for c in before.checks:
            assert check(after, c.name) != "yes" or c.result in ("yes", "no_matter"), c.name


@given(KNOWN, st.sampled_from([measured("platelets", "50", "10*9/L"), stated("antigen", "positive", 1, "CD7")]))
def test_what_nothing_asks_for_changes_nothing(facts: list[Observation], other: Observation) -> None:
    before, after = one(replace(PATIENT, facts=facts)), one(replace(PATIENT, facts=[*facts, other]))
    assert (before.standing, before.checks) == (after.standing, after.checks)


def test_the_unit_changes_nothing_and_a_value_does() -> None:
    asked = asks((number("haemoglobin", ">=", "80", "g/L"),))
    told = [(measured("haemoglobin", v, u),) for v, u in (("9", "g/dL"), ("90", "g/L"), ("7", "g/dL"))]
    stands = [check(one(replace(PATIENT, facts=facts), criteria=(asked,)), "criteria") for facts in told]
    assert stands == ["yes", "yes", "no"]


def test_a_fact_of_tomorrow_does_not_count_for_criteria() -> None:
    late = replace(measured("lvef", "55", "%"), taken=days_ago(-2))
    assert check(one(replace(PATIENT, facts=(late,))), "criteria") == "unknown"
    assert late.day
    assert late.day > NOW.date() + timedelta(days=1)


def test_no_standing_gives_an_answer() -> None:
    assert STANDINGS == ("nothing_against", "open", "excluded")

"""Every row of a country's rules names its source, and that stands in docs/domain beside its tag."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from domain.catalogue.product import Access
from domain.core.policy import Span
from domain.law.countries import ROUTES, RULES, CountryRule, Route, files, never_charged, rules_of, wanted_class
from infra.policy.reading import load_policy
from tests.made import country_rules

DOCS = Path(__file__).parents[3] / "docs"


def line_of(tag: str) -> str:
    """The line of docs/domain that a tag names, on one line; without its source it proves nothing."""
    page = (DOCS / "domain" / f"{tag.split('.', maxsplit=1)[0]}.md").read_text()
    return " ".join(page.split(f"- **[{tag}]**")[1].split("\n- **[")[0].split())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_row_names_a_source_that_stands_behind_its_tag(rule: CountryRule) -> None:
    assert rule.source.split(",")[0].split(";")[0] in line_of(rule.tag)
    assert bool(rule.article) or "article was not read" in line_of(rule.tag) or "unconfirmed" in line_of(rule.tag)
    assert set(rule.routes) <= set(ROUTES)
    assert bool(rule.number) == bool(rule.unit)


def test_rows_and_routes_are_told_apart() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert set(ROUTES) == set(get_args(Route)) - {"not_said"}
    assert {way for row in ROUTES.values() for way in row.access} <= set(get_args(Access))
    assert {rule.country for rule in RULES for route in rule.routes if ROUTES[route].country != rule.country} == set()


def test_the_page_says_what_the_rows_say_today() -> None:
    assert (DOCS / "country-rules.md").read_text() == country_rules(), "python -m tests.made"


def test_the_ladder_of_a_filing_is_the_rows_number() -> None:
    [row] = rules_of("cn_order_818", "filing")
    assert load_policy().ladders["study_filing"].due == Span(row.number, "working_days")


def test_a_route_that_nobody_told_asks_nothing() -> None:
    assert (wanted_class("cn_order_818"), files("cn_order_818")) == ("class_iii_a", True)
    assert never_charged("cn_order_818", ("monitoring",)) == {"cell_product", "monitoring"}
    for route in ("not_said", "", "cn_drug_trial"):
        assert (wanted_class(route), files(route), never_charged(route, ("monitoring",))) == ("", False, frozenset())

"""Rules of countries over HTTP: all of them, of one country, of one route."""

from __future__ import annotations

from collections.abc import Mapping

from domain.catalogue.protocols.classes import CLASSES
from domain.law.countries import RULES
from tests.api.conftest import Person
from tests.api.routes.test_commands import assert_problem


async def test_rules_are_listed_with_their_sources_and_by_country_and_route(people: Mapping[str, Person]) -> None:
    every = (await people["coordinator"].get("/rules")).json()
    assert [one["name"] for one in every["rules"]] == [one.name for one in RULES]
    assert all(one["source"] for one in every["rules"])
    assert "No legal advice" in every["note"]
    american = (await people["coordinator"].get("/rules", country="us")).json()["rules"]
    assert [one["article"] for one in american] == ["21 CFR 312.310"]
    trial = (await people["coordinator"].get("/rules", route="cn_drug_trial")).json()["rules"]
    assert {one["kind"] for one in trial} == {"export", "keep"}
    assert_problem(await people["coordinator"].get("/rules", route="cn_order_819"), 422, "invalid")


async def test_what_the_class_of_a_product_changes_is_listed_with_its_sources(people: Mapping[str, Person]) -> None:
    found = (await people["auditor"].get("/product-classes")).json()["classes"]
    assert list(found) == list(CLASSES)
    assert found["in_vivo"]["left_out"] == ["unit", "thaw", "collection", "manufacture"]
    assert (found["autologous"]["ready_days"], found["autologous"]["left_out"]) == ([14, 28], [])
    assert {"acute_gvhd", "rejection"} <= set(found["allogeneic"]["watched"]) - set(found["autologous"]["watched"])
    assert all(row["sources"] for name, row in found.items() if name != "not_said")

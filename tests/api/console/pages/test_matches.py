"""The page of matches: each way with its reasons, and a link that proposes it where nothing excludes it."""

from __future__ import annotations

from collections.abc import Mapping

from tests.api.conftest import Person
from tests.api.console.conftest import Browser
from tests.api.routes.eligibility.test_matches import centre, site
from tests.api.routes.test_screening import HEART, protocol


async def test_a_way_stands_with_what_is_against_it(mei: Browser, people: Mapping[str, Person]) -> None:
    stream, where = await protocol(people, HEART), await centre(people)
    await site(people, stream, where, "full")
    case = (await people["coordinator"].open())["case"]
    page = (await mei.get(f"/console/cases/{case}/matches")).text
    assert "Nothing here is an answer; the hospital decides." in page
    assert "The protocol takes patients there" in page
    assert "something stands against it" in page
    assert "Four kinds of products, by six factors" in page
    assert "two to four weeks to make" in page
    assert "first dose: not known when" in page
    assert f"protocol={stream}" not in page, "what is excluded is not proposed"
    assert "/matches" in (await mei.get(f"/console/cases/{case}")).text

"""The page of matches: each way with its reasons, and a link that proposes it where nothing excludes it."""

from __future__ import annotations

from collections.abc import Mapping

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.run.wiring import Parts
from domain.case.phases.submissions import RankedWay
from domain.core.fact import ENGINE
from domain.stages.eligibility.ranking import CATALOGUE, NoteFirstRank
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
    assert "What the days to a first dose rest on" in page
    assert "days, and longer by what is not known: a bed; a dose in stock; lymphodepletion<" in page
    assert "the visa: 0 to 28 days; planned so by the policy of this service<" in page
    assert "a dose in stock: not known: no released unit is free and lasts long enough<" in page
    assert f"protocol={stream}" not in page, "what is excluded is not proposed"
    assert "/matches" in (await mei.get(f"/console/cases/{case}")).text


async def test_the_page_says_what_a_change_of_the_catalogue_made_of_the_first_rank(
    mei: Browser, people: Mapping[str, Person], here: Parts
) -> None:
    stream, where = await protocol(people, HEART), await centre(people)
    case = (await people["coordinator"].open())["case"]
    title = "What stands first changed with the catalogue"
    assert title not in (await mei.get(f"/console/cases/{case}/matches")).text
    said = NoteFirstRank((), (RankedWay(stream, where, (CATALOGUE, "protocol")),), 3)
    await here.commands.record(CommandRequest(case, Meta(ENGINE, "operation"), said))
    page = (await mei.get(f"/console/cases/{case}/matches")).text
    changed = page[page.index(title) : page.index("</section>", page.index(title))]
    assert "Nothing that was not excluded" in changed
    assert "entered the catalogue or left it; The protocol takes patients there" in changed
    assert "Other protocols and centres stand first" in (await mei.get(f"/console/cases/{case}/timeline")).text

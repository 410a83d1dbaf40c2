"""A centre declines: answer, page and command line name the next two ways with reasons; what was seen is recorded."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from urllib.parse import parse_qs, urlparse

import pytest

from api.run.wiring import Parts
from tests.api.cli.test_cli import Cli
from tests.api.conftest import Person
from tests.api.console.conftest import Browser, hidden
from tests.api.routes.eligibility.test_matches import centre, site
from tests.api.routes.test_screening import HEART, protocol
from tests.api.submitted import submitted

pytestmark = pytest.mark.slow


@pytest.fixture
def cli(here: Parts) -> Cli:
    dsn = here.settings.database_url.get_secret_value()
    return Cli({"CARAVEL_DATABASE_URL": dsn, "CARAVEL_HOME": str(here.settings.home)})


async def test_a_refusal_proposes_the_next_two_ways_with_reasons(
    here: Parts, people: Mapping[str, Person], mei: Browser, cli: Cli
) -> None:
    mine = people["coordinator"]
    first = await centre(people)
    case = await submitted(here, first, owner=mine.id)
    asked = (await mine.get(f"/cases/{case.id}")).json()
    assert "next_ways" not in asked, "nobody refused yet"
    trial = await protocol(people, HEART)
    places = [await centre(people) for _ in range(3)]
    for where, state in zip(places, ("open", "open", "full"), strict=True):
        await site(people, trial, where, state)
    said = {"submission": case.submission, "clinician": "Dr Li", "code": "cohort_full", "alternative": "ask elsewhere"}
    declined = await people["supervisor"].send(case.id, "DeclinePatient", **said)
    assert declined.is_success, declined.text
    ways = declined.json()["next_ways"]
    known = (await mine.get(f"/cases/{case.id}/matches", limit=1000)).json()
    assert len(ways) == 2
    assert ways == known["next_ways"] == (await mine.get(f"/cases/{case.id}")).json()["next_ways"]
    assert all(way["ranked"] == known["of"] and way["standing"] != "excluded" for way in ways)
    assert {"criteria", "diagnosis"} <= {check["name"] for check in ways[0]["checks"]}
    assert places[2] not in [way["centre"] for way in ways], "what is full is no way"
    masked = (await people["auditor"].get(f"/cases/{case.id}")).json()
    assert "next_ways" not in masked, "what a rank rests on is clinical"
    shown = (await cli("case", "show", case.id)).out
    assert f"{ways[0]['protocol']} at {ways[0]['centre']}, rank {ways[0]['rank']} of {known['of']}" in shown
    assert "not known: " in shown
    page = (await mei.get(f"/console/cases/{case.id}")).text
    assert "The next ways after the refusal" in page
    links = [html.unescape(one) for one in re.findall(r'href="([^"]*do/ChooseCentre\?[^"]*)"', page)]
    assert len(links) == 2
    assert parse_qs(urlparse(links[0]).query)["centre"] == [ways[0]["centre"]]
    form = (await mei.get(links[0])).text
    typed = {name: values[0] for name, values in parse_qs(urlparse(links[0]).query).items()}
    chosen = await mei.post(f"/console/cases/{case.id}/do/ChooseCentre", **hidden(form), **typed, reason="next in line")
    assert chosen.status_code == 200, chosen.text
    events = (await mine.get(f"/cases/{case.id}/events")).json()["events"]
    newest = [one["data"] for one in events if one["type"] == "CentreChosen"][-1]
    assert (newest["centre"], newest["rank"], newest["ranked"]) == (ways[0]["centre"], ways[0]["rank"], known["of"])
    assert newest["open"], "what was open is kept with the choice"

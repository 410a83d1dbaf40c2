"""Who looked is a page; a case that is not one's own is read by saying why, and the page gives nothing else away."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from api.run.wiring import Parts
from tests.api.conftest import Person, registered
from tests.api.console.conftest import Browser, browsing, hidden

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def test_every_page_of_a_case_is_a_look(
    mei: Browser, browsers: Mapping[str, Browser], coordinator: Person
) -> None:
    case = (await coordinator.open(owner=mei.id))["case"]
    for part in ("", "/facts", "/timeline", "/messages"):
        await mei.get(f"/console/cases/{case}{part}")
    page = (await browsers["supervisor"].get(f"/console/cases/{case}/looks")).text
    assert page.count("The case&#39;s page") >= 5, "Mei's four, and this one"
    assert "This list" in page
    assert "readable: who it is" in re.sub(r"\s+", " ", page) or "readable:" in page
    assert (await mei.get(f"/console/cases/{case}/looks")).status_code == 403
    assert f"/console/cases/{case}/looks" not in (await mei.get(f"/console/cases/{case}")).text


async def test_somebody_of_another_team_breaks_the_glass_and_is_reviewed(
    app: object, here: Parts, browsers: Mapping[str, Browser], coordinator: Person
) -> None:
    opened = await coordinator.open(team="asia", owner="person-else")
    other = await browsing(app, await registered(here, "coordinator", "europe"))  # type: ignore[arg-type] # FastAPI
    there = await other.get(f"/console/cases/{opened['case']}")
    nowhere = await other.get("/console/cases/case-nowhere")
    assert there.status_code == nowhere.status_code == 404
    assert there.text.replace(opened["case"], "X") == nowhere.text.replace("case-nowhere", "X"), "nothing is given away"
    path = f"/console/cases/{opened['case']}/do/BreakGlass"
    assert path in there.text
    form = await other.get(path)
    assert form.status_code == 200
    assert opened["number"] not in form.text
    empty = await other.post(path, **hidden(form.text), hours="2", reason="")
    assert "say why" in empty.text
    read = await other.post(path, **hidden(form.text), hours="2", reason="the owner is away and the family calls")
    assert read.status_code == 200, read.text
    assert opened["number"] in read.text
    supervisor = browsers["supervisor"]
    looks = (await supervisor.get(f"/console/cases/{opened['case']}/looks")).text
    assert "the owner is away" in looks
    assert "not reviewed yet" in looks
    review = re.search(r'/console/cases/[^"]+/do/ReviewAccess[^"]+', looks)
    assert review
    filled = hidden((await supervisor.get(review[0])).text)
    access = review[0].partition("access=")[2]
    done = await supervisor.post(review[0], **filled, access=access, finding="justified", note="")
    assert "Recorded" in done.text, done.text
    after = (await supervisor.get(f"/console/cases/{opened['case']}/looks")).text
    assert "justified" in after
    assert "not reviewed yet" not in after


async def test_who_may_not_break_it_gets_no_form(browsers: Mapping[str, Browser]) -> None:
    assert (await browsers["reviewer"].get("/console/cases/case-nowhere/do/BreakGlass")).status_code == 403

"""The worklist: whose cases, in which order, who sees which names, and what becomes of many at once."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping

import pytest

from api.run.wiring import Parts
from domain.catalogue.staff import DismissPerson
from tests.agreed import agreed
from tests.api.conftest import Person, registered
from tests.api.console.conftest import Browser
from tests.api.http.test_process import logged  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow
CASES = re.compile(r'<tr id="(case-[^"]+)"')


def cases(page: str) -> list[str]:
    return CASES.findall(page)


async def test_each_tab_holds_what_it_says(mei: Browser, coordinator: Person, supervisor: Person) -> None:
    mine = (await coordinator.open(owner=mei.id))["case"]
    team = (await coordinator.open(owner="person-other"))["case"]
    nobodys = (await coordinator.open(team=""))["case"]
    foreign = (await supervisor.open(team="europe", owner="person-else"))["case"]
    tabs = {tab: cases((await mei.get(f"/console/?tab={tab}")).text) for tab in ("mine", "team", "unassigned", "all")}
    assert mine in tabs["mine"]
    assert team not in tabs["mine"]
    assert {mine, team} <= set(tabs["team"])
    assert nobodys in tabs["unassigned"]
    assert mine not in tabs["unassigned"]
    assert {mine, team, nobodys} <= set(tabs["all"])
    assert all(foreign not in tab for tab in tabs.values())


async def test_names_are_sent_only_to_those_who_may_see_them(
    browsers: Mapping[str, Browser], coordinator: Person
) -> None:
    opened = await coordinator.open(patient_name="Xanthippe Rao")
    for role, named in (("coordinator", True), ("supervisor", True), ("auditor", False), ("operator", False)):
        for path in ("/console/?tab=all", f"/console/cases/{opened['case']}", f"/console/rows?case={opened['case']}"):
            text = (await browsers[role].get(path)).text
            assert opened["number"] in text, (role, path)
            assert ("Xanthippe" in text) == named, (role, path)
            assert named or "masked" in text


async def test_filters_and_order_stand_in_the_address(mei: Browser, coordinator: Person) -> None:
    urgent = (await coordinator.open(urgent=True, country="VN"))["case"]
    calm = (await coordinator.open(country="PK"))["case"]
    found = cases((await mei.get("/console/?tab=all&urgent=1&country=vn&stage=inquiry&sort=newest")).text)
    assert urgent in found
    assert calm not in found
    page = (await mei.get("/console/?tab=all&sort=newest")).text
    assert re.findall(r'aria-sort="(\w+)"><a href="([^"]+)"', page) == [("descending", "?tab=all&amp;sort=oldest")]
    newest = cases(page)
    oldest = cases((await mei.get("/console/?tab=all&sort=oldest")).text)
    assert newest.index(urgent) < newest.index(calm), "urgent cases come first in every order"
    newest, oldest = [[one for one in found if one != urgent] for found in (newest, oldest)]
    assert newest[0] == calm
    assert newest == oldest[::-1][: len(newest)] or len(newest) >= 39
    assert (await mei.get("/console/?tab=nonsense&stage=nowhere&sort=sideways&country=12")).status_code == 200


@pytest.mark.parametrize("order", ["due", "longest", "oldest", "newest"])
async def test_every_case_is_on_exactly_one_page(mei: Browser, coordinator: Person, order: str) -> None:
    for _ in range(3):
        await coordinator.open(country="NP")
    seen: list[str] = []
    path = f"/console/?tab=all&sort={order}"
    for _ in range(20):
        page = (await mei.get(path)).text
        seen += cases(page)
        more = re.search(r'href="(\?[^"]+)" rel="next"', page)
        if more is None:
            break
        path = "/console/" + more[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen))
    whole = (await mei.http.get("/cases", params={"limit": 500})).json()["cases"]
    assert set(seen) == {one["id"] for one in whole}


async def test_a_number_leads_to_its_case_and_a_foreign_one_does_not_exist(
    mei: Browser, coordinator: Person, supervisor: Person
) -> None:
    opened = await coordinator.open()
    foreign = await supervisor.open(team="europe", owner="person-else")
    for answer in (
        await mei.get(f"/console/?q={opened['number']}"),
        await mei.post("/console/search", csrf=await mei.csrf(), q=opened["number"].replace("-", " ")),
    ):
        assert answer.url.path == f"/console/cases/{opened['case']}"
    assert (await mei.get(f"/console/?q={foreign['number']}")).status_code == 404
    assert (await mei.get("/console/?q=1234-5678-0")).status_code == 404


async def test_names_are_found_by_post_and_leave_no_trace(
    browsers: Mapping[str, Browser],
    coordinator: Person,
    supervisor: Person,
    logged: io.StringIO,  # noqa: F811 - the fixture above
) -> None:
    mine = (await coordinator.open(patient_name="Žofia Dvořáková"))["case"]
    foreign = (await supervisor.open(patient_name="Žofia Other", team="europe", owner="person-else"))["case"]
    mei = browsers["coordinator"]
    found = await mei.post("/console/search", csrf=await mei.csrf(), q="dvora zof")
    assert cases(found.text) == [mine]
    assert "zof" not in str(found.url).lower()
    everywhere = await browsers["supervisor"].post(
        "/console/search", csrf=await browsers["supervisor"].csrf(), q="zofia"
    )
    assert {mine, foreign} == set(cases(everywhere.text))
    later = (await coordinator.open(patient_name="Žofia Later"))["case"]
    assert cases((await mei.post("/console/search", csrf=await mei.csrf(), q="later")).text) == [later]
    auditor = browsers["auditor"]
    refused = await auditor.post("/console/search", csrf=await auditor.csrf(), q="zofia")
    assert refused.status_code == 403
    assert "zof" not in logged.getvalue().lower()
    assert "dvor" not in logged.getvalue().lower()


async def test_many_cases_at_once_each_with_its_own_result(
    mei: Browser, coordinator: Person, supervisor: Person
) -> None:
    mine, other = await coordinator.open(), await coordinator.open()
    foreign = await supervisor.open(team="europe", owner="person-else")
    form = {"csrf": await mei.csrf(), "key": "bulk-1", "do": "assign", "owner": mei.id}
    chosen = [mine["case"], foreign["case"], other["case"]]
    first = await mei.post("/console/bulk", case=chosen, **form)
    assert re.findall(r'class="tag[^>]*>([^<]+)<', first.text) == ["done", "refused", "done"]
    again = await mei.post("/console/bulk", case=chosen, **form)
    assert re.findall(r'class="tag[^>]*>([^<]+)<', again.text) == ["done before", "refused", "done before"]
    case = (await coordinator.get(f"/cases/{mine['case']}")).json()["case"]
    assert case["owner"] == mei.id
    assert (await supervisor.get(f"/cases/{foreign['case']}")).json()["case"]["owner"] == "person-else"


async def test_snoozing_says_why_not(mei: Browser, coordinator: Person) -> None:
    opened = await coordinator.open()
    form = {"csrf": await mei.csrf(), "key": "bulk-2", "do": "snooze", "until": "2199-01-01T09:00"}
    answer = await mei.post("/console/bulk", case=opened["case"], **form)
    assert "a snooze ends before the deadline" in answer.text
    assert "give a date" in (await mei.post("/console/bulk", **{**form, "until": ""}, case=opened["case"])).text


async def test_a_view_gets_a_name_and_loses_it(mei: Browser) -> None:
    token = await mei.csrf()
    kept = await mei.post("/console/views", csrf=token, query="?tab=all&urgent=1", name="Urgent <all>")
    assert 'href="/console/?tab=all&amp;urgent=1">Urgent &lt;all&gt;</a>' in kept.text
    gone = await mei.post("/console/views", csrf=token, query="?tab=all", forget="Urgent <all>")
    assert "Urgent &lt;all&gt;" not in gone.text


async def test_our_own_files_are_kept_for_ever_and_change_their_address(mei: Browser) -> None:
    page = (await mei.get("/console/")).text
    for path in re.findall(r'(?:href|src)="(/console/static/[^"]+)"', page):
        answer = await mei.get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert (await mei.get(re.sub(r"static/[0-9a-f]+/", "static/0000000000000000/", path))).status_code == 404
    assert not re.search(r"<style|style=|<script(?! src)| on[a-z]+=\"|(?:src|href)=\"(?:https?:)?//", page)


async def test_a_case_of_somebody_who_has_left_says_so(
    browsers: Mapping[str, Browser], coordinator: Person, here: Parts
) -> None:
    owner = await registered(here, "coordinator")
    case = (await coordinator.open(owner=owner))["case"]
    where = f"/console/rows?case={case}"
    assert "(has left)" not in (await browsers["supervisor"].get(where)).text
    await agreed(here.commands, owner, DismissPerson("left"))
    assert "(has left)" in (await browsers["supervisor"].get(where)).text

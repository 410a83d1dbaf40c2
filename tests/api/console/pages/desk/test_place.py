"""A list that was shown leads through its cases in its order, also when what was done to them changed the list."""

from __future__ import annotations

import re

import pytest
from fastapi import Request, Response
from hypothesis import given
from hypothesis import strategies as st

from api.console.pages.desk.place import COOKIE, ListPlace, keep_place, place_of_case
from tests.api.conftest import Person
from tests.api.console.conftest import Browser
from tests.drawing import draws


def asked_with(value: str) -> Request:
    cookie = f"{COOKIE}={value}".encode()
    return Request({"type": "http", "method": "GET", "path": "/", "headers": [(b"cookie", cookie)]})


def kept(view: str, more: str | None, shown: list[str]) -> Request:
    answer = keep_place(Response(), view, more, shown)
    return asked_with(answer.headers.get("set-cookie", "=").partition("=")[2].partition(";")[0])


def test_a_case_leads_to_the_one_before_and_the_next() -> None:
    request = kept("?tab=team&stage=visa", "?tab=team&stage=visa&after=x", ["case-1", "case-2", "case-3"])
    back = "/console/?tab=team&stage=visa#case-"
    assert place_of_case(request, "case-1") == ListPlace(back + "1", "", "/console/cases/case-2", "")
    assert place_of_case(request, "case-2") == ListPlace(
        back + "2", "/console/cases/case-1", "/console/cases/case-3", ""
    )
    further = "/console/?tab=team&stage=visa&after=x"
    assert place_of_case(request, "case-3") == ListPlace(back + "3", "/console/cases/case-2", "", further)
    assert place_of_case(request, "case-4") is None
    assert place_of_case(asked_with(""), "case-1") is None


def test_a_whole_page_of_cases_fits_into_what_a_browser_keeps() -> None:
    shown = [f"case-01a22f12-c998-7460-a40c-2c4a949b{n:04}" for n in range(40)]
    place = place_of_case(kept("?tab=all&sort=longest", "?tab=all&after=" + "x" * 120, shown), shown[20])
    assert place
    assert place.after.endswith(shown[21])


@given(st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=80))
@draws(100)
def test_whatever_a_browser_says_leads_nowhere_else(value: str) -> None:
    place = place_of_case(asked_with(value), "case-1")
    assert place is None or all(one in ("", *re.findall(r"^/console/.*", one)) for one in (place.back, place.further))


@pytest.mark.slow
async def test_from_the_list_to_each_case_of_it_and_back(mei: Browser, coordinator: Person) -> None:
    first, second = [(await coordinator.open(owner=mei.id))["case"] for _ in range(2)]
    lonely = (await mei.get(f"/console/cases/{first}")).text
    assert 'rel="next"' not in lonely
    rows = re.findall(r'<tr id="(case-[^"]+)"', (await mei.get("/console/?tab=mine&sort=newest")).text)
    assert rows[:2] == [second, first]
    page = (await mei.get(f"/console/cases/{second}")).text
    assert f'href="/console/cases/{first}" rel="next"' in page
    assert f'href="/console/?tab=mine&amp;sort=newest#{second}"' in page
    await coordinator.send(second, "HoldCase", reason="infection")
    assert f'href="/console/cases/{second}" rel="prev"' in (await mei.get(f"/console/cases/{first}")).text

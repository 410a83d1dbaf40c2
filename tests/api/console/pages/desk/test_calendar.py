"""The calendar feed: an address of one's own that says when tasks are due, names nobody, and can be revoked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.routes.desk.ical import CalendarEvent, calendar
from api.run.wiring import Parts
from domain.catalogue.staff import DismissPerson
from tests.agreed import agreed
from tests.api.conftest import CANARY, Person, registered
from tests.api.console.conftest import Browser, browsing, hidden
from tests.drawing import draws

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@draws(60)
@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_a_text_comes_back_from_lines_of_at_most_75_octets(text: str) -> None:
    text = text.replace("\r", "")
    made = calendar("Tasks", [CalendarEvent("one", NOW, text)], NOW)
    lines = made.split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    found = re.search(r"\r\nSUMMARY:(.*?)\r\nTRANSP", made.replace("\r\n ", ""), re.DOTALL)
    assert found
    plain = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], found[1], flags=re.DOTALL)
    assert plain == text


async def change(browser: Browser, do: str) -> str:
    csrf = hidden((await browser.get("/console/calendar")).text)["csrf"]
    page = (await browser.post("/console/calendar", csrf=csrf, do=do)).text
    found = re.search(r">(http\S+/calendar/\S+?)<", page)
    return urlsplit(found[1]).path if found else ""


@pytest.mark.slow
async def test_a_feed_says_what_is_due_and_ends_when_revoked_or_when_one_leaves(
    app: Any, browsers: Mapping[str, Browser], coordinator: Person, nobody: httpx2.AsyncClient, here: Parts
) -> None:
    amir = await registered(here, "coordinator")
    browser = await browsing(app, amir)
    case = (await coordinator.open(owner=amir))["case"]
    number = (await here.commands.case(case))[0].number
    path = await change(browser, "make")
    feed = await nobody.get(path)
    assert feed.headers["content-type"].startswith("text/calendar")
    assert f"SUMMARY:{number}: " in feed.text
    assert CANARY not in feed.text
    theirs = await change(browsers["auditor"], "make")
    assert number not in (await nobody.get(theirs)).text, "what is due for somebody else is not in it"
    assert (await nobody.get(path.replace("/calendar/", "/reply/"))).status_code == 404, "it is no page of questions"

    again = await change(browser, "make")
    assert ((await nobody.get(path)).status_code, (await nobody.get(again)).status_code) == (404, 200)
    assert await change(browser, "revoke") == ""
    assert (await nobody.get(again)).status_code == 404
    last = await change(browser, "make")
    assert (await nobody.get(last)).status_code == 200, "the control"
    await agreed(here.commands, amir, DismissPerson("left"))
    assert (await nobody.get(last)).status_code == 404

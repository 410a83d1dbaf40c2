"""Pages of stores: a file of temperatures, what it stops, and the two people who decide about a unit."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI

from api.run.wiring import Parts
from tests.api.conftest import registered
from tests.api.console.conftest import ORIGIN, Browser, browsing, hidden
from tests.api.routes.doses.test_readings import FILE, filled  # noqa: F401 - a fixture


async def test_the_pages_of_store_and_lot_show_it_and_take_the_decision(
    browsers: Mapping[str, Browser],
    filled: Mapping[str, str],  # noqa: F811 - the fixture
    app: FastAPI,
    here: Parts,
) -> None:
    first, second = browsers["quality"], await browsing(app, await registered(here, "quality", "asia"))
    path = f"/console/stores/{filled['store']}"
    page = await first.get(path)
    assert filled["first"] in page.text
    assert "No reading has come in" in page.text
    files = {"file": ("f.csv", FILE.encode(), "text/csv")}
    page = await first.http.post(
        path, data=hidden(page.text), files=files, headers={"Origin": ORIGIN}, follow_redirects=True
    )
    assert "too warm" in page.text, page.text[:3000]
    assert "stopped" in page.text
    lots = f"/console/lots/{filled['lot']}"
    decide = {"type": "DecideStoppedUnit", "unit": filled["first"], "outcome": "use", "reason": "validated"}
    form = hidden((await first.get(lots)).text)
    assert "it can be used, says" in (await first.post(lots, **{**form, **decide})).text
    form = hidden((await second.get(lots)).text)
    assert (await second.post(lots, **{**form, **decide})).status_code == 200
    state = (await here.commands.entry(filled["lot"])).state
    assert not state.units[filled["first"]].stopped
    assert state.units[filled["second"]].stopped
    assert (await browsers["coordinator"].get(path)).status_code == 403
    assert (await browsers["coordinator"].get("/console/stores")).status_code == 403

"""The page of a slip: the case page leads to it, and what is ticked there is asked for when it is sent."""

from __future__ import annotations

import pytest

from tests.api.conftest import Person
from tests.api.console.conftest import Browser, hidden
from tests.api.routes.test_callbacks import Hospital, events_of, hospital, keys
from tests.api.routes.travel.test_slip import DAY, planned

__all__ = ["hospital", "keys"]
pytestmark = pytest.mark.slow


async def test_the_page_moves_the_arrival_with_what_is_ticked(
    mei: Browser, supervisor: Person, hospital: Hospital
) -> None:
    case, arrives = await planned(supervisor, hospital)
    later = (arrives + 30 * DAY).isoformat()
    assert f"/console/cases/{case}/slip" in (await mei.get(f"/console/cases/{case}")).text
    page = (await mei.get(f"/console/cases/{case}/slip?arrives={later}")).text
    for words in ("ask the centre to confirm or extend it", 'value="bed" checked', "made for another day", "not known"):
        assert words in page
    assert "2,000 - 3,000 USD; told on " in page
    assert "not known: ask the place of lodging" in page
    assert "the agreed times are given back" in page
    form = f"/console/cases/{case}/do/RecordMovingCost"
    asked = (await mei.get(f"{form}?step=lodging")).text
    said = {"step": "lodging", "currency": "CNY", "low": "400", "high": "600"}
    told = await mei.post(form, **said, **hidden(asked))
    assert told.status_code == 200, told.text
    page = (await mei.get(f"/console/cases/{case}/slip?arrives={later}")).text
    assert "400 - 600 CNY; told on " in page
    assert "moving costs 400 - 600 CNY as far as it is known" in page
    path, chosen = f"/console/cases/{case}/do/MoveArrival", ["bed", "lodging"]
    sent = await mei.post(path, carry_out=chosen, reason="a fever", **hidden(page))
    assert sent.status_code == 200, sent.text
    moved = next(e["data"] for e in await events_of(supervisor, case) if e["type"] == "ArrivalMoved")
    assert [step["kind"] for step in moved["carried_out"]] == ["bed", "lodging"]
    after = (await mei.get(f"/console/cases/{case}/slip")).text
    assert "Left out at the last move: Acceptance; Open protocol" in after


async def test_a_day_that_is_over_is_refused_on_the_page(mei: Browser, supervisor: Person, hospital: Hospital) -> None:
    case, _ = await planned(supervisor, hospital)
    assert "the day of arrival is over" in (await mei.get(f"/console/cases/{case}/slip?arrives=2020-01-01")).text

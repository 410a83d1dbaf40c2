"""Entries that are stale are shown as stale: in lists, by themselves, where criteria are held against a case."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.api.conftest import Person
from tests.api.routes.test_commands import assert_problem
from tests.api.routes.test_screening import PROTOCOL

TODAY = datetime.now(UTC).date()
OLD, FRESH = (TODAY - timedelta(days=91)).isoformat(), (TODAY - timedelta(days=89)).isoformat()
CENTRE = {
    "name": "Old Hospital", "city": "Pune", "country": "IN", "zone": "Asia/Kolkata", "languages": ["en"],
    "accepts_international": True, "capabilities": ["cell_therapy"], "source": "its page",
    "as_of": (TODAY - timedelta(days=181)).isoformat(),
}  # fmt: skip


async def registered(people: Mapping[str, Person], path: str, body: Any) -> str:
    made = await people["operator"].post(path, body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def row(people: Mapping[str, Person], kind: str, stream: str) -> Any:
    listed = (await people["coordinator"].get(f"/{kind}", limit=200)).json()[kind]
    return next(one for one in listed if one["id"] == stream)


async def due(people: Mapping[str, Person]) -> set[str]:
    answer = await people["coordinator"].get("/reviews")
    return {one["id"] for one in answer.json()["reviews"]}


async def test_a_protocol_is_stale_after_its_period_wherever_it_is_used_until_it_is_reviewed(
    people: Mapping[str, Person],
) -> None:
    old = await registered(people, "/protocols", {**PROTOCOL, "as_of": OLD})
    fresh = await registered(people, "/protocols", {**PROTOCOL, "registry": "NCT02", "as_of": FRESH})
    case = (await people["coordinator"].open())["case"]
    for stream, stale in ((old, True), (fresh, False)):
        listed = await row(people, "protocols", stream)
        one = (await people["coordinator"].get(f"/protocols/{stream}")).json()["reviewed"]
        screened = (await people["coordinator"].get(f"/cases/{case}/screening/{stream}")).json()["reviewed"]
        assert (listed["stale"], one["stale"], screened["stale"]) == (stale, stale, stale)
        assert listed["title"] == "A trial"
    assert {old, fresh} & await due(people) == {old}
    seen = {"type": "ReviewEntry", "source": "registry page of today", "as_of": TODAY.isoformat()}
    answer = await people["supervisor"].post(f"/protocols/{old}/commands", seen)
    assert answer.is_success, answer.text
    listed = await row(people, "protocols", old)
    assert (listed["stale"], listed["as_of"]) == (False, TODAY.isoformat())
    assert listed["reviewed_by"] == people["supervisor"].id
    assert old not in await due(people)


async def test_a_centre_is_amended_and_is_no_longer_due(people: Mapping[str, Person]) -> None:
    stream = await registered(people, "/centres", CENTRE)
    assert stream in await due(people)
    amended = {**CENTRE, "type": "AmendCentre", "city": "Mumbai", "as_of": TODAY.isoformat(), "change": "it has moved"}
    answer = await people["operator"].post(f"/centres/{stream}/commands", amended)
    assert answer.is_success, answer.text
    listed = await row(people, "centres", stream)
    assert (listed["city"], listed["stale"]) == ("Mumbai", False)
    assert stream not in await due(people)
    assert_problem(await people["coordinator"].post(f"/centres/{stream}/commands", amended), 403, "not_allowed")

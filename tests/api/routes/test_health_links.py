"""SMART Health Links over HTTP: opened once and taken in; key, link and passcode stand nowhere afterwards."""

from __future__ import annotations

import io
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest
import structlog

from api.run.wiring import Parts
from tests.api.conftest import Person
from tests.api.results.summaries import WHOLE, sent
from tests.infra.health_links.sharing import FHIR, KEY, Sharing, b64, encrypted, link, sharing

SEEN = """
SELECT schemaname s, tablename t FROM pg_tables
WHERE schemaname = 'public' AND has_table_privilege(format('%I.%I', schemaname, tablename), 'SELECT')
"""


@pytest.fixture
async def far() -> AsyncIterator[Sharing]:
    async with sharing(passcode="canary-4711") as one:
        yield one


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged, by whichever of the two ways."""
    written = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(written))
    handler, root = logging.StreamHandler(written), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.setLevel(before)
    root.removeHandler(handler)


async def give(person: Person, case: str, text: str, **more: Any) -> httpx2.Response:
    return await person.post(f"/cases/{case}/health-links", {"link": text, **more})


async def test_what_a_patient_shares_is_taken_in_and_the_link_stands_nowhere(
    coordinator: Person, here: Parts, far: Sharing, logged: io.StringIO
) -> None:
    case = (await coordinator.open())["case"]
    file = {"contentType": FHIR, "location": far.shares("file", encrypted(sent(WHOLE), zip="DEF"))}
    text = link(far.shares("manifest", {"files": [file]}), flag="LP", label="Wilhelmina's summary")
    wrong = await give(coordinator, case, text, passcode="canary-0000")
    assert (wrong.status_code, wrong.json()["remaining_attempts"]) == (422, 4)
    assert wrong.json()["errors"][0]["pointer"] == "#/passcode"
    taken = await give(coordinator, case, text, passcode="canary-4711", recipient="The clinic")
    assert taken.status_code == 201, taken.text
    assert (taken.json()["taken"], taken.json()["statements"]["taken"]) == (1, 8)
    everywhere = [wrong.text, taken.text, logged.getvalue(), (await coordinator.get(f"/cases/{case}/summary")).text]
    async with here.ledger.pool.acquire() as connection:
        tables = await connection.fetch(SEEN)
        for row in tables:
            rows = await connection.fetch(f'SELECT to_jsonb(one)::text AS one FROM "{row["s"]}"."{row["t"]}" one')
            everywhere += [one["one"] for one in rows]
    assert any(case in one for one in everywhere), "the control: what is searched holds this case"
    for secret in ("canary-4711", "canary-0000", far.secret, b64(KEY), KEY.hex(), text[-60:], "shlink"):
        assert not [one for one in everywhere if secret in one], secret


@pytest.mark.parametrize(("body", "pointer"), [
    ({}, "#/link"), ({"link": 5}, "#/link"), ({"link": "x", "file": "1"}, "#/file"), ({"link": "x", "more": 1}, "#"),
    ({"link": "x", "passcode": "9" * 101}, "#/passcode"), ({"link": "shlink:/x"}, "#/link"),
    ({"link": "x", "dry_run": 1}, "#/dry_run"),
])  # fmt: skip
async def test_a_request_that_cannot_be_read_says_where(
    coordinator: Person, body: dict[str, Any], pointer: str
) -> None:
    case = (await coordinator.open())["case"]
    no = await coordinator.post(f"/cases/{case}/health-links", body)
    assert (no.status_code, no.json()["errors"][0]["pointer"]) == (422, pointer), no.text


async def test_what_is_wrong_with_the_file_behind_it_is_told_of_the_link(coordinator: Person, far: Sharing) -> None:
    case = (await coordinator.open())["case"]
    no = await give(coordinator, case, link(far.shares("file", encrypted(b"[]")), flag="U"))
    assert (no.status_code, no.json()["errors"][0]["pointer"]) == (422, "#/link"), no.text


async def test_a_host_that_is_away_is_asked_later(coordinator: Person, far: Sharing) -> None:
    case = (await coordinator.open())["case"]
    no = await give(coordinator, case, link(far.shares("file", "", 503), flag="U"))
    assert (no.status_code, no.json()["type"]) == (503, "urn:caravel:problem:unavailable")


async def test_nothing_is_called_for_whoever_may_not_import(people: dict[str, Person], far: Sharing) -> None:
    case = (await people["coordinator"].open())["case"]
    text = link(far.shares("file", encrypted(sent(WHOLE))), flag="U")
    for role in ("auditor", "operator"):
        assert (await give(people[role], case, text)).status_code in (403, 404), role
    assert far.asked == []
    assert (await give(people["coordinator"], case, text, dry_run=True)).json()["read"] == 9, "the control"

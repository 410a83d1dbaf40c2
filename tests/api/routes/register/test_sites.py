"""How a protocol stands at each centre, from the command to the page of a case that goes there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.api.conftest import Person
from tests.api.routes.test_commands import assert_problem
from tests.api.routes.test_screening import protocol

UNTIL = (datetime.now(UTC) + timedelta(days=20)).replace(microsecond=0)
OPEN = {"type": "ConfirmSite", "centre": "centre-a", "state": "open", "until": UNTIL.isoformat(), "by": "Dr Li Site"}
WHO = {"type": "NameInvestigator", "centre": "centre-a", "name": "Dr Wu Site", "mail": "wu@site.example",
       "answers_within": 3}  # fmt: skip


async def told(people: Mapping[str, Person], stream: str, *commands: Any) -> None:
    for command in commands:
        answer = await people["operator"].post(f"/protocols/{stream}/commands", command)
        assert answer.is_success, answer.text


async def test_a_protocol_shows_how_it_stands_at_each_centre_and_who_answers_there(
    people: Mapping[str, Person],
) -> None:
    stream = await protocol(people)
    await told(people, stream, OPEN, {**OPEN, "centre": "centre-b", "state": "full", "since": "2026-01-05"}, WHO)
    one = (await people["coordinator"].get(f"/protocols/{stream}")).json()["protocol"]
    first, second = one["sites"]
    until = datetime.fromisoformat(first["lease"].pop("until"))
    today = datetime.now(UTC).date().isoformat()
    assert (first["lease"], until) == ({"centre": "centre-a", "state": "open", "since": today}, UNTIL)
    assert (first["confirmed_by"], first["investigator"], first["answers_within"]) == ("Dr Li Site", "Dr Wu Site", 3)
    assert (second["lease"]["state"], second["lease"]["since"]) == ("full", "2026-01-05")
    listed = (await people["coordinator"].get("/protocols", limit=200)).json()["protocols"]
    [row] = [row for row in listed if row["id"] == stream]
    assert {site["centre"]: site["state"] for site in row["sites"]} == {"centre-a": "open", "centre-b": "full"}
    assert "Dr " not in str(row), "nobody's name stands in the list"


async def test_whoever_does_not_ask_there_reads_no_names(people: Mapping[str, Person]) -> None:
    stream = await protocol(people)
    await told(people, stream, OPEN, WHO)
    body = (await people["auditor"].get(f"/protocols/{stream}")).text
    events = (await people["auditor"].get(f"/protocols/{stream}/events")).text
    assert "Dr " not in body + events
    assert "wu@" not in body + events
    assert '"state":"open"' in body


async def test_bad_words_for_a_site_are_named_and_nothing_is_kept(people: Mapping[str, Person]) -> None:
    stream = await protocol(people)
    for change, pointer in (
        ({"state": "recruiting"}, "#/state"),
        ({"until": "2020-01-01T00:00:00Z"}, "#/until"),
        ({"until": "2030-01-01T00:00:00"}, "#/until"),
        ({"centre": "Renji"}, "#/centre"),
        ({"by": ""}, "#/by"),
    ):
        answer = await people["operator"].post(f"/protocols/{stream}/commands", {**OPEN, **change})
        assert_problem(answer, 422, "invalid")
        assert answer.json()["errors"][0]["pointer"] == pointer
    allowed = await people["coordinator"].post(f"/protocols/{stream}/commands", OPEN)
    assert_problem(allowed, 403, "not_allowed")
    assert (await people["operator"].get(f"/protocols/{stream}")).json()["protocol"]["sites"] == []

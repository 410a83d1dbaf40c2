"""Requests as people, browsers and proxies really write them: each is answered right, or told what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest

from activities.command_codec import CASE, Unreadable
from domain.core.case_number import case_number_of
from tests.api.conftest import Person
from tests.api.routes.test_commands import assert_problem

ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")  # noqa: RUF001


async def test_a_number_is_found_in_the_digits_of_whoever_types_it(coordinator: Person) -> None:
    opened = await coordinator.open()
    for digits in (ARABIC, WIDE):
        typed = opened["number"].translate(digits)
        assert (await coordinator.get(f"/cases/{typed}")).json()["case"]["id"] == opened["case"]
        listed = (await coordinator.get("/cases", q=typed)).json()["cases"]
        assert [one["id"] for one in listed] == [opened["case"]]


@pytest.mark.parametrize("q", ["9835511²0", "98355119①", "九八三五五一一九〇", "", "-" * 9, "9" * 5000])
async def test_what_is_no_number_is_told_so(coordinator: Person, q: str) -> None:
    assert case_number_of(q) is None
    if q:
        assert_problem(await coordinator.get("/cases", q=q), 422, "invalid")


async def test_a_stage_that_there_is_not_is_no_empty_list(coordinator: Person) -> None:
    assert_problem(await coordinator.get("/cases", stage="bogus"), 422, "invalid")
    assert (await coordinator.get("/cases", stage="inquiry")).status_code == 200


async def test_an_encoded_slash_leads_nowhere_else(coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    assert (await coordinator.get(f"/cases/{case}/agenda")).status_code == 200, "the control"
    for slash in ("%2F", "%2f"):
        assert_problem(await coordinator.get(f"/cases/{case}{slash}agenda"), 404, "not_found")


async def test_an_address_says_every_method_it_takes(coordinator: Person) -> None:
    asked = await coordinator.http.request("OPTIONS", "/cases")
    assert (asked.status_code, asked.headers["allow"]) == (204, "GET, POST, HEAD, OPTIONS")
    refused = await coordinator.http.request("PATCH", "/cases")
    assert_problem(refused, 405, "method_not_allowed")
    assert refused.headers["allow"] == "GET, POST, HEAD, OPTIONS"
    assert (await coordinator.http.request("OPTIONS", "/nothing/here")).status_code == 404


@pytest.mark.parametrize(
    ("held", "status"),
    [("{}", 304), ("W/{}", 304), ('"x", {}', 304), ('"x",W/{} , "y"', 304), ("*", 304), ('"x"', 200), ("", 200)],
)
async def test_who_holds_what_stands_is_told_so_however_it_is_said(coordinator: Person, held: str, status: int) -> None:
    case = (await coordinator.open())["case"]
    tag = (await coordinator.get(f"/cases/{case}")).headers["etag"]
    answer = await coordinator.http.request("GET", f"/cases/{case}", headers={"If-None-Match": held.format(tag)})
    assert answer.status_code == status


TWICE = b'{"type":"AddNote","kind":"note","text":"a","text":"b"}'
INSIDE = b'{"type":"StateDiagnosis","diagnosis":"x","occurred":{"precision":"unknown","precision":"day"}}'


@pytest.mark.parametrize("body", [TWICE, INSIDE])
def test_a_name_that_stands_twice_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable, match="one name twice"):
        CASE.parse(body, "person-1")
    assert CASE.parse(TWICE.replace(b',"text":"b"', b""), "person-1").text == "a", "the control"


def occurred(precision: str, earliest: str, latest: str) -> dict[str, Any]:
    when = {"precision": precision, "earliest": earliest, "latest": latest}
    return {"type": "StateDiagnosis", "diagnosis": "B-ALL", "occurred": when}


@pytest.mark.parametrize(
    ("precision", "earliest", "latest"),
    [
        ("day", "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("day", "2025-01-01T00:00:00Z", "2025-01-02T01:00:01Z"),
        ("instant", "2025-01-01T00:00:00Z", "2025-06-01T00:00:00Z"),
        ("instant", "2025-01-01T00:00:00Z", "2025-01-01T00:00:00.000001Z"),
    ],
)
def test_a_day_is_no_year_and_an_instant_does_not_last(precision: str, earliest: str, latest: str) -> None:
    with pytest.raises(Unreadable) as refused:
        CASE.parse(occurred(precision, earliest, latest), "person-1")
    assert [one.pointer for one in refused.value.faults] == ["#/occurred/latest"]
    assert CASE.parse(occurred("bound", earliest, latest), "person-1").occurred.precision == "bound"


@pytest.mark.parametrize(
    ("precision", "earliest", "latest"),
    [
        ("day", "2026-10-25T00:00:00+02:00", "2026-10-25T23:59:59.999999+01:00"),
        ("instant", "2026-10-25T00:00:00+02:00", "2026-10-24T22:00:00Z"),
    ],
)
def test_the_control_the_longest_day_and_one_instant_in_two_zones(precision: str, earliest: str, latest: str) -> None:
    assert CASE.parse(occurred(precision, earliest, latest), "person-1").occurred.known


def test_a_time_that_is_a_text_says_how_it_is_written() -> None:
    said = b'{"type":"StateDiagnosis","diagnosis":"x","occurred":"2026-11-20"}'
    with pytest.raises(Unreadable) as no:
        CASE.parse(said, "person-1")
    [fault] = no.value.faults
    assert (fault.pointer, fault.detail.partition(",")[0]) == ("#/occurred", "must be a time")
    asked = fault.detail.partition("as ")[2].partition(", or ")[0]
    assert CASE.parse(said.replace(b'"2026-11-20"', asked.encode()), "person-1").occurred.day, "as the words say"

"""Files of results over HTTP: all of it or nothing, every part accounted for, no other patient's."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
import pytest

from api.results.csv_file import read_csv
from domain.engine.decide import decide
from domain.stages.records.observing import recorded
from tests.api.conftest import Person
from tests.api.results.bundles import CREATININE, EVERYTHING, bundle, observation, quantity
from tests.api.routes.test_commands import assert_problem

HEAD = "analyte,value,unit,occurred\n"
GOOD = f"{HEAD}lvef,55,%,2026-01-05\nalt,30,U/L,2026-01-05\n"
BAD = f"{GOOD}lvef,0.55,%,2026-01-06\nsodium,140,mmol/L,2026-01-05\nalt,30,mg/dL,2999-01-01\n"


async def send(
    person: Person, case: str, body: str | bytes, media: str = "text/csv", key: str = "", **query: Any
) -> httpx2.Response:
    headers = {"Content-Type": media, "Idempotency-Key": key or uuid.uuid4().hex}
    content = body.encode() if isinstance(body, str) else body
    return await person.http.post(f"/cases/{case}/observations", content=content, headers=headers, params=query)


async def observed(person: Person, case: str) -> dict[str, Any]:
    found: dict[str, Any] = (await person.get(f"/cases/{case}/observations")).json()
    return found


async def test_a_table_is_taken_once_whole(people: Mapping[str, Person]) -> None:
    case = (await people["coordinator"].open())["case"]
    first = await send(people["coordinator"], case, GOOD, key="file-1")
    assert first.status_code == 201, first.text
    assert (first.json()["taken"], first.json()["known"]) == (2, 0)
    again = await send(people["coordinator"], case, GOOD, key="file-1")
    assert again.json()["repeated"] is True
    other = await send(people["coordinator"], case, GOOD + "alt,40,U/L,2026-01-05\n")
    assert (other.json()["taken"], other.json()["known"], len(other.json()["conflicts"])) == (1, 2, 1)
    body = await observed(people["coordinator"], case)
    assert [(o["analyte"], o["value"], o["taken"]["precision"]) for o in body["observations"]] == [
        ("lvef", "55", "day"), ("alt", "30", "day"), ("alt", "40", "day")
    ]  # fmt: skip
    assert body["conflicts"] == other.json()["conflicts"]
    assert [(f["taken"], f["known"]) for f in body["files"]] == [(2, 0), (1, 2)]


async def test_one_fault_and_nothing_is_taken_unless_faults_are_left_out(people: Mapping[str, Person]) -> None:
    case = (await people["coordinator"].open())["case"]
    refused = await send(people["coordinator"], case, BAD)
    assert_problem(refused, 422, "invalid")
    assert [(e["pointer"], e["detail"].partition(":")[0]) for e in refused.json()["errors"]] == [
        ("#/lines/4/value", "line 4, value"), ("#/lines/5/analyte", "line 5, analyte"),
        ("#/lines/6/occurred", "line 6, occurred"),
    ]  # fmt: skip
    assert (await observed(people["coordinator"], case))["observations"] == []
    tried = await send(people["coordinator"], case, BAD, skip_faults=True, dry_run=True)
    assert (tried.status_code, tried.json()["read"], tried.json()["recorded"]) == (200, 2, False)
    assert (await observed(people["coordinator"], case))["files"] == []
    taken = await send(people["coordinator"], case, BAD, skip_faults=True)
    assert (taken.json()["taken"], [f["place"] for f in taken.json()["faults"]]) == (2, [4, 5, 6])
    assert (await observed(people["coordinator"], case))["files"][0]["left"] == [
        {"kind": "line", "left_because": "faulty", "number": 3}
    ]


async def test_a_bundle_describes_the_patient_and_leaves_nothing_unsaid(people: Mapping[str, Person]) -> None:
    case = (await people["coordinator"].open())["case"]
    answer = await send(people["coordinator"], case, EVERYTHING, "application/fhir+json")
    assert answer.status_code == 201, answer.text
    assert (answer.json()["taken"], len(answer.json()["left"])) == (3, 8)
    state = (await people["coordinator"].get(f"/cases/{case}")).json()["case"]
    assert (state["birth"], state["sex"]) == ("1980-03-02", "female")


async def test_another_patients_bundle_is_refused(people: Mapping[str, Person]) -> None:
    """By birth date, sex and name; the control is the bundle of the same patient in the test before."""
    case = (await people["coordinator"].open())["case"]
    await people["coordinator"].send(case, "DescribePatient", birth="1980-03-02", sex="female")
    for who, pointer in (
        ({"birthDate": "1981-03-02"}, "#/birth"),
        ({"gender": "male"}, "#/sex"),
        ({"name": [{"family": "Somebody", "given": ["Else"]}]}, "#/name"),
    ):
        refused = await send(people["coordinator"], case, bundle(CREATININE, **who), "application/fhir+json")
        assert_problem(refused, 422, "invalid")
        assert [e["pointer"] for e in refused.json()["errors"]] == [pointer]
        assert "Else" not in refused.text
    assert (await observed(people["coordinator"], case))["observations"] == []
    written = {"name": [{"text": "विल्हेल्मिना"}], "birthDate": "1980"}
    fine = await send(people["coordinator"], case, bundle(CREATININE, **written), "application/fhir+json")
    assert fine.status_code == 201, "another script, and the year alone, contradict nothing"


async def test_values_are_for_those_who_may_see_them_and_files_for_those_who_may_send_them(
    people: Mapping[str, Person],
) -> None:
    case = (await people["coordinator"].open())["case"]
    await send(people["coordinator"], case, GOOD)
    body = await observed(people["auditor"], case)
    assert body["observations"][0]["value"] == {"masked": "clinical"}
    assert_problem(await send(people["auditor"], case, GOOD), 403, "not_allowed")
    assert_problem(await send(people["coordinator"], case, GOOD, "text/html"), 415, "unsupported_media_type")


async def test_what_a_bundle_says_wrong_is_named_by_its_entry(people: Mapping[str, Person]) -> None:
    case = (await people["coordinator"].open())["case"]
    body = bundle(CREATININE, observation("718-7", quantity(900, "g/dL")))
    refused = await send(people["coordinator"], case, body, "application/fhir+json")
    assert [e["pointer"] for e in refused.json()["errors"]] == ["#/entries/3/value"]


async def test_a_file_is_read_held_and_decided_where_nobody_waits_for_it(
    people: Mapping[str, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in the thread that answers everybody; one observation by hand is decided there, as everything small is."""
    threads: dict[str, set[int]] = {}

    def watched(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*given: Any) -> Any:
            threads.setdefault(name, set()).add(threading.get_ident())
            return work(*given)

        return noted

    case = (await people["coordinator"].open())["case"]
    monkeypatch.setattr("api.results.taking.read_csv", watched("read", read_csv))
    monkeypatch.setattr("api.results.taking.recorded", watched("held", recorded))
    monkeypatch.setattr("activities.case_session.decide", watched("decided", decide))
    assert (await send(people["coordinator"], case, GOOD)).status_code == 201
    assert set(threads) == {"read", "held", "decided"}
    assert threading.get_ident() not in set().union(*threads.values())
    day = {"earliest": "2026-01-07T00:00:00Z", "latest": "2026-01-08T00:00:00Z", "precision": "day"}
    by_hand = {"analyte": "alt", "value": "30", "unit": "U/L", "occurred": day}
    assert (await people["coordinator"].send(case, "RecordObservation", **by_hand)).status_code == 200
    assert threading.get_ident() in threads["decided"]


@pytest.mark.parametrize("line", [
    "lvef,55,%,9999-12-31", "lvef,55,%,9999", "lvef,55,%,0001-01-01", "lvef,55,%,0001-01-01T00:00:00+14:00",
    "creatinine,1e999999,mg/dL,2026-01-05", "creatinine,1e-999999,mg/dL,2026-01-05",
])  # fmt: skip
async def test_what_lies_beyond_every_patient_is_refused_with_its_line(people: Mapping[str, Person], line: str) -> None:
    case = (await people["coordinator"].open())["case"]
    refused = await send(people["coordinator"], case, f"{HEAD}{line}\n")
    assert_problem(refused, 422, "invalid")
    [fault] = refused.json()["errors"]
    assert fault["detail"].startswith("line 2, ")

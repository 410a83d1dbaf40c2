"""Search before create over HTTP: what is listed, to whom, and how to go on."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from tests.api.conftest import INQUIRY, Person
from tests.api.routes.test_commands import assert_problem


def somebody(**told: Any) -> dict[str, Any]:
    """An inquiry of somebody of whom nobody else in the ledger has a name or contact."""
    mark = uuid.uuid4().hex[:12]
    letters = "".join(chr(ord("a") + int(c, 16)) for c in mark)
    given = {**INQUIRY, "patient_name": f"Dup{letters} Of{letters}", "patient_mail": f"{mark}@dup.example"}
    return {**given, "birth": "1980-03-02", "despite_duplicates": "", **told}


async def test_a_probable_duplicate_is_listed_and_opened_only_with_a_reason(people: Mapping[str, Person]) -> None:
    coordinator, body = people["coordinator"], somebody()
    first = await coordinator.post("/cases", body, key := uuid.uuid4().hex)
    assert first.status_code == 201, first.text
    again = await coordinator.post("/cases", body, key)
    assert again.json()["case"] == first.json()["case"], "a repeat gets its first answer"
    refused = await coordinator.post("/cases", body)
    assert_problem(refused, 409, "probable_duplicates")
    [line] = refused.json()["cases"]
    assert (line["case"], line["number"]) == (first.json()["case"], first.json()["number"])
    assert line["grounds"] == ["contact", "name", "birth"]
    assert refused.json()["errors"][0]["pointer"] == "#/despite_duplicates"
    assert body["patient_name"] not in refused.text
    other = await coordinator.post("/cases", {**body, "despite_duplicates": "her cousin of the same name"})
    assert other.status_code == 201, other.text
    events = (await coordinator.get(f"/cases/{other.json()['case']}/events")).text
    assert "her cousin of the same name" in events


async def test_of_a_case_that_may_not_be_seen_only_what_speaks_for_it_is_said(people: Mapping[str, Person]) -> None:
    body = somebody(team="far", owner="person-far")
    opened = await people["supervisor"].post("/cases", body)
    assert opened.status_code == 201, opened.text
    refused = await people["coordinator"].post("/cases", {**body, "team": "asia", "owner": ""})
    assert_problem(refused, 409, "probable_duplicates")
    assert refused.json()["cases"] == [{"masked": "identity", "grounds": ["contact", "name", "birth"]}]
    assert opened.json()["number"] not in refused.text


async def test_by_birth_date_across_scripts_and_after_a_contact_changed(people: Mapping[str, Person]) -> None:
    coordinator = people["coordinator"]
    one = await coordinator.post("/cases", somebody(patient_name="आशा", birth="1971-05-06"))
    assert one.status_code == 201, one.text
    across = await coordinator.post("/cases", somebody(patient_name="Asha", birth="1971-05-06"))
    assert_problem(across, 409, "probable_duplicates")
    case = one.json()["case"]
    person = next(iter((await coordinator.get(f"/cases/{case}")).json()["case"]["people"]))
    moved = f"{uuid.uuid4().hex[:9]}@dup.example"
    changed = await coordinator.send(
        case, "ChangeContact", person=person, mail=moved, phone="", zone="Asia/Kolkata", language="hi"
    )
    assert changed.is_success, changed.text
    by_mail = await coordinator.post("/cases", somebody(patient_mail=moved, birth=""))
    assert [line["grounds"] for line in by_mail.json()["cases"]] == [["contact"]]


async def test_a_birth_date_that_cannot_be_is_refused_and_nothing_is_opened(people: Mapping[str, Person]) -> None:
    refused = await people["coordinator"].post("/cases", somebody(birth="2.3.1980"))
    assert_problem(refused, 422, "invalid")
    assert refused.json()["errors"][0]["pointer"] == "#/birth"

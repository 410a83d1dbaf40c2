"""Patient summaries over HTTP [criteria.ips]: taken whole or not at all, listed by section, and no other patient's."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from tests.activities.ips_rules import broken
from tests.api.conftest import Person
from tests.api.results import summaries as ips
from tests.api.results.summaries import WHOLE, sent, summary

FHIR = {"Content-Type": "application/fhir+json"}


async def give(person: Person, case: str, body: bytes, **query: Any) -> httpx2.Response:
    headers = {**FHIR, "Idempotency-Key": uuid.uuid4().hex}
    return await person.http.post(f"/cases/{case}/observations", content=body, headers=headers, params=query)


async def test_a_summary_is_taken_and_listed_by_section(coordinator: Person) -> None:
    case = (await coordinator.open(diagnosis=""))["case"]
    told = (await give(coordinator, case, sent(WHOLE))).json()
    assert (told["taken"], told["statements"]) == (1, {"taken": 8, "known": 0})
    assert [(one["place"], one["why"]) for one in told["left"]] == [(1, "narrative_only"), (10, "part_of_other")]
    listed = (await coordinator.get(f"/cases/{case}/summary")).json()
    said = {one["section"]: one["said"] for one in listed["sections"]}
    assert (said["problems"], said["medications"], said["immunizations"]) == ("stated", "not_said", "none_known")
    allergy = next(one for one in listed["sections"] if one["section"] == "allergies")["statements"][0]
    assert (allergy["text"], allergy["bundle"], allergy["entry"]) == ("Penicillin", "urn:oid:1.2.3|summary-7", 5)
    observed = (await coordinator.get(f"/cases/{case}/observations")).json()["observations"]
    assert observed[0]["source"] == {"bundle": "urn:oid:1.2.3|summary-7", "section": "results", "entry": 8}
    assert (await coordinator.get(f"/cases/{case}/matches")).json()["disease"] == {"code": "dlbcl", "from_words": False}
    again = (await give(coordinator, case, sent(WHOLE))).json()
    assert (again["taken"], again["statements"]) == (0, {"taken": 0, "known": 8})


async def test_nothing_was_said_is_said(coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    listed = (await coordinator.get(f"/cases/{case}/summary")).json()
    assert [(one["section"], one["said"]) for one in listed["sections"]] == [
        ("problems", "not_said"), ("allergies", "not_said"), ("medications", "not_said"),
    ]  # fmt: skip


async def test_a_fault_refuses_the_whole_and_can_be_left_out(coordinator: Person) -> None:
    case = (await coordinator.open())["case"]
    broken_off = ips.section("11450-4", "Condition/dlbcl", "Condition/nowhere")
    body = sent(summary([broken_off, ips.empty("48765-2", "nilknown")],
                        {**ips.LYMPHOMA, "onsetDateTime": "last year"}, ips.ASTHMA))  # fmt: skip
    no = await give(coordinator, case, body)
    assert no.status_code == 422
    assert [one["pointer"] for one in no.json()["errors"]] == [
        "#/entries/1/section/0/entry/1/reference", "#/entries/3/began",
    ]  # fmt: skip
    assert "last year" not in no.text
    assert (await coordinator.get(f"/cases/{case}/summary")).json()["bundles"] == []
    taken = (await give(coordinator, case, body, skip_faults=True)).json()
    assert (taken["recorded"], taken["statements"]["taken"]) == (True, 2), "the section that is empty, and the asthma"


@pytest.mark.parametrize("person", [{"birthDate": "1979-01-01"}, {"name": [{"text": "Somebody Else"}]}])
async def test_another_patients_summary_is_refused(coordinator: Person, person: Mapping[str, Any]) -> None:
    case = (await coordinator.open(birth="1980-03-02"))["case"]
    whole = summary(ips.SECTIONS, *ips.RESOURCES)
    whole["entry"][1] = {**whole["entry"][1], "resource": {**whole["entry"][1]["resource"], **person}}
    no = await give(coordinator, case, sent(whole))
    assert (no.status_code, "another patient's" in no.text) == (422, True)
    assert "Somebody Else" not in no.text
    assert (await give(coordinator, case, sent(WHOLE))).status_code == 201, "the control"


async def test_whoever_sees_nothing_clinical_sees_no_statement(people: Mapping[str, Person]) -> None:
    case = (await people["coordinator"].open())["case"]
    await give(people["coordinator"], case, sent(WHOLE))
    for role, person in people.items():
        answer = await person.get(f"/cases/{case}/summary")
        clinical = answer.status_code == 200 and "clinical" not in answer.json()["masked"]
        assert ("Penicillin" in answer.text) is clinical, role
        assert (b"summary-7" in answer.content) is clinical, role


async def test_the_summary_of_a_case_goes_out_to_whoever_sees_name_and_findings(people: Mapping[str, Person]) -> None:
    coordinator = people["coordinator"]
    case = (await coordinator.open())["case"]
    await give(coordinator, case, sent(WHOLE))
    for role, person in people.items():
        answer = await person.get(f"/cases/{case}/ips")
        seen = (await person.get(f"/cases/{case}/summary")).json().get("masked", ["none"])
        assert (answer.status_code == 200) is (not {"identity", "clinical"} & set(seen) and seen != ["none"]), role
        assert ("Penicillin" in answer.text) is (answer.status_code == 200), role
    told = await coordinator.get(f"/cases/{case}/ips")
    assert (told.headers["content-type"], told.headers["cache-control"]) == ("application/fhir+json", "no-store")
    assert broken(told.json()) == []
    looks = (await people["supervisor"].get(f"/cases/{case}/looks")).json()["looks"]
    assert {one["what"] for one in looks} >= {"patient summary"}
    other = (await coordinator.open())["case"]
    back = await give(coordinator, other, told.content)
    assert (back.status_code, back.json()["statements"]["taken"] > 5) == (201, True), back.text

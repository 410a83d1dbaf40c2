"""What the protocol asks before another dose, over HTTP and on the pages: shown, refused, decided with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.api.conftest import Person
from tests.api.console.conftest import Browser
from tests.api.routes.test_callbacks import Hospital, hospital, keys
from tests.api.routes.test_commands import assert_problem
from tests.api.routes.test_screening import PROTOCOL

__all__ = ["hospital", "keys"]
READ_BY_COMMITTEE = {
    "type": "AssessResponse", "result": "PR", "system": "lugano", "assessor": "independent_committee",
    "examination": "pet_ct", "deauville": 4, "uptake": "unchanged",
}  # fmt: skip
ASKED: dict[str, Any] = {
    "interval_days": 28, "most_infusions": 3, "toxicity": [{"kind": "crs", "highest": 2}], "responses": ["PR", "SD"],
}  # fmt: skip


async def _treated(people: Mapping[str, Person], hospital: Hospital) -> tuple[str, str]:
    """Register the protocol, and bring a case to the day after its infusion; return both."""
    made = await people["operator"].post("/protocols", {**PROTOCOL, "redosing": ASKED})
    assert made.status_code == 201, made.text
    case = str((await people["supervisor"].open(imported=True))["case"])
    taken = await people["supervisor"].send(
        case, "ImportFacts", stage="infusion", centre=hospital.id, protocol=made.json()["id"],
        consents=["data_processing"], accepted_until="2030-01-01T00:00:00Z",
        entered=(datetime.now(UTC) - timedelta(days=20)).isoformat(),
    )  # fmt: skip
    assert taken.is_success, taken.text
    whole = (await people["supervisor"].get(f"/cases/{case}")).json()
    risks = {"purpose": "risks", "person": next(iter(whole["case"]["people"])), "form_version": "1", "language": "en"}
    accepted = await people["supervisor"].send(case, "GiveConsent", **risks)
    assert accepted.is_success, accepted.text
    given = {"type": "RecordInfusion", "unit": "U-1", "deviation": "told by telephone"}
    graded = {"type": "ReportToxicity", "name": "CRS", "grade": 3}
    for said in (given, graded, READ_BY_COMMITTEE):
        told = await hospital.say(case, said)
        assert told.is_success, told.text
    return made.json()["id"], case


async def test_another_dose_is_decided_over_what_the_protocol_asks_only_with_a_reason(
    people: Mapping[str, Person], hospital: Hospital, mei: Browser
) -> None:
    wrong = await people["operator"].post("/protocols", {**PROTOCOL, "redosing": {"antigen": "CD7", "antigen_days": 9}})
    assert_problem(wrong, 422, "invalid")
    assert "one of the targets: CD19" in wrong.text
    protocol, case = await _treated(people, hospital)
    body = (await people["supervisor"].get(f"/cases/{case}/redosing")).json()
    assert [(one["question"], one["stands"], one["found"]) for one in body["asked"]] == [
        ("interval", "not_met", "0"),
        ("infusions", "met", "1"),
        ("toxicity", "not_met", "3"),
        ("response", "met", "PR"),
    ]
    assert all(one["rests_on"] for one in body["asked"])
    answered = (await people["supervisor"].get(f"/cases/{case}/responses")).json()
    [line], [course] = answered["assessments"], answered["courses"]
    assert (line["counts_as"], line["calculated"], line["told"]["system"]) == ("PR", "NMR", "lugano")
    assert (course["assessor"], course["best"], course["days"]) == ("independent_committee", "PR", 0)
    decided = {"type": "DecideRedosing", "clinician": "Dr Li", "reason": "relapse"}
    refused = await hospital.say(case, decided)
    assert "not met or not known: interval, toxicity" in refused.text
    told = await hospital.say(case, {**decided, "despite": "no other way is left"})
    assert told.is_success, told.text
    over = {"treatment": 1, "unmet": ["interval", "toxicity"], "reason": "no other way is left"}
    body = (await people["supervisor"].get(f"/cases/{case}/redosing")).json()
    assert [{**one, "treatment": 1} for one in body["overruled"]] == [over]
    page = (await mei.get(f"/console/cases/{case}")).text
    for words in ("by score: NMR", "an independent committee", "best response PR"):
        assert words in page
    for words in ("Before another dose", "At least 28 days since the last infusion", "no other way is left"):
        assert words in page
    hidden = (await people["auditor"].get(f"/cases/{case}/redosing")).json()
    assert hidden == {"asked": [], "overruled": [], "masked": ["clinical"]}
    hidden = (await people["auditor"].get(f"/cases/{case}/responses")).json()
    nothing = {"donor_search": None, "transplant_often_follows": False, "masked": ["clinical"]}
    assert hidden == {"assessments": [], "courses": [], "losses": [], **nothing}
    protocol_page = (await mei.get(f"/console/protocols/{protocol}")).text
    assert "at most grade 2 since the last infusion" in protocol_page

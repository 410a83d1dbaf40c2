"""The cells of an infusion by weight, over HTTP and on the pages: refused, authorised with a reason, shown, masked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from tests.api.conftest import Person
from tests.api.console.conftest import Browser
from tests.api.routes.test_callbacks import Hospital, hospital, keys
from tests.api.routes.test_commands import assert_problem
from tests.api.routes.test_screening import PROTOCOL

__all__ = ["hospital", "keys"]
WEIGHED = {"earliest": "2026-01-02T00:00:00Z", "latest": "2026-01-02T23:59:59Z", "precision": "day"}
DOSE = {"least": 2_000_000, "most": 2_000_000, "per_kg": True, "cap": 200_000_000, "counted": "CAR+ viable T cells"}


async def test_cells_stand_beside_what_the_protocol_writes_for_the_weight(
    people: Mapping[str, Person], hospital: Hospital, mei: Browser
) -> None:
    wrong = await people["operator"].post("/protocols", {**PROTOCOL, "doses": [DOSE, DOSE]})
    assert_problem(wrong, 422, "invalid")
    assert "two of them are for one weight" in wrong.text
    made = await people["operator"].post("/protocols", {**PROTOCOL, "doses": [DOSE]})
    assert made.status_code == 201, made.text
    case = str((await people["supervisor"].open(imported=True))["case"])
    taken = await people["supervisor"].send(
        case, "ImportFacts", stage="infusion", centre=hospital.id, protocol=made.json()["id"],
        consents=["data_processing"], accepted_until="2030-01-01T00:00:00Z",
        entered=(datetime.now(UTC) - timedelta(days=20)).isoformat(),
    )  # fmt: skip
    assert taken.is_success, taken.text
    body = (await people["supervisor"].get(f"/cases/{case}/cells")).json()
    assert (body["written"]["unknown"], body["written"]["least"], body["infusions"]) == ("weight", 0, [])
    weighed = {"type": "RecordObservation", "analyte": "weight", "value": "80", "unit": "kg", "occurred": WEIGHED}
    given = {"type": "RecordInfusion", "unit": "U-1", "cells": "1.5e8 CAR+", "deviation": "told by telephone"}
    for said in (weighed, given):
        told = await hospital.say(case, said)
        assert told.is_success, told.text
    body = (await people["supervisor"].get(f"/cases/{case}/cells")).json()
    assert (body["written"]["least"], body["written"]["most"], body["written"]["kg"]) == (
        160_000_000,
        160_000_000,
        "80",
    )
    assert [(one["infusion"], one["order"], one["given"]) for one in body["infusions"]] == [(1, None, "1.5e8 CAR+")]
    page = (await mei.get(f"/console/cases/{case}")).text
    for words in ("Cells of an infusion", "160000000 to 160000000 cells in all", "CAR+ viable T cells", "1.5e8 CAR+"):
        assert words in page
    hidden = (await people["auditor"].get(f"/cases/{case}/cells")).json()
    assert hidden == {"written": None, "infusions": [], "masked": ["clinical"]}
    protocol_page = (await mei.get(f"/console/protocols/{made.json()['id']}")).text
    assert "2000000 to 2000000 cells/kg" in protocol_page

"""Registries over HTTP and on the page: refused without consent, a bundle with it, and what the registry answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from fhir.resources.R4B.bundle import Bundle

from tests.api.conftest import Person
from tests.api.console.conftest import Browser
from tests.api.routes.test_callbacks import Hospital, hospital, keys
from tests.api.routes.test_commands import assert_problem
from tests.api.routes.test_screening import PROTOCOL

__all__ = ["hospital", "keys"]


async def brought_in(people: Mapping[str, Person], centre: str, protocol: str, *consents: str) -> str:
    """A case in follow-up, forty days after the cells."""
    case = str((await people["supervisor"].open(imported=True))["case"])
    day = (datetime.now(UTC) - timedelta(days=40)).date()
    given = {"precision": "day", "earliest": f"{day}T00:00:00Z", "latest": f"{day}T23:59:59Z"}
    facts = {"stage": "follow_up", "centre": centre, "protocol": protocol, "infusions": [given]}
    taken = await people["supervisor"].send(case, "ImportFacts", **facts, consents=["data_processing", *consents])
    assert taken.is_success, taken.text
    return case


async def test_a_form_is_owed_made_sent_back_and_taken(
    people: Mapping[str, Person], hospital: Hospital, mei: Browser
) -> None:
    ask = people["supervisor"]
    protocol = (await people["operator"].post("/protocols", PROTOCOL)).json()["id"]
    silent = await brought_in(people, hospital.id, protocol)
    assert_problem(await ask.send(silent, "ReportToRegistry", registry="cibmtr"), 409, "missing")
    assert_problem(await ask.get(f"/cases/{silent}/registries/cibmtr/4000"), 409, "missing")
    case = await brought_in(people, hospital.id, protocol, "registry")
    assert (await ask.send(case, "ReportToRegistry", registry="cibmtr", number="C-7")).is_success
    body = (await ask.get(f"/cases/{case}/registries")).json()
    assert body["consent"]
    assert [(f["form"], f["stands"]) for f in body["forms"]][:2] == [("4000", "owed"), ("4006", "ahead")]
    report = await ask.get(f"/cases/{case}/registries/cibmtr/4000")
    assert report.headers["content-type"].startswith("application/fhir+json")
    Bundle.model_validate(report.json())
    page = (await mei.get(f"/console/cases/{case}")).text
    assert f'href="/cases/{case}/registries/cibmtr/4000"' in page
    back = {"registry": "cibmtr", "form": "4000", "outcome": "rejected", "faults": "line 3: no date"}
    assert (await ask.send(case, "RecordRegistryAnswer", **back)).is_success
    again = (await ask.get(f"/cases/{case}/registries/cibmtr/4000")).json()
    assert again["identifier"]["value"].endswith("/4000/2")
    told = {"registry": "cibmtr", "form": "4000", "outcome": "accepted", "receipt": "R-1"}
    assert (await ask.send(case, "RecordRegistryAnswer", **told)).is_success
    body = (await ask.get(f"/cases/{case}/registries")).json()
    assert [(f["form"], f["stands"], f["rejected"]) for f in body["forms"]][:2] == [
        ("4000", "accepted", 1),
        ("4006", "owed", 0),
    ]
    assert_problem(await ask.get(f"/cases/{case}/registries/ebmt/CGT-D0"), 404, "not_found")

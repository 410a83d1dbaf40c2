"""The page of a lot: from a specification to results, a decision by two people and the release."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.run.wiring import Parts
from domain.core.errors import Refused
from domain.doses.lot import ReleaseLot
from domain.doses.unit import CommitUnit, FreeUnit, HoldUnit
from tests.api.conftest import Person, registered
from tests.api.console.conftest import Browser, browsing, hidden
from tests.api.routes.doses.test_genealogy import EXPIRES, told

TODAY = datetime.now(UTC).date().isoformat()
TESTS = [
    {"test": "viability", "unit": "%", "least": 70.0},
    {"test": "sterility", "expected": "no growth", "late": True},
]


async def test_a_lot_out_of_specification_is_released_once_two_people_have_decided(
    people: Mapping[str, Person], browsers: Mapping[str, Browser], app: FastAPI, here: Parts
) -> None:
    quality, mark = people["supervisor"], uuid.uuid4().hex[:8]
    answer = await quality.post("/products", {"code": f"QC-{mark}"})
    assert answer.status_code == 201, answer.text
    again = await quality.post("/products", {"code": f" qc-{mark} "})
    assert again.status_code == 409, again.text
    await told(people["quality"], answer.json()["id"], "SpecifyTests", tests=TESTS, source="SPEC-7")
    body = {"product": f"QC-{mark}", "units": [f"u-{mark}"], "expires": EXPIRES}
    lot = (await quality.post("/lots", body)).json()["id"]
    first, second = browsers["quality"], await browsing(app, await registered(here, "quality", "asia"))
    path = f"/console/lots/{lot}"
    page = await first.get(path)
    assert "no result yet" in page.text
    form = hidden(page.text) | {"nonce": mark}
    early = await first.post(path, **{**form, "type": "ReleaseLot"})
    assert (early.status_code, "no result yet of: viability" in early.text) == (409, True), early.text
    wrong = {**form, "type": "RecordResult", "test": "viability", "unit": "%", "tested": TODAY}
    assert (await first.post(path, **wrong, value="many")).status_code == 422
    page = await first.post(path, **wrong, value="61.5")
    assert "61.5 %" in page.text
    assert "out of specification" in page.text
    decide = {"type": "DecideOutOfSpecification", "test": "viability", "outcome": "use", "reason": "asked for"}
    page = await first.post(path, **{**form, **decide})
    assert "use it all the same, says" in page.text
    alone = await first.post(path, **{**form, **decide, "nonce": f"{mark}-2"})
    assert (alone.status_code, "another person has to" in alone.text) == (403, True)
    other = hidden((await second.get(path)).text) | {"nonce": f"{mark}-3"}
    assert "out of specification and accepted" in (await second.post(path, **{**other, **decide})).text
    page = await second.post(path, **{**other, "type": "ReleaseLot"})
    assert "released for use" in page.text
    late = {"type": "RecordResult", "test": "sterility", "word": "growth", "tested": TODAY}
    page = await second.post(path, **{**other, **late})
    assert "in quarantine" in page.text
    assert lot in (await first.get("/console/lots")).text
    for role in ("coordinator", "auditor", "reviewer"):
        assert (await browsers[role].get(path)).status_code == 403
        assert (await browsers[role].get("/console/lots")).status_code == 403


async def test_a_unit_set_aside_is_put_back_into_stock_by_quality_on_its_page(
    people: Mapping[str, Person], browsers: Mapping[str, Browser], here: Parts
) -> None:
    mark = uuid.uuid4().hex[:8]
    body = {"product": f"SA-{mark}", "units": [f"u-{mark}"], "expires": EXPIRES}
    lot = (await people["supervisor"].post("/lots", body)).json()["id"]
    unit, until = f"u-{mark}", datetime.now(UTC) + timedelta(days=9)
    hold = HoldUnit("case-x", f"e-{mark}", until)
    for command in (ReleaseLot("person-z"), hold, CommitUnit(unit, "case-x"), FreeUnit(unit, "case-x")):
        await here.commands.record(CommandRequest(lot, Meta("person-z"), command))
    page = await browsers["quality"].get(path := f"/console/lots/{lot}")
    assert "set aside" in page.text
    assert "put it back into stock" in page.text
    settle = {"type": "SettleUnit", "unit": unit, "outcome": "returned", "reason": "it never left its storage"}
    page = await browsers["quality"].post(path, **{**hidden(page.text), **settle, "nonce": mark})
    assert "in the freezer" in page.text, page.text
    assert "put it back into stock" not in page.text


async def test_a_lot_of_own_cells_is_bound_by_the_number_of_the_case_and_refused_to_everybody_else(
    people: Mapping[str, Person], browsers: Mapping[str, Browser], here: Parts
) -> None:
    mark = uuid.uuid4().hex[:8]
    case = str((await people["coordinator"].open())["case"])
    number = (await here.commands.case(case))[0].number
    body = {"product": f"OWN-{mark}", "units": [f"u-{mark}"], "expires": EXPIRES}
    lot = (await people["supervisor"].post("/lots", body)).json()["id"]
    path = f"/console/lots/{lot}"
    form = hidden((await browsers["quality"].get(path)).text) | {"nonce": mark, "type": "BindLot"}
    page = await browsers["quality"].post(path, **form, case=number, coi=f"COI-{mark}")
    assert (page.status_code, number in page.text, f"COI-{mark}" in page.text) == (200, True, True), page.text
    await here.commands.record(CommandRequest(lot, Meta("person-q"), ReleaseLot("person-q")))
    until = datetime.now(UTC) + timedelta(days=9)
    with pytest.raises(Refused, match="another patient's own cells"):
        await here.commands.record(CommandRequest(lot, Meta("engine"), HoldUnit("case-x", f"e-{mark}", until)))
    held = await here.commands.record(CommandRequest(lot, Meta("engine"), HoldUnit(case, f"f-{mark}", until)))
    assert [unit.case for unit in held.state.units.values()] == [case]


async def test_a_lot_is_bound_to_no_case_that_nobody_opened(
    people: Mapping[str, Person], browsers: Mapping[str, Browser], here: Parts
) -> None:
    mark = uuid.uuid4().hex[:8]
    body = {"product": f"OWN-{mark}", "units": [f"u-{mark}"], "expires": EXPIRES}
    lot = (await people["supervisor"].post("/lots", body)).json()["id"]
    bind = {"type": "BindLot", "coi": f"COI-{mark}"}
    for nobody in (f"case-{mark}", "case-", "case-\u202e"):
        refused = await people["quality"].post(f"/lots/{lot}/commands", {**bind, "case": nobody})
        assert (refused.status_code, "no such case" in refused.text) == (404, True), refused.text
    form = hidden((await browsers["quality"].get(path := f"/console/lots/{lot}")).text) | {"nonce": mark}
    page = await browsers["quality"].post(path, **{**form, **bind, "case": f"case-{mark}"})
    assert page.status_code == 404, page.text
    assert (await here.commands.entry(lot)).state.bound is None
    case = str((await people["coordinator"].open())["case"])
    taken = await people["quality"].post(f"/lots/{lot}/commands", {**bind, "case": case})
    assert taken.status_code == 200, taken.text

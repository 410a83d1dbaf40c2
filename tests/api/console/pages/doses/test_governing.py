"""A clinical hold over the real stack: placed on a page, felt by case and lot, lifted again."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from tests.api.conftest import Person
from tests.api.console.conftest import Browser, hidden
from tests.api.routes.doses.test_genealogy import EXPIRES
from tests.api.routes.test_commands import assert_problem
from tests.api.routes.test_screening import PROTOCOL

TODAY = datetime.now(UTC).date().isoformat()
HOLD = {"holder": "regulator", "authority": "FDA", "reason": "two deaths", "decided": TODAY}


async def test_a_hold_is_placed_on_the_page_reaches_the_open_case_and_ends_when_its_conditions_are_fulfilled(
    people: Mapping[str, Person], browsers: Mapping[str, Browser]
) -> None:
    supervisor, mark = browsers["supervisor"], uuid.uuid4().hex[:8]
    made = await people["operator"].post("/protocols", {**PROTOCOL, "product": f"P-{mark}", "product_class": "in_vivo"})
    protocol = made.json()["id"]
    case = str((await people["supervisor"].open(imported=True))["case"])
    taken = await people["supervisor"].send(
        case, "ImportFacts", stage="visa", centre=f"centre-{mark}", protocol=protocol, consents=["data_processing"],
        accepted_until=(datetime.now(UTC) + timedelta(days=60)).isoformat(),
    )  # fmt: skip
    assert taken.is_success, taken.text
    path = f"/console/protocols/{protocol}"
    first = await supervisor.get(path)
    assert "antibodies against the vector" in first.text
    form = hidden(first.text)
    place = {**form, **HOLD, "type": "PlaceClinicalHold", "nonce": mark, "conditions": "amended consent\n\nnew dose\n"}
    other = browsers["coordinator"]
    refused = await other.post(f"{path}/governing", **{**place, "csrf": await other.csrf()})
    assert refused.status_code == 403
    page = await supervisor.post(f"{path}/governing", **place)
    assert "two deaths" in page.text
    assert page.text.count('value="FulfilHoldCondition"') == 2
    assert (
        await people["supervisor"].send(case, "AddNote", kind="note", text="the family asked")
    ).is_success  # as attending would
    owed = (await people["supervisor"].get(f"/cases/{case}/agenda")).json()["obligations"]
    assert "trial_hold_review" in {one["kind"] for one in owed}
    lift = {"type": "LiftClinicalHold", "hold": 1, "holder": "regulator", "decided": TODAY, "source": "letter"}
    commands = f"/protocols/{protocol}/commands"
    assert_problem(await people["quality"].post(commands, lift), 409, "missing")
    for number in ("1", "2"):
        met = {
            "type": "FulfilHoldCondition",
            "hold": "1",
            "condition": number,
            "evidence": "letter",
            "fulfilled": TODAY,
        }
        page = await supervisor.post(f"{path}/governing", **{**form, **met, "nonce": f"{mark}-{number}"})
        assert page.status_code == 200, page.text
    assert_problem(await people["supervisor"].post(commands, lift), 403, "not_allowed")
    done = hidden((await browsers["quality"].get(path)).text)
    said = {**{name: str(value) for name, value in lift.items()}, "nonce": f"{mark}-4"}
    page = await browsers["quality"].post(f"{path}/governing", **{**done, **said})
    assert "lifted on" in page.text
    assert (await people["supervisor"].send(case, "AddNote", kind="note", text="it goes on")).is_success
    owed = (await people["supervisor"].get(f"/cases/{case}/agenda")).json()["obligations"]
    assert "trial_hold_review" not in {one["kind"] for one in owed}


async def test_no_lot_of_a_product_on_hold_is_released(people: Mapping[str, Person]) -> None:
    mark = uuid.uuid4().hex[:8]
    product = (await people["supervisor"].post("/products", {"code": f"H-{mark}"})).json()["id"]
    body = {"product": f"h-{mark}", "units": [f"u-{mark}"], "expires": EXPIRES}
    lot = (await people["supervisor"].post("/lots", body)).json()["id"]
    held = await people["supervisor"].post(f"/products/{product}/commands", {"type": "PlaceClinicalHold", **HOLD})
    assert held.is_success, held.text
    release = {"type": "ReleaseLot"}
    refused = await people["quality"].post(f"/lots/{lot}/commands", release)
    assert_problem(refused, 409, "lapsed")
    assert "on hold by FDA" in refused.text
    lift = {"type": "LiftClinicalHold", "hold": 1, "holder": "regulator", "decided": TODAY, "source": "letter"}
    assert (await people["quality"].post(f"/products/{product}/commands", lift)).is_success
    assert (await people["quality"].post(f"/lots/{lot}/commands", release)).is_success

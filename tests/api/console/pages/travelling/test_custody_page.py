"""A dose on its way on the real stack: planned, handed over, taken in by a signed callback, its lot told, judged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from activities.effect_handlers.doses import FollowedUnit, StockedLots
from activities.messages import Order
from activities.perform import Performing
from activities.ports import Meta
from api.run.wiring import Parts
from domain.doses.lot import RegisterLot, ReleaseLot
from domain.doses.unit import HoldUnit, Unit
from infra.ids import fresh_stream
from tests.api.conftest import Person
from tests.api.console.conftest import Browser
from tests.api.routes.test_callbacks import Hospital, hospital, keys
from tests.api.run.test_recalled_later import tell

__all__ = ["hospital", "keys"]
HOUR = timedelta(hours=1)
TELL = "tell_lot_of_shipment"


async def told(here: Parts, case: str, lot: str) -> Unit:
    """The unit after the worker told its lot."""
    handlers = {TELL: FollowedUnit(StockedLots(here.ledger, here.commands, here.ledger.lots_of))}
    epoch = (await here.ledger.engine()).epoch
    for effect in (await here.commands.case(case))[0].effects.values():
        if effect.pending and effect.kind == TELL:
            await Performing(here.commands, handlers).attempt(Order(case, effect.id, epoch), handlers[TELL])
    unit: Unit = (await here.commands.entry(lot)).state.units["u1"]
    return unit


async def held(here: Parts, supervisor: Person, centre: str) -> tuple[str, str, datetime]:
    """A case for which a unit of a released lot is held."""
    now = datetime.now(UTC)
    lot, until = fresh_stream("lot"), now + timedelta(days=20)
    await tell(here, lot, RegisterLot("CAR-S", ("u1", "u2"), now + timedelta(days=300), by="person-p"))
    await tell(here, lot, ReleaseLot("person-q"))
    case = str((await supervisor.open(imported=True))["case"])
    await tell(here, lot, HoldUnit(case, "e-1", until), Meta("engine"))
    facts = {"stage": "visa", "centre": centre, "protocol": "protocol-x", "consents": ["data_processing"]}
    dose = {"dose_lot": lot, "dose_unit": "u1", "dose_until": until.isoformat()}
    taken = await supervisor.send(case, "ImportFacts", **facts, **dose, accepted_until=until.isoformat())
    assert taken.is_success, taken.text
    return case, lot, now


async def test_from_the_depot_to_the_ward_and_what_was_found_there(
    here: Parts, people: Mapping[str, Person], browsers: Mapping[str, Browser], supervisor: Person, hospital: Hospital
) -> None:
    case, lot, now = await held(here, supervisor, hospital.id)
    legs = [{"carrier": "Air Co", "departs": (now - HOUR).isoformat(), "arrives": (now + 30 * HOUR).isoformat()}]
    naive = [{**legs[0], "departs": "2026-11-30T08:00:00"}]
    assert (await supervisor.send(case, "PlanShipment", cargo="dose", legs=naive)).status_code == 422, "no zone"
    planned = await supervisor.send(case, "PlanShipment", cargo="dose", legs=legs, seal="S-1")
    assert planned.is_success, planned.text
    [sent] = (await supervisor.get(f"/cases/{case}/shipments")).json()["shipments"]
    hand = {"shipment": sent["id"], "label": "U1"}
    away = {**hand, "giver": "depot", "taker": "carrier", "at": now.isoformat(), "seal": "s-1", "gave": "Mr Chen"}
    assert (await supervisor.send(case, "RecordHandover", **away)).is_success
    assert (await told(here, case, lot)).state == "on_the_way"
    says = {"type": "RecordHandover", **hand, "giver": "carrier", "taker": "hospital", "seal": "S-9"}
    came = await hospital.say(case, {**says, "at": datetime.now(UTC).isoformat()})
    assert came.is_success, came.text
    unit = await told(here, case, lot)
    assert (unit.state, len(unit.stopped), unit.free_at(now + timedelta(days=99))) == ("arrived", 1, False)
    page = (await browsers["supervisor"].get(f"/console/cases/{case}/custody")).text
    for words in ("depot → carrier", "carrier → hospital", "another seal", "stopped until quality decides", "Mr Chen"):
        assert words in page, words
    [sent] = (await supervisor.get(f"/cases/{case}/shipments")).json()["shipments"]
    assert (sent["state"], sent["stops"], [h["taker"] for h in sent["handovers"]]) == (
        "arrived", ["seal"], ["carrier", "hospital"]
    )  # fmt: skip
    assert (await supervisor.send(case, "JudgeShipment", shipment=sent["id"], outcome="discard", reason="x")).is_error
    judge = {"shipment": sent["id"], "outcome": "discard", "reason": "nobody can say who opened it"}
    assert (await people["quality"].send(case, "JudgeShipment", **judge)).is_success
    assert (await told(here, case, lot)).state == "destroyed"
    masked = (await people["auditor"].get(f"/cases/{case}/shipments")).json()
    assert "identity" in masked["masked"]
    assert "Mr Chen" not in str(masked)

"""Cases that were refused a unit wait in a line: what becomes free is offered to the first, and to one only."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any

from activities.command_handler import CommandRequest
from activities.doses.genealogy import Genealogy
from activities.effect_handlers.doses import StockedLots
from activities.effect_handlers.reserving import Reserving
from activities.ports import Meta
from api.run.http_app import turns
from api.run.processes import offering
from api.run.wiring import Parts
from domain.case.effect import Effect
from domain.core.policy import Party
from domain.doses.lot import RegisterLot, ReleaseLot
from domain.stages.intake.inquiry import SetUrgency
from domain.stages.treatment.dose import DoseOffered, HoldDose, RefuseDose
from infra.ids import fresh_stream
from infra.reads.genealogy import GenealogyQueries
from tests.api.conftest import Person
from tests.api.console.conftest import Browser
from tests.api.console.pages.doses.test_reserving import DAY, NOW, priced
from tests.api.submitted import Submitted


async def reserve(here: Parts, case: Submitted) -> HoldDose | RefuseDose:
    """What the worker does about the unit the case asks for."""
    genealogy = Genealogy(here.ledger, GenealogyQueries(here.ledger.pool, here.keys))
    lots = StockedLots(here.ledger, here.commands, here.ledger.lots_of)
    asked = Effect(f"e-{uuid.uuid4().hex}", "reserve_dose", f"{case.centre}/1", Party.HOSPITAL, NOW)
    handler = Reserving(lots, here.commands.policy, genealogy.donors, turns(here).of_case)
    answer: Any = (await handler.deliver(await case.state(), asked, NOW, repeat=0)).answer
    await case.tell(answer, "engine")
    assert isinstance(answer, HoldDose | RefuseDose)
    return answer


async def waiting(person: Person, product: str) -> list[dict[str, Any]]:
    found = (await person.get("/doses/waiting")).json()["products"]
    return next((one["waiting"] for one in found if one["product"].casefold() == product.casefold()), [])


async def test_a_free_unit_is_for_who_waits_first_and_a_supervisor_may_say_otherwise(
    here: Parts, people: Mapping[str, Person], mei: Browser
) -> None:
    product = f"car-{uuid.uuid4().hex[:8]}"
    first, urgent = await priced(here, product, antibodies=False), await priced(here, product, antibodies=False)
    await urgent.tell(SetUrgency(True, "progresses", "keep"))
    assert isinstance(await reserve(here, first), RefuseDose)
    assert isinstance(await reserve(here, urgent), RefuseDose)
    supervisor = people["supervisor"]
    assert [(one["number"], one["case"], one["urgent"]) for one in await waiting(supervisor, product)] == [
        (1, urgent.id, True), (2, first.id, False),
    ]  # fmt: skip
    assert (await supervisor.get(f"/cases/{first.id}/dose")).json()["waiting"]["place"] == 2
    page = (await mei.get("/console/doses/waiting")).text
    assert product.casefold() in page.casefold()
    assert "waits since" in page
    assert "cases waiting: 2" in page
    counted = (await supervisor.get("/doses/forecast")).json()["products"]
    [own] = [one for one in counted if one["product"].casefold() == product.casefold()]
    assert (own["waiting"], own["free"], own["short"], own["short_later"]) == (2, 0, 2, 2)
    # one unit comes in: two workers at once offer it, to the urgent one, once
    batch = fresh_stream("lot")
    for command in (RegisterLot(product, ("a",), NOW + 300 * DAY, by="person-p"), ReleaseLot("person-q")):
        await here.commands.record(CommandRequest(batch, Meta("person-q"), command))
    assert sorted(await asyncio.gather(offering(here).round(), offering(here).round())) == [0, 1]
    offers = [f.event for f in (await here.commands.case(urgent.id))[1] if isinstance(f.event, DoseOffered)]
    assert [(one.lot, one.because, one.urgent, one.place, one.waiting) for one in offers] == [
        (batch, "urgent", True, 1, 2)
    ]
    # meanwhile it is kept for the one it was offered to, whoever asks
    assert (await supervisor.send(first.id, "AskDoseAgain")).is_success
    refused = await reserve(here, first)
    assert isinstance(refused, RefuseDose)
    assert (refused.code, [one.because for one in refused.passed]) == ("others_first", ["others_first"])
    assert await offering(here).round() == 0
    assert (await people["coordinator"].send(first.id, "AskDoseOutOfTurn", reason="progresses")).status_code == 403
    assert (await supervisor.send(first.id, "AskDoseOutOfTurn", reason="progresses")).is_success
    assert (await waiting(supervisor, product))[0]["out_of_turn"]
    got = await reserve(here, first)
    assert isinstance(got, HoldDose)
    assert got.lot == batch
    assert [one["case"] for one in await waiting(supervisor, product)] == [urgent.id]

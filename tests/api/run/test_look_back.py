"""A new cancer leads to lot, vector lot and others with cells of the same; a vector lot knows its patients."""

from __future__ import annotations

import pytest

from activities.doses.genealogy import Genealogy
from activities.doses.recalling import reaching
from activities.effect_handlers.look_back import LookingBack
from activities.effect_handlers.vector_lots import TracingVectorLot
from activities.gateways import GatewayRefused
from api.run.wiring import Parts
from domain.case.effect import Effect
from domain.case.state import Case
from domain.case.treatment import Infusion, Treatment
from domain.core.copying import replace
from domain.core.policy import Party
from domain.core.when import When
from domain.doses.custody.giving import RecallVector
from domain.doses.linking import LinkMaterial
from domain.doses.unit import HoldUnit
from domain.recalls.recall import OpenRecall
from domain.stages.supply.vector_lot import ConfirmVectorLot
from domain.stages.treatment.look_back import RecordLookBack
from infra.ids import fresh_stream
from infra.reads.genealogy import GenealogyQueries
from tests.api.run.test_recalled_later import ENGINE, HELD, NOW, looked_at, lot, material, tell, vector


async def looked(here: Parts, batch: str) -> RecordLookBack:
    given = Infusion(1, When.at(NOW), batch, "f-1", "u1")
    case = replace(Case("case-own"), treatments=(Treatment(1, infusions=(given,)),))
    asked = Effect("e-look", "look_back", "alert-1", Party.SUPERVISOR, NOW)
    handler = LookingBack(Genealogy(here.ledger, GenealogyQueries(here.ledger.pool, here.keys)))
    found = await handler.deliver(case, asked, NOW, repeat=0)
    assert isinstance(found.answer, RecordLookBack)
    return found.answer


async def test_linked_lots_of_the_same_vector_lot_and_their_patients_are_found(here: Parts) -> None:
    material, _ = await vector(here)
    own, alike, other = [await lot(here) for _ in range(3)]
    for batch in (own, alike):
        await tell(here, batch, LinkMaterial(material))
    for batch, case in ((own, "case-own"), (alike, "case-else"), (other, "case-other")):
        await tell(here, batch, HoldUnit(case, f"e-{case}", HELD), ENGINE)
    assert await looked(here, own) == RecordLookBack("alert-1", (own,), (material,), 1, 2, 1)
    assert await looked(here, other) == RecordLookBack("alert-1", (other,), (), 0, 1, 1), "of its own lot somebody else"


async def test_lots_that_only_name_the_code_of_the_vector_lot_are_found_too(here: Parts) -> None:
    material, code = await vector(here)
    own, alike = await lot(here, vector_code=code), await lot(here, vector_code=code.lower())
    await tell(here, alike, HoldUnit("case-code", "e-code", HELD), ENGINE)
    assert await looked(here, own) == RecordLookBack("alert-1", (own,), (material,), 1, 2, 1)


async def test_codes_of_a_vector_lot_that_nobody_registered_are_followed_as_well(here: Parts) -> None:
    code = "LV-nobody-registered"
    own, alike = await lot(here, vector_code=code), await lot(here, vector_code=code.lower())
    await tell(here, alike, HoldUnit("case-loose", "e-loose", HELD), ENGINE)
    found = await looked(here, own)
    assert (found.vector_lots, found.alike, found.patients) == ((), 1, 1)


ASKED = Effect("e-vector", "trace_vector_lot", "f-named", Party.SUPERVISOR, NOW)


def given(code: str, case: str = "case-body") -> Case:
    infusion = Infusion(1, When.at(NOW), "", fresh_stream("f"), "vial 3", vector_code=code, vector_named="f-named")
    return replace(Case(case), treatments=(Treatment(1, infusions=(infusion,)),))


async def test_the_vector_lot_learns_its_patient_once_and_a_recall_of_its_run_reaches_the_hospital(
    here: Parts,
) -> None:
    genealogy = Genealogy(here.ledger, GenealogyQueries(here.ledger.pool, here.keys))
    handler = TracingVectorLot(here.commands, genealogy)
    stream, code = await vector(here)
    run, _ = await material(here, "vector_run", platform="suspension", volume_l=50.0, titre=1e8, titre_unit="TU/mL")
    await tell(here, stream, LinkMaterial(run))
    case = given(code.lower())
    for repeat in (0, 1):
        found = await handler.deliver(case, replace(ASKED, id=f"e-{repeat}"), NOW, repeat=repeat)
        assert found.answer == ConfirmVectorLot("f-named", stream)
    assert [one.case for one in (await here.commands.entry(stream)).state.given.to] == ["case-body"]

    async def centres(cases: object) -> dict[str, str]:
        assert cases == ["case-body"]
        return {"case-body": "centre-x"}

    reached = await reaching(genealogy, centres)(run, NOW)
    assert (list(reached.lots), reached.centres, reached.units) == (
        [stream], {"centre-x": ["case-body"]}, {"centre-x": [f"{stream} vial 3"]},
    )  # fmt: skip
    recall = fresh_stream("recall")
    await tell(here, recall, OpenRecall(run, "defect"))
    state = await looked_at(here, recall)
    assert [e.about for e in state.effects.values() if e.kind == "stop_lot"] == [stream]
    stopped = await tell(here, stream, RecallVector("defect"), ENGINE)
    assert (await here.ledger.sources([stream]))[0].state["state"] == "recalled"
    assert stopped.given.recalled


async def test_a_code_that_nobody_registered_is_a_definite_no(here: Parts) -> None:
    genealogy = Genealogy(here.ledger, GenealogyQueries(here.ledger.pool, here.keys))
    with pytest.raises(GatewayRefused, match="no_vector_lot"):
        await TracingVectorLot(here.commands, genealogy).deliver(given("LV-nowhere"), ASKED, NOW, repeat=0)

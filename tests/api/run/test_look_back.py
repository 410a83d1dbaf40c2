"""A new cancer leads to lot and vector lot on the real ledger, and to everybody else with cells of the same."""

from __future__ import annotations

from activities.doses.genealogy import Genealogy
from activities.effect_handlers.look_back import LookingBack
from api.run.wiring import Parts
from domain.case.effect import Effect
from domain.case.state import Case
from domain.case.treatment import Infusion, Treatment
from domain.core.copying import replace
from domain.core.policy import Party
from domain.core.when import When
from domain.doses.linking import LinkMaterial
from domain.doses.unit import HoldUnit
from domain.stages.treatment.look_back import RecordLookBack
from infra.reads.genealogy import GenealogyQueries
from tests.api.run.test_recalled_later import ENGINE, HELD, NOW, lot, tell, vector


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

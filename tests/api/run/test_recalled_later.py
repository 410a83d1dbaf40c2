"""A recall holds for what is found later to be made of what it recalled, on the real ledger, also once it has ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.command_handler import AttendedBy, CommandRequest
from activities.effect_handlers.doses import DestroyedAtBedside, StockedLots, UsedUnit
from activities.gateways import GatewayRefused
from activities.ports import Meta
from api.run.wiring import Parts
from domain.case.effect import Effect
from domain.case.phases.bedside import DestroyedUnit
from domain.case.state import Case
from domain.case.treatment import Infusion, Treatment
from domain.core.copying import replace
from domain.core.errors import Reason, Refused
from domain.core.policy import Party
from domain.core.when import When
from domain.doses.linking import LinkMaterial, UnlinkMaterial
from domain.doses.lot import RecallLot, RegisterLot, ReleaseLot
from domain.doses.material import RegisterMaterial
from domain.doses.unit import CommitUnit, HoldUnit, SettleUnit
from domain.recalls.recall import OpenRecall, Recall
from infra.ids import fresh_stream
from infra.reads.genealogy import GenealogyQueries

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=400)
HELD = LATER - timedelta(days=300)
QUALITY, ENGINE = Meta("person-q"), Meta("engine")


async def tell(here: Parts, stream: str, command: Any, meta: Meta = QUALITY) -> Any:
    return (await here.commands.record(CommandRequest(stream, meta, command))).state


async def refused(here: Parts, stream: str, command: Any) -> str:
    with pytest.raises(Refused) as caught:
        await tell(here, stream, command, ENGINE)
    assert caught.value.reason is Reason.IRREVERSIBLE
    return caught.value.detail


async def looked_at(here: Parts, recall: str) -> Recall:
    ask = CommandRequest(recall, ENGINE, attended_by=AttendedBy(1 << 30))
    state = (await here.commands.record(ask)).state
    assert isinstance(state, Recall)
    return state


async def material(here: Parts, kind: Any, **told: Any) -> tuple[str, str]:
    code = f"M-{fresh_stream('x')}"
    stream = await GenealogyQueries(here.ledger.pool, here.keys).stream_of(kind, code)
    await tell(here, stream, RegisterMaterial(kind, code, **told))
    return stream, code


async def vector(here: Parts) -> tuple[str, str]:
    return await material(here, "vector_lot", vector="lentiviral", integrating=True)


async def lot(here: Parts, *, vector_code: str = "", released: bool = True) -> str:
    stream = fresh_stream("lot")
    await tell(here, stream, RegisterLot("CAR-S", ("u1",), LATER, vector_lot=vector_code, by="person-p"))
    if released:
        await tell(here, stream, ReleaseLot("person-q"))
    return stream


async def ended(here: Parts, scope: str, *, drill: bool = False) -> str:
    recall = fresh_stream("recall")
    state = await tell(here, recall, OpenRecall(scope, "defect", drill))
    assert state.over, "nothing was made of it yet"
    return recall


async def test_a_lot_made_of_something_recalled_is_not_released_and_the_ended_recall_goes_on_with_it(
    here: Parts,
) -> None:
    recalled, _ = await vector(here)
    recall = await ended(here, recalled)
    late = await lot(here, released=False)
    await tell(here, late, LinkMaterial(recalled))
    assert recall in await refused(here, late, ReleaseLot("person-q"))
    state = await looked_at(here, recall)
    assert (state.over, state.lots) == (False, (late,))
    assert [e.about for e in state.effects.values() if e.kind == "stop_lot"] == [late]


async def test_a_lot_that_only_names_the_code_is_not_released_either(here: Parts) -> None:
    recalled, code = await vector(here)
    recall = await ended(here, recalled)
    late = await lot(here, vector_code=code.lower(), released=False)
    assert recall in await refused(here, late, ReleaseLot("person-q"))


async def test_units_of_a_released_lot_are_neither_held_nor_committed_once_it_is_linked(here: Parts) -> None:
    recalled, _ = await vector(here)
    cells, _ = await material(here, "reagent", what="beads")
    await ended(here, recalled)
    batch = await lot(here)
    await tell(here, batch, HoldUnit("case-a", "e-1", HELD), ENGINE)
    await tell(here, batch, LinkMaterial(cells))
    await tell(here, batch, LinkMaterial(recalled))
    assert "UnlinkMaterial" in await refused(here, batch, CommitUnit("u1", "case-a"))
    await refused(here, batch, HoldUnit("case-b", "e-2", HELD))
    await tell(here, batch, UnlinkMaterial(recalled, "another lot was meant"))
    assert (await tell(here, batch, CommitUnit("u1", "case-a"), ENGINE)).units["u1"].state == "committed"


async def test_a_drill_bars_nothing_and_is_not_taken_up_again(here: Parts) -> None:
    drilled, _ = await vector(here)
    recall = await ended(here, drilled, drill=True)
    batch = await lot(here, released=False)
    await tell(here, batch, LinkMaterial(drilled))
    assert (await tell(here, batch, ReleaseLot("person-q"))).state == "released"
    assert (await looked_at(here, recall)).lots == ()


async def test_what_went_into_a_patient_is_marked_though_its_lot_was_recalled_meanwhile(here: Parts) -> None:
    batch = await lot(here)
    await tell(here, batch, HoldUnit("case-i", "e-1", HELD), ENGINE)
    await tell(here, batch, CommitUnit("u1", "case-i"), ENGINE)
    await tell(here, batch, RecallLot("defect"))
    given = Infusion(1, When.at(NOW), batch, "f-1", "u1")
    asked = Effect("e-used", "mark_unit_used", "f-1", Party.SUPERVISOR, NOW)
    case = replace(Case("case-i"), treatments=(Treatment(1, infusions=(given,)),))
    handler = UsedUnit(StockedLots(here.ledger, here.commands, here.ledger.lots_of))
    await handler.deliver(case, asked, NOW, repeat=0)
    assert (await here.commands.entry(batch)).state.units["u1"].state == "used"


async def test_what_was_destroyed_at_the_bedside_is_told_to_its_lot_and_anothers_unit_is_not(here: Parts) -> None:
    batch = await lot(here)
    await tell(here, batch, HoldUnit("case-d", "e-1", HELD), ENGINE)
    await tell(here, batch, CommitUnit("u1", "case-d"), ENGINE)
    gone = DestroyedUnit("f-1", batch, "u1")
    asked = Effect("e-gone", "mark_unit_destroyed", "f-1", Party.HOSPITAL, NOW)
    handler = DestroyedAtBedside(StockedLots(here.ledger, here.commands, here.ledger.lots_of))
    with pytest.raises(GatewayRefused):
        await handler.deliver(replace(Case("case-e"), destroyed_units=(gone,)), asked, NOW, repeat=0)
    for repeat in (0, 1):
        told = await handler.deliver(replace(Case("case-d"), destroyed_units=(gone,)), asked, NOW, repeat=repeat)
        assert told.receipt == f"{batch}/u1"
    known = await here.commands.entry(batch)
    assert known.state.units["u1"].state == "destroyed"
    with pytest.raises(Refused) as caught:
        await tell(here, batch, SettleUnit("u1", "returned", "unopened", "person-r"))
    assert (caught.value.reason, caught.value.field) == (Reason.NOT_NOW, "unit")

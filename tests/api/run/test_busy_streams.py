"""Many cases ask the same list and the same lot at once, from several processes: a busy stream is never a no."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.command_handler import CommandHandler, CommandRequest
from activities.effect_handlers.doses import StockedLots, tell_once
from activities.effect_handlers.reserving import Reserving
from activities.gateways import Unreachable
from activities.ports import Meta, VersionConflict
from api.run.wiring import Parts, parts
from domain.case.effect import Effect
from domain.case.state import Case
from domain.case.supply.shipments import Handover, Shipment, ShippingLeg
from domain.case.track import Track
from domain.case.treatment import Infusion, Treatment
from domain.catalogue.protocol import RegisterProtocol
from domain.catalogue.protocols.cohorts import OpenCohort, TellCohort
from domain.catalogue.protocols.escalation import DoseLevel, Escalation
from domain.catalogue.streams import Command
from domain.catalogue.waiting.waiting_list import TellWaitingList
from domain.core.errors import Reason, Refused
from domain.core.policy import Party
from domain.core.when import When
from domain.doses.lot import RegisterLot, ReleaseLot
from domain.doses.unit import CommitUnit, HoldUnit, UseUnit
from domain.doses.waiting.turns import DoseTurn
from domain.stages.treatment.dose import HoldDose
from infra.ids import fresh_stream
from tests.api.submitted import open_protocol
from tests.domain.catalogue.test_protocol import FIELDS

NOW = datetime.now(UTC)


class Shelf(StockedLots):
    """The lots every case here may have a unit of."""

    def __init__(self, keeper: CommandHandler, lots: Sequence[str]) -> None:
        super().__init__(keeper.ledger, keeper, nothing)
        self._lots = lots

    async def stocked(self, case: Case, now: datetime) -> Sequence[str]:
        del case, now
        return self._lots


async def nothing(_: str, _now: datetime) -> Sequence[str]:
    return ()


async def nobody_typed(_: str) -> Sequence[frozenset[str]]:
    return ()


async def nobody_waits(_: Case) -> Sequence[DoseTurn]:
    return ()


MANY = 48


@pytest.fixture(scope="module")
async def processes(here: Parts) -> AsyncIterator[Sequence[CommandHandler]]:
    async with AsyncExitStack() as stack:
        more = [await stack.enter_async_context(parts(here.settings)) for _ in range(2)]
        yield [here.commands, *(one.commands for one in more)]


async def until_answered(keeper: CommandHandler, stream: str, command: Command, key: str) -> str:
    """Ask again where there was no answer, as Temporal does."""
    while True:
        try:
            await tell_once(keeper, stream, command, key)
        except Unreachable:
            continue
        except Refused as no:
            return no.reason.value
        return "done"


async def all_at_once(processes: Sequence[CommandHandler], stream: str, told: Sequence[Command]) -> Counter[str]:
    """Each process is asked by a third of them."""
    asked = (until_answered(processes[n % len(processes)], stream, one, f"e-{n}") for n, one in enumerate(told))
    return Counter(await asyncio.gather(*asked))


async def test_whoever_joins_a_list_at_the_same_moment_stands_on_it(
    here: Parts, processes: Sequence[CommandHandler]
) -> None:
    stream = await open_protocol(here, "centre-x")
    told = [TellWaitingList(f"w-{n}", 1, f"case-{n}", "", urgent=False, since=NOW) for n in range(MANY)]
    assert await all_at_once(processes, stream, told) == {"done": MANY}
    state: Any = (await processes[0].entry(stream)).state
    assert len(state.waiting.entries) == MANY


async def test_of_many_who_want_a_place_in_a_cohort_as_many_get_one_as_it_takes(
    processes: Sequence[CommandHandler],
) -> None:
    stream = fresh_stream("protocol")
    plan = Escalation(levels=(DoseLevel(name="DL1", cohort=3),))
    opened = OpenCohort("DL1", "start", "letter", NOW.date())
    for command in (RegisterProtocol(**FIELDS, escalation=plan), opened):
        await processes[0].record(CommandRequest(stream, Meta("person-q"), command))
    told = [TellCohort(f"case-{n}", 1) for n in range(MANY)]
    assert await all_at_once(processes, stream, told) == {"done": MANY}
    book = (await processes[0].entry(stream)).state.cohorts
    assert Counter(one.state for one in book.subjects) == {"enrolled": 3, "waiting": MANY - 3}


async def test_of_many_who_want_a_unit_as_many_get_one_as_there_are(processes: Sequence[CommandHandler]) -> None:
    lot, until = fresh_stream("lot"), NOW + timedelta(days=20)
    for command in (
        RegisterLot("CAR-S", ("u1", "u2"), NOW + timedelta(days=300), by="person-p"),
        ReleaseLot("person-q"),
    ):
        await processes[0].record(CommandRequest(lot, Meta("person-q"), command))
    told = [HoldUnit(f"case-{n}", f"e-{n}", until) for n in range(MANY)]
    assert await all_at_once(processes, lot, told) == {"done": 2, "unavailable": MANY - 2}


async def test_allocators_of_several_processes_empty_the_lots_in_order_and_none_has_two(
    processes: Sequence[CommandHandler],
) -> None:
    product = f"CAR-{uuid.uuid4().hex}"
    lots = [fresh_stream("lot") for _ in range(4)]
    for n, lot in enumerate(lots):
        registered = RegisterLot(product, tuple(f"{n}{u}" for u in "abcdef"), NOW + timedelta(days=90 + n), by="p-p")
        for command in (registered, ReleaseLot("person-q")):
            await processes[0].record(CommandRequest(lot, Meta("person-q"), command))

    async def one(reserving: Reserving, n: int) -> tuple[str, str]:
        effect = Effect(f"{product}/{n}", "reserve_dose", f"centre-a/{n}", Party.HOSPITAL, NOW)
        while True:
            with suppress(Unreachable):
                answer = (await reserving.deliver(Case(f"case-{n}"), effect, NOW, repeat=0)).answer
                break
        return (str(answer.lot), str(answer.unit)) if isinstance(answer, HoldDose) else ("", "")

    each = [Reserving(Shelf(one, lots), one.policy, nobody_typed, nobody_waits) for one in processes]
    got = Counter(await asyncio.gather(*(one(each[n % len(each)], n) for n in range(MANY))))
    assert got.pop(("", "")) == MANY - 24
    assert (len(got), set(got.values())) == (24, {1})
    held = [[u.case for u in (await processes[0].entry(lot)).state.units.values()] for lot in lots]
    assert len({case for cases in held for case in cases}) == 24, "no case has two"


LAPSED, GIVEN = Track("lapsed", fact="f2", round=2, answered=1), Track("done", fact="f2", round=2, answered=1)


@pytest.mark.parametrize(
    ("dose", "last", "unit"),
    [
        (LAPSED, "DoseLapsed", "u1"),
        (GIVEN, "InfusionCompleted", "u2"),
        (LAPSED, "UnitDestroyed", "u2"),
        (LAPSED, "ShipmentStopped", "u2"),
    ],
)
async def test_whose_unit_is_committed_gets_no_second_one_when_the_hold_runs_out(
    processes: Sequence[CommandHandler], dose: Track, last: str, unit: str
) -> None:
    """The same unit is never held again once it was infused, destroyed or lost, before the lot has heard of that."""
    keeper, lot, name = processes[0], fresh_stream("lot"), fresh_stream("case")
    case = Case(name, lot=lot, dose=dose, units={"f1": (lot, "u1")}, seen={last: "f2"})
    registered = RegisterLot(f"CAR-K-{name}", ("u1", "u2"), NOW + timedelta(days=90), by="person-p")
    for command in (registered, ReleaseLot("person-q"), HoldUnit(name, f"e-{name}", NOW + timedelta(days=9))):
        await keeper.record(CommandRequest(lot, Meta("person-q"), command))
    await keeper.record(CommandRequest(lot, Meta("engine"), CommitUnit("u1", name)))
    asked = Effect(fresh_stream("e"), "reserve_dose", "centre-a/2", Party.HOSPITAL, NOW)
    answer = (
        await Reserving(Shelf(keeper, [lot]), keeper.policy, nobody_typed, nobody_waits).deliver(
            case, asked, NOW, repeat=0
        )
    ).answer
    assert isinstance(answer, HoldDose)
    assert (answer.lot, answer.unit) == (lot, unit)
    states = {one.id: one.state for one in (await keeper.entry(lot)).state.units.values()}
    assert states == {"u1": "committed", "u2": "held" if unit == "u2" else "free"}


async def test_a_unit_that_went_in_is_not_held_again_before_its_lot_has_heard(
    processes: Sequence[CommandHandler],
) -> None:
    keeper, lot, name = processes[0], fresh_stream("lot"), fresh_stream("case")
    given = Treatment(1, infusions=(Infusion(1, When.at(NOW), lot, "f2", "u1"),))
    case = Case(name, lot=lot, dose=GIVEN, units={"f1": (lot, "u1")}, treatments=(given,))
    registered = RegisterLot(f"CAR-B-{name}", ("u1", "u2"), NOW + timedelta(days=90), by="person-p")
    for command in (registered, ReleaseLot("person-q"), HoldUnit(name, f"e-{name}", NOW + timedelta(days=9))):
        await keeper.record(CommandRequest(lot, Meta("person-q"), command))
    reserving = Reserving(Shelf(keeper, [lot]), keeper.policy, nobody_typed, nobody_waits)
    asked = Effect(fresh_stream("e"), "reserve_dose", "centre-a/2", Party.HOSPITAL, NOW)
    with pytest.raises(Unreachable, match="has not heard"):
        await reserving.deliver(case, asked, NOW, repeat=0)
    for told in (CommitUnit("u1", name), UseUnit("u1", name)):
        await keeper.record(CommandRequest(lot, Meta("engine"), told))
    answer = (await reserving.deliver(case, asked, NOW, repeat=0)).answer
    assert isinstance(answer, HoldDose)
    assert answer.unit == "u2"


async def test_a_unit_stopped_on_its_way_does_not_come_back_before_its_lot_has_heard_of_it(
    processes: Sequence[CommandHandler],
) -> None:
    keeper, lot, of = processes[0], fresh_stream("lot"), fresh_stream("case")
    took = Handover("depot", "carrier", NOW, "opened", "S-9", "", ("seal", "condition"))
    way = (ShippingLeg("Road Co", NOW, NOW + timedelta(days=1)),)
    sent = Shipment("ship-1", "dose", "centre-a", "u1", way, lot, state="on_the_way", handovers=(took,))
    case = Case(of, shipments={"ship-1": replace(sent, stops=took.findings)})
    registered = RegisterLot(f"CAR-S-{of}", ("u1", "u2"), NOW + timedelta(days=90), by="person-p")
    for command in (registered, ReleaseLot("person-q"), HoldUnit(of, f"e-{of}", NOW + timedelta(days=9))):
        await keeper.record(CommandRequest(lot, Meta("person-q"), command))
    asked = Effect(fresh_stream("e"), "reserve_dose", "centre-a/2", Party.HOSPITAL, NOW)
    reserving = Reserving(Shelf(keeper, [lot]), keeper.policy, nobody_typed, nobody_waits)
    answer = (await reserving.deliver(case, asked, NOW, repeat=0)).answer
    assert isinstance(answer, HoldDose)
    assert (answer.lot, answer.unit) == (lot, "u2")
    unit = (await keeper.entry(lot)).state.units["u1"]
    assert (unit.state, len(unit.stopped)) == ("on_the_way", 2)


async def test_others_who_never_pause_are_no_answer(here: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal that a person is told to try again; an effect of a case is not ended by it."""

    async def overtaken(_: object) -> None:
        raise VersionConflict

    lot = fresh_stream("lot")
    command = RegisterLot("CAR-S", ("u1",), NOW + timedelta(days=300), by="person-p")
    monkeypatch.setattr(here.ledger, "append", overtaken)
    with pytest.raises(Refused) as caught:
        await here.commands.record(CommandRequest(lot, Meta("person-p"), command))
    assert caught.value.reason is Reason.CONFLICT
    with pytest.raises(Unreachable):
        await tell_once(here.commands, lot, command, "e-x")

"""Every lot of the demonstration is made of something, whichever start brought it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from activities.command_handler import CommandRequest
from activities.doses.genealogy import Genealogy
from activities.ports import Meta
from api.run.wiring import Parts
from domain.doses.lot import RegisterLot
from infra.ids import fresh_stream
from infra.reads.genealogy import GenealogyQueries
from infra.reads.registers import RegisterQueries
from rehearsal.genealogy import give_genealogy


async def test_every_lot_has_a_donor_and_a_vector_lot_and_a_later_start_links_what_is_new(here: Parts) -> None:
    queries, registers = GenealogyQueries(here.ledger.pool, here.keys), RegisterQueries(here.ledger.pool)
    genealogy, lots = Genealogy(here.ledger, queries), list[str]()

    async def reached(code: str) -> list[str]:
        return list((await genealogy.trace(await genealogy.meant(code))).affected)

    for product in ("CAR-G", "CAR-H", "CAR-G"):
        lots.append(fresh_stream("lot"))
        expires = datetime.now(UTC) + timedelta(days=90)
        await here.commands.record(CommandRequest(lots[-1], Meta("lab"), RegisterLot(product, ("u1",), expires)))
        await give_genealogy(here.commands, queries, registers)
    head = await here.ledger.head()
    await give_genealogy(here.commands, queries, registers)
    assert await here.ledger.head() == head, "nothing is linked twice"
    for code in ("LV-CAR-G", "DONOR-CAR-G", "RUN-CAR-G"):
        assert await reached(code) == sorted((lots[0], lots[2]))
    assert await reached("donor-car-h") == [lots[1]]

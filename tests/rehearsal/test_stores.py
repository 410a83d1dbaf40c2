"""The demonstration's freezers: read up to now at every start, filled once, one of them too warm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from api.run.wiring import Parts
from domain.doses.labelling.reading import read
from domain.doses.labelling.scan import names_unit
from domain.doses.lot import read_model
from domain.doses.product import stream_of
from infra.reads.registers import RegisterQueries
from rehearsal.demo import once, tell
from rehearsal.stores import FREEZERS, WARM_UNITS, keep_stores
from rehearsal.world.lots import made, scanned, specified


async def _state(here: Parts, stream: str) -> Any:
    return (await here.commands.entry(stream)).state


async def test_units_in_the_warm_freezer_are_stopped_and_a_later_start_reads_on(here: Parts) -> None:
    now = datetime.now(UTC)
    for n, product in enumerate(("CAR-S", "CAR-S", "CAR-T")):
        lot, units = f"lot-stored-{n}", tuple(f"{n}-{u}" for u in range(5))
        told = made(lot, product, units, now + timedelta(days=90), now.date(), maker="lab", judges=("q-1", "q-2"))
        for number, command in enumerate([*specified(product), *told]):
            stream = stream_of(product) if number < len(specified(product)) else lot
            await tell(here.commands, stream, command, f"{number}")
        assert (await _state(here, lot)).state == "released", "tested, and released by another"
    registers = RegisterQueries(here.ledger.pool)
    await keep_stores(here.commands, registers, now)
    fine, warm = [await _state(here, store) for store in FREEZERS]
    assert [one.kind for one in warm.excursions] == ["warm"] and not fine.excursions  # noqa: PT018
    lots = {lot: await _state(here, lot) for lot, _ in await registers.lots_in(FREEZERS[1])}
    inside = [u for one in lots.values() for u in one.units.values() if any(s.store == FREEZERS[1] for s in u.stays)]
    assert len(inside) == WARM_UNITS
    assert sorted(u.state for u in inside) == ["destroyed", "free", "free"], "one judged, two undecided"
    assert sum(bool(u.stopped) for u in inside if u.state == "free") == WARM_UNITS - 1
    beside = await registers.lots_in(FREEZERS[0])
    assert beside, "control: the other freezer is filled too"
    others = [u for lot, _ in beside if lot not in lots for u in (await _state(here, lot)).units.values()]
    assert others
    assert not any(u.stopped for u in others)
    head = await here.ledger.head()
    await keep_stores(here.commands, registers, now)
    assert await here.ledger.head() == head, "nothing is placed or read twice"
    assert (await _state(here, FREEZERS[0])).tail.last <= now


async def test_what_a_scanner_reads_is_the_label_that_was_stated(here: Parts) -> None:
    expires = datetime.now(UTC) + timedelta(days=90)
    told = made("lot-scan-1", "CAR-L", ("1-1",), expires, expires.date(), maker="lab", judges=("q-1",))
    await once(here.commands, "lot-scan-1", next(told))
    await tell(here.commands, "lot-scan-1", next(told), "label")
    noted = read_model(await _state(here, "lot-scan-1"))
    scan = read(scanned("lot-scan-1", "1-1", noted))
    assert names_unit(scan, "1-1")
    assert not names_unit(scan, "1-2")
    assert (scan.get("lot"), scan.get("product_code")) == ("SCAN1", noted["product_code"])
    assert scanned("lot-scan-1", "1-1", {}) == "1-1"

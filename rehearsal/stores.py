"""Gives the demonstration two freezers with readings up to now; one was too warm, and what lay in it is stopped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, cast

from activities.command_handler import CommandHandler
from domain.core.errors import Refused
from domain.doses.readings import parse
from domain.doses.stock import Lot
from domain.doses.storage import DecideStoppedUnit, PlaceUnit
from domain.doses.store import RegisterStore, Store
from infra.reads.registers import RegisterQueries
from rehearsal.demo import once, tell

FREEZERS = ("store-demo-a", "store-demo-b")
"""The second one is the one that was too warm."""
SOURCE = "storage instruction of the rehearsal, made up"
WARMEST, TOLERATED, GAP = -150.0, 1_800, 14 * 86_400
"""In °C, in seconds; a demonstration that stood still for two weeks has a gap, and says so."""
EVERY, MOST = timedelta(minutes=10), 2_000
FILLED, WARM_FROM, WARM_TO = timedelta(days=2), timedelta(hours=9), timedelta(hours=8)
"""How long ago the units were put in, and between when it was too warm."""
LOTS, UNITS, WARM_UNITS = 6, 4, 3
"""Lots in the first freezer and units of each; units of one more lot in the second."""


async def keep_stores(commands: CommandHandler, registers: RegisterQueries, now: datetime) -> None:
    """Register the freezers and fill them once; at every start their loggers are read up to now."""
    first = [one for one in FREEZERS if not await _known(commands, one)]
    for number, store in enumerate(FREEZERS):
        name = f"Freezer {'AB'[number]}"
        rule = RegisterStore("freezer", name, "Cell laboratory, Shanghai", WARMEST, TOLERATED, GAP, SOURCE)
        await once(commands, store, rule)
        await _read(commands, store, now)
    if first:
        await _fill(commands, registers, now)


async def _known(commands: CommandHandler, store: str) -> bool:
    try:
        await commands.entry(store)
    except Refused:
        return False
    return True


async def _read(commands: CommandHandler, store: str, now: datetime) -> None:
    """Record what the logger kept since it was read last."""
    state = cast("Store", (await commands.entry(store)).state)
    since = state.tail.last if state.tail else now - FILLED
    if now - since < EVERY:
        return
    warm = store == FREEZERS[1] and state.tail is None
    text = "\n".join(f"{at.isoformat()},{celsius}" for at, celsius in _logged(since, now, warm=warm))
    digest = sha256(text.encode()).hexdigest()
    await tell(commands, store, state.summarised(digest, parse(text)), digest)


def _logged(since: datetime, now: datetime, *, warm: bool) -> Iterator[tuple[datetime, float]]:
    """One reading every ten minutes, fewer over months; a freezer's cycle of a few degrees."""
    step = max(EVERY, (now - since) / MOST)
    number = 1
    while (at := since + number * step) <= now:
        high = warm and now - WARM_FROM <= at <= now - WARM_TO
        yield at, -128.0 if high else -182.0 + (number % 7) * 0.6
        number += 1


async def _fill(commands: CommandHandler, registers: RegisterQueries, now: datetime) -> None:
    lots = await _with_free_units(commands, registers, now)
    shares = [(FREEZERS[1], WARM_UNITS, lots[:1]), (FREEZERS[0], UNITS, lots[1 : LOTS + 1])]
    for store, count, inside in shares:
        for rack, (lot, free) in enumerate(inside, 1):
            for box, unit in enumerate(free[:count], 1):
                await tell(commands, lot, PlaceUnit(unit, store, f"rack {rack} box {box}", now - FILLED), unit)
    for lot, free in lots[:1]:  # of three stopped units one is judged, of one a second word is awaited
        use = DecideStoppedUnit(free[1], "use", "an hour above the limit, still frozen", "person-quality")
        await tell(commands, lot, DecideStoppedUnit(free[0], "discard", "the bag is torn", "person-quality"), free[0])
        await tell(commands, lot, use, free[1])


async def _with_free_units(
    commands: CommandHandler, registers: RegisterQueries, now: datetime
) -> Sequence[tuple[str, Sequence[str]]]:
    """Find lots that are released and lasting, and which of their units nobody has."""
    found: list[tuple[str, Sequence[str]]] = []
    after = ""
    while len(found) <= LOTS and (rows := await registers.catalogue("lot", after, 100)):
        for row in rows:
            lot: Any = (await commands.entry(row["stream"])).state
            free = _free(lot, now)
            if len(free) >= UNITS:
                found.append((row["stream"], free))
        after = rows[-1]["stream"]
    return found[: LOTS + 1]


def _free(lot: Lot, now: datetime) -> Sequence[str]:
    lasting = lot.state == "released" and lot.expires is not None and lot.expires > now
    return [unit.id for unit in lot.units.values() if unit.free_at(now) and not unit.stays] if lasting else []

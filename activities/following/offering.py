"""Offers units that became free to those who wait for one, the first it fits first [doses.turns].

Whatever made a unit free, a release, an exit, a hold that ended: a worker looks at every line of those who wait every
few seconds. An offer has the case ask for a unit, and a case that is asking takes no second offer: two workers at once
offer once. The lot alone gives units away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from activities.command_handler import CommandHandler, CommandRequest
from activities.effect_handlers.reserving import DoseStock
from activities.following.dose_turns import DoseTurns, WaitingCase
from activities.ports import CommandKey, Meta
from domain.core.errors import Refused
from domain.core.fact import ENGINE
from domain.doses.allocation import StockedLot, in_order
from domain.doses.waiting.turns import shared_out, why_its_turn
from domain.stages.treatment.dose import OfferDose

META = Meta(ENGINE, "operation")


class OfferingDoses:
    """Looks at who waits and at what is in stock."""

    def __init__(self, commands: CommandHandler, turns: DoseTurns, stock: DoseStock) -> None:
        self._commands, self._turns, self._stock = commands, turns, stock

    async def round(self) -> int:
        """Offer what is free; answers with how many cases were offered a unit."""
        lines = (await self._turns.every()).values()
        return sum([await self._in_line(line) for line in lines if any(not one.turn.asked for one in line)])

    async def _in_line(self, line: Sequence[WaitingCase]) -> int:
        turns, now = [one.turn for one in line], line[0].now
        stock = await self._in_stock(line, typed=any(turn.wanted.antibodies for turn in turns))
        shared, offered = shared_out(list(stock.values()), turns, now), 0
        for place, one in enumerate(line, 1):
            stream = shared.get(one.case.id)
            if stream and not one.turn.asked:
                offer = OfferDose(stream, why_its_turn(turns, one.case.id), place, len(line))
                offered += await self._offer(one, offer, stock[stream].lot.version)
        return offered

    async def _in_stock(self, line: Sequence[WaitingCase], *, typed: bool) -> Mapping[str, StockedLot]:
        """The lots of all protocols that give the product, in the order in which they are used up."""
        found: list[StockedLot] = []
        for one in {one.case.protocol: one for one in line}.values():
            found += await self._stock.of(one.case, one.now, typed=typed)
        return {one.stream: one for one in in_order({lot.stream: lot for lot in found}.values())}

    async def _offer(self, one: WaitingCase, command: OfferDose, version: int) -> bool:
        """Offer it, of a lot as it stands at most once an hour: who could not have it is not asked in a circle."""
        name = f"offer/{one.case.id}/{command.lot}/{version}/{one.now:%Y-%m-%dT%H}"
        key = CommandKey(ENGINE, name, sha256(name.encode()).digest())
        try:
            return not (await self._commands.record(CommandRequest(one.case.id, META, command, key))).repeated
        except Refused:
            return False  # another worker offered it one, or it waits no longer

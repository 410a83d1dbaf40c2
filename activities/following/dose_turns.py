"""Reads who waits for a unit of a product: the cases that were refused one, each as it stands [doses.turns]."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from activities.command_handler import CommandHandler
from domain.case.state import Case
from domain.doses import codes
from domain.doses.waiting.turns import DoseTurn, in_turn
from domain.stages.travel.dose_matching import dose_wanted
from domain.stages.treatment.dose import turn_of, waits


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """A case that waits, with its turn, as it stood at `now`."""

    case: Case
    turn: DoseTurn
    now: datetime


class DoseTurns:
    """Makes the list anew each time it is asked; `names` are the cases that wait or are being given a unit."""

    def __init__(self, commands: CommandHandler, names: Callable[[], Awaitable[Sequence[str]]]) -> None:
        self._commands, self._names = commands, names

    async def every(self) -> Mapping[str, Sequence[WaitingCase]]:
        """Return who waits, the first to get a unit first, by the code of the product, folded."""
        found: defaultdict[str, list[WaitingCase]] = defaultdict(list)
        for name in await self._names():
            case, _, now = await self._commands.case(name)
            product = _product(case)
            if product and waits(case, now):
                turn = turn_of(case, dose_wanted(case, now, self._commands.policy), now)
                found[product].append(WaitingCase(case, turn, now))
        ordered = {product: in_turn(one.turn for one in waiting) for product, waiting in found.items()}
        cases = {one.case.id: one for waiting in found.values() for one in waiting}
        return {product: [cases[turn.wanted.case] for turn in line] for product, line in ordered.items()}

    async def of_case(self, case: Case) -> Sequence[DoseTurn]:
        """Return who waits for a unit of the product that the case's protocol gives."""
        product = _product(case)
        return [one.turn for one in (await self.every()).get(product, ())] if product else []


def _product(case: Case) -> str:
    """The code of the product that the case's protocol gives, the same however it is written; empty = not known."""
    return codes.folded(case.noted(case.protocol).get("product", ""))

"""Stops the units that lay in a store while it was too warm, in every lot that has or had one there.

A lot reads from the store itself what it has to stop, so telling it again is harmless: a worker looks at all stores
every few seconds, and whatever was killed in between is made up for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from activities.command_handler import CommandHandler
from activities.effect_handlers.doses import tell_once
from domain.doses.storage import StopUnits

PAGE = 1000


class StoreRegisters(Protocol):
    """Reads stores and the lots that lie in them."""

    async def catalogue(self, prefix: str, after: str, limit: int) -> Sequence[dict[str, Any]]:
        """List streams of one kind by name, after one of them, with their state."""

    async def lying(self, store: str) -> Sequence[str]:
        """Name the lots of which a unit lies or lay in a store."""


class StoppingUnits:
    """Tells lots to look at their stores; remembers in this process what it has told them of."""

    def __init__(self, commands: CommandHandler, registers: StoreRegisters) -> None:
        self._commands, self._registers = commands, registers
        self._told: dict[str, int] = {}

    async def of_store(self, store: str, version: int) -> Sequence[str]:
        """Tell every lot in a store, and return those; a lot that is told again changes nothing. Raises Unreachable."""
        lots = await self._registers.lying(store)
        for lot in lots:
            await tell_once(self._commands, lot, StopUnits(), f"{store}/{version}")
        self._told[store] = version
        return lots

    async def round(self) -> int:
        """Look at every store that changed and had an excursion; answers with how many lots were told."""
        told, after = 0, ""
        while rows := await self._registers.catalogue("store", after, PAGE):
            for row in rows:
                changed = self._told.get(row["stream"]) != row["version"]
                if row["state"]["excursions"] and changed:
                    told += len(await self.of_store(row["stream"], row["version"]))
            after = rows[-1]["stream"]
        return told

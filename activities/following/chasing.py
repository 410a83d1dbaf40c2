"""Finds loggers that fell silent and decisions about lots that nobody makes, and has their streams say who is told.

Each step is recorded once on its own stream, so looking again, from two workers or after a kill, tells nothing twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Protocol

from activities.command_handler import CommandHandler, CommandRequest
from activities.keepers import of_role
from activities.ports import Meta
from domain.catalogue.desks import STREAM
from domain.core.fact import ENGINE
from domain.core.roles import Role
from domain.core.telling.chasing import Chase, ChaseOverdue, Overdue
from domain.doses.stock import lying, undecided

PAGE = 1000
META = Meta(ENGINE, "operation")


class DoseRegisters(Protocol):
    """Reads stores, what lies in them, and lots that may owe a decision."""

    async def catalogue(self, prefix: str, after: str, limit: int) -> Sequence[dict[str, Any]]:
        """List streams of one kind by name, after one of them, with their state."""

    async def lots_in(self, store: str) -> Sequence[tuple[str, int]]:
        """Name the lots of which a unit lies or lay in a store, with their versions."""

    async def lots_to_judge(self) -> Sequence[tuple[str, int]]:
        """Name the lots with a stopped unit, and those that are not released, with their versions."""


class ChasingOverdue:
    """Looks at every store and lot; each is read anew only after it changed."""

    def __init__(self, commands: CommandHandler, registers: DoseRegisters) -> None:
        self._commands, self._registers = commands, registers

    async def round(self) -> int:
        """Chase what is overdue now; answers with how many stores and lots had something to chase."""
        now = (await self._commands.ledger.load(STREAM)).now
        chased, after = 0, ""
        while rows := await self._registers.catalogue("store", after, PAGE):
            for row in rows:
                chased += await self._store(row["stream"], row["version"], now)
            after = rows[-1]["stream"]
        for stream, version in await self._registers.lots_to_judge():
            lot = await self._commands.entry_at(stream, version)
            chased += await self._chased(stream, lot.chase, undecided(lot), now)
        return chased

    async def _store(self, stream: str, version: int, now: datetime) -> int:
        store = await self._commands.entry_at(stream, version)
        if not store.chase.due(store.overdue, now) or not await self._holds(stream):
            return 0
        return await self._chased(stream, store.chase, store.overdue, now)

    async def _holds(self, store: str) -> bool:
        """Whether a unit lies there; nobody is told of an empty store."""
        for stream, version in await self._registers.lots_in(store):
            if lying(await self._commands.entry_at(stream, version), store):
                return True
        return False

    async def _chased(self, stream: str, chase: Chase, overdue: Collection[Overdue], now: datetime) -> int:
        if not chase.due(overdue, now):
            return 0
        quality = await of_role(self._commands.ledger, Role.QUALITY)
        done = await self._commands.record(CommandRequest(stream, META, ChaseOverdue(tuple(quality))))
        return int(bool(done.facts))

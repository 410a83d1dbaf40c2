"""The world around a cohort: centres, protocols that open and close, lots that come and expire, staff."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from activities.command_handler import CommandRequest
from activities.ports import Meta
from domain.catalogue import streams as catalogue
from domain.catalogue.protocol import CloseProtocol, ConfirmProtocolOpen, Protocol
from domain.catalogue.staff import RegisterPerson
from domain.core.errors import Refused
from domain.doses.product import stream_of
from rehearsal.cohort.families import Trial
from rehearsal.cohort.sponsor import ESCALATING, next_word, with_levels
from rehearsal.courses.known import Catalogued
from rehearsal.world.hospitals import ShelvedLots
from rehearsal.world.lots import made, specified
from rehearsal.world.stage import RehearsalStage

OWNER = "person-coordinator"
META = Meta("rehearsal", purpose="operation")
CONFIRMED, AGAIN = timedelta(days=90), timedelta(days=60)
SHELF, NEXT_LOT, UNITS = timedelta(days=400), timedelta(days=90), 40
CLOSES = 0.15
JUDGES = ("quality-1", "quality-2")
LOOKED_AT = timedelta(days=7)
OVER = ("completed", "administratively complete", "clinical hold")
Reached = Callable[[str], tuple[str, str]]
"""A centre's FHIR address and the key its answers are checked with."""


def unreached(_: str) -> tuple[str, str]:
    """Nobody outside this process is ever called."""
    return "", ""


class Market:
    """`ends` is when the cohort's clock stops; nothing is arranged for after it."""

    def __init__(self, stage: RehearsalStage, known: Catalogued, lots: ShelvedLots, seed: int, ends: datetime) -> None:
        self._stage = stage
        self._known = known
        self._lots = lots
        self._ends = ends
        self._chance = random.Random(f"market/{seed}")  # noqa: S311 - a rehearsal repeats itself
        self.trials: Sequence[Trial] = self._trials()

    def _trials(self) -> Sequence[Trial]:
        """Every protocol that is not over, at its own centre or at one that takes patients from abroad."""
        abroad = [name for name, centre in self._known.centres.items() if centre.accepts_international]
        found = []
        for protocol in self._known.protocols:
            if protocol.status.startswith(OVER):
                continue
            command = protocol.command
            centre = command.centre or self._chance.choice(abroad)
            found.append(Trial(centre, protocol.stream, command.product, command.diseases))
        return found

    async def open(self, reached: Reached) -> None:
        """Register everything and arrange what comes later."""
        mail = "coordinator@caravel.example"
        await self._tell(OWNER, RegisterPerson("coordinator", "rehearsal", "Mei Tan", mail, "Asia/Kolkata", "en"))
        for centre in dict.fromkeys(t.centre for t in self.trials):
            endpoint, key = reached(centre)
            await self._tell(centre, replace(self._known.centres[centre], endpoint=endpoint, callback_key=key))
        for product in dict.fromkeys(t.product for t in self.trials):
            for told in specified(product):
                await self._tell(stream_of(product), told)
        for trial in self.trials:
            command = next(p.command for p in self._known.protocols if p.stream == trial.protocol)
            escalates = trial.protocol == ESCALATING
            await self._tell(trial.protocol, with_levels(command) if escalates else command)
            if escalates:
                self._govern(trial.protocol, self._stage.clock.now)
            self._arrange(trial)

    def _arrange(self, trial: Trial) -> None:
        start = self._stage.clock.now
        span = self._ends - start
        closes = start + span * self._chance.uniform(0.3, 0.9) if self._chance.random() < CLOSES else None
        self._confirm(trial.protocol, start, closes)
        self._deliver(trial, start, 1)
        if closes is not None:
            self._stage.at(closes, lambda: self._tell(trial.protocol, CloseProtocol("cohort_full")))

    def _confirm(self, protocol: str, at: datetime, closes: datetime | None) -> None:
        """Again and again, before the last confirmation ends."""

        async def confirm() -> None:
            await self._tell(protocol, ConfirmProtocolOpen(at + CONFIRMED, "the trial office"))
            self._confirm(protocol, at + AGAIN, closes)

        if at < min(self._ends, closes or self._ends):
            self._stage.at(at, confirm)

    def _govern(self, protocol: str, at: datetime) -> None:
        """Sponsor and safety committee look at the cohorts of a trial with dose levels, week after week."""

        async def look() -> None:
            trial = (await self._stage.commands.entry(protocol)).state
            word = next_word(trial, at.date(), self._chance) if isinstance(trial, Protocol) else None
            if word is not None:
                await self._tell(protocol, word)
            self._govern(protocol, at + LOOKED_AT)

        if at < self._ends:
            self._stage.at(at, look)

    def _deliver(self, trial: Trial, at: datetime, number: int) -> None:
        lot = f"lot-{trial.protocol.removeprefix('protocol-')}-{number}"
        units = tuple(f"{number}-{n}" for n in range(1, UNITS + 1))

        async def arrive() -> None:
            told = made(lot, trial.product, units, at + SHELF, at.date(), maker="cell-lab-1", judges=JUDGES)
            for command in told:
                await self._tell(lot, command)
            shelf = self._lots.shelf.setdefault(trial.protocol, [])
            shelf[:] = [*shelf[-3:], lot]
            self._deliver(trial, at + NEXT_LOT, number + 1)

        if at < self._ends:
            self._stage.at(at, arrive)

    async def _tell(self, stream: str, command: catalogue.Command) -> None:
        """What cases watch wakes them, as the courier would."""
        try:
            await self._stage.commands.record(CommandRequest(stream, META, command))
        except Refused:
            return
        await self._stage.wake_watchers(stream)

"""Carries out the effects of a rehearsed cohort: simulated hospitals in process, lots, mail that arrives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from activities.command_handler import CommandHandler
from activities.effect_handlers.doses import StockedLots
from activities.effect_handlers.requests import Addressing, Offices
from activities.effect_handlers.table import on_lots
from activities.perform import Delivered, EffectHandler, Outward
from activities.ports import Ledger
from domain.case.effect import Effect
from domain.case.state import Case
from domain.core.policy import Policy
from domain.doses.waiting.turns import DoseTurn
from rehearsal.hospitals.desk import HospitalDesk
from rehearsal.hospitals.in_process import RehearsedHospital
from rehearsal.world.quiet import Quiet
from workflows.journey import EFFECTS


async def _nobody(*_: object) -> None:
    """No staff is written to, and no page is opened, while a cohort is rehearsed."""


async def _no_link(*_: object) -> str:
    return ""


async def _unlisted(_: str, _now: datetime) -> Sequence[str]:
    return ()


async def _untyped(_: str) -> Sequence[frozenset[str]]:
    return ()


async def _unlined(_: Case) -> Sequence[DoseTurn]:
    """Nobody waits before another: a rehearsal keeps no list, its people ask again."""
    return ()


class ToRehearsed:
    """Over the desk of the simulated hospitals, as over their interface."""

    def __init__(self, desk: HospitalDesk, clock: Callable[[], datetime]) -> None:
        self._desk = desk
        self._clock = clock
        self._addressing = Addressing(Offices("rehearsal@example.org", _nobody), _nobody, _no_link)

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """Raises GatewayRefused, or whatever the simulated hospital comes up with."""
        del now
        request = self._addressing.hospital(case, effect)
        return await Outward(RehearsedHospital(self._desk, request.centre, self._clock)).deliver(request, repeat=repeat)


class ShelvedLots(StockedLots):
    """Knows which lots are there for a protocol; what is done to them goes through their streams."""

    def __init__(self, ledger: Ledger, keeper: CommandHandler) -> None:
        super().__init__(ledger, keeper, _unlisted)
        self.shelf: dict[str, list[str]] = {}

    async def stocked(self, case: Case, now: datetime) -> Sequence[str]:
        """Return the lots of the case's protocol, the oldest first."""
        del now
        return self.shelf.get(case.protocol, [])


def cohort_handlers(
    desk: HospitalDesk, lots: ShelvedLots, policy: Policy, clock: Callable[[], datetime]
) -> Mapping[str, EffectHandler]:
    """Make one handler for every kind of effect."""
    hospital = ToRehearsed(desk, clock)
    by_channel: dict[str, EffectHandler] = {"asks": hospital, "blind": Quiet(), "dedupes": hospital}
    special = on_lots(lots, policy, _untyped, _unlined, hospital)
    return {kind: special.get(kind) or by_channel[row.channel] for kind, row in EFFECTS.items()}

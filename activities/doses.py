"""Doses: held, committed and freed by compare-and-set on the lot's own stream, before anybody outside is told (P8)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from activities.far_sides import FarSideRefused
from activities.perform import Delivered, Hand
from domain import lot
from domain.effects import Effect
from domain.errors import Refused
from domain.lot import Lot
from domain.policy import Policy
from domain.stages.dose import HoldDose, RefuseDose
from domain.state import Case
from domain.unit import CommitUnit, FreeUnit, HoldUnit, UseUnit


class Lots(Protocol):
    """The lots' own streams."""

    async def stocked(self, case: Case) -> Iterable[str]:
        """Streams of the lots whose product this case's protocol uses, the soonest to expire first."""

    async def tell(self, stream: str, command: lot.Command, key: str) -> Lot:
        """Record a command on a lot, once per key; the lot after it. Raises Refused."""


class Reserving:
    """reserve_dose: hold a unit, or make the hold longer; the answer is recorded together with the delivery."""

    def __init__(self, lots: Lots, policy: Policy) -> None:
        self._lots = lots
        self._policy = policy

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """Ask lot by lot; the same effect always gets the same unit."""
        del repeat
        until = now + self._policy.dose_hold
        why: RefuseDose = RefuseDose("none_available")
        for stream in [*([case.lot] if case.lot else []), *await self._lots.stocked(case)]:
            try:
                held = await self._lots.tell(stream, HoldUnit(case.id, effect.id, until), effect.id)
            except Refused as no:
                why = _reason(no)
                continue
            unit = lot.unit_for(held, effect.id)
            if unit is not None and unit.until is not None:
                return Delivered(f"{stream}/{unit.id}", answer=HoldDose(stream, unit.id, unit.until))
        return Delivered("none", answer=why)


def _reason(no: Refused) -> RefuseDose:
    if "lot_not_released" in no.detail:
        return RefuseDose("lot_not_released")
    return RefuseDose("expires_too_soon" if "expires_too_soon" in no.detail else "none_available")


class OnUnit:
    """An effect that compares and sets the held unit on its lot, and then, where there is one, tells the centre."""

    def __init__(self, lots: Lots, command: type[CommitUnit | FreeUnit | UseUnit], after: Hand | None = None) -> None:
        self._lots = lots
        self._command = command
        self._after = after

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """A unit that is not this case's any more is a definite no."""
        if not case.lot or not case.dose.ref:
            raise FarSideRefused("no_unit")
        try:
            await self._lots.tell(case.lot, self._command(case.dose.ref, case.id), effect.id)
        except Refused as no:
            raise FarSideRefused(no.reason.value, no.detail) from no
        if self._after is None:
            return Delivered(f"{case.lot}/{case.dose.ref}")
        return await self._after.deliver(case, effect, now, repeat=repeat)

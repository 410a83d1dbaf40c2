"""Reserves a unit for a case: the soonest to expire that fits, and says of each other unit why it was not the one.

What is free is for those who wait before the case, where it fits them [doses.turns].
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from weakref import WeakValueDictionary

from activities.effect_handlers.doses import StockedLots, followed
from activities.gateways import Unreachable
from activities.perform import Delivered
from domain.case.effect import Effect
from domain.case.state import Case
from domain.core.errors import Refused
from domain.core.policy import Policy
from domain.doses import allocation, stock
from domain.doses.allocation import DoseWanted, Judged, PassedOver, StockedLot, WhyNone
from domain.doses.states import KEPT
from domain.doses.unit import HoldUnit
from domain.doses.waiting import turns
from domain.doses.waiting.turns import DoseTurn
from domain.stages.travel.dose_matching import dose_wanted
from domain.stages.treatment.dose import HoldDose, RefuseDose, own_unit, turn_of

DonorsOf = Callable[[str], Awaitable[Sequence[frozenset[str]]]]
"""A lot → the HLA alleles of each donor it was made of, empty for one that was not typed."""
TurnsOf = Callable[[Case], Awaitable[Sequence[DoseTurn]]]
"""A case → everybody who waits for a unit of its product."""
NEARLY: Sequence[WhyNone] = ("others_first", "expires_too_soon", "lot_not_released")
"""What is said where no unit fits, the nearest to a dose first."""


class DoseStock:
    """Reads every lot a case could get a unit of, with what is known of its donors where that is asked."""

    def __init__(self, lots: StockedLots, donors: DonorsOf) -> None:
        self._lots = lots
        self._donors = donors

    async def of(self, case: Case, now: datetime, *, typed: bool) -> Sequence[StockedLot]:
        """Return the lots of the case's product and the one it has a unit of, the soonest to expire first.

        `typed`: with what is known of their donors.
        """
        streams = dict.fromkeys([*([case.lot] if case.lot else []), *await self._lots.stocked(case, now)])
        known = await self._lots.every(list(streams))
        return allocation.in_order(
            [StockedLot(stream, lot, await self._donors(stream) if typed else ()) for stream, lot in known.items()]
        )


class Reserving:
    """reserve_dose: hold a unit, or make the hold longer; the answer is recorded together with the delivery."""

    def __init__(self, lots: StockedLots, policy: Policy, donors: DonorsOf, waiting: TurnsOf) -> None:
        self._lots = lots
        self._waiting = waiting
        self._policy = policy
        self._stock = DoseStock(lots, donors)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """Take the unit an earlier attempt may have got first: one effect never takes two units.

        In one process one case of a protocol at a time: all want the same unit, and whoever lost would look again.
        """
        del repeat
        async with self._turns.setdefault(case.protocol, asyncio.Lock()):
            return await self._reserve(case, effect, now)

    async def _reserve(self, case: Case, effect: Effect, now: datetime) -> Delivered:
        await self._tell_of_stopped(case, effect)
        wanted = dose_wanted(case, now, self._policy)
        every = await self._stock.of(case, now, typed=bool(wanted.antibodies))
        if any(_behind(one, case, now) for one in every):
            raise Unreachable("a lot has not heard yet that its unit went in or was destroyed")
        for one in every:
            if kept := _kept(one, case, now):
                until = min(wanted.until, one.lot.expires or wanted.until)
                return Delivered(f"{one.stream}/{kept}", answer=HoldDose(one.stream, kept, until))
            if _own(one, case, effect, now) and (given := await self._hold(one, wanted, effect, ())):
                return given
        others = await self._kept_for_others(case, every, wanted, now)

        def judged(one: StockedLot) -> Judged:
            return turns.after_others(allocation.judged(one, wanted, now), others.get(one.stream, 0))

        passed: list[PassedOver] = []
        for at, one in enumerate(every):
            verdict = judged(one)
            if allocation.fits(verdict):
                later = [of for rest in every[at + 1 :] for of in allocation.passed_over(rest.stream, judged(rest))]
                over = (*passed, *allocation.passed_over(one.stream, verdict, chosen=True), *later)
                if given := await self._hold(one, wanted, effect, over):
                    return given
                one = replace(one, lot=await self._lots.find(one.stream))  # noqa: PLW2901 - somebody else was there
            passed += allocation.passed_over(one.stream, judged(one), chosen=True)
        return Delivered("none", answer=RefuseDose(_code(passed), tuple(passed)))

    async def _kept_for_others(
        self, case: Case, every: Sequence[StockedLot], wanted: DoseWanted, now: datetime
    ) -> Mapping[str, int]:
        """Return how many free units of each lot are for cases before this one; asked only where one could be had."""
        if not any(allocation.fits(allocation.judged(one, wanted, now)) for one in every):
            return {}
        waiting = await self._waiting(case)
        typed = any(turn.wanted.antibodies for turn in waiting)
        known = await self._stock.of(case, now, typed=True) if typed and not wanted.antibodies else every
        return turns.kept_for(known, waiting, turn_of(case, wanted, now), now)

    async def _tell_of_stopped(self, case: Case, effect: Effect) -> None:
        """Tell the lots of units that were stopped on their way first: else the case would get back what it just lost.

        They are told by an effect of their own as well, which runs beside this one.
        """
        for sent in case.shipments.values():
            if sent.stops and sent.left and sent.lot and sent.carries:
                told = followed(case, sent, sent.left)
                with suppress(Refused):  # it is somebody else's by now, and not given to this case again either
                    await self._lots.tell(sent.lot, told, f"{effect.id}/{sent.telling}")

    async def _hold(
        self, one: StockedLot, wanted: DoseWanted, effect: Effect, passed: Sequence[PassedOver]
    ) -> Delivered | None:
        """Ask the lot, which alone gives units away; None where it says no."""
        ask = HoldUnit(wanted.case, effect.id, wanted.until)
        try:
            held = await self._lots.tell(one.stream, ask, effect.id)
        except Refused:
            return None
        unit = stock.unit_for(held, effect.id)
        if unit is None:
            return None
        answer = HoldDose(one.stream, unit.id, unit.until or wanted.until, tuple(passed))
        return Delivered(f"{one.stream}/{unit.id}", answer=answer)


def _behind(one: StockedLot, case: Case, now: datetime) -> bool:
    """Whether a lot still holds a unit for the case that is spent: asked for another it would give that one [P8]."""
    given = [(i.lot, i.unit) for i in case.infusions]
    destroyed = [(u.lot, u.unit) for u in case.destroyed_units]
    spent = {unit for lot, unit in (*given, *destroyed) if lot == one.stream}
    return any(unit.of(case.id) and unit.held_at(now) and name in spent for name, unit in one.lot.units.items())


def _kept(one: StockedLot, case: Case, now: datetime) -> str:
    """The case's own unit, where it is this patient's for good by the lot, though the hold has run out; empty = none.

    It is no lease any more, so the lot is not asked; a second unit would leave this one to nobody. What the lot keeps
    for the patient is not enough: it learns later than the case that cells went in, were destroyed or lost.
    """
    stream, ref = own_unit(case)
    unit = one.lot.units.get(ref) if stream == one.stream else None
    good = one.lot.state == "released" and one.lot.expires is not None and one.lot.expires > now
    kept = unit is not None and unit.of(case.id) and unit.state in KEPT and not unit.stopped
    return ref if good and kept else ""


def _own(one: StockedLot, case: Case, effect: Effect, now: datetime) -> bool:
    """Whether this very request got a unit of the lot before, or the case has one held there."""
    answered = stock.unit_for(one.lot, effect.id) is not None
    return answered or any(unit.of(case.id) and unit.held_at(now) for unit in one.lot.units.values())


def _code(passed: Sequence[PassedOver]) -> WhyNone:
    """The reason nearest to a dose: free units that are others' first, in a lot that was too old, or not released."""
    every = {one.because for one in passed}
    return next((because for because in NEARLY if because in every), "none_available")

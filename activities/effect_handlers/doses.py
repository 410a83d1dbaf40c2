"""Doses: held, committed and freed by compare-and-set on the lot's own stream, before anybody outside is told [P8]."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from activities.command_handler import CommandHandler, CommandRequest
from activities.gateways import GatewayRefused, Unreachable
from activities.perform import Delivered, EffectHandler
from activities.ports import CommandKey, Ledger, Meta
from domain.case.effect import Effect
from domain.case.state import Case
from domain.case.supply.shipments import Shipment
from domain.catalogue import streams as catalogue
from domain.catalogue.protocol import Protocol as TreatmentProtocol
from domain.catalogue.protocols.cohorts import TellCohort
from domain.catalogue.waiting.waiting_list import TellWaitingList
from domain.core.about import About
from domain.core.errors import Reason, Refused
from domain.core.fact import ENGINE
from domain.doses import lot
from domain.doses.custody.transit import FollowUnit
from domain.doses.stock import Lot
from domain.doses.unit import CommitUnit, DestroyThawedUnit, FreeUnit, UseUnit

ToldByCase = TellWaitingList | TellCohort
"""What a protocol hears of a case by itself."""


class StockedLots:
    """Lots found by product in the read models, told through their own streams."""

    def __init__(
        self, ledger: Ledger, keeper: CommandHandler, lots_of: Callable[[str, datetime], Awaitable[Sequence[str]]]
    ) -> None:
        self._ledger = ledger
        self._keeper = keeper
        self._lots_of = lots_of

    async def find(self, stream: str) -> Lot:
        """Load a lot from the ledger and return it as it stands."""
        state = (await self._keeper.entry(stream)).state
        assert isinstance(state, Lot)
        return state

    async def every(self, streams: Sequence[str]) -> Mapping[str, Lot]:
        """Return these lots as they stand: one question for all, and a load of each that changed since."""
        rows = await self._ledger.sources(list(streams))
        found = {row.stream: await self._keeper.entry_at(row.stream, row.version) for row in rows}
        return {stream: lot_ for stream, lot_ in found.items() if isinstance(lot_, Lot)}

    async def stocked(self, case: Case, now: datetime) -> Sequence[str]:
        """Return the lots of the protocol's product that are not over, the soonest to expire first."""
        if not case.protocol:
            return []
        protocol = catalogue.fold(case.protocol, (await self._ledger.load(case.protocol)).facts)
        known = protocol.description if isinstance(protocol, TreatmentProtocol) else None
        return await self._lots_of(known.product, now) if known else []

    async def tell(self, stream: str, command: lot.Command, key: str) -> Lot:
        """Record a command on a lot, once per (lot, effect, command); the lot after it. Raises Refused, Unreachable."""
        state = await tell_once(self._keeper, stream, command, key)
        assert isinstance(state, Lot)
        return state

    async def tell_protocol(self, protocol: str, command: ToldByCase, key: str) -> TreatmentProtocol:
        """Tell a protocol how a case stands to its list or cohorts, once per effect. Raises Refused, Unreachable."""
        state = await tell_once(self._keeper, protocol, command, key)
        assert isinstance(state, TreatmentProtocol)
        return state


NO_ANSWER = frozenset({Reason.CONFLICT, Reason.READ_ONLY, Reason.CLOCK_WRONG, Reason.NEWER_THAN_ME})
"""Refusals that say nothing of what was asked; the same may be granted a moment later, or to another process."""


async def tell_once(keeper: CommandHandler, stream: str, command: catalogue.Command, key: str) -> catalogue.State:
    """Record a command of the engine's on a stream of the catalogue, once per (key, stream, command).

    Raises Refused where the stream says no, Unreachable where it was too busy or this process may not ask: no answer.
    """
    name = f"{key}/{stream}/{command.type}"
    body = sha256(name.encode()).digest()
    ask = CommandRequest(stream, Meta(ENGINE, key=name), command, CommandKey(ENGINE, name, body))
    try:
        state: catalogue.State = (await keeper.record(ask)).state
    except Refused as no:
        if no.reason in NO_ANSWER:
            raise Unreachable from no
        raise
    return state


class OnUnit:
    """An effect that compares and sets the held unit on its lot, and then, where there is one, tells the centre."""

    def __init__(
        self, lots: StockedLots, command: type[CommitUnit | FreeUnit], after: EffectHandler | None = None
    ) -> None:
        self._lots = lots
        self._command = command
        self._after = after

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """A unit that is not this case's any more is a definite no. What is given back names the fact that held it."""
        stream, unit = case.units.get(effect.about, (case.lot, case.dose.ref))
        if not stream or not unit:
            raise GatewayRefused("no_unit")
        try:
            await self._lots.tell(stream, self._command(unit, case.id), effect.id)
        except Refused as no:
            raise GatewayRefused(no.reason.value, no.detail) from no
        if self._after is None:
            return Delivered(f"{stream}/{unit}")
        return await self._after.deliver(case, effect, now, repeat=repeat)


class UsedUnit:
    """mark_unit_used: the lot's stream learns into whom its unit went, and never forgets [P8]."""

    def __init__(self, lots: StockedLots) -> None:
        self._lots = lots

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """A unit that was never held for this case is a definite no: a person must find out what was infused."""
        del now, repeat
        given = next((i for i in case.infusions if i.fact == effect.about), None)
        if given is None or not isinstance(given.lot, str) or not isinstance(given.unit, str):
            raise GatewayRefused("no_unit")
        try:
            await self._use(given.lot, given.unit, case, effect)
        except Refused as no:
            raise GatewayRefused(no.reason.value, no.detail) from no
        return Delivered(f"{given.lot}/{given.unit}")

    async def _use(self, lot_: str, unit: str, case: Case, effect: Effect) -> None:
        """What was committed is marked whatever the lot is by now; only what was never committed is asked for first."""
        try:
            await self._lots.tell(lot_, UseUnit(unit, case.id), effect.id)
        except Refused as no:
            if no.reason is not Reason.MISSING:
                raise
            await self._lots.tell(lot_, CommitUnit(unit, case.id), effect.id)
            await self._lots.tell(lot_, UseUnit(unit, case.id), effect.id)


class DestroyedAtBedside:
    """mark_unit_destroyed: the lot's stream learns that its unit was thawed, not infused, and destroyed [P8]."""

    def __init__(self, lots: StockedLots) -> None:
        self._lots = lots

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """A unit that is another's by now is a definite no: a person must find out what was destroyed."""
        del now, repeat
        gone = next((one for one in case.destroyed_units if one.fact == effect.about), None)
        if gone is None or not gone.lot or not gone.unit:
            raise GatewayRefused("no_unit")
        try:
            await self._lots.tell(gone.lot, DestroyThawedUnit(gone.unit, case.id), effect.id)
        except Refused as no:
            raise GatewayRefused(no.reason.value, no.detail) from no
        return Delivered(f"{gone.lot}/{gone.unit}")


def followed(case: Case, sent: Shipment, left: datetime) -> FollowUnit:
    """Return what a lot is told of its unit that left at that instant."""
    return FollowUnit(
        sent.carries, case.id, sent.id, left, sent.shipper, sent.came, sent.stops, sent.judged, sent.outcome,
        sent.judged_by,
    )  # fmt: skip


class FollowedUnit:
    """tell_lot_of_shipment: the lot's stream learns how a unit stands that left for its patient."""

    def __init__(self, lots: StockedLots) -> None:
        self._lots = lots

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """A unit that was never this case's is a definite no: a person must find out what travels."""
        del now, repeat
        sent = case.shipments.get(About.of(effect.about).id)
        if sent is None or sent.left is None or not sent.lot or not sent.carries:
            raise GatewayRefused("no_unit")
        try:
            await self._lots.tell(sent.lot, followed(case, sent, sent.left), effect.id)
        except Refused as no:
            raise GatewayRefused(no.reason.value, no.detail) from no
        return Delivered(f"{sent.lot}/{sent.carries}")

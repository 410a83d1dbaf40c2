"""The hands of the engine: for every kind of effect, who carries it out. One table, compared with the journey."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from activities.catalogue import Catalogue
from activities.effect_handlers.doses import Lots, OnUnit, Reserving, UsedUnit
from activities.effect_handlers.requests import Addressing, Link, Offices, Reader
from activities.gateways import FarSide, FarSideRefused
from activities.perform import Delivered, Hand, Outward, PutOff
from activities.ports import CommandKey, Ledger, Meta
from domain.case.effect import Effect
from domain.case.state import Case
from domain.catalogue import streams as catalogue
from domain.catalogue.centre import Centre
from domain.catalogue.protocol import Protocol
from domain.core.fact import ENGINE
from domain.core.personal import Erased
from domain.core.policy import Party, Policy
from domain.doses import lot
from domain.doses.unit import CommitUnit, FreeUnit
from infra.mail.quiet import quiet_until
from workflows.journey import EFFECTS

Hospitals = Callable[[str, str], FarSide]
"""A far side for a centre: (centre's stream, its endpoint)."""


OUTSIDE = (Party.FAMILY, Party.HOME_ONCOLOGIST)
URGENT = ("warn_of_closed_door", "cancel_travel")
"""Told also at night: somebody may be about to travel."""


class ToHospital:
    """Over the centre's interface where it has one, else as a mail with one question."""

    def __init__(self, ledger: Ledger, addressing: Addressing, hospitals: Hospitals, mail: FarSide) -> None:
        self._ledger = ledger
        self._addressing = addressing
        self._hospitals = hospitals
        self._mail = mail

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """Raises FarSideRefused(no_centre) where nobody is asked."""
        name = self._addressing.centre_of(case, effect)
        centre = catalogue.fold(name, (await self._ledger.load(name)).facts) if name else None
        if not isinstance(centre, Centre) or not centre.version:
            raise FarSideRefused("no_centre")
        if centre.endpoint:
            request = self._addressing.hospital(case, effect)
            return await Outward(self._hospitals(name, centre.endpoint)).deliver(request, repeat=repeat)
        reader = Reader(centre.mail, next(iter(centre.languages), "en"), centre.zone)
        question = await self._addressing.question(case, effect, reader, now)
        return await Outward(self._mail).deliver(question, repeat=repeat)


class ToPeople:
    """By mail; what concerns a hospital goes to the hospital."""

    def __init__(self, addressing: Addressing, mail: FarSide, hospital: Hand) -> None:
        self._addressing = addressing
        self._mail = mail
        self._hospital = hospital

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """Raises FarSideRefused(no_address) where nobody can be reached."""
        if effect.to is Party.HOSPITAL:
            return await self._hospital.deliver(case, effect, now, repeat=repeat)
        request = await self._addressing.mail(case, effect, now)
        if effect.to in OUTSIDE and effect.kind not in URGENT:
            reader = await self._addressing.reader(case, effect, now)
            if (until := quiet_until(now, reader.zone)) is not None:
                raise PutOff(until)
        return await Outward(self._mail).deliver(request, repeat=repeat)


class StockedLots(Lots):
    """Lots found by product in the read models, told through their own streams."""

    def __init__(self, ledger: Ledger, keeper: Catalogue, lots_of: Callable[[str], Awaitable[Sequence[str]]]) -> None:
        self._ledger = ledger
        self._keeper = keeper
        self._lots_of = lots_of

    async def find(self, stream: str) -> lot.Lot:
        """A lot as it stands."""
        state = (await self._keeper.entry(stream)).state
        assert isinstance(state, lot.Lot)
        return state

    async def stocked(self, case: Case) -> Sequence[str]:
        """Lots of the protocol's product, the soonest to expire first."""
        if not case.protocol:
            return []
        protocol = catalogue.fold(case.protocol, (await self._ledger.load(case.protocol)).facts)
        known = protocol.description if isinstance(protocol, Protocol) else None
        return await self._lots_of(known.product) if known else []

    async def tell(self, stream: str, command: lot.Command, key: str) -> lot.Lot:
        """Record a command on a lot, once per (lot, effect, command)."""
        name = f"{key}/{stream}/{command.type}"
        body = sha256(name.encode()).digest()
        done = await self._keeper.record(stream, command, Meta(ENGINE, key=name), CommandKey(ENGINE, name, body))
        state = done.state
        assert isinstance(state, lot.Lot)
        return state


def staff_of(ledger: Ledger) -> Callable[[str], Awaitable[Reader | None]]:
    """Finds a member of staff by stream; an erased or missing address is nobody."""

    async def find(stream: str) -> Reader | None:
        if not stream.startswith("person-"):
            return None
        state: Any = catalogue.fold(stream, (await ledger.load(stream)).facts)
        if isinstance(state.mail, Erased) or not state.mail:
            return None
        return Reader(state.mail, state.language or "en", state.zone or "UTC")

    return find


def hands(
    ledger: Ledger,
    policy: Policy,
    offices: Offices,
    lots: Lots,
    hospitals: Hospitals,
    mail: FarSide,
    link: Link,
    erasing: Hand,
) -> Mapping[str, Hand]:
    """One hand for every kind of effect of the journey. Raises LookupError for a kind without one."""
    addressing = Addressing(offices, staff_of(ledger), link)
    hospital = ToHospital(ledger, addressing, hospitals, mail)
    people = ToPeople(addressing, mail, hospital)
    special: dict[str, Hand] = {
        "reserve_dose": Reserving(lots, policy),
        "release_dose": OnUnit(lots, FreeUnit),
        "confirm_depletion_start": OnUnit(lots, CommitUnit, hospital),
        "confirm_thaw": OnUnit(lots, CommitUnit, hospital),
        "mark_unit_used": UsedUnit(lots),
        "erase_case": erasing,
    }
    by_channel: dict[str, Hand] = {"asks": hospital, "blind": people}
    return {kind: special.get(kind) or by_channel[row.channel] for kind, row in EFFECTS.items()}

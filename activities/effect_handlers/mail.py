"""Tells people by mail, and not at night where they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from activities.effect_handlers.requests import Addressing, Reader
from activities.gateways import Gateway
from activities.perform import Delivered, EffectHandler, Outward, PutOff
from activities.ports import Ledger
from domain.case.effect import Effect
from domain.case.state import Case
from domain.catalogue import streams as catalogue
from domain.catalogue.desks import STREAM as DESKS
from domain.core.personal import Unread
from domain.core.policy import Party

QuietUntil = Callable[[datetime, str], datetime | None]
"""(an instant, a time zone) → the end of the quiet hours there (UTC); None = it is not quiet."""
OUTSIDE = (Party.FAMILY, Party.HOME_ONCOLOGIST)
URGENT = ("warn_of_closed_door", "cancel_travel")
"""Told also at night: somebody may be about to travel."""


class ToPeople:
    """Sends mail to people; what concerns a hospital goes to the hospital."""

    def __init__(self, addressing: Addressing, mail: Gateway, hospital: EffectHandler, quiet: QuietUntil) -> None:
        self._addressing = addressing
        self._mail = mail
        self._hospital = hospital
        self._quiet = quiet

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """Raises GatewayRefused(no_address) where nobody can be reached."""
        if effect.to is Party.HOSPITAL:
            return await self._hospital.deliver(case, effect, now, repeat=repeat)
        request = await self._addressing.mail(case, effect, now)
        if effect.to in OUTSIDE and effect.kind not in URGENT:
            reader = await self._addressing.reader(case, effect, now)
            if (until := self._quiet(now, reader.zone)) is not None:
                raise PutOff(until)
        return await Outward(self._mail).deliver(request, repeat=repeat)


def desks_of(ledger: Ledger, setting: Mapping[Party, str]) -> Callable[[Party], Awaitable[Reader | None]]:
    """Finds the desk of a role: as the ledger says it, by the setting while the ledger says nothing."""

    async def find(role: Party) -> Reader | None:
        known: Any = catalogue.fold(DESKS, (await ledger.load(DESKS)).facts)
        mail = (known.mails if known.version else setting).get(role, "")
        return Reader(mail) if mail else None

    return find


def staff_of(ledger: Ledger) -> Callable[[str], Awaitable[Reader | None]]:
    """Finds a member of staff by stream; an erased or missing address is nobody, and so is who has left."""

    async def find(stream: str) -> Reader | None:
        if not stream.startswith("person-"):
            return None
        state: Any = catalogue.fold(stream, (await ledger.load(stream)).facts)
        if state.role is None or isinstance(state.mail, Unread) or not state.mail:
            return None
        return Reader(state.mail, state.language or "en", state.zone or "UTC")

    return find

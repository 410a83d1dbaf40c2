"""Asks and tells hospitals: over their interface where there is one, else as a mail with one question."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime

from activities.effect_handlers.requests import Addressing, Reader
from activities.gateways import Gateway, GatewayRefused
from activities.perform import Delivered, Outward
from activities.ports import Ledger
from domain.case.effect import Effect
from domain.case.phases.submissions import Submission
from domain.case.state import Case
from domain.catalogue import streams as catalogue
from domain.catalogue.centre import Centre

Hospitals = Callable[[str, str], Gateway]
"""A far side for a centre: (centre's stream, its endpoint)."""


Handed = Callable[[str, Submission, Centre], Awaitable[Mapping[str, str]]]
"""Says where a hospital has each document of a submission of this case: at an address of ours, or uploaded to it."""


class ToHospital:
    """Over the centre's interface where it has one, else as a mail with one question."""

    def __init__(
        self, ledger: Ledger, addressing: Addressing, hospitals: Hospitals, mail: Gateway, handed: Handed
    ) -> None:
        self._ledger, self._handed = ledger, handed
        self._addressing = addressing
        self._hospitals = hospitals
        self._mail = mail

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """Raises GatewayRefused(no_centre) where nobody is asked."""
        name = self._addressing.centre_of(case, effect)
        centre = catalogue.fold(name, (await self._ledger.load(name)).facts) if name else None
        if not isinstance(centre, Centre) or not centre.version:
            raise GatewayRefused("no_centre")
        if centre.endpoint:
            request = self._addressing.hospital(case, effect)
            if (submitted := self._addressing.dossier(case, effect)) is not None:
                request = replace(request, links=await self._handed(case.id, submitted, centre))
            return await Outward(self._hospitals(name, centre.endpoint)).deliver(request, repeat=repeat)
        reader = Reader(centre.mail, next(iter(centre.languages), "en"), centre.zone)
        question = await self._addressing.question(case, effect, reader, now)
        return await Outward(self._mail).deliver(question, repeat=repeat)

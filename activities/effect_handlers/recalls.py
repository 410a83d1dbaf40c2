"""Carries out what a recall asks for: stops its lots, asks its hospitals in their own way, and chases them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from activities.command_handler import CommandHandler, CommandRequest
from activities.doses.genealogy import LOT
from activities.doses.recalling import UnitsAt
from activities.effect_handlers.hospital import Hospitals
from activities.effect_handlers.requests import DECIDED_WITHIN, Offices, Reader
from activities.gateways import Gateway, GatewayRefused, Request
from activities.perform import Delivered, EffectHandler, Outward
from activities.ports import CommandKey, Meta
from domain.case.effect import Effect
from domain.catalogue import streams as catalogue
from domain.catalogue.centre import Centre
from domain.core.fact import ENGINE
from domain.core.policy import Party
from domain.doses.custody.giving import RecallVector
from domain.doses.lot import RecallLot
from domain.recalls import following
from domain.recalls.recall import Recall

Numbers = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
"""Cases → the number of each, as it is said on the phone."""
RecallLink = Callable[[Recall, Effect, str, str, datetime], Awaitable[str]]
"""(recall, effect, hospital, its time zone, until when) → the address of the page that hospital answers on."""
SHOWN = 8
"""So many characters of a recall's id are its name in mail."""


class StoppingLot:
    """Recalls one lot, or a vector lot given itself: nothing of it is held or sent any more; twice changes nothing."""

    def __init__(self, commands: CommandHandler) -> None:
        self._commands = commands

    async def deliver(self, recall: Recall, effect: Effect, _now: datetime, *, repeat: int) -> Delivered:
        """Record it on the lot's own stream, on behalf of whoever opened the recall."""
        del repeat  # the same key, however often
        key = CommandKey(ENGINE, effect.id, sha256(effect.id.encode()).digest())
        meta = Meta(ENGINE, "operation", on_behalf_of=recall.opened_by, key=effect.id, causation=effect.id)
        command = (RecallLot if effect.about.startswith(LOT) else RecallVector)(recall.reason)
        recorded = await self._commands.record(CommandRequest(effect.about, meta, command, key))
        return Delivered(f"{recorded.stream}/{recorded.state.version}")


class AskingHospitals:
    """Writes to the hospital of a recall, and to the supervisors where it stays silent."""

    def __init__(
        self,
        commands: CommandHandler,
        offices: Offices,
        mail: Gateway,
        numbers: Numbers,
        link: RecallLink,
        hospitals: Hospitals,
        units: UnitsAt,
    ) -> None:
        self._commands, self._offices, self._mail, self._numbers = commands, offices, mail, numbers
        self._link, self._hospitals, self._units = link, hospitals, units

    async def deliver(self, recall: Recall, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """Ask over the hospital's interface where it has one, else by mail. Raises GatewayRefused(no_address)."""
        name = following.centre_of(recall, effect)
        centre: Any = catalogue.fold(name, (await self._commands.ledger.load(name)).facts)
        if effect.to is Party.HOSPITAL and isinstance(centre, Centre) and centre.endpoint:
            request = await self._over_fhir(recall, effect, name, now)
            return await Outward(self._hospitals(name, centre.endpoint)).deliver(request, repeat=repeat)
        reader = await self._reader(centre, effect)
        cases = sorted(recall.hospitals[name].cases)
        numbers = await self._numbers(cases)
        facts: dict[str, Any] = {"recall": recall.id[-SHOWN:], "contact": self._offices.contact}
        facts |= {"cases": ", ".join(sorted(numbers.values())), "entry": getattr(centre, "name", "") or name}
        facts |= {"address": reader.address, "language": reader.language}
        if effect.to is Party.HOSPITAL:
            facts["link"] = await self._link(recall, effect, name, reader.zone, now + DECIDED_WITHIN)
        request = Request(effect.id, _kind(recall, effect), recall.id, effect.about, effect.to, name, facts)
        return await Outward(self._mail).deliver(request, repeat=repeat)

    async def _over_fhir(self, recall: Recall, effect: Effect, centre: str, now: datetime) -> Request:
        units = [
            {"lot": one.lot, "unit": one.unit, "infused": one.state == "used"}
            for one in await self._units(recall, centre, now)
        ]
        body = {"cases": sorted(recall.hospitals[centre].cases), "units": units}
        return Request(effect.id, _kind(recall, effect), recall.id, effect.about, effect.to, centre, body)

    async def _reader(self, centre: object, effect: Effect) -> Reader:
        found = None
        if effect.to is not Party.HOSPITAL:
            found = await self._offices.by_role(effect.to)
        elif isinstance(centre, Centre) and isinstance(centre.mail, str):
            found = Reader(centre.mail, next(iter(centre.languages), "en"), centre.zone)
        if found is None or not found.address:
            raise GatewayRefused("no_address")
        return found


def _kind(recall: Recall, effect: Effect) -> str:
    return f"{effect.kind}_drill" if recall.drill else effect.kind


def recall_handlers(
    commands: CommandHandler,
    offices: Offices,
    mail: Gateway,
    numbers: Numbers,
    link: RecallLink,
    hospitals: Hospitals,
    units: UnitsAt,
) -> Mapping[str, EffectHandler]:
    """Return one handler for each kind of effect of a recall."""
    asking = AskingHospitals(commands, offices, mail, numbers, link, hospitals, units)
    return {**dict.fromkeys(following.KINDS, asking), following.STOP: StoppingLot(commands)}

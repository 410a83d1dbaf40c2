"""Chooses where a course is played: its own protocol and centre, else ones made up, which is said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from activities.command_handler import CommandHandler, CommandRequest
from activities.ports import Meta
from domain.catalogue import streams as catalogue
from domain.catalogue.centre import RegisterCentre
from domain.catalogue.protocol import ConfirmProtocolOpen, RegisterProtocol
from domain.catalogue.protocols.classes import ProductClass
from domain.doses.lot import RegisterLot, ReleaseLot
from rehearsal.courses.known import Catalogued, own_protocol
from rehearsal.courses.published.courses import Course
from rehearsal.courses.published.kinds import written
from rehearsal.courses.steps import ASSUMED, Places

META = Meta("rehearsal", provenance=f"{ASSUMED}: catalogue of the rehearsal")
LONG = timedelta(days=40 * 365)
CLASSES: Mapping[str, ProductClass] = {
    "autologous": "autologous",
    "tcr_t": "autologous",
    "til": "autologous",
    "allogeneic": "allogeneic",
    "donor_derived": "allogeneic",
    "gamma_delta": "allogeneic",
    "car_nk": "car_nk",
    "ipsc_nk": "car_nk",
    "nk": "car_nk",
    "in_vivo": "in_vivo",
}
"""By the words of sources; where none of them is said, the class is made up, and the report says so."""
GENERIC = "centre-rehearsal"


class PlaceKeeper:
    """Brings what the courses need into the ledger's catalogue, each once."""

    def __init__(self, commands: CommandHandler, known: Catalogued, start: datetime) -> None:
        self._commands = commands
        self._known = known
        self._start = start
        self._done: set[str] = set()

    def places(self, course: Course, number: int) -> Places:
        """Choose where the n-th course is played; nothing is recorded by asking."""
        own = own_protocol(course, self._known.protocols)
        lot = f"lot-rehearsal-{number}"
        centre = own[0].command.centre if own and own[0].command.centre in self._known.centres else GENERIC
        country = self._known.centres[centre].country if centre != GENERIC else "CN"
        if own is None:
            stream = f"protocol-rehearsal-{number}"
            made_up = (
                ("protocol", "centre", "lot") if _class(course) else ("protocol", "product class", "centre", "lot")
            )
            return Places(centre, country, stream, lot, "", made_up)
        generic = ("lot",) if centre != GENERIC else ("centre", "lot")
        return Places(centre, country, own[0].stream, lot, own[1], generic)

    async def provide(self, course: Course, places: Places, units: int) -> None:
        """Centre, open protocol and released lot of a course."""
        own = next((p.command for p in self._known.protocols if p.stream == places.protocol), None)
        await self._once(places.centre, self._known.centres.get(places.centre))
        if places.centre not in self._done:
            await self._tell(places.centre, _generic_centre(self._start))
        if places.protocol not in self._done:
            await self._tell(places.protocol, own or _generic_protocol(course, self._start))
            await self._tell(places.protocol, ConfirmProtocolOpen(self._start + LONG, ASSUMED))
        names = tuple(places.unit(n + 1) for n in range(max(1, units)))
        product = course.product or "not told by the source"
        await self._tell(places.lot, RegisterLot(product, names, self._start + LONG, by="rehearsal-1"))
        await self._tell(places.lot, ReleaseLot("rehearsal-2"))

    async def _once(self, stream: str, command: catalogue.Command | None) -> None:
        if command is not None and stream not in self._done:
            await self._tell(stream, command)

    async def _tell(self, stream: str, command: catalogue.Command) -> None:
        self._done.add(stream)
        await self._commands.record(CommandRequest(stream, META, command))


def _class(course: Course) -> ProductClass | None:
    return CLASSES.get(written(course.product_class))


def _generic_centre(start: datetime) -> RegisterCentre:
    source = f"{ASSUMED}: made up for a rehearsal"
    return RegisterCentre(
        "Rehearsal hospital", "Shanghai", "CN", "Asia/Shanghai", ("zh", "en"), True,
        ("cell_therapy", "transplant"), source, start.date(),
    )  # fmt: skip


def _generic_protocol(course: Course, start: datetime) -> RegisterProtocol:
    return RegisterProtocol(
        registry="none (rehearsal)",
        title=f"Protocol made up for the rehearsal of {course.publication or 'a published course'}",
        product=course.product or "not told by the source",
        product_class=_class(course) or "allogeneic",
        targets=("not told by the source",),
        diseases=(course.disease or "not told by the source",),
        source=f"{ASSUMED}: {course.source}",
        as_of=start.date(),
    )

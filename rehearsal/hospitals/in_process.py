"""The simulated hospitals without HTTP: a far side for rehearsals, on a clock that is an argument."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from activities.gateways import Channel, GatewayRefused, Receipt, Request
from rehearsal.hospitals.desk import HospitalDesk


class Unanswered(Exception):
    """The simulated hospital said neither yes nor no."""


class RehearsedHospital:
    """One centre of a desk. What it will say lies in the desk's book: `book.due(now)`, then `book.delivered`."""

    channel: Channel = "asks"

    def __init__(self, desk: HospitalDesk, centre: str, clock: Callable[[], datetime]) -> None:
        self._desk, self._centre, self._clock = desk, centre, clock

    async def send(self, request: Request) -> Receipt:
        """Send as over HTTP, with the same troubles. Raises GatewayRefused; any other exception = unknown."""
        reaction = self._desk.receive(request, self._clock())
        match reaction.manner:
            case "created" | "known" | "conflict":
                return Receipt(f"Task/{reaction.number}")
            case "refused":
                raise GatewayRefused(reaction.code, "the simulated hospital turns this away")
            case _:
                raise Unanswered(reaction.manner)

    async def ask(self, effect: str) -> Receipt | None:
        """Ask whether the centre has it."""
        number = self._desk.book.find(effect, self._centre)
        return Receipt(f"Task/{number}") if number else None

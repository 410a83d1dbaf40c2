"""Tells a vector lot to whom it was given, so that its recall finds the patient, and the case which lot that is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from activities.command_handler import CommandHandler
from activities.doses.genealogy import Genealogy
from activities.effect_handlers.doses import tell_once
from activities.effect_handlers.look_back import LookingBack
from activities.gateways import GatewayRefused
from activities.perform import Delivered, EffectHandler
from domain.case.effect import Effect
from domain.case.state import Case
from domain.core.errors import Refused
from domain.doses.custody.giving import VECTOR_LOT, GiveVector
from domain.stages.supply.vector_lot import KIND, ConfirmVectorLot


def on_genealogy(commands: CommandHandler, genealogy: Genealogy) -> Mapping[str, EffectHandler]:
    """Return the handlers of what follows the genealogy of doses."""
    return {"look_back": LookingBack(genealogy), KIND: TracingVectorLot(commands, genealogy)}


class TracingVectorLot:
    """trace_vector_lot: the vector lot's stream learns its patient, and never forgets [P8]."""

    def __init__(self, commands: CommandHandler, genealogy: Genealogy) -> None:
        self._commands = commands
        self._genealogy = genealogy

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """Find the vector lot by the code its label has. One that nobody registered is a definite no.

        Raises GatewayRefused(no_vector_lot): register it, and try again; or name the right one (NameVectorLot).
        """
        del now, repeat  # the lot takes each infusion once
        given = next((i for i in case.infusions if i.vector_named == effect.about), None)
        if given is None or not given.vector_code:
            raise GatewayRefused("no_vector_lot")
        stream = await self._genealogy.links.stream_of(VECTOR_LOT, given.vector_code)
        if not await self._genealogy.existing([stream]):
            raise GatewayRefused("no_vector_lot")
        unit = given.unit if isinstance(given.unit, str) else ""
        try:
            await tell_once(self._commands, stream, GiveVector(case.id, given.fact, unit), effect.id)
        except Refused as no:
            raise GatewayRefused(no.reason.value, no.detail) from no
        return Delivered(stream, answer=ConfirmVectorLot(effect.about, stream))

"""Waiting lists: what a case wants of one is told to the protocol's own stream, which alone gives places away."""

from __future__ import annotations

from datetime import datetime

from activities.effect_handlers.doses import StockedLots
from activities.gateways import GatewayRefused
from activities.perform import Delivered
from domain.case.effect import Effect
from domain.case.state import Case
from domain.catalogue.waiting.waiting_list import TellWaitingList
from domain.core.about import About
from domain.core.errors import Refused


class TellingList:
    """tell_waiting_list: everything the case wants of the list as it stands, so that a late word changes nothing."""

    def __init__(self, lists: StockedLots) -> None:
        self._lists = lists

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """Tell it. A protocol that is not there is a definite no. What the list answers, the case notes by itself."""
        del now, repeat
        wait = case.waiting.get(About.of(effect.about).id)
        if wait is None:
            raise GatewayRefused("no_waiting")
        said = TellWaitingList(
            wait=wait.id,
            round=wait.round,
            case=case.id,
            centre=wait.centre,
            urgent=wait.urgent,
            since=wait.since,
            takes=wait.place if wait.state == "taken" else "",
            passed=wait.passed,
            ends=not wait.live,
        )
        try:
            told = await self._lists.tell_protocol(wait.protocol, said, effect.id)
        except Refused as no:
            raise GatewayRefused(no.reason.value, no.detail) from no
        return Delivered(f"{wait.protocol}/{told.version}")

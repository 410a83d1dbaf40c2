"""Cohorts: how a case stands is told to the protocol's own stream, which alone gives places and turns."""

from __future__ import annotations

from datetime import datetime

from activities.effect_handlers.doses import StockedLots
from activities.gateways import GatewayRefused
from activities.perform import Delivered
from domain.case.effect import Effect
from domain.case.state import Case
from domain.core.about import About
from domain.core.errors import Refused
from domain.stages.governing.cohort_place import told_to


class TellingCohort:
    """tell_cohort: how the case stands now, so that a late word changes nothing."""

    def __init__(self, lists: StockedLots) -> None:
        self._lists = lists

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """Tell it. A protocol that is not there is a definite no. What comes of it, the case notes by itself."""
        del repeat
        protocol = About.of(effect.about).id
        try:
            told = await self._lists.tell_protocol(protocol, told_to(case, protocol, now.date()), effect.id)
        except Refused as no:
            raise GatewayRefused(no.reason.value, no.detail) from no
        return Delivered(f"{protocol}/{told.version}")

"""Brings every open case to a workflow engine that has none of them: the loops are started again, paced."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from temporalio.client import Client

from api.run.engine.courier import Courier, cluster_id
from domain.core.errors import Reason, Refused
from infra.ledger.ledger import CaseWaiting, PgLedger

log = structlog.get_logger()

AT_ONCE = 10
BREATH = 0.05
SOON = timedelta(minutes=1)
LONGEST = 86_400.0
"""Seconds; a loop looks once a day in any case."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Counts the loops that were started: at once because something is due, and for later."""

    epoch: int
    now: int
    later: int


async def own_engine(ledger: PgLedger, client: Client) -> bool:
    """Return whether this Temporal is the one that acts for this ledger."""
    return (await ledger.engine()).cluster == await cluster_id(client)


async def restore(
    ledger: PgLedger,
    client: Client,
    courier: Courier,
    *,
    take_over: bool,
    above: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Restored:
    """Start a loop for every open case on this Temporal; after a take-over in place of those of the engine before.

    `above`: an epoch that was given out before, though this ledger no longer knows.
    Raises Refused(SUPERSEDED) when another Temporal acts for this ledger and `take_over` is not given.
    """
    engine, cluster = await ledger.engine(), await cluster_id(client)
    foreign = engine.cluster not in ("", cluster)
    if foreign and not take_over:
        raise Refused(
            Reason.SUPERSEDED,
            f"another Temporal ({engine.target}) acts for this ledger; stop it, then use --take-over",
        )
    epoch, anew = engine.epoch, engine.cluster != cluster or take_over
    if anew:
        while epoch <= max(engine.epoch, above):
            epoch = await ledger.take_over(client.service_client.config.target_host, cluster)
    waiting = await ledger.open_cases()
    urgent = [case for case in waiting if _urgent(case)]
    rest = [case for case in waiting if not _urgent(case)]
    starting = _Starting(courier, epoch, anew=anew)
    await starting.all(urgent, lambda n: progress(n, len(waiting)))
    await starting.all(rest, lambda n: progress(len(urgent) + n, len(waiting)))
    log.info("restored", epoch=epoch, now=len(urgent), later=len(rest))
    return Restored(epoch, len(urgent), len(rest))


@dataclass(frozen=True, slots=True)
class _Starting:
    courier: Courier
    epoch: int
    anew: bool

    async def all(self, cases: list[CaseWaiting], progress: Callable[[int], None]) -> None:
        """A few at a time, so that live cases do not wait behind sleeping ones."""
        for first in range(0, len(cases), AT_ONCE):
            group = cases[first : first + AT_ONCE]
            await asyncio.gather(*(self.one(case) for case in group))
            progress(first + len(group))
            await asyncio.sleep(BREATH)

    async def one(self, case: CaseWaiting) -> None:
        """Start one case's loop: at once where something is due, else when it will be."""
        urgent = _urgent(case)
        if urgent and not self.anew:
            await self.courier.nudge(case.stream, self.epoch)
            return
        delay = 0 if urgent or case.in_seconds is None else min(case.in_seconds, LONGEST)
        await self.courier.begin(case.stream, self.epoch, timedelta(seconds=delay), anew=self.anew)


def _urgent(case: CaseWaiting) -> bool:
    return case.in_seconds is None or case.in_seconds <= SOON.total_seconds()

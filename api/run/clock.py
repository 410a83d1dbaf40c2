"""A clock was wrong when events were recorded: what was done by it is listed, and a person lets it go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from activities.ports import Append, Meta
from api.run.loss import MAY_ACCEPT
from api.run.wiring import EVERY_EVENT, Parts, actor_of
from domain.catalogue.installation import STREAM, ClockAccepted, ClockReason
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Draft
from domain.history.way_back import way_back
from infra.reads import clock as reads

log = structlog.get_logger()
TYPES = {one.__name__: one for one in EVERY_EVENT}


@dataclass(frozen=True, slots=True)
class DatedAhead:
    """Events that are dated later than it was: their positions, and the instant of the last."""

    first: int
    last: int
    ahead: datetime
    by: str = ""
    """Who accepted it; empty = nobody has."""


@dataclass(frozen=True, slots=True)
class Acted:
    """Something that followed by itself, and how a person takes it back."""

    position: int
    case: str
    number: str
    event: str
    dated: datetime
    command: str
    says: str


async def spans(here: Parts) -> Sequence[DatedAhead]:
    """Return what a person has accepted, and last what nobody has."""
    facts = (await here.ledger.load(STREAM)).facts
    told = [f.event for f in facts if isinstance(f.event, ClockAccepted)]
    found = [DatedAhead(one.first, one.last, one.ahead, one.by) for one in told]
    last = await reads.head(here.ledger.pool)
    if last is None or last["recorded_at"] <= last["now"] + here.ledger.clock.bound:
        return found
    if any(one.ahead >= last["recorded_at"] for one in found):
        return found
    first = await reads.last_right(here.ledger.pool, here.ledger.clock.bound) + 1
    return [*found, DatedAhead(first, last["position"], last["recorded_at"])]


async def acted(here: Parts, ahead: DatedAhead) -> Sequence[Acted]:
    """List what followed by itself while the clock was wrong, and the way back of each."""
    rows = await reads.by_itself(here.ledger.pool, ahead.first, ahead.last)
    return [
        Acted(
            row["position"], row["stream"], row["number"], row["type"], row["recorded_at"],
            *way_back(TYPES.get(row["type"])),
        )
        for row in rows
    ]  # fmt: skip


async def accept(here: Parts, reason: ClockReason, by: str) -> DatedAhead:
    """Record that a person goes on by the clock as it is now. Raises Refused."""
    actor = await actor_of(here, by)
    require(actor.role in MAY_ACCEPT, Reason.NOT_ALLOWED, "a supervisor or an operator accepts this", "by")
    open_ones = [one for one in await spans(here) if not one.by]
    if not open_ones:
        raise Refused(Reason.ALREADY, "no event is dated ahead of the clock, or that was accepted")
    (one,) = open_ones
    event = ClockAccepted(one.first, one.last, one.ahead, reason, by)
    version = await here.ledger.last_version(STREAM)
    await here.ledger.append(Append(STREAM, version, [Draft(event, here.commands.ids())], Meta(by, "operation")))
    log.warning("clock accepted", first=one.first, last=one.last, by=by)
    return one

"""Takes requests, the same over HTTP and in a rehearsal: count, meet trouble, keep, plan the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from activities.gateways import Request
from rehearsal.hospitals.behaviour import behaviour
from rehearsal.hospitals.book import Book
from rehearsal.hospitals.habits import Trouble

Manner = Literal["created", "known", "refused", "error", "hang", "garbage", "conflict", "busy"]

LOST: Mapping[Trouble | None, Manner] = {"error": "error", "hang": "hang", "busy": "busy"}
KEPT: Mapping[Trouble | None, Manner] = {
    "error_kept": "error",
    "hang_kept": "hang",
    "garbage_kept": "garbage",
    "conflict_kept": "conflict",
}


@dataclass(frozen=True, slots=True)
class Reaction:
    """Says how a request is answered; `number` is the hospital's own number of what it has kept, 0 = nothing."""

    manner: Manner
    number: int = 0
    code: str = ""


@dataclass(frozen=True, slots=True)
class HospitalDesk:
    """Every simulated hospital of one installation. `speed`: how many seconds of the journey pass in one second."""

    book: Book
    seed: int
    speed: float = 1.0

    def receive(self, request: Request, now: datetime) -> Reaction:
        """React to one request; keeping it and planning its answers commit together before anybody is told."""
        plan = behaviour(self.seed, request.effect, request.kind)
        attempt = self.book.attempted(request.effect)
        trouble = plan.troubles[attempt - 1] if attempt <= len(plan.troubles) else None
        if trouble in LOST:
            return Reaction(LOST[trouble])
        if plan.refusal:
            return Reaction("refused", code=plan.refusal)
        number, new = self.book.keep(request, plan, now, self.speed)
        return Reaction(KEPT.get(trouble, "created" if new else "known"), number)

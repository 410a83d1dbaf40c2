"""Moves of an arrival as random histories make them: another day, with some of what its plan names."""

from __future__ import annotations

from domain.core.errors import Refused
from domain.stages.treatment.arrival import MoveArrival
from domain.stages.treatment.slip import slip
from tests.domain.journey import DAY, Journey, policy


def any_move(j: Journey, n: int) -> MoveArrival:
    arrives = (j.now + (n * 17 % 180) * DAY).date()
    try:
        steps = [line.step.name for line in slip(j.case, arrives, j.now, policy()) if not line.asked]
    except Refused:
        steps = []
    return MoveArrival(arrives, tuple(steps[n % 3 :]))

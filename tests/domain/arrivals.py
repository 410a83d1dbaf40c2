"""Moves of an arrival or an infusion as random histories make them: another day, with some of what its plan names."""

from __future__ import annotations

from domain.core.errors import Refused
from domain.stages.schedule.infusion_slip import infusion_slip
from domain.stages.schedule.moving_infusion import MoveInfusion
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


def any_infusion_move(j: Journey, n: int) -> MoveInfusion:
    """Another day of infusion, with some of what its plan names."""
    day = (j.now + (n * 7 % 60) * DAY).date()
    try:
        steps = [line.step.name for line in infusion_slip(j.case, day, j.now, policy()) if not line.asked]
    except Refused:
        steps = []
    return MoveInfusion(day, tuple(steps[n % 3 :]))

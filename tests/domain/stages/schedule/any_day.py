"""Any command about a planned day, before or after an infusion, for random histories."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.stages.schedule.depletion_days import OmitDepletionDay, PlanDepletion
from domain.stages.schedule.monitoring_days import RecordMonitoring, SkipMonitoring
from domain.stages.treatment.lymphodepletion import OmitDepletion, StopDepletion
from tests.domain.journey import DAY, Journey


def _record(_: Journey, n: int) -> RecordMonitoring:
    """Mostly day 0, which has come; now and then one of the first week."""
    return RecordMonitoring(n % 9 if n % 4 == 2 else 0, ("clinical_check",) if n % 2 else ())


def _skip(_: Journey, n: int) -> SkipMonitoring:
    return SkipMonitoring(n % 9, "sent to imaging")


def _plan(j: Journey, n: int) -> PlanDepletion:
    return PlanDepletion((j.now + (n % 9) * DAY).date(), ("", "A", "B")[n % 3])


def _omit(_: Journey, n: int) -> OmitDepletionDay:
    return OmitDepletionDay(-5 + n % 4, "fever")


OF_DAYS: dict[type[Any], Callable[[Journey, int], Any]] = {
    PlanDepletion: _plan,
    OmitDepletionDay: _omit,
    OmitDepletion: lambda _, __: OmitDepletion("protocol"),
    StopDepletion: lambda _, __: StopDepletion("fever"),
    RecordMonitoring: _record,
    SkipMonitoring: _skip,
}
"""Command → how one is made."""

"""Says how a unit is looked for: since when the case waits, and why those there were are not the one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.doses.allocation import PassedOver


@dataclass(frozen=True)
class DoseSearch:
    """Holds the units that were passed over when one was last asked for, by lot and reason.

    `dose_waits_since`: since none could be held; None = it has one, or never asked in vain. `dose_out_of_turn`: a
    supervisor lets it go before others that wait.
    """

    passed_over: tuple[PassedOver, ...] = ()
    dose_waits_since: datetime | None = None
    dose_out_of_turn: bool = False

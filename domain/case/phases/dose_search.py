"""Says how a unit was looked for: which others there were when one was last asked for, and why each was not it."""

from __future__ import annotations

from dataclasses import dataclass

from domain.doses.allocation import PassedOver


@dataclass(frozen=True)
class DoseSearch:
    """Holds the units that were passed over when one was last asked for, by lot and reason."""

    passed_over: tuple[PassedOver, ...] = ()

"""Far sides that have everything at once and never say anything: in a published course the source alone speaks."""

from __future__ import annotations

from datetime import datetime

from activities.perform import Delivered, EffectHandler
from domain.case.effect import Effect
from domain.case.state import Case
from workflows.journey import EFFECTS


class Quiet:
    """Delivered, with nothing following from it."""

    async def deliver(self, case: Case, effect: Effect, now: datetime, *, repeat: int) -> Delivered:
        """Deliver always, and do nothing."""
        del case, now, repeat
        return Delivered(f"rehearsed/{effect.kind}")


def quiet_handlers() -> dict[str, EffectHandler]:
    """Make one handler for every kind of effect, which delivers and does nothing."""
    return dict.fromkeys(EFFECTS, Quiet())

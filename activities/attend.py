"""The engine's look at a case: what time brings is recorded, and the answer says what to do and when to look again."""

from __future__ import annotations

from datetime import datetime

from temporalio import activity

from activities.orders import ATTEND, Attend, Due, Turn, nameless
from activities.ports import Meta
from activities.record import ENGINE, Ask, Door, Look
from domain.agenda import Agenda, agenda
from domain.errors import Reason, Refused

GONE = Turn("", 0, [], None, ended=True, superseded=True)


class Attending:
    """The activity behind every look; one per worker."""

    def __init__(self, door: Door) -> None:
        self._door = door

    @activity.defn(name=ATTEND)
    async def attend(self, step: Attend) -> Turn:
        """Look at a case. `superseded` tells a loop of an older engine, or of another installation, to end."""
        ask = Ask(step.case, Meta(ENGINE, purpose="operation"), look=Look(step.epoch, step.seen))
        try:
            recorded = await self._door.record(ask)
        except Refused as refused:
            if refused.reason in (Reason.SUPERSEDED, Reason.READ_ONLY):
                return GONE
            raise nameless(refused) from None
        except Exception as error:  # noqa: BLE001 - its text may describe a person, and Temporal would keep it
            raise nameless(error) from None
        return turn_of(agenda(recorded.case, recorded.now), recorded.now)


def turn_of(today: Agenda, now: datetime) -> Turn:
    """An agenda as the loop needs it: codes and a duration by the ledger's clock, nothing personal."""
    wake_in = max(0.0, (today.wake_at - now).total_seconds()) if today.wake_at else None
    waiting = ", ".join(f"{o.kind} ({o.debtor}) until {o.due:%Y-%m-%d %H:%M}Z" for o in today.obligations[:5])
    due = [Due(e.id, e.kind) for e in today.effects]
    return Turn(today.stage.value, today.version, due, wake_in, today.ended, waiting=waiting)

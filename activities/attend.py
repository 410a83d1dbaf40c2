"""The engine's look at a case: what time brings is recorded, and the answer says what to do and when to look again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from temporalio import activity

from activities.command_handler import AttendedBy, CommandHandler, CommandRequest
from activities.messages import ATTEND, Attend, Due, Entered, Turn, nameless
from activities.ports import Meta
from domain.case.effect import Effect
from domain.core.errors import Reason, Refused
from domain.core.fact import ENGINE, Event, Fact
from domain.engine.agenda import Agenda, agenda
from domain.recalls import following
from domain.recalls.recall import Recall
from domain.stages.anytime.moving import StageEntered

GONE = Turn("", 0, [], None, ended=True, superseded=True)


class Attending:
    """The activity behind every look; one per worker."""

    def __init__(self, commands: CommandHandler) -> None:
        self._commands = commands

    @activity.defn(name=ATTEND)
    async def attend(self, step: Attend) -> Turn:
        """Look at a case. `superseded` tells a loop of an older engine, or of another installation, to end."""
        ask = CommandRequest(
            step.case, Meta(ENGINE, purpose="operation"), attended_by=AttendedBy(step.epoch, step.seen)
        )
        try:
            recorded = await self._commands.record(ask)
        except Refused as refused:
            if refused.reason in (Reason.SUPERSEDED, Reason.READ_ONLY):
                return GONE
            raise nameless(refused) from None
        except Exception as error:  # noqa: BLE001 - its text may describe a person, and Temporal would keep it
            raise nameless(error) from None
        if isinstance(recorded.state, Recall):
            return turn_of_recall(recorded.state, recorded.now)
        unseen = (*recorded.earlier[step.seen :], *recorded.facts) if step.seen else ()
        return turn_of(agenda(recorded.case, recorded.now), recorded.now, unseen)


def turn_of(today: Agenda, now: datetime, unseen: Sequence[Fact[Event]] = ()) -> Turn:
    """Return an agenda as the loop needs it: codes and a duration by the ledger's clock, nothing personal."""
    wake_in = max(0.0, (today.wake_at - now).total_seconds()) if today.wake_at else None
    waiting = "\n".join(f"- {o.kind}: {o.debtor}, until {o.due:%Y-%m-%d %H:%M} UTC" for o in today.obligations[:5])
    due = [Due(e.id, e.kind, _says(today, e)) for e in today.effects]
    entered = [Entered(f.event.stage.value, f.version) for f in unseen if isinstance(f.event, StageEntered)]
    return Turn(today.stage.value, today.version, due, wake_in, today.ended, waiting=waiting, entered=entered)


def turn_of_recall(recall: Recall, now: datetime) -> Turn:
    """Return what is due of a recall as its loop needs it: codes only."""
    wakes = following.wake_at(recall, now)
    wake_in = max(0.0, (wakes - now).total_seconds()) if wakes else None
    due = [Due(e.id, e.kind, e.about) for e in recall.effects.values() if e.due(now)]
    waiting = "\n".join(f"- {centre}" for centre in recall.waiting[:5])
    return Turn("", recall.version, due, wake_in, following.ended(recall), waiting=waiting)


def _says(today: Agenda, effect: Effect) -> str:
    chased = next((o.kind for o in today.obligations if effect.about.startswith(f"{o.id}/")), "")
    return f"{chased}, to {effect.to}" if chased else f"to {effect.to}"

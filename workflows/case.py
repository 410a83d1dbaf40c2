"""CaseWorkflow drives one open case: it attends, starts what is due, sleeps, and begins a new run at each stage.

To attend (activities/attend.py) is to record what time brings; the answer says which effects are due and when to wake.
Each due effect runs beside the loop, as the activity workflows/journey.py names. Then the loop sleeps until that
instant, a nudge, or the end of an effect. When the stage changes it continues as a new run, so that Temporal's chain of
runs is the journey. It holds no facts and no rules: a lost run is started again, and nothing is lost with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import ClassVar

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from opentelemetry.context import Context, get_current

    from activities.messages import ATTEND, RECORD_UNKNOWN, Attend, Due, Entered, Order, Turn
    from workflows.drive import AwaitNudge, Perform, Step, drive
    from workflows.journey import EFFECTS, EffectActivity
    from workflows.names import (
        ASLEEP,
        CASE_ATTRIBUTE,
        CASE_WORKFLOW,
        NUDGE,
        STAGE_ATTRIBUTE,
    )
    from workflows.tracing import begun, ended, within

STAGE = SearchAttributeKey.for_keyword(STAGE_ATTRIBUTE)
CASE = SearchAttributeKey.for_keyword(CASE_ATTRIBUTE)
LONGEST_SLEEP = timedelta(days=1)
"""No sleep is longer, so that any lost timer heals within a day."""
SHORTEST_SLEEP = 0.05
LONGEST_PAUSE = 300.0
"""Seconds between looks at a case whose hour has come and to which nothing happens: a rule in error must not spin."""
MOST_EVENTS = 1_000
LOOK = timedelta(seconds=5)
PATIENT = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10))
ATTEMPT = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=60))


@dataclass(frozen=True, slots=True)
class CaseStart:
    """Holds what a run begins with; `stage` is where the run before left off. It carries opaque ids and codes only."""

    case: str
    epoch: int
    seen: int = 0
    stage: str = ""


@dataclass(frozen=True, slots=True)
class Asleep:
    """Tells what a loop knows when asked: the version it has seen, and when it wakes by itself; None while it works."""

    seen: int
    until: datetime | None


@workflow.defn(name=CASE_WORKFLOW)
class CaseWorkflow:
    """Look, do what is due, sleep until something falls due or a nudge comes; a new run at every change of stage."""

    effects: ClassVar[Mapping[str, EffectActivity]] = EFFECTS

    @workflow.init
    def __init__(self, start: CaseStart) -> None:
        self._start = start
        self._stage = start.stage
        self._seen = start.seen
        self._calls = 0  # nudges and finished effects so far
        self._answered = 0  # how many of them the newest look has taken in
        self._idle = 0  # looks in a row that found something due and changed nothing
        self._ahead: list[Entered] = []  # stages entered that have had no run yet
        self._until: datetime | None = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self._cause = Context()  # what called for the next look
        self._look = Context()  # the newest look, to which its effects belong

    @workflow.signal(name=NUDGE)
    def nudge(self) -> None:
        """Something may have changed; lost, doubled and late nudges are harmless."""
        self._calls += 1
        self._cause = get_current()

    @workflow.query(name=ASLEEP)
    def asleep(self) -> Asleep:
        """Answer whoever compares the loops with the ledger."""
        return Asleep(self._seen, self._until)

    @workflow.run
    async def run(self, start: CaseStart) -> str:
        """Drive the case until nothing of it is open, or another engine has taken over."""
        self._cause = self._cause or get_current()
        steps = drive(start.case, start.epoch, start.seen)
        step = next(steps)
        while True:
            answer = await self._answer(step)
            try:
                step = steps.send(answer)
            except StopIteration as stop:
                return str(stop.value)

    async def _answer(self, step: Step) -> Turn | bool | None:
        match step:
            case Attend():
                return await self._attend(step)
            case Perform():
                self._perform(step.due)
                return None
            case AwaitNudge():
                return await self._wait(step.turn)

    async def _attend(self, step: Attend) -> Turn:
        self._answered = self._calls
        cause, self._cause = self._cause, Context()
        self._look = begun("look", step.case, cause)
        with within(self._look):
            looking = workflow.start_activity(
                ATTEND, step, result_type=Turn, start_to_close_timeout=LOOK, retry_policy=PATIENT
            )
        turn: Turn = await looking
        ended(self._look)
        idle = turn.wake_in == 0 and turn.version == self._seen
        self._idle = self._idle + 1 if idle else 0
        self._seen = turn.version
        self._ahead += turn.entered
        self._show(turn)
        return turn

    def _show(self, turn: Turn) -> None:
        passed = [self._stage, *(entered.stage for entered in self._ahead), turn.stage]
        path = " → ".join(stage for stage, _ in groupby(passed) if stage)
        workflow.set_current_details(f"**{path}**\n\n{turn.waiting or 'nothing is awaited'}")
        if turn.stage and not self._stage:
            self._stage = turn.stage
            workflow.upsert_memo({"stage": turn.stage})
            workflow.upsert_search_attributes([STAGE.value_set(turn.stage), CASE.value_set(self._start.case)])

    def _perform(self, due: Due) -> None:
        """Run one task per effect beside the loop, which never waits for it. What a new stage asks for is its run's."""
        moving_on = self._ahead and not self._running
        if due.effect not in self._running and not moving_on:
            self._running[due.effect] = asyncio.create_task(self._attempt(due, self.effects[due.kind], self._look))

    async def _attempt(self, due: Due, row: EffectActivity, look: Context) -> None:
        order = Order(self._start.case, due.effect, self._start.epoch)
        try:
            with within(look):
                trying = workflow.start_activity(
                    row.activity,
                    order,
                    task_queue=row.queue,
                    start_to_close_timeout=row.call + timedelta(seconds=5),
                    schedule_to_close_timeout=row.attempt,
                    retry_policy=ATTEMPT,
                    summary=due.says,
                )
            await trying
        except ActivityError:
            with within(look):
                noting = workflow.start_activity(
                    RECORD_UNKNOWN, order, start_to_close_timeout=LOOK, retry_policy=PATIENT, summary=due.kind
                )
            await noting
        finally:
            del self._running[due.effect]
            self._calls += 1
            self._cause = self._cause or look

    async def _wait(self, turn: Turn) -> bool:
        """Wait; return whether to go on. A new stage or long history begins a new run once no effect is under way."""
        old = self._ahead or turn.stage != self._stage or workflow.info().get_current_history_length() > MOST_EVENTS
        if old and not self._running:
            self._next_run(turn)
        if turn.ended and not self._running and not self._called():
            return False
        await self._sleep(turn.wake_in)
        return True

    def _next_run(self, turn: Turn) -> None:
        """Begin one run for each stage, also where several were entered since: it finds the others itself."""
        following = self._ahead[0] if self._ahead else Entered(turn.stage, self._seen)
        attributes = [SearchAttributePair(STAGE, following.stage), SearchAttributePair(CASE, self._start.case)]
        with within(self._look):
            workflow.continue_as_new(
                CaseStart(self._start.case, self._start.epoch, following.version, following.stage),
                memo={"stage": following.stage},
                search_attributes=TypedSearchAttributes(attributes),
            )

    async def _sleep(self, wake_in: float | None) -> None:
        """Sleep until then, a nudge, or the end of an effect."""
        longest = LONGEST_SLEEP if wake_in is None else min(LONGEST_SLEEP, timedelta(seconds=self._pause(wake_in)))
        self._until = workflow.now() + longest
        try:
            await workflow.wait_condition(self._called, timeout=longest, timeout_summary="until something falls due")
        except TimeoutError:
            return
        finally:
            self._until = None

    def _pause(self, wake_in: float) -> float:
        """Return the seconds to pause: what is due already waits longer each time that a look at it changes nothing."""
        return max(wake_in, SHORTEST_SLEEP) if not self._idle else min(float(1 << min(self._idle, 10)), LONGEST_PAUSE)

    def _called(self) -> bool:
        return self._calls != self._answered

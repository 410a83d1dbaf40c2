"""Years in seconds: the real loop on the real server with a virtual clock, and the ledger's clock follows it.

Every workflow has a clock of its own there (TEMPORAL 4.1), so one case fills one rehearsal ledger. A look and an effect
are recorded at the instant their activity was scheduled by that clock; coordinators' commands at the newest such one.

The server's clock is not sound where a run continues as new: the next one starts with the skipped time counted twice
(seen: started 2042, closed 2041). The loop asks for durations only, so the facts are exact; nothing here may look at
the clock of a run itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.testing import TimeSkipper
from temporalio.worker import UnsandboxedWorkflowRunner

from activities.command_handler import CommandHandler
from activities.perform import Delivered
from api.run.engine.courier import Courier
from domain.case.stage import Stage
from domain.core.when import When
from domain.stages.follow_up.questions import QUESTIONS, AnswerYearlyQuestions
from infra.embedded.temporal_server import TemporalServer
from infra.ids import fresh_id, fresh_stream
from tests.workflows.rig import (
    Call,
    Engine,
    Hands,
    command,
    connected,
    deliver,
    eventually,
    ledger_at,
    opening,
    shipped,
)

pytestmark = pytest.mark.slow
DAY = timedelta(days=1)


class Clock:
    """The virtual instant of the activity that asks, else the newest there was."""

    def __init__(self) -> None:
        self.start = datetime.now(UTC)
        self._newest = self.start

    def __call__(self) -> datetime:
        if activity.in_activity():
            self._newest = max(self._newest, activity.info().scheduled_time)
        return self._newest


@pytest.fixture
async def travelling(postgres: str, own_temporal: TemporalServer, tmp_path: Path) -> AsyncIterator[Engine]:
    """An engine whose loops skip time; not started yet."""
    clock, hands = Clock(), Hands()
    client = TimeSkipper(await connected(own_temporal.address)).client
    ledger = await ledger_at(postgres, tmp_path, kind="rehearsal", start=clock.start - DAY)
    commands = CommandHandler(ledger, shipped(), fresh_id, lambda _stream, state: state, clock)
    here = Engine(ledger, commands, client, postgres, hands, Courier(ledger, client, postgres))
    await here.restore()
    yield here
    await here.stop()
    await ledger.close()


async def test_a_family_that_never_answers_is_reminded_once_a_step_until_the_case_closes(travelling: Engine) -> None:
    """Thirty days of ladders: the consent's (2 and 5 days) and a document's (3, 7, 14, then 21 to the supervisor)."""
    here = travelling
    case = fresh_stream("case")
    await here.send(case, replace(opening(), owner="person-1", team="team-1"))
    await here.send(case, command("ReplyToFamily", "call"))
    await here.send(case, command("RequestRecord", "labs"))
    opened = (await here.facts(case))[0].at
    await here.start()
    await eventually(lambda: _ended(here, case), within=60)
    state = await here.case(case)
    assert (state.exit, state.open) == ("no_response", False)
    taken = [(f.event, f.at - opened) for f in await here.facts(case, "ObligationStepTaken")]
    kinds = [(state.obligations[e.obligation].kind, e.step, e.late, round(after / DAY, 1)) for e, after in taken]
    assert kinds == [
        ("family_reply", 0, False, 2.0),
        ("record", 0, False, 3.0),
        ("family_reply", 1, False, 5.0),
        ("record", 1, False, 7.0),
        ("record", 2, False, 14.0),
        ("record", 3, False, 21.0),
    ]
    for kind, times in (("remind", 5), ("escalate", 1), ("request_record", 1)):
        calls = here.hands.of(case, kind)
        assert len(calls) == times, kind
        assert len({call.effect for call in calls}) == times


async def _ended(here: Engine, case: str) -> bool:
    return await here.status(case) == "COMPLETED"


async def test_fifteen_years_of_follow_up_in_real_runs_of_the_real_loop(
    travelling: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every visit is reminded of before it is due, reported after that, and the last one ends the case.

    A loop looks once a day; sixty days at a time make half a minute of what would be ten.
    """
    monkeypatch.setattr("workflows.case.LONGEST_SLEEP", 60 * DAY)
    monkeypatch.setattr("api.run.engine.worker.RUNNER", UnsandboxedWorkflowRunner())  # which would not see that
    here = travelling
    assert here.commands._clock
    start = here.commands._clock()

    async def reported(call: Call) -> Delivered:
        """The doctor at home answers the first reminder of each visit."""
        owed = (await here.case(call.case)).obligations[call.about.split("/")[0]]
        if owed.kind == "visit" and owed.state == "open":
            visit = command("RecordVisit", owed.about.split("/")[0], True, occurred=When.on(call.at.date()))
            await here.send(call.case, visit, key=call.effect)
        return await deliver(call)

    async def answered(call: Call) -> Delivered:
        """The family answers the questions of each year, on the page behind the mail."""
        if not (await here.case(call.case)).yearly[call.about]:
            told: Any = dict.fromkeys(QUESTIONS, "no")
            await here.send(call.case, AnswerYearlyQuestions(year=call.about, **told), key=call.effect)
        return await deliver(call)

    here.hands.answers |= {"remind": reported, "ask_yearly_questions": answered}
    case = fresh_stream("case")
    await here.send(case, replace(opening(), owner="person-1", team="team-1", imported=True))
    facts = ("person-1", "team-1", "centre-a", "protocol-a", None, ("data_processing", "trial", "risks"))
    given = (When.on((start - 20 * DAY).date()),)
    await here.send(case, command("ImportFacts", Stage.FOLLOW_UP, *facts, infusions=given, home=start))
    await here.start()
    await eventually(lambda: _ended(here, case), within=100, every=0.5)
    state = await here.case(case)
    assert (state.stage, state.follow_up, state.open) == ("closed", "completed", False)
    assert {"M2", "M12", "Y2", "Y14", "Y15"} <= {name.split("/")[0] for name in state.visits}
    (closed,) = await here.facts(case, "StageEntered")
    assert 14.9 < (closed.at - start) / (365.25 * DAY) < 15.0  # day 0 was twenty days before
    asked = [call.about for call in here.hands.of(case, "ask_yearly_questions")]
    assert asked == [f"Y{year}/1" for year in range(1, 16)]
    reminded = [call.about for call in here.hands.of(case, "remind")]
    assert len(reminded) == len(set(reminded)) == len(state.visits)
    assert not any(f.event.late for f in await here.facts(case, "ObligationStepTaken"))
    assert {o.state for o in state.obligations.values()} <= {"met", "withdrawn"}
    assert [run.status.name for run in await here.runs(case) if run.status][-1] == "COMPLETED"

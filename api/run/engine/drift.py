"""Compares ledger and Temporal: which open cases nobody looks after, which loops have no case, who oversleeps."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from activities.ports import ChoreFinding
from infra.ledger.ledger import PgLedger
from infra.reads.attention import AttentionQueries
from workflows.case import Asleep
from workflows.names import ASLEEP, CASE_WORKFLOW, RECALL_WORKFLOW

log = structlog.get_logger()

KINDS: Mapping[str, str] = {
    "no_loop": "open cases without a running loop",
    "no_case": "running loops without an open case",
    "oversleeps": "loops that sleep past the instant something of their case falls due",
    "ahead": "loops that have seen more of their case than the ledger holds",
    "silent": "loops that do not answer",
}
RUNNING = f"WorkflowType IN ('{CASE_WORKFLOW}', '{RECALL_WORKFLOW}') AND ExecutionStatus = 'Running'"
LATE = timedelta(minutes=10)
"""The courier makes up for less."""
PAUSE = 5.0
"""Seconds between two looks: only what is seen twice is no case that was just beginning or ending."""
AT_ONCE = 20
PATIENCE = timedelta(seconds=10)
SHOWN = 100


@dataclass(frozen=True, slots=True, order=True)
class Drift:
    """One difference, of KINDS."""

    kind: str
    case: str


@dataclass(frozen=True, slots=True)
class LoopsCompared:
    """Counts how many there are on each side, and lists where they differ."""

    cases: int
    loops: int
    drifts: Sequence[Drift]

    def finding(self) -> ChoreFinding:
        """Write it as it is kept and shown."""
        counts = Counter(drift.kind for drift in self.drifts)
        some = [[drift.kind, drift.case] for drift in self.drifts[:SHOWN]]
        drift = {kind: counts[kind] for kind in KINDS}
        return ChoreFinding(not self.drifts, {"cases": self.cases, "loops": self.loops, "drift": drift, "first": some})


async def compare(ledger: PgLedger, client: Client, pause: float = PAUSE) -> LoopsCompared:
    """Compare ledger and Temporal for what differs and goes on differing; change nothing."""
    first = await _once(ledger, client)
    if not first.drifts:
        return first
    await asyncio.sleep(pause)
    again = await _once(ledger, client)
    both = sorted(set(first.drifts) & set(again.drifts))
    for drift in both[:SHOWN]:
        log.warning("drift", kind=drift.kind, case=drift.case)
    return LoopsCompared(again.cases, again.loops, both)


async def _once(ledger: PgLedger, client: Client) -> LoopsCompared:
    loops = {run.id: run.execution_time async for run in client.list_workflows(RUNNING)}
    cases = await AttentionQueries(ledger.pool).open_cases()
    drifts = [Drift("no_loop", case) for case in cases if case not in loops]
    drifts += [Drift("no_case", loop) for loop in loops if loop not in cases]
    both = [case for case in cases if case in loops]
    for start in range(0, len(both), AT_ONCE):
        group = both[start : start + AT_ONCE]
        answers = await asyncio.gather(*(_asleep(client, case, loops[case]) for case in group))
        drifts += _apart(cases, zip(group, answers, strict=True))
        if not any(answers):  # nobody works: the others would not answer either
            drifts += [Drift("silent", case) for case in both[start + AT_ONCE :]]
            break
    return LoopsCompared(len(cases), len(loops), drifts)


async def _asleep(client: Client, case: str, begins: datetime | None) -> Asleep | None:
    """What the loop says; None when it does not answer. One that has not begun sleeps until it does."""
    try:
        answer: Asleep = await client.get_workflow_handle(case).query(ASLEEP, result_type=Asleep, rpc_timeout=PATIENCE)
    except RPCError:
        described = await client.get_workflow_handle(case).describe()
        return Asleep(0, begins) if begins and begins > described.start_time else None
    return answer


def _apart(cases: Mapping[str, Any], answers: Iterable[tuple[str, Asleep | None]]) -> Iterable[Drift]:
    for case, asleep in answers:
        row = cases[case]
        if asleep is None:
            yield Drift("silent", case)
        elif asleep.seen > row["version"]:
            yield Drift("ahead", case)
        elif asleep.until and row["wake_at"] and not row["unattended"] and asleep.until > row["wake_at"] + LATE:
            yield Drift("oversleeps", case)

"""Lets happen to the demonstration's cases what a cohort seldom shows: a recall, a clinical hold, a new cancer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from activities.command_handler import CommandHandler, CommandRequest
from domain.case.state import Case
from domain.core.errors import Refused
from domain.core.when import When
from domain.law.clinical_holds import PlaceClinicalHold
from domain.recalls.recall import OpenRecall
from domain.stages.treatment.safety import ReportMalignancy
from infra.ledger.ledger import PgLedger
from rehearsal.demo import META, open_cases, tell

RECALL = "recall-demo"
REASON = "sterility of a retained sample came back positive"
CONDITIONS = ("amended protocol approved by the ethics committee", "every treated patient seen once more")


async def bring_about(commands: CommandHandler, ledger: PgLedger, now: datetime) -> None:
    """Let each happen once, to whichever cases it can happen to; a later start finds that it has."""
    cases = [(await commands.case(stream))[0] for stream in await open_cases(ledger)]
    cases.sort(key=lambda case: case.id)
    await _recalled(commands, cases)
    await _on_hold(commands, cases, now)
    await _new_cancer(commands, cases, now)


async def _recalled(commands: CommandHandler, cases: Sequence[Case]) -> None:
    """Recall the lot that the fewest patients got, where any did."""
    lots: defaultdict[str, int] = defaultdict(int)
    for case in cases:
        for lot in {str(one.lot) for one in case.infusions if one.lot}:
            lots[lot] += 1
    if lots:
        await tell(commands, RECALL, OpenRecall(min(lots, key=lambda one: (lots[one], one)), REASON), "first")


async def _on_hold(commands: CommandHandler, cases: Sequence[Case], now: datetime) -> None:
    """Put the protocol on hold under which the fewest cases wait for their first cells; nothing where one is."""
    under: defaultdict[str, int] = defaultdict(int)
    for case in cases:
        if case.protocol and not case.infusions and not case.exit:
            under[case.protocol] += 1
    states: dict[str, Any] = {one: (await commands.entry(one)).state for one in under}
    if not under or any(state.holds for state in states.values()):
        return
    held = min(under, key=lambda one: (under[one], one))
    day = (now - timedelta(days=2)).date()
    hold = PlaceClinicalHold("regulator", "National regulator", "an unexpected death is looked into", day, CONDITIONS)
    await tell(commands, held, hold, "first")


async def _new_cancer(commands: CommandHandler, cases: Sequence[Case], now: datetime) -> None:
    """Report one in the case whose cells are the longest in; nothing where one was reported."""
    if any(alert.kind == "malignancy" for case in cases for alert in case.alerts.values()):
        return
    followed = [case for case in cases if case.infusions and case.follow_up == "open" and not case.exit]
    told = ReportMalignancy("T-cell lymphoma of the skin, biopsy under way", When.on((now - timedelta(days=3)).date()))
    for case in sorted(followed, key=lambda one: (one.infusions[0].fact, one.id)):
        try:
            await commands.record(CommandRequest(case.id, META, told))
        except Refused:
            continue
        return

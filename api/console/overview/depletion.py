"""Lists lymphodepletion day by day as the page of a case does: what is planned, and what was told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from api.console.text.fact_text import FactWriter
from domain.case.state import Case
from domain.stages.schedule.depletion_days import DayLine, Outcome, day_lines


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day in words; `said` is what the hospital wrote of it, and why it was not as planned."""

    day: int
    on: str
    drugs: Sequence[str]
    outcome: Outcome
    words: str
    said: Sequence[str]


@dataclass(frozen=True, slots=True)
class DayTable:
    """The days of one treatment."""

    treatment: int
    rows: Sequence[DayRow]


def depletion_tables(case: Case, speaker: FactWriter) -> Sequence[DayTable]:
    """Return a table for each treatment of which days are planned or told."""
    by_treatment = groupby(day_lines(case), key=lambda line: line.treatment)
    return [DayTable(number, [_row(line, speaker) for line in lines]) for number, lines in by_treatment]


def _row(line: DayLine, speaker: FactWriter) -> DayRow:
    clock = speaker.clock
    drugs = [" ".join(part for part in (d.drug, d.dose, d.unit) if part) for d in line.drugs]
    said = [text for text in (line.told, line.reason) if text]
    on = clock.day(line.on) if line.on else ""
    return DayRow(line.day, on, drugs, line.outcome, clock.t.named("outcome", line.outcome), said)

"""Plays who governs a trial with dose levels: sponsor, safety committee, clinicians who judge a toxicity."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from domain.catalogue.protocol import Protocol, RegisterProtocol
from domain.catalogue.protocols.cohorts import OpenCohort, ReviewCohort, ReviewOutcome, TrialCohort
from domain.catalogue.protocols.escalation import DoseLevel, Escalation
from domain.core.fact import Command
from domain.criteria.dosing import CellDose
from domain.stages.eligibility.submissions import WithdrawSubmission
from domain.stages.governing.cohort_place import RecordLimitingToxicity, seat_at, unplaced
from rehearsal.cohort.situation import CLINICIAN, Situation

ESCALATING = "protocol-nct05667155"
"""The trial that shows it: its dose levels are published, the size of its cohorts and the days between are not."""
MADE_UP = "dose levels as published; size of a cohort and days between patients are made up for this rehearsal"
PER_KG = (2_000_000, 4_000_000, 8_000_000)
REVIEWS, BACKFILLS = timedelta(days=10), timedelta(days=45)
"""How long the committee takes; how long a full cohort may keep others waiting before its level takes more."""
STOPS, LIMITS, GIVES_UP = 0.15, 0.2, 0.2
"""How often the committee stops a cohort, a serious toxicity is called dose-limiting, a long wait is given up."""


def with_levels(known: RegisterProtocol) -> RegisterProtocol:
    """Return the trial with its dose levels; its source says what of them is made up."""
    levels = tuple(
        DoseLevel(name=f"DL{n}", doses=(CellDose(least=cells, most=cells, per_kg=True, tolerance=20),), cohort=3)
        for n, cells in enumerate(PER_KG, 1)
    )
    plan = Escalation(levels=levels, between_days=7, after_first_days=14, toxicity_days=28)
    return replace(known, escalation=plan, source=f"{known.source} | {MADE_UP}")


def next_word(trial: Protocol, today: date, chance: random.Random) -> OpenCohort | ReviewCohort | None:
    """Choose what sponsor or committee says next of the trial's cohorts; None = nothing today."""
    plan, book = trial.escalation, trial.cohorts
    if plan is None:
        return None
    held = next((one for one in book.cohorts if one.held), None)
    if held is not None and held.held is not None:
        outcome: ReviewOutcome = "stopped" if chance.random() < STOPS else "goes_on"
        word = ReviewCohort(held.number, outcome, "all data of the cohort seen", "minutes of the committee", today)
        return word if held.held + REVIEWS <= today else None
    last = book.current
    names = [level.name for level in plan.levels]
    if last is None:
        return _opens(names[0], today)
    rank = names.index(last.level)
    if last.stopped:
        return _opens(names[max(rank - 1, 0)], today) if rank else None
    days = [one.infused for one in book.of(last.number) if one.infused]
    borne = len(days) >= last.size and max(days) + timedelta(days=plan.toxicity_days) < today
    if borne:
        return _opens(names[min(rank + 1, len(names) - 1)], today)
    full, waits = len(book.of(last.number)) >= last.size, book.waiting()
    return _opens(last.level, today) if full and waits and _long(last, today) else None


def _opens(level: str, today: date) -> OpenCohort:
    return OpenCohort(level, "as the protocol plans it", "letter of the sponsor", today)


def _long(cohort: TrialCohort, today: date) -> bool:
    return cohort.decided + BACKFILLS <= today


def limiting(s: Situation) -> Command | None:
    """A clinician calls the newest serious toxicity of a patient in a cohort dose-limiting, now and then."""
    seat, named = seat_at(s.case, s.case.protocol), _names(s)
    if seat is None or seat.state != "infused" or s.case.limiting or not named or not s.often(LIMITS):
        return None
    return RecordLimitingToxicity(named[-1], CLINICIAN, "the clinician finds it related to the cells")


def _names(s: Situation) -> Sequence[str]:
    return [str(one.name or one.kind) for one in s.case.episodes.values() if one.alerted]


def wait(s: Situation) -> Command | None:
    """A place, a review or a turn comes from others; who has waited long for a place may go elsewhere."""
    accepted = s.case.accepted
    tired = accepted is not None and s.chased and unplaced(s.case) and s.often(GIVES_UP)
    return WithdrawSubmission(accepted.id) if accepted is not None and tired else None

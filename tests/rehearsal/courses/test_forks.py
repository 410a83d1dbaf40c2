"""Every rehearsed course, forked with nothing changed, is the recorded history; with other deadlines it is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from api.cli.commands.history.whatif import compared
from domain.core.policy import Span
from domain.journey import RULES
from infra.policy.reading import load_policy
from rehearsal.courses.courses_run import play_courses
from rehearsal.courses.known import catalogued
from rehearsal.world.opening import stage
from tests.conftest import fresh
from tests.rehearsal.courses.played import START, courses_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(560)]


async def test_the_rehearsed_courses_fork_identically(postgres: str, tmp_path: Path) -> None:
    policy = load_policy()
    one_hour = {kind: replace(row, due=row.due and Span(1, "hours"), rungs=()) for kind, row in policy.ladders.items()}
    hasty = replace(policy, hash="hasty", ladders=one_hour)
    dsn = await fresh(postgres, "forked_courses")
    async with stage(START, 1, database=dsn, folder=tmp_path) as scene:
        played = await play_courses(scene, courses_of("unseen"), catalogued())
        cases = [one.case for one in played]
        assert [rows async for _, rows in compared(scene.ledger, cases, policy, RULES)] == [[]] * len(cases)
        hurried = [rows async for _, rows in compared(scene.ledger, cases, hasty, RULES)]
        assert all(hurried), "control: no case stands as it did"

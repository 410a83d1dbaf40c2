"""A child that ends or hangs is started again; one that is slow for a moment is left alone."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from api.run.embedded import child_processes
from api.run.embedded.child_processes import Program, keep
from tests.workflows.rig import eventually

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_processes, "LOOK", 0.2)


@asynccontextmanager
async def kept(folder: Path) -> AsyncIterator[tuple[Program, int]]:
    """A program that answers HTTP, and its first process; it is looked after."""
    program = Program(folder / "program", "program")
    port = program.port("http")

    async def answers() -> bool:
        try:
            async with httpx2.AsyncClient(timeout=0.5) as http:
                return (await http.get(f"http://127.0.0.1:{port}/")).is_success
        except httpx2.HTTPError:
            return False

    program.runs(["-m", "http.server", "--bind", "127.0.0.1", str(port)], answers=answers)
    await program.start()
    assert program.pid
    keeping = asyncio.create_task(keep("program", program))
    try:
        yield program, program.pid
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await program.stop()


async def test_one_that_lives_and_does_not_answer_is_killed_and_started_again(tmp_path: Path) -> None:
    async with kept(tmp_path) as (program, first):
        os.kill(first, signal.SIGSTOP)

        async def again() -> bool:
            return program.pid not in (None, first) and await program.answers()

        await eventually(again, within=60)


async def test_one_that_is_killed_is_started_again(tmp_path: Path) -> None:
    async with kept(tmp_path) as (program, first):
        os.kill(first, signal.SIGKILL)

        async def again() -> bool:
            return program.pid not in (None, first) and await program.answers()

        await eventually(again, within=60)


async def test_control_one_that_answers_or_is_silent_for_a_moment_is_left_alone(tmp_path: Path) -> None:
    async with kept(tmp_path) as (program, first):
        await asyncio.sleep(2)
        os.kill(first, signal.SIGSTOP)
        await asyncio.sleep(0.5)
        os.kill(first, signal.SIGCONT)
        await asyncio.sleep(2)
        assert program.pid == first

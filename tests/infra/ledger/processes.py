"""Starts writers of tests/infra/ledger/writer.py and collects what they were told."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

TOP = Path(__file__).parents[3]


async def start(
    dsn: str, folder: Path, *, processes: int, writers: int, appends: int
) -> list[asyncio.subprocess.Process]:
    return [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.infra.ledger.writer",
            dsn, str(folder), str(writers), str(appends), str(1000 * i),
            stdout=subprocess.PIPE, cwd=TOP,
        )
        for i in range(processes)
    ]  # fmt: skip


async def acknowledged(runs: Sequence[asyncio.subprocess.Process]) -> dict[str, int]:
    """Stream → number of events whose recording was answered with success, when all have ended."""
    answers = [(await run.communicate())[0].decode().splitlines() for run in runs]
    return {name: int(size) for lines in answers for name, size in (line.split() for line in lines)}

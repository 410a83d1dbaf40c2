"""Processes that tests kill, forked from one that has imported already what they run.

A process of one's own costs more than a CPU second of imports, and there are some forty of them; a fork costs nothing
of that and is killed, waited for and told apart just the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.infra.audit.checkpoints.dying", "tests.faults.worker"])


class Forked:
    """One running process, with the handles of `asyncio.subprocess.Process`."""

    def __init__(self, main: Callable[..., None], *args: Any) -> None:
        self._process = CONTEXT.Process(target=main, args=args, daemon=True)
        self._process.start()
        self.kill = self._process.kill

    @property
    def returncode(self) -> int | None:
        """How it ended, negative for a signal; None while it runs."""
        return self._process.exitcode

    async def wait(self) -> int:
        """Wait until it has ended, however."""
        await asyncio.to_thread(self._process.join)
        assert self._process.exitcode is not None
        return self._process.exitcode

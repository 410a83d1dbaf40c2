"""What is done to an installation beside killing: another key home, keys that go away, a clock that jumps."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from infra.embedded.server_process import ServerError
from infra.keys import FolderKeys
from infra.ledger.encoding.errors import FAILURES
from tests.jump import move
from tests.soak.installation import Installation
from tests.soak.killing import Harm, Killing, started

LASTS = 30.0
"""Seconds; longer than a lease."""
WITH_KEYS = ("API", "worker-1", "worker-2")
FAR = (timedelta(hours=2), timedelta(days=400), timedelta(hours=-2), timedelta(days=-400))
BACK = timedelta(0)


@dataclass
class Harms:
    """Counts what was done; `wrong` is what should not have come of it."""

    here: Installation
    chance: random.Random
    lasts: float = LASTS
    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def planned(self, homes: int, jumps: int) -> Sequence[Harm]:
        """So many of each, in any order; homes are empty ones, those of others, and keys that go away, by turns."""
        kinds: list[Harm] = [self.empty_home, self.other_home, self.keys_away]
        harms = [kinds[number % len(kinds)] for number in range(homes)] + [self.clock_jumps] * jumps
        self.chance.shuffle(harms)
        return harms

    async def empty_home(self, killing: Killing) -> None:
        """One program starts where its volume is not mounted."""
        home = self.here.folder / f"empty-{self.done.total()}"
        home.mkdir(mode=0o700)
        await self._in(home, killing, "empty home")
        if left := [str(file) for file in home.rglob("*") if file.name.startswith(("ke", "destroyed", "signing"))]:
            self.wrong.append(f"in an empty home there are now {left}")

    async def other_home(self, killing: Killing) -> None:
        """One program starts with the keys of another installation."""
        home = self.here.folder / f"other-{self.done.total()}"
        home.mkdir(mode=0o700)
        keys = FolderKeys(home / "keys", kek=home / "kek", destroyed=home / "destroyed")
        await keys.for_sealing("case-1", ["identity"])
        keys.mark()
        before = _contents(home / "keys")
        await self._in(home, killing, "other home")
        if _contents(home / "keys") != before:
            self.wrong.append("keys were made among those of another installation")

    async def keys_away(self, killing: Killing) -> None:
        """The keys go away under everybody, and come back; who started meanwhile is started again."""
        keys = self.here.settings.keys
        aside = keys.with_name("aside")
        keys.rename(aside)
        keys.mkdir(mode=0o700)
        await asyncio.sleep(self.lasts)
        if made := _contents(keys):
            self.wrong.append(f"while the keys were away there was made {sorted(made)}")
        await asyncio.to_thread(_moved_back, aside, keys)
        self.done["keys away"] += 1
        for name in WITH_KEYS:
            async with killing.lent(name) as program:
                assert program.pid
                os.kill(program.pid, signal.SIGKILL)
                await program.wait()
                await started(program)

    async def clock_jumps(self, killing: Killing) -> None:
        """The database's clock is wrong for a while."""
        del killing
        await self._moved(self.chance.choice(FAR))
        await asyncio.sleep(self.lasts)
        await self._moved(BACK)
        self.done["clock jump"] += 1

    async def _in(self, home: Path, killing: Killing, kind: str) -> None:
        name = self.chance.choice(WITH_KEYS)
        async with killing.lent(name) as program:
            assert program.pid
            os.kill(program.pid, signal.SIGKILL)
            await program.wait()
            self.here.tell(name, home)
            with suppress(TimeoutError):
                async with asyncio.timeout(self.lasts):
                    await _kept(program)
            if program.pid:
                os.kill(program.pid, signal.SIGKILL)
                await program.wait()
            self.here.tell(name)
            await started(program)
        self.done[kind] += 1

    async def _moved(self, span: timedelta) -> None:
        """Also while the database is being killed."""
        while True:
            try:
                await move(self.here.postgres.dsn, span)
            except FAILURES:
                await asyncio.sleep(0.5)
            else:
                return


async def _kept(program: object) -> None:
    """Start it again for ever, as a supervisor does."""
    while True:
        with suppress(ServerError, OSError):
            await program.start()  # type: ignore[attr-defined]
        await program.wait()  # type: ignore[attr-defined]
        await asyncio.sleep(2)


def _contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def _moved_back(aside: Path, keys: Path) -> None:
    keys.rmdir()
    aside.rename(keys)

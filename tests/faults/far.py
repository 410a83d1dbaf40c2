"""A far side in one SQLite file that every process shares: it keeps what it is handed before anybody is told."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from activities.gateways import Channel, Receipt, Request

SCHEMA = "create table if not exists kept (effect text, kind text, about text, channel text)"


class World:
    """Every message that reached anybody."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=10)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute(SCHEMA)

    def keep(self, effect: str, kind: str, about: str, channel: str) -> None:
        self._db.execute("insert into kept values (?, ?, ?, ?)", (effect, kind, about, channel))

    def times(self, effect: str) -> int:
        return int(self._db.execute("select count(*) from kept where effect = ?", (effect,)).fetchone()[0])

    def all(self) -> list[tuple[Any, ...]]:
        return list(self._db.execute("select effect, kind, about, channel from kept"))


@dataclass
class Side:
    """One way into it. A side that dedupes recognises a repeat; one that asks and is not asked keeps it twice."""

    world: World
    channel: Channel

    async def send(self, request: Request) -> Receipt:
        if self.channel != "dedupes" or not self.world.times(request.effect):
            self.world.keep(request.effect, request.kind, request.about, self.channel)
        return Receipt(request.effect)

    async def ask(self, effect: str) -> Receipt | None:
        return Receipt(effect) if self.world.times(effect) else None

"""Knows who is connected: when there is no room left, whoever has waited longest without asking anything makes it."""

from __future__ import annotations

from typing import Protocol


class CountedConnection(Protocol):
    """Stands for one connection; connection.py, which implements it, imports this file."""

    address: str

    def let_go(self) -> None:
        """Close it; it is waiting for its next request, or in the middle of one that does not come."""


class Crowd:
    """Counts connections, in all and of each address, and knows which of them wait."""

    def __init__(self, most: int, of_address: int) -> None:
        self._most = most
        self._of_address = of_address
        self._here: dict[str, set[CountedConnection]] = {}
        self._waiting: dict[CountedConnection, None] = {}
        self._waiting_of: dict[str, dict[CountedConnection, None]] = {}
        self._number = 0

    def enters(self, line: CountedConnection, *, many: bool = False) -> bool:
        """Take a connection in, where there is room or can be made. `many`: its address stands for many callers."""
        of_it = len(self._here.get(line.address, ()))
        if not many and of_it >= self._of_address and not self._make_room(self._waiting_of.get(line.address, {})):
            return False
        if self._number >= self._most and not self._make_room(self._waiting):
            return False
        self._here.setdefault(line.address, set()).add(line)
        self._number += 1
        self.waits(line)
        return True

    def leaves(self, line: CountedConnection) -> None:
        """Forget a connection; one that never entered was never here."""
        here = self._here.get(line.address, set())
        if line not in here:
            return
        self.asks(line)
        here.discard(line)
        self._number -= 1
        if not here:
            del self._here[line.address]

    def waits(self, line: CountedConnection) -> None:
        """Note that nothing is being done for it."""
        self._waiting[line] = None
        self._waiting_of.setdefault(line.address, {})[line] = None

    def asks(self, line: CountedConnection) -> None:
        """Note that a whole request of it is being answered."""
        self._waiting.pop(line, None)
        of_it = self._waiting_of.get(line.address, {})
        of_it.pop(line, None)
        if not of_it:
            self._waiting_of.pop(line.address, None)

    def _make_room(self, waiting: dict[CountedConnection, None]) -> bool:
        longest = next(iter(waiting), None)
        if longest is None:
            return False
        self.leaves(longest)
        longest.let_go()
        return True

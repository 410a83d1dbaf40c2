"""Says what was written to those outside and by them: one thread for the family, the doctor at home and each centre."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.core.personal import Identity

FAMILY, DOCTOR = "family", "home_oncologist"
"""The threads that are no centre's; a centre's is named by its stream."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a thread; `received`: it came from outside. `document`: the file that came with it."""

    id: str
    thread: str
    text: Identity
    at: datetime
    received: bool = False
    document: str = ""


@dataclass(frozen=True)
class Messages:
    """Holds every message by id, in order, and for each thread the first that came since anybody saw to it."""

    messages: Mapping[str, Message] = field(default_factory=dict)
    unanswered: Mapping[str, str] = field(default_factory=dict)

    def thread(self, name: str) -> Sequence[Message]:
        """Return the messages of a thread, the first first."""
        return [one for one in self.messages.values() if one.thread == name]

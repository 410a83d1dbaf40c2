"""Records who saw which case: an event for each answer that showed something of one, in the reader's own stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from domain.core.personal import KeyClass

PREFIX = "looks-"
"""Streams of looks: the prefix and the reader's opaque id. Who and what for stand in the fact, as everywhere."""


@dataclass(frozen=True, slots=True)
class CasesSeen:
    """What was shown of which cases; `opened` are the key classes that were readable in it, the rest was masked."""

    what: str
    cases: tuple[str, ...]
    opened: tuple[KeyClass, ...]
    type: Literal["CasesSeen"] = "CasesSeen"


EVENTS: tuple[type, ...] = (CasesSeen,)

"""Ids that repeat themselves: the same seed gives the same ids in the same order."""

from __future__ import annotations

import random
import uuid

from domain.core.fact import Ids


def seeded_ids(seed: int | str) -> Ids:
    """Random version 4 UUIDs out of a seed."""
    chance = random.Random(seed)  # noqa: S311 - a rehearsal repeats itself, nothing is secret

    def fresh() -> str:
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))

    return fresh

"""Holds what a decision of the catalogue rests on beside its own stream: who asks, who else could be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from domain.catalogue.endpoint import NOTHING_MORE, Allowed


@dataclass(frozen=True, slots=True)
class Around:
    """Tells who asks for what stream, who keeps the catalogue, and what may be reached beside public addresses.

    `signed_in`: they signed in themselves; not so on the machine that holds database and keys, where anybody's name
    can be given. `keepers` hold the right now. `closed`: two people have held it at the
    same time, so nobody decides alone any more.
    `lapse`: how long a proposal waits, and a change can be undone. `beside`: the read models of streams that the
    command names, those of them that exist; of other lots with units in a store that one is put into, which and where.
    `seen`: the position of the ledger before those were read.
    """

    stream: str
    by: str
    signed_in: bool
    keepers: frozenset[str]
    closed: bool
    lapse: timedelta
    allowed: Allowed = NOTHING_MORE
    beside: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    seen: int = 0

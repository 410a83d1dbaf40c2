"""Checkpoints outside that this ledger does not have: the end of the history they cover is lost, accepted or not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.audit.checkpoints.checkpoint import opened
from infra.audit.checkpoints.note import BadNote, Key
from infra.audit.checkpoints.signing import chained
from infra.audit.checkpoints.sinks import FAILURES, KEY, Sink, checkpoint_name, sizes
from infra.audit.queries import LEDGER_HERE, LOSSES_ACCEPTED, LOSSES_SAID, SIZES_KNOWN
from infra.ledger.connections import Reads
from infra.ledger.encoding.errors import guarded

Roots = Mapping[int, bytes]
"""Size → root."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """Signed by this log, kept outside, and not in this ledger; `kept_at`: when the newest was written there."""

    points: Roots
    kept_at: datetime | None


async def accepted(reads: Reads) -> Roots:
    """Return every checkpoint whose loss a person has accepted; no other is excused."""
    found = [json.loads(row["data"]) for row in await guarded(reads.fetch(LOSSES_ACCEPTED))]
    named = [text.split(" ") for one in found for text in one["checkpoints"]]
    return {int(size): bytes.fromhex(root) for size, root in named}


async def losses(reads: Reads) -> tuple[str, ...]:
    """Return each loss a person has accepted, in words."""
    rows = await guarded(reads.fetch(LOSSES_SAID))
    return tuple(_said(json.loads(row["data"]), row["at"]) for row in rows)


def _said(one: Mapping[str, Any], at: str) -> str:
    lost = f"positions {one['kept'] + 1} to {one['covered']}" if one["covered"] else f"what came after {one['kept']}"
    evidence = f"{len(one['checkpoints'])} checkpoints of it stay outside as evidence"
    return f"{lost} of the former history are lost: accepted by {one['by']} on {at} ({one['reason']}); {evidence}"


def written(points: Roots) -> tuple[str, ...]:
    """Write the points as LossAccepted names them."""
    return tuple(f"{size} {root.hex()}" for size, root in sorted(points.items()))


async def beyond(reads: Reads, sinks: Sequence[Sink], origin: str, anchors: Sequence[Key]) -> Beyond:
    """Collect what every sink that answers holds beyond this ledger and beyond what was accepted.

    What no key of the log has signed is left to `caravel audit verify`.
    """
    points: dict[int, bytes] = {}
    kept_at: datetime | None = None
    known = await accepted(reads)
    for sink in sinks:
        try:
            found = await _beyond(reads, sink, origin, anchors, known)
            if found and max(found) >= max(points, default=0):
                kept_at = await sink.kept_at(checkpoint_name(max(found)))
        except FAILURES:
            continue
        points |= found
    return Beyond(points, kept_at)


async def told(reads: Reads, found: Beyond) -> dict[str, Any]:
    """Describe a loss: what is there, what is known to have been, and between which instants the rest lay."""
    (here,) = await guarded(reads.fetch(LEDGER_HERE))
    covered = max(found.points, default=0)
    diverged = bool(covered) and here["head"] >= covered
    kept = here["agreed"] if diverged else here["head"]
    return {
        "kept": kept,
        "last_at": here["last_at"].isoformat() if here["last_at"] else None,
        "covered": covered,
        "missing": max(0, covered - kept),
        "kept_at": found.kept_at.isoformat() if found.kept_at else None,
        "checkpoints": written(found.points),
        "cases": [],
    }


async def _beyond(reads: Reads, sink: Sink, origin: str, anchors: Sequence[Key], known: Roots) -> dict[int, bytes]:
    names = await sink.names()  # before our own are read: whatever is outside was in the ledger first
    there = [size for size in sizes(names) if size not in known]
    ours = {row["size"] for row in await guarded(reads.fetch(SIZES_KNOWN, there))}
    found: dict[int, bytes] = {}
    if unknown := [size for size in there if size not in ours]:
        keys = await _keys(sink, names, origin, anchors)
        for size in unknown:
            try:
                point = opened(await sink.get(checkpoint_name(size)), origin, keys)
            except BadNote:
                continue
            if point.size == size:
                found[size] = point.root
    return found


async def _keys(sink: Sink, names: set[str], origin: str, anchors: Sequence[Key]) -> Sequence[Key]:
    numbers = sorted(int(name.removeprefix(KEY)) for name in names if name.startswith(KEY))
    notes = [(number, (await sink.get(f"{KEY}{number:06d}")).decode(errors="replace")) for number in numbers]
    try:
        return chained(notes, origin, anchors)
    except BadNote:
        return anchors

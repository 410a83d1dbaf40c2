"""The checkpoints kept outside: read from every sink, believed only when signed by a key of this log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg

from infra.checkpoints.checkpoint import Checkpoint, opened
from infra.checkpoints.loss import Roots, accepted
from infra.checkpoints.note import BadNote, Key, UnknownKey
from infra.checkpoints.signing import chained
from infra.checkpoints.sinks import FAILURES, KEY, Sink, checkpoint_name, sizes
from infra.ledger.errors import guarded
from infra.proof.found import Break

OURS = "select size, note from checkpoint order by size"


@dataclass(slots=True)
class Evidence:
    """Size → checkpoint, where the largest stands, what could not be read, and the first that is not to be believed.

    `lost`: of the former history, accepted to be lost by a person, each by its very root.
    """

    points: dict[int, Checkpoint] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    away: dict[str, str] = field(default_factory=dict)
    broken: Break | None = None
    lost: dict[int, Checkpoint] = field(default_factory=dict)


async def evidence(
    connection: asyncpg.Connection[asyncpg.Record], sinks: Sequence[Sink], origin: str, anchors: Sequence[Key]
) -> Evidence:
    """Everything outside, held against the ledger's own list."""
    ours = {row["size"]: row["note"].encode() for row in await guarded(connection.fetch(OURS))}
    found, seen = Evidence(), dict[bytes, Checkpoint]()
    excused = await accepted(connection)
    for sink in sinks:
        try:
            await _read(sink, origin, anchors, (ours, excused), found, seen)
        except FAILURES as error:
            found.away[sink.name] = type(error).__name__
    for size, note in ours.items():
        _judge(size, note, origin, anchors, "the ledger's own list", found, seen)
    return found


async def _read(
    sink: Sink, origin: str, anchors: Sequence[Key], known: tuple[Mapping[int, bytes], Roots], found: Evidence,
    seen: dict[bytes, Checkpoint],
) -> None:  # fmt: skip
    ours, excused = known
    names = await sink.names()
    keys = await _keys(sink, names, origin, anchors, found)
    for size in sizes(names):
        note = await sink.get(checkpoint_name(size))
        point = _judge(size, note, origin, keys, sink.name, found, seen)
        if point and ours.get(size) is None and excused.get(size) == point.root:
            found.lost[size] = point
            continue
        if point and ours.get(size) != note:
            _blame(found, Break("checkpoint_forged", size, says=f"{sink.name} and the ledger's own list differ"))
        if point:
            found.points[size] = point
            found.held[sink.name] = size


async def _keys(sink: Sink, names: set[str], origin: str, anchors: Sequence[Key], found: Evidence) -> Sequence[Key]:
    """The anchors, and what they vouched for there."""
    notes = [
        (int(name.removeprefix(KEY)), (await sink.get(name)).decode(errors="replace"))
        for name in sorted(names)
        if name.startswith(KEY) and name.removeprefix(KEY).isdecimal()
    ]
    try:
        return chained(notes, origin, anchors)
    except BadNote as bad:
        _blame(found, Break("key_unknown", 0, says=f"{sink.name}: {bad}"))
        return anchors


def _judge(
    size: int, note: bytes, origin: str, keys: Sequence[Key], where: str, found: Evidence, seen: dict[bytes, Checkpoint]
) -> Checkpoint | None:
    if note in seen:
        return seen[note]
    try:
        point = opened(note, origin, keys)
    except UnknownKey as unknown:
        _blame(found, Break("key_unknown", size, says=f"{where}: {unknown}"))
        return None
    except BadNote as bad:
        _blame(found, Break("checkpoint_forged", size, says=f"{where}: {bad}"))
        return None
    if point.size != size:
        _blame(found, Break("checkpoint_forged", size, says=f"{where}: it says {point.size}"))
        return None
    seen[note] = point
    return point


def _blame(found: Evidence, broken: Break) -> None:
    """Keep the earliest."""
    if found.broken is None or broken.position < found.broken.position:
        found.broken = broken

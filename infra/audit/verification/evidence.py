"""The checkpoints kept outside: read from every sink, believed only when signed by a key of this log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

import asyncpg

from infra.audit.checkpoints.checkpoint import Checkpoint, opened
from infra.audit.checkpoints.loss import Roots, accepted
from infra.audit.checkpoints.note import BadNote, Key, UnknownKey
from infra.audit.checkpoints.signing import chained
from infra.audit.checkpoints.sinks import FAILURES, KEY, Sink, checkpoint_name, sizes
from infra.audit.queries import NOTES_DIGEST, NOTES_FROM, SEALING_TOLD
from infra.audit.verification.found import Break
from infra.audit.verification.progress import CheckpointsCompared
from infra.ledger.encoding.errors import guarded

Connection = asyncpg.Connection


@dataclass(slots=True)
class Evidence:
    """Size → checkpoint, what could not be read, the first that is not to be believed, the first that was taken away.

    `rewritten`: the ledger's own list is another than when it was compared last. `places`: what was listed where.
    """

    points: dict[int, Checkpoint] = field(default_factory=dict)
    away: dict[str, str] = field(default_factory=dict)
    broken: Break | None = None
    gone: Break | None = None
    rewritten: bool = False
    places: Sequence[ListedSink] = ()

    def blame(self, broken: Break) -> None:
        """Keep the earliest break."""
        if self.broken is None or broken.position < self.broken.position:
            self.broken = broken


@dataclass(frozen=True)
class ListedSink:
    """Holds what one sink listed, before anything was read."""

    sink: Sink
    marks: Mapping[str, str]

    @cached_property
    def sizes(self) -> Sequence[int]:
        """Return the sizes of its checkpoints, ascending."""
        return sizes(self.marks)

    @cached_property
    def keys(self) -> Sequence[str]:
        """Return its announcements of keys, by name."""
        return sorted(name for name in self.marks if name.startswith(KEY) and name.removeprefix(KEY).isdecimal())

    def digest(self, upto: int) -> str:
        """Digest every name with its mark: it is another one when any was taken away, added or exchanged."""
        names = [*self.keys, *(checkpoint_name(size) for size in self.sizes if size <= upto)]
        return _digest(f"{name} {self.marks.get(name)}" for name in names)


def _digest(lines: Iterable[str]) -> str:
    return sha256("\n".join(lines).encode()).hexdigest()


def _of(anchors: Sequence[Key]) -> str:
    return _digest(sorted(map(str, anchors)))


async def evidence(
    connection: Connection[asyncpg.Record], sinks: Sequence[Sink], origin: str, anchors: Sequence[Key],
    compared: CheckpointsCompared | None = None, *, newest: bool = False,
) -> Evidence:  # fmt: skip
    """Everything outside held against the ledger's own list; a place that is as it was `compared`, from there on.

    `newest`: only the newest of each place.
    """
    found = Evidence()
    (told,) = await guarded(connection.fetch(SEALING_TOLD))  # before the places: what was kept then is there now
    found.places = [place for sink in sinks for place in await _listed(sink, found)]
    excused = await accepted(connection)  # after them: whatever is outside was in the ledger first
    known = await _still(connection, anchors, compared, found)
    since = {place.sink.name: _since(place, known, excused, newest=newest) for place in found.places}
    rows = await guarded(connection.fetch(NOTES_FROM, min(since.values(), default=known.size if known else 0)))
    reading = _Reading(origin, list(anchors), {row["size"]: row["note"].encode() for row in rows}, excused, found)
    shipped = {one["name"]: one["size"] for one in json.loads(told["sinks"])}
    for place in found.places:
        name = place.sink.name
        had = max(shipped.get(name, 0), compared.size if compared and name in compared.places else 0)
        try:
            await reading.read(place, since[name])
            await reading.missing(place, had)
        except FAILURES as error:
            found.away[name] = type(error).__name__
    reading.own()
    if told["outside"] and found.places and not (found.points or found.away or found.broken or found.gone):
        found.gone = Break("checkpoint_gone", told["outside"], says=_nowhere(told["outside"], found.places))
    return found


async def compared_now(
    connection: Connection[asyncpg.Record], anchors: Sequence[Key], found: Evidence, size: int
) -> CheckpointsCompared:
    """Note what was compared, so that the next run need not read it again."""
    places = {place.sink.name: place.digest(size) for place in found.places if place.sink.name not in found.away}
    return CheckpointsCompared(size, _of(anchors), await _ours(connection, size), places)


async def _ours(connection: Connection[asyncpg.Record], size: int) -> str:
    digest: str = await guarded(connection.fetchval(NOTES_DIGEST, size))
    return digest


async def _listed(sink: Sink, found: Evidence) -> Sequence[ListedSink]:
    try:
        return [ListedSink(sink, await sink.marks())]
    except FAILURES as error:
        found.away[sink.name] = type(error).__name__
        return []


async def _still(
    connection: Connection[asyncpg.Record],
    anchors: Sequence[Key],
    compared: CheckpointsCompared | None,
    found: Evidence,
) -> CheckpointsCompared | None:
    """What was compared, where the same keys are believed and the ledger's own list is the one it was."""
    if compared is None:
        return None
    found.rewritten = compared.ours != await _ours(connection, compared.size)
    return None if found.rewritten or compared.keys != _of(anchors) else compared


def _since(place: ListedSink, compared: CheckpointsCompared | None, excused: Roots, *, newest: bool) -> int:
    """The size from which on a place is read."""
    if newest:
        return max((size for size in place.sizes if size not in excused), default=0)
    same = compared and compared.places.get(place.sink.name) == place.digest(compared.size)
    return compared.size if compared and same else 0


@dataclass(slots=True)
class _Reading:
    """Each note is opened once, wherever it stands."""

    origin: str
    believed: list[Key]
    ours: Mapping[int, bytes]
    excused: Roots
    found: Evidence
    seen: dict[bytes, Checkpoint] = field(default_factory=dict)

    async def read(self, place: ListedSink, since: int) -> None:
        """Read one place. Raises FAILURES."""
        keys = await self._keys(place)
        for size in (size for size in place.sizes if size >= since):
            note = await place.sink.get(checkpoint_name(size))
            point = self._judged(size, note, keys, place.sink.name)
            if point is None or (size not in self.ours and self.excused.get(size) == point.root):
                continue
            if self.ours.get(size) != note:
                says = f"{place.sink.name} and the ledger's own list differ"
                self.found.blame(Break("checkpoint_forged", size, says=says))
            self.found.points[size] = point

    async def missing(self, place: ListedSink, had: int) -> None:
        """A place is filled in order: what our list has up to its newest must be there. Raises FAILURES."""
        upto = max([had, *(size for size in place.sizes if size in self.ours)])
        missing = {size for size in self.ours if size <= upto}.difference(place.sizes)
        if missing:  # a listing need not show what came while it was made
            missing = missing.difference(sizes(await place.sink.names()))
        if missing and self.found.gone is None:
            says = f"{place.sink.name} lacks {len(missing)} that it had, sizes {min(missing)} to {max(missing)}"
            self.found.gone = Break("checkpoint_gone", min(missing), says=says)

    def own(self) -> None:
        """Read the ledger's own list of checkpoints."""
        for size, note in self.ours.items():
            self._judged(size, note, self.believed, "the ledger's own list")

    async def _keys(self, place: ListedSink) -> Sequence[Key]:
        """The anchors, and what they vouched for there."""
        notes = [
            (int(name.removeprefix(KEY)), (await place.sink.get(name)).decode(errors="replace")) for name in place.keys
        ]
        try:
            keys = chained(notes, self.origin, self.believed)
        except BadNote as bad:
            self.found.blame(Break("key_unknown", 0, says=f"{place.sink.name}: {bad}"))
            return self.believed
        self.believed += [key for key in keys if key not in self.believed]
        return keys

    def _judged(self, size: int, note: bytes, keys: Sequence[Key], where: str) -> Checkpoint | None:
        if note in self.seen:
            return self.seen[note]
        try:
            point = opened(note, self.origin, keys)
        except UnknownKey as unknown:
            self.found.blame(Break("key_unknown", size, says=f"{where}: {unknown}"))
            return None
        except BadNote as bad:
            self.found.blame(Break("checkpoint_forged", size, says=f"{where}: {bad}"))
            return None
        if point.size != size:
            self.found.blame(Break("checkpoint_forged", size, says=f"{where}: it says {point.size}"))
            return None
        self.seen[note] = point
        return point


def _nowhere(outside: int, places: Sequence[ListedSink]) -> str:
    names = ", ".join(place.sink.name for place in places)
    return f"the sealer kept checkpoints up to size {outside}; there is none in {names}"

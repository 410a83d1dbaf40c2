"""Recomputes the whole log, piece by piece on every core, and says where it first breaks and how."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncpg

from domain.proof.merkle import Frontier, joined
from infra.audit.checkpoints.loss import losses
from infra.audit.checkpoints.note import Key
from infra.audit.checkpoints.sinks import Sink
from infra.audit.queries import LARGEST_SEALED
from infra.audit.verification.chunk import CHUNK, LEVEL, Checked, Chunk, check_chunk, session
from infra.audit.verification.classify import classify
from infra.audit.verification.evidence import Evidence, compared_now, evidence
from infra.audit.verification.found import ALL, Break, Check
from infra.audit.verification.process_pool import map_ordered
from infra.audit.verification.progress import NO_RULES, Progress, Rules, keep, kept
from infra.ledger.encoding.errors import guarded
from infra.ledger.queries import HEAD

Tell = Callable[[int, int], None]
"""(events checked, events there)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationScope:
    """Names what is verified, against what. `anchors` are believed without proof, all other keys only through them."""

    dsn: str
    origin: str
    sinks: Sequence[Sink]
    anchors: Sequence[Key]
    checks: frozenset[Check] = ALL
    jobs: int = 1
    state: Path | None = None
    tell: Tell = lambda _done, _all_of: None


@dataclass(slots=True)
class Verified:
    """`covered`: how many events the newest checkpoint outside covers; what is after it nothing proves.

    `lost`: what of a former history is lost, accepted by whom and when.
    """

    events: int = 0
    head: int = 0
    covered: int = 0
    resumed: int = 0
    checkpoints: int = 0
    broken: Break | None = None
    away: dict[str, str] = field(default_factory=dict)
    rules: Rules = NO_RULES
    """How far automatic events were held against their rules by earlier runs, and how far rows hold by now."""
    rechecked: int = 0
    unchecked: Counter[str] = field(default_factory=Counter)
    """Automatic events that are what their rules say; why others could not be checked, and how many."""
    lost: tuple[str, ...] = ()


async def verify(question: VerificationScope) -> Verified:
    """Verify the log itself: rows, links, tree, checkpoints. Raises DatabaseFailed."""
    connection = await session(question.dsn)
    try:
        return await _Run(question, connection).verify()
    finally:
        await connection.close()


class _Run:
    def __init__(self, question: VerificationScope, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._ask = question
        self._connection = connection
        self._upper = Frontier()
        self._found = Verified()
        self._last_at: int | None = None
        self._whole_at: int | None = None  # the same, at the end of the last whole chunk
        self._good = 0  # the largest checkpoint that held
        self._rules = NO_RULES
        self._earlier = kept(question.state, question.origin)
        self._tail: list[bytes] = []  # the subtrees of the last chunk, where it is not whole

    async def verify(self) -> Verified:
        outside = await self._outside()  # first: what is outside was sealed here, and what is sealed was recorded
        sealed: int = await guarded(self._connection.fetchval(LARGEST_SEALED))
        head: int = await guarded(self._connection.fetchval(HEAD))
        self._found.head, self._found.away = head, outside.away
        self._found.covered = max(outside.points, default=0)
        self._found.lost = await losses(self._connection)
        self._resume(outside)
        await self._walk(max(head, min(sealed, head + CHUNK)), sealed, outside)
        if outside.broken and (self._found.broken is None or outside.broken.position < self._found.broken.position):
            self._found.broken = outside.broken
        self._found.broken = self._found.broken or outside.gone
        if not self._found.broken:
            root = joined([*self._upper.peaks, *self._tail]).hex()
            keep(self._ask.state, replace(self._progress(outside), head=self._found.events, head_root=root))
        await self._remember(outside)
        self._found.rules = replace(self._rules, target=self._upper.size << LEVEL)
        return self._found

    async def _outside(self) -> Evidence:
        if "checkpoints" not in self._ask.checks:
            return Evidence()
        ask, compared = self._ask, self._earlier.compared if self._earlier else None
        return await evidence(self._connection, ask.sinks, ask.origin, ask.anchors, compared)

    async def _remember(self, outside: Evidence) -> None:
        """All checkpoints up to the one the kept progress is bound to need not be read again."""
        known = kept(self._ask.state, self._ask.origin)
        if known and known.size and not self._found.broken and known.size <= self._good:
            compared = await compared_now(self._connection, self._ask.anchors, outside, known.size)
            keep(self._ask.state, replace(known, compared=compared))

    def _resume(self, outside: Evidence) -> None:
        """Not where the ledger's own list was changed: then its former roots must be computed again."""
        earlier = None if outside.rewritten else self._earlier
        point = outside.points.get(earlier.size) if earlier else None
        if earlier and point and point.root.hex() == earlier.root:
            self._upper, self._good = earlier.frontier(), earlier.size
            self._last_at = self._whole_at = earlier.at
            self._found.resumed = self._found.events = earlier.events
            self._rules = earlier.rules

    async def _walk(self, reach: int, sealed: int, outside: Evidence) -> None:
        sizes = sorted({*outside.points, *self._seen()})
        chunks = [
            Chunk(index, sealed, tuple(s for s in sizes if index * CHUNK < s <= (index + 1) * CHUNK), self._ask.checks)
            for index in range(self._upper.size, -(-reach // CHUNK))
        ]
        ask = self._ask
        async for chunk, checked in map_ordered(self._connection, ask.dsn, ask.jobs, check_chunk, chunks):
            self._found.broken = await self._judge(chunk, checked, outside)
            if self._found.broken:
                return
            self._take(chunk, checked, outside)
        if sizes and sizes[-1] > self._found.events and "checkpoints" in self._ask.checks:
            says = self._covers(sizes[-1], self._found.events, outside)
            self._found.broken = Break("tail_cut", self._found.events + 1, says=says)

    async def _judge(self, chunk: Chunk, checked: Checked, outside: Evidence) -> Break | None:
        """The first break in this chunk."""
        if checked.broken or checked.differs is not None:
            return await self._classified(checked)
        if "places" in self._ask.checks and self._went_back(checked):
            return await classify(self._connection, chunk.first + 1, "reordered")
        for size in chunk.sizes:
            broken = self._root_differs(size, checked, outside)
            if broken:
                return broken
            if size in outside.points:
                self._good, self._found.checkpoints = size, self._found.checkpoints + 1
        return Break("tree_differs", chunk.first + 1, says="a stored subtree") if checked.tree_differs else None

    async def _classified(self, checked: Checked) -> Break:
        fault, differs = checked.broken, checked.differs
        if fault and (differs is None or fault.position <= differs + 1):
            gap = fault.kind == "deleted" and self._missing(fault, checked)
            return await classify(self._connection, self._found.events + checked.events + 1 if gap else fault.position,
                                  fault.kind)  # fmt: skip
        assert differs is not None
        return await classify(self._connection, differs + 1, None)

    def _missing(self, fault: Break, checked: Checked) -> bool:
        """Return whether it is a position that is missing, not a version."""
        return fault.position != self._found.events + checked.events + 1

    def _went_back(self, checked: Checked) -> bool:
        return None not in (self._last_at, checked.first_at) and checked.first_at < self._last_at  # type: ignore[operator]

    def _root_differs(self, size: int, checked: Checked, outside: Evidence) -> Break | None:
        if size not in checked.at:  # there are not so many
            return Break("tail_cut", self._found.events + checked.events + 1,
                         says=self._covers(size, self._found.events + checked.events, outside))  # fmt: skip
        told = outside.points[size].root.hex() if size in outside.points else self._seen()[size]
        if joined([*self._upper.peaks, *checked.at[size]]).hex() == told:
            return None
        return Break("recomputed", self._good + 1, says=f"between positions {self._good + 1} and {size}")

    def _take(self, chunk: Chunk, checked: Checked, outside: Evidence) -> None:
        """Go on from here."""
        self._found.events += checked.events
        self._last_at = checked.last_at or self._last_at
        self._tail = [] if checked.events == CHUNK else checked.peaks
        self._ask.tell(self._found.events, self._found.head)
        if checked.events == CHUNK and self._upper.size == chunk.index:
            self._upper.append(checked.peaks[0])
            self._whole_at = self._last_at
            if self._good:
                keep(self._ask.state, self._progress(outside))

    def _progress(self, outside: Evidence) -> Progress:
        peaks = tuple(peak.hex() for peak in self._upper.peaks)
        root = outside.points[self._good].root.hex() if self._good else ""
        events, known = self._upper.size << LEVEL, self._earlier
        compared, head, head_root = (known.compared, known.head, known.head_root) if known else (None, 0, "")
        return Progress(
            self._ask.origin, self._upper.size, peaks, events, self._whole_at, self._good, root, self._rules, compared,
            head, head_root,
        )  # fmt: skip

    def _seen(self) -> Mapping[int, str]:
        """What the run before saw in all: so many events, of that root."""
        known = self._earlier if "checkpoints" in self._ask.checks else None
        return {known.head: known.head_root} if known and known.head else {}

    def _covers(self, size: int, there: int, outside: Evidence) -> str:
        who = "a checkpoint covers" if size in outside.points else "the run before saw"
        return f"{who} {size} events, {there} are there"

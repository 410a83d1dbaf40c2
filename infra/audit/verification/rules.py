"""Every automatic event against its rule, history by history; see domain/history/recheck.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any

import asyncpg

from domain.catalogue import streams as catalogue
from domain.core.errors import Refused
from domain.core.fact import Fact
from domain.core.personal import ERASED, NO_KEY, Unread, unread
from domain.core.policy import Policy
from domain.engine.evolve import EVENTS
from domain.history.recheck import Known, recheck
from infra.audit.queries import HISTORIES, HISTORY_ROWS
from infra.audit.verification.chunk import session
from infra.audit.verification.found import Break
from infra.audit.verification.process_pool import map_ordered
from infra.audit.verification.progress import keep_rules
from infra.audit.verification.verification import VerificationScope, Verified
from infra.keys import FolderKeys
from infra.ledger.encoding.codec import Codec
from infra.ledger.encoding.errors import Tampered, guarded
from infra.ledger.encoding.sealing import MARK
from infra.ledger.encoding.stored import Stored, stored

GROUP = 4_096
"""Events, about, that are read and checked at a time."""
Connection = asyncpg.Connection


@dataclass(frozen=True, slots=True)
class Means:
    """Holds what histories are read with: the keys of this machine, and policies by their hash."""

    keys: Path
    kek: Path
    destroyed: Path
    policies: Mapping[str, Policy]


@dataclass(frozen=True, slots=True)
class Group:
    """Histories, each with the position after which it is to be checked."""

    since: Mapping[str, int]
    events: int


@dataclass(slots=True)
class Judged:
    """Counts automatic events that follow their rules, and why others cannot be checked; names the first that fails."""

    same: int = 0
    unchecked: Counter[str] = field(default_factory=Counter)
    broken: Break | None = None


async def verify_rules(question: VerificationScope, means: Means, found: Verified, stream: str = "") -> None:
    """Check every case, or one; `found` says how far earlier runs came and takes the outcome. Raises DatabaseFailed."""
    connection = await session(question.dsn)
    try:
        todo = await _groups(connection, found, stream)
        done, all_of = 0, sum(group.events for group in todo)
        work = partial(judge, means)
        async for group, judged in map_ordered(connection, question.dsn, question.jobs, work, todo):
            done += group.events
            _take(found, judged)
            question.tell(done, all_of)
            if not (found.broken or stream):
                keep_rules(question.state, question.origin, replace(found.rules, after=max(group.since)))
        if not (found.broken or stream):
            keep_rules(question.state, question.origin, replace(found.rules, upto=found.rules.target, after=""))
    finally:
        await connection.close()


def _take(found: Verified, judged: Judged) -> None:
    """The first break in the ledger stays."""
    found.rechecked += judged.same
    found.unchecked += judged.unchecked
    if judged.broken and (found.broken is None or judged.broken.position < found.broken.position):
        found.broken = judged.broken


async def _groups(connection: Connection[asyncpg.Record], found: Verified, stream: str) -> Sequence[Group]:
    """Histories with something new in the order of their names, so many together that they are GROUP events."""
    rows = await guarded(connection.fetch(HISTORIES, stream))
    new = [(row, since) for row in rows if row["last"] > (since := 0 if stream else found.rules.since(row["stream"]))]
    before = [0, *accumulate(row["events"] for row, _ in new)]
    parts = groupby(zip(new, before, strict=False), key=lambda pair: pair[1] // GROUP)
    return [_group([one for one, _ in part]) for _, part in parts]


def _group(rows: Sequence[tuple[asyncpg.Record, int]]) -> Group:
    return Group({row["stream"]: since for row, since in rows}, sum(row["events"] for row, _ in rows))


async def judge(means: Means, connection: Connection[asyncpg.Record], group: Group) -> Judged:
    """Check every history of a group."""
    here = _Here(connection, means)
    whole = Judged()
    for stream, rows in (await here.rows(list(group.since))).items():
        one = await here.history(stream, rows, group.since[stream])
        whole.same += one.same
        whole.unchecked += one.unchecked
        if one.broken and (whole.broken is None or one.broken.position < whole.broken.position):
            whole.broken = one.broken
    return whole


@cache
def _codec() -> Codec:
    return Codec((*EVENTS, *catalogue.EVENTS))


class _Here:
    """One group on one connection, with what its cases noted of other histories."""

    def __init__(self, connection: Connection[asyncpg.Record], means: Means) -> None:
        self._connection = connection
        self._policies = means.policies
        self._keys = FolderKeys(means.keys, kek=means.kek, destroyed=means.destroyed)
        self._sources: dict[str, Sequence[Mapping[str, Any]]] = {}

    async def rows(self, streams: Sequence[str]) -> Mapping[str, Sequence[Stored]]:
        """Return the events of these histories."""
        rows = await guarded(self._connection.fetch(HISTORY_ROWS, streams))
        return {name: list(own) for name, own in groupby(map(stored, rows), key=lambda row: row.stream)}

    async def history(self, stream: str, rows: Sequence[Stored], since: int) -> Judged:
        """Check the automatic events of one case."""
        after = sum(row.position <= since for row in rows)
        try:
            facts = await self._facts(stream, rows)
        except Tampered:
            return Judged(
                broken=Break("edited", rows[0].position, stream, says="something sealed does not open with its key")
            )
        except Refused as newer:
            return Judged(unchecked=Counter({newer.detail: sum('"why":{' in row.meta for row in rows[after:])}))
        await self._read_sources(facts)
        found = recheck(stream, facts, Known(self._policies.get, self._noted), after, _Excuses(rows, facts))
        broken = None
        if found.differs:
            row, says = rows[found.differs.version - 1], f"rule {found.differs.rule}: {found.differs.field}"
            broken = Break("rule_differs", row.position, stream, row.version, says)
        return Judged(found.same, found.unchecked, broken)

    async def _facts(self, stream: str, rows: Sequence[Stored]) -> Sequence[Fact[Any]]:
        keys = await self._keys.for_opening(stream)
        return [_codec().fact(row, keys) for row in rows]

    async def _read_sources(self, facts: Iterable[Fact[Any]]) -> None:
        """Every lot, protocol, centre or person that was noted: its read model at each of its versions."""
        noted = {fact.event.stream for fact in facts if hasattr(fact.event, "source_version")}
        for name, rows in (await self.rows(sorted(noted - self._sources.keys()))).items():
            try:
                facts = await self._facts(name, rows)
            except (Tampered, Refused):
                continue
            states = (catalogue.fold(name, facts[:n]) for n in range(1, len(facts) + 1))
            self._sources[name] = [catalogue.read_model(name, state) for state in states]

    def _noted(self, stream: str, version: int) -> Mapping[str, Any] | None:
        known = self._sources.get(stream, ())
        return known[version - 1] if 0 < version <= len(known) else None


UNCHECKED: Mapping[Unread, str] = {ERASED: "erased", NO_KEY: "no key on this machine"}


class _Excuses:
    """Why the event of a version may be another today: rules know less of an erased case, and shapes change."""

    def __init__(self, rows: Sequence[Stored], facts: Sequence[Fact[Any]]) -> None:
        self._rows = rows
        self._facts = facts

    def __call__(self, version: int) -> str:
        row = self._rows[version - 1]
        first, why = self._gone
        if first <= version:
            return UNCHECKED[why]
        return "recorded in an older shape" if row.schema_version < _codec().newest(row.type) else ""

    @cached_property
    def _gone(self) -> tuple[int, Unread]:
        """The first version with something that cannot be read, and why."""
        pairs = zip(self._rows, self._facts, strict=True)
        gone = ((row.version, why) for row, fact in pairs if MARK in row.data and (why := unread(fact.event)))
        return next(gone, (len(self._rows) + 1, ERASED))

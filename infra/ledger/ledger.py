"""The ledger on PostgreSQL: implements the port of activities/ports.py, and what followers and the courier need."""

import json
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from activities.ports import Append, Claim, Keys, Loaded, Remembered, WatchedSource
from domain.catalogue.installation import Installation
from domain.catalogue.looks import CasesSeen
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact
from domain.core.personal import KeyClass
from domain.core.when import When
from infra.clock import Clock
from infra.ledger import queries
from infra.ledger.background import BackgroundAppends
from infra.ledger.bells import EVENTS, Bells
from infra.ledger.clocks import require_clocks
from infra.ledger.commit import GroupCommit
from infra.ledger.connections import Pool
from infra.ledger.encoding.batch import PreparedAppend
from infra.ledger.encoding.codec import Codec
from infra.ledger.encoding.command_digest import command_hmac
from infra.ledger.encoding.details import open_detail
from infra.ledger.encoding.errors import guarded
from infra.ledger.encoding.rows import CASE_DETAIL, Sealing, classes, detail_of, prepared
from infra.ledger.encoding.sealing import NOTHING as NOT_SEALED
from infra.ledger.encoding.sealing import SealedPlace
from infra.ledger.encoding.stored import Stored, stored
from infra.ledger.fact_cache import NOT_CACHED, CachedFacts, FactCache
from infra.ledger.loss import noted_loss
from infra.tracing import parent_here

ANY = timedelta(days=365_000)
PAGE = 500  # rows a follower fetches at once


@dataclass(frozen=True, slots=True)
class CaseDue:
    """A case the courier should nudge."""

    stream: str
    version: int
    woken: int
    wake_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseWaiting:
    """An open case and in how many seconds time brings something for it; None = somebody should look now."""

    stream: str
    in_seconds: float | None


@dataclass(frozen=True, slots=True)
class Engine:
    """The workflow engine that acts for this ledger; `target` and `cluster` are empty until one has taken over."""

    epoch: int
    target: str
    cluster: str


class PgLedger:
    """Reads and appends; once it stands back it refuses to write (READ_ONLY), and says why."""

    def __init__(
        self,
        pool: "Pool[asyncpg.Record]",
        keys: Keys,
        codec: Codec,
        bells: Bells,
        installation: Installation | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.installation = installation
        self.stands_back = ""
        """Why nothing is recorded here; empty = everything is."""
        self.keys_elsewhere = False
        """It stands back because its keys are not here. Looks seal nothing and are recorded, so that reads go on."""
        self.bells = bells
        self._pool = pool
        self._keys = keys
        self._codec = codec
        self._commit = GroupCommit(pool, self._said)
        self._background = BackgroundAppends(pool)
        self._fact_cache = FactCache()

    @property
    def pool(self) -> "Pool[asyncpg.Record]":
        """Return the connections, for reads beside the ledger (those of infra/reads, sessions …)."""
        return self._pool

    async def close(self) -> None:
        """Let go of all connections."""
        await self._commit.close()
        await self._background.close()
        await self.bells.close()
        await self._pool.close()

    def forget(self, stream: str) -> None:
        """Let go of what was opened of a stream."""
        self._fact_cache.forget(stream)

    async def load(self, stream: str, *, after: int = 0, command: tuple[str, str] | None = None) -> Loaded:
        """Load the facts of a stream after a version, what is remembered of (actor, key), and its watched sources."""
        actor, key = command or (None, None)
        known = NOT_CACHED if after else self._fact_cache.of(stream)
        row = await guarded(
            self._pool.fetchrow(queries.LOAD, stream, after or len(known.facts), actor, key, self._bound)
        )
        assert row is not None
        new = _stored_columns(stream, row)
        keys = None if known.keys is None and not _sealed(new) else await self._keys.for_opening(stream)
        if not known.still(row["hash_before"], keys):
            self._fact_cache.forget(stream)
            return await self.load(stream, command=command)
        facts = [*known.facts, *(self._codec.fact(one, keys or {}) for one in new)]
        if new and not after:
            self._fact_cache.keep(stream, CachedFacts(tuple(facts), new[-1].hash, keys))
        return Loaded(
            stream,
            facts,
            row["now"],
            await self._remembered(row),
            [
                WatchedSource(name, version, json.loads(state))
                for name, version, state in zip(
                    row["source_streams"] or (), row["source_versions"] or (), row["source_states"] or (), strict=True
                )
            ],
            row["epoch"],
            row["woken"],
        )

    async def _remembered(self, row: asyncpg.Record) -> Remembered | None:
        if not row["body"]:
            return None
        kept = await command_hmac(self._keys)
        return Remembered(row["body"], row["command_stream"], row["first"], row["last"], kept)

    async def sources(self, streams: Sequence[str]) -> Sequence[WatchedSource]:
        """Return the named lots, protocols, centres and persons that exist."""
        rows = await guarded(self._pool.fetch(queries.SOURCES, list(streams)))
        return [WatchedSource(row["stream"], row["version"], json.loads(row["state"])) for row in rows]

    async def streams(self, prefix: str) -> Sequence[str]:
        """Return the lots, protocols, centres or persons there are, by the beginning of their name."""
        return [row["stream"] for row in await guarded(self._pool.fetch(queries.STREAMS, prefix))]

    async def owing_notices(self) -> Sequence[str]:
        """Return the centres, persons and desks of which somebody is still to be told something."""
        return [row["stream"] for row in await guarded(self._pool.fetch(queries.OWING_NOTICES))]

    async def last_version(self, stream: str) -> int:
        """Return the version a stream stands at; 0 when it has no event."""
        version: int = await guarded(self._pool.fetchval(queries.LAST_VERSION, stream))
        return version

    async def append(self, append: Append) -> Sequence[Fact[Any]]:
        """Record, durably, all or nothing."""
        self._writable(append)
        if append.at is None and not _only_looks(append):
            self.clock.require_unmoved()
        ready, sealed, keys = await self._ready(append)
        await self._leave_trace(append)
        at, hash_ = await self._commit.append(ready)
        facts = _facts(append, at) if at else []
        if hash_ is not None and sealed <= keys.keys():  # what has no key will be read as erased
            await self._remember(append.stream, append.expected, facts, hash_, sealed)
        return facts

    async def append_in_background(self, append: Append) -> Sequence[Fact[Any]]:
        """Append in the background and return the facts as they will be recorded at the given instant; see `settled`.

        Only for a rehearsal that has the ledger to itself. Raises also what an append before this one ran into.
        """
        self._writable()
        if append.at is None:
            raise TypeError("only what is recorded at a given instant is known before it is recorded")
        ready, _, _ = await self._ready(append)
        await self._background.append(ready)
        return _facts(append, append.at.astimezone(UTC))

    async def settled(self) -> None:
        """Return when every append_in_background is recorded, durably. Raises what the database refused."""
        await self._background.settled()

    async def _ready(self, append: Append) -> tuple[PreparedAppend, set[KeyClass], Sealing]:
        """What is sent, the classes its events seal, and the keys there are."""
        encoded = await self._codec.encode_all([draft.event for draft in append.drafts])
        detail = detail_of(append.views)
        if append.command:
            body = (await command_hmac(self._keys))(append.command.body)
            append = replace(append, command=replace(append.command, body=body))
        sealing = classes(encoded, detail)
        if append.expected:
            await self._require_keys(append.stream, sealing)
        keys = await self._keys.for_sealing(append.stream, sealing) if sealing else {}
        return prepared(append, encoded, detail, keys), classes(encoded, None), keys

    async def _remember(
        self, stream: str, expected: int, new: Sequence[Fact[Any]], hash_: bytes, sealed: Collection[KeyClass]
    ) -> None:
        """Go on from what was just recorded; the next load sees whether the keys are still the same."""
        known = self._fact_cache.of(stream)
        if len(known.facts) != expected:
            return
        keys = known.keys
        if sealed and (keys is None or not set(sealed) <= keys.keys()):
            keys = await self._keys.for_opening(stream)
            if not (known.keys or {}).items() <= keys.items():
                self._fact_cache.forget(stream)
                return
        self._fact_cache.keep(stream, CachedFacts((*known.facts, *new), hash_, keys))

    async def claim(self, case: str, effect: str, *, expected: int, epoch: int, lease: timedelta) -> Claim:
        """Claim one attempt of an effect. Raises VersionConflict, ClaimHeld, Refused(SUPERSEDED)."""
        self._writable()
        self.clock.require_unmoved()
        now = self._said()
        row = await guarded(self._pool.fetchrow(queries.CLAIM, case, effect, expected, epoch, lease, *now))
        assert row is not None
        return Claim(effect, row["attempt"], row["lease_until"], row["before"])

    async def case_of_effect(self, effect: str) -> str | None:
        """Return the case an effect that was attempted belongs to."""
        stream: str | None = await guarded(self._pool.fetchval(queries.CASE_OF_EFFECT, effect))
        return stream

    async def release(self, effect: str, attempt: int) -> None:
        """End a claim; called with the recorded outcome."""
        self._writable()
        await guarded(self._pool.execute(queries.RELEASE, effect, attempt))

    async def facts(self, rows: Sequence[Stored]) -> Sequence[Fact[Any]]:
        """Return the events of one stream, opened with the keys that are left."""
        keys = await self._keys.for_opening(rows[0].stream) if _sealed(rows) else {}
        return [self._codec.fact(row, keys) for row in rows]

    async def case_detail(self, stream: str, text: str) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON of case_view.detail with its personal fields back in place, as far as they can be read."""
        return open_detail(SealedPlace(stream, CASE_DETAIL), text, await self._keys.for_opening(stream))

    async def events(self, stream: str, *, up_to: int | None = None) -> Sequence[Stored]:
        """Return the rows of a stream as they are stored, up to a version."""
        return [stored(row) for row in await guarded(self._pool.fetch(queries.STREAM, stream, up_to))]

    async def head(self) -> int:
        """Return the last position; 0 for an empty ledger."""
        position: int = await guarded(self._pool.fetchval(queries.HEAD))
        return position

    async def follow(self, after: int = 0) -> AsyncGenerator[Stored, None]:
        """Yield every event after a position, in order, for ever; none is skipped, whoever writes."""
        bell = await self.bells.listen(EVENTS)
        try:
            while True:
                rows = await guarded(self._pool.fetch(queries.AFTER, after, PAGE))
                for row in rows:
                    yield stored(row)
                    after = row["position"]
                if len(rows) < PAGE:
                    await self.bells.wait(bell)
        finally:
            self.bells.leave(EVENTS, bell)

    async def attention_due(self, limit: int) -> Sequence[CaseDue]:
        """Return cases somebody should look at now: unattended, overdue by a minute, or with a claim past its lease."""
        rows = await guarded(self._pool.fetch(queries.ATTENTION_DUE, limit))
        return [CaseDue(row["stream"], row["version"], row["woken"], row["wake_at"]) for row in rows]

    async def lots_of(self, product: str, now: datetime) -> Sequence[str]:
        """Name the lots of a product that are not over by then, the soonest to expire first."""
        rows = await guarded(self._pool.fetch(queries.LOTS_OF, product, now))
        return [row["stream"] for row in rows]

    async def open_cases(self) -> Sequence[CaseWaiting]:
        """Return every case that is not ended, the most urgent first."""
        return [CaseWaiting(*row) for row in await guarded(self._pool.fetch(queries.OPEN_CASES))]

    async def nudged(self, due: Sequence[CaseDue], pause: timedelta, fence: int = 0) -> None:
        """Leave these alone for a while, except where something was recorded since they were seen.

        Raises Refused(SUPERSEDED) where another courier than the one of that number leads.
        """
        self._writable()
        seen = sorted(due, key=lambda one: one.stream)  # the same order everywhere, so that nobody deadlocks
        columns = [one.stream for one in seen], [one.version for one in seen], [one.woken for one in seen]
        await guarded(self._pool.execute(queries.NUDGED, *columns, pause, fence))

    async def require_clock(self) -> None:
        """Raise Refused(CLOCK_WRONG) where the clocks are such that nothing would be recorded."""
        self.clock.require_unmoved()
        await require_clocks(self._pool, self.clock.wall(), self._bound)

    async def engine(self) -> Engine:
        """Read which engine acts: its epoch and its Temporal."""
        row = await guarded(self._pool.fetchrow(queries.ENGINE))
        assert row is not None
        return Engine(row["epoch"], row["target"], row["cluster"])

    async def take_over(self, target: str, cluster: str) -> int:
        """Make another engine the one that acts; answers with its epoch."""
        self._writable()
        epoch: int = await guarded(self._pool.fetchval(queries.TAKE_OVER, target, cluster))
        return epoch

    async def _leave_trace(self, append: Append) -> None:
        """Before the commit, so that whoever nudges for it finds it; only for what people and hospitals wrote."""
        asked = append.attention and not append.attention.attended and not append.attention.grace
        if asked and (parent := parent_here()):
            await guarded(self._pool.execute(queries.LEAVE_TRACE, append.stream, parent))

    async def take_traces(self, streams: Sequence[str]) -> Mapping[str, str]:
        """Return the newest command's traceparent of each of these, once; of several before one nudge only the last."""
        rows = await guarded(self._pool.fetch(queries.TAKE_TRACES, list(streams)))
        return {row["stream"]: row["parent"] for row in rows}

    async def reject_callback(self, centre: str, reason: str, digest: bytes, size: int) -> None:
        """Note a callback that was not believed; only the newest 1,000 are kept."""
        self._writable()
        await guarded(self._pool.execute(queries.REJECT_CALLBACK, centre, reason, digest, size))

    async def note_loss(self, found: Mapping[str, Any], *, more: bool) -> None:
        """Make every process refuse to record or do anything from here on; `more` replaces what was noted before."""
        self._writable()
        await guarded(self._pool.execute(queries.NOTE_LOSS, json.dumps(found), more))

    async def loss(self) -> Mapping[str, Any] | None:
        """Read what is noted to be missing of this history and was not accepted; None = nothing."""
        return await noted_loss(self._pool)

    @property
    def read_only(self) -> bool:
        """Return whether it stands back."""
        return bool(self.stands_back)

    def _writable(self, append: Append | None = None) -> None:
        look = append and self.keys_elsewhere and _only_looks(append)
        require(look or not self.stands_back, Reason.READ_ONLY, self.stands_back)

    async def _require_keys(self, stream: str, sealing: Collection[KeyClass]) -> None:
        """Refuse to seal beside what was sealed with a key that is not here: whoever has that one would lose this."""
        known = await self._keys.for_opening(stream)
        lacking = [key_class for key_class in sealing if key_class not in known]
        if lacking and await guarded(self._pool.fetchval(queries.SEALED_BEFORE, stream, lacking)):
            raise Refused(Reason.READ_ONLY, "the key this history was sealed with is not on this machine")

    @property
    def _bound(self) -> timedelta:
        """How far clocks may differ; a rehearsal is given its instants."""
        return ANY if self.installation and self.installation.rehearsing else self.clock.bound

    def _said(self) -> tuple[datetime, timedelta]:
        """What this process's clock says, and how far the database's may differ from it."""
        return self.clock.told(), self._bound


def _only_looks(append: Append) -> bool:
    return bool(append.drafts) and all(isinstance(one.event, CasesSeen) for one in append.drafts)


def _sealed(rows: Sequence[Stored]) -> bool:
    return any(row.sealed != NOT_SEALED for row in rows)


def _facts(append: Append, at: datetime) -> list[Fact[Any]]:
    """The drafts as they are recorded at that instant."""
    then = When.at(at)
    return [
        Fact(
            event=draft.event,
            id=draft.id,
            version=version,
            at=at,
            occurred=draft.occurred or then,
            actor=append.meta.actor,
            why=draft.why,
            corrects=draft.corrects,
            provenance=append.meta.provenance,
        )
        for version, draft in enumerate(append.drafts, append.expected + 1)
    ]


def _stored_columns(stream: str, row: asyncpg.Record) -> list[Stored]:
    """From the column arrays of LOAD; salts stay in the database."""
    names = ("position", "version", "id", "type", "schema_version", "precision", "occurred_earliest", "occurred_latest")
    columns = [row[name] or () for name in (*names, "recorded_at", "data", "sealed", "meta", "hash")]
    return [
        Stored(position, stream, version, id_, type_, schema, When(*when), at, data, sealed, meta, b"", hash_)
        for position, version, id_, type_, schema, *when, at, data, sealed, meta, hash_ in zip(*columns, strict=True)
    ]

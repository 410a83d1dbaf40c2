"""Recomputes the read models from the events beside the living ones, compares, and swaps."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from activities.ports import Keys, Views
from domain.core.errors import Reason, require
from domain.core.fact import Fact
from domain.core.personal import NO_KEY, unread
from infra.ledger.encoding.codec import Codec
from infra.ledger.encoding.details import open_detail
from infra.ledger.encoding.errors import guarded
from infra.ledger.encoding.rows import CASE_DETAIL, detail_of, view_rows
from infra.ledger.encoding.sealing import SealedPlace
from infra.ledger.encoding.stored import stored
from infra.ledger.queries import HEAD, STREAM

TABLES = {"case": "case_view", "obligations": "obligation_view", "effects": "effect_view", "source": "source"}
See = Callable[[str, Sequence[Fact[Any]]], Views]
"""The read models of a stream from its name and all its facts."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """`differing`: (table, stream) pairs whose rows were not what the events say; they are now, if swapped."""

    streams: int
    differing: Sequence[tuple[str, str]]


class Rebuild:
    """Rebuilds over one connection of a member of caravel_owner; appends go on until the last moment."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", keys: Keys, codec: Codec, see: See) -> None:
        self._connection = connection
        self._keys = keys
        self._codec = codec
        self._see = see
        self._all_keys = False

    async def run(self, *, swap: bool) -> Rebuilt:
        """Fill the shadow tables, then stop appends for a moment to catch up, compare and, if wanted, swap.

        Raises Refused(READ_ONLY) instead of swapping where a key is not on this machine: its values would be lost.
        """
        self._all_keys = swap
        return await guarded(self._run(swap=swap))

    async def _run(self, *, swap: bool) -> Rebuilt:
        await self._connection.execute("set role caravel_owner")
        await self._make_shadows()
        seen = await self._connection.fetchval(HEAD)
        await self._fill(await self._streams(0))
        async with self._connection.transaction():
            await self._connection.execute("select caravel_append_lock()")
            await self._fill(await self._streams(seen))
            differing = [pair for table in (*TABLES.values(), "watch") for pair in await self._differing(table)]
            if swap:
                await self._swap()
            streams = await self._connection.fetchval("select count(distinct stream) from event")
        return Rebuilt(streams, differing)

    async def compare(self, only: str = "") -> Rebuilt:
        """Compare only, all or one stream, in one snapshot and stopping nobody: a member of caravel_auditor may."""
        return await guarded(self._compare(only))

    async def _compare(self, only: str) -> Rebuilt:
        await self._make_shadows()
        async with self._connection.transaction(isolation="repeatable_read"):
            streams = [only] if only else await self._streams(0)
            await self._fill(streams)
            differing = [pair for table in (*TABLES.values(), "watch") for pair in await self._differing(table, only)]
        return Rebuilt(len(streams), differing)

    async def _make_shadows(self) -> None:
        for table in (*TABLES.values(), "watch"):
            await self._connection.execute(
                f"create temporary table if not exists shadow_{table} (like {table} including all);"
                f"truncate shadow_{table}"
            )

    async def _streams(self, after: int) -> list[str]:
        rows = await self._connection.fetch("select distinct stream from event where position > $1", after)
        return [row["stream"] for row in rows]

    async def _fill(self, streams: Sequence[str]) -> None:
        for stream in streams:
            rows = [stored(row) for row in await self._connection.fetch(STREAM, stream, None)]
            keys = await self._keys.for_opening(stream)
            views = self._see(stream, [self._codec.fact(row, keys) for row in rows])
            detail = detail_of(views)
            keyless = self._all_keys and detail is not None and unread((views.case or {})["detail"]) is NO_KEY
            require(not keyless, Reason.READ_ONLY, f"a key of {stream} is not on this machine; rebuild where it is")
            sealing = await self._keys.for_sealing(stream, detail.secrets) if detail else {}
            await self._put(stream, view_rows(stream, len(rows), views, detail, sealing))

    async def _put(self, stream: str, rows: dict[str, Any]) -> None:
        for name, table in TABLES.items():
            await self._connection.execute(f"delete from shadow_{table} where stream = $1", stream)  # noqa: S608
            found = rows.get(name, [])
            await self._connection.execute(
                f"insert into shadow_{table} select * from json_populate_recordset(null::{table}, $1)",  # noqa: S608
                json.dumps(found if isinstance(found, list) else [found], default=datetime.isoformat),
            )
        await self._connection.execute("delete from shadow_watch where watcher = $1", stream)
        await self._connection.execute(
            "insert into shadow_watch select $1, unnest($2::text[])", stream, rows.get("watch", [])
        )

    async def _differing(self, table: str, only: str = "") -> list[tuple[str, str]]:
        """Streams whose rows are not the same on both sides, sealed text compared by what it says."""
        key = "watcher" if table == "watch" else "stream"
        open_columns = "to_jsonb(t) - 'detail'"
        rows = await self._connection.fetch(
            f"""select distinct {key} as stream from (
                (select {key}, {open_columns} from {table} t except select {key}, {open_columns} from shadow_{table} t)
                union all
                (select {key}, {open_columns} from shadow_{table} t except select {key}, {open_columns} from {table} t)
            ) different where $1 in ('', {key})""",  # noqa: S608 - names from this file
            only,
        )
        found = {row["stream"] for row in rows}
        if table == "case_view":
            found |= await self._differing_details()
        return [(table, stream) for stream in sorted(found)]

    async def _differing_details(self) -> set[str]:
        pairs = await self._connection.fetch(
            "select stream, a.detail as living, b.detail as shadow "
            "from case_view a join shadow_case_view b using (stream)"
        )
        return {
            pair["stream"] for pair in pairs if await self._says(pair, "living") != await self._says(pair, "shadow")
        }

    async def _says(self, pair: asyncpg.Record, side: str) -> Any:  # noqa: ANN401 - JSON
        detail = json.loads(pair[side])
        if not isinstance(detail, dict) or set(detail) != {"data", "sealed"}:
            return detail
        stream = pair["stream"]
        opened = open_detail(SealedPlace(stream, CASE_DETAIL), pair[side], await self._keys.for_opening(stream))
        return json.dumps(
            opened, sort_keys=True, default=lambda _unread: None
        )  # the same on both sides, whatever kept it

    async def _swap(self) -> None:
        for table in (*TABLES.values(), "watch"):
            await self._connection.execute(
                f"delete from {table}; insert into {table} select * from shadow_{table}"  # noqa: S608
            )

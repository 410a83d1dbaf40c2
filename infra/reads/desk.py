"""Reads what people look at: worklist, catalogue's lists, changes as they come. SQL on read models, no domain."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from infra.ledger.encoding.errors import guarded
from infra.ledger.ledger import PgLedger

COLUMNS = """stream, version, number, stage, exit, owner, team, centre, protocol, country, urgent, on_hold, open,
    opened_at, stage_since, next_due, next_kind, next_debtor, facts_version, detail"""
FILTERS: Mapping[str, str] = {
    "stage": "stage = {}",
    "owner": "owner = {}",
    "team": "team = {}",
    "centre": "centre = {}",
    "urgent": "urgent = {}",
    "open": "open = {}",
    "number": "number = {}",
    "overdue": "(next_due < clock_timestamp()) is not distinct from {}",
    "unowned": "(coalesce(owner, '') = '') = {}",
    "country": "country = {}",
    "debtor": "next_debtor = {}",
    "hold": "on_hold = {}",
}
"""What a worklist can be narrowed to; each takes one value."""
SCOPES: Mapping[str, str] = {
    "own": "owner = {0}",
    "team": "(owner = {0} or team = {1} or (coalesce(owner, '') = '' and coalesce(team, '') = ''))",
    "centre": "centre = {0}",
    "all": "true",
}
"""Whose cases; the words of domain/roles.py. {0} is the actor or centre, {1} the team."""

ORDERS: Mapping[str, tuple[str, str]] = {
    "due": ("next_due", ">"),
    "longest": ("stage_since", ">"),
    "oldest": ("opened_at", ">"),
    "newest": ("opened_at", "<"),
}
"""How a worklist can be sorted: column, and which way the next row lies."""
TALLY = """
select stage, count(*) as "all", count(*) filter (where owner = $1) as mine,
    count(*) filter (where team = $2) as team, count(*) filter (where coalesce(owner, '') = '') as unassigned,
    count(*) filter (where late) as all_late, count(*) filter (where late and owner = $1) as mine_late,
    count(*) filter (where late and team = $2) as team_late,
    count(*) filter (where late and coalesce(owner, '') = '') as unassigned_late
from (select *, coalesce(next_due < clock_timestamp(), false) as late from case_view where open and {}) mine group by 1
"""

CASE_OF = "select stream from case_view where number = $1"
SCOPE_OF = "select stream, owner, team, centre from case_view where stream = any($1::text[])"
THEN = """
select version from event where stream = c.stream and recorded_at <= {} order by version desc limit 1
"""
LIST = (
    "select stream, version, state from source where starts_with(stream, $1) and stream > $2 order by stream limit $3"
)
HEAD = "select coalesce(max(position), 0) from event"
LOOKS = """
select position, recorded_at as at, meta::json ->> 'actor' as actor, meta::json ->> 'purpose' as purpose,
       data::json ->> 'what' as what, data::json -> 'opened' as opened
from event where type = 'CasesSeen' and data::jsonb -> 'cases' ? $1 and position < $2 order by position desc limit $3
"""
CHANGES = """
select position, stream, version from event where position > $1 and starts_with(stream, 'case-')
order by position limit $2
"""
Cursor = tuple[datetime | None, str]


class Desk:
    """Reads lists and single things from one ledger's read models."""

    def __init__(self, ledger: PgLedger) -> None:
        self._ledger = ledger
        self._pool = ledger.pool

    async def worklist(
        self,
        scope: tuple[str, str, str],
        filters: Mapping[str, Any],
        after: Cursor | None,
        limit: int,
        order: str = "due",
    ) -> Sequence[dict[str, Any]]:
        """Rows in one of ORDERS, those without its instant last; `scope` is (scope, actor or centre, team)."""
        column, way = ORDERS[order]
        rows: list[dict[str, Any]] = []
        if after is None or after[0] is not None:
            there = f"{column} is not null"
            rows = await self._rows(scope, filters, there, f"({column}, stream)", after, limit, way)
        if len(rows) < limit:
            rest = after[1:] if after and after[0] is None else None
            rows += await self._rows(scope, filters, f"{column} is null", "stream", rest, limit - len(rows), way)
        return rows

    async def tally(self, scope: tuple[str, str, str], actor: str, team: str) -> Sequence[dict[str, Any]]:
        """Open cases by stage: how many, and how many of them late, of all, of this actor, of this team, of nobody."""
        given: list[Any] = [actor, team]
        sql = TALLY.format(_scoped(scope, given))
        return [dict(row) for row in await guarded(self._pool.fetch(sql, *given))]

    async def rows(self, streams: Sequence[str]) -> Sequence[dict[str, Any]]:
        """Return the worklist rows of these cases."""
        sql = f"select {COLUMNS} from case_view where stream = any($1::text[])"  # noqa: S608 - fixed words
        return [dict(row) for row in await guarded(self._pool.fetch(sql, list(streams)))]

    async def streams(self) -> Sequence[str]:
        """List the streams of every case."""
        return [row["stream"] for row in await guarded(self._pool.fetch("select stream from case_view"))]

    async def _rows(
        self,
        scope: tuple[str, str, str],
        filters: Mapping[str, Any],
        part: str,
        order: str,
        after: tuple[Any, ...] | None,
        limit: int,
        way: str,
    ) -> list[dict[str, Any]]:
        given: list[Any] = []
        bounds = [part, _scoped(scope, given)]
        bounds += [FILTERS[key].format(_place(given, value)) for key, value in filters.items()]
        if after is not None:
            bounds.append(f"{order} {way} ({', '.join(_place(given, one) for one in after)})")
        by = ", ".join(f"{one}{' desc' * (way == '<')}" for one in order.strip("()").split(", "))
        sql = f"select {COLUMNS} from case_view where {' and '.join(bounds)} order by {by} limit {limit:d}"  # noqa: S608 - fixed words, values are placed
        return [dict(row) for row in await guarded(self._pool.fetch(sql, *given))]

    async def then(self, scope: tuple[str, str, str], known_at: datetime) -> Sequence[tuple[dict[str, Any], int]]:
        """Return every case of the scope that was there at an instant: its row as of now, and its version then."""
        name, whose, team = scope
        given = {"own": [whose], "team": [whose, team], "centre": [whose], "all": []}[name]
        bound = SCOPES[name].format(*(f"${n}" for n in range(2, 4)))
        sql = (
            f"select {COLUMNS}, version_then from "  # noqa: S608 - fixed words, values are placed
            f"(select c.*, ({THEN.format('$1')}) as version_then from case_view c where {bound}) known "
            "where version_then is not null"
        )
        rows = [dict(row) for row in await guarded(self._pool.fetch(sql, known_at, *given))]
        return [(row, row.pop("version_then")) for row in rows]

    async def detail(self, stream: str, text: str) -> Any:  # noqa: ANN401 - JSON
        """`detail` of a worklist row, opened."""
        return await self._ledger.case_detail(stream, text)

    async def case_of(self, number: str) -> str | None:
        """Find the case with this number."""
        stream: str | None = await guarded(self._pool.fetchval(CASE_OF, number))
        return stream

    async def belongings(self, streams: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Owner, team and centre of cases, for scope."""
        rows = await guarded(self._pool.fetch(SCOPE_OF, list(streams)))
        return {row["stream"]: dict(row) for row in rows}

    async def catalogue(self, prefix: str, after: str, limit: int) -> Sequence[dict[str, Any]]:
        """Lots, protocols, centres or persons as their read models show them, by stream."""
        rows = await guarded(self._pool.fetch(LIST, f"{prefix}-", after, limit))
        return [{**row, "state": json.loads(row["state"])} for row in rows]

    async def looks(self, stream: str, before: int, limit: int) -> Sequence[dict[str, Any]]:
        """List who saw a case, newest first, before a position of the ledger."""
        rows = await guarded(self._pool.fetch(LOOKS, stream, before, limit))
        return [{**row, "opened": json.loads(row["opened"])} for row in rows]

    async def head(self) -> int:
        """Read the newest position of the ledger."""
        position: int = await guarded(self._pool.fetchval(HEAD))
        return position

    async def changes(self, after: int, limit: int) -> Sequence[tuple[int, str, int]]:
        """Position, case and version of every event of a case after a position."""
        rows = await guarded(self._pool.fetch(CHANGES, after, limit))
        return [(row["position"], row["stream"], row["version"]) for row in rows]


def _place(given: list[Any], value: object) -> str:
    given.append(value)
    return f"${len(given)}"


def _scoped(scope: tuple[str, str, str], given: list[Any]) -> str:
    name, whose, team = scope
    if name == "all":
        return SCOPES[name]
    places = [_place(given, whose), _place(given, team)] if name == "team" else [_place(given, whose)]
    return SCOPES[name].format(*places)

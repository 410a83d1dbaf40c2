"""Reads the worklist, and what else people look up of cases, from their read model; no domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
    tuple_,
)

from infra.ledger.connections import Reads
from infra.ledger.ledger import PgLedger
from infra.ledger.schema.tables import CaseView, EventRow
from infra.ledger.statement import LIMIT, NOW, ONE, SqlStatement, fixed, one_of, table, text

case, event = table(CaseView).c, table(EventRow).c
Filter = Callable[[Any], ColumnElement[bool]]
NOBODY = fixed("")
PRESSING = and_(case.urgent, case.open)
"""Urgent cases come first in every order, while they are open."""
UNOWNED = func.coalesce(case.owner, NOBODY) == NOBODY
FILTERS: Mapping[str, Filter] = {
    "stage": lambda value: case.stage == value,
    "owner": lambda value: case.owner == value,
    "team": lambda value: case.team == value,
    "centre": lambda value: case.centre == value,
    "urgent": lambda value: case.urgent == value,
    "open": lambda value: case.open == value,
    "number": lambda value: case.number == value,
    "overdue": (case.next_due < NOW).is_not_distinct_from,
    "unowned": UNOWNED.__eq__,
    "country": lambda value: case.country == value,
    "debtor": lambda value: case.next_debtor == value,
    "hold": lambda value: case.on_hold == value,
}
"""What a worklist can be narrowed to; each takes one value."""
FLAGS = frozenset({"urgent", "open", "overdue", "unowned", "hold"})
WHOSE, TEAM = text("scope_whose"), text("scope_team")
SCOPES: Mapping[str, ColumnElement[bool]] = {
    "own": case.owner == WHOSE,
    "team": or_(case.owner == WHOSE, case.team == TEAM, and_(UNOWNED, func.coalesce(case.team, NOBODY) == NOBODY)),
    "centre": case.centre == WHOSE,
    "all": true(),
}
"""Whose cases; the words of domain/roles.py."""
ORDERS: Mapping[str, tuple[ColumnElement[Any], bool]] = {
    "due": (case.next_due, False),
    "longest": (case.stage_since, False),
    "oldest": (case.opened_at, False),
    "newest": (case.opened_at, True),
}
"""How a worklist can be sorted: column, and whether the latest comes first."""
Key = Sequence[ColumnElement[Any]]
Cursor = tuple[datetime | None, str, bool]
Scope = tuple[str, str, str]
"""The scope, actor or centre, and team."""
Shape = tuple[str, tuple[str, ...], str, bool]
"""What a page is read by: scope, filters, order, and whether pressing cases or the others."""

ROWS = SqlStatement(select(CaseView).where(one_of(case.stream, "streams")))
STREAMS = SqlStatement(select(case.stream))
CASE_OF = SqlStatement(select(case.stream).where(case.number == text("number")))
SCOPE_OF = SqlStatement(select(case.stream, case.owner, case.team, case.centre).where(one_of(case.stream, "streams")))
MEANT = SqlStatement(
    select(event.stream)
    .where(event.stream == text("text"))
    .union(select(case.stream).where(case.number == text("text")))
    .limit(ONE)
)


class WorklistQueries:
    """Reads of the cases of one ledger."""

    def __init__(self, ledger: PgLedger) -> None:
        self._ledger = ledger
        self._pool = ledger.pool

    async def worklist(
        self, scope: Scope, filters: Mapping[str, Any], after: Cursor | None, limit: int, order: str = "due"
    ) -> Sequence[dict[str, Any]]:
        """List at most `limit` rows after a cursor in one of ORDERS: urgent ones first, without its instant last."""
        given = {f"filter_{name}": value for name, value in filters.items()} | _whose(scope)
        rows: list[dict[str, Any]] = []
        for pressing in (True, False):
            if len(rows) < limit and (after is None or after[2] is pressing or not pressing):
                there = after if after and after[2] is pressing else None
                shape = scope[0], tuple(filters), order, pressing
                rows += await self._part(shape, given, there, limit - len(rows))
        return rows

    async def _part(
        self, shape: Shape, given: Mapping[str, Any], after: Cursor | None, limit: int
    ) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        if after is None or after[0] is not None:
            there = {"at": after[0], "stream": after[1]} if after else {}
            statement = _page(*shape, goes_on=bool(after), limit=limit)
            rows = await statement.rows(self._pool, **given, **there)
        if len(rows) < limit:
            rest = {"stream": after[1]} if after and after[0] is None else {}
            statement = _rest(*shape, goes_on=bool(rest))
            rows += await statement.rows(self._pool, limit=limit - len(rows), **given, **rest)
        return rows

    async def tally(self, scope: Scope, actor: str, team: str) -> Sequence[dict[str, Any]]:
        """Count open cases by stage: all and late, of everybody, of this actor, of this team and of nobody."""
        return await _tally(scope[0]).rows(self._pool, actor=actor, team=team, **_whose(scope))

    async def rows(self, streams: Sequence[str]) -> Sequence[dict[str, Any]]:
        """Read the worklist rows of these cases."""
        return await ROWS.rows(self._pool, streams=list(streams))

    async def streams(self) -> Sequence[str]:
        """List the streams of every case."""
        return [row["stream"] for row in await STREAMS.rows(self._pool)]

    async def then(self, scope: Scope, known_at: datetime) -> Sequence[tuple[dict[str, Any], int]]:
        """List every case of the scope that was there at an instant: its row as of now, and its version then."""
        rows = await _then(scope[0]).rows(self._pool, known_at=known_at, **_whose(scope))
        return [(row, row.pop("version_then")) for row in rows]

    async def detail(self, stream: str, text: str) -> Any:  # noqa: ANN401 - JSON
        """Open `detail` of a worklist row."""
        return await self._ledger.case_detail(stream, text)

    async def case_of(self, number: str) -> str | None:
        """Find the case with this number."""
        stream: str | None = await CASE_OF.value(self._pool, number=number)
        return stream

    async def belongings(self, streams: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Read owner, team and centre of cases, for scope."""
        return {row["stream"]: row for row in await SCOPE_OF.rows(self._pool, streams=list(streams))}


async def stream_meant(reads: Reads, given: str) -> str | None:
    """Find the stream of that name, or that of the case with that number; None where there is neither."""
    found: str | None = await MEANT.value(reads, text=given)
    return found


def _whose(scope: Scope) -> dict[str, str]:
    return {"scope_whose": scope[1], "scope_team": scope[2]}


@lru_cache(512)
def _page(
    scope: str, filters: tuple[str, ...], order: str, pressing: bool, *, goes_on: bool, limit: int
) -> SqlStatement:
    """Rows that have the instant of an order. The limit stands in the text: a bound one is planned anew each time."""
    column, latest_first = ORDERS[order]
    last = (bindparam("at", type_=column.type), text("stream")) if goes_on else ()
    part = and_(_pressing(pressing), column.is_not(None))
    found = _ordered(scope, filters, part, (column, case.stream), last, latest_first=latest_first)
    return SqlStatement(found.limit(literal_column(str(int(limit)), Integer)))


@lru_cache(512)
def _rest(scope: str, filters: tuple[str, ...], order: str, pressing: bool, *, goes_on: bool) -> SqlStatement:
    """Rows that lack the instant of an order, by stream."""
    column, latest_first = ORDERS[order]
    last = (text("stream"),) if goes_on else ()
    part = and_(_pressing(pressing), column.is_(None))
    found = _ordered(scope, filters, part, (case.stream,), last, latest_first=latest_first)
    return SqlStatement(found.limit(LIMIT))


def _pressing(wanted: bool) -> ColumnElement[bool]:
    return PRESSING if wanted else not_(PRESSING)


def _ordered(
    scope: str, filters: tuple[str, ...], part: ColumnElement[bool], key: Key, last: Key, *, latest_first: bool
) -> Select[Any]:
    bounds = [part, SCOPES[scope], *(FILTERS[name](_value(name)) for name in filters)]
    if last:
        bounds.append(tuple_(*key) < tuple_(*last) if latest_first else tuple_(*key) > tuple_(*last))
    return select(CaseView).where(*bounds).order_by(*(one.desc() if latest_first else one for one in key))


def _value(name: str) -> ColumnElement[Any]:
    return bindparam(f"filter_{name}", type_=Boolean()) if name in FLAGS else text(f"filter_{name}")


@lru_cache(4)
def _tally(scope: str) -> SqlStatement:
    late = func.coalesce(case.next_due < NOW, fixed("false").cast(Boolean)).label("late")
    mine = select(case.stage, case.owner, case.team, late).where(case.open, SCOPES[scope]).subquery("mine").c
    groups = {
        "all": true(),
        "mine": mine.owner == text("actor"),
        "team": mine.team == text("team"),
        "unassigned": func.coalesce(mine.owner, NOBODY) == NOBODY,
    }
    counts = [func.count().filter(whose).label(name) for name, whose in groups.items()]
    counts += [func.count().filter(mine.late, whose).label(f"{name}_late") for name, whose in groups.items()]
    return SqlStatement(select(mine.stage, *counts).group_by(mine.stage))


@lru_cache(4)
def _then(scope: str) -> SqlStatement:
    version = (
        select(event.version)
        .where(event.stream == case.stream, event.recorded_at <= bindparam("known_at", type_=event.recorded_at.type))
        .order_by(event.version.desc())
        .limit(ONE)
        .scalar_subquery()
    )
    known = select(CaseView, version.label("version_then")).where(SCOPES[scope]).subquery("known")
    found: Select[Any] = select(known).where(known.c.version_then.is_not(None))
    return SqlStatement(found)

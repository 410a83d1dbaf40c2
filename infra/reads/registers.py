"""Reads lots, protocols, centres and persons as their read models show them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, or_, select, true
from sqlalchemy.sql.selectable import LateralFromClause

from infra.ledger.connections import Pool
from infra.ledger.schema.tables import EffectView, EventRow, ObligationView, SourceRow, WatchRow
from infra.ledger.statement import LIMIT, ONE, SqlStatement, fixed, member, one_of, table, text

source = table(SourceRow).c
LIST = SqlStatement(
    select(source.stream, source.version, source.state)
    .where(func.starts_with(source.stream, text("prefix")), source.stream > text("after"))
    .order_by(source.stream)
    .limit(LIMIT)
)

CHANGES = SqlStatement(
    select(source.stream)
    .where(or_(member(source.state, "proposal").is_not(None), member(source.state, "confirmed").is_not(None)))
    .order_by(source.stream)
)
LYING = SqlStatement(
    select(source.stream, source.version)
    .where(func.starts_with(source.stream, fixed("lot-")))
    .where(func.strpos(member(source.state, "stores"), text("quoted")) > 0)
    .order_by(source.stream)
)
TO_JUDGE = SqlStatement(
    select(source.stream, source.version)
    .where(func.starts_with(source.stream, fixed("lot-")))
    .where(
        or_(
            member(source.state, "stopped").is_not(None),
            member(source.state, "state") == fixed("registered"),
            member(source.state, "state") == fixed("quarantined"),
        )
    )
    .order_by(source.stream)
)
RELEASED = SqlStatement(
    select(source.stream, source.version)
    .where(func.starts_with(source.stream, fixed("lot-")))
    .where(member(source.state, "state") == fixed("released"), one_of(member(source.state, "product"), "products"))
    .order_by(source.stream)
)

event = table(EventRow).c
DESCRIBING = ("ProtocolRegistered", "ProtocolAmended", "CentreRegistered", "CentreAmended")
DATING = (*DESCRIBING, "EntryReviewed")


def _newest(types: Sequence[str], name: str) -> LateralFromClause:
    """The newest event of these types of the stream in the row beside it."""
    found = select(event.data, member(event.meta, "actor").label("actor"))
    of_it = found.where(event.stream == source.stream, or_(*(event.type == fixed(one) for one in types)))
    return of_it.order_by(event.version.desc()).limit(ONE).lateral(name)


SAID, SEEN = _newest(DESCRIBING, "said"), _newest(DATING, "seen")
DESCRIBED = SqlStatement(
    select(
        source.stream,
        source.version,
        source.state,
        SAID.c.data.label("said"),
        member(SEEN.c.data, "as_of").label("as_of"),
        SEEN.c.actor.label("reviewed_by"),
    )
    .select_from(table(SourceRow).outerjoin(SAID, true()).outerjoin(SEEN, true()))
    .where(func.starts_with(source.stream, text("prefix")), source.stream > text("after"))
    .order_by(source.stream)
    .limit(LIMIT)
)

owed, wanted = table(ObligationView).c, table(EffectView).c
WANT_UNIT = SqlStatement(
    select(owed.stream)
    .where(owed.kind == fixed("find_dose"), owed.state == fixed("open"))
    .union(
        select(wanted.stream).where(
            wanted.kind == fixed("reserve_dose"),
            or_(wanted.state == fixed("requested"), wanted.state == fixed("unknown")),
        )
    )
)
watch = table(WatchRow).c
WATCHING = SqlStatement(select(watch.watcher).where(watch.stream == text("stream")).order_by(watch.watcher))


class RegisterQueries:
    """Reads of what is not a case."""

    def __init__(self, pool: Pool[Any]) -> None:
        self._pool = pool

    async def catalogue(self, prefix: str, after: str, limit: int) -> Sequence[dict[str, Any]]:
        """List streams of one kind by name, after one of them, with their state."""
        rows = await LIST.rows(self._pool, prefix=f"{prefix}-", after=after, limit=limit)
        return [{**row, "state": json.loads(row["state"])} for row in rows]

    async def lying(self, store: str) -> Sequence[str]:
        """Name the lots of which a unit lies or lay in a store."""
        return [stream for stream, _ in await self.lots_in(store)]

    async def lots_in(self, store: str) -> Sequence[tuple[str, int]]:
        """Name the lots of which a unit lies or lay in a store, with their versions."""
        rows = await LYING.rows(self._pool, quoted=f'"{store}"')
        return [(row["stream"], row["version"]) for row in rows]

    async def lots_to_judge(self) -> Sequence[tuple[str, int]]:
        """Name the lots with a stopped unit, and those that are not released, with their versions."""
        return [(row["stream"], row["version"]) for row in await TO_JUDGE.rows(self._pool)]

    async def released(self, products: Collection[str]) -> Sequence[tuple[str, int]]:
        """Name the released lots of these products, with their versions."""
        rows = await RELEASED.rows(self._pool, products=list(products))
        return [(row["stream"], row["version"]) for row in rows]

    async def want_unit(self) -> Sequence[str]:
        """Name the cases that were refused a unit, or for which one is being asked."""
        return sorted(str(row["stream"]) for row in await WANT_UNIT.rows(self._pool))

    async def described(self, prefix: str, after: str, limit: int) -> Sequence[dict[str, Any]]:
        """List protocols or centres as `catalogue` does, with what they were last described as, and when by whom."""
        rows = await DESCRIBED.rows(self._pool, prefix=f"{prefix}-", after=after, limit=limit)
        return [
            {**row, "state": json.loads(row["state"]), "said": json.loads(row["said"]) if row["said"] else {}}
            for row in rows
        ]

    async def changes(self) -> Sequence[str]:
        """Name the streams of which something was proposed or confirmed by two people."""
        return [str(row["stream"]) for row in await CHANGES.rows(self._pool)]

    async def watching(self, stream: str) -> Sequence[str]:
        """Name the open cases that depend on a stream: whatever changes there, they look again."""
        return [str(row["watcher"]) for row in await WATCHING.rows(self._pool, stream=stream)]

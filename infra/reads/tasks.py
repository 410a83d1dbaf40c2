"""Reads what everybody owes, one row an open obligation, with the case it belongs to; no domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import product
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
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

from infra.ledger.ledger import PgLedger
from infra.ledger.schema.tables import CaseView, ObligationView, SourceRow
from infra.ledger.statement import NOW, SqlStatement, fixed, member, table, text
from infra.reads.worklist import PRESSING, SCOPES, Filter, Scope

case, task, person = table(CaseView).c, table(ObligationView).c, table(SourceRow).c
ME, ROLE = text("actor"), text("role")
ZONED = DateTime(timezone=True)
COVERED = select(person.stream).where(
    func.starts_with(person.stream, fixed("person-")),
    member(person.state, "cover") == ME,
    member(person.state, "absent_from").cast(ZONED) <= NOW,
    member(person.state, "absent_until").cast(ZONED) > NOW,
)
"""Who is away now, and left their cases to this reader."""
OWN = or_(case.owner == ME, case.owner.in_(COVERED))
COVERING = and_(task.debtor == fixed("coordinator"), case.owner.in_(COVERED))
"""What whoever is away owed as owner of their cases, though the reader be of another role."""
HELD = or_(task.holder == ME, task.holder.in_(COVERED))
FREE = task.holder.is_(None)
WHOSE: Mapping[str, ColumnElement[bool]] = {
    "mine": or_(HELD, and_(FREE, or_(and_(task.debtor == ROLE, OWN), COVERING))),
    "offered": task.offered == ME,
    "role": task.debtor == ROLE,
    "others": and_(OWN, or_(and_(not_(FREE), not_(HELD)), and_(FREE, task.debtor != ROLE, not_(COVERING)))),
    "all": true(),
}
"""Whose tasks: those I have in hand and my role's in my own cases that nobody has, those I am asked to take, those of
my role, what others owe or have in hand in my own cases, everybody's."""
LATE = task.late_since.is_not(None)
FILTERS: Mapping[str, Filter] = {
    "debtor": lambda value: task.debtor == value,
    "kind": lambda value: or_(task.kind == value, func.starts_with(task.about, func.concat(value, fixed(":")))),
    "late": LATE.__eq__,
    "free": FREE.__eq__,
    "holder": lambda value: task.holder == value,
    "urgent": lambda value: case.urgent == value,
}
"""What a list can be narrowed to; a kind is found where it is chased, too."""
FLAGS = frozenset({"late", "urgent", "free"})
PARTS = tuple(product((True, False), (True, False)))
"""Pressing cases or others, late or not, in the order they are listed in."""
COLUMNS = (
    task.id.label("task"),
    task.kind.label("task_kind"),
    task.about.label("task_about"),
    task.debtor.label("task_debtor"),
    task.creditor.label("task_creditor"),
    task.due.label("task_due"),
    task.late_since.label("task_late_since"),
    task.opened_at.label("task_opened_at"),
    task.holder.label("task_holder"),
    task.offered.label("task_offered"),
)
Place = tuple[int, datetime, str]
"""Where a page ended: the part, the instant it is ordered by, and the obligation."""
Shape = tuple[str, str, tuple[str, ...], int]
"""What a page is read by: scope, whose, filters, part."""


class TaskQueries:
    """Reads of the open obligations of one ledger."""

    def __init__(self, ledger: PgLedger) -> None:
        self._pool = ledger.pool

    async def tasks(
        self,
        scope: Scope,
        reader: tuple[str, str],
        whose: str,
        filters: Mapping[str, Any],
        after: Place | None,
        limit: int,
    ) -> Sequence[dict[str, Any]]:
        """List at most `limit` tasks: those of urgent cases first, late ones before others, longest or soonest first.

        `reader` is who asks, and the role they owe things as.
        """
        given = {f"filter_{name}": value for name, value in filters.items()} | _given(scope, reader)
        rows: list[dict[str, Any]] = []
        for part in range(after[0] if after else 0, len(PARTS)):
            if len(rows) == limit:
                break
            there = {"at": after[1], "id": after[2]} if after and after[0] == part else {}
            statement = _page((scope[0], whose, tuple(filters), part), goes_on=bool(there), limit=limit - len(rows))
            found = await statement.rows(self._pool, **given, **there)
            rows += [{**row, "part": part} for row in found]
        return rows

    async def tally(self, scope: Scope, reader: tuple[str, str]) -> Mapping[str, int]:
        """Count open tasks of each of WHOSE, and as `…_late` those that are late."""
        return await _tally(scope[0]).first(self._pool, **_given(scope, reader)) or {}


def _given(scope: Scope, reader: tuple[str, str]) -> dict[str, str]:
    return {"scope_whose": scope[1], "scope_team": scope[2], "actor": reader[0], "role": reader[1]}


def _open(scope: str) -> Sequence[ColumnElement[bool]]:
    return task.state == fixed("open"), case.open, SCOPES[scope]


@lru_cache(512)
def _page(shape: Shape, *, goes_on: bool, limit: int) -> SqlStatement:
    """One part of the list. The limit stands in the text: a bound one is planned anew each time."""
    scope, whose, filters, part = shape
    pressing, late = PARTS[part]
    at = task.late_since if late else task.due
    bounds = [
        *_open(scope),
        WHOSE[whose],
        PRESSING if pressing else not_(PRESSING),
        LATE if late else not_(LATE),
        *(FILTERS[name](_value(name)) for name in filters),
    ]
    if goes_on:
        bounds.append(tuple_(at, task.id) > tuple_(bindparam("at", type_=ZONED), text("id")))
    found: Select[Any] = select(*case, *COLUMNS).join_from(
        table(ObligationView), table(CaseView), task.stream == case.stream
    )
    return SqlStatement(found.where(*bounds).order_by(at, task.id).limit(literal_column(str(int(limit)), Integer)))


def _value(name: str) -> ColumnElement[Any]:
    return bindparam(f"filter_{name}", type_=Boolean()) if name in FLAGS else text(f"filter_{name}")


@lru_cache(4)
def _tally(scope: str) -> SqlStatement:
    counts = [func.count().filter(whose).label(name) for name, whose in WHOSE.items()]
    counts += [func.count().filter(whose, LATE).label(f"{name}_late") for name, whose in WHOSE.items()]
    joined = select(*counts).join_from(table(ObligationView), table(CaseView), task.stream == case.stream)
    return SqlStatement(joined.where(*_open(scope)))

"""Statements over the classes of infra/ledger/schema/tables.py: SQLAlchemy writes their text once, asyncpg sends it.

SQLAlchemy's own engine costs several times what such a read costs (measured on the worklist), so it is not asked to
carry them out. What is not written this way stands, named, in infra/ledger/queries.py and infra/audit/queries.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ClauseElement,
    ColumnElement,
    Integer,
    Table,
    Text,
    any_,
    bindparam,
    func,
    inspect,
    literal_column,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import NamedFromClause
from sqlmodel import SQLModel

from infra.ledger.connections import Reads
from infra.ledger.encoding.errors import guarded

Row = Mapping[str, Any]
DIALECT = dialect()  # type: ignore[no-untyped-call]
ONE = literal_column("1", Integer)
NOW, STATEMENT_TIME = func.clock_timestamp(), func.statement_timestamp()
LIMIT = bindparam("limit", type_=Integer)


def table(of: type[SQLModel]) -> Table:
    """Return the table of a class; its columns are `.c`."""
    return cast("Table", inspect(of).local_table)


def again(of: type[SQLModel], name: str) -> NamedFromClause:
    """Return the same table under another name, for a second use in one statement."""
    return table(of).alias(name)


def fixed(word: str) -> ColumnElement[str]:
    """Put a word of ours into the SQL text itself, as partial indexes and indexed expressions need it."""
    return literal_column(f"'{word}'", Text)


def text(name: str) -> BindParameter[str]:
    """Bind a value that is text."""
    return bindparam(name, type_=Text)


def one_of(column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Compare a column with a list of texts: it must be among them."""
    return column == any_(bindparam(name, type_=ARRAY(Text)))


def member(column: ColumnElement[str], name: str) -> ColumnElement[str]:
    """Read a member of the JSON that a text column holds, as text."""
    return column.cast(JSON).op("->>", return_type=Text())(fixed(name))


class SqlStatement:
    """A select, insert, update or delete whose values are bound by name."""

    def __init__(self, made: ClauseElement) -> None:
        compiled = cast("SQLCompiler", made.compile(dialect=DIALECT))
        self.text = compiled.string
        self._names = compiled.positiontup or ()
        self._own = {name: value for name, value in compiled.params.items() if value is not None}

    async def rows(self, reads: Reads, **values: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - columns
        """Return every row. Raises DatabaseFailed."""
        return [dict(row) for row in await guarded(reads.fetch(self.text, *self._given(values)))]

    async def first(self, reads: Reads, **values: Any) -> dict[str, Any] | None:  # noqa: ANN401 - columns
        """Return the first row, None without one. Raises DatabaseFailed."""
        rows = await self.rows(reads, **values)
        return rows[0] if rows else None

    async def value(self, reads: Reads, **values: Any) -> Any:  # noqa: ANN401 - a column
        """Return the first column of the first row, None without one. Raises DatabaseFailed."""
        rows = await guarded(reads.fetch(self.text, *self._given(values)))
        return rows[0][0] if rows else None

    def _given(self, values: Mapping[str, Any]) -> list[Any]:
        known = {**self._own, **values}
        return [known[name] for name in self._names]

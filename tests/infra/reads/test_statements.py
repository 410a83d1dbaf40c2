"""Every statement made from the classes of tables.py is one that PostgreSQL understands, and every class is used."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import product
from pathlib import Path
from pkgutil import walk_packages

import asyncpg

import infra
from infra.ledger.schema import tables
from infra.ledger.schema.migrate import migrate
from infra.ledger.statement import SqlStatement
from infra.reads import tasks, worklist


def statements() -> Iterator[tuple[str, SqlStatement]]:
    """Those that stand in a module, and of the worklist one for each way it can be asked."""
    for module in walk_packages(infra.__path__, "infra."):
        if "migrations" not in module.name:
            found = vars(import_module(module.name)).items()
            yield from ((f"{module.name}.{name}", one) for name, one in found if isinstance(one, SqlStatement))
    filters = tuple(worklist.FILTERS)
    ways = product(worklist.SCOPES, worklist.ORDERS, (False, True), (False, True))
    for scope, order, goes_on, pressing in ways:
        name = f"{scope} {order} {goes_on} {pressing}"
        yield f"page {name}", worklist._page(scope, filters, order, pressing, goes_on=goes_on, limit=7)
        yield f"rest {name}", worklist._rest(scope, filters, order, pressing, goes_on=goes_on)
    for scope in worklist.SCOPES:
        yield f"tally {scope}", worklist._tally(scope)
        yield f"then {scope}", worklist._then(scope)
        yield f"tasks {scope}", tasks._tally(scope)
    for scope, whose, part, goes_on in product(worklist.SCOPES, tasks.WHOSE, range(len(tasks.PARTS)), (False, True)):
        shape = scope, whose, tuple(tasks.FILTERS), part
        yield f"tasks {shape} {goes_on}", tasks._page(shape, goes_on=goes_on, limit=7)


async def test_the_database_understands_every_statement(postgres: str) -> None:
    await migrate(postgres)
    connection = await asyncpg.connect(postgres)
    every = dict(statements())
    for name, statement in every.items():
        prepared = await connection.prepare(statement.text)
        assert len(prepared.get_parameters()) == len(statement._names), name
    await connection.close()
    assert len(every) > 60


def test_every_class_of_a_table_is_used_by_something() -> None:
    classes = {name for name, one in vars(tables).items() if hasattr(one, "__table__")}
    files = [file for file in Path(infra.__file__).parent.rglob("*.py") if file != Path(tables.__file__)]
    text = "\n".join(file.read_text() for file in files)
    assert {name for name in classes if f"table({name})" not in text and f"{name}," not in text} == set()


SQL = re.compile(r"\s*(select\s|insert into|update \w+ set|delete from|(drop|create) (table|database))", re.IGNORECASE)
NAMED = {
    "infra/audit/queries.py": "sealing, verifying and packing",
    "infra/embedded/postgres_server.py": "whether the server answers",
    "infra/ledger/queries.py": "append, load, follow and the courier",
    "infra/ledger/rebuild.py": "shadow tables, by name",
    "infra/ledger/schema/migrate.py": "the lock of a migration",
    "infra/ledger/schema/script.py": "what begins a transaction",
    "infra/ledger/schema/whole.py": "whole databases",
    "rehearsal/hospitals/book.py": "the simulated hospitals' own SQLite, no part of the ledger",
    "rehearsal/mail_catcher.py": "the mail catcher's own SQLite, as above",
}


def sql_of(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value):
            yield node.value


def test_sql_text_stands_only_where_it_is_named() -> None:
    root = Path(infra.__file__).parents[1]
    folders = ("domain", "activities", "workflows", "infra", "api", "rehearsal")
    files = {str(file.relative_to(root)): file for folder in folders for file in (root / folder).rglob("*.py")}
    assert {name for name, file in files.items() if any(sql_of(file))} == set(NAMED)

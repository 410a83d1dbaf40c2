"""`caravel migrate` and `caravel doctor`: this machine's database, and everything it needs."""

from __future__ import annotations

from api.cli.commands.doctor import examine
from api.cli.options import Json
from api.cli.outcome import UNAVAILABLE, CommandFailed, as_json, say, table
from api.cli.way import running
from infra.ledger.schema.migrate import migrate as upgrade
from infra.settings import Settings


def migrate() -> None:
    """Bring the database to this program's schema; safe to repeat."""
    running(upgrade(_dsn()))
    say("the database has the schema of this program")


def _dsn() -> str:
    dsn = Settings().database_url.get_secret_value()
    if not dsn:
        raise CommandFailed(UNAVAILABLE, "set CARAVEL_DATABASE_URL")
    return dsn


def doctor(*, json: Json = False) -> None:
    """Look at everything this machine needs: settings, policy, keys, database, schema, ledger, Temporal, courier."""
    found = running(examine(Settings()))
    if json:
        as_json([{"part": part, "ok": ok, "says": says} for part, ok, says in found])
    else:
        table(("part", "", "says"), [(part, "ok" if ok else "BAD", says) for part, ok, says in found])
    if not all(ok for _, ok, _ in found):
        raise CommandFailed(UNAVAILABLE, "something is missing")

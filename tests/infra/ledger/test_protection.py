"""History cannot be changed, the clock cannot be told, and a ledger of somebody else is only read."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from activities.ports import Attention
from domain.catalogue import installation
from domain.catalogue.installation import Installation, RehearsalEnded
from domain.core.errors import Reason, Refused
from infra.ledger.encoding.errors import guarded
from infra.ledger.ledger import CaseDue, PgLedger
from infra.ledger.schema import tables
from infra.ledger.schema.migrate import at_head, migrate
from tests.conftest import fresh
from tests.infra.ledger.cases import Counted, opened, stream, writing

Admin = asyncpg.Connection
CHANGES = ["update event set data = '{}'", "delete from event", "truncate event", "delete from event where false"]
THEN = datetime(2011, 5, 1, tzinfo=UTC)


@pytest.fixture
async def empty(postgres: str) -> str:
    """The same server, a database without an event."""
    return await fresh(postgres, f"empty_{uuid.uuid4().hex[:12]}")


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("role", ["caravel_app", "caravel_owner", "caravel_auditor", "postgres"])
async def test_nobody_changes_history(ledger: PgLedger, admin: "Admin[asyncpg.Record]", role: str, change: str) -> None:
    await ledger.append(writing(stream(), 0, Counted()))
    await admin.execute(f"set role {role}")
    with pytest.raises(asyncpg.PostgresError) as refusal:
        await admin.execute(change)
    assert refusal.value.sqlstate == ("42501" if role in ("caravel_app", "caravel_auditor") else "CV005")


async def test_a_replica_session_does_not_get_around_it(admin: "Admin[asyncpg.Record]") -> None:
    await admin.execute("set session_replication_role = replica")
    with pytest.raises(asyncpg.PostgresError, match="history cannot be changed"):
        await admin.execute("delete from event")


async def test_without_the_trigger_its_owner_could(ledger: PgLedger, admin: "Admin[asyncpg.Record]") -> None:
    # The control of the tests above.
    await ledger.append(writing(stream(), 0, Counted()))
    transaction = admin.transaction()
    await transaction.start()
    await admin.execute("alter table event disable trigger event_is_append_only")
    assert (await admin.execute("delete from event")).startswith("DELETE ")
    await transaction.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "insert into event select * from event",
        "update case_view set stage = 'visa'",
        "update engine set epoch = 9",
        "delete from command",
        "create table public.mine (id int)",
        "alter table event disable trigger all",
        "select caravel_wake_watchers('{case-1}', '{1}', '{true}')",
    ],
)
async def test_the_application_has_no_way_beside_the_functions(
    ledger: PgLedger, admin: "Admin[asyncpg.Record]", statement: str
) -> None:
    assert not ledger.read_only
    await admin.execute("set role caravel_app")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await admin.execute(statement)


async def test_an_auditor_reads_and_checks_and_appends_nothing(admin: "Admin[asyncpg.Record]") -> None:
    await admin.execute("set role caravel_auditor")
    assert await admin.fetchval("select count(*) from event") > 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await admin.execute("select caravel_take_over('x', 'y')")


@pytest.mark.parametrize("kind", ["production", "development"])
async def test_only_a_rehearsal_takes_a_given_instant(empty: str, tmp_path: Path, kind: str) -> None:
    ledger = await opened(empty, tmp_path, kind=kind)
    for name, expected in ((stream(), 0), (installation.STREAM, 1)):
        with pytest.raises(Refused) as refusal:
            await ledger.append(writing(name, expected, Counted(), at=THEN))
        assert refusal.value.reason == Reason.NOT_ALLOWED
    assert await ledger.head() == 1
    await ledger.close()


async def test_a_production_ledger_cannot_be_begun_in_the_past(empty: str, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        await opened(empty, tmp_path, kind="production", start=THEN)


async def test_a_rehearsal_runs_through_its_years_and_then_its_door_closes(empty: str, tmp_path: Path) -> None:
    ledger = await opened(empty, tmp_path, kind="rehearsal", start=THEN)
    name = stream()
    (fact,) = await ledger.append(writing(name, 0, Counted(), at=THEN + timedelta(days=1)))
    assert fact.at == THEN + timedelta(days=1)
    (fact,) = await ledger.append(writing(name, 1, Counted(), at=THEN))
    assert fact.at == THEN + timedelta(days=1)  # never back
    await ledger.append(writing(installation.STREAM, 1, RehearsalEnded()))
    with pytest.raises(Refused):
        await ledger.append(writing(name, 2, Counted(), at=THEN + timedelta(days=2)))
    (fact,) = await ledger.append(writing(name, 2, Counted()))
    assert fact.at > datetime(2026, 1, 1, tzinfo=UTC)
    await ledger.close()
    again = await opened(empty, tmp_path, kind="rehearsal")
    assert again.installation == Installation("here", "rehearsal", rehearsing=False)
    await again.close()


async def test_nothing_is_recorded_before_the_ledger_has_a_name(empty: str) -> None:
    connection = await asyncpg.connect(empty, server_settings={"role": "caravel_app"})
    call = (
        "select caravel_append_all('{case-1}', '{0}', '{1}', null, null, null, null, null, null, null, null, "
        "null, null, null, null, null, '{i}', '{Counted}', '{1}', array['{}'], array['{}'], array['{}'], $1, null, "
        "null, null, null, null, null, null, null, null, null, null, null, null, null, now(), interval '1 minute')"
    )
    with pytest.raises(Refused) as refusal:
        await guarded(connection.execute(call, [bytes(48)]))
    assert refusal.value.reason == Reason.NOT_FOUND
    await connection.close()


@pytest.mark.parametrize(("name", "kind"), [("elsewhere", "development"), ("here", "production")])
async def test_a_ledger_of_another_installation_is_only_read(
    ledger: PgLedger, dsn: str, tmp_path: Path, name: str, kind: str
) -> None:
    mine = stream()
    await ledger.append(writing(mine, 0, Counted()))
    other = await opened(dsn, tmp_path, name, kind)
    assert (other.read_only, other.installation) == (True, Installation("here", "development", rehearsing=False))
    assert len((await other.load(mine)).facts) == 1
    writes = [
        other.append(writing(mine, 1, Counted())),
        other.append(writing(mine, 1, attention=Attention(attended=True))),
        other.claim(mine, "effect", expected=1, epoch=0, lease=timedelta(minutes=1)),
        other.release("effect", 1),
        other.nudged([CaseDue(mine, 1, 0, None)], timedelta(minutes=1)),
        other.take_over("x", "y"),
        other.reject_callback("c", "r", b"", 0),
    ]
    for write in writes:
        with pytest.raises(Refused) as refusal:
            await write
        assert refusal.value.reason == Reason.READ_ONLY
    await other.close()


async def test_migrating_again_changes_nothing(ledger: PgLedger, dsn: str) -> None:
    head = await ledger.head()
    await migrate(dsn)
    assert await at_head(dsn)
    assert await ledger.head() == head


async def test_the_classes_and_the_tables_say_the_same(dsn: str) -> None:
    names = {table.__tablename__ for table in vars(tables).values() if hasattr(table, "__table__")}

    def compare(connection: Connection) -> list[object]:
        options = {"include_name": lambda name, kind, _: kind != "table" or name in names}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), SQLModel.metadata))

    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn))
    async with engine.connect() as connection:
        assert await connection.run_sync(compare) == []
    await engine.dispose()
    assert len(names) == 18

"""What the application's role may update goes one way: the number of a leader, the end of an attempt, a used link."""

from __future__ import annotations

import uuid
from typing import Any

import asyncpg
import pytest

from infra.leader import LASTS, MARKS, SEALER, supersede
from infra.ledger.ledger import PgLedger
from infra.ledger.queries import LEAVE_LEAD, RENEW_LEAD, TAKE_LEAD

Admin = asyncpg.Connection
LED = "select caravel_led('sealer', $1)"
CLAIM = "insert into claim values ($1, 1, 'case-1', 0, now(), now(), null, true)"
LINK = """insert into capability values
          (sha256($1::text::bytea), 'case-1', 'e', 'a', 'q', '{}', '{}', 'UTC', now() + interval '1 day', null)"""
USED = "update capability set used_at = {} where token = sha256($1::text::bytea)"
ENDED = "update claim set ended_at = {} where effect = $1"
BACK = [
    "update lead set fence = 0 where role = 'sealer'",
    "update lead set fence = fence - 1 where role = 'sealer'",
    "update lead set fence = 9223372036854775807 where role = 'sealer'",
    "update lead set role = 'nobody' where role = 'sealer'",
    "insert into lead values ('invented', 7, 'x', now(), now(), null, null)",
    "insert into lead values ('sealer', 0, 'x', now(), now(), null, null) on conflict (role) do update set fence = 0",
]
ROLES = ["caravel_app", "caravel_owner", "postgres"]


@pytest.fixture
async def led(ledger: PgLedger, admin: Admin[Any]) -> Admin[Any]:
    """Somebody whose place as sealer another has taken; the first number was 1 at the lowest."""
    assert not ledger.read_only
    await supersede(admin, SEALER)
    await supersede(admin, SEALER)
    return admin


async def refused(connection: Admin[Any], statement: str, *given: object) -> None:
    with pytest.raises(asyncpg.PostgresError) as refusal:
        await connection.execute(statement, *given)
    assert refusal.value.sqlstate == "CV005"


@pytest.mark.parametrize("statement", BACK)
@pytest.mark.parametrize("role", ROLES)
async def test_the_number_of_a_leader_only_grows_and_by_one(led: Admin[Any], role: str, statement: str) -> None:
    before = await led.fetch("select * from lead order by role")
    await led.execute(f"set role {role}")
    await refused(led, statement)
    await led.execute("reset role")
    assert await led.fetch("select * from lead order by role") == before


async def test_a_replica_session_does_not_get_around_it(led: Admin[Any]) -> None:
    await led.execute("set session_replication_role = replica")
    await refused(led, BACK[0])


async def test_leading_goes_on_as_before(led: Admin[Any]) -> None:
    await led.execute("set role caravel_app")
    fence = await led.fetchval("select fence from lead where role = 'sealer'")
    assert await led.fetchval(RENEW_LEAD, SEALER, fence)
    await led.execute(LEAVE_LEAD, SEALER, fence)
    assert await led.fetchval(TAKE_LEAD, SEALER, "me", LASTS, MARKS[SEALER]) == fence + 1


async def test_control_without_the_trigger_a_late_write_of_a_former_leader_is_taken(led: Admin[Any]) -> None:
    with pytest.raises(asyncpg.PostgresError, match="another leads"):
        await led.execute(LED, 0)
    transaction = led.transaction()
    await transaction.start()
    await led.execute("alter table lead disable trigger lead_goes_on")
    await led.execute("set local role caravel_app")
    await led.execute(BACK[0])
    assert await led.fetchval(LED, 0) == SEALER
    await transaction.rollback()


@pytest.mark.parametrize(("made", "updated"), [(CLAIM, ENDED), (LINK, USED)])
async def test_an_attempt_ends_once_and_a_link_is_used_once(
    ledger: PgLedger, admin: Admin[Any], made: str, updated: str
) -> None:
    assert not ledger.read_only
    name = uuid.uuid4().hex
    await admin.execute(made, name)
    await admin.execute("set role caravel_app")
    assert await admin.execute(updated.format("now()"), name) == "UPDATE 1"
    for back in ("null", "now() - interval '1 day'"):
        await refused(admin, updated.format(back), name)
    await admin.execute("reset role")
    table = updated.split()[1]
    transaction = admin.transaction()
    await transaction.start()
    await admin.execute(f"alter table {table} disable trigger user")
    assert await admin.execute(updated.format("null"), name) == "UPDATE 1", "the control"
    await transaction.rollback()
    await admin.execute(f"delete from {table} where {updated.split(' where ')[1]}", name)


MAY_UPDATE = """
select table_name || '.' || column_name from information_schema.column_privileges
where grantee = 'caravel_app' and privilege_type = 'UPDATE' and table_schema = 'public' order by 1
"""
WHOLE = {"lead", "chore", "trace", "verification"}
COLUMNS = {
    "attention.nudge_at", "claim.ended_at", "capability.used_at",
    "followed.done", "followed.upto", "followed.holder", "followed.lease_until",
}  # fmt: skip


async def test_what_the_application_may_update_is_what_is_written_down(ledger: PgLedger, admin: Admin[Any]) -> None:
    """docs/audit.md says of each what could be done there; another one has to be thought about first."""
    assert not ledger.read_only
    found = {name for (name,) in await admin.fetch(MAY_UPDATE)}
    assert {name for name in found if name.split(".")[0] not in WHOLE} == COLUMNS
    assert {name.split(".")[0] for name in found} == WHOLE | {name.split(".")[0] for name in COLUMNS}

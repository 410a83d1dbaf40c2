"""What is sealed is what the columns say; two sealers, absent sinks and lost processes leave nothing torn."""

import asyncio
import shutil
import signal
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest
from obstore.store import MemoryStore

from domain.proof import merkle
from infra.audit.checkpoints.exposure import exposure
from infra.audit.checkpoints.sealer import AFTER_REFUSAL, PAGE, POLL, SealingLimits
from infra.audit.checkpoints.sinks import FolderSink, SinkDiffers, StoreSink, checkpoint_name, key_name, sink_of, sizes
from infra.audit.checkpoints.tree import TreeIncomplete, consistency, frontier_at, inclusion
from infra.ledger.connections import Pool
from infra.ledger.encoding.errors import DatabaseFailed
from infra.ledger.ledger import PgLedger
from tests.forked import Forked
from tests.infra.audit.checkpoints import dying
from tests.infra.audit.log import ALWAYS, Log, recorded
from tests.infra.ledger.cases import Counted, writing

Admin = asyncpg.Connection
Sessions = Pool
pytestmark = pytest.mark.slow


async def leaves(admin: "Admin[asyncpg.Record]") -> list[bytes]:
    return [row["hash"] for row in await admin.fetch("select hash from event order by position")]


async def test_every_root_and_proof_from_the_database_is_that_of_the_events(
    ledger: PgLedger, log: Log, pool: "Sessions[asyncpg.Record]", admin: "Admin[asyncpg.Record]"
) -> None:
    sealer = log.sealer()
    for _ in range(6):
        await recorded(ledger, 3, 2, 4)
        await sealer.round(pool)
    of = await leaves(admin)
    assert log.kept() == log.kept("b") == [10, 19, 28, 37, 46, 55]
    for size in log.kept():
        assert log.checkpoint(size).root == merkle.root(of[:size]) == (await frontier_at(pool, size)).root()
    for position in (1, 17, 55):
        path = await inclusion(pool, position, 55)
        assert merkle.check_inclusion(of[position - 1], position - 1, 55, path, log.checkpoint(55).root)
    proof = await consistency(pool, 10, 55)
    assert merkle.check_consistency(10, 55, log.checkpoint(10).root, log.checkpoint(55).root, proof)


async def test_nothing_is_signed_before_enough_events_or_seconds_are_open(
    ledger: PgLedger, log: Log, pool: "Sessions[asyncpg.Record]"
) -> None:
    await recorded(ledger, 3)
    many = log.sealer(SealingLimits(events=5, seconds=60))
    assert await many.round(pool) == POLL
    assert log.kept() == []
    await recorded(ledger, 1)
    await many.round(pool)
    assert log.kept() == [5]
    old = log.sealer(SealingLimits(events=1000, seconds=0.2))
    await recorded(ledger, 1)
    await old.round(pool)
    assert log.kept() == [5]
    await asyncio.sleep(0.25)
    await old.round(pool)
    assert log.kept() == [5, 6]


async def test_the_exposure_window_is_what_no_outside_checkpoint_covers(
    ledger: PgLedger, log: Log, pool: "Sessions[asyncpg.Record]"
) -> None:
    await recorded(ledger, 4)
    before = await exposure(ledger.pool)
    assert (before.head, before.events, before.outside) == (5, 5, 0)
    assert before.seconds > 0
    await log.sealer(ALWAYS, Away()).round(pool)
    inside = await exposure(ledger.pool)
    assert (inside.sealed, inside.outside, inside.events) == (5, 0, 5)  # signed, but kept nowhere outside
    await log.sealer().round(pool)
    after = await exposure(ledger.pool)
    assert (after.sealed, after.outside, after.events, after.seconds, after.refused) == (5, 5, 0, 0.0, None)


class Away:
    """A sink nobody reaches."""

    name = "away"

    async def names(self) -> set[str]:
        raise OSError

    async def marks(self) -> dict[str, str]:
        raise OSError

    async def get(self, name: str) -> bytes:  # noqa: ARG002 - nobody answers
        raise OSError

    async def kept_at(self, name: str) -> datetime:  # noqa: ARG002 - as above
        raise OSError

    async def create(self, name: str, content: bytes) -> None:  # noqa: ARG002 - as above
        raise OSError


async def test_a_sink_that_is_away_is_shown_and_holds_up_no_other(
    ledger: PgLedger, log: Log, pool: "Sessions[asyncpg.Record]"
) -> None:
    await recorded(ledger, 2)
    await log.sealer(ALWAYS, Away(), log.sinks[0]).round(pool)
    assert log.kept() == [3]
    away, fine = (await exposure(ledger.pool)).sinks
    assert (away["name"], away["size"], away["error"]) == ("away", 0, "OSError")
    assert away["failing_since"]
    assert (fine["size"], fine["failing_since"]) == (3, None)


async def test_a_sink_that_comes_back_gets_all_it_missed(
    ledger: PgLedger, log: Log, pool: "Sessions[asyncpg.Record]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.audit.checkpoints.shipping.RETRY", 0)
    place = log.folder / "b"
    place.write_text("in the way")
    sealer = log.sealer()
    for _ in range(3):
        await recorded(ledger, 2)
        await sealer.round(pool)
    assert log.kept() == [3, 5, 7]
    place.unlink()
    await sealer.round(pool)
    assert log.kept("b") == [3, 5, 7]
    assert [one["failing_since"] for one in (await exposure(ledger.pool)).sinks] == [None, None]


async def test_an_object_store_is_a_sink_like_a_folder(
    ledger: PgLedger, log: Log, pool: "Sessions[asyncpg.Record]"
) -> None:
    store = StoreSink("memory", MemoryStore())
    await recorded(ledger, 2)
    await log.sealer(ALWAYS, store, log.sinks[0]).round(pool)
    assert await store.names() == {"key-000001", checkpoint_name(3)}
    for name in await store.names():
        assert await store.get(name) == (log.folder / "a" / name).read_bytes()
        await store.create(name, await store.get(name))
        with pytest.raises(SinkDiffers):
            await store.create(name, b"something else")
        with pytest.raises(SinkDiffers):
            await log.sinks[0].create(name, b"something else")


def test_a_place_is_a_folder_or_a_bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert isinstance(sink_of("s3://bucket/there"), StoreSink)
    folder = sink_of(str(tmp_path / "x"))
    assert isinstance(folder, FolderSink)
    assert folder.beside(tmp_path)
    assert sizes(["key-000001", checkpoint_name(7), checkpoint_name(12), "checkpoint-x", "other"]) == [7, 12]


MEDDLED = {
    "an edited payload": "update event set data = data || ' ' where position = 5",
    "an edited payload with its own hash": """update event set data = '{}', hash = caravel_event_hash(
        (select hash from event b where b.stream = event.stream and b.version = event.version - 1), stream, version, id,
        type, schema_version, occurred_earliest, occurred_latest, precision, recorded_at, salts, '{}', sealed, meta)
        where position = 5""",
    "a deleted event": "delete from event where position = 5",
    "a clock set back": "update event set recorded_at = '2001-01-01' where position = 5",
    "a sealed event deleted": "delete from event where position = 3",
    "the sealed end deleted": "delete from event",
    "a changed tree": "update tree_node set hash = sha256(hash) where level = 1",
    "a missing subtree": "delete from tree_node where level = 1",
    "a forged checkpoint": "update checkpoint set note = replace(note, E'\\n3\\n', E'\\n2\\n')",
    "a checkpoint row of another size": "update checkpoint set size = 2",
}


@pytest.mark.parametrize("meddling", MEDDLED.values(), ids=MEDDLED.keys())
async def test_what_was_changed_is_never_signed(
    ledger: PgLedger, log: Log, pool: "Sessions[asyncpg.Record]", admin: "Admin[asyncpg.Record]", meddling: str
) -> None:
    (name,) = await recorded(ledger, 2)
    sealer = log.sealer()
    await sealer.round(pool)
    await ledger.append(writing(name, 2, Counted(), Counted(), Counted()))
    for table in ("event", "tree_node", "checkpoint"):
        await admin.execute(f"alter table {table} disable trigger all")
    await admin.execute(meddling)
    assert await log.sealer().round(pool) == AFTER_REFUSAL
    assert await sealer.round(pool) == AFTER_REFUSAL
    assert log.kept() == [3]
    assert (await exposure(ledger.pool)).refused


async def test_what_was_put_right_again_is_signed(
    ledger: PgLedger, log: Log, pool: "Sessions[asyncpg.Record]", admin: "Admin[asyncpg.Record]"
) -> None:
    await recorded(ledger, 2)
    await admin.execute("alter table event disable trigger all")
    await admin.execute("update event set data = data || ' ' where position = 2")
    sealer = log.sealer()
    await sealer.round(pool)
    why = (await exposure(ledger.pool)).refused
    assert why
    assert why.startswith("position 2 (case-")
    assert why.endswith("version 1): edited")
    await admin.execute("update event set data = rtrim(data) where position = 2")
    assert await sealer.round(pool) == 0.0
    assert log.kept() == [3]
    assert (await exposure(ledger.pool)).refused is None


async def test_a_sink_of_another_log_stops_the_signing(
    ledger: PgLedger, log: Log, pool: "Sessions[asyncpg.Record]", tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / checkpoint_name(9)).write_text("another log\n")
    await recorded(ledger, 2)
    assert await log.sealer().round(pool) == AFTER_REFUSAL
    assert log.kept("b") == []
    assert str((await exposure(ledger.pool)).refused).endswith("checkpoint of size 9 that this ledger has not")


async def test_a_database_behind_its_sinks_is_not_signed_again(
    ledger: PgLedger, log: Log, pool: "Sessions[asyncpg.Record]", admin: "Admin[asyncpg.Record]"
) -> None:
    """A backup was restored: what was recorded since is gone, and the log may not say otherwise."""
    await recorded(ledger, 2)
    await log.sealer().round(pool)
    for table in ("event", "tree_node", "checkpoint"):
        await admin.execute(f"alter table {table} disable trigger all")
    await admin.execute("delete from event where position > 2; delete from tree_node; delete from checkpoint")
    assert await log.sealer().round(pool) == AFTER_REFUSAL
    assert log.kept() == [3]


async def test_of_two_sealers_at_once_one_seals(
    ledger: PgLedger, log: Log, pool: "Sessions[asyncpg.Record]", admin: "Admin[asyncpg.Record]"
) -> None:
    await recorded(ledger, 5)
    done = await asyncio.gather(*(log.sealer().round(pool) for _ in range(4)), return_exceptions=True)
    assert all(isinstance(one, DatabaseFailed | float) for one in done)
    await log.sealer().round(pool)
    assert log.kept() == [6]
    assert await admin.fetchval("select count(*) from tree_node") == 6 + 3 + 1
    assert log.checkpoint(6).root == merkle.root(await leaves(admin))


async def test_one_that_waits_takes_over(ledger: PgLedger, log: Log, admin: "Admin[asyncpg.Record]") -> None:
    first, second = (asyncio.create_task(log.sealer().run()) for _ in range(2))
    await recorded(ledger, 2)
    await kept(log, 3)
    first.cancel()
    await recorded(ledger, 2)
    await kept(log, 5)
    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert log.checkpoint(5).root == merkle.root(await leaves(admin))


async def kept(log: Log, size: int) -> None:
    async with asyncio.timeout(60):
        while size not in log.kept():  # noqa: ASYNC110 - a folder
            await asyncio.sleep(0.05)


STEPS = ("seal", "_keep", "ship", "Shipping._put", "_tell")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_sealer_killed_between_any_two_steps_leaves_a_clean_resume(
    ledger: PgLedger, log: Log, pool: "Sessions[asyncpg.Record]", admin: "Admin[asyncpg.Record]", step: str, after: bool
) -> None:
    await recorded(ledger, 2)
    await log.sealer().round(pool)
    await recorded(ledger, 4)
    assert await Forked(dying.main, log.dsn, log.folder, step, after).wait() == -signal.SIGKILL
    await log.sealer().round(pool)
    assert log.kept() == log.kept("b") == [3, 7]
    assert log.checkpoint(7).root == merkle.root(await leaves(admin)) == (await frontier_at(pool, 7)).root()
    assert (await exposure(ledger.pool)).refused is None


async def test_much_at_once_is_sealed_in_pieces(
    ledger: PgLedger, log: Log, pool: "Sessions[asyncpg.Record]", admin: "Admin[asyncpg.Record]"
) -> None:
    await recorded(ledger, PAGE + 10)
    sealer = log.sealer()
    while await sealer.round(pool) == 0.0:
        pass
    assert log.kept() == [PAGE, PAGE + 11]
    assert log.checkpoint(PAGE + 11).root == merkle.root(await leaves(admin))


async def test_a_rotated_key_signs_and_the_old_one_is_still_believed(
    ledger: PgLedger, log: Log, pool: "Sessions[asyncpg.Record]"
) -> None:
    sealer = log.sealer()
    await sealer.round(pool)
    log.keys.rotate()
    await recorded(ledger, 1)
    await sealer.round(pool)
    assert log.kept() == [1, 2]
    assert [log.checkpoint(size).size for size in (1, 2)] == [1, 2]
    names = [(log.folder / "a" / checkpoint_name(size)).read_text().split()[-1][:6] for size in (1, 2)]
    assert names[0] != names[1]
    assert {"key-000001", "key-000002"} <= await log.sinks[0].names()


@pytest.mark.parametrize("role", ["caravel_app", "caravel_owner", "caravel_auditor", "caravel_sealer", "postgres"])
@pytest.mark.parametrize("table", ["tree_node", "checkpoint"])
async def test_nobody_changes_what_was_sealed(admin: "Admin[asyncpg.Record]", role: str, table: str) -> None:
    await admin.execute(f"set role {role}")
    for change in (f"delete from {table}", f"update {table} set hash = null", f"truncate {table}"):
        with pytest.raises(asyncpg.PostgresError) as refusal:
            await admin.execute(change.replace("hash", "hash" if table == "tree_node" else "root"))
        assert refusal.value.sqlstate in ("42501", "CV005")


@pytest.mark.parametrize("role", ["caravel_app", "caravel_auditor"])
async def test_only_the_sealer_adds(admin: "Admin[asyncpg.Record]", role: str) -> None:
    await admin.execute(f"set role {role}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await admin.execute("insert into tree_node values (0, 0, sha256(''))")


async def test_a_subtree_that_is_not_there_is_named(pool: "Sessions[asyncpg.Record]") -> None:
    with pytest.raises(TreeIncomplete, match="level 2, index 0"):
        await frontier_at(pool, 4)


async def test_a_key_rotated_after_the_copy_that_was_put_back_stops_signing_until_the_next_rotation(
    ledger: PgLedger, log: Log, pool: "Sessions[asyncpg.Record]"
) -> None:
    await recorded(ledger, 2)
    await log.sealer().round(pool)
    older = log.folder / "older"
    shutil.copytree(log.folder / "signing", older)
    log.keys.rotate()
    await log.sealer().round(pool)  # it is announced; nothing was sealed with it
    shutil.rmtree(log.folder / "signing")
    older.rename(log.folder / "signing")
    await recorded(ledger, 2)
    await log.sealer().round(pool)
    refused = (await exposure(ledger.pool)).refused
    assert refused
    assert "key-000002" in refused
    assert "caravel audit rotate-key" in refused
    assert log.kept() == [3]
    kept = [(2, (log.folder / "a" / key_name(2)).read_text())]
    log.keys.rotate(kept)
    await log.sealer().round(pool)
    assert (await exposure(ledger.pool)).refused is None
    assert log.kept() == log.kept("b") == [3, 5]
    assert log.checkpoint(5).size == 5
    assert key_name(3) in await log.sinks[0].names()

"""A backup is whole or not put back, and a recovery that was killed is begun again with the same words."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from api.run.backups import recover as recovering
from api.run.backups.end_mark import NAME, BackupFailed
from api.run.backups.make import backup
from api.run.backups.recover import recover
from api.run.http_app import documents
from api.run.wiring import Parts, parts
from domain.stages.anytime.notes import DocumentAttached
from infra.embedded.postgres_server import PostgresServer
from infra.ledger.schema import whole as whole_database
from infra.ledger.schema.migrate import migrate
from infra.settings import Settings
from tests.api.conftest import Person, registered, settings
from tests.api.routes.test_documents import PDF, attach
from tests.conftest import execute
from tests.infra.test_keys import full_after
from tests.workflows.rig import eventually

pytestmark = pytest.mark.slow
Spoil = Callable[[Path], None]


@pytest.fixture(scope="module")
async def case(coordinator: Person) -> str:
    """A case with a document."""
    found = str((await coordinator.open())["case"])
    assert (await attach(coordinator, found)).status_code == 201
    return found


async def document_of(here: Parts, case: str) -> str:
    [attached] = [f.event for f in (await here.commands.case(case))[1] if isinstance(f.event, DocumentAttached)]
    return attached.document


@pytest.fixture(scope="module")
async def whole(here: Parts, case: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole backup; no test may change it."""
    assert case
    return await backup(here.settings, tmp_path_factory.mktemp("backups"))


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy of it that may be spoilt."""
    return shutil.copytree(whole, tmp_path / whole.name)


@asynccontextmanager
async def database(server: PostgresServer, home: Path) -> AsyncIterator[Settings]:
    """An installation of which nothing is there yet."""
    name = f"test_{uuid4().hex[:12]}"
    await execute(server.dsn, f"CREATE DATABASE {name}")
    yield settings(server.dsn_of(name), home)
    await execute(server.dsn, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def elsewhere(postgres_server: PostgresServer, tmp_path: Path) -> AsyncIterator[Settings]:
    async with database(postgres_server, tmp_path / "elsewhere") as where:
        yield where


@pytest.fixture
async def other(postgres_server: PostgresServer, tmp_path: Path) -> AsyncIterator[Settings]:
    """An installation with a history of its own."""
    async with database(postgres_server, tmp_path / "other") as where:
        await migrate(where.database_url.get_secret_value())
        async with parts(where, connections=2) as opened:
            await registered(opened, "coordinator")
        yield where


async def fetched(where: Settings, statement: str) -> int:
    connection = await asyncpg.connect(where.database_url.get_secret_value())
    try:
        number: int = await connection.fetchval(statement)
        return number
    finally:
        await connection.close()


async def events(where: Settings) -> int:
    tables = await fetched(where, "select count(*) from pg_tables where tablename = 'event'")
    return await fetched(where, "select count(*) from event") if tables else 0


async def assert_back(where: Settings, here: Parts, case: str) -> None:
    """The case, its name and its document open with what was put back."""
    async with parts(where, connections=2) as restored:
        assert (await restored.commands.case(case))[0] == (await here.commands.case(case))[0]
        opened = await documents(restored).open(case, await document_of(restored, case))
        assert b"".join([part async for part in opened.content]) == PDF


async def test_a_whole_backup_is_put_back_and_again(here: Parts, case: str, whole: Path, elsewhere: Settings) -> None:
    done = await recover(elsewhere, whole)
    assert (list(done.faults), done.missing, list(done.told)) == ([], None, [])
    await assert_back(elsewhere, here, case)
    count = await events(elsewhere)
    said: list[str] = []
    assert not (await recover(elsewhere, whole, said.append)).faults
    assert await events(elsewhere) == count
    assert not [text for text in said if "events" in text], "the database is left as it is"


def _without(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        there = folder / name
        shutil.rmtree(there) if there.is_dir() else there.unlink()

    return spoil


def _changed(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        file = next((file for file in sorted((folder / name).rglob("*")) if file.is_file()), folder / name)
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)

    return spoil


def _naming(outside: str) -> Spoil:
    """A forged mark, which would have any file copied to any place."""

    def spoil(folder: Path) -> None:
        mark = json.loads((folder / NAME).read_text())
        (folder.parent / "outside").write_bytes(b"")
        mark["files"][outside] = sha256(b"").hexdigest()
        (folder / NAME).write_text(json.dumps(mark))

    return spoil


def _one_key_less(folder: Path) -> None:
    next(iter(sorted((folder / "keys").iterdir()))).unlink()


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_without("keys"), "keys/case-"),
        (_one_key_less, "keys/"),
        (_without("kek"), "kek is missing"),
        (_without("documents"), "documents/"),
        (_without("database.dump"), "database.dump is missing"),
        (_without(NAME), f"no {NAME}"),
        (_changed("documents"), "is not what was backed up"),
        (_changed("database.dump"), "database.dump is not what was backed up"),
        (_changed("kek"), "kek is not what was backed up"),
        (lambda folder: (folder / NAME).write_text('{"installation"'), "cannot be read"),
        (_naming("keys/../../outside"), "which is not in the backup"),
        (_naming("/dev/null"), "which is not in the backup"),
    ],
)
async def test_what_is_not_whole_is_refused_by_name_and_nothing_is_touched(
    folder: Path, elsewhere: Settings, spoil: Spoil, named: str
) -> None:
    spoil(folder)
    with pytest.raises(BackupFailed) as refused:
        await recover(elsewhere, folder)
    assert named in str(refused.value)
    assert not elsewhere.home.exists()
    assert await fetched(elsewhere, "select count(*) from pg_tables where schemaname = 'public'") == 0


async def test_a_database_with_other_events_and_a_home_with_other_keys_are_left_alone(
    whole: Path, elsewhere: Settings, other: Settings, tmp_path: Path
) -> None:
    count, kek = await events(other), other.kek.read_bytes()
    with pytest.raises(BackupFailed, match="other events"):
        await recover(settings(other.database_url.get_secret_value(), tmp_path / "third"), whole)
    with pytest.raises(BackupFailed, match="keys of something else"):
        await recover(settings(elsewhere.database_url.get_secret_value(), other.home), whole)
    assert (await events(other), other.kek.read_bytes()) == (count, kek)
    assert await events(elsewhere) == 0


async def test_what_the_installation_itself_had_lost_is_said_at_the_end(
    here: Parts, case: str, whole: Path, elsewhere: Settings, tmp_path: Path
) -> None:
    """The check at the end looks at what stands there, not at the files of the backup."""
    home = shutil.copytree(here.settings.home, tmp_path / "lossy")
    document = await document_of(here, case)
    (home / "documents" / document).unlink()
    next((home / "keys").glob("person-*")).unlink()
    made = await backup(settings(here.settings.database_url.get_secret_value(), home), tmp_path)
    faults = (await recover(elsewhere, made)).faults
    assert [fault for fault in faults if f"document {document} of {case} cannot be opened: DocumentMissing" in fault]
    assert [fault for fault in faults if "the key identity of person-" in fault]
    await execute(elsewhere.database_url.get_secret_value(), "drop index attention_unattended")
    elsewhere_again = settings(elsewhere.database_url.get_secret_value(), tmp_path / "again")
    (fault,) = (await recover(elsewhere_again, whole)).faults
    assert fault == "the database's index attention_unattended is not what was backed up"


def variables(where: Settings) -> Mapping[str, str]:
    dsn = where.database_url.get_secret_value()
    return {**os.environ, "CARAVEL_DATABASE_URL": dsn, "CARAVEL_HOME": str(where.home)}


async def caravel(where: Settings, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "api.cli", *words, env=variables(where), stdout=PIPE, stderr=PIPE
    )


async def test_a_backup_that_was_killed_is_refused(here: Parts, tmp_path: Path, elsewhere: Settings) -> None:
    process = await caravel(here.settings, "backup", str(tmp_path / "cut"))
    while not (found := list((tmp_path / "cut").glob("*/database.dump"))):
        assert process.returncode is None
        await asyncio.sleep(0.005)
    process.kill()
    await process.communicate()
    with pytest.raises(BackupFailed, match=NAME):
        await recover(elsewhere, found[0].parent)


async def test_a_recovery_killed_again_and_again_ends_whole(
    here: Parts, case: str, whole: Path, elsewhere: Settings
) -> None:
    for seen in (b"holding", b"putting back", b"checking"):
        process = await caravel(elsewhere, "recover", str(whole))
        assert process.stderr
        async for line in process.stderr:
            if line.startswith(seen):
                break
        process.kill()
        await process.communicate()
    process = await caravel(elsewhere, "recover", str(whole))
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    await assert_back(elsewhere, here, case)


WAITING = """
select count(*) from pg_locks join pg_database d on d.oid = database
where d.datname = current_database() and locktype = 'advisory' and not granted
"""


async def _somebody_records(where: Settings) -> str:
    """A process that starts while the backup is put back, and registers a person; the name it was told."""
    async with parts(where, connections=2) as opened:
        return await registered(opened, "coordinator")


@pytest.fixture
def beside(elsewhere: Settings, monkeypatch: pytest.MonkeyPatch) -> list[asyncio.Task[str]]:
    """Whoever began to record after the database was found empty, and before the events are put back."""
    begun: list[asyncio.Task[str]] = []
    put = recovering._put_database

    async def put_beside(dsn: str, folder: Path) -> None:
        begun.append(asyncio.create_task(_somebody_records(elsewhere)))

        async def under_way() -> bool:
            return begun[0].done() or await fetched(elsewhere, WAITING) > 0

        await eventually(under_way)
        await put(dsn, folder)

    monkeypatch.setattr(recovering, "_put_database", put_beside)
    return begun


async def test_who_would_record_while_a_backup_is_put_back_waits_and_is_kept(
    here: Parts, case: str, whole: Path, elsewhere: Settings, beside: list[asyncio.Task[str]]
) -> None:
    done = await recover(elsewhere, whole)
    assert (list(done.faults), done.missing) == ([], None)
    person = await asyncio.wait_for(beside[0], 60)
    assert await fetched(elsewhere, f"select count(*) from event where stream = '{person}'") > 0
    await assert_back(elsewhere, here, case)


async def test_control_without_the_lock_what_was_acknowledged_is_lost(
    whole: Path, elsewhere: Settings, beside: list[asyncio.Task[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_database, "HOLD_RECORDING", "select 1")
    await recover(elsewhere, whole)
    person = await asyncio.wait_for(beside[0], 60)
    assert await fetched(elsewhere, f"select count(*) from event where stream = '{person}'") == 0


SLOW = """
create schema slow;
create function slow.down() returns event_trigger language plpgsql as $$ begin perform pg_sleep(5); end $$;
create event trigger slow_index on ddl_command_start when tag in ('CREATE INDEX') execute function slow.down();
"""


async def _none(where: Settings, count: str) -> bool:
    return await fetched(where, count) == 0


BUSY = "select count(*) from pg_stat_activity where datname = current_database() and query like 'CREATE INDEX%'"


async def test_a_recovery_killed_among_the_events_takes_all_of_them_back(
    here: Parts, case: str, whole: Path, elsewhere: Settings
) -> None:
    """Rows are there and indexes are not yet when it is killed."""
    dsn = elsewhere.database_url.get_secret_value()
    await migrate(dsn)
    await execute(dsn, SLOW)
    process = await caravel(elsewhere, "recover", str(whole))
    await eventually(lambda: fetched(elsewhere, BUSY), within=60)
    process.kill()
    await process.communicate()
    await execute(dsn, "drop event trigger slow_index")
    await eventually(lambda: _none(elsewhere, BUSY))
    assert await events(elsewhere) == 0
    await recover(elsewhere, whole)
    await assert_back(elsewhere, here, case)


async def test_a_backup_without_the_keys_of_its_ledger_is_none(
    here: Parts, other: Settings, tmp_path: Path, elsewhere: Settings
) -> None:
    """A volume that was not mounted: night after night such a backup would take the place of a good one."""
    dsn = here.settings.database_url.get_secret_value()
    for home in (tmp_path / "empty", other.home):
        with pytest.raises(BackupFailed, match="not those this ledger names"):
            await backup(settings(dsn, home), tmp_path / f"of-{home.name}")
        [found] = (tmp_path / f"of-{home.name}").iterdir()
        with pytest.raises(BackupFailed, match=NAME):
            await recover(elsewhere, found)


async def test_a_disk_that_is_full_leaves_no_end_mark(here: Parts, tmp_path: Path, elsewhere: Settings) -> None:
    script = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); import signal; "
    script += "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); from api.cli import main; main(sys.argv[1:])"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, "backup", str(tmp_path / "full"),
        env=variables(here.settings), stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    assert process.returncode == 3
    assert b"Traceback" not in said
    [found] = (tmp_path / "full").iterdir()
    with pytest.raises(BackupFailed, match=NAME):
        await recover(elsewhere, found)


async def test_a_disk_that_is_full_while_it_is_put_back_is_said_and_it_goes_on_afterwards(
    here: Parts, case: str, whole: Path, elsewhere: Settings
) -> None:
    await migrate(elsewhere.database_url.get_secret_value())
    with full_after(10), pytest.raises(BackupFailed, match="give the same words again"):
        await recover(elsewhere, whole)
    assert await events(elsewhere) == 0
    await recover(elsewhere, whole)
    await assert_back(elsewhere, here, case)

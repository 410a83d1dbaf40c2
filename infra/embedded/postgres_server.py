"""PostgreSQL for the embedded mode and the tests: made, started and stopped here, with data in one folder."""

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from infra.embedded.postgres_data import ENVIRONMENT, SUPERUSER, adopt, create, forget_stale_pid
from infra.embedded.postgres_programs import Programs, choose_programs
from infra.embedded.server_process import POLL, LocalServer, ServerError, ServerProcess, free_port, usable

DATABASE = "caravel"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A failing statement and its detail hold values that describe people; the log must not.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
ROOM_TO_RECOVER = 300.0  # seconds; replaying a long log after a crash takes as long as it takes
PATIENCE = 5.0  # seconds a server that lives may take to answer
SHARED_MEMORY_ROOM = 30.0  # seconds for the orphaned backends of a killed server to notice


class PostgresServer(LocalServer):
    """A server on 127.0.0.1 with its data, port and password in `folder`; `fsync=False` is for tests only."""

    def __init__(self, folder: Path, *, fsync: bool = True, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(ServerProcess(folder.absolute(), "PostgreSQL", signal.SIGINT))
        self._settings = {**SETTINGS, **({} if fsync else UNSAFE_BUT_FAST), **(settings or {})}
        self._durable = fsync
        self.port = 0
        self._password = ""

    @property
    def dsn(self) -> str:
        """Return the superuser's address of the database `caravel`, which every start makes sure of."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        """Return the superuser's address of one database."""
        return f"postgresql://{SUPERUSER}:{self._password}@127.0.0.1:{self.port}/{database}"

    def find(self) -> None:
        """Take the address of the server that runs in this folder, to connect to it without being its owner."""
        known = self._process.remembered()
        self._password, self.port = known.get("password", ""), known.get("port", 0)

    async def start(self) -> None:
        """Start and wait until queries are answered; does nothing when it runs already."""
        if self.pid:
            return
        first = not self.port
        await self._process.own()
        try:
            await self._launch(first=first)
        except BaseException:
            await self.stop()
            raise

    async def answers(self) -> bool:
        """Return whether it takes a connection, or says why not."""
        try:
            connection = await asyncpg.connect(self.dsn_of(SUPERUSER), ssl=False, timeout=PATIENCE)
        except asyncpg.PostgresError:
            return True  # too many connections, or it recovers: it lives
        except (OSError, TimeoutError, asyncpg.InterfaceError):
            return False
        connection.terminate()
        return True

    async def _launch(self, *, first: bool) -> None:
        folder = self._process.folder
        folder.chmod(0o711)  # the user it runs as must pass through; what is inside is closed by itself
        programs = choose_programs(folder)
        if not (folder / "data").exists():
            password = await create(folder, programs, durable=self._durable)
            self._process.remember(password=password)
            adopt(folder)
        programs.give(folder / "data")
        self._recall(may_move=first)
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        command = programs.command("postgres", "-D", str(folder / "data"), "-p", str(self.port), *options)
        await self._serve(programs, command)
        await self._make_database()

    def _recall(self, *, may_move: bool) -> None:
        known = self._process.remembered()
        self._password = known["password"]
        self.port = known.get("port", 0)
        if not self.port or (may_move and not usable(self.port)):
            self.port = free_port()
            self._process.remember(port=self.port)

    async def _serve(self, programs: Programs, command: list[str]) -> None:
        """Start the server, again while the remains of a killed one are still about, until it answers."""
        async with asyncio.timeout(ROOM_TO_RECOVER):
            patience = asyncio.get_running_loop().time() + SHARED_MEMORY_ROOM
            while True:
                forget_stale_pid(self._process.folder / "data")
                self._process.spawn(command, user=programs.user, env=ENVIRONMENT)
                if await self._answers():
                    return
                if asyncio.get_running_loop().time() > patience or not self._remains():
                    raise ServerError(f"PostgreSQL did not start; its last words:\n{self._process.last_words()}")
                await asyncio.sleep(0.2)

    async def _connect(self) -> asyncpg.Connection:
        # No TLS on the loopback; looking for it would read the home folder, which a changed user may not.
        return await asyncpg.connect(self.dsn_of(SUPERUSER), ssl=False, timeout=10)

    async def _answers(self) -> bool:
        """Wait until the server accepts us (True) or has ended (False)."""
        while self.pid:
            try:
                connection = await self._connect()
            except (ConnectionError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
                await asyncio.sleep(POLL)
            else:
                await connection.close()
                return True
        return False

    def _remains(self) -> bool:
        """Whether the server gave up because a killed one has not quite gone."""
        said = self._process.last_words()
        return "pre-existing shared memory block" in said or "postmaster.pid" in said

    async def _make_database(self) -> None:
        connection = await self._connect()
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()

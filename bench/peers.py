"""Other event stores on the same PostgreSQL: installed when asked for (`--peers`), never part of Caravel.

Each gets a database of its own on the server that is measured, and goes with the folder of the run.
"""

import asyncio
import json
import shutil
import sys
import tarfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg

from bench.common import Asked, Call, Rate, execute, timed
from infra.embedded.postgres_server import PostgresServer
from infra.ids import fresh_id

Peer = Callable[[int, int, float], Awaitable[Rate]]
"""Writers, events in one append, seconds → appends a second."""
WRITERS = Path(__file__).parent / "writers"
EVENTSOURCING = ("eventsourcing==9.5.6", "psycopg[binary,pool]==3.3.*")
MESSAGE_DB = "@eventide/message-db@1.3.1"
EMMETT = "@event-driven-io/emmett-postgresql@0.42.0"
VERSIONS = {"eventsourcing": "9.5.6", "message-db": "1.3.1", "emmett": "0.42.0"}
MESSAGE_DB_PARTS = ("roles", "schema", "tables", "types", "functions", "indexes")
"""In its installer's order; its extension, pgcrypto, gives nothing that PostgreSQL itself lacks by now."""
WRITE = """
select write_message(gen_random_uuid()::text, $1, 'Plain', x::jsonb, '{"actor":"a"}'::jsonb, n - 2)
from unnest($2::text[]) with ordinality as given (x, n)
"""


class NotInstalled(Exception):
    """A peer that is left out, and why."""


async def peers(asked: Asked, running: PostgresServer, folder: Path, stack: AsyncExitStack) -> dict[str, Peer]:
    """Those that could be installed; says which are left out."""
    if not asked.peers:
        print("peers: left out; --peers installs and measures them", file=sys.stderr)
        return {}
    found = {}
    for name, begin in BEGIN.items():
        database = name.replace("-", "_")
        await execute(running.dsn, f"create database {database}")
        place = folder / name
        place.mkdir()
        try:
            found[name] = await begin(running.dsn_of(database), place, stack)
        except (NotInstalled, OSError) as missing:
            print(f"peers: {name} left out: {missing}", file=sys.stderr)
    return found


async def run(*words: str, cwd: Path) -> None:
    """Raises NotInstalled with what the program said last."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*words, cwd=cwd, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    said, _ = await process.communicate()
    if process.returncode:
        raise NotInstalled(f"{words[0]} ended with {process.returncode}: {said.decode()[-300:]}")


async def spoken(stack: AsyncExitStack, *words: str) -> Peer:
    """A program that is told a line and answers with a line."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe)
    stack.push_async_callback(process.wait)
    stack.callback(process.terminate)
    assert process.stdin is not None
    assert process.stdout is not None
    told, heard = process.stdin, process.stdout

    async def peer(writers: int, batch: int, seconds: float) -> Rate:
        told.write(json.dumps([writers, batch, seconds]).encode() + b"\n")
        answer = await heard.readline()
        if not answer:
            raise RuntimeError(f"{words[-2]} ended")
        return Rate(*json.loads(answer))

    return peer


async def eventsourcing(dsn: str, folder: Path, stack: AsyncExitStack) -> Peer:
    """Its PostgreSQL recorder as it comes: an exclusive table lock for each append."""
    await run(sys.executable, "-m", "venv", str(folder), cwd=folder)
    python = str(folder / "bin" / "python")
    await run(python, "-m", "pip", "install", "--quiet", *EVENTSOURCING, cwd=folder)
    return await spoken(stack, python, str(WRITERS / "eventsourcing_writer.py"), dsn)


async def emmett(dsn: str, folder: Path, stack: AsyncExitStack) -> Peer:
    """In node, with as many connections as writers."""
    await run("npm", "install", "--silent", "--no-audit", "--no-fund", EMMETT, cwd=folder)
    script = shutil.copy(WRITERS / "emmett_writer.mjs", folder)
    return await spoken(stack, "node", str(script), dsn)


def unpacked(folder: Path) -> list[str]:
    """The SQL of message-db, in order."""
    with tarfile.open(next(folder.glob("*.tgz"))) as packed:
        packed.extractall(folder, filter="data")
    files = [sorted((folder / "package" / "database" / part).glob("*.sql")) for part in MESSAGE_DB_PARTS]
    return [file.read_text() for some in files for file in some]


async def message_db(dsn: str, folder: Path, _stack: AsyncExitStack) -> Peer:
    """Its SQL, called from here; all of a batch in one round trip and one commit."""
    await run("npm", "pack", "--silent", MESSAGE_DB, cwd=folder)
    parts = unpacked(folder)
    connection = await asyncpg.connect(dsn, server_settings=MESSAGE_STORE)
    for part in parts:
        await connection.execute(part)
    await connection.close()

    async def peer(writers: int, batch: int, seconds: float) -> Rate:
        connections = [await asyncpg.connect(dsn, server_settings=MESSAGE_STORE) for _ in range(writers)]
        data = [json.dumps({"note": "x" * 300})] * batch
        calls: list[Call] = [lambda c=c: c.fetch(WRITE, f"bench-{fresh_id()}", data) for c in connections]  # type: ignore[misc]
        try:
            return await timed(calls, seconds)
        finally:
            for one in connections:
                await one.close()

    return peer


MESSAGE_STORE = {"search_path": "message_store,public"}
BEGIN: Mapping[str, Callable[[str, Path, AsyncExitStack], Awaitable[Peer]]] = {
    "eventsourcing": eventsourcing,
    "message-db": message_db,
    "emmett": emmett,
}

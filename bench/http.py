"""A command through HTTP to its durable answer, against a bare INSERT with commit and the app's own no-op route.

1 and 32 callers, each on a connection and a case of its own. The API is a process of its own:
`python -m bench.http serve HOME`.
"""

import asyncio
import json
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.http.streams_end import serve
from api.ports import Limits
from api.run.http_app import http_app
from api.run.processes import stop_on_signals
from api.run.wiring import parts
from bench.common import Asked, Call, Row, against, execute, in_turns, rates, server, short, timed
from domain.catalogue.staff import RegisterPerson
from infra.identity.sessions import Sessions
from infra.ids import fresh_stream
from infra.settings import Settings
from infra.telemetry import configure_logs

ROUNDS, SECONDS = 5, 2.0
CALLERS = (1, 32)
NOTE = {"type": "AddNote", "kind": "note", "text": "The family called; the visa appointment is on Tuesday."}
INQUIRY = {
    "country": "IN",
    "language": "en",
    "zone": "Asia/Kolkata",
    "patient_name": "A. Rao",
    "team": "asia",
    "despite_duplicates": "a bench",
}


class Caller:
    """One keep-alive connection; a whole client would cost more than what is measured."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
        self._reader, self._writer, self._token = reader, writer, token
        self.case = ""

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """The answer's JSON; an error stops the bench."""
        sent = json.dumps(body).encode() if body is not None else b""
        lines = [f"{method} {path} HTTP/1.1", "Host: bench", f"Authorization: Bearer {self._token}"]
        lines += [f"Content-Length: {len(sent)}", f"Idempotency-Key: {uuid.uuid4().hex}", "", ""]
        self._writer.write("\r\n".join(lines).encode() + sent)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        size = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        answer = json.loads(await self._reader.readexactly(size))
        if head.split(" ", 2)[1][0] != "2":
            raise RuntimeError(f"{method} was answered {head[:12]}: {answer}")
        return answer

    async def opens(self) -> "Caller":
        """A case of its own."""
        self.case = (await self.ask("POST", "/cases", INQUIRY))["case"]
        return self

    async def command(self) -> None:
        """One command, durable when answered."""
        await self.ask("POST", f"/cases/{self.case}/commands", NOTE)

    async def nothing(self) -> None:
        """The authenticated route that does nothing."""
        await self.ask("GET", "/me")


async def measure(port: int, dsn: str, token: str, number: int, asked: Asked) -> Row:
    """Medians over the rounds; what the aims compare is compared within each round."""
    callers = [await Caller(*await asyncio.open_connection("127.0.0.1", port), token).opens() for _ in range(number)]
    connections = [await asyncpg.connect(dsn) for _ in callers]
    calls: dict[str, list[Call]] = {
        "bare": [lambda c=c: c.execute("insert into bare values ($1, $2)", "case", "x" * 600) for c in connections],  # type: ignore[misc]
        "nothing": [caller.nothing for caller in callers],
        "command": [caller.command for caller in callers],
    }
    seconds = asked.either(SECONDS, 0.05)
    kinds = {kind: lambda some=some: timed(some, seconds) for kind, some in calls.items()}
    rounds = (await in_turns(kinds, asked.either(ROUNDS, 1) + 1))[1:]  # the first warms up
    for connection in connections:
        await connection.close()
    over = short(median(one["command"].p50_ms - one["bare"].p50_ms for one in rounds))
    rate = against(rounds, "command", ("nothing", "bare"))
    return {"callers": number, **rates(rounds), "ms over bare": over, "command against": rate}


async def served(home: str) -> None:
    """The app without rate limits, until told to stop; prints its port."""
    configure_logs("info")
    stop = stop_on_signals()
    async with parts(Settings(home=Path(home), installation="bench")) as here:
        app = http_app(here, limits=Limits(0, 0, 0))
        await serve(app, "127.0.0.1", 0, stop, lambda port: print(port, file=sys.stderr, flush=True))


class Port(int):
    """The port of a process."""

    pid: int


@asynccontextmanager
async def api(dsn: str, home: Path) -> AsyncIterator[Port]:
    """The API as a process; its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.http", "serve", str(home),
        env={"CARAVEL_DATABASE_URL": dsn, "PYTHONPATH": str(Path(__file__).parent.parent)},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        port = Port(await process.stderr.readline())
        port.pid = process.pid
        yield port
    finally:
        process.terminate()
        await process.wait()


async def signed_in(dsn: str, home: Path) -> str:
    """The token of a coordinator."""
    async with parts(Settings(database_url=dsn, home=home, installation="bench")) as here:
        command = RegisterPerson("coordinator", "asia", "B. Coordinator", "b@example.org", "Asia/Kolkata", "en")
        keeper = here.commands
        person = (
            await keeper.record(CommandRequest(fresh_stream("person"), Meta("bench", "operation"), command))
        ).stream
        return await Sessions(here.ledger).open(person, "console", timedelta(hours=1))


async def main(asked: Asked) -> AsyncIterator[Row]:
    """A row for each number of callers."""
    async with server() as (running, folder):
        await execute(running.dsn, "create table bare (stream text, data text)")
        token = await signed_in(running.dsn, folder / "home")
        async with api(running.dsn, folder / "home") as port:
            for callers in asked.either(CALLERS, (1, 2)):
                yield await measure(port, running.dsn, token, callers, asked)


if __name__ == "__main__":
    asyncio.run(served(sys.argv[2]))

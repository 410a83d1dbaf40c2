"""A command through HTTP to its durable answer, against a bare INSERT with commit and the app's own no-op route.

`python -m bench.http`: 1 and 32 callers, each on a connection and a case of its own, interleaved in one run. The API is
a process of its own over a PostgreSQL that syncs; `python -m bench.http serve HOME` is that process.
"""

import asyncio
import json
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from activities.catalogue import Catalogue
from activities.ports import Meta
from api.ports import Limits
from api.run.http import http_app
from api.run.processes import stop_on_signals
from api.run.wiring import parts
from api.serve import serve
from domain.person import RegisterPerson
from infra.ids import fresh_stream
from infra.ledger.migrate import migrate
from infra.postgres_server import PostgresServer
from infra.sessions import Sessions
from infra.settings import Settings
from infra.telemetry import configure_logs

ROUNDS, WARM = 5, 40
CALLS = 320  # of each kind, each round
CALLERS = (1, 32)
NOTE = {"type": "AddNote", "kind": "note", "text": "The family called; the visa appointment is on Tuesday."}
INQUIRY = {"country": "IN", "language": "en", "zone": "Asia/Kolkata", "patient_name": "A. Rao", "team": "asia"}
Call = Callable[[], Awaitable[object]]


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


async def timed(calls: list[Call]) -> tuple[float, float]:
    """Calls a second over all callers, and the median milliseconds of one."""
    took: list[float] = []

    async def one(call: Call) -> None:
        for _ in range(CALLS // len(calls)):
            begun = time.perf_counter()
            await call()
            took.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    await asyncio.gather(*(one(call) for call in calls))
    return len(took) / (time.perf_counter() - begun), 1000 * median(took)


async def measure(port: int, dsn: str, token: str, number: int) -> dict[str, Any]:
    """Medians over the rounds; what the aims compare is compared within each round."""
    callers = [await Caller(*await asyncio.open_connection("127.0.0.1", port), token).opens() for _ in range(number)]
    connections = [await asyncpg.connect(dsn) for _ in callers]
    kinds: dict[str, list[Call]] = {
        "bare": [lambda c=c: c.execute("insert into bare values ($1, $2)", "case", "x" * 600) for c in connections],  # type: ignore[misc]
        "nothing": [caller.nothing for caller in callers],
        "command": [caller.command for caller in callers],
    }
    for caller in callers:
        for _ in range(WARM // number + 1):
            await caller.command()
    rounds = [{kind: await timed(kinds[kind]) for kind in list(kinds)[:: 1 if n % 2 else -1]} for n in range(ROUNDS)]
    for connection in connections:
        await connection.close()
    found: dict[str, Any] = {
        kind: {"per_second": round(median(r[kind][0] for r in rounds)), "p50_ms": _p50(rounds, kind)} for kind in kinds
    }
    over = median(r["command"][1] - r["bare"][1] for r in rounds)
    rate = median(r["command"][0] / r["nothing"][0] for r in rounds)
    return {**found, "ms_over_bare": round(over, 2), "rate_against_nothing": round(rate, 2)}


def _p50(rounds: list[dict[str, tuple[float, float]]], kind: str) -> float:
    return round(median(r[kind][1] for r in rounds), 2)


async def served(home: str) -> None:
    """The app without rate limits, until told to stop; prints its port."""
    configure_logs("info")
    stop = stop_on_signals()
    async with parts(Settings(home=Path(home), installation="bench")) as here:
        app = http_app(here, limits=Limits(0, 0, 0))
        await serve(app, "127.0.0.1", 0, stop, lambda port: print(port, file=sys.stderr, flush=True))


@asynccontextmanager
async def api(dsn: str, home: Path) -> AsyncIterator[int]:
    """The API as a process; its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.http", "serve", str(home),
        env={"CARAVEL_DATABASE_URL": dsn, "PYTHONPATH": str(Path(__file__).parent.parent)},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        yield int(await process.stderr.readline())
    finally:
        process.terminate()
        await process.wait()


async def signed_in(dsn: str, home: Path) -> str:
    """The token of a coordinator."""
    async with parts(Settings(database_url=dsn, home=home, installation="bench")) as here:  # type: ignore[arg-type]
        command = RegisterPerson("coordinator", "asia", "B. Coordinator", "b@example.org", "Asia/Kolkata", "en")
        keeper = Catalogue(here.ledger, here.door.ids)
        person = (await keeper.record(fresh_stream("person"), command, Meta("bench", "operation"))).stream
        return await Sessions(here.ledger).open(person, "console", timedelta(hours=1))


async def main() -> None:
    """One JSON line for each number of callers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with PostgresServer(folder / "postgres") as server:
            await migrate(server.dsn)
            connection = await asyncpg.connect(server.dsn)
            await connection.execute("create table bare (stream text, data text)")
            await connection.close()
            token = await signed_in(server.dsn, folder / "home")
            async with api(server.dsn, folder / "home") as port:
                for callers in CALLERS:
                    found = await measure(port, server.dsn, token, callers)
                    sys.stdout.write(json.dumps({"callers": callers, **found}) + "\n")


if __name__ == "__main__":
    asyncio.run(served(sys.argv[2]) if "serve" in sys.argv[1:] else main())

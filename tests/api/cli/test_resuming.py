"""A large file goes on where the line broke, in one command and in the next one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from api.cli import way
from api.cli.way import LARGE, Caravel
from api.http.streams_end import serve
from api.run.http_app import http_app
from api.run.wiring import Parts
from domain.core.roles import Role
from domain.roles import Actor
from tests.api.conftest import NO_LIMIT, Person, registered

MIB = 1024 * 1024


@dataclass
class Line:
    """A line to a server that breaks after so many bytes, once for each number; `passed` counts what went through."""

    port: int
    cuts: list[int]
    passed: int = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_connection("127.0.0.1", self.port)
        back = asyncio.create_task(_back(there, writer))
        try:
            await self._through(reader, onward)
        except ConnectionError:
            pass
        finally:
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)
            for end in (onward, writer):
                end.transport.abort()
                with suppress(ConnectionError):
                    await end.wait_closed()

    async def _through(self, reader: asyncio.StreamReader, onward: asyncio.StreamWriter) -> None:
        left = self.cuts[0] if self.cuts else None
        while part := await reader.read(64 * 1024):
            onward.write(part)
            await onward.drain()
            self.passed += len(part)
            if left is not None and (left := left - len(part)) < 0:
                self.cuts.pop(0)
                return


async def _back(there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while part := await there.read(64 * 1024):
        writer.write(part)


@asynccontextmanager
async def line_to(here: Parts, who: str, cuts: list[int]) -> AsyncIterator[tuple[Line, httpx2.AsyncClient]]:
    stop, ready = asyncio.Event(), asyncio.get_running_loop().create_future()
    app = http_app(here, limits=NO_LIMIT, local=Actor(who, Role.COORDINATOR, "asia"))
    serving = asyncio.create_task(serve(app, "127.0.0.1", 0, stop, ready.set_result))
    line = Line(await ready, cuts)
    server = await asyncio.start_server(line.take, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with httpx2.AsyncClient(base_url=url, timeout=30) as http:
        yield line, http
    server.close()
    await server.wait_closed()
    stop.set()
    await serving


async def test_it_goes_on_after_each_cut_and_when_it_is_given_again(
    coordinator: Person, here: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = str((await coordinator.open())["case"])
    who = await registered(here, "coordinator")
    content = b"%PDF-1.7\n" + os.urandom(LARGE) + b"\n%%EOF\n"
    file = tmp_path / "scan.pdf"
    file.write_bytes(content)
    monkeypatch.setattr(way, "CUTS", (0,))
    async with line_to(here, who, [3 * MIB, 2 * MIB, 2 * MIB]) as (line, http):
        with pytest.raises(httpx2.TransportError):
            await Caravel(http).upload(case, file, {"Content-Type": "application/pdf"})
        before = line.passed
        assert before < len(content)
        done = await Caravel(http).upload(case, file, {"Content-Type": "application/pdf"})
        assert line.passed - before < len(content), "what was kept is not sent again"
        assert not line.cuts, "all three cuts came"
        again = await Caravel(http).upload(case, file, {"Content-Type": "application/pdf"})
    assert [one["type"] for one in done["recorded"]] == ["DocumentStored", "DocumentAttached"]
    assert again["repeated"]
    assert (await coordinator.get(f"/cases/{case}/documents/{done['document']}")).content == content

"""A real socket and what a stranger does with it: refused at once, closed when it dribbles, never in the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from ipaddress import ip_network

import httpx2
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, StreamingResponse

from api.http.strangers.bounds import Bounds
from api.http.streams_end import serve

BOUNDS = Bounds(head_seconds=0.4, body_seconds=0.4, body_rate=100_000, farewell_seconds=0.3, stalled_seconds=0.4)
PATIENT = Bounds(head_seconds=60, body_seconds=60, farewell_seconds=60)
"""Under which nothing of a test is ended by the clock."""
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@dataclass
class Site:
    """A server of a few lines, and how many requests reached them."""

    port: int = 0
    reached: list[str] = field(default_factory=list)
    read: int = 0
    lines: list[Line] = field(default_factory=list)

    async def line(self) -> Line:
        self.lines.append(Line(*await asyncio.open_connection("127.0.0.1", self.port)))
        return self.lines[-1]


@dataclass
class Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def send_much(self, data: bytes, times: int) -> None:
        for _ in range(times):
            self.send(data)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def status(self) -> int:
        """Of the next answer, without its body; 0 = the line was closed."""
        try:
            async with asyncio.timeout(60):
                head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
        await self.reader.readexactly(size)
        return int(head.split(b" ", 2)[1])

    async def close(self) -> None:
        self.writer.transport.abort()
        with suppress(ConnectionError):
            await self.writer.wait_closed()

    async def closed(self) -> bool:
        try:
            async with asyncio.timeout(60):
                return not await self.reader.read()
        except ConnectionError:
            return True


def application(site: Site) -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def nothing() -> PlainTextResponse:
        site.reached.append("get")
        return PlainTextResponse("here")

    @app.post("/")
    async def body(request: Request) -> PlainTextResponse:
        site.reached.append("post")
        async for part in request.stream():
            site.read += len(part)
        return PlainTextResponse("read")

    @app.post("/unread")
    async def unread() -> PlainTextResponse:
        return PlainTextResponse("no", 401)

    @app.get("/much")
    async def much() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            while True:
                yield bytes(1 << 20)
                await asyncio.sleep(0)

        return StreamingResponse(parts())

    class Ringing:
        async def stop(self) -> None: ...

    app.state.ringing = Ringing()
    return app


@asynccontextmanager
async def open_site(bounds: Bounds) -> AsyncIterator[Site]:
    site, stop, port = Site(), asyncio.Event(), asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(application(site), "127.0.0.1", 0, stop, port.set_result, bounds))
    site.port = await port
    try:
        yield site
    finally:
        for line in site.lines:
            await line.close()
        stop.set()
        await task


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site(PATIENT) as opened:
        yield opened


def get(*headers: bytes, path: bytes = b"/") -> bytes:
    return b"\r\n".join([b"GET " + path + b" HTTP/1.1", b"Host: a", *headers, b"", b""])


@pytest.mark.parametrize(
    "request_",
    [
        get(b"Content-Type: multipart/form-data;boundary=x" + b";" * 60_000),
        get(b"X: " + b"a" * 17_000),
        get(*[b"X: a"] * 101),
        get(path=b"/" + b"a" * 17_000),
        get(b"X: " + b"a" * 8_000, path=b"/" + b"a" * 9_000),
        get(b"X: " + b"a" * 3_000_000)[:-4],
        b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 50_000,
    ],
    ids=("semicolons", "long", "many", "address", "both", "endless", "endlessly many"),
)
async def test_too_much_of_a_head_is_refused_before_anything_is_asked(site: Site, request_: bytes) -> None:
    line = await site.line()
    line.send(request_)
    assert await line.status() in (431, 0)
    assert await line.closed()
    assert site.reached == []


async def test_the_answer_says_why_and_nothing_else_is_closed(site: Site) -> None:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{site.port}") as http:
        refused = await http.get("/", headers={"X": "a" * 60_000})
        assert refused.status_code == 431
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["x-content-type-options"] == "nosniff"
        assert refused.json()["type"] == "urn:caravel:problem:headers_too_large"
        for sent in ({"X": "a" * 15_000}, {f"X-{n}": "a" for n in range(90)}):
            assert (await http.get("/", headers=sent)).text == "here"


@pytest.mark.parametrize("sent", [b"", b"GET / HT", GET[:-2], GET[:-2] + b"X: ", b"\r\n"])
async def test_a_head_that_does_not_end_is_closed(sent: bytes) -> None:
    async with open_site(replace(PATIENT, head_seconds=0.3)) as site:
        line = await site.line()
        line.send(sent)
        assert await line.status() == 408
        again = await site.line()
        again.send(GET)
        assert await again.status() == 200
        again.send(sent or b"GET")
        assert await again.status() == 408, "also where one was answered before"


async def test_a_head_in_drops_has_no_more_time() -> None:
    async with open_site(replace(PATIENT, head_seconds=0.5)) as site:
        line = await site.line()
        for byte in GET[:-4] + b"X" * 20:
            line.send(bytes([byte]))
            await asyncio.sleep(0.02)
        assert await line.status() in (408, 0)
        assert site.reached == []


@pytest.mark.parametrize("how", [b"Content-Length: 100000", b"Transfer-Encoding: chunked"])
async def test_a_body_that_dribbles_is_closed(how: bytes) -> None:
    async with open_site(BOUNDS) as site:
        line = await site.line()
        line.send(b"POST / HTTP/1.1\r\nHost: a\r\n" + how + b"\r\n\r\n")
        line.send(b"1\r\nx\r\n" * 10)
        assert await line.status() == 408
        assert site.reached == ["post"]


async def test_a_slow_body_that_comes_has_time() -> None:
    async with open_site(replace(PATIENT, body_seconds=0.4, body_rate=10_000)) as site:
        line = await site.line()
        line.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n")
        for _ in range(10):
            line.send(b"x" * 3_000)
            await asyncio.sleep(0.1)
        assert await line.status() == 200
        assert site.read == 30_000


@pytest.mark.parametrize(
    "frame", [b"1;" + b"x" * 9_000 + b"\r\nx\r\n", b"0\r\nX: " + b"x" * 30_000], ids=("extensions", "trailers")
)
async def test_what_stands_around_a_body_in_chunks_is_counted(site: Site, frame: bytes) -> None:
    line = await site.line()
    line.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(5):
        line.send(frame)
        await asyncio.sleep(0.02)
    assert await line.status() in (431, 0)


async def test_a_body_of_crumbs_is_refused_and_one_of_lines_is_not(site: Site) -> None:
    """Each piece costs as much as a whole read of the line: 65,000 of them took as long as 40 requests."""
    crumbs, lines = await site.line(), await site.line()
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    crumbs.send(head + b"1\r\nx\r\n" * 65_000 + b"0\r\n\r\n")
    assert await crumbs.status() in (431, 0)
    before = site.read
    lines.send(head + (b"14\r\n" + b"x" * 20 + b"\r\n") * 3_000 + b"0\r\n\r\n")
    assert await lines.status() == 200
    assert site.read - before == 60_000


async def test_empty_lines_before_a_request_are_counted(site: Site) -> None:
    few, many = await site.line(), await site.line()
    few.send(b"\r\n" * 3 + GET)
    assert await few.status() == 200
    many.send(b"\r\n" * 20_000)
    assert await many.status() in (431, 0)


async def test_a_body_nobody_asked_for_is_not_read_to_its_end(site: Site) -> None:
    line = await site.line()
    line.send(b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
    assert await line.status() == 401
    with pytest.raises(ConnectionError):
        await line.send_much(b"x" * 100_000, 500)


async def test_a_small_body_nobody_asked_for_leaves_the_line_open(site: Site) -> None:
    line = await site.line()
    for _ in range(3):
        line.send(b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
        assert await line.status() == 401
        line.send(b"x" * 1000)
    line.send(GET)
    assert await line.status() == 200


async def test_requests_sent_ahead_are_few(site: Site) -> None:
    few, many = await site.line(), await site.line()
    few.send(GET * 10)
    assert [await few.status() for _ in range(10)] == [200] * 10
    many.send(GET * 5_000)
    assert await many.closed()
    assert len(site.reached) < 50


async def test_an_answer_that_is_not_taken_ends() -> None:
    async with open_site(BOUNDS) as site:
        line = await site.line()
        line.send(get(path=b"/much"))
        await asyncio.sleep(1)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await line.reader.readexactly(1 << 30)


async def test_half_requests_make_room_for_whole_ones() -> None:
    async with open_site(replace(PATIENT, connections=20, of_address=1_000)) as site:
        half = [await site.line() for _ in range(200)]
        for line in half:
            line.send(GET[:-4])
        for _ in range(5):
            line = await site.line()
            line.send(GET)
            assert await line.status() == 200
        ended = [one for one in half if one.reader.at_eof()]
        assert len(ended) >= 180


async def test_who_is_answered_is_not_put_out_and_newcomers_are_told_that_it_is_full() -> None:
    async with open_site(replace(PATIENT, connections=10, of_address=1_000)) as site:
        busy = [await site.line() for _ in range(10)]
        for line in busy:
            line.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx")
        while len(site.reached) < 10:  # noqa: ASYNC110 - what is counted is the server's
            await asyncio.sleep(0.01)
        assert await (await site.line()).status() == 503
        for line in busy:
            line.send(b"x")
        assert [await line.status() for line in busy] == [200] * 10
        line = await site.line()
        line.send(GET)
        assert await line.status() == 200


async def test_one_address_has_its_share_and_a_proxy_has_more() -> None:
    for trusted, there in ((), 5), ((ip_network("127.0.0.0/8"),), 30):
        async with open_site(replace(PATIENT, of_address=5, trusted=trusted)) as site:
            lines = [await site.line() for _ in range(30)]
            for line in lines:
                line.send(GET)
            answered = [await line.status() for line in lines]
            assert answered.count(200) == there if trusted else answered.count(200) >= there
            ended = sum(line.reader.at_eof() for line in lines)
            assert ended == (0 if trusted else 25)

"""Hostile requests, each shape a program of its own that imports little: PORT SHAPE CLIENT NUMBER."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress

FORM = b"POST /console/open HTTP/1.1\r\nHost: b\r\nOrigin: http://b\r\n"
KIND = b"Content-Type: multipart/form-data;boundary=x"
TINY = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'


def sized(head: bytes, body: bytes) -> bytes:
    """A whole request."""
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


HALF = "half a request"
SHAPES: Mapping[str, Callable[[], bytes]] = {
    "a plain one": lambda: b"GET /me HTTP/1.1\r\nHost: b\r\n\r\n",
    "60,000 semicolons": lambda: sized(
        FORM + b"Content-Type: multipart/form-data;boundary=x" + b";" * 60_000 + b"\r\n", b""
    ),
    "semicolons in a part": lambda: sized(FORM + KIND + b"\r\n", TINY.replace(b'"a"', b'"a"' + b";" * 4_000) * 3),
    "tiny fields": lambda: sized(FORM + KIND + b"\r\n", TINY * 160_000)[: 1 << 20],
    HALF: lambda: FORM,
    "unsigned callback": lambda: sized(b"POST /hospitals/centre-1/callbacks HTTP/1.1\r\nHost: b\r\n", b"{}"),
    "wrong reply link": lambda: b"GET /reply/guessed HTTP/1.1\r\nHost: b\r\n\r\n",
}


async def attack(port: int, shape: str, client: int, number: int) -> None:
    """One client at an address of its own, on a new connection each time; half requests are left open."""
    request, left = SHAPES[shape](), []
    for _ in range(number):
        with suppress(ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(f"127.0.0.{client + 2}", 0))
            left.append(writer)
            writer.write(request)
            if shape != HALF:
                async with asyncio.timeout(10):
                    await reader.read(1)
                writer.close()
    for writer in left:
        writer.close()


if __name__ == "__main__":
    asyncio.run(attack(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))

"""The command line's token: sent where there is one; without one the API says what lacks, and the line is no riddle."""

from __future__ import annotations

import asyncio

import pytest

from tests.api.cli.test_cli import Cli

NO = b'{"title": "Not signed in", "detail": "sign in first", "status": 401}'
ANSWER = b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/problem+json\r\nConnection: close\r\n"


@pytest.mark.parametrize(("token", "sent"), [("", b""), (" ", b""), ("abc\n", b"authorization: Bearer abc")])
async def test_an_empty_token_is_no_header(token: str, sent: bytes) -> None:
    heads: list[bytes] = []

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(ANSWER + b"Content-Length: %d\r\n\r\n" % len(NO) + NO)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answered, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        said = await Cli({"CARAVEL_API": f"http://{host}:{port}", "CARAVEL_TOKEN": token})("case", "show", "case-1")
    assert "sign in first" in said.err
    lines = [line for line in heads[0].split(b"\r\n") if line.lower().startswith(b"authorization")]
    assert [line.lower() for line in lines] == ([sent.lower()] if sent else [])

"""Has clamd look at a file while it streams past: its INSTREAM command, over TCP or a local socket.

A file is sent as it comes in and kept nowhere in clear. clamd answers once it has all of it; a file that is larger than
its own StreamMaxLength it does not look at to the end, and then nothing is said about that file.
"""

from __future__ import annotations

import asyncio
import re
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import suppress

from activities.ports import Scan, ScannerDown

INSTREAM, PING = b"zINSTREAM\0", b"zPING\0"
PIECE = 64 * 1024
CONNECT, WRITE, ANSWER = 5.0, 30.0, 300.0
"""Seconds: for the connection, for each piece, and for the answer once all was sent."""
LONGEST = 1024
FOUND = re.compile(r"stream: (\S{1,200}) FOUND")
NOT_PLAIN = re.compile(r"[^A-Za-z0-9._:/-]")


class Clamd:
    """Reaches one clamd: `address` is HOST:PORT, or the path of its local socket."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def begin(self) -> Scan:
        """Begin a scan. Raises ScannerDown."""
        reader, writer = await self._connected()
        try:
            writer.write(INSTREAM)
            await asyncio.wait_for(writer.drain(), WRITE)
        except OSError:
            writer.close()
            raise ScannerDown("it closed the line") from None
        return Stream(reader, writer)

    async def answers(self) -> bool:
        """Return whether it says it is there."""
        try:
            reader, writer = await self._connected()
            try:
                writer.write(PING)
                return await asyncio.wait_for(reader.read(LONGEST), CONNECT) == b"PONG\0"
            finally:
                writer.close()
        except (OSError, ScannerDown):
            return False

    async def _connected(self) -> tuple[StreamReader, StreamWriter]:
        try:
            async with asyncio.timeout(CONNECT):
                if "/" in self._address:
                    return await asyncio.open_unix_connection(self._address)
                host, _, port = self._address.rpartition(":")
                return await asyncio.open_connection(host.strip("[]"), int(port))
        except OSError:  # a time-out is one too
            raise ScannerDown("nobody answers at its address") from None


class Stream:
    """One file on its way past. Whatever hinders it is said by `verdict`, so that the file itself goes on."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._writer = writer
        self._answer = asyncio.create_task(reader.read(LONGEST))
        self._broken = False

    async def passing(self, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the file, sending each part to the scanner."""
        async for part in content:
            await self._send(part)
            yield part

    async def _send(self, part: bytes) -> None:
        with memoryview(part) as whole:
            for at in range(0, len(part), PIECE):
                piece = whole[at : at + PIECE]
                await self._write(len(piece).to_bytes(4) + piece)

    async def _write(self, data: bytes) -> None:
        if self._broken or self._answer.done():  # it has said what it has to say before it has all of it
            return
        try:
            self._writer.write(data)
            await asyncio.wait_for(self._writer.drain(), WRITE)
        except OSError:
            self._broken = True

    async def verdict(self) -> str:
        """Return the name of the signature that was found, empty = none. Raises ScannerDown."""
        await self._write(bytes(4))
        try:
            async with asyncio.timeout(ANSWER):
                said = (await self._answer).decode(errors="replace").rstrip("\0\n")
        except OSError:
            said = ""
        finally:
            self.close()
        if found := FOUND.fullmatch(said):
            return NOT_PLAIN.sub("", found[1])
        if said == "stream: OK":
            return ""
        raise ScannerDown("the file is larger than it takes" if "size limit" in said else "it gave no verdict")

    def close(self) -> None:
        """End it, whether or not there is a verdict."""
        self._answer.cancel()
        with suppress(OSError):
            self._writer.close()

"""A document into a case over HTTP and out again, at once and in pieces, against `cat` through AES-GCM.

Both ways end on the same disk with fsync; the way out goes to nobody. Beside the rate: by how much the server process
grew over what it held before, at its highest.
"""

import asyncio
import os
import resource
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from bench.common import Asked, Row, server, short
from bench.http import Caller, api, signed_in

MIB = 1024 * 1024
SIZES = (16, 64, 256)
"""MiB. `--mebibytes` adds one, as 2048."""
PIECE = 8 * MIB
HEAD, END = b"%PDF-1.7\n", b"\n%%EOF\n"
SEAL = """
import os, sys
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
cipher, number = AESGCM(bytes(32)), 0
with open(sys.argv[1], "wb") as out:
    while part := sys.stdin.buffer.read(65536):
        out.write(cipher.encrypt(number.to_bytes(12), part, None))
        number += 1
    out.flush()
    os.fsync(out.fileno())
"""
OPEN = """
import sys
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
cipher, number = AESGCM(bytes(32)), 0
with open("/dev/null", "wb") as out:
    while part := sys.stdin.buffer.read(65552):
        out.write(cipher.decrypt(number.to_bytes(12), part, None))
        number += 1
"""


class Server:
    """What is measured: one case on one API process."""

    def __init__(self, port: int, pid: int, token: str, case: str) -> None:
        self.port, self.token, self.case = port, token, case
        self._proc = Path(f"/proc/{pid}")

    def held(self, what: str) -> int:
        """Bytes of memory: VmRSS now, or VmHWM at its highest since `forget`."""
        status = (self._proc / "status").read_text()
        return int(status.partition(f"{what}:")[2].split()[0]) * 1024

    def forget(self) -> int:
        """Begin anew with the highest; answers with what it holds now."""
        (self._proc / "clear_refs").write_text("5")
        return self.held("VmRSS")

    def spent(self) -> float:
        """Seconds of the processor that it and the peers took until now."""
        parts = (self._proc / "stat").read_text().rpartition(")")[2].split()
        peers = resource.getrusage(resource.RUSAGE_CHILDREN)
        return sum(map(int, parts[11:13])) / os.sysconf("SC_CLK_TCK") + peers.ru_utime + peers.ru_stime

    def asks(self, method: str, path: str, size: int, *headers: str) -> socket.socket:
        """A connection whose head is sent."""
        lines = [f"{method} {path} HTTP/1.1", "Host: bench", f"Authorization: Bearer {self.token}", *headers]
        line = socket.create_connection(("127.0.0.1", int(self.port)))
        line.sendall("\r\n".join([*lines, f"Content-Length: {size}", "Connection: close", "", ""]).encode())
        return line

    def sent(self, file: Path, size: int) -> str:
        """The document's address, sent at once."""
        kind = ("Content-Type: application/pdf", f"Idempotency-Key: {uuid.uuid4().hex}")
        with file.open("rb") as content, self.asks("POST", f"/cases/{self.case}/documents", size, *kind) as line:
            line.sendfile(content)
            return located(line)

    def in_pieces(self, file: Path, size: int) -> str:
        """The document's address, sent in pieces."""
        kind = ("Content-Type: application/pdf", f"Idempotency-Key: {uuid.uuid4().hex}", f"Upload-Length: {size}")
        with self.asks("POST", f"/cases/{self.case}/uploads", 0, *kind) as line:
            upload = place = located(line)
        with file.open("rb") as content:
            for at in range(0, size, PIECE):
                piece = min(PIECE, size - at)
                with self.asks("PATCH", upload, piece, f"Upload-Offset: {at}") as line:
                    line.sendfile(content, at, piece)
                    place = located(line)
        return place

    def fetched(self, place: str, size: int) -> None:
        """All of it, into nothing."""
        with self.asks("GET", place, 0) as line:
            found, room = 0, bytearray(MIB)
            while number := line.recv_into(room):
                found += number
        if found < size:
            raise RuntimeError(f"{found} bytes came of {size}")


def located(line: socket.socket) -> str:
    """The address that an answer names; another answer than that it went well stops the bench."""
    answer = b""
    while part := line.recv(65536):
        answer += part
    head = answer.partition(b"\r\n\r\n")[0].decode()
    if head.split(" ", 2)[1][0] != "2":
        raise RuntimeError(answer.decode()[:400])
    return next(row.partition(":")[2].strip() for row in head.split("\r\n") if row.lower().startswith("location:"))


def piped(source: Path, program: str, *words: str) -> None:
    """`cat` through a program."""
    with subprocess.Popen(["/bin/cat", str(source)], stdout=subprocess.PIPE) as cat:
        subprocess.run([sys.executable, "-c", program, *words], stdin=cat.stdout, check=True)


def made(file: Path, size: int) -> Path:
    """A document of a size that its type is told of, and that nothing can make smaller."""
    with file.open("wb") as out:
        out.write(HEAD)
        for at in range(len(HEAD), size - len(END), MIB):
            out.write(os.urandom(min(MIB, size - len(END) - at)))
        out.write(END)
    return file


async def measured(here: Server, folder: Path, size: int) -> Row:
    """One size, each way once, between the two runs of its peer."""
    file, other, sealed = made(folder / "one", size), made(folder / "other", size), folder / "sealed"

    took, cost = dict[str, float](), dict[str, float]()

    async def times(name: str, work: Callable[[], object]) -> None:
        begun, spent = time.perf_counter(), here.spent()
        await asyncio.to_thread(work)
        took[name], cost[name] = time.perf_counter() - begun, here.spent() - spent

    places: list[str] = []
    rest = here.forget()
    await times("cat in", lambda: piped(file, SEAL, str(sealed)))
    await times("in", lambda: places.append(here.sent(file, size)))
    await times("in pieces", lambda: places.append(here.in_pieces(other, size)))
    await times("cat out", lambda: piped(sealed, OPEN))
    await times("out", lambda: here.fetched(places[0], size))
    rate = {name: round(size / MIB / spent) for name, spent in took.items()}
    against = {"in": "cat in", "in pieces": "cat in", "out": "cat out"}
    return {
        "MiB": size // MIB,
        "MiB a second": rate,
        "CPU ms a MiB": {name: short(1000 * spent * MIB / size) for name, spent in cost.items()},
        "of cat": {name: short(took[peer] / took[name]) for name, peer in against.items()},
        "MiB more": round((here.held("VmHWM") - rest) / MIB),
    }


async def main(asked: Asked) -> AsyncIterator[Row]:
    """A row for each size."""
    sizes = [*asked.either(SIZES, (1, 2)), *([asked.mebibytes] if asked.mebibytes else [])]
    async with server() as (running, folder):
        token = await signed_in(running.dsn, folder / "home")
        async with api(running.dsn, folder / "home") as port:
            case = await Caller(*await asyncio.open_connection("127.0.0.1", port), token).opens()
            here = Server(port, port.pid, token, case.case)
            await measured(here, folder, MIB)  # warms up
            for size in sizes:
                yield await measured(here, folder, size * MIB)

"""One server process that belongs to a folder: never two at once, never left behind, ports and secrets remembered."""

import asyncio
import contextlib
import fcntl
import json
import os
import random
import signal
import socket
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, cast

from infra.embedded.lifeline import lifeline

LOG_LIMIT = 10_000_000
POLL = 0.02


class ServerError(RuntimeError):
    """A server could not be started or kept; the text says what to do."""


def usable(port: int) -> bool:
    """Return whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False


def free_port() -> int:
    """Find a free port below those the kernel hands to outgoing connections, so that it stays ours over a restart."""
    candidates = (random.randrange(20_000, 30_000) for _ in range(1_000))  # noqa: S311  not a secret
    return next(port for port in candidates if usable(port))


def born(pid: int) -> str | None:
    """Return what tells this process from a later one with the same number; None when there is none."""
    if Path("/proc/self/stat").exists():
        with contextlib.suppress(OSError):
            state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            return None if state == "Z" else fields[18]
        return None
    seen = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607
    return seen.stdout.strip() or None


def children(pid: int) -> list[int]:
    """Return the processes that `pid` has started itself and that live; they are known only while it lives itself."""
    if not Path("/proc/self/stat").exists():
        seen = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607
        return [int(word) for word in seen.stdout.split()]
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _parent(entry) == pid]


def _parent(process: Path) -> int | None:
    with contextlib.suppress(OSError):
        state, parent, *_ = (process / "stat").read_text().rpartition(")")[2].split()
        return None if state == "Z" else int(parent)
    return None


def end_by_force(pid: int) -> None:
    """End a process and what it has started itself, also when all of them are stopped.

    Sessions of a killed PostgreSQL end by themselves unless they are stopped; then they hold its memory, and no other
    starts. The process is stopped first, so that it starts nothing after its children were counted.
    """
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        known = {child: born(child) for child in children(pid)}
        os.kill(pid, signal.SIGKILL)
        for child, birth in known.items():
            if birth and born(child) == birth:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)


async def until(true: Callable[[], bool]) -> None:
    """Wait for what nobody announces."""
    while not true():  # noqa: ASYNC110  another program's end sets no event of ours
        await asyncio.sleep(POLL)


class ServerProcess:
    """The process, its lock, its log and its remembered state in `folder`."""

    def __init__(self, folder: Path, name: str, stop_signal: signal.Signals) -> None:
        self.folder, self.name, self.stop_signal = folder, name, stop_signal
        self.log = folder / "log"
        self._state = folder / "state.json"
        self._lock: int | None = None
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Return the number of the running process; None when there is none."""
        return self._child.pid if self._child and self._child.poll() is None else None

    @property
    def exit_code(self) -> int | None:
        """Return how the last process ended; negative for a signal, None while it runs or never ran."""
        return self._child.poll() if self._child else None

    def remembered(self) -> dict[str, Any]:
        """Read what earlier starts in this folder have kept."""
        return dict(json.loads(self._state.read_text())) if self._state.exists() else {}

    def remember(self, **facts: object) -> None:
        """Keep facts for later starts, readable by the owner only."""
        draft = self._state.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({**self.remembered(), **facts}, file)
        draft.replace(self._state)

    async def own(self) -> None:
        """Make this folder ours alone, and end what a killed owner may have left running in it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._lock is None:
            lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(lock)
                raise ServerError(
                    f"{self.name}: {self.folder} is in use by another Caravel; stop that one first"
                ) from error
            self._lock = lock
        if self.pid is None:
            await self._end_orphan()

    async def _end_orphan(self) -> None:
        pid, birth = self.remembered().get("process") or (0, None)
        for attempt in (self.stop_signal, signal.SIGKILL):
            if not birth or born(pid) != birth:
                return
            if attempt is signal.SIGKILL:
                end_by_force(pid)
            else:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, attempt)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(30):
                    await until(lambda: born(pid) != birth)

    def spawn(self, command: list[str], *, user: int | None = None, env: Mapping[str, str] | None = None) -> None:
        """Start the process, tied to the calling thread's life, with a session of its own so that Ctrl-C spares it."""
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".1"))
        self.log.touch(0o600)
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                lifeline(command, user=user, death=self.stop_signal),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                start_new_session=True,
            )
        self.remember(process=[self._child.pid, born(self._child.pid)])

    async def wait(self) -> int:
        """Wait until the process has ended, however; its exit code."""
        await until(lambda: self.exit_code is not None)
        return cast("int", self.exit_code)

    def kill(self) -> None:
        """End the process and its children by force: one that hangs hears nothing else."""
        if self.pid:
            end_by_force(self.pid)

    async def stop(self, patience: float = 30) -> None:
        """End the process, by force when it takes longer than `patience` seconds, and give the folder free."""
        if self._child and self.pid:
            self._child.send_signal(self.stop_signal)
            try:
                await asyncio.wait_for(self.wait(), patience)
            except TimeoutError:
                self.kill()
                await self.wait()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def last_words(self) -> str:
        """Return the end of the log, for an error text."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:]) if self.log.exists() else ""


class LocalServer(ABC):
    """One program of this machine, by its process; started again it keeps its ports and data."""

    def __init__(self, process: ServerProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int | None:
        """Return the number of the running process; None when there is none."""
        return self._process.pid

    @abstractmethod
    async def start(self) -> None:
        """Start, and wait until it answers; does nothing when it runs already. Raises ServerError."""

    @abstractmethod
    async def answers(self) -> bool:
        """Return, within a few seconds, whether it lives and answers."""

    async def wait(self) -> int:
        """Wait until it has ended, however; its exit code."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Stop it, letting it finish what is under way; nothing is lost."""
        await self._process.stop()

    def kill(self) -> None:
        """End it by force; the next start recovers."""
        self._process.kill()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

"""The kill loop kills, stops and brings back, whatever it is given."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from pathlib import Path

import pytest

from api.run.embedded.child_processes import Program
from infra.embedded.server_process import children
from tests.soak import killing
from tests.soak.killing import Killing

pytestmark = pytest.mark.slow


def state(pid: int) -> str:
    """T = stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("stops", [0, 1])
async def test_everybody_is_there_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stops: float) -> None:
    monkeypatch.setattr(killing, "GAP", (0.05, 0.1))
    monkeypatch.setattr(killing, "CALM", 0.5)
    monkeypatch.setattr(killing, "AWAY", 0.3)
    mail = Program(tmp_path / "mail", "mail")
    mail.runs(["-c", "import time; time.sleep(60)"])
    await mail.start()
    first = mail.pid
    loop = Killing({"mail": mail}, random.Random(1), stops)
    try:
        await loop.run(3)
        assert (loop.done.total(), loop.stopped.total()) == (3, 3 * stops)
        assert mail.pid
        assert (mail.pid == first) == bool(stops), "who is stopped lives on"
        assert state(mail.pid) != "T"
    finally:
        await mail.stop()


SLEEPS = "import time; time.sleep(60)"
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPS!r}]); {SLEEPS}"


async def test_who_is_stopped_is_stopped_with_all_it_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions of a database are processes of their own."""
    monkeypatch.setattr(killing, "AWAY", 1.0)
    one = Program(tmp_path / "one", "one")
    one.runs(["-c", PARENT])
    await one.start()
    assert one.pid
    while not children(one.pid):  # noqa: ASYNC110 - processes
        await asyncio.sleep(0.05)
    (child,) = children(one.pid)
    stopping = asyncio.create_task(Killing({"mail": one}, random.Random(1), 1)._stop("mail", one.pid))
    try:
        await asyncio.sleep(0.3)
        assert (state(one.pid), state(child)) == ("T", "T")
        with suppress(KeyError):  # nobody has noted that it is away
            await stopping
        assert "T" not in (state(one.pid), state(child))
    finally:
        one.kill()
        await one.stop()


async def test_what_else_is_done_happens_once_each_and_nobody_kills_what_is_lent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(killing, "GAP", (0.05, 0.1))
    monkeypatch.setattr(killing, "CALM", 0.5)
    servers = {name: Program(tmp_path / name, name) for name in ("mail", "hospitals")}
    for server in servers.values():
        server.runs(["-c", SLEEPS])
        await server.start()
    seen: list[bool] = []

    async def harm(loop: Killing) -> None:
        async with loop.lent("mail") as mail:
            before, kills = mail.pid, loop.done.total()
            while loop.done.total() < kills + 2 and loop.done.total() < 6:  # noqa: ASYNC110 - processes
                await asyncio.sleep(0.05)
            seen.append(mail.pid == before)

    loop = Killing(servers, random.Random(1))
    try:
        await loop.run(6, [harm, harm])
        assert seen == [True, True]
        assert loop.done.total() == 6
        assert all(server.pid for server in servers.values())
    finally:
        for server in servers.values():
            await server.stop()

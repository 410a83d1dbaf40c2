"""The kill loop kills, stops and brings back, whatever it is given."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from api.run.embedded.child_processes import Program
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

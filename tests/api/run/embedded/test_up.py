"""The whole of `caravel up`: a case walked by hand, mail that comes back, Ctrl-C and a second start."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey

from infra.embedded.server_process import born, children
from tests.api.by_mail import noon
from tests.services import SCRIPTS, eventually
from tests.test_compose import ROOT

pytestmark = pytest.mark.slow
STAGE = SearchAttributeKey.for_keyword("CaravelStage")
JOURNEY = ["inquiry", "records", "eligibility", "visa", "admission", "lymphodepletion", "infusion", "follow_up"]
LATE = 3
READY, SECRET = re.compile(r"Caravel is ready: (\S+)"), re.compile(r"secret (\S+) for")


@dataclass
class Up:
    """`caravel up` in a folder of its own, as somebody at a terminal has it."""

    home: Path
    url: str = ""
    secret: str = ""
    process: asyncio.subprocess.Process | None = None

    @property
    def said(self) -> str:
        return (self.home / "said").read_text()

    async def start(self) -> None:
        variables = {"PATH": f"{SCRIPTS}:/usr/bin:/bin", "HOME": str(self.home), "CARAVEL_HOME": str(self.home)}
        with (self.home / "said").open("wb") as said:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "api.cli", "up", "--cohort", "0", "--still"),
                cwd=ROOT,
                env=variables,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.url = (await eventually(self._ready, within=120))[1]
        self.secret = SECRET.findall(self.said)[-1]

    async def _ready(self) -> re.Match[str] | None:
        assert self.process
        assert self.process.returncode is None, self.said
        return READY.search(self.said)

    async def stop(self) -> int:
        """Ctrl-C: the terminal tells everybody of the session's foreground."""
        assert self.process
        if self.process.returncode is None:
            os.killpg(self.process.pid, signal.SIGINT)
        return await asyncio.wait_for(self.process.wait(), 60)

    def children(self) -> dict[str, tuple[int, str]]:
        """The servers and programs of the folder by name: process and birth."""
        states = {state.parent.name: json.loads(state.read_text()) for state in self.home.glob("*/state.json")}
        return {name: tuple(state["process"]) for name, state in states.items() if "process" in state}

    @asynccontextmanager
    async def signed_in(self) -> AsyncIterator[httpx2.AsyncClient]:
        async with httpx2.AsyncClient(base_url=self.url, timeout=30) as http:
            told = {"person": "person-coordinator", "secret": self.secret}
            answer = await http.post("/dev/sign-in", json=told)
            http.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['token']}"
            yield http

    async def temporal(self) -> Client:
        port = json.loads((self.home / "temporal/state.json").read_text())["port"]
        return await Client.connect(f"127.0.0.1:{port}")


@pytest.fixture(scope="module")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    here = Up(tmp_path_factory.mktemp("up"))
    here.home.chmod(0o755)  # the database may run as another user, who must pass through
    try:
        await here.start()
        yield here
    finally:
        await here.stop()


@pytest.fixture(scope="module")
async def walked(up: Up) -> str:
    """The case that docs/walk.sh has walked to its end."""
    walking = await asyncio.create_subprocess_exec(
        *(str(ROOT / "docs/walk.sh"), up.url, up.secret),
        env={"PATH": f"{SCRIPTS}:/usr/bin:/bin", "CARAVEL": f"{SCRIPTS}/caravel"},
        cwd=up.home,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await asyncio.wait_for(walking.communicate(), 240))[0].decode()
    assert walking.returncode == 0, said
    headings = re.findall(r"^== (\S+)$", said, re.MULTILINE)
    assert [heading.replace("-", "_") for heading in headings] == JOURNEY
    return str(re.findall(r"opened (case-\S+)", said)[0])


async def test_the_walk_comes_to_follow_up_and_the_chain_of_runs_is_the_journey(up: Up, walked: str) -> None:
    async with up.signed_in() as http:
        shown = (await http.get(f"/cases/{walked}")).json()
        events = (await http.get(f"/cases/{walked}/events", params={"limit": 500})).json()["events"]
    entered = [event["data"]["stage"] for event in events if event["type"] == "StageEntered"]
    assert (shown["case"]["stage"], entered) == ("follow_up", JOURNEY[1:])
    client = await up.temporal()

    async def complete() -> bool:
        """It begins with the stage of the first look, which may be late where the machine is slow."""
        runs = [run async for run in client.list_workflows(f"WorkflowId = '{walked}'")]
        chain = [r.typed_search_attributes.get(STAGE) for r in sorted(runs, key=lambda run: run.start_time)]
        return len(chain) > LATE and chain == JOURNEY[-len(chain) :]

    await eventually(complete, within=120)  # a run ends with its last effect, and hospitals may hang


async def test_mail_that_comes_back_is_a_fact_and_somebodys_task(up: Up) -> None:
    async with up.signed_in() as http:
        family = {"country": "GB", "language": "en", "zone": noon(), "patient_name": "Ada Lost", "team": "rehearsal"}
        opened = await http.post("/cases", json={**family, "patient_mail": "ada@dsn.invalid"}, headers=key())
        case = opened.raise_for_status().json()["case"]
        asking = {"type": "RequestRecord", "kind": "passport"}
        (await http.post(f"/cases/{case}/commands", json=asking, headers=key())).raise_for_status()

        async def bounced() -> list[Any]:
            events = (await http.get(f"/cases/{case}/events")).json()["events"]
            return [event for event in events if event["type"] == "MessageBounced"]

        (back,) = await eventually(bounced, within=60)
        assert (back["data"]["code"], back["actor"]) == ("5.1.1", "engine")
        owed = (await http.get(f"/cases/{case}/agenda")).json()["obligations"]
        assert [(o["kind"], o["debtor"]) for o in owed if o["kind"] == "settle_effect"] == [
            ("settle_effect", "coordinator")
        ]
        settled = {"type": "SettleEffect", "effect": back["data"]["effect"], "outcome": "delivered", "note": "by phone"}
        (await http.post(f"/cases/{case}/commands", json=settled, headers=key())).raise_for_status()
        assert "settle_effect" not in (await http.get(f"/cases/{case}/agenda")).text


def key() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


async def test_a_database_stopped_whole_is_ended_and_started_again_with_all_that_was_acknowledged(up: Up) -> None:
    async with up.signed_in() as http:
        family = {"country": "GB", "language": "en", "zone": noon(), "patient_name": "Ada Kept", "team": "rehearsal",
                  "despite_duplicates": "a test"}  # fmt: skip
        opened = [(await http.post("/cases", json=family, headers=key())).raise_for_status().json() for _ in range(3)]
        pid, _ = up.children()["postgres"]
        everybody = [(one, born(one)) for one in (pid, *children(pid))]
        for one, _ in everybody:
            os.kill(one, signal.SIGSTOP)

        async def back() -> bool:
            now = up.children()["postgres"][0]
            return now != pid and (await http.get("/readyz")).json()["status"] == "ready"

        await eventually(back, within=180)
        assert not [one for one, birth in everybody if born(one) == birth]
        for case in opened:
            assert (await http.get(f"/cases/{case['case']}")).json()["case"]["stage"] == "inquiry"


async def test_ctrl_c_ends_everything_and_a_second_start_finds_it_again(up: Up, walked: str) -> None:
    first, before = up.url, up.children()
    assert {"postgres", "temporal", "mail", "hospitals", "worker"} <= before.keys()
    assert await up.stop() == 0, up.said
    assert "Traceback" not in up.said
    assert [name for name, (pid, birth) in before.items() if born(pid) == birth] == []
    await up.start()
    assert up.url == first
    async with up.signed_in() as http:
        assert (await http.get(f"/cases/{walked}")).json()["case"]["stage"] == "follow_up"

        async def ready() -> bool:
            return bool((await http.get("/readyz")).json()["status"] == "ready")

        await eventually(ready, within=60)
    described = await (await up.temporal()).get_workflow_handle(walked).describe()
    assert described.status is not None
    assert described.status.name == "RUNNING"

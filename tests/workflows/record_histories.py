"""Records the stored histories anew: `python -m tests.workflows.record_histories`.

Only add to what is stored: a history that is there must replay for as long as a case may have been started by its code.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from activities.perform import Delivered
from infra.embedded.postgres_server import PostgresServer
from infra.embedded.temporal_server import TemporalServer
from infra.ledger.schema.migrate import migrate
from tests.workflows.rig import Call, Engine, command, engine, eventually, ladder, quick
from workflows import journey

FOLDER = Path(__file__).with_name("histories")
POLICY = quick(first_reply=ladder(3600, 2, 4, escalate=[5]), record=ladder(3600))


async def happy(here: Engine) -> str:
    """Through the inquiry, a document asked for and delivered."""
    case = await here.open()
    await here.settled(case)
    await here.to_records(case)
    await here.send(case, command("RequestRecord", "pathology"))
    await eventually(lambda: here.facts(case, "EffectDelivered"))
    return case


async def reminder(here: Engine) -> str:
    """Nobody answers: two reminders, then an escalation."""
    case = await here.open()
    await eventually(lambda: _many(here, case, "EffectDelivered", 3))
    return case


async def unknown(here: Engine) -> str:
    """A far side that gives no clear answer."""

    async def fault(_call: Call) -> Delivered:
        raise OSError

    here.hands.answers["request_record"] = fault
    case = await here.open()
    await here.send(case, command("RequestRecord", "pathology"))
    await eventually(lambda: here.facts(case, "EffectUnknown"))
    here.hands.answers.clear()
    await eventually(lambda: here.facts(case, "EffectDelivered"), within=90)
    return case


async def rotation(here: Engine) -> str:
    """The stage changes while an effect is under way: looks go on, the new run waits for the effect."""

    async def slow(call: Call) -> Delivered:
        await asyncio.sleep(3)
        return Delivered(call.effect)

    here.hands.answers["request_record"] = slow
    case = await here.open()
    await here.send(case, command("RequestRecord", "pathology"))
    await eventually(lambda: _called(here, case))
    await here.to_records(case)
    await here.send(case, command("AddNote", "note", "x"))
    await eventually(lambda: here.facts(case, "EffectDelivered"))
    await eventually(lambda: _runs(here, case, 2))
    here.hands.answers.clear()
    return case


async def closing(here: Engine) -> str:
    """Opened by mistake, voided, ended."""
    case = await here.open()
    await here.settled(case)
    await here.send(case, command("VoidCase", "opened twice"))
    await here.client.get_workflow_handle(case).result()
    return case


async def _many(here: Engine, case: str, kind: str, count: int) -> bool:
    return len(await here.facts(case, kind)) >= count


async def _called(here: Engine, case: str) -> bool:
    return bool(here.hands.of(case, "request_record"))


async def _runs(here: Engine, case: str, count: int) -> bool:
    return len(await here.runs(case)) >= count


PATHS: tuple[Callable[[Engine], Awaitable[str]], ...] = (happy, reminder, unknown, rotation, closing)


def scrubbed(history: str) -> str:
    """Without the names of the machine it ran on."""
    kept = json.loads(re.sub(r'"(identity|workerIdentity)": "[^"]*"', r'"\1": "worker"', history))
    return json.dumps(kept, separators=(",", ":")) + "\n"


async def record(here: Engine, path: Callable[[Engine], Awaitable[str]]) -> None:
    """Every run of the path's chain."""
    case = await path(here)
    await here.settled(case)
    await asyncio.sleep(3)  # the newest run has looked
    for number, run in enumerate(await here.runs(case), 1):
        handle = here.client.get_workflow_handle(case, run_id=run.run_id)
        history = await handle.fetch_history()
        (FOLDER / f"{path.__name__}-{number}.json").write_text(scrubbed(history.to_json()))


async def main(folder: Path, names: list[str]) -> None:
    """Record these paths, or all."""
    row = journey.EFFECTS["request_record"]
    short = replace(row, call=timedelta(seconds=5), attempt=timedelta(seconds=4))
    journey.EFFECTS["request_record"] = short  # type: ignore[index]
    async with PostgresServer(folder / "pg", fsync=False) as postgres, TemporalServer(folder / "t", ui=False) as t:
        await migrate(postgres.dsn)
        async with engine(postgres.dsn, t.address, folder, policy=POLICY) as here:
            for path in PATHS:
                if not names or path.__name__ in names:
                    await record(here, path)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        asyncio.run(main(Path(name), sys.argv[1:]))

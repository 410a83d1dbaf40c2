"""A list of destroyed keys that went away while the keys stay is said everywhere, and can be written again."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from api.run.verifying import question_of, unlisted_here, verified
from api.run.wiring import Parts
from infra.destroyed_keys import destroyed_in, tombstones_in
from tests.api.cli.test_cli import Cli
from tests.api.conftest import Person, client
from tests.api.run.test_erasing import attempt, erasing, opened, order_of, told

pytestmark = pytest.mark.slow
EVER = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
async def erased(here: Parts, people: Mapping[str, Person]) -> str:
    """A case whose keys were destroyed as two people said."""
    case = await opened(people["coordinator"])
    await told(people["coordinator"], case, "LeaveJourney", reason="declined")
    await told(people["quality"], case, "OrderErasure", reason="consent_withdrawn")
    await told(people["supervisor"], case, "ConfirmErasure", order=await order_of(here, case))
    await attempt(here, case, erasing(here))
    return case


async def alarms(here: Parts, app: FastAPI, supervisor: Person, case: str) -> Mapping[str, bool]:
    """Who says that the list is not what it should be; the app is a process that was running before."""
    own = here.settings
    caravel = Cli(
        {
            "CARAVEL_DATABASE_URL": own.database_url.get_secret_value(),
            "CARAVEL_HOME": str(own.home),
            "TEMPORAL_ADDRESS": "127.0.0.1:9",
        }
    )
    async with client(app) as nobody:
        ready = (await nobody.get("/readyz")).json()
    doctor: Any = (await caravel("doctor", "--json")).json
    verify = await caravel("audit", "verify", case)
    question = question_of(own, (), 1, None, quiet=True)
    return {
        "readiness": ready["parts"]["erasures"] == "away" and ready["status"] == "degraded",
        "operations": "Erasures: away" in (await supervisor.get("/console/operations")).text,
        "doctor": [one["ok"] for one in doctor if one["part"] == "erasures"] == [False],
        "verify": case in verify.out.partition("NOT AS IT SHOULD BE")[2] and "--relist" in verify.out,
        "one case": [stream for stream, _ in await unlisted_here(question, own, case)] == [case],
        "night": bool((await verified(own)).says["unlisted"]),
        "erasures": (await caravel("audit", "erasures")).code == 1,
    }


async def test_a_list_that_was_removed_is_said_everywhere_and_written_again_as_it_was(
    here: Parts, app: FastAPI, people: Mapping[str, Person], erased: str, tmp_path: Path
) -> None:
    supervisor, listed = people["supervisor"], here.settings.destroyed_keys
    assert not any((await alarms(here, app, supervisor, erased)).values()), "the control"
    before = destroyed_in(listed), tombstones_in(listed)
    shutil.move(listed, tmp_path / "aside")
    found = await alarms(here, app, supervisor, erased)
    assert all(found.values()), found
    own = here.settings
    caravel = Cli({"CARAVEL_DATABASE_URL": own.database_url.get_secret_value(), "CARAVEL_HOME": str(own.home)})
    assert (await caravel("audit", "erasures", "--relist")).code == 0
    again = destroyed_in(listed), tombstones_in(listed)
    assert again[0] == before[0]
    assert [(case, replace(stone, at=EVER)) for case, stone in again[1]] == [
        (case, replace(stone, at=EVER)) for case, stone in before[1]
    ], "all but the instant, which the ledger knows as that of the record"
    assert not any((await alarms(here, app, supervisor, erased)).values())


async def test_a_key_that_was_brought_back_goes_when_the_list_is_written_again(
    here: Parts, erased: str, tmp_path: Path
) -> None:
    """An older list beside keys of an older backup: the person would be read again."""
    own = here.settings
    brought = own.keys / f"{erased}.identity"
    shutil.move(own.destroyed_keys, tmp_path / "aside")
    brought.write_bytes(b"{}")
    caravel = Cli({"CARAVEL_DATABASE_URL": own.database_url.get_secret_value(), "CARAVEL_HOME": str(own.home)})
    assert (await caravel("audit", "erasures")).code == 1
    assert brought.exists(), "looking changes nothing"
    assert (await caravel("audit", "erasures", "--relist")).code == 0
    assert not brought.exists()

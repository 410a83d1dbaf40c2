"""Auditors get checkpoints and proofs that hold without us, and the command line that finds what does not."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import pytest

from api.run.sealing import signing_keys
from api.run.wiring import Parts
from domain.proof.merkle import check_consistency, check_inclusion
from infra.audit.checkpoints.checkpoint import Checkpoint, opened
from infra.audit.checkpoints.sealer import Sealer, SealingLimits, sessions
from infra.audit.checkpoints.sinks import sink_of
from tests.api.cli.test_cli import Cli, cli
from tests.api.conftest import Person
from tests.api.routes.test_commands import assert_problem

__all__ = ["cli"]
pytestmark = pytest.mark.slow


async def seal(here: Parts) -> None:
    """What a worker's sealer does, now."""
    dsn = here.settings.database_url.get_secret_value()
    sinks = [sink_of(place) for place in here.settings.checkpoint_places]
    async with sessions(dsn) as pool:
        await Sealer(dsn, signing_keys(here.settings), sinks, SealingLimits(1)).round(pool)


def read(note: str, here: Parts) -> Checkpoint:
    keys = signing_keys(here.settings)
    return opened(note.encode(), keys.origin, keys.known())


def hashes(given: list[str]) -> list[bytes]:
    return [b64decode(one) for one in given]


async def test_an_event_is_proven_with_what_the_answers_say(
    coordinator: Person, people: Mapping[str, Person], here: Parts
) -> None:
    auditor = people["auditor"]
    case = (await coordinator.open())["case"]
    await seal(here)
    await coordinator.send(case, "AddNote", kind="note", text="one more")
    before = (await auditor.get("/audit/status")).json()["exposure"]
    assert before["events"] > 0
    await seal(here)
    exposure = (await auditor.get("/audit/status")).json()["exposure"]
    assert (exposure["events"], exposure["refused"], exposure["head"]) == (0, None, exposure["outside"])
    proof = (await auditor.get(f"/audit/events/{case}/1/inclusion")).json()
    point = read(proof["checkpoint"], here)
    leaf, path = b64decode(proof["leaf"]), hashes(proof["path"])
    assert check_inclusion(leaf, proof["index"], point.size, path, point.root)
    listed = (await auditor.get("/audit/checkpoints")).json()["checkpoints"]
    old, new = (read(one["note"], here) for one in (listed[0], listed[-1]))
    asked = (await auditor.get("/audit/consistency", old=old.size, new=new.size)).json()
    assert check_consistency(old.size, new.size, old.root, new.root, hashes(asked["proof"]))
    assert all("exposure" in answer for answer in (proof, asked))
    paged = await auditor.get("/audit/checkpoints", limit=1)
    assert len(paged.json()["checkpoints"]) == 1
    assert f"after={old.size}" in paged.headers["link"]


async def test_what_cannot_be_proven_is_said(coordinator: Person, people: Mapping[str, Person], here: Parts) -> None:
    auditor = people["auditor"]
    await seal(here)
    case = (await coordinator.open())["case"]
    assert_problem(await auditor.get(f"/audit/events/{case}/1/inclusion"), 409, "not_now")
    assert_problem(await auditor.get(f"/audit/events/{case}/99999999999/inclusion"), 404, "not_found")
    assert_problem(await auditor.get("/audit/events/x/1/inclusion"), 404, "not_found")
    assert_problem(await auditor.get("/audit/consistency", old=0, new=1), 404, "not_found")
    assert_problem(await auditor.get("/audit/consistency", old=2**70, new=1), 404, "not_found")
    assert_problem(await auditor.get("/audit/checkpoints", limit=0), 422, "invalid")


async def test_who_may_ask(people: Mapping[str, Person]) -> None:
    for role, person in people.items():
        fine = role in ("supervisor", "quality", "auditor", "operator")
        assert ((await person.get("/audit/status")).status_code == 200) == fine, role


async def test_the_command_line_verifies_the_whole_ledger_and_one_case(
    cli: Cli, coordinator: Person, here: Parts, tmp_path: Path
) -> None:
    case = (await coordinator.open())["case"]
    await seal(here)
    whole = await cli("audit", "verify", "--json", "--jobs", "1")
    assert (whole.code, whole.json["holds"], whole.json["broken"]) == (0, True, None), whole.out + whole.err
    assert whole.json["events"] == await here.ledger.head() == whole.json["covered"]
    one = await cli("audit", "verify", case)
    assert one.code == 0
    assert one.out.startswith("holds: ")
    assert "exposure window: 0 events" in one.out
    key = (await cli("audit", "keys")).out.strip()
    assert (await cli("audit", "verify", "--key", key)).code == 0
    foreign = "caravel/caravel+" + key.split("+")[1][::-1] + "+" + key.split("+", 2)[2]
    assert (await cli("audit", "verify", "--key", foreign)).code == 1
    assert "up to" in (await cli("audit", "status")).out


async def test_what_is_to_be_verified_is_a_file_a_case_or_nothing(
    cli: Cli, coordinator: Person, here: Parts, tmp_path: Path
) -> None:
    opened = await coordinator.open()
    await seal(here)
    by_name = await cli("audit", "verify", opened["case"], "--json")
    one = json.loads(by_name.out)
    assert (by_name.code, one["holds"], one["unchecked"]) == (0, True, {})
    assert one["events"] == len((await here.ledger.load(opened["case"])).facts)
    assert one["rechecked"] > 0
    number = await here.ledger.pool.fetchval("select number from case_view where stream = $1", opened["case"])
    assert (await cli("audit", "verify", number, "--json")).json["events"] == one["events"]
    nothing = await cli("audit", "verify", "case-nobody")
    assert (nothing.code, nothing.out) == (2, "")
    assert "no such case, and no such file" in nothing.err
    file = tmp_path / "case-nobody"
    file.write_bytes(b"no dossier")
    assert (await cli("audit", "verify", str(file), "--json")).json["outcome"] == "broken"
    left_out = await cli("audit", "verify", "--json", "--no-rules")
    assert (left_out.code, left_out.json["rechecked"], "rules" in str(left_out.json["checks"])) == (0, 0, False)
    whole = json.loads((await cli("audit", "verify", "--json")).out)
    assert whole["rechecked"] >= one["rechecked"]
    assert "rules" in str(whole["checks"])


async def test_places_that_are_away_are_no_proof_and_no_break(cli: Cli, coordinator: Person, here: Parts) -> None:
    await coordinator.open()
    await seal(here)
    away = str(here.settings.home / "keys" / "nobody.identity" / "not a folder")
    (here.settings.home / "keys" / "nobody.identity").touch()
    said = await cli("audit", "verify", CARAVEL_CHECKPOINTS=away)
    assert said.code == 3
    assert "no checkpoint outside could be read" in said.err
    assert "not compared with" in said.out
    (here.settings.home / "keys" / "nobody.identity").unlink()


async def test_the_command_line_finds_a_changed_read_model_and_a_changed_event(
    cli: Cli, coordinator: Person, here: Parts
) -> None:
    case = (await coordinator.open())["case"]
    other = (await coordinator.open())["case"]
    await seal(here)
    admin = await asyncpg.connect(here.settings.database_url.get_secret_value())
    stage = f"update case_view set stage = $1 where stream = '{case}'"
    await admin.execute(stage, "closed")
    found = await cli("audit", "verify", "--json")
    assert found.code == 1
    broken = json.loads(found.out)["broken"]
    assert (broken["kind"], broken["stream"]) == ("read_model_differs", case)
    alone = await cli("audit", "verify", case, "--json")
    assert (alone.code, json.loads(alone.out)["broken"]["kind"]) == (1, "read_model_differs")
    assert (await cli("audit", "verify", other)).code == 0, "control: another case's read models are as they should"
    await admin.execute(stage, "inquiry")
    await admin.execute("alter table event disable trigger all")
    await admin.execute(f"update event set data = data || ' ' where stream = '{case}' and version = 2")
    for words in (("audit", "verify"), ("audit", "verify", case)):
        said = await cli(*words)
        assert said.code == 1
        assert "BROKEN: edited at position" in said.out
        assert f"{case}, version 2" in said.out
    assert (await cli("audit", "verify", other)).code == 0
    await admin.execute(f"update event set data = rtrim(data) where stream = '{case}' and version = 2")
    await admin.execute("alter table event enable always trigger event_is_append_only")
    assert (await cli("audit", "verify")).code == 0
    await admin.close()


async def test_a_key_is_rotated_from_the_command_line(cli: Cli, coordinator: Person, here: Parts) -> None:
    first = (await cli("audit", "keys")).out.split()
    second = (await cli("audit", "rotate-key")).out.strip()
    assert (await cli("audit", "keys")).out.split() == [*first, second]
    await coordinator.open()
    await seal(here)
    assert (await cli("audit", "verify", "--key", first[0])).code == 0  # the old one vouches for the new one
    assert (await cli("audit", "verify", "--key", second)).code == 1  # never the other way round

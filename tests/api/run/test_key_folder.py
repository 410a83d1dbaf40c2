"""A process without the keys of its ledger records nothing, says so, and reads on; with them again all is as it was."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from activities.ports import Append, Meta
from api.ports import DevSignIn
from api.run.http_app import http_app
from api.run.processes import run_worker
from api.run.verifying import AUDITOR, keyless_here, question_of, views_of
from api.run.wiring import EVERY_EVENT, RECORDED, Parts, parts
from domain.catalogue.installation import STREAM
from domain.catalogue.staff import PersonRegistered
from domain.core.errors import Reason, Refused
from domain.core.fact import Draft
from domain.core.personal import NO_KEY
from infra.embedded.postgres_server import PostgresServer
from infra.ids import fresh_id, fresh_stream
from infra.keys import FolderKeys
from infra.ledger.encoding.codec import Codec
from infra.ledger.opening import open_ledger
from infra.ledger.rebuild import Rebuild
from infra.settings import Settings
from tests.api.cli.test_cli import INQUIRY, Cli
from tests.api.conftest import CANARY, HOST, NO_LIMIT, SECRET, Person, client, settings, signed_in
from tests.api.routes.test_commands import assert_problem
from tests.conftest import database

pytestmark = pytest.mark.slow


def at(here: Parts, home: Path) -> Settings:
    """The same ledger and documents, from another home."""
    own = here.settings
    return settings(own.database_url.get_secret_value(), home, documents=own.document_folder.as_uri())


@asynccontextmanager
async def app_of(there: Parts) -> AsyncIterator[FastAPI]:
    app = http_app(there, dev=DevSignIn(SECRET, frozenset({HOST})), limits=NO_LIMIT)
    async with app.router.lifespan_context(app):
        yield app


async def named(here: Parts) -> list[str]:
    """The fingerprints the ledger names."""
    facts = (await here.ledger.load(STREAM)).facts
    return [fact.event.fingerprint for fact in facts if fact.event.type == "KeyFolderNamed"]


def tree(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*"))


async def test_the_first_start_names_the_key_folder_once(here: Parts) -> None:
    first = await named(here)
    async with parts(here.settings, connections=2) as again:
        assert not again.ledger.read_only
        assert await named(again) == first == [here.keys.fingerprint()]


async def test_two_first_starts_at_once_agree(migrated: PostgresServer, tmp_path: Path) -> None:
    async with database(migrated) as dsn:
        given = settings(dsn, tmp_path)
        async with parts(given, connections=2) as one, parts(given, connections=2) as other:
            assert await named(one) == await named(other) == [one.keys.fingerprint()]
            assert (one.ledger.read_only, other.ledger.read_only) == (False, False)


async def test_a_new_ledger_beside_another_folders_mark_is_not_named_and_records_nothing(
    migrated: PostgresServer, tmp_path: Path
) -> None:
    async with database(migrated) as dsn:
        given = settings(dsn, tmp_path)
        FolderKeys(given.keys, kek=given.kek, destroyed=given.destroyed_keys).mark()
        right = (given.keys / "fingerprint").read_text()
        (given.keys / "fingerprint").write_text("0" * 64)
        async with asyncio.timeout(30), parts(given, connections=2) as there:
            assert (there.ledger.read_only, await named(there), await there.ledger.head()) == (True, [], 1)
        (given.keys / "fingerprint").write_text(right)
        async with parts(given, connections=2) as there:
            assert (there.ledger.read_only, await named(there)) == (False, [right])


async def another_home(tmp_path: Path, which: str) -> Path:
    """An empty one, or one of another installation."""
    home = tmp_path / which
    home.mkdir()
    if which == "another":
        keys = FolderKeys(home / "keys", kek=home / "kek", destroyed=home / "destroyed")
        await keys.for_sealing("case-1", ["identity"])
        keys.mark()
    return home


@pytest.mark.parametrize("which", ["empty", "another"])
async def test_with_other_keys_nothing_is_recorded_and_reads_go_on(
    here: Parts, people: dict[str, Person], tmp_path: Path, which: str
) -> None:
    case = (await people["coordinator"].open())["case"]
    home = await another_home(tmp_path, which)
    before = tree(home)
    async with parts(at(here, home), connections=4) as there, app_of(there) as app:
        assert there.ledger.read_only
        supervisor = await signed_in(app, people["supervisor"].id)
        coordinator = await signed_in(app, people["coordinator"].id)
        for answer in (
            await supervisor.send(case, "AddNote", kind="note", text=CANARY),
            await coordinator.send(case, "ReplyToFamily", channel="call"),
            await coordinator.post("/cases", {**dict(one.split("=", 1) for one in INQUIRY)}),
        ):
            assert_problem(answer, 503, "read_only")
            assert str(home) not in answer.text, "no path of a machine for whoever is signed in"
            assert "start again" in answer.json()["detail"]
        [line] = [row for row in (await supervisor.get("/cases", limit=200)).json()["cases"] if row["id"] == case]
        assert line["patient"] == {"no_key": True}
        assert (await supervisor.get(f"/cases/{case}/events")).status_code == 200
        assert await told_by(app, supervisor) == (503, "unavailable", "away", True)
    assert {one for one in tree(home) if one.startswith(("ke", "destroyed", "signing"))} == set(before), (
        "nothing is made"
    )
    facts = (await here.commands.case(case))[1]
    assert "AddNote" not in {fact.event.type for fact in facts}
    answer = await people["supervisor"].send(case, "AddNote", kind="note", text="the control: with the keys")
    assert answer.status_code == 200


async def told_by(app: FastAPI, who: Person) -> tuple[int, str, str, bool]:
    """What readiness and the operations page say of the keys."""
    async with client(app) as nobody:
        ready: httpx2.Response = await nobody.get("/readyz")
    page = (await who.get("/console/operations")).text
    return ready.status_code, ready.json()["status"], ready.json()["parts"]["keys"], "Keys: " in page


async def test_doctor_says_where_the_keys_are_not(here: Parts, tmp_path: Path) -> None:
    async def examined(home: Path) -> str:
        variables = {
            "CARAVEL_DATABASE_URL": here.settings.database_url.get_secret_value(),
            "CARAVEL_HOME": str(home),
            "TEMPORAL_ADDRESS": "127.0.0.1:9",
        }
        found: Any = (await Cli(variables)("doctor", "--json")).out
        return re.search(r'"part": "keys",\s+"ok": (\w+)', found)[1]  # type: ignore[index]

    assert (await examined(tmp_path), await examined(here.settings.home)) == ("false", "true")


async def test_the_command_line_of_an_empty_home_refuses_and_the_right_one_records(here: Parts, tmp_path: Path) -> None:
    """As processes of their own."""

    async def opened(home: Path) -> tuple[int | None, str]:
        variables = {"CARAVEL_DATABASE_URL": here.settings.database_url.get_secret_value(), "CARAVEL_HOME": str(home)}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "api.cli", "case", "open", *INQUIRY),
            env={**os.environ, **variables},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(120):
            out, _ = await process.communicate()
        return process.returncode, out.decode()

    head = await here.ledger.head()
    code, said = await opened(tmp_path)
    assert (code, "start again" in said) == (3, True), said
    assert await here.ledger.head() == head
    assert (await opened(here.settings.home))[0] == 0
    assert await here.ledger.head() > head


async def test_a_worker_of_an_empty_home_does_not_work(here: Parts, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no courier, no effects") as refusal:
        await run_worker(at(here, tmp_path))
    assert refusal.value.reason is Reason.READ_ONLY


async def test_keys_that_go_away_under_a_running_process(
    here: Parts, coordinator: Person, supervisor: Person, app: FastAPI
) -> None:
    """Its volume is unmounted: what has no key yet gets none, until the volume is back."""
    keys, aside = here.settings.keys, here.settings.home / "aside"
    keys.rename(aside)
    keys.mkdir()
    try:
        refused = await coordinator.post("/cases", dict(one.split("=", 1) for one in INQUIRY))
        assert_problem(refused, 503, "read_only")
        assert await told_by(app, supervisor) == (503, "unavailable", "away", True)
        assert tree(keys) == []
    finally:
        keys.rmdir()
        aside.rename(keys)
    assert (await coordinator.open())["case"]


async def test_beside_a_lost_key_nothing_is_sealed_and_other_cases_go_on(
    here: Parts, coordinator: Person, tmp_path: Path
) -> None:
    case, other = (await coordinator.open())["case"], (await coordinator.open())["case"]
    aside = tmp_path / "aside"
    shutil.move(here.settings.keys / f"{case}.identity", aside)
    async with parts(here.settings, connections=2) as there, app_of(there) as app:
        who = await signed_in(app, coordinator.id)
        assert not there.ledger.read_only
        answer = await who.send(case, "AddNote", kind="note", text="x")
        assert_problem(answer, 503, "read_only")
        assert "not on this machine" in answer.json()["detail"]
        assert (await who.send(other, "AddNote", kind="note", text="x")).status_code == 200
        assert (await there.commands.case(case))[0].patient.name is NO_KEY  # type: ignore[union-attr]
        question = question_of(here.settings, (), 1, None, quiet=True)
        assert await keyless_here(question, here.settings) == [case]
        connection = await asyncpg.connect(question.dsn, ssl=False)
        try:
            rebuild = Rebuild(connection, there.keys, Codec(EVERY_EVENT), views_of)
            with pytest.raises(Refused, match="rebuild where it is"):
                await rebuild.run(swap=True)
        finally:
            await connection.close()
        connection = await asyncpg.connect(question.dsn, ssl=False, server_settings=AUDITOR)
        try:
            compared = await Rebuild(connection, there.keys, Codec(EVERY_EVENT), views_of).compare()
            assert compared.differing == [], "what cannot be read is not called different"
        finally:
            await connection.close()
    shutil.move(aside, here.settings.keys / f"{case}.identity")
    assert (await coordinator.send(case, "AddNote", kind="note", text="x")).status_code == 200
    assert (await coordinator.get(f"/cases/{case}")).json()["case"]["people"]


@pytest.mark.parametrize("spoilt", ["keys/{case}.identity", "kek"])
async def test_one_file_that_is_not_whole_stops_nobody_from_reading(
    here: Parts, people: dict[str, Person], tmp_path: Path, spoilt: str
) -> None:
    case = (await people["coordinator"].open())["case"]
    home = Path(shutil.copytree(here.settings.home, tmp_path / "home"))
    (home / spoilt.format(case=case)).write_bytes(b"")
    async with parts(at(here, home), connections=4) as there, app_of(there) as app:
        supervisor = await signed_in(app, people["supervisor"].id)
        [line] = [row for row in (await supervisor.get("/cases", limit=200)).json()["cases"] if row["id"] == case]
        assert line["patient"] == {"no_key": True}
        assert (await supervisor.get(f"/cases/{case}")).status_code == 200
        assert_problem(await supervisor.send(case, "AddNote", kind="note", text=CANARY), 503, "read_only")


@pytest.fixture
async def older(migrated: PostgresServer, tmp_path: Path) -> AsyncIterator[Settings]:
    """A ledger from before key folders were named, with a person in it."""
    async with database(migrated) as dsn:
        given = settings(dsn, tmp_path / "home")
        keys = FolderKeys(given.keys, kek=given.kek, destroyed=given.destroyed_keys)
        ledger = await open_ledger(dsn, keys, RECORDED, given.installation, given.kind, ids=fresh_id, connections=2)
        event = PersonRegistered("coordinator", "asia", CANARY, "staff@example.org", "UTC", "en")
        await ledger.append(Append(fresh_stream("person"), 0, [Draft(event, fresh_id())], Meta("test", "operation")))
        await ledger.close()
        yield given


async def test_an_older_ledger_names_the_folder_that_opens_it(older: Settings, tmp_path: Path) -> None:
    wrong = older.model_copy(update={"home": await another_home(tmp_path, "another")})
    empty = older.model_copy(update={"home": await another_home(tmp_path, "empty")})
    for other in (wrong, empty):
        async with parts(other, connections=2) as there:
            assert there.ledger.read_only
            assert await named(there) == []
    async with parts(older, connections=2) as there:
        assert not there.ledger.read_only
        assert await named(there) == [there.keys.fingerprint()]
    async with parts(wrong, connections=2) as there:
        assert there.ledger.read_only


async def test_an_older_folder_with_the_right_keys_is_marked_anew(older: Settings) -> None:
    """Its keys were put back from a backup of the version before."""
    async with parts(older, connections=2):
        pass
    (older.keys / "fingerprint").unlink()
    async with parts(older, connections=2) as there:
        assert not there.ledger.read_only
        assert len(await named(there)) == 1
    for file in older.keys.iterdir():
        file.unlink()
    async with parts(older, connections=2) as there:
        assert there.ledger.read_only, "the control: the right wrapping key beside no keys is not enough"


async def test_where_everything_was_erased_the_list_tells_the_folder(older: Settings, tmp_path: Path) -> None:
    keys = FolderKeys(older.keys, kek=older.kek, destroyed=older.destroyed_keys)
    [stream] = {file.name.rpartition(".")[0] for file in older.keys.iterdir()}
    await keys.destroy(stream, "identity")
    async with parts(older.model_copy(update={"home": await another_home(tmp_path, "empty")}), connections=2) as there:
        assert there.ledger.read_only
    async with parts(older, connections=2) as there:
        assert not there.ledger.read_only

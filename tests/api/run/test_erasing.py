"""A person forgotten on a real database, key service and backup: nothing stored says the name; every hash holds."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from fastapi import FastAPI

from activities.effect_handlers.erase import Erasing, keep_forgetting
from activities.messages import Order
from activities.perform import Delivered, Performing
from activities.ports import DocumentErased, Keys
from api.name_index import NameIndex
from api.run.backups.make import backup
from api.run.backups.recover import recover, tombstones
from api.run.http_app import documents, http_app
from api.run.verifying import AUDITOR, views_of
from api.run.wiring import EVERY_EVENT, Parts, parts
from domain.case.effect import Effect
from domain.case.erasure import Tombstone
from domain.case.state import Case
from domain.core.errors import Refused
from domain.core.personal import ERASED, KeyClass
from domain.core.roles import Role
from domain.roles import Actor
from domain.stages.anytime.erasing import CaseErased, RecordErasure
from infra.embedded.postgres_server import PostgresServer
from infra.identity.capabilities import Capabilities
from infra.ledger.encoding.codec import Codec
from infra.ledger.rebuild import Rebuild
from infra.settings import Settings
from tests.api.conftest import Person, settings
from tests.api.routes.test_commands import assert_problem
from tests.api.routes.test_documents import attach
from tests.conftest import execute
from tests.infra.audit.proved import broken
from tests.infra.test_keys import LONG, full_after

pytestmark = pytest.mark.slow
NAME, MAIL = "Zinaida Forgetmenot-Ølgaard", "forgetmenot@example.org"
PLANTED = ("Forgetmenot", "Zinaida", MAIL, "Ølgaard", "forgettable-lymphoma")


async def opened(person: Person) -> str:
    answer = await person.open(patient_name=NAME, patient_mail=MAIL, diagnosis="forgettable-lymphoma")
    return str(answer["case"])


async def told(person: Person, case: str, type_: str, **fields: Any) -> Mapping[str, Any]:
    answer = await person.send(case, type_, **fields)
    assert answer.status_code == 200, answer.text
    body: Mapping[str, Any] = answer.json()
    return body


async def order_of(here: Parts, case: str) -> str:
    erasure = (await here.commands.case(case))[0].erasure
    assert erasure
    return erasure.order


@pytest.fixture
async def confirmed(here: Parts, people: Mapping[str, Person]) -> tuple[str, str]:
    """A case whose erasure two people have confirmed, and a document in it; the deed is still to be done."""
    coordinator = people["coordinator"]
    case = await opened(coordinator)
    document = (await attach(coordinator, case, b"%PDF-1.7\n" + NAME.encode())).json()["document"]
    await told(coordinator, case, "AddNote", kind="note", text=f"{NAME} rang")
    await told(coordinator, case, "LeaveJourney", reason="declined")
    await Capabilities(here.ledger).issue(
        case, "effect", "family", "q", ["AddNote"], {}, "UTC", (await here.commands.case(case))[2].replace(year=2100)
    )
    await told(people["quality"], case, "OrderErasure", reason="consent_withdrawn", note=f"{NAME} asked")
    await told(people["supervisor"], case, "ConfirmErasure", order=await order_of(here, case))
    return case, document


def erasing(here: Parts) -> Erasing:
    return Erasing(here.keys, Capabilities(here.ledger).clear)


async def attempt(here: Parts, case: str, hand: Any) -> None:
    """One attempt of the deed, as the worker makes it; an earlier one's lease is over."""
    dsn = here.settings.database_url.get_secret_value()
    await execute(dsn, f"update claim set lease_until = clock_timestamp() - interval '1 s' where stream = '{case}'")
    effect = await effect_of(here, case)
    epoch = (await here.ledger.engine()).epoch
    await Performing(here.commands, {}).attempt(Order(case, effect.id, epoch), hand)


async def types(here: Parts, case: str) -> list[str]:
    return [fact.event.type for fact in (await here.commands.case(case))[1]]


async def in_tables(dsn: str) -> list[str]:
    """Where in the database something planted stands, every column as text, bytes as they are."""
    connection = await asyncpg.connect(dsn)
    try:
        tables = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
        found = []
        for (table,) in tables:
            rows = await connection.fetch(f"select t::text as one from {table} t")
            found += [f"{table}: {word}" for row in rows for word in spelled() if word in row["one"]]
        return found
    finally:
        await connection.close()


def spelled() -> Iterator[str]:
    """As text, and as PostgreSQL shows bytes."""
    for word in PLANTED:
        yield word
        yield word.encode().hex()


def in_files(folder: Path) -> list[str]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files
    return [f"{file.name}: {word}" for file in files for word in PLANTED if word.encode() in file.read_bytes()]


async def readable(here: Parts, case: str) -> bool:
    """Whether anything planted comes out of the ledger, with the keys there are."""
    state, facts, _ = await here.commands.case(case)
    [row] = await here.ledger.pool.fetch("select detail from case_view where stream = $1", case)
    detail = await here.ledger.case_detail(case, row["detail"])
    return any(word in repr((state, facts, detail)) for word in PLANTED)


async def test_two_people_the_keys_and_nothing_stored_says_the_name(
    here: Parts, people: Mapping[str, Person], confirmed: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    case, document = confirmed
    assert await readable(here, case), "the control: until the keys are destroyed everything opens"
    index = NameIndex()
    app = http_app(here)
    assert case in await found(index, app)
    with caplog.at_level("DEBUG"):
        await attempt(here, case, erasing(here))
    assert not await readable(here, case)
    state, facts, _ = await here.commands.case(case)
    assert state.patient
    assert state.patient.name is ERASED
    assert [f.event.type for f in facts][-3:] == ["EffectDelivered", "CaseErased", "ObligationMet"]
    tombstone = await stone(here, case)
    assert (tombstone.ordered_by, tombstone.confirmed_by) == (people["quality"].id, people["supervisor"].id)
    assert not state.open
    with pytest.raises(DocumentErased):
        await documents(here).open(case, document)
    dsn = here.settings.database_url.get_secret_value()
    assert await in_tables(dsn) == []
    assert in_files(here.settings.home) == []
    assert not [word for word in PLANTED if word in caplog.text]
    assert case not in await found(index, app)
    assert await here.ledger.pool.fetchval("select count(*) from capability where stream = $1", case) == 0
    assert {name for name, key in (await here.keys.for_opening(case)).items() if key} <= {"trace"}
    assert await broken(here.ledger) is None
    assert await differing(here) == [], "a rebuild says the same, erased as they are"


async def differing(here: Parts) -> Sequence[tuple[str, str]]:
    """Read models that a rebuild would change."""
    dsn = here.settings.database_url.get_secret_value()
    connection = await asyncpg.connect(dsn, ssl=False, server_settings=AUDITOR)
    try:
        return (await Rebuild(connection, here.keys, Codec(EVERY_EVENT), views_of).compare()).differing
    finally:
        await connection.close()


async def found(index: NameIndex, app: FastAPI) -> set[str]:
    """Cases a search for the name brings."""
    return {row["stream"] for row in await index.find(app.state.service, _actor(), "Zinaida")}


def _actor() -> Actor:
    return Actor("person-x", Role.SUPERVISOR)


async def test_the_same_person_may_not_confirm_and_others_may_not_order(
    here: Parts, people: Mapping[str, Person]
) -> None:
    case = await opened(people["coordinator"])
    await told(people["coordinator"], case, "LeaveJourney", reason="declined")
    words = {"reason": "objection"}
    for role in ("coordinator", "reviewer", "translator", "auditor", "operator"):
        assert (await people[role].send(case, "OrderErasure", **words)).status_code == 403, role
    await told(people["supervisor"], case, "OrderErasure", **words)
    order = await order_of(here, case)
    assert_problem(await people["supervisor"].send(case, "ConfirmErasure", order=order), 403, "four_eyes")
    assert_problem(await people["supervisor"].send(case, "RecordErasure", order=order), 403, "not_allowed")
    assert await readable(here, case)


class Stopping:
    """The key service of a process that dies after destroying so many keys."""

    def __init__(self, keys: Keys, after: int) -> None:
        self._keys = keys
        self._left = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._keys, name)

    async def destroy(self, stream: str, key_class: KeyClass, stone: Tombstone | None = None) -> None:
        if self._left == 0:
            raise ConnectionError("killed")
        self._left -= 1
        await self._keys.destroy(stream, key_class, stone)


async def _dies(_: str) -> None:
    raise ConnectionError("killed")


class Forgetful:
    """Says it was done and destroys nothing."""

    async def deliver(self, case: Case, effect: Effect, now: Any, *, repeat: int) -> Delivered:
        del case, now, repeat
        return Delivered("destroyed", answer=RecordErasure(effect.about))


@pytest.mark.parametrize("step", ["before", "between the keys", "after the keys", "before the tombstone"])
async def test_whatever_a_crash_leaves_the_next_attempt_completes(
    here: Parts, confirmed: tuple[str, str], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, _ = confirmed
    clear = Capabilities(here.ledger).clear
    dying = {
        "before": Erasing(Stopping(here.keys, 0), clear),
        "between the keys": Erasing(Stopping(here.keys, 1), clear),
        "after the keys": Erasing(here.keys, _dies),
        "before the tombstone": erasing(here),
    }[step]
    with monkeypatch.context() as patch:
        if step == "before the tombstone":
            patch.setattr(here.ledger, "append", lambda *_: _dies(""))
        with pytest.raises(ConnectionError):
            await attempt(here, case, dying)
    assert "CaseErased" not in await types(here, case), "no tombstone before the deed"
    assert (await here.commands.case(case))[0].open, "somebody still looks"
    await attempt(here, case, erasing(here))
    assert not await readable(here, case)
    assert (await types(here, case)).count("CaseErased") == 1
    await attempt_again(here, case)


async def test_an_erasure_that_the_list_did_not_take_is_not_done(here: Parts, confirmed: tuple[str, str]) -> None:
    """The disk is full: a backup put back would speak again, so the keys stay and the deed is asked for again."""
    case, _ = confirmed
    state, _, now = await here.commands.case(case)
    effect, listed = await effect_of(here, case), here.settings.destroyed_keys
    with listed.open("a") as file:
        file.write("\n" * LONG)
    with full_after(listed.stat().st_size + 10), pytest.raises(OSError, match=r"space|large"):
        await erasing(here).deliver(state, effect, now, repeat=0)
    assert await readable(here, case)
    assert "CaseErased" not in await types(here, case)
    await attempt(here, case, erasing(here))
    assert not await readable(here, case)
    assert (await types(here, case)).count("CaseErased") == 1


async def test_an_erasure_while_the_volume_is_away_is_not_done(here: Parts, confirmed: tuple[str, str]) -> None:
    """Its list would be written to the empty folder below, and the keys come back with the volume."""
    case, _ = confirmed
    home, aside = here.settings.home, here.settings.home.with_name("aside")
    home.rename(aside)
    home.mkdir()
    try:
        with pytest.raises(Refused, match="not here any more"):
            await attempt(here, case, erasing(here))
        assert list(home.iterdir()) == []
    finally:
        home.rmdir()
        aside.rename(home)
    assert "CaseErased" not in await types(here, case)
    await attempt(here, case, erasing(here))
    assert not await readable(here, case)


async def effect_of(here: Parts, case: str) -> Effect:
    known = (await here.commands.case(case))[0]
    [effect] = [e for e in known.effects.values() if e.kind == "erase_case" and e.state != "withdrawn"]
    return effect


async def attempt_again(here: Parts, case: str) -> None:
    version = (await here.commands.case(case))[0].version
    await attempt(here, case, erasing(here))
    assert (await here.commands.case(case))[0].version == version


async def test_the_control_a_tombstone_without_the_deed_is_seen(here: Parts, confirmed: tuple[str, str]) -> None:
    case, document = confirmed
    await attempt(here, case, Forgetful())
    assert "CaseErased" in await types(here, case)
    assert await readable(here, case)
    assert (await documents(here).open(case, document)).media_type == "application/pdf"


async def test_another_process_lets_go_of_what_it_had_opened(here: Parts, confirmed: tuple[str, str]) -> None:
    case, _ = confirmed
    async with parts(here.settings, connections=2) as other:
        app = http_app(other)
        index: NameIndex = app.state.name_index
        await found(index, app)
        await other.commands.case(case)
        assert holds(other, index, case)
        task = asyncio.create_task(keep_forgetting(other.keys, other.forget, every=0.05))
        await asyncio.sleep(0.1)
        assert holds(other, index, case), "the control: nothing is let go of without a reason"
        await attempt(here, case, erasing(here))
        async with asyncio.timeout(60):
            while holds(other, index, case):  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.05)
        task.cancel()


def holds(here: Parts, index: NameIndex, case: str) -> bool:
    """Whether the name is in this process's memory, where it is kept from one request to the next."""
    kept = (here.ledger._fact_cache.of(case), here.commands.fold._known, index._words.get(case))
    return any(word in repr(kept) for word in ("Forgetmenot", "forgetmenot"))


@pytest.fixture
async def elsewhere(postgres_server: PostgresServer, here: Parts, tmp_path: Path) -> Any:
    """An installation somewhere else, without anything."""
    name = f"test_{uuid4().hex[:12]}"
    await execute(postgres_server.dsn, f"CREATE DATABASE {name}")
    yield settings(postgres_server.dsn_of(name), tmp_path / "elsewhere")
    await execute(postgres_server.dsn, f"DROP DATABASE {name} WITH (FORCE)")


async def test_a_backup_older_than_the_erasure_stays_erased(
    here: Parts, confirmed: tuple[str, str], elsewhere: Settings, tmp_path: Path
) -> None:
    case, document = confirmed
    older = await backup(here.settings, tmp_path)
    assert in_files(older / "documents") == []
    dump = (older / "database.dump").read_bytes()
    assert not [word for word in PLANTED if word.encode() in dump]
    await attempt(here, case, erasing(here))
    shutil.copy2(here.settings.destroyed_keys, place(elsewhere) / "destroyed")
    recovered = await recover(elsewhere, older)
    assert (case in recovered.erased, recovered.told) == (True, [case])
    async with parts(elsewhere, connections=2) as restored:
        assert await stone(restored, case) == await stone(here, case), "the backup is older than the tombstone"
        assert await tombstones(restored) == [], "once is enough"
        assert not await readable(restored, case)
        with pytest.raises(DocumentErased):
            await documents(restored).open(case, document)
        assert await in_tables(elsewhere.database_url.get_secret_value()) == []
        assert await broken(restored.ledger) is None


async def stone(here: Parts, case: str) -> CaseErased:
    """What the one tombstone says."""
    [one] = [f.event for f in (await here.commands.case(case))[1] if isinstance(f.event, CaseErased)]
    return one


def place(where: Settings) -> Path:
    where.home.mkdir(parents=True)
    return where.home


async def test_the_control_without_the_list_the_backup_speaks_and_without_the_keys_it_does_not(
    here: Parts, confirmed: tuple[str, str], elsewhere: Settings, tmp_path: Path
) -> None:
    case, _ = confirmed
    older = await backup(here.settings, tmp_path)
    await attempt(here, case, erasing(here))
    place(elsewhere)
    recovered = await recover(elsewhere, older)
    assert (case in recovered.erased, recovered.told) == (False, [])
    async with parts(elsewhere, connections=2) as restored:
        assert await readable(restored, case), "what the list is there for"
    bare = settings(elsewhere.database_url.get_secret_value(), tmp_path / "bare")
    async with parts(bare, connections=2) as stolen:
        assert not await readable(stolen, case), "the database alone says nothing"

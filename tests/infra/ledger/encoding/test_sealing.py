"""Who may read a name: whoever holds the key. Without it neither the database nor a backup says anything."""

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from activities.ports import CommandKey, Views
from domain.core.errors import Refused
from domain.core.personal import ERASED
from infra.keys import FolderKeys
from infra.ledger.encoding.errors import Tampered
from infra.ledger.ledger import PgLedger
from tests.infra.audit.proved import broken
from tests.infra.ledger.cases import (
    CANARY,
    Contact,
    Counted,
    PatientNamed,
    case_row,
    folder_keys,
    new_id,
    stream,
    writing,
)

Admin = asyncpg.Connection


async def everything(connection: "Admin[asyncpg.Record]") -> str:
    """All rows of all tables, as a dump would hold them."""
    tables = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
    rows = [await connection.fetch(f"select t::text as row from {table['tablename']} t") for table in tables]
    return "\n".join(row["row"] for found in rows for row in found)


async def planted(ledger: PgLedger) -> str:
    name = stream()
    event = PatientNamed(CANARY, (Contact("mother", CANARY),), unit="LOT-7")
    views = Views(case_row(new_id(), detail=Contact("mother", CANARY)), source={"name": "open"})
    await ledger.append(writing(name, 0, event, Counted(1), views=views, command=CommandKey("a", new_id(), b"x")))
    return name


async def test_no_table_holds_a_name(ledger: PgLedger, admin: "Admin[asyncpg.Record]") -> None:
    name = await planted(ledger)
    dump = await everything(admin)
    assert name in dump
    assert "Canary" not in dump
    assert CANARY.encode().hex() not in dump


async def test_the_search_would_find_one(ledger: PgLedger, admin: "Admin[asyncpg.Record]") -> None:
    # The control: an open field is found.
    await ledger.append(writing(stream(), 0, Counted(note="Open Sesame")))
    assert "Open Sesame" in await everything(admin)


async def test_erasure_leaves_the_chain_and_what_the_law_keeps(ledger: PgLedger) -> None:
    name = await planted(ledger)
    await ledger._keys.destroy(name, "identity")
    event = (await ledger.load(name)).facts[0].event
    assert event == PatientNamed(ERASED, (Contact("mother", ERASED),), unit="LOT-7")
    assert await broken(ledger, name) is None
    (fact,) = await ledger.append(writing(name, 2, PatientNamed(CANARY, unit="LOT-8")))
    assert (await ledger.load(name, after=2)).facts[0].event == PatientNamed(ERASED, unit="LOT-8")
    assert fact.version == 3


async def test_changed_ciphertext_is_tampering_not_erasure(ledger: PgLedger, admin: "Admin[asyncpg.Record]") -> None:
    name = await planted(ledger)
    sealed = json.loads((await ledger.events(name))[0].sealed)
    text = sealed["identity"]["ciphertext"]
    sealed["identity"]["ciphertext"] = text[:4] + ("A" if text[4] != "A" else "B") + text[5:]
    await admin.execute("alter table event disable trigger all")
    await admin.execute("update event set sealed = $1 where stream = $2 and version = 1", json.dumps(sealed), name)
    await admin.execute("alter table event enable always trigger event_is_append_only")
    with pytest.raises(Tampered):
        await ledger.load(name)
    assert await broken(ledger, name)


async def test_keys_are_made_once_and_found_again(tmp_path: Path) -> None:
    first, second = folder_keys(tmp_path), folder_keys(tmp_path)
    assert await first.for_opening("case-1") == {}
    made = await first.for_sealing("case-1", ["identity", "trace"])
    assert await second.for_sealing("case-1", ["trace", "identity"]) == made
    assert await second.for_opening("case-1") == made
    assert (
        len({key.secret for key in made.values()} | {(await first.for_sealing("case-2", ["trace"]))["trace"].secret})
        == 3
    )


async def test_no_file_holds_a_key_in_the_open_or_for_others(tmp_path: Path) -> None:
    key = (await folder_keys(tmp_path).for_sealing("case/../1", ["identity"]))["identity"]
    files = [file for file in tmp_path.rglob("*") if file.is_file()]  # noqa: ASYNC240 - a handful of files
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert [file for file in files if key.secret in file.read_bytes()] == []
    assert {file.parent for file in files} == {tmp_path, tmp_path / "keys"}
    assert key.secret.hex() not in repr(key)


async def test_a_readable_or_missing_key_encryption_key_is_refused(tmp_path: Path) -> None:
    await folder_keys(tmp_path).for_sealing("case-1", ["identity"])
    (tmp_path / "kek").chmod(0o644)
    with pytest.raises(PermissionError):
        folder_keys(tmp_path)
    (tmp_path / "kek").unlink()
    assert await folder_keys(tmp_path).for_opening("case-1") == {}
    with pytest.raises(Refused, match="put `kek` back"):
        await folder_keys(tmp_path).for_sealing("case-2", ["identity"])


async def test_a_destroyed_key_is_gone_in_every_process_and_never_made_again(tmp_path: Path) -> None:
    here, there = folder_keys(tmp_path), folder_keys(tmp_path)
    await here.for_sealing("case-1", ["identity", "trace"])
    assert len(await there.for_opening("case-1")) == 2
    await here.destroy("case-1", "identity")
    await here.destroy("case-1", "identity")
    for keys in (here, there, folder_keys(tmp_path)):
        found = await keys.for_opening("case-1")
        assert (set(found), found["identity"]) == ({"identity", "trace"}, None)
        assert set(await keys.for_sealing("case-1", ["identity", "trace"])) == {"trace"}
    assert [file.name for file in (tmp_path / "keys").iterdir()] == ["case-1.trace"]


async def test_a_restored_folder_is_held_against_the_list(tmp_path: Path) -> None:
    keys = folder_keys(tmp_path)
    await keys.for_sealing("case-1", ["identity"])
    shutil.copytree(tmp_path / "keys", tmp_path / "backup")
    await keys.destroy("case-1", "identity")
    shutil.copytree(tmp_path / "backup", tmp_path / "keys", dirs_exist_ok=True)
    assert await keys.for_opening("case-1") == {"identity": None}
    assert await folder_keys(tmp_path).for_opening("case-1") == {"identity": None}
    assert list((tmp_path / "keys").iterdir()) == []
    # The control: without the list the backup would speak again.
    forgetful = FolderKeys(tmp_path / "backup", kek=tmp_path / "kek", destroyed=tmp_path / "other-list")
    assert set(await forgetful.for_opening("case-1")) == {"identity"}


async def test_half_a_line_in_the_list_is_no_destruction_and_spoils_none(tmp_path: Path) -> None:
    await folder_keys(tmp_path).for_sealing("case-1", ["identity", "trace"])
    (tmp_path / "destroyed").write_text('\n{"stream": "case-1", "cla')
    await folder_keys(tmp_path).destroy("case-1", "trace")
    assert {name for name, key in (await folder_keys(tmp_path).for_opening("case-1")).items() if key} == {"identity"}


def test_the_list_must_not_lie_among_the_keys(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="restored"):
        FolderKeys(tmp_path / "keys", kek=tmp_path / "kek", destroyed=tmp_path / "keys" / "destroyed")


MAKER = """
import asyncio, sys
from pathlib import Path
from tests.infra.ledger.cases import folder_keys
keys = folder_keys(Path(sys.argv[1]))
for i in range(40):
    print(asyncio.run(keys.for_sealing(f"case-{i}", ["identity"]))["identity"].secret.hex())
"""


@pytest.mark.slow
async def test_several_processes_agree_on_every_key(tmp_path: Path) -> None:
    runs = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", MAKER, str(tmp_path), stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    answers = {(await run.communicate())[0] for run in runs}
    assert len(answers) == 1
    assert len(set(answers.pop().split())) == 40
    assert len(list((tmp_path / "keys").iterdir())) == 40

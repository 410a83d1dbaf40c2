"""A ledger written by the version before opens, verifies and goes on; so do evidence packages, whichever verifies."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from api.run.sealing import signing_keys
from domain.core.errors import Reason, Refused
from infra.audit.checkpoints.sealer import Sealer, SealingLimits, sessions
from infra.audit.checkpoints.sinks import sink_of
from infra.audit.package.container import unpack
from infra.embedded.postgres_programs import find_binaries
from infra.embedded.postgres_server import PostgresServer
from infra.ledger.schema import migrate as schema
from infra.ledger.schema.migrate import at_head, migrate
from infra.settings import Settings
from tests.api.cli.test_cli import Cli
from tests.conftest import execute

EARLIER = Path(__file__).parent / "earlier"
EVENTS, CASE = 254, "case-451abd81-f1d6-4ed6-97f5-e837d70820fe"
TODAYS = Path(schema.__file__).parents[2] / "audit" / "package" / "verify.py"


@pytest.fixture(scope="module")
async def restored(postgres_server: PostgresServer) -> AsyncIterator[str]:
    """The database as it was dumped, with the roles of the server it came from."""
    await execute(postgres_server.dsn, "CREATE DATABASE earlier TEMPLATE template0")
    dsn = postgres_server.dsn_of("earlier")
    await execute(dsn, (schema.SQL / "roles.sql").read_text())
    await execute(dsn, gzip.decompress((EARLIER / "ledger.sql.gz").read_bytes()).decode())
    yield dsn
    await execute(postgres_server.dsn, "DROP DATABASE earlier WITH (FORCE)")


@pytest.fixture(scope="module")
def settings(restored: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("earlier")
    with tarfile.open(EARLIER / "home.tar.gz") as packed:
        if hasattr(tarfile, "data_filter"):  # since Python 3.11.4; the archive is our own either way
            packed.extraction_filter = tarfile.data_filter
        packed.extractall(home)
    return Settings(database_url=restored, home=home, installation="earlier", kind="rehearsal")


@pytest.fixture
def cli(settings: Settings) -> Cli:
    """`caravel` on that database and that folder, of the same name."""
    return Cli(
        {
            "CARAVEL_DATABASE_URL": settings.database_url.get_secret_value(),
            "CARAVEL_HOME": str(settings.home),
            "CARAVEL_INSTALLATION": settings.installation,
            "CARAVEL_KIND": settings.kind,
        }
    )


async def seal(settings: Settings) -> None:
    dsn = settings.database_url.get_secret_value()
    sinks = [sink_of(place) for place in settings.checkpoint_places]
    async with sessions(dsn) as pool:
        await Sealer(dsn, signing_keys(settings), sinks, SealingLimits(1)).round(pool)


def schema_of(dsn: str) -> str:
    """Every table, function, index, trigger and grant, as statements."""
    words = [str(find_binaries() / "pg_dump"), "--schema-only", "--dbname", dsn]
    made = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return "\n".join(line for line in made.splitlines() if not line.startswith("\\"))  # psql's own, random


def stranger(program: bytes, package: bytes, key: str, folder: Path) -> str:
    """What a verify.py, run by itself with nothing of ours, says of a package."""
    (folder / "verify.py").write_bytes(program)
    (folder / "package.zip").write_bytes(package)
    words = [sys.executable, "-I", "verify.py", "package.zip", "--key", key]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False).stdout


async def test_it_opens_verifies_and_goes_on(cli: Cli, settings: Settings, restored: str, tmp_path: Path) -> None:
    before = await asyncpg.connect(restored)
    rows = await before.fetch("select * from event order by position")
    await migrate(restored)
    assert await at_head(restored)
    whole = await cli("audit", "verify", "--json", "--jobs", "1")
    assert (whole.code, whole.json["broken"], whole.json["unchecked"]) == (0, None, {}), whole.out + whole.err
    assert whole.json["events"] == whole.json["covered"] == EVENTS == len(rows)
    assert int(str(whole.json["rechecked"])) > len(rows) // 3
    sent = await cli("case", "send", CASE, "AddNote", "kind=note", "text=written by the version after")
    assert sent.code == 0, sent.err
    await seal(settings)
    again = await cli("audit", "verify", "--json", "--jobs", "1")
    assert (again.code, again.json["broken"]) == (0, None), again.out + again.err
    assert int(str(again.json["covered"])) > EVENTS
    assert int(str(again.json["checkpoints"])) == 1 + int(str(whole.json["checkpoints"]))
    assert rows == await before.fetch("select * from event where position <= $1 order by position", EVENTS)
    await before.close()


async def test_its_schema_is_that_of_a_database_made_today(restored: str, dsn: str) -> None:
    await migrate(restored)
    assert schema_of(restored) == schema_of(dsn)


@pytest.mark.parametrize(("revision", "reason", "says"), [
    ("0008", Reason.NOT_NOW, "Caravel 0.1.0 (commit 0847494) brings it to 0009"),
    ("9999", Reason.NEWER_THAN_ME, "does not know"),
])  # fmt: skip
async def test_a_database_at_an_unknown_revision_is_left_as_it_is(
    restored: str, revision: str, reason: Reason, says: str
) -> None:
    before = schema_of(restored)
    await execute(restored, f"update alembic_version set version_num = '{revision}'")
    with pytest.raises(Refused, match=re.escape(says)) as refused:
        await migrate(restored)
    assert refused.value.reason == reason
    assert not await at_head(restored)
    assert schema_of(restored) == before
    await execute(restored, "update alembic_version set version_num = '0009'")


async def test_packages_verify_with_the_verifier_of_either_version(
    cli: Cli, settings: Settings, tmp_path: Path
) -> None:
    key = str(signing_keys(settings).known()[0])
    then = (EARLIER / "package.zip").read_bytes()
    program = unpack(then)["verify.py"]
    made = await cli("audit", "export", CASE, "--level", "full", "--out", str(tmp_path / "today.zip"), "--wait", "0")
    assert made.code == 0, made.err
    today = (tmp_path / "today.zip").read_bytes()
    for verifier in (program, TODAYS.read_bytes()):
        for package in (then, today):
            assert stranger(verifier, package, key, tmp_path).endswith("VERIFIED\n")
    for file in (EARLIER / "package.zip", tmp_path / "today.zip"):
        assert (await cli("audit", "verify", str(file), "--key", key, "--json")).json["outcome"] == "verified"

"""docs/ledger-format.md, its script, the Python and the SQL say the same bytes."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from activities.ports import DataKey
from domain.core.when import When
from infra.ledger.encoding.hashing import EPOCH, digests_of, event_hash, header_of
from infra.ledger.encoding.sealing import SealedPlace, rejoin, unseal
from infra.ledger.encoding.stored import Stored
from infra.ledger.ledger import PgLedger
from tests.infra.ledger.cases import Counted, PatientNamed, stream, writing

DOCS = Path(__file__).parents[4] / "docs"


def written() -> list[dict[str, Any]]:
    page = (DOCS / "ledger-format.md").read_text()
    vectors: list[dict[str, Any]] = json.loads(page.rpartition("```json\n")[2].partition("```")[0])
    return vectors


def instant(micros: int | None) -> datetime | None:
    return None if micros is None else EPOCH + timedelta(microseconds=micros)


def row(vector: dict[str, Any]) -> Stored:
    recorded = instant(vector["recorded_at"])
    assert recorded
    parts = [vector[name] for name in ("data", "sealed", "meta")]
    occurred = When(
        vector["precision"], instant(vector["occurred_earliest"]), instant(vector["occurred_latest"])
    )  # fmt: skip
    data, sealed, meta = [part.get("text", "") for part in parts]
    salts = b"".join(bytes.fromhex(part.get("salt", "00" * 16)) for part in parts)
    return Stored(
        0, vector["stream"], vector["version"], vector["id"], vector["type"], vector["schema_version"],
        occurred, recorded, data, sealed, meta, salts, b"",
    )  # fmt: skip


def test_the_page_holds_what_the_script_prints() -> None:
    script = DOCS / "ledger_vectors.py"
    printed = subprocess.run([sys.executable, script], capture_output=True, check=True).stdout
    assert json.loads(printed) == written()


def test_python_hashes_as_the_page_says() -> None:
    plain, secret, _ = written()
    for vector in (plain, secret):
        assert event_hash(bytes.fromhex(vector["previous"]), row(vector)).hex() == vector["hash"]


def test_a_withheld_part_needs_only_its_digest() -> None:
    *_, withheld = written()
    parts = [bytes.fromhex(withheld["data"]["digest"]), *digests_of(row(withheld))[1:]]
    content = b"\x00" + bytes.fromhex(withheld["previous"]) + header_of(row(withheld)) + b"".join(parts)
    assert sha256(content).hexdigest() == withheld["hash"]
    assert "text" not in withheld["data"]


@pytest.mark.parametrize("field", ["stream", "version", "id", "type", "schema_version", "recorded_at", "precision"])
def test_every_header_field_is_bound(field: str) -> None:
    plain = written()[0]
    changed = {**plain, field: plain[field] + (1 if isinstance(plain[field], int) else "x")}
    assert event_hash(bytes(32), row(changed)).hex() != plain["hash"]


async def test_sql_hashes_as_the_page_says(admin: "asyncpg.Connection[asyncpg.Record]") -> None:
    for vector in written()[:2]:
        event = row(vector)
        found = await admin.fetchval(
            "select caravel_event_hash($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            bytes.fromhex(vector["previous"]), event.stream, event.version, event.id, event.type, event.schema_version,
            event.occurred.earliest, event.occurred.latest, event.occurred.precision, event.recorded_at, event.salts,
            event.data, event.sealed, event.meta,
        )  # fmt: skip
        assert found.hex() == vector["hash"]


async def test_what_append_writes_is_what_python_computes(ledger: PgLedger) -> None:
    name = stream()
    await ledger.append(
        writing(name, 0, Counted(1), PatientNamed("Zoë 🜁"), Counted(2, datetime(1901, 1, 1, tzinfo=UTC)))
    )
    previous = bytes(32)
    for event in await ledger.events(name):
        assert event.hash == event_hash(previous, event)
        previous = event.hash


def test_the_sealed_vector_opens_only_where_it_stands() -> None:
    vector = written()[1]
    keys = {"identity": DataKey("k-1", bytes(range(32)))}
    opened = unseal(SealedPlace(vector["stream"], vector["id"]), vector["sealed"]["text"], keys)  # type: ignore[arg-type]
    tree = rejoin(json.loads(vector["data"]["text"]), opened)
    assert tree == {"contacts": [{"phone": "+86 10 0000 0000"}], "name": "李雷"}

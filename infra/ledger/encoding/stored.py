"""One row of `event` as it stands in the database, nothing opened or interpreted."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from domain.core.when import When

COLUMNS = """position, stream, version, id, type, schema_version, occurred_earliest, occurred_latest, precision,
    recorded_at, data, sealed, meta, salts, hash"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A recorded event with the exact text that was hashed."""

    position: int
    stream: str
    version: int
    id: str
    type: str
    schema_version: int
    occurred: When
    recorded_at: datetime
    data: str
    sealed: str
    meta: str
    salts: bytes
    hash: bytes


def stored(row: asyncpg.Record) -> Stored:
    """Make a Stored of a row with COLUMNS."""
    return Stored(
        row["position"],
        row["stream"],
        row["version"],
        row["id"],
        row["type"],
        row["schema_version"],
        When(row["precision"], row["occurred_earliest"], row["occurred_latest"]),
        row["recorded_at"],
        row["data"],
        row["sealed"],
        row["meta"],
        row["salts"],
        row["hash"],
    )

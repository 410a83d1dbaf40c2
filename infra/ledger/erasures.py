"""Holds the key service's list of destroyed keys against what the ledger says was erased."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import func, select

from domain.case.erasure import Tombstone
from domain.core.personal import KeyClass
from infra.ledger.connections import Reads
from infra.ledger.schema.tables import EventRow
from infra.ledger.statement import SqlStatement, fixed, table

event = table(EventRow).c
STONE = TypeAdapter(Tombstone)
ERASURES = SqlStatement(
    select(event.stream, event.data, func.coalesce(event.occurred_latest, event.recorded_at).label("at"))
    .where(event.type == fixed("CaseErased"))
    .order_by(event.stream, event.version)
)
UNLISTED = (
    "the ledger says that keys of {histories} were destroyed, and the list `destroyed` does not name them: it was "
    "removed, or is an older one. A backup of the keys from before would be read again. Put the newest copy of the "
    "list back into CARAVEL_HOME; where there is none, `caravel audit erasures --relist` writes it again from the "
    "ledger"
)


async def unlisted(reads: Reads, destroyed: Collection[tuple[str, KeyClass]]) -> Sequence[tuple[str, Tombstone]]:
    """Return the erasures the ledger says were carried out and the list of destroyed keys does not name in full.

    Raises DatabaseFailed.
    """
    said = [(row["stream"], _stone(row)) for row in await ERASURES.rows(reads)]
    return [(stream, stone) for stream, stone in said if not {(stream, c) for c in stone.classes} <= set(destroyed)]


def explained(missing: Sequence[tuple[str, Tombstone]]) -> str:
    """Explain what is not on the list and the way on; empty where nothing is missing."""
    streams = sorted({stream for stream, _ in missing})
    if not streams:
        return ""
    more = f" and {len(streams) - 1} more histories" if len(streams) > 1 else ""
    return UNLISTED.format(histories=f"{streams[0]}{more}")


def _stone(row: Mapping[str, Any]) -> Tombstone:
    return STONE.validate_python({**json.loads(row["data"]), "at": row["at"]})

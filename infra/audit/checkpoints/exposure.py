"""The exposure window: what a checkpoint kept outside does not yet cover. Shown with every result."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, extract, func, literal_column, select

from infra.ledger.connections import Reads
from infra.ledger.schema.tables import CheckpointRow, EventRow, SealingRow
from infra.ledger.statement import NOW, ONE, SqlStatement, table

sealing, checkpoint, event = table(SealingRow).c, table(CheckpointRow).c, table(EventRow).c
NONE = literal_column("0", Integer)
_OPEN_SINCE = select(event.recorded_at).where(event.position == sealing.outside + ONE).scalar_subquery()
EXPOSED = SqlStatement(
    select(
        sealing.outside, sealing.refused, sealing.sinks,
        func.coalesce(select(func.max(checkpoint.size)).scalar_subquery(), NONE).label("sealed"),
        func.coalesce(select(func.max(event.position)).scalar_subquery(), NONE).label("head"),
        extract("epoch", NOW - _OPEN_SINCE).label("age"),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exposure:
    """Events recorded, sealed in the database, and covered outside it; `seconds`: age of the oldest uncovered one."""

    head: int
    sealed: int
    outside: int
    seconds: float
    refused: str | None
    sinks: Sequence[Mapping[str, Any]]

    @property
    def events(self) -> int:
        """Recorded and not covered by any checkpoint outside."""
        return max(0, self.head - self.outside)

    def shown(self) -> dict[str, Any]:
        """Return it as JSON for answers and programs."""
        return {
            "events": self.events,
            "seconds": round(self.seconds, 3),
            "head": self.head,
            "sealed": self.sealed,
            "outside": self.outside,
            "refused": self.refused,
            "sinks": list(self.sinks),
        }


async def exposure(reads: Reads) -> Exposure:
    """Read the exposure window as it is now."""
    (row,) = await EXPOSED.rows(reads)
    age = max(0.0, float(row["age"] or 0))  # below 0: recorded by a clock that ran ahead
    return Exposure(row["head"], row["sealed"], row["outside"], age, row["refused"], json.loads(row["sinks"]))

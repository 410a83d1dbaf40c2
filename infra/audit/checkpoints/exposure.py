"""The exposure window: what a checkpoint kept outside does not yet cover. Shown with every result."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.ledger.connections import Reads
from infra.ledger.encoding.errors import guarded

EXPOSED = """
select s.outside, s.refused, s.sinks, coalesce((select max(size) from checkpoint), 0) as sealed,
       coalesce((select max(position) from event), 0) as head,
       extract(epoch from clock_timestamp() - (select recorded_at from event where position = s.outside + 1)) as age
from sealing s
"""


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
    (row,) = await guarded(reads.fetch(EXPOSED))
    age = float(row["age"] or 0)
    return Exposure(row["head"], row["sealed"], row["outside"], age, row["refused"], json.loads(row["sinks"]))

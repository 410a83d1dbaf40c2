"""Reads what is known to be missing at the end of this history, as whoever found it wrote it down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Text, select

from infra.ledger.connections import Reads
from infra.ledger.schema.tables import LossRow
from infra.ledger.statement import SqlStatement, table

loss = table(LossRow).c
NOTED = SqlStatement(select(loss.noted_at.cast(Text).label("at"), loss.found))


async def noted_loss(reads: Reads) -> Mapping[str, Any] | None:
    """Read what is missing and was not accepted; None where nothing is. Raises DatabaseFailed."""
    row = await NOTED.first(reads)
    return {"noted_at": row["at"], **json.loads(row["found"])} if row else None

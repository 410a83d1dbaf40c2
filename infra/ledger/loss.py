"""Reads what is known to be missing at the end of this history, as whoever found it wrote it down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from infra.ledger.connections import Reads
from infra.ledger.encoding.errors import guarded
from infra.ledger.queries import LOSS


async def noted_loss(reads: Reads) -> Mapping[str, Any] | None:
    """Read what is missing and was not accepted; None where nothing is. Raises DatabaseFailed."""
    rows = await guarded(reads.fetch(LOSS))
    return {"noted_at": rows[0]["at"], **json.loads(rows[0]["found"])} if rows else None

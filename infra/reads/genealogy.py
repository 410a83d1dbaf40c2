"""Reads what is made of what from the links in the ledger, and names the streams of materials.

A material's stream is named by a keyed digest of its kind and code: nobody registers one twice, it is found without
opening others, and the name tells nothing of the code.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import func, select

from activities.ports import Keys
from domain.core.personal import KeyClass
from domain.doses.codes import folded
from domain.doses.genealogy import Edge, Way
from domain.doses.stock import Lot
from infra.ledger import queries
from infra.ledger.connections import Pool
from infra.ledger.encoding.errors import guarded
from infra.ledger.schema.tables import CaseView
from infra.ledger.statement import SqlStatement, fixed, one_of, table
from infra.reads.lots import LotQueries

STREAM = "material-codes"
CLASS: KeyClass = "trace"
WALKS = {"made_into": queries.MADE_INTO, "made_of": queries.MADE_OF}

case = table(CaseView).c
WITH_A_CENTRE = func.coalesce(case.centre, fixed("")) != fixed("")
CENTRES = SqlStatement(select(case.stream, case.centre).where(one_of(case.stream, "cases"), WITH_A_CENTRE))
NUMBERS = SqlStatement(select(case.stream, case.number).where(one_of(case.stream, "cases")))


class GenealogyQueries:
    """Implements the port of activities/doses/genealogy.py."""

    def __init__(self, pool: Pool[Any], keys: Keys) -> None:
        self._pool = pool
        self._keys = keys
        self._lots = LotQueries(pool, keys)

    async def reach(self, starts: Sequence[str], way: Way, known_at: datetime | None) -> Sequence[Edge]:
        """Return every link on the way from the starts. Raises DatabaseFailed."""
        rows = await guarded(self._pool.fetch(WALKS[way], list(starts), known_at))
        return [(row["child"], row["parent"]) for row in rows]

    async def lots_at(self, streams: Sequence[str], known_at: datetime | None) -> Mapping[str, Lot]:
        """Return lots as they were known, without what they lay in; of which a unit was stopped, left out."""
        return await self._lots.lots_at(streams, known_at)

    async def registered(self, streams: Sequence[str]) -> Mapping[str, Lot]:
        """Return lots as they were registered."""
        return await self._lots.registered(streams)

    async def stream_of(self, kind: str, code: str) -> str:
        """Name a material's stream. Raises Refused(READ_ONLY) where the keys of this ledger are somewhere else."""
        secret = (await self._keys.for_sealing(STREAM, [CLASS]))[CLASS].secret
        return f"material-{hmac.digest(secret, f'{kind} {folded(code)}'.encode(), sha256).hex()[:32]}"

    async def centres_of(self, cases: Sequence[str]) -> Mapping[str, str]:
        """Return which hospital treats each of these cases; one that none has accepted is left out."""
        rows = await CENTRES.rows(self._pool, cases=list(cases))
        return {row["stream"]: row["centre"] for row in rows}

    async def numbers_of(self, cases: Sequence[str]) -> Mapping[str, str]:
        """Return the number of each of these cases."""
        return {row["stream"]: row["number"] for row in await NUMBERS.rows(self._pool, cases=list(cases))}

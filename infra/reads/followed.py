"""Keeps how far changes of the catalogue were followed, and reads what changed and which cases it may concern."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from activities.ports import CatalogueChange, CatalogueSpan
from domain.stages.eligibility.ranking import SEEKING
from infra.ledger import queries
from infra.ledger.connections import Pool
from infra.ledger.encoding.errors import guarded
from infra.reads.registers import RegisterQueries

LEASE = timedelta(minutes=1)
STAGES = [stage.value for stage in SEEKING]


class FollowedCatalogue:
    """Implements the port of activities/following/first_ranks.py."""

    def __init__(self, pool: Pool[Any], lease: timedelta = LEASE) -> None:
        self._pool, self._registers, self._lease = pool, RegisterQueries(pool), lease

    async def begin(self, holder: str) -> CatalogueSpan | None:
        """Take what is to be followed; None = nothing, or another worker has it."""
        row = await guarded(self._pool.fetchrow(queries.FOLLOW, holder, self._lease))
        return CatalogueSpan(*row) if row else None

    async def go_on(self, holder: str) -> bool:
        """Say that it is still being followed; False where another worker has taken over."""
        return bool(await guarded(self._pool.fetchval(queries.FOLLOW_ON, holder, self._lease)))

    async def finish(self, upto: int) -> None:
        """Say that everything up to there was followed."""
        await guarded(self._pool.execute(queries.FOLLOWED, upto))

    async def changes(self, after: int) -> Sequence[CatalogueChange]:
        """Return the events of protocols and centres after a position."""
        return [CatalogueChange(*row) for row in await guarded(self._pool.fetch(queries.CATALOGUE_AFTER, after))]

    async def seekers(self, after: str, limit: int) -> Sequence[tuple[str, int]]:
        """Return cases at a stage before an acceptance, and the position each was opened at, after one by name."""
        return [
            (row["stream"], row["position"])
            for row in await guarded(self._pool.fetch(queries.AT_STAGES, STAGES, after, limit))
        ]

    async def entries(self, prefix: str, after: str, limit: int) -> Sequence[tuple[str, int]]:
        """Return protocols or centres with their versions, after one of them by name."""
        return [(row["stream"], row["version"]) for row in await self._registers.catalogue(prefix, after, limit)]

"""A ledger to rehearse in: the one of a given database, or an embedded PostgreSQL that is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from domain.catalogue.streams import EVENTS as CATALOGUE_EVENTS
from domain.catalogue.streams import parse_source_state
from domain.engine.evolve import EVENTS
from infra.embedded.postgres_server import PostgresServer
from infra.keys import FolderKeys
from infra.ledger.opening import open_ledger
from infra.ledger.schema.migrate import migrate
from infra.policy.kept import keep_policy
from infra.policy.reading import load_policy, policy_files
from rehearsal.world.chance import seeded_ids
from rehearsal.world.papers import papers_in
from rehearsal.world.stage import RehearsalStage, VirtualClock, require_empty

NAME = "rehearsal"
ENDS = datetime(2026, 1, 5, tzinfo=UTC)


def ends_by() -> datetime:
    """Return where the clock of a rehearsal that was given no start stands at the end."""
    return ENDS


@asynccontextmanager
async def stage(
    start: datetime,
    seed: int | str,
    *,
    database: str = "",
    folder: Path | None = None,
    name: str = NAME,
    files: bool = False,
) -> AsyncIterator[RehearsalStage]:
    """Open an empty rehearsal ledger whose clock stands at `start`. Raises Refused for any other ledger.

    Without a `database` (a superuser's or migrated one's address) an embedded server runs meanwhile. `folder` keeps
    the keys; without one they are gone with the server. With `files` documents are kept
    beside them, else only told of.
    """
    async with AsyncExitStack() as stack:
        keep = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="caravel-rehearsal-")))
        if not database:
            server = await stack.enter_async_context(PostgresServer(keep / "postgres", fsync=False))
            database = server.dsn
            await migrate(database)
        keys = FolderKeys(keep / "keys", kek=keep / "kek", destroyed=keep / "destroyed")
        ids = seeded_ids(seed)
        ledger = await open_ledger(
            database, keys, (*EVENTS, *CATALOGUE_EVENTS), name, "rehearsal", ids=ids, connections=2, start=start
        )
        stack.push_async_callback(ledger.close)
        await require_empty(ledger, await ledger.head())
        await keep_policy(ledger.pool, *policy_files())
        scene = RehearsalStage(ledger, load_policy(), ids, parse_source_state, VirtualClock(start))
        scene.papers = papers_in(keep, keys) if files else None
        yield scene
        await scene.ledger.settled()

"""Verifying from the console: what `caravel audit verify` does, one at a time, in processes of its own."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog

from api.ports import Check
from api.run.sealing import signing_keys
from infra.audit.checkpoints.checkpoint import origin_of
from infra.audit.checkpoints.sinks import sink_of
from infra.audit.verification.found import ALL, MEANING
from infra.audit.verification.stream import verify_case
from infra.audit.verification.verification import Tell, VerificationScope, Verified
from infra.audit.verification.verification import verify as verify_log
from infra.ledger.connections import Pool
from infra.ledger.encoding.errors import FAILURES, DatabaseFailed
from infra.reads import verifications
from infra.settings import Settings

log = structlog.get_logger()
BEAT = 1.0
"""Seconds between two signs of life."""
PROCESSES = 2
"""So that whoever waits for a page does not wait for hashes."""
HISTORY = ALL - {"rules", "read_models"}
"""Without rules and read models: both fold every case, which is for the command line."""


class Checks:
    """Carries them out here; how far they are stands in the database, for every process and after this one's end."""

    def __init__(self, settings: Settings, pool: Pool[Any]) -> None:
        self._settings = settings
        self._pool = pool
        self._task: asyncio.Task[None] | None = None

    async def start(self, case: str) -> Check:
        """Begin, or the one that is running somewhere: there is never a second."""
        begun = Check(secrets.token_urlsafe(9), case)
        while not await verifications.begin(self._pool, begun.id, case):
            if running := next((one for one in await self.newest() if one.state == "running"), None):
                return running
        self._task = asyncio.create_task(self._run(begun))
        await asyncio.sleep(0)  # so that an end that comes at once finds it under way, and says that it was left
        return begun

    async def find(self, check: str) -> Check | None:
        """Find one of the last checks."""
        row = await verifications.one(self._pool, check)
        return _check(row) if row else None

    async def newest(self) -> Sequence[Check]:
        """Read the verifications that are kept, newest first."""
        return [_check(row) for row in await verifications.newest(self._pool)]

    async def stop(self) -> None:
        """End what runs here; it is left as it is."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, begun: Check) -> None:
        far = {"done": 0, "of": 0}
        alive = asyncio.create_task(self._alive(begun, far))
        state = "left"
        found: Mapping[str, Any] = {}
        try:
            state, found = _shown(await self._verified(begun.case, lambda done, of: far.update(done=done, of=of)))
        except (*FAILURES, DatabaseFailed, OSError, ValueError) as error:
            log.warning("verification failed", error=type(error).__name__)
            state, found = "failed", {"says": type(error).__name__}
        finally:
            alive.cancel()
            with suppress(DatabaseFailed):
                await verifications.told(self._pool, begun.id, state, found or far)

    async def _alive(self, begun: Check, far: Mapping[str, int]) -> None:
        """That it still runs, and how far it is."""
        while True:
            await asyncio.sleep(BEAT)
            with suppress(DatabaseFailed):
                await verifications.told(self._pool, begun.id, "running", far)

    async def _verified(self, case: str, tell: Tell) -> Verified:
        settings = self._settings
        question = VerificationScope(
            dsn=settings.database_url.get_secret_value(),
            origin=origin_of(settings.installation),
            sinks=[sink_of(place) for place in settings.checkpoint_places],
            anchors=signing_keys(settings).known() if settings.signing.exists() else [],
            checks=HISTORY,
            jobs=PROCESSES,
            tell=tell,
        )
        return await verify_case(question, case) if case else await verify_log(question)


def _shown(found: Verified) -> tuple[str, Mapping[str, Any]]:
    known: dict[str, Any] = {"done": found.events, "of": max(found.head, found.events)}
    known |= {"covered": found.covered, "checkpoints": found.checkpoints, "away": sorted(found.away)}
    if one := found.broken:
        known |= {"kind": one.kind, "says": MEANING[one.kind], "position": one.position}
        known |= {"stream": one.stream, "version": one.version, "detail": one.says}
    return "broken" if found.broken else "holds", known


def _check(row: Mapping[str, Any]) -> Check:
    found = row["found"]
    return Check(row["id"], row["stream"], row["state"], **{**found, "away": tuple(found.get("away", ()))})

"""Verifying from the console: what `caravel audit verify` does, one at a time, in processes of its own."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from api.ports import Check
from api.run.sealing import signing_keys
from infra.checkpoints.checkpoint import origin_of
from infra.checkpoints.sinks import sink_of
from infra.ledger.errors import FAILURES, DatabaseFailed
from infra.proof.found import ALL, MEANING
from infra.proof.stream import verify_case
from infra.proof.verification import Question, Tell, Verified
from infra.proof.verification import verify as verify_log
from infra.settings import Settings

log = structlog.get_logger()
KEPT = 20
PROCESSES = 2
"""So that whoever waits for a page does not wait for hashes."""
HISTORY = ALL - {"rules", "read_models"}
"""Without rules and read models: both fold every case, which is for the command line."""


class Checks:
    """What runs and what the last ones found, in this process's memory; nothing is written anywhere."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._checks: OrderedDict[str, Check] = OrderedDict()
        self._task: asyncio.Task[None] | None = None

    def start(self, case: str) -> Check:
        """Begin, or the one that is running: there is never a second."""
        if self._task and not self._task.done():
            return next(one for one in reversed(self._checks.values()) if one.state == "running")
        begun = self._keep(Check(secrets.token_urlsafe(9), case))
        self._task = asyncio.create_task(self._run(begun))
        return begun

    def find(self, check: str) -> Check | None:
        """One of the last."""
        return self._checks.get(check)

    def newest(self) -> Sequence[Check]:
        """The last ones, newest first."""
        return list(reversed(self._checks.values()))

    async def stop(self) -> None:
        """End what runs."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _keep(self, check: Check) -> Check:
        self._checks[check.id] = check
        if len(self._checks) > KEPT:
            self._checks.popitem(last=False)
        return check

    async def _run(self, begun: Check) -> None:
        def tell(done: int, of: int) -> None:
            self._keep(replace(begun, done=done, of=of))

        try:
            found = await self._verified(begun.case, tell)
        except (*FAILURES, DatabaseFailed, OSError, ValueError) as error:
            log.warning("verification failed", error=type(error).__name__)
            self._keep(replace(begun, state="failed", says=type(error).__name__))
        else:
            self._keep(replace(begun, **_shown(found)))

    async def _verified(self, case: str, tell: Tell) -> Verified:
        settings = self._settings
        question = Question(
            dsn=settings.database_url.get_secret_value(),
            origin=origin_of(settings.installation),
            sinks=[sink_of(place) for place in settings.checkpoint_places],
            anchors=signing_keys(settings).known() if settings.signing.exists() else [],
            checks=HISTORY,
            jobs=PROCESSES,
            tell=tell,
        )
        return await verify_case(question, case) if case else await verify_log(question)


def _shown(found: Verified) -> Mapping[str, Any]:
    state = "broken" if found.broken else "holds"
    known: dict[str, Any] = {"state": state, "done": found.events, "of": max(found.head, found.events)}
    known |= {"covered": found.covered, "checkpoints": found.checkpoints, "away": tuple(sorted(found.away))}
    if one := found.broken:
        known |= {"kind": one.kind, "says": MEANING[one.kind], "position": one.position}
        known |= {"stream": one.stream, "version": one.version, "detail": one.says}
    return known

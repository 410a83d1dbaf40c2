"""The sealer as every worker process runs it, and where its checkpoints go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from infra.audit.checkpoints.checkpoint import origin_of
from infra.audit.checkpoints.note import Key
from infra.audit.checkpoints.sealer import Sealer, SealingLimits
from infra.audit.checkpoints.signing import SigningKeys
from infra.audit.checkpoints.sinks import FAILURES, KEY, FolderSink, Sink, key_name, sink_of
from infra.audit.package.making import Announcements, Signs
from infra.settings import Settings

SAME_DISK = "on the same disk as the ledger: whoever can change one can change the other; set CARAVEL_CHECKPOINTS"


def signing_keys(settings: Settings) -> SigningKeys:
    """Return the keys of this installation's log."""
    return SigningKeys(settings.signing, origin_of(settings.installation))


async def signs(settings: Settings) -> Signs:
    """Return the log's keys as far as this process has them: announcements also from where checkpoints are kept."""
    log = origin_of(settings.installation)
    if settings.signing.exists():
        keys = signing_keys(settings)
        if found := keys.announcements():
            return Signs(log, found, keys.current())
    for place in settings.checkpoint_places:
        with suppress(*FAILURES):
            return Signs(log, await _announced(sink_of(place)))
    return Signs(log, ())


async def rotated(settings: Settings) -> Key:
    """Make a new signing key, with a number that no place outside knows. Raises BadNote, OSError."""
    kept: list[tuple[int, str]] = []
    for place in settings.checkpoint_places:
        with suppress(*FAILURES):
            kept += await _announced(sink_of(place))
    return signing_keys(settings).rotate(kept)


async def _announced(sink: Sink) -> Announcements:
    numbers = sorted(int(name.removeprefix(KEY)) for name in await sink.names() if name.startswith(KEY))
    return [(number, (await sink.get(key_name(number))).decode()) for number in numbers]


@asynccontextmanager
async def sealing(settings: Settings) -> AsyncIterator[None]:
    """Seal beside whatever else the process does."""
    sinks = [sink_of(place) for place in settings.checkpoint_places]
    limits = SealingLimits(settings.seal_events, settings.seal_seconds)
    sealer = Sealer(settings.database_url.get_secret_value(), signing_keys(settings), sinks, limits)
    task = asyncio.create_task(sealer.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def where_checkpoints_are(settings: Settings) -> str:
    """Return the places, and plainly if one of them is no outside."""
    return ", ".join(_said(place, settings) for place in settings.checkpoint_places)


def _said(place: str, settings: Settings) -> str:
    sink = sink_of(place)
    beside = isinstance(sink, FolderSink) and sink.beside(settings.home)
    return f"{place} ({SAME_DISK})" if beside else place

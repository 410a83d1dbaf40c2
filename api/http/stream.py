"""Live changes as server-sent events: case ids and versions, only of cases the reader may see."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.http.access import belonging_of
from api.http.auth import Doorkeeper, Parts, Who
from api.http.limits import Seats
from api.http.problems import Fault, Problem
from api.ports import Service
from domain.core.roles import Action
from domain.roles import Actor, allow

router = APIRouter(tags=["cases"])
AT_ONCE = 500
HEARTBEAT = 15.0
"""Seconds after which a comment is sent, so that proxies keep the line open."""
MAX_POSITION = 2**62
Change = tuple[int, str, int]


class Ringing:
    """Wakes every open stream when something was recorded, and for good when the process stops."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self.rung = 0
        self._bell = asyncio.Condition()

    async def run(self, service: Service) -> None:
        """Pass the ledger's bell on."""
        while True:
            await service.bell()
            await self.ring()

    async def ring(self) -> None:
        """Wake everybody."""
        async with self._bell:
            self.rung += 1
            self._bell.notify_all()

    async def wait(self, heard: int, seconds: float) -> None:
        """Wait until it has rung more often than was heard, or for a while: a ring while nobody waits is not lost."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._bell:
                await self._bell.wait_for(lambda: self.rung != heard)

    async def stop(self) -> None:
        """End every stream."""
        self.stopping.set()
        await self.ring()


@router.get("/stream", response_class=StreamingResponse)
async def stream(request: Request, service: Parts, who: Who) -> StreamingResponse:
    """`event: case`, `data: {"case", "version"}`, `id:` to go on from with Last-Event-ID."""
    after = await _start(request, service)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    seats: Seats = request.app.state.streams
    seats.take(who.id)
    lines = _lines(request, service, who, after)
    return _Seated(lines, media_type="text/event-stream", headers=headers, leave=lambda: seats.leave(who.id))


class _Seated(StreamingResponse):
    """Gives its seat back however it ends, also where not a line of it was asked for."""

    def __init__(self, content: AsyncIterator[str], *, leave: Callable[[], None], **named: Any) -> None:  # noqa: ANN401
        super().__init__(content, **named)
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


async def _start(request: Request, service: Service) -> int:
    last = request.headers.get("last-event-id")
    if last is None:
        return await service.changes.head()
    if not (last.isascii() and last.isdecimal() and int(last[:20]) < MAX_POSITION):
        raise Problem(400, "malformed", "that is no event id of ours", [Fault("must be one", header="Last-Event-ID")])
    return int(last)


async def _lines(request: Request, service: Service, who: Actor, after: int) -> AsyncIterator[str]:
    """Until the process stops, or whoever listens is signed out, dismissed or somebody else by their role."""
    ringing: Ringing = request.app.state.ringing
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    yield f"retry: 2000\nid: {after}\n\n"
    while not ringing.stopping.is_set():
        heard = ringing.rung
        if not await doorkeeper.still(request, who):
            return
        changes = await service.changes.changes(after, AT_ONCE)
        for position, case, version in await _seen(service, who, changes):
            yield f"id: {position}\nevent: case\ndata: {json.dumps({'case': case, 'version': version})}\n\n"
        if changes:
            after = changes[-1][0]
        if len(changes) < AT_ONCE:
            await ringing.wait(heard, HEARTBEAT)
            yield ": \n\n"


async def _seen(service: Service, who: Actor, changes: Sequence[Change]) -> Sequence[Change]:
    """The newest change of each case this reader may see."""
    newest = {case: change for change in changes if (case := change[1])}
    rows = await service.worklist.belongings(list(newest))
    seen = [newest[case] for case, row in rows.items() if allow(who, Action.SEE, belonging_of(row))]
    return sorted(seen)

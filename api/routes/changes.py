"""Changes that take two people: what waits to be confirmed, and what can still be undone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from activities.command_handler import Recorded
from api.http.auth import Parts, Who
from api.http.masking import EVERYTHING, mask
from api.ports import Service
from domain.core.errors import Reason, require
from domain.core.roles import Action
from domain.core.telling.notices import NoticeOwed
from domain.roles import Actor, allow

router = APIRouter(tags=["changes"])


@dataclass(frozen=True, slots=True)
class Change:
    """Tells of one change: of what, by whom, what it says, and until when it waits or can be undone."""

    stream: str
    name: str
    proposal: str
    state: Literal["waits", "can_be_undone"]
    by: tuple[str, ...]
    says: str
    until: datetime


@router.get("/changes", summary="What waits for a second person, and what can be undone")
async def changes(service: Parts, who: Who) -> JSONResponse:
    """List changes of centres, staff and desks, for whoever may confirm them."""
    found = [mask(one, EVERYTHING) for one in await changes_now(service, who)]
    return JSONResponse({"changes": found}, headers={"Cache-Control": "no-store"})


async def changes_now(service: Service, who: Actor) -> Sequence[Change]:
    """Return what waits and what can be undone now. Raises Refused for who may not decide it."""
    allowed = allow(who, Action.KEEP_CATALOGUE)
    require(allowed, Reason.NOT_ALLOWED, f"a {who.role.value} does not keep the catalogue")
    entries = [await service.commands.entry(stream) for stream in await service.registers.changes()]
    return [change for entry in entries for change in _of(entry)]


def _of(entry: Recorded) -> Iterator[Change]:
    eyes, name = entry.state.eyes, _name(entry.state) or entry.stream
    if (waits := eyes.proposal) and entry.now < waits.until:
        yield Change(entry.stream, name, waits.id, "waits", (waits.by,), _says(entry, waits.id), waits.until)
    if (done := eyes.confirmed) and entry.now < done.until:
        yield Change(entry.stream, name, done.id, "can_be_undone", done.by, _says(entry, done.id), done.until)


def _name(state: Any) -> str:  # noqa: ANN401 - of any stream
    """The name of who is registered, or would be."""
    waits = state.eyes.proposal
    known = getattr(state, "name", "") or (getattr(waits.change, "name", "") if waits else "")
    return known if isinstance(known, str) else ""


def _says(entry: Recorded, proposal: str) -> str:
    told = (fact.event for fact in reversed(entry.facts) if isinstance(fact.event, NoticeOwed))
    return next((event.says for event in told if event.proposal == proposal), "")

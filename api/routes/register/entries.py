"""Lots, protocols, centres and persons: the same five routes for each, made from the catalogue's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from structlog.contextvars import bind_contextvars

from activities.command_handler import CommandRequest, Recorded
from activities.ports import CommandKey, Meta
from api.http.access import require_case_named, require_command, stream_meant
from api.http.answers import CREATED, entry_answer, etag, idempotency_key, if_match
from api.http.auth import Parts, Who
from api.http.command_json import CATALOGUE as COMMANDS
from api.http.limits import read_body
from api.http.masking import EVERYTHING, NOTHING, Sees, mask, masked
from api.http.paging import limited, linked
from api.ports import Service
from api.routes.reads import told
from api.routes.register.reviews import PERIODS, listed, reviewed, shelf_of
from api.staff import require_entry_command, require_named
from domain.catalogue.streams import CATALOGUE
from domain.core.errors import Reason, require
from domain.core.fact import Command
from domain.core.roles import Action
from domain.doses.material import RegisterMaterial
from domain.doses.product import RegisterProduct, stream_of
from domain.roles import Actor, allow


@cache
def router_of(prefix: str) -> APIRouter:
    """Return the routes of one kind; the same for every app of this process."""
    names = [c.__name__ for c in CATALOGUE[prefix].commands]
    router = APIRouter(prefix=f"/{prefix}s", tags=[f"{prefix}s"])
    for opening in (name for name in names if name.startswith("Register")):
        _add_opening(router, prefix, opening)

    @router.get("", summary=f"List {prefix}s")
    async def entries(request: Request, service: Parts, who: Who, after: str = "", limit: int = 100) -> JSONResponse:
        _may_look(who)
        rows = await _rows(service, prefix, after, limited(limit) + 1)
        more = rows[limit - 1]["id"] if len(rows) > limit else None
        return JSONResponse({f"{prefix}s": rows[:limit], "next": more}, headers=linked(request, more))

    @router.get("/{entry}", summary=f"One {prefix} as it stands")
    async def one(entry: str, service: Parts, who: Who) -> JSONResponse:
        _may_look(who)
        found = await service.commands.entry(stream_meant(entry, prefix))
        visible = visible_to(who, prefix)
        body = {"id": found.stream, prefix: mask(found.state, visible), "masked": masked(visible)}
        if prefix in PERIODS and found.state.review:
            body["reviewed"] = reviewed(found.state.review, prefix, service.commands.policy, found.now)
        return JSONResponse(body, headers={"ETag": etag(found.state.version), "Cache-Control": "no-store"})

    @router.get("/{entry}/events", summary=f"What was recorded of a {prefix}")
    async def events(entry: str, service: Parts, who: Who) -> JSONResponse:
        _may_look(who)
        found = await service.commands.entry(stream_meant(entry, prefix))
        visible = visible_to(who, prefix)
        body = {"events": [told(fact, visible) for fact in found.facts], "masked": masked(visible)}
        return JSONResponse(body, headers={"Cache-Control": "no-store"})

    @router.post("/{entry}/commands", summary=f"Give a command to a {prefix}")
    async def command_entry(entry: str, request: Request, service: Parts, who: Who) -> JSONResponse:
        key, expected = idempotency_key(request), if_match(request)
        stream = stream_meant(entry, prefix)
        command = COMMANDS.parse(await read_body(request), who.id, only=names)
        require_entry_command(who, command.type, stream)
        await require_named(service, who, command, stream)
        await require_case_named(service, command)
        sent = request_of(service, who, key, stream, command, expected, about=stream)
        return entry_answer(await carried_out(request, service, sent))

    return router


async def _rows(service: Service, prefix: str, after: str, limit: int) -> Sequence[Mapping[str, Any]]:
    """List protocols and centres with what they are, everything else with its read model."""
    if prefix in PERIODS:
        return await listed(shelf_of(service), prefix, after, limit)
    found = await service.registers.catalogue(prefix, after, limit)
    return [{"id": row["stream"], "version": row["version"], **row["state"]} for row in found]


def _add_opening(router: APIRouter, prefix: str, opening: str) -> None:
    """Add the route that begins another stream; desks have the one they have."""

    @router.post("", status_code=CREATED, summary=f"Register a {prefix}")
    async def register(request: Request, service: Parts, who: Who) -> JSONResponse:
        key = idempotency_key(request)
        command = COMMANDS.parse(await read_body(request), who.id, only=(opening,), default=opening)
        require_command(who, command.type)
        stream = await _new_stream(service, prefix, command)
        sent = request_of(service, who, key, stream, command)
        return entry_answer(await service.commands.record(sent), CREATED)


async def _new_stream(service: Service, prefix: str, command: Command) -> str:
    """Name what is registered; a material by its kind and code, a product by its code: nobody registers one twice."""
    if isinstance(command, RegisterProduct):
        return stream_of(command.code)
    if isinstance(command, RegisterMaterial) and isinstance(command.code, str):
        return await service.genealogy.links.stream_of(command.kind, command.code)
    return service.fresh_stream(prefix)


def request_of(
    service: Service,
    who: Actor,
    key: str,
    stream: str,
    command: Command,
    expected: int | None = None,
    about: str = "",
) -> CommandRequest:
    """Make the request; `about` is what its digest names: a new stream has no name that a repeat would know."""
    bind_contextvars(stream=about, key=key)
    remembered = CommandKey(who.id, key, COMMANDS.digest(about, command))
    meta, signed_in = Meta(who.id, who.stated, key=key), service.local is None
    return CommandRequest(stream, meta, command, remembered, if_version=expected, signed_in=signed_in)


async def carried_out(request: Request, service: Service, sent: CommandRequest) -> Recorded:
    """Record it. Somebody's role counts from then on, not when what was remembered is old; open streams look again."""
    recorded = await service.commands.record(sent)
    request.app.state.doorkeeper.forget(sent.stream)
    await request.app.state.ringing.ring()
    return recorded


def _may_look(who: Actor) -> None:
    allowed = allow(who, Action.SEE_CATALOGUE)
    require(allowed, Reason.NOT_ALLOWED, f"a {who.role.value} does not see the catalogue")


def visible_to(who: Actor, prefix: str) -> Sees:
    """Return what of an entry somebody may read: who got a unit, names of staff, by their role.

    Who a unit went to is for quality assurance and supervisors; names of staff for those who keep the catalogue.

    Who answers for a protocol at a centre is for coordinators too: they are who asks there.
    """
    if allow(who, Action.RELEASE_LOT) or allow(who, Action.SUPERVISE):
        return EVERYTHING
    named = Action.COORDINATE if prefix == "protocol" else Action.KEEP_CATALOGUE
    return frozenset({"identity"}) if allow(who, named) else NOTHING

"""Takes temperatures of a store as a file or feed, records what they came to, and stops what lay there."""

from __future__ import annotations

from asyncio import to_thread
from hashlib import sha256

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from activities.command_handler import CommandRequest
from activities.following.stopping import StoppingUnits
from activities.ports import CommandKey, Meta
from api.http.access import stream_meant
from api.http.answers import idempotency_key
from api.http.auth import Parts, Who
from api.http.limits import stream_body
from api.http.problems import Fault, invalid
from api.ports import Service
from api.routes.register.entries import carried_out
from domain.core.errors import Reason, require
from domain.core.roles import Action
from domain.doses.readings import Readings, UnreadableError, parse
from domain.doses.store import ReadingsRecorded, Store
from domain.roles import Actor, allow

router = APIRouter(prefix="/stores", tags=["stores"])
MAX_FILE = 64 * 1024 * 1024
"""Bytes of a file of readings: two years of one each minute."""


@router.post("/{store}/readings", summary="Read a file of temperatures")
async def readings(store: str, request: Request, service: Parts, who: Who) -> JSONResponse:
    """Take lines of an instant with its zone, a comma, and °C; answer with what they come to.

    Too warm for too long, or a gap, is an excursion: units that lay in the store are stopped until quality assurance
    decides (`DecideStoppedUnit` of their lot). A file that was read before is refused.
    """
    key = idempotency_key(request)
    require_reads(who)
    stream = stream_meant(store, "store")
    body = b"".join([part async for part in stream_body(request, MAX_FILE)])
    told, lots = await record(request, service, who, key, stream, body)
    found = [
        {"kind": e.kind, "began": e.began.isoformat(), "ended": e.ended.isoformat(), "warmest": e.warmest}
        for e in told.excursions
    ]
    span = {"first": told.first.isoformat(), "last": told.last.isoformat(), "count": told.count}
    return JSONResponse(
        {"id": stream, **span, "coldest": told.coldest, "warmest": told.warmest, "excursions": found, "lots": lots}
    )


def require_reads(who: Actor) -> None:
    """Refuse whoever may not register lots and where they lie. Raises Refused."""
    allowed = allow(who, Action.REGISTER_LOT)
    require(allowed, Reason.NOT_ALLOWED, f"a {who.role.value} does not keep the stores of doses")


async def record(
    request: Request, service: Service, who: Actor, key: str, stream: str, body: bytes
) -> tuple[ReadingsRecorded, list[str]]:
    """Record a file of readings and stop what lay there; return what was recorded and the lots told. Raises Refused."""
    found = await to_thread(_read, body)
    digest = sha256(body).hexdigest()
    state: Store = (await service.commands.entry(stream)).state
    told = await to_thread(state.summarised, digest, found)
    remembered = CommandKey(who.id, key, sha256(f"{stream} {digest}".encode()).digest())
    meta = Meta(who.id, who.stated, key=key)
    sent = CommandRequest(stream, meta, told, remembered, if_version=None if digest in state.files else state.version)
    recorded = await carried_out(request, service, sent)
    lots = await StoppingUnits(service.commands, service.registers).of_store(stream, recorded.state.version)
    await request.app.state.ringing.ring()
    return next(fact.event for fact in recorded.facts if isinstance(fact.event, ReadingsRecorded)), list(lots)


def _read(body: bytes) -> Readings:
    try:
        return parse(body.decode())
    except UnicodeDecodeError:
        raise invalid("the file is no text in UTF-8") from None
    except UnreadableError as no:
        faults = [Fault(says, f"#/line/{line}") for line, says in no.faults]
        raise invalid("the file of readings cannot be read; nothing of it was recorded", *faults) from None

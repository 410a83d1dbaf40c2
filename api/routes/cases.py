"""Writing: a new case, and every command on one. Parse, authorise, record, answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from structlog.contextvars import bind_contextvars

from activities.command_codec import Tree
from activities.command_handler import CommandRequest, Recorded
from activities.ports import CommandKey, Meta
from api.hands import hands_of
from api.http.access import belonging, case_meant, permit, require_command
from api.http.answers import CREATED, idempotency_key, if_match, recorded_answer
from api.http.auth import Parts, Who
from api.http.command_json import CASE
from api.http.limits import read_body
from api.http.masking import sees
from api.http.problems import Problem
from api.name_index import PersonIndex
from api.ports import Service
from api.ranking import next_ways
from api.routes.documents import require_document
from api.routes.intake.duplicates import require_nobody_like
from api.routes.intake.linking import other_meant
from api.staff import require_named
from domain.case.state import Case
from domain.core.errors import Refused
from domain.roles import Actor

router = APIRouter(tags=["cases"])
OPEN = "OpenCase"


@router.post("/cases", status_code=CREATED)
async def open_case(request: Request, service: Parts, who: Who) -> JSONResponse:
    """Open a case. The body is OpenCase. Where probably the same person has a case, 409 lists it and asks."""
    key = idempotency_key(request)
    body = await read_body(request)
    return recorded_answer(await opened(service, request.app.state.person_index, who, body, key), who, CREATED)


@router.post("/cases/{case}/commands")
async def command_case(case: str, request: Request, service: Parts, who: Who) -> JSONResponse:
    """Give a command. Its `by` is set to who is signed in. After a refusal the answer names the `next_ways`."""
    key, expected = idempotency_key(request), if_match(request)
    stream = await case_meant(service, case)
    done = await given(service, who, stream, await read_body(request), key, expected)
    return recorded_answer(done, who, **await _ways(service, who, done))


async def _ways(service: Service, who: Actor, done: Recorded) -> Mapping[str, Any]:
    """The next ways, where this very command was a refusal."""
    if not any(fact.event.type == "PatientDeclined" for fact in done.facts):
        return {}
    return await next_ways(service, who, done.case, done.now, sees(who, belonging(done.case, done.now)))


async def opened(service: Service, index: PersonIndex, who: Actor, body: bytes | Tree, key: str) -> Recorded:
    """Open a new case from the JSON of OpenCase, or its tree; the way of every page and program.

    Raises Problem, Refused; Problem(409) where the same person probably has a case and nothing says why another.
    """
    require_command(who, OPEN)
    command = CASE.parse(body, who.id, only=(OPEN,), default=OPEN)
    if command.imported:
        require_command(who, "ImportFacts")
    stream = service.fresh_stream("case")
    try:
        await require_named(service, who, command)
        await require_nobody_like(service, index, who, command)
    except (Problem, Refused):
        await _unless_repeated(service, who, stream, key)
    remembered = CommandKey(who.id, key, CASE.digest("", command))
    bind_contextvars(case=stream, key=key)
    return await service.commands.record(CommandRequest(stream, Meta(who.id, who.stated, key=key), command, remembered))


async def given(
    service: Service, who: Actor, stream: str, body: bytes | Tree, key: str, expected: int | None = None
) -> Recorded:
    """Record a command given as JSON; the way of every page and program. Raises Problem, Refused."""
    bind_contextvars(case=stream, key=key)
    command = await other_meant(service, who, CASE.parse(body, who.id))
    await require_document(service, who, stream, command)
    try:
        await require_named(service, who, command, stream)
    except Refused:
        await _unless_repeated(service, who, stream, key)
    remembered = CommandKey(who.id, key, CASE.digest(stream, command))
    permitted, in_hand = permit(who, command.type), await hands_of(service, who, command)

    def check(case: Case) -> None:
        permitted(case)
        in_hand(case)

    meta = Meta(who.id, who.stated, key=key)
    ask = CommandRequest(stream, meta, command, remembered, if_version=expected, permit=check)
    return await service.commands.record(ask)


async def _unless_repeated(service: Service, who: Actor, stream: str, key: str) -> None:
    """Raise what is being handled again, but for a repeat: that gets its first answer, whatever is true by now."""
    if (await service.commands.ledger.load(stream, command=(who.id, key))).remembered is None:
        raise  # noqa: PLE0704 - called where something is being handled

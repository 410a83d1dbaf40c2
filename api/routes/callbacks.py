"""Takes what hospitals say by themselves: a signed callback becomes one command; what is not believed goes nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from structlog.contextvars import bind_contextvars

from activities.case_session import Reply
from activities.command_codec import CASE, Unreadable
from activities.command_handler import CommandRequest, Recorded
from activities.gateways import Answer, is_reference
from activities.ports import CommandKey, Meta
from api.http.access import NO_CASE, belonging, require_command, require_seen
from api.http.answers import KEY
from api.http.auth import Parts
from api.http.limits import Throttle, address, note_known, read_body
from api.http.problems import Fault, Problem
from api.ports import Malformed, Service, Untrusted
from api.routes.doses import acknowledging
from domain.case.state import Case
from domain.catalogue.centre import Centre
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Command
from domain.core.roles import Action, Role
from domain.engine.answers import of_another_centre, too_early
from domain.recalls.recall import AcknowledgeRecall
from domain.roles import Actor, action_of

router = APIRouter(tags=["hospitals"])
MAX_ID = 200
LATER = "60"
"""Seconds after which a hospital may say again what it said too early: the question it answers is still open."""


@router.post("/hospitals/{centre}/callbacks")
async def callback(centre: str, request: Request, service: Parts) -> JSONResponse:
    """One signed FHIR Task (RFC 9421, Ed25519). Its callback id is the idempotency key.

    Nothing of the body is read before the headers are proved to be the centre's own, and only then is it counted as
    the centre's: whoever signs nothing uses up their own address's share.
    """
    answer, command = await heard(centre, request, service)
    if isinstance(command, AcknowledgeRecall):
        done = await acknowledging.acknowledged(service, centre, answer, command)
        await request.app.state.ringing.ring()
    else:
        done = await taken(service, centre, answer, command)
    recorded = [fact.event.type for fact in done.facts]
    return JSONResponse({"case": done.stream, "recorded": recorded, "repeated": done.repeated})


async def heard(
    centre: str, request: Request, service: Service, *, noted: bool = True
) -> tuple[Answer, Command | AcknowledgeRecall]:
    """Return what a callback says, once it is believed. Raises Problem; `noted` keeps what was not believed."""
    throttle: Throttle = request.app.state.throttle
    body = b""
    try:
        signature = await signed(service, centre, request)
        note_known(request)
        await throttle.hit("actor", f"callback {centre}")
        _require_unpacked(request)
        body = await read_body(request)
        answer = believed(service, signature, body)
        command = acknowledging.said(answer, centre) if acknowledging.of_recall(answer) else said(answer, centre)
    except Untrusted as no:
        await throttle.hit("sign_in", f"callback {address(request)}")
        if noted:
            await service.reject(centre[:MAX_ID], no.reason, sha256(body).digest(), len(body))
        status, reason = (400, "malformed") if isinstance(no, Malformed) else (401, "untrusted")
        raise Problem(status, reason, no.reason) from None
    return answer, command


def _require_unpacked(request: Request) -> None:
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        fault = Fault("must be identity, or left out", header="Content-Encoding")
        plain = {"Accept-Encoding": "identity"}
        raise Problem(415, "unsupported", "send the body as it is, not compressed", [fault], plain)


@dataclass(frozen=True, slots=True)
class CallbackSignature:
    """The centre's key, and what it is held against: header lines and path."""

    key: str
    lines: Sequence[tuple[str, str]]
    path: str


async def signed(service: Service, centre: str, request: Request) -> CallbackSignature:
    """Return the signature of the headers, once it is proved to be the centre's own. Raises Untrusted."""
    lines = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
    path = request.scope.get("raw_path", request.url.path.encode()).decode("latin-1").split("?", maxsplit=1)[0]
    found = CallbackSignature(await _key(service, centre), lines, path)
    service.signed_by(found.key, found.lines, found.path, service.clock())
    return found


def believed(service: Service, signature: CallbackSignature, body: bytes) -> Answer:
    """Read what the callback says, once its body is proved to be what was signed. Raises Untrusted, Malformed."""
    answer = service.open_callback(signature.key, signature.lines, signature.path, body, service.clock())
    if not KEY.fullmatch(answer.callback):
        raise Malformed("identifier: the callback's id must be 1 to 200 visible characters")
    return replace(answer, callback=kept_id(answer.callback))


def kept_id(callback: str) -> str:
    """Return the id as it is kept in plain: itself where it is a reference, else its digest, which names nobody."""
    return callback if is_reference(callback) else sha256(callback.encode()).hexdigest()


async def _key(service: Service, centre: str) -> str:
    """The centre's registered key; a centre without one signs nothing we could believe."""
    try:
        known = (await service.commands.entry(centre)).state if centre.startswith("centre-") else None
    except Refused:
        known = None
    if not isinstance(known, Centre) or not known.callback_key:
        raise Untrusted("this centre has no key registered here")
    return known.callback_key


def said(answer: Answer, centre: str) -> Command:
    """Return the command it is, in the centre's name. Raises Malformed that names the fields at fault."""
    try:
        command: Command = CASE.parse_outside(answer.command, centre)
    except Unreadable as no:
        faults = [f"{one.pointer.removeprefix('#/')} {one.detail}" for one in no.faults]
        raise Malformed(f"{answer.command['type']}: {', '.join(faults)}") from None
    return command


async def taken(service: Service, centre: str, answer: Answer, command: Command, *, dry: bool = False) -> Recorded:
    """Record it, or where it is `dry` only say what that would come to. Raises Refused, Problem."""
    bind_contextvars(case=answer.case, key=answer.callback)
    hospital = Actor(centre, Role.HOSPITAL, centre=centre)
    require(answer.case.startswith("case-") and is_reference(answer.case), Reason.NOT_FOUND, NO_CASE)
    effect = answer.in_reply_to

    def permit(case: Case) -> None:
        whose = belonging(case) if case.version else None
        require_seen(hospital, whose)
        if action_of(command.type) is Action.ANSWER:
            require_command(hospital, command.type, whose)
        known = effect is None or effect in case.effects
        require(known, Reason.NOT_FOUND, "no such request in this case", "basedOn")
        own = not of_another_centre(case, command, centre)
        require(own, Reason.NOT_ALLOWED, "that was asked of another hospital")

    body = CASE.digest(f"{answer.case}\0{effect or ''}", command)
    meta = Meta(centre, hospital.stated, key=answer.callback, causation=effect, provenance="callback")
    key = CommandKey(centre, answer.callback, body)
    ask = CommandRequest(answer.case, meta, command, key, Reply(effect) if effect else None, permit=permit)
    try:
        return await (service.commands.would(ask) if dry else service.commands.record(ask))
    except Refused as refused:
        if too_early(await _case(service, answer.case) or Case(), effect, refused.reason):
            raise Problem(409, "too_early", refused.detail, headers={"Retry-After": LATER}) from None
        raise


async def _case(service: Service, stream: str) -> Case | None:
    if not stream.startswith("case-") or not is_reference(stream):
        return None
    try:
        return (await service.commands.case(stream))[0]
    except Refused as refused:
        if refused.reason is not Reason.NOT_FOUND:
            raise
        return None

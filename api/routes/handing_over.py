"""Documents of a submitted dossier for its hospital: opened only while it is asked, recorded, named by digest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from structlog.contextvars import bind_contextvars

from activities.command_handler import CommandRequest
from activities.patient_summary.document import patient_summary
from activities.ports import CommandKey, DocumentKeyless, DocumentLink, Meta
from api.http.auth import Parts
from api.http.command_json import CASE
from api.http.files.file_types import TYPES
from api.http.limits import address, note_known, only_head
from api.http.problems import Problem
from api.ports import Service
from api.routes.documents import FAILED, UNREADABLE
from api.routes.findings.summaries import FHIR, as_fhir
from domain.case.phases.submissions import Submission
from domain.case.state import Case
from domain.core.errors import Reason, Refused
from domain.core.fact import ENGINE
from domain.core.personal import KeyClass
from domain.engine.evolve import fold
from domain.history.dated import known as known_at
from domain.stages.eligibility.handing_over import SUMMARY, HandOverDocument, require_inside, require_readable
from domain.stages.eligibility.submissions import DossierSubmitted

router = APIRouter(tags=["hospitals"])
GONE = 410
SEEN: frozenset[KeyClass] = frozenset({"identity", "clinical"})
"""What a patient summary shows."""
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}


@router.get("/hospitals/{centre}/documents/{token}", response_class=StreamingResponse)
async def linked(centre: str, token: str, request: Request, service: Parts) -> StreamingResponse:
    """Return the document of an address that came with a Task, for three days and only while the request stands.

    Whoever holds no address of ours is counted by where they are, so that trying them out uses up nobody else's share.
    """
    try:
        link = await service.document_links.read(token)
    except ValueError:
        link = None
    except Refused:  # the key that seals addresses is not on this machine, so nobody can say what this one is
        raise Problem(*FAILED[DocumentKeyless]) from None
    if link is None or link.centre != centre:
        await request.app.state.throttle.hit("sign_in", f"document {address(request)}")
        raise Problem(404, "not_found", "no such address, or one that ended; a reminder brings fresh ones")
    note_known(request)
    await request.app.state.throttle.hit("actor", f"document {centre}")
    return await handed(service, Look(centre, "document link", head=only_head(request)), link)


@dataclass(frozen=True, slots=True)
class Look:
    """Says who opens a document, as the access log names them, by which way, and how it is shown to them.

    `head`: whether they asked for the head of the answer alone, so that they see nothing of it.
    """

    actor: str
    way: str
    inline: bool = False
    head: bool = False
    headers: dict[str, str] = field(default_factory=dict)


async def handed(service: Service, look: Look, link: DocumentLink) -> StreamingResponse:
    """Hand one document over. Raises Problem 410 where the way to it has ended; nothing of it is shown then."""
    known = await may_open(service, link)
    if link.document == SUMMARY:
        return await _summarised(service, look, link, known)
    try:
        opened = await service.documents.open(link.case, link.document)
    except UNREADABLE as error:
        raise Problem(*FAILED[type(error)]) from None
    if not look.head:
        await service.looks.record(Meta(look.actor, "treatment"), "document", [link.case], {opened.key_class})

    async def note(digest: str) -> None:
        if link.document in known.handed:
            _opens((await service.commands.case(link.case))[0], link)  # what ended meanwhile keeps the end back
        else:
            await _record(service, look, link, digest)

    ending = TYPES[opened.media_type].ending
    shown = "inline" if look.inline else "attachment"
    name = {"Content-Disposition": f'{shown}; filename="{link.document[:12]}.{ending}"'}
    content = _nothing() if look.head else _noted(opened.content, note)
    return StreamingResponse(content, media_type=opened.media_type, headers={**HEADERS, **name, **look.headers})


async def may_open(service: Service, link: DocumentLink) -> Submission:
    """Return the submission whose document its centre may open now. Raises Problem 410 where that has ended."""
    bind_contextvars(case=link.case)
    try:
        case, _, _ = await service.commands.case(link.case)
        return _opens(case, link)
    except Refused as refused:
        if refused.reason is Reason.LAPSED:
            raise Problem(GONE, "lapsed", refused.detail) from None
        raise


async def _summarised(service: Service, look: Look, link: DocumentLink, asked: Submission) -> StreamingResponse:
    """Hand over the patient summary of the case as it stood when this dossier was submitted, so that it stays the same.

    Raises Problem 410 where it can be made no more.
    """
    present, facts, _ = await service.commands.case(link.case)
    sent = next(fact for fact in reversed(facts) if _submitted(fact.event, link))
    then = replace(fold(known_at(facts, sent.at)), id=link.case)
    stands = {name: one for name, one in then.summaries.items() if name in present.summaries}
    then = replace(then, summaries=stands)  # what was struck since is told to nobody
    try:
        body = as_fhir(patient_summary(then, sent.at))
    except Refused as refused:
        raise Problem(GONE, "erased", refused.detail) from None
    if not look.head:
        await service.looks.record(Meta(look.actor, "treatment"), "patient summary", [link.case], SEEN)
        if SUMMARY not in asked.handed:
            await _record(service, look, link, sha256(body).hexdigest())
    name = {"Content-Disposition": 'attachment; filename="patient-summary.json"'}
    content = _nothing() if look.head else _whole(body)
    return StreamingResponse(content, media_type=FHIR, headers={**HEADERS, **name, **look.headers})


def _submitted(event: object, link: DocumentLink) -> bool:
    return isinstance(event, DossierSubmitted) and (event.submission, event.round) == (link.submission, link.round)


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _opens(case: Case, link: DocumentLink) -> Submission:
    """Return the submission whose document this is, while its centre may open that. Raises Refused."""
    known = require_readable(case, link.submission, link.round)
    require_inside(case, known, link.document)
    return known


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


async def _noted(content: AsyncIterator[bytes], note: Callable[[str], Awaitable[None]]) -> AsyncIterator[bytes]:
    """The content as it is; its last part leaves only once the digest of all of it is recorded."""
    digest, waiting = sha256(), b""
    async for part in content:
        digest.update(part)
        if waiting:
            yield waiting
        waiting = part
    await note(digest.hexdigest())
    yield waiting


async def _record(service: Service, look: Look, link: DocumentLink, digest: str) -> None:
    command = HandOverDocument(link.submission, link.round, link.document, digest)
    key = f"handed/{link.submission}/{link.document}"
    meta = Meta(ENGINE, "treatment", key=key, on_behalf_of=look.actor, provenance=look.way)
    remembered = CommandKey(ENGINE, key, CASE.digest(link.case, command))
    try:
        await service.commands.record(CommandRequest(link.case, meta, command, remembered))
    except Refused as refused:
        if refused.reason is not Reason.ALREADY:  # two opened it at the same time, and the other's was noted
            raise

"""Documents: what is sent is encrypted as it comes in, stored, and only then recorded; what is read was checked."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import astuple, dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic_core import to_json
from structlog.contextvars import bind_contextvars

from activities.command_handler import CommandRequest, Recorded
from activities.ports import (
    CommandKey,
    DocumentChanged,
    DocumentErased,
    DocumentKeyless,
    DocumentMissing,
    Kept,
    Meta,
    OpenedDocument,
)
from api.http.access import case_meant, may_command, permit
from api.http.answers import CREATED, idempotency_key, recorded_answer
from api.http.auth import Parts, Who
from api.http.command_json import CASE
from api.http.files.dicom import compared
from api.http.files.file_types import CALLED, TYPES, UNTOLD
from api.http.files.inspection import Found, Inspection
from api.http.files.scanning import Scanning
from api.http.limits import stream_body
from api.http.problems import Fault, Problem, invalid
from api.http.strangers.header_values import filename, parameters
from api.ports import Service
from api.routes.reads import seen_case
from domain.case.state import Case
from domain.core.errors import Reason, Refused, require
from domain.core.personal import KeyClass
from domain.core.roles import Action, Role
from domain.roles import Actor, allow
from domain.stages.records.documents import DocumentStored, key_class_of

router = APIRouter(tags=["documents"])
NAME = re.compile("[0-9a-f]{64}")
FAILED: Mapping[type[Exception], tuple[int, str, str]] = {
    DocumentErased: (410, "erased", "this document was made unreadable for good, with the case's key"),
    DocumentKeyless: (503, "no_key", "the key of this document is not on this machine"),
    DocumentMissing: (503, "document_missing", "the case names this document, and the store does not have it"),
    DocumentChanged: (500, "document_changed", "the store has other bytes under this name than were kept"),
}
UNREADABLE = tuple(FAILED)


@router.post("/cases/{case}/documents", status_code=CREATED)
async def attach(
    case: str,
    request: Request,
    service: Parts,
    who: Who,
    item: str = "",
    language: str = "",
    *,
    translates: bool = False,
) -> JSONResponse:
    """Store the body as a document of the case.

    With `item` it is the record that was asked for, in `language`, or with `translates` its translation.

    The body is the file itself; its Content-Type may be left out, and is refused where it is not what the content is.
    Its name goes into Content-Disposition.
    """
    key, stream = idempotency_key(request), await case_meant(service, case)
    _, named = parameters(request.headers.get("content-disposition", ""))
    media, _ = parameters(request.headers.get("content-type", ""))
    told = told_of_file(item, language, translates=translates)
    sent = Sent(key, media, filename(named), told)
    return await attached(service, who, stream, sent, stream_body(request, service.limits.document))


async def attached(
    service: Service, who: Actor, stream: str, sent: Sent, content: AsyncIterator[bytes]
) -> JSONResponse:
    """Store a document and record it; the answer says where it is. Raises Problem, Refused; then it is not kept."""
    kept, noted = await stored(service, who, stream, sent, content)
    try:
        done = await recorded(service, who, stream, sent, kept, noted)
    except (Problem, Refused):
        await service.documents.remove(kept.name)
        raise
    name = next((n for f in done.facts if (n := getattr(f.event, "document", ""))), "")
    answer = recorded_answer(done, who, CREATED, document=name)
    answer.headers["Location"] = f"/cases/{stream}/documents/{name}"
    return answer


def told_of_file(item: str, language: str, *, translates: bool) -> Mapping[str, Any]:
    """Return what the file is sent for, as the command that will name it."""
    if translates:
        return {"type": "DeliverTranslation", "item": item}
    return (
        {"type": "ReceiveRecord", "item": item, "language": language or "und"} if item else {"type": "AttachDocument"}
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """Holds what came with a document. `told` is the command that names it, without what the file itself says."""

    key: str
    media: str
    name: str
    told: Mapping[str, Any]
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A file that is stored for the form of a page, and that nothing is recorded of yet."""

    case: str
    stored: str
    media: str
    name: str


async def put_aside(service: Service, file: WaitingFile) -> str:
    """Keep it for a day, and return what the form says to have it."""
    await service.documents.put_aside(file.stored)
    return await service.seal.close(json.dumps(astuple(file)))


async def stored(
    service: Service, who: Actor, stream: str, sent: Sent, content: AsyncIterator[bytes]
) -> tuple[Kept, DocumentStored]:
    """Store a document, for whoever may give the command; the way of every page and program. Raises Problem.

    Its type is what its content says; a file that is none of those taken, or another than its sender says, is refused.
    """
    media_told(sent.media)
    await may_command(service, who, stream, sent.told["type"])
    return await taken(service, stream, sent, content)


async def taken(
    service: Service, stream: str, sent: Sent, content: AsyncIterator[bytes]
) -> tuple[Kept, DocumentStored]:
    """Look at a document while it is stored, whoever sends it; whether they may was asked before. Raises Problem."""
    bind_contextvars(case=stream, key=sent.key)
    media = media_told(sent.media)
    key_class = await class_of(service, stream, sent.told.get("item", ""))
    looked = Inspection(content)
    _require_type(await looked.begin(), media, looked.words)
    try:
        keep = partial(service.documents.keep, stream, key_class, looked.media)
        kept, unsure = await Scanning(service.scanner, service.unscanned).kept(
            looked.content(), keep, service.documents.remove
        )
    except UNREADABLE as error:
        raise Problem(*FAILED[type(error)]) from None
    found = await looked.found()
    return kept, await _noted(service, stream, kept, replace(found, troubles=(*found.troubles, *unsure)))


def media_told(said: str) -> str:
    """Return the media type that a sender says, as it is called here. Raises Problem where none such is taken."""
    media = CALLED.get(said, said)
    if media not in TYPES and media not in UNTOLD:
        fault = Fault(f"must be one of {', '.join(TYPES)}", header="Content-Type")
        raise Problem(415, "unsupported_media_type", "documents of this type are not taken", [fault])
    return media


def _require_type(found: str, told: str, words: str) -> None:
    """Refuse a file that is of no type that is taken, or of another than its sender says. Raises Problem."""
    if not found:
        detail = "the file is empty" if words == "empty" else f"the file is {words}"
        raise invalid(detail, Fault(f"{detail}; must be one of {', '.join(TYPES)}", header="Content-Type"))
    if told not in UNTOLD and found != told:
        raise invalid(f"the file is {found}, not {told}", Fault(f"is {found}, not {told}", header="Content-Type"))


async def _noted(service: Service, stream: str, kept: Kept, found: Found) -> DocumentStored:
    case = (await service.commands.case(stream))[0]
    head = found.header
    patient = case.patient.name if case.patient else ""
    return DocumentStored(
        kept.name, kept.same.hex(), found.media, kept.size, "", found.troubles, found.files,
        compared(head, patient, case.birth), head.modality, head.taken, head.study,
    )  # fmt: skip


async def class_of(service: Service, stream: str, item: str) -> KeyClass:
    """Return which of the case's keys keeps a file sent for that record; empty = for none. Raises Problem."""
    if not item:
        return "clinical"
    known = (await service.commands.case(stream))[0].records.get(item)
    if known is None:
        raise invalid("no such record in this case", Fault("must be a record that was asked for", parameter="item"))
    return key_class_of(known.kind)


async def recorded(
    service: Service, who: Actor, stream: str, sent: Sent, kept: Kept, noted: DocumentStored
) -> Recorded:
    """Record it, once per key and content; what came a second time does not stay. Raises Problem, Refused."""
    body = {**sent.told, "document": kept.name}
    if sent.told["type"] == "AttachDocument":
        body |= {"name": sent.name[:200], "bytes": kept.size, "media_type": noted.media_type}
    command = CASE.parse(body, who.id)
    digest = sha256(stream.encode() + b"\0" + kept.same + to_json({**body, "document": ""})).digest()
    meta, key = Meta(who.id, who.stated, key=sent.key), CommandKey(who.id, sent.key, digest)
    may = permit(who, command.type)
    done = await service.commands.record(
        CommandRequest(stream, meta, command, key, if_version=sent.expected, permit=may, stored=(noted,))
    )
    if done.repeated:
        await service.documents.remove(kept.name)
    return done


async def require_document(service: Service, who: Actor, stream: str, command: Any) -> None:  # noqa: ANN401 - any command
    """Refuse to attach a file that the store does not have for this case. Raises Problem that names the field.

    What other commands name must have been stored or attached before: that is a rule (domain/stages/records).
    """
    if command.type != "AttachDocument":
        return
    name: str = command.document
    await may_command(service, who, stream, command.type)
    faults = [] if NAME.fullmatch(name) else [Fault("must be a SHA-256, 64 digits", "#/document")]
    most = service.limits.document
    faults += [] if 0 < command.bytes <= most else [Fault(f"must lie between 1 and {most}", "#/bytes")]
    faults += [] if command.media_type in TYPES else [Fault(f"must be one of {', '.join(TYPES)}", "#/media_type")]
    faults = faults or await _elsewhere(service, stream, name)
    if faults:
        raise invalid(f"{command.type} cannot be read", *faults)


async def _elsewhere(service: Service, stream: str, name: str) -> list[Fault]:
    try:
        await service.documents.open(stream, name)
    except DocumentMissing:
        return [Fault("is not stored; send it to /cases/{case}/documents", "#/document")]
    except UNREADABLE:
        return [Fault("is no document of this case", "#/document")]
    return []


def translates(who: Actor, case: Case, name: str) -> bool:
    """Return whether it is a file to translate now, or its translation to compare with it; no other is for them."""
    ordered = any(
        i.state == "translating" and name in (i.document, i.original, i.translation) for i in case.records.values()
    )
    return ordered and who.role is Role.TRANSLATOR and allow(who, Action.TRANSLATE)


@router.get("/cases/{case}/documents/{name}", response_class=StreamingResponse)
async def document(case: str, name: str, service: Parts, who: Who) -> StreamingResponse:
    """Return a document of the case, for those who may see what is in it."""
    opened = (await readable(service, who, case, name)).file
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name[:12]}.{TYPES[opened.media_type].ending}"',
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(opened.content, media_type=opened.media_type, headers=headers)


@dataclass(frozen=True, slots=True)
class Readable:
    """A document that somebody may open, its case, and what they may see of that."""

    case: Case
    file: OpenedDocument
    visible: frozenset[KeyClass]


async def readable(service: Service, who: Actor, case: str, name: str) -> Readable:
    """Open a document of the case for whoever may see what is in it; the look is recorded. Raises Problem, Refused."""
    found, facts, _, visible = await seen_case(service, who, case, "document")
    known = NAME.fullmatch(name) and any(getattr(fact.event, "document", None) == name for fact in facts)
    require(known, Reason.NOT_FOUND, "no such document in this case")
    try:
        opened = await service.documents.open(found.id, name)
    except UNREADABLE as error:
        raise Problem(*FAILED[type(error)]) from None
    allowed = opened.key_class in visible or translates(who, found, name)
    require(allowed, Reason.NOT_ALLOWED, f"what is in this document is not for the role {who.role.value}")
    return Readable(found, opened, visible)

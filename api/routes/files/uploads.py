"""Uploads in pieces: begun with a length, sent on from where they stopped, recorded as a document once whole."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from activities.ports import DocumentChanged, DocumentErased, OffsetDiffers, PartialUpload, TooManyUploads
from api.http.access import case_meant, may_command
from api.http.answers import CREATED, idempotency_key
from api.http.auth import Parts, Who
from api.http.limits import stream_body, too_large
from api.http.problems import Fault, Problem, invalid
from api.http.strangers.header_values import filename, parameters
from api.ports import Service
from api.routes.documents import (
    FAILED,
    Sent,
    WaitingFile,
    attached,
    class_of,
    media_told,
    put_aside,
    stored,
    told_of_file,
)
from domain.core.errors import Reason, Refused, require
from domain.roles import Actor

router = APIRouter(tags=["documents"])
OFFSET, LENGTH = "Upload-Offset", "Upload-Length"
WAITS = "waits"
AGAIN = 503
"""The status after which an upload waits for another try; any other refusal ends it."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that is on its way: what it is for, how long it is to be, and how much of it is kept."""

    known: PartialUpload
    sent: Sent
    length: int
    offset: int

    def answer(self, status: int = 200) -> JSONResponse:
        """Say where it stands."""
        path = f"/cases/{self.known.case}/uploads/{self.known.name}"
        headers = {OFFSET: str(self.offset), LENGTH: str(self.length), "Location": path, "Cache-Control": "no-store"}
        return JSONResponse({"upload": path, "offset": self.offset, "length": self.length}, status, headers)


@router.post("/cases/{case}/uploads", status_code=CREATED)
async def begin(
    case: str,
    request: Request,
    service: Parts,
    who: Who,
    item: str = "",
    language: str = "",
    *,
    translates: bool = False,
    waits: bool = False,
) -> JSONResponse:
    """Begin an upload in pieces, of `Upload-Length` bytes; with a key that was given before, go on with that one.

    All else is said as for a document that is sent at once, whose place it takes when the last piece has come. What is
    kept of it is encrypted, and waits a day for its next piece. With `waits` nothing is recorded when it is whole: the
    answer names it (`aside`) for the form of a page, which has a day to say what else there is to say.
    """
    key, stream = idempotency_key(request), await case_meant(service, case)
    length = _number(request, LENGTH)
    if length > service.limits.document:
        raise too_large(service.limits.document)
    _, named = parameters(request.headers.get("content-disposition", ""))
    media, _ = parameters(request.headers.get("content-type", ""))
    media_told(media)
    told = told_of_file(item, language, translates=translates)
    await may_command(service, who, stream, told["type"])
    key_class = await class_of(service, stream, item)
    said = json.dumps([key, length, media, filename(named), {**told, **({WAITS: True} if waits else {})}]).encode()
    try:
        known = await service.uploads.begin(who.id, stream, key_class, key, said)
    except TooManyUploads:
        detail = "as many uploads are open as one person may have; end one, or let it wait out its day"
        raise Problem(429, "too_many_uploads", detail) from None
    except DocumentErased as error:
        raise Problem(*FAILED[type(error)]) from None
    return (await _begun(service, who, known, said)).answer(CREATED)


@router.get("/cases/{case}/uploads/{name}")
async def stands(case: str, name: str, service: Parts, who: Who) -> JSONResponse:
    """Return how much of an upload is kept (`Upload-Offset`), of how much (`Upload-Length`)."""
    return (await _found(service, who, await case_meant(service, case), name)).answer()


@router.patch("/cases/{case}/uploads/{name}")
async def piece(case: str, name: str, request: Request, service: Parts, who: Who) -> JSONResponse:
    """Send the body from `Upload-Offset` on. With the last byte it becomes the document it is for, or is refused.

    What came before a line broke is kept, but for the last piece of a mebibyte.
    """
    offset = _number(request, OFFSET, least=0)
    upload = await _told(service, who, await case_meant(service, case), name, offset)
    try:
        body = stream_body(request, max(0, upload.length - offset))
        offset = await service.uploads.append(upload.known, offset, body)
    except OffsetDiffers:
        kept = await service.uploads.offset(upload.known)  # another piece may have come since
        fault = Fault(f"must be {kept}", header=OFFSET)
        raise Problem(409, "offset_differs", f"the upload goes on at {kept}", [fault]) from None
    except DocumentErased as error:
        raise Problem(*FAILED[type(error)]) from None
    if offset < upload.length:
        return Upload(upload.known, upload.sent, upload.length, offset).answer()
    return await _whole(service, who, upload)


@router.delete("/cases/{case}/uploads/{name}")
async def end(case: str, name: str, service: Parts, who: Who) -> JSONResponse:
    """End an upload; nothing of it stays."""
    upload = await _found(service, who, await case_meant(service, case), name)
    await service.uploads.remove(upload.known)
    return JSONResponse({"ended": True})


async def _whole(service: Service, who: Actor, upload: Upload) -> JSONResponse:
    case, sent, content = upload.known.case, upload.sent, _content(service, upload)
    try:
        if WAITS in sent.told:
            kept, noted = await stored(service, who, case, sent, content)
            aside = await put_aside(service, WaitingFile(case, kept.name, noted.media_type, sent.name))
            answer = JSONResponse({"aside": aside}, headers={"Cache-Control": "no-store"})
        else:
            answer = await attached(service, who, case, sent, content)
    except Problem as problem:
        if problem.status != AGAIN:
            await service.uploads.remove(upload.known)
        raise
    except Refused:
        await service.uploads.remove(upload.known)
        raise
    await service.uploads.remove(upload.known)
    return answer


async def _content(service: Service, upload: Upload) -> AsyncIterator[bytes]:
    """All of it, or a refusal: where the last piece comes twice, whoever is done first takes the pieces away."""
    size = 0
    try:
        async for part in service.uploads.content(upload.known):
            size += len(part)
            yield part
    except DocumentErased as error:
        raise Problem(*FAILED[type(error)]) from None
    except DocumentChanged:
        raise _ended() from None
    if size != upload.length:
        raise _ended()


def _ended() -> Problem:
    detail = "another request ended this upload meanwhile; see whether the case has the document, else begin again"
    return Problem(409, "upload_ended", detail)


async def _begun(service: Service, who: Actor, known: PartialUpload, said: bytes) -> Upload:
    """Return the upload of a key. Raises Refused(KEY_REUSED) where it is of another file, or of another case."""
    found = await service.uploads.find(who.id, known.case, known.name)
    same = found is not None and found[1] == said
    require(
        same, Reason.KEY_REUSED, "this key began another upload, which is still open; give this one a key of its own"
    )
    return await _found(service, who, known.case, known.name)


async def _found(service: Service, who: Actor, stream: str, name: str) -> Upload:
    """Return an upload of this person for this case, with how much of it is kept. Raises Refused, Problem."""
    upload = await _told(service, who, stream, name, 0)
    return replace(upload, offset=await service.uploads.offset(upload.known))


async def _told(service: Service, who: Actor, stream: str, name: str, offset: int) -> Upload:
    """Return an upload as its sender says it stands, which is asked of the store only once a piece comes."""
    try:
        found = await service.uploads.find(who.id, stream, name)
    except DocumentErased as error:
        raise Problem(*FAILED[type(error)]) from None
    require(found, Reason.NOT_FOUND, "no such upload; it ended, or waited longer than a day")
    assert found
    known, said = found
    key, length, media, called, told = json.loads(said)
    return Upload(known, Sent(key, media, called, told), length, offset)


def _number(request: Request, header: str, least: int = 1) -> int:
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 15 and int(text) >= least):  # noqa: PLR2004 - digits
        raise invalid(f"{header} is required", Fault("must be a number of bytes", header=header))
    return int(text)

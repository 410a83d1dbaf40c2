"""Previews: the first page or the picture, made here from what the store keeps; of a scanner's image what it tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from itertools import islice

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from activities.ports import DocumentLink, Meta, OpenedDocument
from api.http.auth import Parts, Who
from api.http.files.file_types import DICOM, ENTRIES, SERIES, entries, is_dicom
from api.http.files.previews.reading import By, read_text
from api.http.files.previews.renderer import PICTURES, NotShown, Renderer
from api.http.files.proposing import DocumentProposal, proposal
from api.http.problems import Problem
from api.ports import Service
from api.routes.documents import FAILED, UNREADABLE, Readable, readable
from api.routes.handing_over import HEADERS, Look, may_open

router = APIRouter(tags=["documents"])
PREVIEWED = (*PICTURES, DICOM, SERIES)
"""What there is a preview of."""
FIRST = 1024 * 1024
"""Bytes of a scanner's file that are read for what its header tells."""
WHY: Mapping[str, tuple[int, str]] = {
    "encrypted": (422, "the file is encrypted, so there is no preview"),
    "broken": (422, "the file cannot be read, so there is no preview"),
    "too_large": (422, "the file is too large for a preview; open it"),
    "too_long": (422, "making a preview took too long; open the file"),
    "no_preview": (422, "there is no preview of files of this type; open it"),
    "no_text": (422, "no text can be read in it"),
    "no_ocr": (422, "it is a picture, and the program that reads pictures (tesseract) is not installed here"),
    "busy": (503, "too many previews are being made; try again in a moment"),
}
"""Why there is none: the status, and what is said."""


@router.get("/cases/{case}/documents/{name}/preview", response_class=Response)
async def preview(case: str, name: str, request: Request, service: Parts, who: Who) -> Response:
    """Show the first page of a PDF or the picture, at most 1200 pixels each way; of a DICOM file what its header tells.

    It is for whoever may open the document, and recorded as that is.
    """
    return await previewed(request, (await readable(service, who, case, name)).file)


@router.get("/cases/{case}/documents/{name}/proposal")
async def propose(case: str, name: str, request: Request, service: Parts, who: Who) -> JSONResponse:
    """Return what the text of a document seems to say it is: kind of record, language (BCP 47), day, and whose name.

    A person decides; nothing of the text is kept. `read_by` is text (of a PDF) or ocr (Debian's tesseract, where it is
    installed).
    """
    found = await readable(service, who, case, name)
    try:
        made = await proposal_of(request, service, found, name)
    except NotShown as no:
        raise of_not_shown(no) from None
    return JSONResponse(made.told(), headers=HEADERS)


@dataclass(frozen=True, slots=True)
class ProposedOfDocument:
    """Holds what is proposed of a document, and how it was read."""

    proposal: DocumentProposal
    read_by: By

    def told(self) -> dict[str, str | None]:
        """Return it as JSON tells it: null where the text does not say."""
        one = self.proposal
        day = one.day.isoformat() if one.day else None
        said = {"kind": one.kind or None, "language": one.language or None, "day": day}
        return {**said, "patient_name": one.name, "read_by": self.read_by}


async def proposal_of(request: Request, service: Service, found: Readable, name: str) -> ProposedOfDocument:
    """Read a document that somebody may open, and propose what it is. Raises NotShown, Problem."""
    first: list[AsyncIterator[bytes]] = [found.file.content]

    async def again() -> AsyncIterator[bytes]:
        return first.pop() if first else (await service.documents.open(found.case.id, name)).content

    text, by = await read_text(_renderer(request), found.file.media_type, again)
    case, patient = found.case, found.case.patient
    known = patient.name if patient and "identity" in found.visible else None
    made = await asyncio.to_thread(proposal, text, known, case.birth, service.clock().date())
    return ProposedOfDocument(made, by)


async def handed_preview(request: Request, service: Service, look: Look, link: DocumentLink) -> Response:
    """Show a hospital the preview of a document it may open. Raises Problem 410 where the way to it has ended."""
    await may_open(service, link)
    try:
        opened = await service.documents.open(link.case, link.document)
    except UNREADABLE as error:
        raise Problem(*FAILED[type(error)]) from None
    if not look.head:
        await service.looks.record(Meta(look.actor, "treatment"), "document", [link.case], {opened.key_class})
    return await previewed(request, opened, plain=True)


async def previewed(request: Request, opened: OpenedDocument, *, plain: bool = False) -> Response:
    """Make the preview; `plain` = what a header tells is for a person to read. Raises Problem that says why not."""
    try:
        if opened.media_type in PICTURES:
            made = await _renderer(request).made("picture", opened.media_type, opened.content)
            return Response(made.content, media_type=made.head["media"], headers=HEADERS)
        told = await told_of(request, opened)
    except NotShown as no:
        raise of_not_shown(no) from None
    if plain:
        return PlainTextResponse("\n".join(f"{name}: {value}" for name, value in told), headers=HEADERS)
    return JSONResponse({"media_type": opened.media_type, "told": dict(told)}, headers=HEADERS)


async def told_of(request: Request, opened: OpenedDocument) -> list[tuple[str, str]]:
    """Return what the header of an image tells; of a series that of its first. Raises NotShown."""
    if opened.media_type not in (DICOM, SERIES):
        raise NotShown("no_preview")
    start = b""
    async for part in opened.content:
        start += part
        if len(start) >= FIRST:
            break
    if opened.media_type == SERIES:
        start = next((one.start for one in islice(entries(start), ENTRIES) if is_dicom(one.start)), b"")
    made = await _renderer(request).made("told", DICOM, _whole(start))
    return [(name, value) for name, value in made.head["told"]]


def of_not_shown(no: NotShown) -> Problem:
    """Return the problem that says why there is no preview."""
    status, detail = WHY[no.why]
    return Problem(status, no.why, detail, headers={"Retry-After": "5"} if no.why == "busy" else {})


def _renderer(request: Request) -> Renderer:
    made: Renderer = request.app.state.renderer
    return made


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content

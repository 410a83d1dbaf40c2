"""The page of one document: its preview, and what the store and the case know of it."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from api.console.dossier_question import ending_of, size_of
from api.console.pages.case import opened, shown_part
from api.console.session import Viewer
from api.console.web import pages
from api.http.auth import Parts
from api.http.files.file_types import DICOM, SERIES
from api.http.files.previews.renderer import PICTURES, NotShown
from api.routes.documents import readable
from api.routes.previews import told_of
from domain.case.phases.records import RecordItem
from domain.case.state import Case

router = pages()


@router.get("/console/cases/{case}/documents/{name}")
async def document_page(case: str, name: str, request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show one document to whoever may open it; the look is recorded."""
    one = await opened(request, service, viewer, case)
    _, file = await readable(service, viewer.who, one.case.id, name)
    media, not_shown, told = file.media_type, "", list[tuple[str, str]]()
    try:
        told = await told_of(request, file) if media in (DICOM, SERIES) else []
    except NotShown as no:
        not_shown = no.why
    stored = one.case.stored.get(name)
    return shown_part(
        request,
        viewer,
        one,
        "document",
        name=name,
        item=item_of(one.case, name),
        ending=ending_of(media),
        size=size_of(stored.bytes) if stored else "",
        stored=stored,
        picture=media in PICTURES,
        told=told,
        not_shown=not_shown or ("" if media in (*PICTURES, DICOM, SERIES) else "no_preview"),
    )


def item_of(case: Case, name: str) -> RecordItem | None:
    """Return the record that this file is, was translated from, or is a translation of."""
    items = case.records.values()
    return next((one for one in items if name in (one.document, one.original, one.translation)), None)

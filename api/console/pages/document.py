"""The page of one document: its preview, what is known of it, and what its text proposes for a person to confirm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from api.console.dossier_question import ending_of, size_of
from api.console.forms.form_restore import shown_to
from api.console.pages.case import OpenedCase, opened, shown_part
from api.console.session import CSRF, Viewer, Visitor, fresh_key, require_csrf
from api.console.web import pages, seen
from api.http.answers import allowed_now
from api.http.auth import Parts
from api.http.files.file_types import DICOM, SERIES
from api.http.files.previews.renderer import PICTURES, NotShown
from api.http.form_json import read_form, version_in
from api.http.limits import read_small
from api.ports import Service
from api.routes.cases import given
from api.routes.documents import readable
from api.routes.previews import PREVIEWED, ProposedOfDocument, proposal_of, told_of
from domain.case.phases.records import RecordItem
from domain.case.state import Case

router = pages()


@router.get("/console/cases/{case}/documents/{name}")
async def document_page(
    case: str, name: str, request: Request, service: Parts, viewer: Viewer, read: bool = False
) -> Response:
    """Show one document to whoever may open it; the look is recorded. `read` proposes by its text what it is."""
    one = await opened(request, service, viewer, case)
    found = await readable(service, viewer.who, one.case.id, name)
    media, told = found.file.media_type, list[tuple[str, str]]()
    not_shown = "" if media in PREVIEWED else "no_preview"
    made: ProposedOfDocument | None = None
    not_read = ""
    try:
        told = await told_of(request, found.file) if media in (DICOM, SERIES) else []
    except NotShown as no:
        not_shown = no.why
    try:
        made = await proposal_of(request, service, found, name) if read and media in PICTURES else None
    except NotShown as no:
        not_read = no.why
    stored = one.case.stored.get(name)
    return shown_part(
        request,
        viewer,
        one,
        "document",
        document=name,
        item=item_of(one.case, name),
        ending=ending_of(media),
        size=size_of(stored.bytes) if stored else "",
        stored=stored,
        picture=media in PICTURES,
        told=told,
        not_shown=not_shown,
        proposed=made,
        not_read=not_read,
        **await _filing(service, viewer, one, name, made),
    )


async def _filing(
    service: Service, viewer: Visitor, one: OpenedCase, name: str, made: ProposedOfDocument | None
) -> Mapping[str, Any]:
    """What the form asks that makes a file the record it is; empty where it is one, or nobody may say so."""
    case, t = one.case, viewer.t
    asked = [i for i in case.records.values() if i.state in ("requested", "rejected")]
    if item_of(case, name) or not asked or "ReceiveRecord" not in allowed_now(viewer.who, case):
        return {"asked": []}
    kind = made.proposal.kind if made else ""
    return {
        "asked": [(i.id, t.named("record", i.kind), i.kind == kind) for i in asked],
        "language": made.proposal.language if made else "",
        "key": fresh_key(),
        "version": case.people_version,
        "shown": await shown_to(service, viewer.who.id),
    }


@router.post("/console/cases/{case}/documents/{name}")
async def file_as(case: str, name: str, request: Request, service: Parts, viewer: Viewer) -> Response:
    """Record a file that is stored already as the record that was asked for, as a person said."""
    typed = dict(read_form(await read_small(request)))
    require_csrf(request, typed.get(CSRF, ""))
    stream = (await readable(service, viewer.who, case, name)).case.id
    told = {"type": "ReceiveRecord", "item": typed.get("item", ""), "document": name}
    told["language"] = typed.get("language", "").strip() or "und"
    version = version_in(typed.get("version", ""))
    await given(service, viewer.who, stream, told, typed.get("key", ""), version)
    return seen(f"/console/cases/{stream}/documents/{name}")


def item_of(case: Case, name: str) -> RecordItem | None:
    """Return the record that this file is, was translated from, or is a translation of."""
    items = case.records.values()
    return next((one for one in items if name in (one.document, one.original, one.translation)), None)

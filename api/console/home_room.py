"""The room behind the hand-over's mailed link: the patient's summary for the doctor at home, a code at each visit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from structlog.contextvars import bind_contextvars

from activities.effect_handlers.requests import Reader
from activities.patient_summary.document import patient_summary, told_in_words
from activities.ports import Meta
from api.console.dossier_question import HANDOVER
from api.console.reply_page import GONE, HEADERS, NOT_FOUND, found, plain_page
from api.console.text.texts import texts_for
from api.console.visiting import SEE_OTHER, Door, Row, admit, inside
from api.http.auth import Parts
from api.http.limits import only_head
from api.ports import Service
from api.routes.findings.summaries import FHIR, as_fhir
from api.routes.handing_over import HEADERS as PRIVATE
from api.routes.handing_over import SEEN
from domain.case.state import Case
from domain.core.errors import Refused
from domain.core.personal import readable
from domain.stages.follow_up.follow_up import may_read_at_home, visit_lines

router = APIRouter(tags=["replies"], default_response_class=HTMLResponse, include_in_schema=False)


@router.get("/reply/{token}/summary")
async def room(token: str, request: Request, service: Parts) -> Response:
    """Show the summary in words for whoever has entered, else the way to a code; the look is recorded first."""
    row, case = await _handed(token, request, service)
    if row is None or case is None:
        return _closed(request, row)
    if not await inside(request, service, token):
        return _door(request, case)
    if not only_head(request):
        await service.looks.record(Meta(row["actor"], "treatment"), "patient summary", [case.id], SEEN)
    return _page(request, case, 200, told=told_in_words(case), visits=_visits(case), base=request.url.path)


@router.post("/reply/{token}/summary")
async def enter(token: str, request: Request, service: Parts) -> Response:
    """Send a code to the doctor's own address, or enter with one."""
    row, case = await _handed(token, request, service)
    if row is None or case is None:
        return _closed(request, row)
    doctor = case.home_doctor
    reader = Reader(str(doctor.mail), doctor.language) if doctor and readable(doctor.mail) else None
    return await admit(
        request, service, token, row, Door("handover", case.number, reader, partial(_door, request, case))
    )


@router.get("/reply/{token}/summary/file")
async def file(token: str, request: Request, service: Parts) -> Response:
    """Show the summary as a file for software that reads FHIR (docs/ips.md), made of the case as it stands now."""
    row, case = await _handed(token, request, service)
    if row is None or case is None:
        return _closed(request, row)
    if not await inside(request, service, token):
        return RedirectResponse(request.url.path.removesuffix("/file"), SEE_OTHER, HEADERS)
    try:
        body = as_fhir(patient_summary(case, row["now"]))
    except Refused:  # the patient's name is erased: nobody can be handed over
        return _closed(request, row)
    if not only_head(request):
        await service.looks.record(Meta(row["actor"], "treatment"), "patient summary", [case.id], SEEN)
    name = {"Content-Disposition": 'attachment; filename="patient-summary.json"'}
    return Response(body, media_type=FHIR, headers={**PRIVATE, **name})


async def _handed(token: str, request: Request, service: Service) -> tuple[Row | None, Case | None]:
    """The link, and its case while this doctor may read the summary now; both None where there is no such link."""
    row = await found(token, request, service)
    if row is None or row["question"] != HANDOVER or not row["open"]:
        return row, None
    bind_contextvars(case=row["stream"])
    case, _, _ = await service.commands.case(row["stream"])
    return row, case if may_read_at_home(case, row["fixed"].get("person", "")) else None


def _visits(case: Case) -> Sequence[tuple[str, str, str]]:
    """The plan of follow-up as the doctor takes it over: each visit, its day where the patient lives, how it stands."""
    zone = ZoneInfo(case.zone or "UTC")
    return [(one.name, one.due.astimezone(zone).date().isoformat(), one.stands) for one in visit_lines(case)]


def _door(request: Request, case: Case, status: int = 200, sent: bool = False, error: str = "") -> HTMLResponse:
    return _page(request, case, status, closed=True, sent=sent, error=error)


def _page(request: Request, case: Case, status: int, **values: object) -> HTMLResponse:
    answer = request.url.path.removesuffix("/summary")
    return plain_page(request, "home_room.html", status, number=case.number, answer=answer, **values)


def _closed(request: Request, row: Row | None) -> HTMLResponse:
    """The consent does not stand, follow-up is over, another doctor took over, or there is no such link."""
    t = texts_for(request)
    if row is None or row["question"] != HANDOVER:
        return plain_page(request, "reply.html", NOT_FOUND, title="reply.title", error=t("reply.unknown"))
    return plain_page(request, "reply.html", GONE, title="reply.title", error=t("handed.over"))

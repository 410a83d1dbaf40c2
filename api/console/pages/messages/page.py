"""The page of a case's messages: threads by party, and the form that writes in one of them."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from api.console.pages.case import OpenedCase, opened, shown_part
from api.console.pages.messages.threads import threads_of
from api.console.pages.travel import AtMoment
from api.console.session import CSRF, Viewer, Visitor, fresh_key, require_csrf
from api.console.web import pages, seen, wrong
from api.http.access import case_meant
from api.http.answers import allowed_now
from api.http.auth import Parts
from api.http.form_json import read_form
from api.http.limits import read_body
from api.http.problems import Problem, of_refusal
from api.routes.cases import given as give
from domain.core.errors import Refused

router = pages()
WRITE, SETTLE = "SendMessage", "SettleThread"


@router.get("/console/cases/{case}/messages")
async def messages(case: str, request: Request, service: Parts, viewer: Viewer, moment: AtMoment) -> Response:
    """Show what was written and asked by whom, the newest first, and how each mail stands."""
    return _shown(request, viewer, await opened(request, service, viewer, case, moment))


@router.post("/console/cases/{case}/messages")
async def write(case: str, request: Request, service: Parts, viewer: Viewer) -> Response:
    """Write in a thread, or say that what came is seen to; a refusal stands beside what was typed."""
    form = dict(read_form(await read_body(request)))
    require_csrf(request, form.get(CSRF, ""))
    thread, text = form.get("thread", ""), form.get("text", "")
    settles = form.get("do") == SETTLE
    said = {"type": SETTLE, "thread": thread} if settles else {"type": WRITE, "thread": thread, "text": text}
    meant = await case_meant(service, case)
    try:
        await give(service, viewer.who, meant, said, form.get("key", ""))
    except (Problem, Refused) as no:
        problem = of_refusal(no) if isinstance(no, Refused) else no
        one = await opened(request, service, viewer, meant)
        return _shown(request, viewer, one, problem, thread, text)
    return seen(f"/console/cases/{meant}/messages")


def _shown(
    request: Request,
    viewer: Visitor,
    one: OpenedCase,
    no: Problem | None = None,
    thread: str = "",
    text: str = "",
) -> Response:
    may = set() if one.past else set(allowed_now(viewer.who, one.case))
    return shown_part(
        request,
        viewer,
        one,
        "messages",
        threads=threads_of(one.case, one.facts, one.speaker),
        writes=WRITE in may,
        settles=SETTLE in may,
        key=fresh_key,
        typed={thread: text},
        refused=(thread, wrong(viewer.t, no, no.detail)) if no else None,
        status=no.status if no else 200,
    )

"""One thing done to many cases: each by itself, with its own permission and its own result."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request
from fastapi.responses import Response

from api.console.names import NameEntry
from api.console.session import CSRF, Viewer, Visitor, directory_of, require_csrf
from api.console.web import page, pages, query_of, wrong
from api.http.auth import Parts
from api.http.form_json import read_form
from api.http.limits import read_body
from api.http.problems import Fault, Problem, invalid, of_refusal
from api.ports import Service
from api.routes.cases import given as give
from api.routes.reads import seen_case
from domain.case.obligation import Obligation
from domain.core.errors import Reason, Refused, require
from domain.engine.agenda import agenda

router = pages()
MOST = 200
Command = Mapping[str, str]
Make = Callable[[Visitor, Mapping[str, str], Sequence[Obligation], Mapping[str, NameEntry]], Command]
"""Makes the command for one case from the form and what the case owes."""


@dataclass(frozen=True, slots=True)
class BulkResult:
    """Says what became of one case."""

    case: str
    number: str
    state: str
    words: str


@router.post("/console/bulk")
async def bulk(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Assign or snooze every chosen case."""
    pairs = read_form(await read_body(request), MOST + 20)
    form = dict(pairs)
    require_csrf(request, form.get(CSRF, ""))
    cases = list(dict.fromkeys(value for name, value in pairs if name == "case"))[:MOST]
    make = MAKES.get(form.get("do", ""))
    if make is None:
        raise invalid("choose what to do with the cases", Fault("is unknown", "#/do"))
    staff = await directory_of(request).entries(service, "person")
    results = [await done_with(service, viewer, case, form, make, staff) for case in cases]
    back = "/console/" + query_of(form.get("back", ""))
    return page(request, "bulk.html", viewer, results=results, back=back)


async def done_with(
    service: Service,
    viewer: Visitor,
    case: str,
    form: Mapping[str, str],
    make: Make,
    staff: Mapping[str, NameEntry],
) -> BulkResult:
    """Give one case the command that `make` makes, and say what became of it."""
    number = case
    try:
        state, _, now, _ = await seen_case(service, viewer.who, case, "bulk")
        number = state.number
        command = make(viewer, form, agenda(state, now).obligations, staff)
        done = await give(service, viewer.who, state.id, json.dumps(command).encode(), f"{form.get('key', '')}/{case}")
    except (Problem, Refused) as no:
        problem = of_refusal(no) if isinstance(no, Refused) else no
        said = "; ".join(fault.detail for fault in problem.faults)
        return BulkResult(case, number, "refused", wrong(viewer.t, problem, said or problem.detail))
    return BulkResult(case, number, "again" if done.repeated else "done", "")


def assigning(_: Visitor, form: Mapping[str, str], __: Sequence[Obligation], staff: Mapping[str, NameEntry]) -> Command:
    """Make the command that gives a case to somebody of the staff. Raises Refused."""
    known = staff.get(form.get("owner", ""))
    if known is None:
        raise Refused(Reason.INVALID, "choose somebody of the staff", "owner")
    return {"type": "AssignCase", "owner": known.id, "team": known.team, "reason": form.get("reason", "")}


def _snooze(
    viewer: Visitor, form: Mapping[str, str], owed: Sequence[Obligation], _: Mapping[str, NameEntry]
) -> Command:
    """Of what is due next."""
    require(owed, Reason.MISSING, viewer.t("bulk.nothing_open"))
    try:
        until = datetime.fromisoformat(form.get("until", "")).replace(tzinfo=viewer.zone)
    except ValueError:
        raise Refused(Reason.INVALID, "give a date and a time", "until") from None
    first = min(owed, key=lambda o: o.due)
    reason = form.get("reason", "") or "snoozed on the worklist"
    return {"type": "Snooze", "obligation": first.id, "until": until.isoformat(), "reason": reason}


MAKES: Mapping[str, Make] = {"assign": assigning, "snooze": _snooze}

"""Does with tasks of the list what people ask: claims, hands back, offers, accepts, takes over; each by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from fastapi import Request
from fastapi.responses import Response

from api.console.names import NameEntry
from api.console.pages.desk.bulk import MOST, BulkResult
from api.console.session import CSRF, Viewer, Visitor, directory_of, require_csrf
from api.console.web import page, pages, query_of, seen, wrong
from api.http.auth import Parts
from api.http.form_json import read_form
from api.http.limits import read_body
from api.http.problems import Fault, Problem, invalid, of_refusal
from api.ports import Service
from api.routes.cases import given as give
from api.routes.reads import seen_case
from domain.core.errors import Refused
from domain.core.policy import Party
from domain.core.roles import Action, Role
from domain.roles import allow
from domain.stages.anytime.tasks import STAFF

router = pages()
LIST = "/console/tasks"
VERBS: Mapping[str, tuple[str, Sequence[str]]] = {
    "claim": ("ClaimTask", ()),
    "hand_back": ("HandBackTask", ()),
    "offer": ("OfferTask", ("colleague",)),
    "accept": ("AcceptTask", ()),
    "decline": ("DeclineTask", ("reason",)),
    "take_over": ("TakeOverTask", ("reason",)),
}
"""Verb → its command, and what the form says to it."""
SEPARATOR = " "


def verbs_of(viewer: Visitor, tab: str) -> Sequence[str]:
    """Return the verbs that make sense on a tab for this viewer; none for whose role owes nothing."""
    who = viewer.who
    if who.role.value not in STAFF:
        return ()
    if tab == "offered":
        return ("accept", "decline")
    return ("claim", "hand_back", "offer", *(("take_over",) if allow(who, Action.SUPERVISE) else ()))


def colleagues(viewer: Visitor, staff: Mapping[str, NameEntry]) -> Sequence[NameEntry]:
    """Return who could be offered tasks of this viewer's role: the same role; of coordinators, the same team."""
    who = viewer.who
    found = [one for one in staff.values() if one.role == who.role.value and one.id != who.id]
    if who.role is Role.SUPERVISOR:
        found = [one for one in staff.values() if one.role in set(Party) & STAFF and one.id != who.id]
    if who.role is Role.COORDINATOR:
        found = [one for one in found if one.team == who.team]
    return sorted(found, key=lambda one: one.name)


@router.post("/console/tasks")
async def act(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Do one thing with every chosen task, or with the one whose button was pressed, and say what became of each."""
    pairs = read_form(await read_body(request), MOST + 20)
    form = dict(pairs)
    require_csrf(request, form.get(CSRF, ""))
    verb, _, pressed = form.get("do", "").partition(SEPARATOR)
    if verb not in VERBS:
        raise invalid("choose what to do with the tasks", Fault("is unknown", "#/do"))
    chosen = [pressed] if pressed else list(dict.fromkeys(value for name, value in pairs if name == "task"))[:MOST]
    results = [await _one(service, viewer, verb, form, one) for one in chosen]
    back = LIST + query_of(form.get("back", ""))
    if pressed and results[0].state != "refused":
        return seen(back)
    lead = await _said_to(request, service, verb, form)
    return page(request, "bulk.html", viewer, results=results, back=back, lead=lead, tasks=True)


async def _said_to(request: Request, service: Service, verb: str, form: Mapping[str, str]) -> str:
    """The name of the colleague the tasks were offered to."""
    known = await directory_of(request).one(service, form.get("colleague", "")) if verb == "offer" else None
    return known.name if known else ""


async def _one(service: Service, viewer: Visitor, verb: str, form: Mapping[str, str], chosen: str) -> BulkResult:
    case, _, task = chosen.partition("/")
    number = case
    command, fields = VERBS[verb]
    said = {"type": command, "obligation": task, **{name: form.get(name, "").strip() for name in fields}}
    try:
        state, *_ = await seen_case(service, viewer.who, case, "bulk")
        number = state.number
        known = state.obligations.get(task)
        number += f", {viewer.t.named('owed', known.kind)}" if known else ""
        key = f"{form.get('key', '')}/{task}/{verb}"
        done = await give(service, viewer.who, state.id, json.dumps(said).encode(), key)
    except (Problem, Refused) as no:
        problem = of_refusal(no) if isinstance(no, Refused) else no
        words = "; ".join(fault.detail for fault in problem.faults)
        return BulkResult(case, number, "refused", wrong(viewer.t, problem, words or problem.detail))
    return BulkResult(case, number, "again" if done.repeated else "done", "")

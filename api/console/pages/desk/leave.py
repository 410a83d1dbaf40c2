"""Leave: one tells one's own, with who covers; everybody sees who is away; what those who left had is handed on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from api.console.names import NameEntry
from api.console.pages.desk.away import away_words, could_cover, days_of, last_day
from api.console.pages.desk.bulk import MOST, BulkResult, assigning, done_with
from api.console.session import CSRF, Viewer, Visitor, directory_of, fresh_key, require_csrf
from api.console.text.times import ViewerClock
from api.console.web import errors_of, page, pages, seen
from api.http.auth import Parts
from api.http.command_json import CATALOGUE as COMMANDS
from api.http.form_json import read_form
from api.http.limits import read_body
from api.http.problems import Problem, of_refusal
from api.ports import Service
from api.routes.cases import given as give
from api.routes.desk.tasks import reader
from api.routes.reads import scope_of
from api.routes.register.entries import carried_out, request_of
from api.staff import require_entry_command, require_named
from domain.core.errors import Reason, Refused, require
from domain.core.roles import Action, Role
from domain.roles import allow

router = pages()
HERE = "/console/leave"


@dataclass(frozen=True, slots=True)
class LeaveLine:
    """One absence under way or to come."""

    name: str
    first: str
    last: str
    cover: str
    now: bool


@dataclass(frozen=True, slots=True)
class LeftLine:
    """Somebody who has left while cases or tasks are still theirs."""

    id: str
    name: str
    cases: int
    tasks: int


@router.get(HERE)
async def leave(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show one's own leave, who else is away, and for supervisors what those who left still have."""
    return await _shown(request, service, viewer)


@router.post(HERE)
async def tell(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Tell or end one's own leave; a refusal stands beside its field."""
    form = dict(read_form(await read_body(request)))
    require_csrf(request, form.get(CSRF, ""))
    try:
        await _told(request, service, viewer, form)
    except (Problem, Refused) as no:
        problem = of_refusal(no) if isinstance(no, Refused) else no
        return await _shown(request, service, viewer, form, problem)
    return seen(HERE)


async def _told(request: Request, service: Service, viewer: Visitor, form: Mapping[str, str]) -> None:
    said: dict[str, str] = {"type": "EndAbsence"}
    if form.get("do") != "end":
        since, until = days_of(form.get("since", ""), form.get("until", ""), viewer.zone)
        require(form.get("cover"), Reason.INVALID, "name who sees to your cases", "cover")
        said = {"type": "SetAbsence", "cover": form["cover"], "since": since.isoformat(), "until": until.isoformat()}
    me = viewer.who.id
    command = COMMANDS.parse(json.dumps(said).encode(), me)
    require_entry_command(viewer.who, command.type, me)
    await require_named(service, viewer.who, command, me)
    sent = request_of(service, viewer.who, form.get("key", ""), me, command, about=me)
    await carried_out(request, service, sent)


@router.post("/console/leave/left")
async def hand_on(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Give every open case of somebody who left to a colleague, and the tasks they had in hand back to their role."""
    form = dict(read_form(await read_body(request)))
    require_csrf(request, form.get(CSRF, ""))
    require(allow(viewer.who, Action.SUPERVISE), Reason.NOT_ALLOWED, "a supervisor hands on what others had")
    staff = await directory_of(request).entries(service, "person")
    left = staff.get(form.get("left", ""))
    gone = left is not None and not left.role
    require(gone, Reason.INVALID, "they have not left; assign single cases on the worklist", "left")
    cases, tasks = await _of(service, viewer, form["left"])
    results = [await done_with(service, viewer, one, form, assigning, staff) for one in cases]
    results += [await _released(service, viewer, one, form) for one in tasks]
    return page(request, "bulk.html", viewer, results=results, back=HERE, leave=True)


async def _released(service: Service, viewer: Visitor, row: Mapping[str, Any], form: Mapping[str, str]) -> BulkResult:
    """Take a task over from who left, and give it back to their role."""
    number = f"{row['number']}, {viewer.t.named('owed', row['task_kind'])}"
    told = {"obligation": row["task"]}
    try:
        for command in ({"type": "TakeOverTask", "reason": form.get("reason", "")}, {"type": "HandBackTask"}):
            key = f"{form.get('key', '')}/{row['task']}/{command['type']}"
            await give(service, viewer.who, row["stream"], json.dumps({**command, **told}).encode(), key)
    except (Problem, Refused) as no:
        return BulkResult(row["stream"], number, "refused", no.detail)
    return BulkResult(row["stream"], number, "done", viewer.t("leave.task_free"))


async def _of(service: Service, viewer: Visitor, person: str) -> tuple[Sequence[str], Sequence[Mapping[str, Any]]]:
    """The open cases somebody owns, and the tasks they have in hand."""
    scope = scope_of(viewer.who)
    rows = await service.worklist.worklist(scope, {"owner": person, "open": True}, None, MOST)
    tasks = await service.tasks.tasks(scope, reader(viewer.who), "all", {"holder": person}, None, MOST)
    return [row["stream"] for row in rows], tasks


async def _shown(
    request: Request,
    service: Service,
    viewer: Visitor,
    form: Mapping[str, str] | None = None,
    no: Problem | None = None,
) -> Response:
    staff = await directory_of(request).entries(service, "person")
    names = await directory_of(request).names(service, viewer.who)
    clock = ViewerClock(service.clock(), viewer.zone, viewer.t)
    me = staff.get(viewer.who.id)
    boss = allow(viewer.who, Action.SUPERVISE)
    return page(
        request,
        "leave.html",
        viewer,
        no.status if no else 200,
        mine=_line(me, clock, names) if me else None,
        away=away_words(me, clock, names),
        lines=[line for one in staff.values() if (line := _line(one, clock, names)) and one.id != viewer.who.id],
        covers=could_cover(viewer.who, staff.values()),
        left=[await _left(service, viewer, one) for one in staff.values() if not one.role] if boss else (),
        owners=[one for one in staff.values() if one.role in (Role.COORDINATOR, Role.SUPERVISOR)],
        errors=errors_of(viewer.t, no),
        said=no.detail if no and not no.faults else "",
        typed=form or {},
        key=fresh_key(),
    )


def _line(one: NameEntry, clock: ViewerClock, names: Mapping[str, str]) -> LeaveLine | None:
    if one.absent_from is None or one.absent_until is None or one.absent_until <= clock.now or not one.role:
        return None
    first = clock.day(one.absent_from.astimezone(clock.zone).date())
    cover = names.get(one.cover, one.cover)
    return LeaveLine(one.name, first, last_day(one.absent_until, clock), cover, one.away_at(clock.now))


async def _left(service: Service, viewer: Visitor, one: NameEntry) -> LeftLine:
    cases, tasks = await _of(service, viewer, one.id)
    return LeftLine(one.id, one.name, len(cases), len(tasks))

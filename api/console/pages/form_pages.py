"""The form of any command: shown, sent, refused with what was typed kept, and never carried out twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from activities.command_handler import Recorded
from api.console.actions import actions, found, impossible, meaning_of, not_now, searched, why_not
from api.console.forms.case_ids import IDS
from api.console.forms.choices import FieldChoices
from api.console.forms.codes import coded
from api.console.forms.correction import correcting
from api.console.forms.fields import Input, Maker, Option
from api.console.forms.form_restore import KeptForm, sent_file, shown_to, typed_pairs
from api.console.forms.form_upload import record_upload, waiting
from api.console.forms.read_beside import SHOW, read_beside
from api.console.forms.uploads import ASIDE, no_file
from api.console.overview.called_for import probe_of
from api.console.overview.case_status import waits
from api.console.pages.case import OpenedCase, opened, shown_part
from api.console.session import CSRF, Viewer, Visitor, directory_of, fresh_key, require_csrf
from api.console.text.fact_text import FactText
from api.console.web import errors_of, page, pages, seen, wrong
from api.http.access import case_meant, require_command
from api.http.answers import refused_now
from api.http.auth import Parts
from api.http.command_json import CASE
from api.http.files.file_types import TYPES
from api.http.form_json import version_in
from api.http.form_parse import Pairs, form_parse, takes_file
from api.http.problems import Problem, of_refusal
from api.ports import Service
from api.routes.cases import given as give
from api.routes.cases import opened as open_new
from api.routes.documents import Sent
from domain.case.state import Case
from domain.core.errors import Reason, Refused, require
from domain.core.roles import Action
from domain.engine.possible import Probe
from domain.roles import allow

router = pages()
OPEN = "OpenCase"
LONGEST = 60
LARGE = 8 * 1024 * 1024
"""Bytes above which a file goes in pieces, where a script can send them."""
GLASS = "BreakGlass"
"""Given from outside: its form says nothing of the case, not even whether there is one."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A form as it stands: which command, what was typed (None = nothing yet), its key, the case it was read at."""

    case: str
    command: str
    pairs: Pairs | None
    key: str
    version: int | None = None
    problem: Problem | None = None
    notice: str = ""
    changes: Sequence[FactText] = ()
    status: int = 200
    fresh: bool = False

    @property
    def path(self) -> str:
        """Return the address the form is sent to."""
        return f"/console/cases/{self.case}/do/{self.command}" if self.case else "/console/open"


@router.get("/console/open")
async def opening(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show the form of a new case."""
    require_command(viewer.who, OPEN)
    mine = [("owner", viewer.who.id), ("team", viewer.who.team), ("language", viewer.t.language)]
    return await _show(
        request, service, viewer, Sheet("", OPEN, [*mine, *request.query_params.items()], fresh_key(), fresh=True)
    )


@router.post("/console/open")
async def open_case(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Open a case with what the form says."""
    return await _sent(request, service, viewer, "", OPEN)


@router.get("/console/cases/{case}/actions")
async def acts(case: str, request: Request, service: Parts, viewer: Viewer, q: str = "") -> Response:
    """List what can be done with a case now, and what cannot with the reason; `q`: only what these words stand in."""
    one = await opened(request, service, viewer, case)
    owed = {wait.group for wait in waits(one.case, one.now, one.speaker)}
    tried = probe_of(viewer, one.case, one.now, one.speaker, service.commands.policy)
    refused = [(act, why) for act, why in not_now(viewer, one.case, tried) if found(q, act.words, act.meaning)]
    groups = searched(actions(viewer, one.case, owed, tried), q)
    return shown_part(request, viewer, one, "actions", groups=groups, refused=refused, q=q[:LONGEST])


@router.get("/console/cases/{case}/do/{command}")
async def form(case: str, command: str, request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show the form of a command; what the address names is filled in."""
    require(command in CASE.by_name and command != OPEN, Reason.NOT_FOUND, "no such command")
    if command == GLASS:
        require_command(viewer.who, GLASS)
    given = list(request.query_params.items()) or None
    return await _show(request, service, viewer, Sheet(case, command, given, fresh_key(), fresh=True))


@router.post("/console/cases/{case}/do/{command}")
async def send(case: str, command: str, request: Request, service: Parts, viewer: Viewer) -> Response:
    """Record the command of a form, or say why not and show the form again as it was typed."""
    require(command in CASE.by_name and command != OPEN, Reason.NOT_FOUND, "no such command")
    return await _sent(request, service, viewer, case, command)


async def filled_again(request: Request, service: Service, viewer: Visitor, kept: KeptForm) -> Response:
    """Return the form as it was typed before the session ended; nothing is sent."""
    case, _, command = kept.path.removeprefix("/console/cases/").partition("/do/")
    sheet = _sheet(case if command else "", command or OPEN, kept.pairs)
    return await _show(request, service, viewer, replace(sheet, notice="sign_in.again_lead"))


def _sheet(case: str, command: str, pairs: Pairs) -> Sheet:
    known = dict(pairs)
    return Sheet(case, command, pairs, known.get("key", "") or fresh_key(), version_in(known.get("version", "")))


async def _sent(request: Request, service: Service, viewer: Visitor, case: str, command: str) -> Response:
    try:
        return await _answered(request, service, viewer, case, command)
    finally:
        if sent := sent_file(request):
            await sent.rest()


async def _answered(request: Request, service: Service, viewer: Visitor, case: str, command: str) -> Response:
    pairs = await typed_pairs(request)
    sheet, form = _sheet(case, command, pairs), dict(pairs)
    if form.get("who") != viewer.who.id:
        raise Problem(403, "not_allowed", "this form was typed by somebody else")
    try:
        require_csrf(request, form.get(CSRF, ""))
    except Problem:
        return await _show(request, service, viewer, replace(sheet, notice="form.earlier_session", status=403))
    if SHOW in form:
        return await _show(request, service, viewer, sheet)
    try:
        done = await _carried_out(request, service, viewer, sheet)
    except Problem as problem:
        return await _show(request, service, viewer, replace(sheet, problem=problem, status=problem.status))
    except Refused as no:
        return await _refused(request, service, viewer, sheet, no)
    versions = [fact.version for fact in done.facts]
    brought = f"{versions[0]}-{versions[-1]}" if versions else "1-0"
    return seen(f"/console/cases/{done.case.id}?done={brought}" + ("&again=1" if done.repeated else ""))


async def _carried_out(request: Request, service: Service, viewer: Visitor, sheet: Sheet) -> Recorded:
    def tree() -> Mapping[str, Any]:
        return form_parse(CASE.by_name[sheet.command], sheet.pairs or (), viewer.zone)

    if not sheet.case:
        return await open_new(service, request.app.state.person_index, viewer.who, tree(), sheet.key)
    case = await case_meant(service, sheet.case)
    if takes_file(CASE.by_name[sheet.command]):
        told = {"type": sheet.command, "item": dict(sheet.pairs or ()).get("item", "")}
        sent = Sent(sheet.key, "", "", told, sheet.version)
        return await record_upload(service, viewer.who, case, sent, sent_file(request) or no_file(sheet.pairs), tree)
    return await give(service, viewer.who, case, tree(), sheet.key, sheet.version)


async def _refused(request: Request, service: Service, viewer: Visitor, sheet: Sheet, no: Refused) -> Response:
    problem = of_refusal(no)
    if no.reason is Reason.KEY_REUSED:
        new = replace(sheet, key=fresh_key(), notice="form.reused", status=problem.status)
        return await _show(request, service, viewer, new)
    if no.reason is Reason.STALE:
        one = await opened(request, service, viewer, sheet.case)
        stale = replace(sheet, version=None, changes=_since(one, sheet.version or 0), status=problem.status)
        return await _show(request, service, viewer, stale)
    return await _show(request, service, viewer, replace(sheet, problem=problem, status=problem.status))


def _since(one: OpenedCase, version: int) -> Sequence[FactText]:
    """What people and hospitals recorded after a page was read."""
    said = [f for f in one.facts if f.told]
    return [one.speaker.fact(fact) for fact in said[version:]]


async def _show(request: Request, service: Service, viewer: Visitor, sheet: Sheet) -> Response:
    one = await opened(request, service, viewer, sheet.case) if sheet.case and sheet.command != GLASS else None
    command = CASE.by_name[sheet.command]
    tried = probe_of(viewer, one.case, one.now, one.speaker, service.commands.policy) if one else None
    reason = _reason(viewer, one.case, sheet.command, tried) if one and tried else ""
    if one and sheet.command == "CorrectFact" and sheet.pairs:
        sheet = replace(sheet, pairs=correcting(one.case, sheet.pairs, viewer.zone))
    maker = Maker(
        viewer.t,
        await _choices(request, service, viewer, one, command, tried),
        sheet.pairs,
        errors_of(viewer.t, sheet.problem),
        sheet.fresh,
        viewer.zone_name,
        of_case=IDS if one else (),
    )
    inputs = [*maker.inputs(command), *(maker.file() if takes_file(command) else ())]
    known = dict(sheet.pairs or ())
    left = await waiting(service, known, one.case.id) if one else None
    version = sheet.version if sheet.version is not None else one.case.people_version if one else ""
    return page(
        request,
        "form.html",
        viewer,
        sheet.status,
        one=one,
        sheet=sheet,
        inputs=inputs,
        beside=read_beside(viewer.who, sheet.command, sheet.pairs, one.speaker) if one else (),
        shown=await shown_to(service, viewer.who.id),
        takes_file=takes_file(command),
        large=LARGE,
        media=[*TYPES, *(f".{known.ending}" for known in TYPES.values())],
        aside={"token": known[ASIDE], "name": left.name} if left else None,
        alike=sheet.problem.more.get("cases", ()) if sheet.problem else (),
        summary=_summary(viewer, inputs, sheet.problem),
        version=version,
        title=viewer.t.named("command", sheet.command),
        meaning=meaning_of(viewer.t, command),
        reason=reason,
    )


def _reason(viewer: Visitor, case: Case, command: str, tried: Probe) -> str:
    """Why a command cannot be given now: this viewer may not, its stage takes none, or the case lacks something."""
    if command in refused_now(viewer.who, case):
        return why_not(viewer, case, command)
    return impossible(viewer.t, CASE.by_name[command], tried)


async def _choices(
    request: Request,
    service: Service,
    viewer: Visitor,
    one: OpenedCase | None,
    command: type[Any],
    tried: Probe | None,
) -> Mapping[str, Sequence[Option]]:
    """What fields are chosen from; of what the case knows only that with which the command may be possible."""
    directory = directory_of(request)
    staff = await directory.entries(service, "person") if allow(viewer.who, Action.SEE_STAFF) else {}
    centres, protocols = [await directory.entries(service, prefix) for prefix in ("centre", "protocol")]
    of_case = dict(FieldChoices(one.speaker if one else None, staff, centres, protocols).options())
    for field in tried.ids_of(command) if tried else ():
        name = f"{command.__name__}.{field}" if f"{command.__name__}.{field}" in of_case else field
        left = tried.left(command, field) if tried else ()
        of_case[name] = [option for option in of_case[name] if option[0] in left]
    policy = [(service.commands.policy.hash, viewer.t("form.policy_now"))]
    return {**coded(viewer.t.language), **of_case, "ApplyPolicy.policy": policy}


def _summary(viewer: Visitor, inputs: Sequence[Input], problem: Problem | None) -> Sequence[tuple[str, str, str]]:
    """What the list at the top links to: (id, words, what is wrong); an error nobody can find stands without a link."""
    if problem is None:
        return []
    found = [
        (one.id, one.words, one.error) for one in _flat(inputs) if one.error and not any(p.error for p in one.parts)
    ]
    return found or [("", "", wrong(viewer.t, problem, problem.detail))]


def _flat(inputs: Sequence[Input]) -> Sequence[Input]:
    return [one for each in inputs for one in (each, *_flat(each.parts))]

"""Shows a hospital's clerk what stands before their centre: submissions, each dossier, and the answers to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import Response

from activities.case_session import Reply
from activities.command_handler import CommandRequest
from activities.ports import CommandKey, DocumentLink, Meta
from api.console.dossier_question import ANSWERS, DOSSIER, SHOWN, papers
from api.console.reply_page import answer_form
from api.console.session import CSRF, Viewer, Visitor, fresh_key, require_csrf
from api.console.visiting import OPENS
from api.console.web import page, pages, seen
from api.http.access import NO_CASE, belonging, permit, require_seen
from api.http.auth import CLERKS, Parts
from api.http.command_json import CASE
from api.http.form_json import read_form
from api.http.form_parse import Pairs, form_parse
from api.http.limits import only_head, read_small
from api.http.problems import Problem, of_refusal
from api.ports import Service
from api.routes.handing_over import Look, handed
from api.routes.previews import handed_preview
from domain.case.phases.submissions import ASKED, Submission
from domain.case.state import Case
from domain.core.errors import Reason, Refused, require
from domain.core.roles import Role
from domain.roles import Actor
from domain.stages.eligibility.handing_over import may_read

router = pages()
KEY = "key"
GONE = "no such submission stands before your hospital"


@dataclass(frozen=True, slots=True)
class OpenSubmission:
    """One submission that stands before the clerk's centre, with its case."""

    case: Case
    known: Submission

    @property
    def path(self) -> str:
        """Return where its page is."""
        return f"{CLERKS}{self.case.id}/{self.known.id}"


@router.get("/hospital/")
async def submissions(request: Request, service: Parts, viewer: Viewer) -> Response:
    """List what stands before the clerk's centre; the look is recorded."""
    who = clerk_of(viewer)
    found: list[OpenSubmission] = []
    for stream in await service.registers.watching(who.centre):
        if stream.startswith("case-"):
            case, _, _ = await service.commands.case(stream)
            found += _standing(who, case)
    cases = list(dict.fromkeys(one.case.id for one in found))
    if cases:
        await service.looks.record(Meta(who.id, who.stated), "worklist", cases, ())
    return page(request, "clerk.html", viewer, found=found)


@router.get("/hospital/{case}/{submission}")
async def submission(case: str, submission: str, request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show one dossier, and what may be answered now."""
    one = await _one(service, viewer, case, submission)
    return await _shown(request, service, viewer, one)


@router.get("/hospital/{case}/{submission}/{name}")
async def document(
    case: str, submission: str, name: str, request: Request, service: Parts, viewer: Viewer, view: bool = False
) -> Response:
    """Show one document, to be looked at or kept."""
    one = await _one(service, viewer, case, submission)
    file = one.case.stored.get(name)
    inline = view and file is not None and file.media_type in SHOWN
    link = DocumentLink(one.case.id, one.known.centre, one.known.id, one.known.round, name)
    look = Look(viewer.who.id, "sign-in", inline, only_head(request), OPENS if inline else {})
    return await handed(service, look, link)


@router.get("/hospital/{case}/{submission}/{name}/preview")
async def preview(case: str, submission: str, name: str, request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show the first page or picture of a document, or what a scanner's image tells; a look as any other."""
    one = await _one(service, viewer, case, submission)
    link = DocumentLink(one.case.id, one.known.centre, one.known.id, one.known.round, name)
    return await handed_preview(request, service, Look(viewer.who.id, "sign-in", head=only_head(request)), link)


@router.post("/hospital/{case}/{submission}")
async def answer(case: str, submission: str, request: Request, service: Parts, viewer: Viewer) -> Response:
    """Record an answer in the clerk's own name, as their centre's word. What is wrong is shown beside its field."""
    pairs = read_form(await read_small(request))
    require_csrf(request, dict(pairs).get(CSRF, ""))
    one = await _one(service, viewer, case, submission)
    try:
        given = ClerkAnswer(one.case, _answers(one), _fixed(one), _asking(one))
        await record_answer(service, viewer.who, given, pairs, permit(viewer.who, dict(pairs).get("type", "")))
    except Problem as problem:
        return await _shown(request, service, viewer, one, problem, pairs)
    except Refused as refused:
        return await _shown(request, service, viewer, one, of_refusal(refused), pairs)
    return seen(CLERKS)


def clerk_of(viewer: Visitor) -> Actor:
    """The clerk; these pages are for nobody else. Raises Refused."""
    require(viewer.who.role is Role.HOSPITAL, Reason.NOT_FOUND, "these pages are for a hospital's clerks")
    return viewer.who


def _standing(who: Actor, case: Case) -> Sequence[OpenSubmission]:
    ours = [s for s in case.submissions.values() if s.centre == who.centre and s.round]
    return [OpenSubmission(case, s) for s in ours if may_read(case, s)]


async def _one(service: Service, viewer: Visitor, case: str, submission: str) -> OpenSubmission:
    """The submission, if it stands before the clerk's centre; anything else does not exist. Raises Refused."""
    who = clerk_of(viewer)
    require(case.startswith("case-"), Reason.NOT_FOUND, NO_CASE)
    try:
        state, _, _ = await service.commands.case(case)
        require_seen(who, belonging(state))
    except Refused as refused:
        raise Refused(Reason.NOT_FOUND, GONE) if refused.reason is Reason.NOT_FOUND else refused from None
    found = next((one for one in _standing(who, state) if one.known.id == submission), None)
    if found is None:
        raise Refused(Reason.NOT_FOUND, GONE)
    return found


def _answers(one: OpenSubmission) -> Sequence[str]:
    """What may be answered as it stands; a receipt is given once."""
    if one.known.state not in ASKED:
        return ()
    return [name for name in ANSWERS if name != "AcknowledgeSubmission" or one.known.state == "submitted"]


@dataclass(frozen=True, slots=True)
class ClerkAnswer:
    """What a clerk's form may say: of which case, which commands, with what fixed, and the effect it answers."""

    case: Case
    names: Sequence[str]
    fixed: Mapping[str, Any]
    effect: str | None


async def record_answer(
    service: Service, who: Actor, said: ClerkAnswer, pairs: Pairs, may: Callable[[Case], None]
) -> None:
    """Record what a clerk says, once for each key of the page, as their centre's word. Raises Problem, Refused."""
    given = dict(pairs)
    name, key = given.get("type", ""), given.get(KEY, "")
    if name not in said.names or not key:
        raise Problem(422, "invalid", "choose one of the answers")
    fields = [(field, value) for field, value in pairs if field not in (CSRF, KEY)]
    zone = ZoneInfo(zone_at(said.case, who.centre))
    tree = form_parse(CASE.by_name[name], fields, zone, said.fixed, rules_say=False)
    command = CASE.parse_outside(tree, who.centre)
    remembered = CommandKey(who.id, key[:100], CASE.digest(said.case.id, command))
    meta = Meta(
        who.id, who.stated, key=key[:100], on_behalf_of=who.centre, causation=said.effect, provenance="hospital page"
    )
    reply = Reply(said.effect) if said.effect else None
    await service.commands.record(CommandRequest(said.case.id, meta, command, remembered, reply, permit=may))


def _asking(one: OpenSubmission) -> str | None:
    """The effect that put this round before the centre."""
    about = f"{one.known.id}/{one.known.round}"
    asking = [e.id for e in one.case.effects.values() if e.kind == DOSSIER and e.about == about]
    return asking[-1] if asking else None


def _fixed(one: OpenSubmission) -> dict[str, str]:
    return {"submission": one.known.id}


def zone_at(case: Case, centre: str) -> str:
    """Return the zone in which a centre's clocks hang, as the case noted it."""
    return str(case.noted(centre).get("zone") or "UTC")


async def _shown(
    request: Request,
    service: Service,
    viewer: Visitor,
    one: OpenSubmission,
    problem: Problem | None = None,
    pairs: Pairs = (),
) -> Response:
    who, t, chosen = viewer.who, viewer.t, dict(pairs).get("type", "")
    await service.looks.record(Meta(who.id, who.stated), "dossier", [one.case.id], ())
    row = {"zone": zone_at(one.case, one.known.centre), "fixed": _fixed(one)}
    forms = [answer_form(t, row, name, problem, pairs if name == chosen else None) for name in _answers(one)]
    return page(
        request,
        "clerk_dossier.html",
        viewer,
        problem.status if problem else 200,
        one=one,
        papers=list(papers(t, one.case, one.known)),
        answers=forms,
        error=problem.detail if problem else "",
        key=fresh_key(),
    )

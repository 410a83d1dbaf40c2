"""The one-question page behind a link in a mail: works without script and account, is used once, shows no patient."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from structlog.contextvars import bind_contextvars

from activities.case_session import Reply
from activities.command_handler import CommandRequest
from activities.ports import CommandKey, Meta
from api.console.dossier_question import (
    CALENDAR,
    CODE,
    DOSSIER,
    HANDOVER,
    RECALL,
    TRANSLATION,
    VISIT,
    asked,
    handed_over,
    ordered,
    written_to,
)
from api.console.forms.fields import Input, Maker
from api.console.text.texts import Texts, marked, texts_for
from api.console.text.times import ViewerClock
from api.console.web import PAGES, errors_of, wrong
from api.http.auth import Parts
from api.http.command_json import CASE
from api.http.form_json import read_form
from api.http.form_parse import Pairs, form_parse
from api.http.limits import address, note_known, read_small
from api.http.problems import Problem, of_refusal
from api.ports import Service
from api.routes.reads import surviving
from domain.core.errors import Reason, Refused
from domain.core.policy import Party
from domain.engine.decide import taken
from domain.stages.follow_up.follow_up import may_read_at_home
from domain.stages.messages.writing import WRITES

router = APIRouter(tags=["replies"], default_response_class=HTMLResponse, include_in_schema=False)
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
}
GONE, NOT_FOUND = 410, 404
Row = Mapping[str, Any]
STAYS: Mapping[str, Callable[[Service, Row], Awaitable[object | None]]] = {
    DOSSIER: asked,
    TRANSLATION: ordered,
    HANDOVER: handed_over,
    **dict.fromkeys(WRITES, written_to),
}
"""Questions whose links stay open while they are asked, and what says so of the case."""
ROOMS: Mapping[str, str] = {DOSSIER: "dossier", TRANSLATION: "translation", **dict.fromkeys(WRITES, "messages")}
"""The page with the files behind each of them; behind a hand-over there is one by the family's consent only."""
OVER: Mapping[str, str] = {
    DOSSIER: "dossier.over",
    TRANSLATION: "translation.over",
    HANDOVER: "handed.over",
    **dict.fromkeys(WRITES, "post.over"),
}
DONE: Mapping[str, str] = {HANDOVER: "handed.done"}
SLOTS = "offer_slots_to_family"
FAMILY = f"{Party.FAMILY}-of-"
"""Begins the name of whoever answers for the family."""


@router.get("/reply/{token}")
async def question(token: str, request: Request, service: Parts) -> HTMLResponse:
    """Show the question. Looking does not use the link: mail scanners look too."""
    row = await found(token, request, service)
    return _asked(request, row) if row and row["open"] and not row["used_at"] else _closed(request, row)


@router.post("/reply/{token}")
async def reply(token: str, request: Request, service: Parts) -> HTMLResponse:
    """The answer: recorded like a hospital's callback, once."""
    row = await found(token, request, service)
    if row is None or not (row["open"] or row["used_at"]):
        return _closed(request, row)
    pairs = read_form(await read_small(request))
    try:
        await _record(service, token, row, pairs)
    except Problem as problem:
        return _asked(request, row, problem, pairs)
    except Refused as refused:
        if refused.reason is Reason.KEY_REUSED:
            return _closed(request, {**row, "used_at": True})
        return _asked(request, row, of_refusal(refused), pairs)
    if await _goes_on(service, row):
        return _page(
            request,
            200,
            title=_title(row),
            done=DONE.get(row["question"], "reply.done_open"),
            again=request.url.path,
        )
    await service.capabilities.use(token)
    return _page(request, 200, done="reply.done")


async def found(token: str, request: Request, service: Service) -> Row | None:
    """Return the row of a link. Only links that are none are counted, so that those of a stranger shut nobody out.

    The link of a dossier or a translation is open as long as its question, which is asked of the case each time.
    """
    row = await service.capabilities.find(token[:200])
    if row is None or row["question"] in (CODE, VISIT, RECALL, CALENDAR):
        await request.app.state.throttle.hit("sign_in", f"reply {address(request)}")
        return None
    note_known(request)
    into = await _goes_on_as(service, row)
    still = row["question"] not in STAYS or await _goes_on(service, row)
    left = {} if row["question"] != HANDOVER else await _left_of_handover(service, row)
    if row["question"] in WRITES:
        left = {"commands": ()}  # written in the room, behind a code: whoever was forwarded a mail says nothing here
    elif row["question"] == SLOTS:
        left = await _offered_now(service, row)
    open_ = row["open"] and not into and still and left.get("slots") != ()
    return {**row, "merged": into, "open": open_, **left}


async def _offered_now(service: Service, row: Row) -> Row:
    """The times of an appointment that can be chosen: as they are offered at this instant, and still lie ahead."""
    case, _, now = await service.commands.case(row["stream"])
    known = case.arrangements.get(row["fixed"].get("arrangement", ""))
    return {"slots": tuple(slot.starts for slot in known.slots if slot.starts > now) if known else ()}


async def _left_of_handover(service: Service, row: Row) -> Row:
    """What a hand-over still asks once it is accepted, and whether the summary can be read behind it."""
    case = (await service.commands.case(row["stream"]))[0]
    reads = may_read_at_home(case, row["fixed"].get("person", ""))
    return {"commands": () if case.handover == "accepted" else row["commands"], "room": "" if not reads else "summary"}


async def _goes_on_as(service: Service, row: Row) -> str:
    """The number of the case that took the place of this one, where nothing that is asked may be answered any more."""
    case = (await service.commands.case(row["stream"]))[0]
    if case.merged_into is None or {c.__name__ for c in taken(case)} & set(row["commands"]):
        return ""
    return (await surviving(service, case.id)).number


async def _goes_on(service: Service, row: Row) -> bool:
    """Whether the question is still to be decided, where files are behind it; every other is settled by one answer."""
    return row["question"] in STAYS and await STAYS[row["question"]](service, row) is not None


async def _record(service: Service, token: str, row: Row, pairs: Sequence[tuple[str, str]]) -> None:
    name = dict(pairs).get("type", "")
    if name not in row["commands"]:
        raise Problem(422, "invalid", "choose one of the answers")
    tree = form_parse(CASE.by_name[name], pairs, ZoneInfo(row["zone"]), row["fixed"], rules_say=False)
    command = CASE.parse_outside(tree, row["actor"])
    key = f"reply/{sha256(token.encode()).hexdigest()[:32]}"
    if row["question"] in STAYS:  # several answers, one after another; each of them once
        key += f"/{CASE.digest(row['stream'], command).hex()[:32]}"
    bind_contextvars(case=row["stream"], key=key)
    meta = Meta(row["actor"], "treatment", key=key, causation=row["effect"], provenance="reply form")
    remembered = CommandKey(row["actor"], key, CASE.digest(row["stream"], command))
    await service.commands.record(CommandRequest(row["stream"], meta, command, remembered, Reply(row["effect"])))


def _closed(request: Request, row: Row | None) -> HTMLResponse:
    t = texts_for(request)
    if row is None:
        return _page(request, NOT_FOUND, error=t("reply.unknown"))
    if row["merged"] and not row["used_at"]:
        return _page(request, GONE, title=_title(row), error=t("reply.merged", number=row["merged"]))
    over = OVER.get(row["question"], "reply.over")
    return _page(request, GONE, title=_title(row), error=t("reply.answered" if row["used_at"] else over))


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """One thing that can be answered."""

    type: str
    words: str
    meaning: str
    inputs: Sequence[Input]


def _asked(request: Request, row: Row, problem: Problem | None = None, pairs: Pairs = ()) -> HTMLResponse:
    t, chosen = texts_for(request), dict(pairs).get("type", "")
    answers = [answer_form(t, row, name, problem, pairs if name == chosen else None) for name in row["commands"]]
    found = [one for answer in answers for one in answer.inputs if one.error]
    said = "; ".join(f"{one.words}: {one.error}" for one in found)
    clock = ViewerClock(row["expires_at"], ZoneInfo(row["zone"]), t)
    return _page(
        request,
        problem.status if problem else 200,
        title=_title(row),
        question=t.own("owed", row["question"]) or t.named("effect", row["question"]),
        answers=answers,
        zone=row["zone"],
        until="" if row["question"] in STAYS else clock.instant(row["expires_at"]),
        room=row.get("room", ROOMS.get(row["question"], "")),
        path=request.url.path,
        error=said or (wrong(t, problem, problem.detail) if problem else ""),
    )


def _title(row: Row) -> str:
    if row["question"] == TRANSLATION:
        return "translation.title"
    return "reply.title_family" if row["actor"].startswith(FAMILY) else "reply.title"


def answer_form(t: Texts, row: Row, name: str, problem: Problem | None, typed: Pairs | None) -> AnswerForm:
    """Make the form of one answer, with what was typed and what is wrong with it."""
    errors = errors_of(t, problem) if typed else {}
    maker = Maker(t, {}, typed, errors, zone=row["zone"], known=row["fixed"], by_day=True)
    inputs = [_among(one, t, row) for one in maker.inputs(CASE.by_name[name])]
    return AnswerForm(name, t.named("command", name), t.named("meaning", name), inputs)


def _among(one: Input, t: Texts, row: Row) -> Input:
    """When an appointment starts is chosen among the times that are offered; every other input is as it is."""
    if one.name != "starts" or not row.get("slots"):
        return one
    clock = ViewerClock(row["now"], ZoneInfo(row["zone"]), t)
    return replace(one, kind="choice", options=[(at.isoformat(), clock.instant(at)) for at in row["slots"]], hint="")


def plain_page(request: Request, name: str, status: int, **values: object) -> HTMLResponse:
    """Render a page for somebody without an account: no script, nothing kept, told to nobody."""
    text = PAGES.get_template(name).render(t=texts_for(request), **values)
    return HTMLResponse(marked(text), status, HEADERS)


def _page(request: Request, status: int, title: str = "reply.title", **values: object) -> HTMLResponse:
    return plain_page(request, "reply.html", status, title=title, **values)

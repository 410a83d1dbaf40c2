"""Reading: the worklist, a case as it stands or was known, its events, agenda, and why something was recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api.access import belonging, belonging_of, case_meant, require_seen
from api.answers import allowed_now, etag, owed
from api.auth import Parts, Who
from api.paging import cursor_of, limited, linked, read_cursor
from api.ports import Service
from api.problems import Fault, invalid
from api.shown import EVERYTHING, NOTHING, masked, sees, shown
from domain.agenda import agenda
from domain.case import fold
from domain.case_number import valid_number
from domain.errors import Reason, require
from domain.fact import Fact
from domain.roles import ALLOWED, Action, Actor, Scope
from domain.state import Case

router = APIRouter(tags=["cases"])
HIDDEN = ("seen", "correctable")
"""Fields of a case that only its rules need."""
DEEPEST = 8


@router.get("/cases")
async def worklist(
    request: Request,
    service: Parts,
    who: Who,
    stage: str | None = None,
    owner: str | None = None,
    team: str | None = None,
    centre: str | None = None,
    overdue: bool | None = None,
    urgent: bool | None = None,
    open: bool | None = True,  # noqa: A002 - the word of the query
    q: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> JSONResponse:
    """Cases by what is due next. `q` is a case number; names are never searched by URL."""
    given = {"stage": stage, "owner": owner, "team": team, "centre": centre, "overdue": overdue, "urgent": urgent}
    filters = {name: value for name, value in given.items() if value is not None}
    filters |= {"number": _number(q)} if q else {"open": open} if open is not None else {}
    _no_nul(filters)
    limit = limited(limit)
    rows = await service.desk.worklist(_scope(who), filters, read_cursor(after), limit + 1)
    cases = [await _line(service, who, row) for row in rows[:limit]]
    more = cursor_of(rows[limit - 1]["next_due"], rows[limit - 1]["stream"]) if len(rows) > limit else None
    return JSONResponse({"cases": cases, "next": more}, headers={**_private(), **linked(request, more)})


def _scope(who: Actor) -> tuple[str, str, str]:
    scope = ALLOWED[who.role].get(Action.SEE)
    require(scope, Reason.NOT_ALLOWED, f"a {who.role.value} sees no cases")
    return (str(scope), who.centre if scope is Scope.CENTRE else who.id, who.team)


async def _line(service: Service, who: Actor, row: Mapping[str, Any]) -> dict[str, Any]:
    visible = sees(who, belonging_of(row))
    detail = await service.desk.detail(row["stream"], row["detail"])
    patient = detail["patient"] if "identity" in visible else {"masked": "identity"}
    plain = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
    del plain["detail"]
    return {**plain, "id": plain.pop("stream"), "patient": patient, "tracks": detail["tracks"]}


def _number(q: str) -> str:
    digits = q.replace("-", "").replace(" ", "")
    if not valid_number(q):
        raise invalid("this is no case number", Fault("the check digit is wrong", parameter="q"))
    return f"{digits[:4]}-{digits[4:8]}-{digits[8]}"


def _no_nul(filters: Mapping[str, Any]) -> None:
    for name, value in filters.items():
        if isinstance(value, str) and "\0" in value:
            raise invalid("a filter holds a character that nothing has", Fault("holds a NUL", parameter=name))


@router.get("/cases/{case}")
async def one_case(case: str, request: Request, service: Parts, who: Who, known_at: datetime | None = None) -> Response:
    """A case as it stands, or as it was known at an instant: what was recorded up to then."""
    state, facts, now = await seen_case(service, who, case, known_at)
    del facts
    tag = etag(state.people_version)
    visible = sees(who, belonging(state))
    if request.headers.get("if-none-match") == tag and known_at is None:
        return Response(status_code=304, headers={"ETag": tag})
    body = {
        "case": shown(state, visible, without=HIDDEN),
        "open": state.open,
        "allowed": allowed_now(who, state) if known_at is None else [],
        "masked": masked(visible),
        "as_known_at": (known_at or now).isoformat(),
    }
    return JSONResponse(body, headers={**_private(), "ETag": tag})


@router.get("/cases/{case}/agenda")
async def agenda_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> JSONResponse:
    """Who owes what until when, what is asked of the world now, and when time alone changes something."""
    state, _, now = await seen_case(service, who, case, known_at)
    today = agenda(state, known_at or now)
    body = {
        "stage": today.stage.value,
        "version": today.version,
        "obligations": [owed(o) for o in today.obligations],
        "effects": [shown(effect, EVERYTHING) for effect in today.effects],
        "wake_at": today.wake_at.isoformat() if today.wake_at else None,
        "ended": today.ended,
        "as_known_at": (known_at or now).isoformat(),
    }
    return JSONResponse(body, headers=_private())


@router.get("/cases/{case}/events")
async def events_of(
    case: str, request: Request, service: Parts, who: Who, after: int = 0, limit: int = 200
) -> JSONResponse:
    """What was recorded, in order, after a version."""
    state, facts, _ = await seen_case(service, who, case, None)
    limit, visible = limited(limit), sees(who, belonging(state))
    page = [f for f in facts if f.version > after][: limit + 1]
    more = str(page[limit - 1].version) if len(page) > limit else None
    body = {"events": [told(f, visible) for f in page[:limit]], "next": more, "masked": masked(visible)}
    return JSONResponse(body, headers={**_private(), **linked(request, more)})


@router.get("/cases/{case}/why/{event}")
async def why(case: str, event: str, service: Parts, who: Who) -> JSONResponse:
    """One event and what it rests on, down to what people and hospitals said."""
    state, facts, _ = await seen_case(service, who, case, None)
    by_id = {fact.id: fact for fact in facts}
    require(event in by_id, Reason.NOT_FOUND, "no such event in this case")
    visible = sees(who, belonging(state))
    body = {"event": told(by_id[event], visible), "because": _because(by_id[event], by_id, DEEPEST)}
    return JSONResponse(body, headers=_private())


def _because(fact: Fact[Any], by_id: Mapping[str, Fact[Any]], depth: int) -> list[dict[str, Any]]:
    rests = [by_id[one] for one in (fact.why.rests_on if fact.why else ()) if one in by_id]
    return [{**told(f, NOTHING), "because": _because(f, by_id, depth - 1)} for f in rests] if depth else []


def told(fact: Fact[Any], visible: frozenset[Any]) -> dict[str, Any]:
    """A fact as JSON."""
    return {
        "id": fact.id,
        "version": fact.version,
        "type": fact.event.type,
        "recorded_at": fact.at.isoformat(),
        "occurred": shown(fact.occurred, EVERYTHING),
        "actor": fact.actor,
        "why": shown(fact.why, EVERYTHING) if fact.why else None,
        "corrects": fact.corrects,
        "provenance": fact.provenance or None,
        "data": shown(fact.event, visible, without=("type",)),
    }


async def seen_case(
    service: Service, who: Actor, case: str, known_at: datetime | None
) -> tuple[Case, Sequence[Fact[Any]], datetime]:
    """The case, its facts and the instant. What may be seen is judged by whose case it is now. Raises Refused."""
    stream = await case_meant(service, case)
    if known_at is not None and known_at.tzinfo is None:
        raise invalid(
            "an instant needs a zone", Fault("must have a zone, as 2026-11-21T09:00:00Z", parameter="known_at")
        )
    state, facts, now = await service.door.case(stream)
    require_seen(who, belonging(state))
    if known_at is None:
        return state, facts, now
    known = [fact for fact in facts if fact.at <= known_at]
    require(known, Reason.NOT_FOUND, "nothing was known of this case then")
    return replace(fold(known), id=stream), known, now


def _private() -> dict[str, str]:
    return {"Cache-Control": "no-store"}

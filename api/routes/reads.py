"""Reading: the worklist, a case as it stands or was known, or its dated facts at an instant, its events and agenda."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api.http.access import belonging, belonging_of, case_meant, require_seen
from api.http.answers import allowed_now, etag, has_already, owed
from api.http.auth import Parts, Who
from api.http.masking import EVERYTHING, Sees, mask, masked, sees, shown
from api.http.paging import cursor_of, limited, linked, read_cursor
from api.http.problems import Fault, invalid
from api.ports import Service
from api.ranking import next_ways
from api.routes.looks import looked, looked_over
from api.routes.then import worklist_then
from domain.case.costs import Costs, compared
from domain.case.stage import Stage
from domain.case.state import Case
from domain.core.case_number import case_number_of
from domain.core.errors import Reason, require
from domain.core.fact import Fact
from domain.core.roles import Action, Scope
from domain.engine.agenda import agenda
from domain.engine.evolve import fold
from domain.history.dated import as_of as dated_at
from domain.history.dated import known
from domain.roles import ALLOWED, Actor, allow

router = APIRouter(tags=["cases"])
HIDDEN = ("seen", "correctable", "corrected", "decisions")
"""Fields of a case that only its rules need."""


@router.get("/cases")
async def worklist(
    request: Request,
    service: Parts,
    who: Who,
    stage: Stage | None = None,
    owner: str | None = None,
    team: str | None = None,
    centre: str | None = None,
    overdue: bool | None = None,
    urgent: bool | None = None,
    open: bool | None = True,  # noqa: A002 - the word of the query
    q: str | None = None,
    after: str | None = None,
    limit: int = 50,
    known_at: datetime | None = None,
) -> JSONResponse:
    """List cases by what is due next, urgent ones first, now or as shown at `known_at`.

    `q` is a case number; no name is searched by URL. The number of a case that was merged finds the one that goes on,
    too, which then says `found_as`.
    """
    given = {"stage": stage, "owner": owner, "team": team, "centre": centre, "overdue": overdue, "urgent": urgent}
    filters = {name: value for name, value in given.items() if value is not None}
    filters |= {"number": _number(q)} if q else {"open": open} if open is not None else {}
    limit = limited(limit)
    page = scope_of(who), filters, read_cursor(after), limit + 1
    if known_at is None:
        rows = await service.worklist.worklist(*page)
    else:
        rows = await worklist_then(service, request.app.state.rows_then, zoned(known_at, "known_at"), *page)
    listed = [*rows[:limit], *(await _going_on(service, who, rows) if q and known_at is None else ())]
    cases = [await _line(service, who, row) for row in listed]
    await looked_over(service, who, listed)
    more = cursor_of(rows[limit - 1]) if len(rows) > limit else None
    then = {"as_known_at": known_at.isoformat()} if known_at else {}
    return JSONResponse({"cases": cases, "next": more, **then}, headers={**private(), **linked(request, more)})


def scope_of(who: Actor) -> tuple[str, str, str]:
    """Say of which cases this actor reads rows: scope, actor or centre, team. Raises Refused."""
    scope = ALLOWED[who.role].get(Action.SEE)
    require(scope, Reason.NOT_ALLOWED, f"a {who.role.value} sees no cases")
    return (str(scope), who.centre if scope is Scope.CENTRE else who.id, who.team)


async def _going_on(service: Service, who: Actor, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The rows of the cases that go on in place of those, for whoever may see them."""
    found = []
    for row in rows:
        into = await surviving(service, row["stream"])
        seen = await service.worklist.rows([into.id]) if into.id != row["stream"] else ()
        found += [{**one, "found_as": row["number"]} for one in seen if allow(who, Action.SEE, belonging_of(one))]
    return found


async def surviving(service: Service, stream: str) -> Case:
    """Return the case that goes on in place of this one, by whatever merges; itself where it was not merged."""
    case = (await service.commands.case(stream))[0]
    while case.merged_into is not None:  # merges make no circles
        case = (await service.commands.case(case.merged_into.other))[0]
    return case


async def _line(service: Service, who: Actor, row: Mapping[str, Any]) -> dict[str, Any]:
    """One case of the worklist; `now` = whose it is by now, where the row shows an earlier moment."""
    row = dict(row)
    visible = sees(who, belonging_of(row.pop("now", row)))
    known = row["detail"]
    detail = await service.worklist.detail(row["stream"], known) if isinstance(known, str) else known
    patient = shown(detail["patient"], "identity", visible)
    plain = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
    del plain["detail"]
    return {**plain, "id": plain.pop("stream"), "patient": patient, "tracks": detail["tracks"]}


def _number(q: str) -> str:
    number = case_number_of(q)
    if number is None:
        raise invalid("this is no case number", Fault("the check digit is wrong", parameter="q"))
    return number


@router.get("/cases/{case}")
async def one_case(
    case: str,
    request: Request,
    service: Parts,
    who: Who,
    known_at: datetime | None = None,
    as_of: datetime | None = None,
) -> Response:
    """Return a case as it stands or was known at an instant; with `as_of`, the dated facts known then, as they held.

    `next_ways`: after a refusal the next two ways in the catalogue, with the reasons.
    """
    state, facts, now, visible = await seen_case(service, who, case, "case", known_at)
    tag = etag(state.people_version)
    if as_of is not None:
        return JSONResponse(
            {**_dated(state, facts, zoned(as_of, "as_of"), visible), "as_known_at": (known_at or now).isoformat()},
            headers=private(),
        )
    if known_at is None and has_already(request, tag):
        return Response(status_code=304, headers={"ETag": tag})
    body = {
        "case": mask(state, visible, without=HIDDEN),
        "open": state.open,
        "allowed": allowed_now(who, state) if known_at is None else [],
        "masked": masked(visible),
        "as_known_at": (known_at or now).isoformat(),
        **({} if known_at else await next_ways(service, who, state, now, visible)),
    }
    return JSONResponse(body, headers={**private(), "ETag": tag})


def _dated(state: Case, facts: Sequence[Fact[Any]], at: datetime, visible: frozenset[Any]) -> dict[str, Any]:
    found = [{**told(one.fact, visible), "standing": one.standing, "superseded_by": one.by or None}
             for one in dated_at(facts, at)]  # fmt: skip
    return {"id": state.id, "as_of": at.isoformat(), "facts": found, "masked": masked(visible)}


@router.get("/cases/{case}/agenda")
async def agenda_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> JSONResponse:
    """Return who owes what until when, what is asked of the world now, and when time alone changes something."""
    state, _, now, _ = await seen_case(service, who, case, "agenda", known_at)
    today = agenda(state, known_at or now)
    body = {
        "stage": today.stage.value,
        "version": today.version,
        "obligations": [owed(o) for o in today.obligations],
        "effects": [mask(effect, EVERYTHING) for effect in today.effects],
        "wake_at": today.wake_at.isoformat() if today.wake_at else None,
        "ended": today.ended,
        "as_known_at": (known_at or now).isoformat(),
    }
    return JSONResponse(body, headers=private())


@router.get("/cases/{case}/events")
async def events_of(
    case: str, request: Request, service: Parts, who: Who, after: int = 0, limit: int = 200
) -> JSONResponse:
    """Return what was recorded, in order, after a version."""
    _, facts, _, visible = await seen_case(service, who, case, "events")
    limit = limited(limit)
    page = [f for f in facts if f.version > after][: limit + 1]
    more = str(page[limit - 1].version) if len(page) > limit else None
    body = {"events": [told(f, visible) for f in page[:limit]], "next": more, "masked": masked(visible)}
    return JSONResponse(body, headers={**private(), **linked(request, more)})


def told(fact: Fact[Any], visible: frozenset[Any]) -> dict[str, Any]:
    """Return a fact as JSON."""
    return {
        "id": fact.id,
        "version": fact.version,
        "type": fact.event.type,
        "recorded_at": fact.at.isoformat(),
        "occurred": mask(fact.occurred, EVERYTHING),
        "actor": fact.actor,
        "why": mask(fact.why, EVERYTHING) if fact.why else None,
        "corrects": fact.corrects,
        "provenance": fact.provenance or None,
        "data": mask(fact.event, visible, without=("type",)),
    }


class CaseAsSeen(NamedTuple):
    """A case, its facts, the instant, and which key classes this reader sees: judged by whose case it is now."""

    case: Case
    facts: Sequence[Fact[Any]]
    now: datetime
    visible: Sees


async def seen_case(service: Service, who: Actor, case: str, what: str, known_at: datetime | None = None) -> CaseAsSeen:
    """Return the case, now or as it was known then. The look is recorded, as one at `what`. Raises Refused."""
    stream = await case_meant(service, case)
    if known_at is not None:
        zoned(known_at, "known_at")
    state, facts, now = await service.commands.case(stream)
    whose = belonging(state, now)
    require_seen(who, whose)
    visible = sees(who, whose)
    await looked(service, who, what, [stream], visible)
    if known_at is None:
        return CaseAsSeen(state, facts, now, visible)
    then = known(facts, known_at)
    require(then, Reason.NOT_FOUND, "nothing was known of this case then")
    return CaseAsSeen(replace(fold(then), id=stream), then, now, visible)


def zoned(instant: datetime, parameter: str) -> datetime:
    """Return the instant. Raises Problem when it has no zone, or lies where some zones have no years left."""
    if instant.tzinfo is None:
        raise invalid(
            "an instant needs a zone", Fault("must have a zone, as 2026-11-21T09:00:00Z", parameter=parameter)
        )
    if not MINYEAR < instant.year < MAXYEAR:
        raise invalid("no such year", Fault(f"must be after {MINYEAR} and before {MAXYEAR}", parameter=parameter))
    return instant


def private() -> dict[str, str]:
    """Return the headers of what is for one reader."""
    return {"Cache-Control": "no-store"}


@router.get("/cases/{case}/costs")
async def costs_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> JSONResponse:
    """Return every line of the estimate beside that of the price; `over` compares what the family pays."""
    state, _, now, _ = await seen_case(service, who, case, "costs", known_at)
    body = {
        "estimate": _priced(state.estimated),
        "quote": _priced(state.quoted),
        "lines": [asdict(row) for row in compared(state.estimated, state.quoted)],
        "as_known_at": (known_at or now).isoformat(),
    }
    return JSONResponse(body, headers=private())


def _priced(costs: Costs | None) -> dict[str, Any] | None:
    if costs is None:
        return None
    said = {"fact": costs.fact, "told_at": costs.at.isoformat(), "currency": costs.currency}
    return {**said, "low": costs.low, "high": costs.high}

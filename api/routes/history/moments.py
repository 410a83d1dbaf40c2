"""Says what changed between two moments of a case, and why anything was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from api.http.answers import owed
from api.http.auth import Parts, Who
from api.http.masking import NOTHING, mask, masked
from api.http.problems import Fault, invalid
from api.routes.reads import HIDDEN, private, seen_case, told, zoned
from api.untold import state_of
from domain.case.state import Case
from domain.core.errors import Reason, require
from domain.core.fact import Fact
from domain.engine.evolve import fold
from domain.history.dated import known, standing
from domain.history.difference import ChangedField, Moved, changes, moves
from domain.history.grounds import grounds

router = APIRouter(tags=["cases"])
DEEPEST = 8
SHOWN = 200
"""How many facts a decision lists as known when it was made, the newest."""


@router.get("/cases/{case}/diff")
async def diff(
    case: str, service: Parts, who: Who, from_: Annotated[str, Query(alias="from")], to: str = ""
) -> JSONResponse:
    """Return what changed between two versions, or between what was known at two instants; `to` empty = now."""
    _, facts, now, visible = await seen_case(service, who, case, "diff")
    first, last = _upto(facts, from_, "from"), _upto(facts, to or now.isoformat(), "to")
    if len(first) > len(last):
        raise invalid("a difference goes forward in time", Fault("lies after `to`", parameter="from"))
    before, after = fold(first), fold(last)
    body = {
        "from": _moment(first, before),
        "to": _moment(last, after),
        "state": _state(before, after, visible),
        "obligations": [_moved(one) for one in moves(before, after)],
        "events": [told(fact, visible) for fact in last[len(first) :]],
        "masked": masked(visible),
    }
    return JSONResponse(body, headers=private())


def _upto(facts: Sequence[Fact[Any]], moment: str, parameter: str) -> Sequence[Fact[Any]]:
    """The facts up to a version or an instant. Raises Problem."""
    if moment.isascii() and moment.isdecimal():
        return facts[: int(moment[:9])]
    try:
        instant = datetime.fromisoformat(moment)
    except ValueError:
        raise invalid("no such moment", Fault("must be a version or an instant", parameter=parameter)) from None
    return known(facts, zoned(instant, parameter))


def _moment(facts: Sequence[Fact[Any]], case: Case) -> dict[str, Any]:
    recorded = facts[-1].at.isoformat() if facts else None
    return {"version": case.version, "recorded_at": recorded, "stage": case.stage.value if facts else None}


def _state(before: Case, after: Case, visible: frozenset[Any]) -> dict[str, Any]:
    was, now = mask(before, visible, without=HIDDEN), mask(after, visible, without=HIDDEN)
    return {one.name: _values(one, was[one.name], now[one.name]) for one in changes(before, after)}


def _values(one: ChangedField, was: Any, now: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    if one.keys is None:
        return {"from": was, "to": now}
    return {key: {"from": _entry(was, key), "to": _entry(now, key)} for key in one.keys}


def _entry(field: Any, key: str) -> Any:  # noqa: ANN401 - JSON
    """One entry of a field; what keeps the whole field untold keeps each entry of it."""
    return field if state_of(field) else field.get(key)


def _moved(one: Moved) -> dict[str, Any]:
    due, until = one.due
    what = {"id": one.after.id, "kind": one.after.kind, "about": one.after.about, "debtor": one.after.debtor.value}
    state = {"from": one.before.state if one.before else None, "to": one.after.state}
    return {**what, "state": state, "due": {"from": due and due.isoformat(), "to": until.isoformat()}}


@router.get("/cases/{case}/why/{event}")
async def why(case: str, event: str, service: Parts, who: Who) -> JSONResponse:
    """Return one event, by id or version, and what it rests on; for a person's decision, what was known then."""
    _, facts, _, visible = await seen_case(service, who, case, "why")
    found = [fact for fact in facts if event in (fact.id, str(fact.version))]
    require(found, Reason.NOT_FOUND, "no such event in this case", "event")
    meant = found[0]
    body = {
        "event": told(meant, visible),
        "because": _because(meant, facts, DEEPEST),
        "shown_then": _shown_then(meant, facts) if meant.told else None,
    }
    return JSONResponse(body, headers=private())


def _because(fact: Fact[Any], facts: Sequence[Fact[Any]], depth: int) -> list[dict[str, Any]]:
    rests = grounds(fact, facts) if depth else ()
    return [{**told(f, NOTHING), "because": _because(f, facts, depth - 1)} for f in rests]


def _shown_then(fact: Fact[Any], facts: Sequence[Fact[Any]]) -> dict[str, Any]:
    """The case as it was before the append that holds this fact: what whoever decided had before them."""
    before = [one for one in facts if one.at < fact.at]
    case = fold(before)
    open_then = [o for o in case.obligations.values() if o.state == "open"]
    return {
        "version": case.version,
        "recorded_at": before[-1].at.isoformat() if before else None,
        "stage": case.stage.value if before else None,
        "obligations": [owed(o) for o in open_then],
        "facts": [_known_fact(one) for one in standing(before)[-SHOWN:]],
    }


def _known_fact(fact: Fact[Any]) -> dict[str, Any]:
    return {
        "id": fact.id,
        "version": fact.version,
        "type": fact.event.type,
        "corrects": fact.corrects,
        "occurred": mask(fact.occurred, NOTHING),
    }

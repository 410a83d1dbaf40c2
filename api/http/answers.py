"""Makes what a command is answered with, and the headers that go with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from activities.command_handler import Recorded
from api.http.access import belonging
from api.http.problems import Fault, Problem
from domain.case.obligation import Obligation
from domain.case.phases.links import CaseLink
from domain.case.stage import Stage
from domain.case.state import Case
from domain.core.roles import Action
from domain.engine.decide import taken
from domain.journey import ACCEPTED, COMMANDS, accepting_stages
from domain.roles import Actor, action_of, allow
from domain.stages.intake.inquiry import OpenCase

KEY = re.compile(r"[\x21-\x7e]{1,200}")
TAG = re.compile(r'"([0-9]{1,9})"')


def idempotency_key(request: Request) -> str:
    """Return the caller's key. Raises Problem(400)."""
    key = request.headers.get("idempotency-key", "")
    if KEY.fullmatch(key):
        return key
    what = "is required with every command" if not key else "must be 1 to 200 visible characters"
    raise Problem(400, "no_key", "a command needs a key of its own", [Fault(what, header="Idempotency-Key")])


def if_match(request: Request) -> int | None:
    """Return the version a page was read at; None = any. Raises Problem(400)."""
    text = request.headers.get("if-match")
    if text is None or text == "*":
        return None
    found = TAG.fullmatch(text.removeprefix("W/"))
    if found is None:
        raise Problem(400, "malformed", "that is no ETag of ours", [Fault("must be an ETag", header="If-Match")])
    return int(found[1])


def etag(version: int) -> str:
    """Return the ETag of what stands at this version."""
    return f'"{version}"'


def has_already(request: Request, tag: str) -> bool:
    """Return whether the caller holds what stands under this ETag: one of a list will do, a weak one too (RFC 9110)."""
    held = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    return tag in held or "*" in held


def allowed_now(actor: Actor, case: Case) -> list[str]:
    """Return the commands the journey takes at this stage that this actor may give; a rule may still refuse one."""
    whose = belonging(case)
    actions = _actions(case.stage)
    if case.merged_into:
        actions = {c.__name__: actions[c.__name__] for c in taken(case)}
    allowed = {action for action in set(actions.values()) if allow(actor, action, whose)}
    return [name for name, action in actions.items() if action in allowed]


@cache
def _actions(stage: Stage) -> Mapping[str, Action]:
    return {c.__name__: action_of(c.__name__) for c in ACCEPTED[stage] if c is not OpenCase}


def refused_now(actor: Actor, case: Case) -> dict[str, str]:
    """Return every other command, and why it is not taken now."""
    allowed, here = allowed_now(actor, case), set(taken(case))
    return {
        c.__name__: f"not for a {actor.role.value} to give" if c in here else _elsewhere(case, c)
        for c in COMMANDS
        if c.__name__ not in allowed and c is not OpenCase and action_of(c.__name__) is not Action.ENGINE
    }


def _elsewhere(case: Case, command: type[Any]) -> str:
    into = case.merged_into
    return f"go on in case {into.number}" if into else f"taken at: {', '.join(accepting_stages(command))}"


def owed(o: Obligation) -> dict[str, Any]:
    """Write an obligation as JSON: who owes what to whom until when."""
    return {
        "id": o.id,
        "kind": o.kind,
        "about": o.about,
        "debtor": o.debtor.value,
        "creditor": o.creditor.value,
        "state": o.state,
        "opened_at": o.opened_at.isoformat(),
        "due": o.due.isoformat(),
        "next_step_at": o.next_at.isoformat(),
        "holder": o.holder or None,
        "offered": o.offered or None,
    }


def linked(link: CaseLink) -> dict[str, Any]:
    """Write another case of the same person as JSON: what is done to a person in one case concerns the others."""
    return {"case": link.other, "number": link.number, "kind": link.kind, "since": link.since.isoformat()}


def recorded_answer(recorded: Recorded, actor: Actor, status: int = 200, **more: Any) -> JSONResponse:  # noqa: ANN401 - JSON
    """Return the case after a command, and what else there is to say."""
    case = recorded.case
    owing = [o for o in case.obligations.values() if o.state == "open"]
    body = {
        "case": case.id,
        "number": case.number,
        "version": case.version,
        "stage": case.stage.value,
        "recorded": [{"type": fact.event.type, "id": fact.id} for fact in recorded.facts],
        "next": owed(min(owing, key=lambda o: o.next_at)) if owing else None,
        "allowed": allowed_now(actor, case),
        "repeated": recorded.repeated,
        **({"same_person": [linked(link) for link in case.links.values()]} if case.links else {}),
        **more,
    }
    return JSONResponse(body, status, _headers(case.people_version, f"/cases/{case.id}" if status == CREATED else ""))


CREATED = 201


def entry_answer(entry: Recorded, status: int = 200) -> JSONResponse:
    """Return a stream of the catalogue after a command."""
    prefix = entry.stream.partition("-")[0]
    body = {
        "id": entry.stream,
        "version": entry.state.version,
        "recorded": [{"type": fact.event.type, "id": fact.id} for fact in entry.facts],
        "repeated": entry.repeated,
    }
    location = f"/{prefix}s/{entry.stream}" if status == CREATED else ""
    return JSONResponse(body, status, _headers(entry.state.version, location))


def _headers(version: int, location: str) -> Mapping[str, str]:
    headers = {"ETag": etag(version), "Cache-Control": "no-store"}
    return {**headers, "Location": location} if location else headers

"""SMART Health Links: what a patient shares behind a link is fetched, opened and taken in like a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from activities.command_codec import Unreadable, read_json
from activities.ports import LinkUnusable
from api.http.access import case_meant, may_command
from api.http.answers import CREATED, idempotency_key
from api.http.auth import Parts, Who
from api.http.limits import stream_body
from api.http.problems import Fault, Problem, invalid
from api.ports import Service
from api.results.taking import COMMAND, File, take
from api.routes.reads import private
from domain.roles import Actor

router = APIRouter(tags=["cases"])
MOST_BYTES = 32 * 1024
FHIR = "application/fhir+json"
RECIPIENT = "Caravel"
"""Who opens the link, as whoever shared it is told, where nobody says otherwise."""
SHORT = 100


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """Holds what is asked: which link, by which passcode, in whose name, which of several files, and how to take it."""

    link: str = field(repr=False)
    passcode: str = field(default="", repr=False)
    recipient: str = RECIPIENT
    file: int = 0
    skip: bool = False
    dry: bool = False


@router.post("/cases/{case}/health-links", status_code=CREATED)
async def take_link(case: str, request: Request, service: Parts, who: Who) -> JSONResponse:
    """Open a SMART Health Link and take in the FHIR bundle behind it, all of it or nothing.

    The body is `{"link": …, "passcode": …, "recipient": …, "file": n, "skip_faults": false, "dry_run": false}`; all but
    the link may be left out. Link, key and passcode are used once and kept nowhere.
    """
    key = idempotency_key(request)
    body = b"".join([part async for part in stream_body(request, MOST_BYTES)])
    told = await open_and_take(service, who, case, _asked(body), key)
    return JSONResponse(dict(told), CREATED if told["recorded"] else 200, headers=private())


async def open_and_take(service: Service, who: Actor, case: str, asked: LinkRequest, key: str) -> Mapping[str, Any]:
    """Fetch and take in; nothing is called for whoever may not import here. Raises Problem, Refused."""
    await may_command(service, who, await case_meant(service, case), COMMAND)
    try:
        shared = await service.health_links.fetch(asked.link, asked.passcode, asked.recipient or RECIPIENT, asked.file)
    except LinkUnusable as no:
        more = {} if no.remaining is None else {"remaining_attempts": no.remaining}
        status, reason = (503, "unavailable") if no.later else (422, "invalid")
        detail = f"the {no.field} {no.detail}"
        raise Problem(status, reason, detail, [Fault(no.detail, f"#/{no.field}")], more=more) from None
    try:
        told = await take(service, who, case, File(FHIR, shared.file.content, "", asked.skip, asked.dry), key)
    except Problem as no:  # what is wrong with the file that was shared is wrong with the link that was given
        faults = [replace(one, pointer="#/link") if one.pointer == "#/file" else one for one in no.faults]
        raise replace(no, faults=faults) from None
    return {**told, "others": list(shared.others)}


def _asked(body: bytes) -> LinkRequest:
    """Read the body. Raises Problem, which repeats nothing of it."""
    try:
        tree = read_json(body)
    except Unreadable as no:
        raise invalid(no.detail) from None
    kinds = KINDS
    faults = [Fault("is not a field of this request", "#") for name in tree if name not in kinds][:1]
    faults += [Fault(_must(kind), f"#/{n}") for n, kind in kinds.items() if n in tree and type(tree[n]) is not kind]
    faults += [Fault("is required", "#/link")] if not tree.get("link") else []
    faults += [Fault(f"has at most {SHORT} characters", f"#/{n}") for n in SHORTS if len(str(tree.get(n, ""))) > SHORT]
    if faults:
        raise invalid("the request cannot be read", *faults)
    named = {FLAGS.get(name, name): value for name, value in tree.items()}
    return LinkRequest(**named)


FLAGS: Mapping[str, str] = {"skip_faults": "skip", "dry_run": "dry"}
SHORTS = ("passcode", "recipient")
KINDS: Mapping[str, type] = {"link": str, "passcode": str, "recipient": str, "file": int, **dict.fromkeys(FLAGS, bool)}


def _must(kind: type) -> str:
    return {str: "must be text", int: "must be a whole number", bool: "must be true or false"}[kind]

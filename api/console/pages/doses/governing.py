"""Takes what is told on a protocol's page of how its use is governed: clinical holds and cohorts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from api.console.session import CSRF, Viewer, require_csrf
from api.console.web import pages, seen
from api.http.access import require_command, stream_meant
from api.http.auth import Parts
from api.http.command_json import CATALOGUE as COMMANDS
from api.http.form_json import read_form
from api.http.limits import read_body
from api.routes.register.entries import carried_out, request_of

router = pages()
TOLD: Mapping[str, tuple[str, ...]] = {
    "PlaceClinicalHold": ("holder", "authority", "reason", "decided"),
    "FulfilHoldCondition": ("evidence", "fulfilled"),
    "LiftClinicalHold": ("holder", "decided", "source"),
    "OpenCohort": ("level", "reason", "source", "decided"),
    "ReviewCohort": ("outcome", "reason", "source", "decided"),
}
"""Command → the fields of its form that are taken as they were written."""
NUMBERS = ("hold", "condition", "cohort")


@router.post("/console/protocols/{entry}/governing")
async def govern(request: Request, entry: str, service: Parts, viewer: Viewer) -> Response:
    """Record what is told of a hold or a cohort; the page shows it then."""
    given = dict(read_form(await read_body(request)))
    require_csrf(request, given.get(CSRF, ""))
    stream = stream_meant(entry, "protocol")
    command = COMMANDS.parse(_said(given), viewer.who.id, only=tuple(TOLD))
    require_command(viewer.who, command.type)
    sent = request_of(service, viewer.who, f"governing/{given.get('nonce', '')}", stream, command, about=stream)
    await carried_out(request, service, sent)
    return seen(f"/console/protocols/{stream}")


def _said(given: Mapping[str, str]) -> dict[str, Any]:
    """The command as the form says it: conditions are lines, numbers are numbers, the rest is text."""
    kind = given.get("type", "")
    said: dict[str, Any] = {"type": kind, **{name: given.get(name, "") for name in TOLD.get(kind, ())}}
    said |= {name: int(given[name]) for name in NUMBERS if given.get(name, "").isdecimal()}
    lines = [line.strip() for line in given.get("conditions", "").splitlines()]
    return said | ({"conditions": [line for line in lines if line]} if any(lines) else {})

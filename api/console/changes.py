"""Lets who keeps the catalogue confirm, withdraw and undo from the page of operations."""

from __future__ import annotations

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
DOES = ("ConfirmProposal", "WithdrawProposal", "UndoChange")


@router.post("/console/changes")
async def decide_change(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Give one of the three commands; the page says how it stands then."""
    given = dict(read_form(await read_body(request)))
    require_csrf(request, given.get(CSRF, ""))
    said = {"type": given.get("do", ""), "proposal": given.get("proposal", "")}
    command = COMMANDS.parse(said, viewer.who.id, only=DOES)
    require_command(viewer.who, command.type)
    stream = stream_meant(given.get("stream", ""), given.get("stream", "").partition("-")[0])
    key = f"{command.type}/{command.proposal}"
    sent = request_of(service, viewer.who, key, stream, command, about=stream)
    await carried_out(request, service, sent)
    return seen("/console/operations")

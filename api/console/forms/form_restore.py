"""Keeps what was typed when a session had ended: sealed into the person's page until they are signed in again."""

from __future__ import annotations

import json
from dataclasses import dataclass

from fastapi import Request

from api.console.forms.uploads import MOST, UploadForm, is_upload, upload
from api.http.auth import require_same_origin, service_of
from api.http.form_json import read_form
from api.http.limits import read_body, read_small
from api.http.problems import Problem
from api.ports import Service
from domain.core.errors import Refused

KEEPABLE = ("/console/cases/", "/console/open")
AGAIN = "/console/kept"
"""Where what was kept is opened again; when that fails it stays as it is."""
SHOWN = "shown"
"""The field that proves of a form that its page was shown to somebody signed in, and to whom."""


@dataclass(frozen=True, slots=True)
class KeptForm:
    """A form that was sent and not carried out."""

    who: str
    path: str
    pairs: list[tuple[str, str]]


async def typed_pairs(request: Request, *, stranger: bool = False) -> list[tuple[str, str]]:
    """Return the pairs of the form that was sent, read once however often they are asked for; those before a file.

    Of a stranger's form no more is read than a page of ours sends without its file. Raises Problem.
    """
    if not hasattr(request.state, "typed"):
        request.state.sent = await upload(request, service_of(request).limits.document) if is_upload(request) else None
        sent: UploadForm | None = request.state.sent
        read = read_small if stranger else read_body
        request.state.typed = sent.pairs if sent else read_form(await read(request), MOST)
    pairs: list[tuple[str, str]] = request.state.typed
    return pairs


def sent_file(request: Request) -> UploadForm | None:
    """Return the file of the form whose pairs were read."""
    sent: UploadForm | None = getattr(request.state, "sent", None)
    return sent


async def shown_to(service: Service, who: str) -> str:
    """Return what proves within a day that a form was shown to this person; nothing where this machine has no keys."""
    try:
        return await service.seal.close(json.dumps([SHOWN, who]))
    except Refused:
        return ""


async def sign_in_again(request: Request) -> str:
    """Return the sent form, sealed; nothing for what is no form about a case, whose body may have been read already.

    Only the form of a page that was shown to somebody is kept, and only its file is waited for.
    """
    require_same_origin(request)
    if request.url.path == AGAIN:
        return dict(await typed_pairs(request, stranger=True)).get("kept", "")
    if not request.url.path.startswith(KEEPABLE):
        return ""
    pairs = await typed_pairs(request, stranger=True)
    who = await _shown(service_of(request), dict(pairs).get(SHOWN, ""))
    if not who:
        return ""
    if sent := sent_file(request):
        await sent.rest()  # nobody is signed in to keep a file for: it is chosen again
    kept = [(name, value) for name, value in pairs if name != SHOWN]
    return await service_of(request).seal.close(json.dumps([who, request.url.path, kept]))


async def _shown(service: Service, proof: str) -> str:
    """To whom a page was shown; empty = nothing proves that it was."""
    try:
        what, who = json.loads(await service.seal.open(proof))
    except ValueError:
        return ""
    return str(who) if what == SHOWN else ""


async def reopened(request: Request, sealed: str) -> KeptForm:
    """Open what was kept in the page. Raises Problem for anything else."""
    try:
        who, path, pairs = json.loads(await service_of(request).seal.open(sealed))
    except ValueError:
        raise Problem(422, "invalid", "what was kept of the form is too old or not ours") from None
    return KeptForm(who, path, [(name, value) for name, value in pairs])

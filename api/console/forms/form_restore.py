"""Keeps what was typed when a session had ended: sealed into the person's page until they are signed in again."""

from __future__ import annotations

import json
from dataclasses import dataclass

from fastapi import Request

from api.console.forms.uploads import Upload, is_upload, upload
from api.http.auth import require_same_origin, service_of
from api.http.form_json import read_form
from api.http.limits import read_body
from api.http.problems import Problem

KEEPABLE = ("/console/cases/", "/console/open")
AGAIN = "/console/kept"
"""Where what was kept is opened again; when that fails it stays as it is."""
WHO = "who"
MOST = 200
"""Fields of a form at most."""


@dataclass(frozen=True, slots=True)
class KeptForm:
    """A form that was sent and not carried out."""

    who: str
    path: str
    pairs: list[tuple[str, str]]


async def typed_pairs(request: Request) -> list[tuple[str, str]]:
    """Return the pairs of the form that was sent, read once however often they are asked for; those before a file."""
    if not hasattr(request.state, "typed"):
        request.state.sent = await upload(request, service_of(request).limits.document) if is_upload(request) else None
        sent: Upload | None = request.state.sent
        request.state.typed = sent.pairs if sent else read_form(await read_body(request), MOST)
    pairs: list[tuple[str, str]] = request.state.typed
    return pairs


def sent_file(request: Request) -> Upload | None:
    """Return the file of the form whose pairs were read."""
    sent: Upload | None = getattr(request.state, "sent", None)
    return sent


async def sign_in_again(request: Request) -> str:
    """Return the sent form, sealed; nothing for what is no form about a case, whose body may have been read already."""
    require_same_origin(request)
    if request.url.path == AGAIN:
        return dict(await typed_pairs(request)).get("kept", "")
    if not request.url.path.startswith(KEEPABLE):
        return ""
    pairs = await typed_pairs(request)
    if sent := sent_file(request):
        await sent.rest()  # nobody is signed in to keep a file for: it is chosen again
    who = dict(pairs).get(WHO, "")
    kept = json.dumps([who, request.url.path, pairs])
    return await service_of(request).seal.close(kept) if who else ""


async def reopened(request: Request, sealed: str) -> KeptForm:
    """Open what was kept in the page. Raises Problem for anything else."""
    try:
        who, path, pairs = json.loads(await service_of(request).seal.open(sealed))
    except ValueError:
        raise Problem(422, "invalid", "what was kept of the form is too old or not ours") from None
    return KeptForm(who, path, [(name, value) for name, value in pairs])

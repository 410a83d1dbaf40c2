"""Views of the worklist that somebody gave a name: links, kept in their own browser."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import Response

from api.console.session import CSRF, Viewer, require_csrf
from api.console.web import pages, query_of, seen
from api.http.form_json import read_form
from api.http.limits import read_body

router = pages()
COOKIE, YEAR = "caravel_views", 365 * 24 * 3600
MOST, LONGEST = 8, 40


def saved_of(request: Request) -> Mapping[str, str]:
    """Return name → query; nothing from a cookie we cannot read."""
    try:
        found = json.loads(urlsafe_b64decode(request.cookies.get(COOKIE, "")))
        return {str(name): str(query) for name, query in found.items() if str(query).startswith("?")}
    except (ValueError, AttributeError, RecursionError):
        return {}


@router.post("/console/views")
async def keep_view(request: Request, viewer: Viewer) -> Response:
    """Give the view a name, or forget one; the oldest goes when there are too many."""
    given = dict(read_form(await read_body(request)))
    require_csrf(request, given.get(CSRF, ""))
    del viewer
    query, name = query_of(given.get("query", "")), given.get("name", "").strip()[:LONGEST]
    views = {one: q for one, q in saved_of(request).items() if one not in (name, given.get("forget"))}
    if name and len(query) < 500:  # noqa: PLR2004 - a cookie is small
        views[name] = query
    answer = seen(f"/console/{query}")
    value = urlsafe_b64encode(json.dumps(dict(list(views.items())[-MOST:])).encode()).decode()
    answer.set_cookie(COOKIE, value, max_age=YEAR, httponly=True, samesite="lax", path="/console")
    return answer

"""Keeps the view of the worklist somebody works through: a case leads back to it, to the one before and to the next.

The browser holds it, as it was shown: what one did to a case does not change which one is next.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import Response

COOKIE, LONGEST, APART = "caravel_list", 3500, "~"
"""Of the cookie: the view's query, that of its next page, and the ids of its cases, which say nothing of a person."""
KEPT = re.compile(r"(\?[A-Za-z0-9_=&%+.-]*)~((?:\?[A-Za-z0-9_=&%+.-]*)?)~((?:[A-Za-z0-9_-]+)(?:\.[A-Za-z0-9_-]+)*)")
PREFIX = "case-"


@dataclass(frozen=True, slots=True)
class ListPlace:
    """Addresses from a case: the view it was opened from, the case before and the next; empty at the ends.

    `further` is the next page of the view, where the case is the last of this one.
    """

    back: str
    before: str
    after: str
    further: str


def keep_place(answer: Response, view: str, more: str | None, shown: Sequence[str]) -> Response:
    """Have the browser keep a view that was shown: its query, that of its next page, and its cases in order."""
    kept = APART.join((view, more or "", ".".join(one.removeprefix(PREFIX) for one in shown)))
    if KEPT.fullmatch(kept) and len(kept) <= LONGEST:
        answer.set_cookie(COOKIE, kept, httponly=True, samesite="lax", path="/console")
    return answer


def place_of_case(request: Request, case: str) -> ListPlace | None:
    """Return where a case stands in the view that was shown last; None where it does not stand there."""
    kept = KEPT.fullmatch(request.cookies.get(COOKIE, "")[:LONGEST])
    shown = [f"{PREFIX}{one}" for one in kept[3].split(".")] if kept else []
    if kept is None or case not in shown:
        return None
    at, last = shown.index(case), len(shown) - 1
    return ListPlace(
        f"/console/{kept[1]}#{case}",
        f"/console/cases/{shown[at - 1]}" if at else "",
        f"/console/cases/{shown[at + 1]}" if at < last else "",
        f"/console/{kept[2]}" if at == last and kept[2] else "",
    )

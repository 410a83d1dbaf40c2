"""Looks at where a request goes before anything reads it: whose name it calls us by, and whether it can be read."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.types import Scope

from api.http.problems import Fault, Problem, invalid

PAGES = "/console/"
NUL = b"%00"
SLASH = b"%2f"
"""Decoded, it would be taken for one that parts an address: a case's name and what is read of it."""


def require_host(scope: Scope, ours: Collection[str]) -> None:
    """Refuse a name that is none of ours, which a page of another site made to lead here. Raises Problem(403)."""
    if ours and Headers(scope=scope).get("host", "") not in ours:
        fault = Fault(f"must be one of {', '.join(sorted(ours))}", header="Host")
        raise Problem(403, "not_allowed", "this address is for this machine only", [fault])


def readable(scope: Scope) -> Scope:
    """Return the request with an address the database can be asked for: no name of ours holds a NUL.

    Pages leave it out, as they do with all nonsense in an address. Raises Problem.
    """
    if "\0" in scope["path"]:
        raise Problem(404, "not_found", "no such page: nothing has a NUL in its name")
    if SLASH in scope.get("raw_path", b"").lower():
        raise Problem(404, "not_found", "no such page: nothing has a slash in its name")
    words = scope["query_string"].split(b"&")
    wrong = [word for word in words if NUL in word]
    if wrong and not scope["path"].startswith(PAGES):
        name = unquote_to_bytes(wrong[0].partition(b"=")[0]).replace(b"\0", b"").decode("utf-8", "replace")
        raise invalid("the address holds a character that nothing has", Fault("holds a NUL", parameter=name))
    return {**scope, "query_string": b"&".join(word for word in words if NUL not in word)} if wrong else scope

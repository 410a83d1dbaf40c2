"""Says how one can sign in here, as the pages that offer it show it."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Any

from fastapi import Request

from api.console.names import NameEntry
from api.console.session import directory_of
from api.http.auth import cookie_name, service_of

DEV = "caravel_dev"
"""The cookie that holds the secret of the ready address."""


def same(given: str, expected: str) -> bool:
    """Return whether a secret is the right one, in the same time however wrong it is."""
    return hmac.compare_digest(given.encode(), expected.encode())


async def sign_in_options(request: Request) -> dict[str, Any]:
    """Development sign-in (with the people, once the secret is known), identity provider."""
    service = service_of(request)
    known = service.dev is not None and same(request.cookies.get(cookie_name(request, DEV), ""), service.dev.secret)
    return {
        "development": service.dev is not None,
        "provider": service.signs_in is not None,
        "known": known,
        "people": await staff(request) if known else [],
    }


async def staff(request: Request) -> Sequence[NameEntry]:
    """List whom one can sign in as here: nobody who left, or waits to be confirmed."""
    known = (await directory_of(request).entries(service_of(request), "person")).values()
    return [one for one in known if one.role]

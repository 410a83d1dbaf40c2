"""RFC 9457: every failure as application/problem+json, from one table. Values that were sent are never repeated."""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match

from domain.core.errors import Reason, Refused

log = structlog.get_logger()

STATUS: Mapping[Reason, int] = {
    Reason.INVALID: 422,
    Reason.NOT_FOUND: 404,
    Reason.NOT_ALLOWED: 403,
    Reason.NOT_NOW: 409,
    Reason.MISSING: 409,
    Reason.LAPSED: 409,
    Reason.ALREADY: 409,
    Reason.FOUR_EYES: 403,
    Reason.NEVER_WAIVED: 409,
    Reason.IRREVERSIBLE: 409,
    Reason.UNAVAILABLE: 409,
    Reason.MERGED: 409,
    Reason.KEY_REUSED: 422,
    Reason.STALE: 412,
    Reason.CONFLICT: 503,
    Reason.SUPERSEDED: 503,
    Reason.LEDGER_BEHIND: 503,
    Reason.NEWER_THAN_ME: 503,
    Reason.CLOCK_WRONG: 503,
    Reason.READ_ONLY: 503,
}
AGAIN, SET_RIGHT = "1", "60"
"""Seconds after which a caller may try again, with the same idempotency key; a clock has to be set right first."""
TYPE = "urn:caravel:problem:"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request: a JSON pointer into its body, or the name of a parameter or header."""

    detail: str
    pointer: str | None = None
    parameter: str | None = None
    header: str | None = None

    def shown(self) -> dict[str, str]:
        """Write the fault as it stands in `errors`."""
        named = {"pointer": self.pointer, "parameter": self.parameter, "header": self.header}
        return {"detail": self.detail, **{name: value for name, value in named.items() if value is not None}}


@dataclass
class Problem(Exception):
    """A request that is answered with a problem."""

    status: int
    reason: str
    detail: str
    faults: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    """Members of its own (RFC 9457, 3.2)."""

    def response(self) -> JSONResponse:
        """Make the answer, application/problem+json."""
        body: dict[str, Any] = {
            "type": TYPE + self.reason,
            "title": self.reason.replace("_", " ").capitalize(),
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }
        if self.faults:
            body["errors"] = [fault.shown() for fault in self.faults]
        headers = {"Cache-Control": "no-store", **self.headers}
        return JSONResponse(body, self.status, headers, "application/problem+json")


def invalid(detail: str, *faults: Fault) -> Problem:
    """Return a request that can never be right as it is."""
    return Problem(422, Reason.INVALID.value, detail, faults)


def of_refusal(refused: Refused) -> Problem:
    """Return a refusal of the domain, by the table."""
    status = STATUS[refused.reason]
    faults = [Fault(refused.detail, f"#/{refused.field}")] if refused.field else []
    after = SET_RIGHT if refused.reason is Reason.CLOCK_WRONG else AGAIN
    later = {"Retry-After": after} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    more = {"goes_on_as": refused.goes_on_as} if refused.goes_on_as else {}
    return Problem(status, refused.reason.value, refused.detail, faults, later, more)


def of_failure(error: BaseException) -> Problem:
    """Anything else: an incident id and nothing about what happened; where it happened goes to the log."""
    if getattr(error, "away", False):
        detail = getattr(error, "detail", "the ledger is away; nothing was acknowledged, try again with the same key")
        return Problem(503, "unavailable", detail, headers={"Retry-After": AGAIN})
    incident = secrets.token_hex(6)
    frames = [f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    log.error("failed", incident=incident, error=type(error).__name__, where=frames[-8:])
    return Problem(500, "failed", f"something went wrong here; it is noted as incident {incident}")


def of_http(error: HTTPException) -> Problem:
    """Translate what the framework says: no such page, no such method."""
    phrase = HTTPStatus(error.status_code).phrase
    return Problem(error.status_code, phrase.lower().replace(" ", "_"), phrase.lower(), headers=error.headers or {})


def _methods(request: Request) -> list[str]:
    """What may be asked of this address, whichever of its routes the framework happened to find first (RFC 9110)."""
    routes = request.app.routes

    def there(method: str) -> bool:
        asked = {**request.scope, "method": method}
        return any(route.matches(asked)[0] is Match.FULL for route in routes)

    found = [method for method in ("GET", "POST", "PUT", "PATCH", "DELETE") if there(method)]
    return [*found, *(["HEAD"] if "GET" in found else []), "OPTIONS"]


def install(app: FastAPI) -> None:
    """Answer every failure of the app with a problem."""

    async def problem(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)
        return error.response()

    async def refused(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Refused)
        return of_refusal(error).response()

    async def unread(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        names = sorted({str(one["loc"][-1]) for one in error.errors()})
        return invalid(
            "a parameter has no usable value", *(Fault("cannot be read", parameter=n) for n in names)
        ).response()

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return of_http(error).response()
        taken = {"Allow": ", ".join(_methods(request))}
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=taken)
        return of_http(HTTPException(error.status_code, headers=taken)).response()

    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(RequestValidationError, unread)
    app.add_exception_handler(HTTPException, http)

"""The outermost layer: counts and times every request, limits addresses, and lets no error text out."""

from __future__ import annotations

import time
from collections.abc import Collection

import structlog
from opentelemetry.trace import get_current_span
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import clear_contextvars, get_contextvars

from api.http.health import METHODS, Figures
from api.http.limits import Throttle, address, is_known, note_head
from api.http.problems import Problem, of_failure
from api.http.strangers.addresses import readable, require_host

log = structlog.get_logger()
QUIET = ("/healthz", "/readyz", "/metrics")
GONE = 499
ENDLESS = "/stream"
"""Its head cannot be told without waiting for its body."""


class OuterMiddleware:
    """ASGI middleware. Logs the route's template, never an address: addresses carry tokens and numbers.

    What answers GET answers HEAD the same, without the body (RFC 9110 section 9.3.2).
    """

    def __init__(self, app: ASGIApp, figures: Figures, throttle: Throttle, hosts: Collection[str]) -> None:
        self._app = app
        self._figures = figures
        self._throttle = throttle
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).setdefault("X-Content-Type-Options", "nosniff")
                get_current_span().set_attributes({f"caravel.{n}": v for n, v in get_contextvars().items()})
            await send(message)

        clear_contextvars()
        scope.setdefault("state", {})
        head = scope["method"] == "HEAD" and scope["path"] != ENDLESS
        if head:
            note_head(scope)
        inner, answer = ({**scope, "method": "GET"}, _without_body(noted)) if head else (scope, noted)
        problem = await self._answer(inner, receive, answer)
        if problem is not None and not status:
            await problem.response()(inner, receive, answer)
        self._note({**inner, "method": scope["method"]}, status or GONE, time.perf_counter() - began)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> Problem | None:
        caller = address(Request(scope))
        try:
            require_host(scope, self._hosts)
            asked = readable(scope)
            if scope["path"] in QUIET:
                await self._app(asked, receive, send)
                return None
            await self._throttle.require_room("address", caller)
            try:
                await self._app(asked, receive, send)
            finally:
                if not is_known(scope):
                    await self._throttle.count("address", caller)
        except ClientDisconnect:
            return None
        except Problem as problem:
            return problem
        except Exception as error:  # noqa: BLE001 - its text may hold what it should not; the log gets where it was
            return of_failure(error)
        return None

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._figures.answered(method, route, status, seconds)
        if scope["path"] not in QUIET:
            log.info("answered", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


def _without_body(send: Send) -> Send:
    async def head(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return head

"""The simulated hospitals' FHIR R4 endpoints: conditional create and search of Task, one base address per centre."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.middleware.trustedhost import TrustedHostMiddleware

from activities import gateways
from infra.hospitals.codes import EFFECT
from infra.hospitals.fhir_map import Unmapped
from infra.hospitals.recall_tasks import request_of
from rehearsal.hospitals.desk import HospitalDesk, Reaction

HANGS = 120
FHIR_JSON = "application/fhir+json"
STATUS = {"created": 201, "known": 200, "refused": 422, "conflict": 409, "busy": 429, "error": 500}


def application(desk: HospitalDesk, woken: Callable[[], None]) -> FastAPI:
    """Return the HTTP face of a desk; `woken` is called when an answer may have come due earlier than thought."""
    app = FastAPI(title="Simulated hospitals", openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])

    @app.post("/{centre}/fhir/Task")
    async def create(centre: str, request: Request) -> Response:
        try:
            asked = request_of(json.loads(await request.body()), centre)
        except (Unmapped, ValueError, KeyError, TypeError, StopIteration):
            return _outcome(400, "invalid", "not a Task of Caravel")
        reaction = desk.receive(asked, datetime.now(UTC))
        woken()
        return await _rendered(reaction, asked)

    @app.get("/{centre}/fhir/Task")
    async def search(centre: str, identifier: str) -> Response:
        effect = identifier.removeprefix(f"{EFFECT}|")
        number = desk.book.find(effect, centre)
        found = [{"resource": _task(number, effect), "search": {"mode": "match"}}] if number else []
        return _fhir(200, {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": found})

    @app.put("/{centre}/fhir/Binary/{name}")
    async def upload(centre: str, name: str, request: Request) -> Response:
        digest, size = sha256(), 0
        async for part in request.stream():
            digest.update(part)
            size += len(part)
        times = desk.book.uploaded(centre, name, digest.hexdigest(), size)
        if not times:
            return _outcome(409, "conflict", "something else is kept under this id")
        return Response(status_code=201 if times == 1 else 200)

    @app.get("/healthz")
    async def healthz() -> Mapping[str, str]:
        return {"status": "ok"}

    @app.get("/book")
    async def book() -> Mapping[str, Any]:
        return {
            "effects": desk.book.effects(),
            "answers": desk.book.answers(),
            "documents": desk.book.documents(),
            "binaries": desk.book.binaries(),
        }

    return app


async def _rendered(reaction: Reaction, asked: gateways.Request) -> Response:
    match reaction.manner:
        case "created" | "known":
            headers = {"Location": f"Task/{reaction.number}/_history/1"}
            return _fhir(STATUS[reaction.manner], _task(reaction.number, asked.effect), headers)
        case "garbage":
            return Response("<html><body>Welcome to our hospital</body></html>", 200, media_type="text/html")
        case "hang":
            await asyncio.sleep(HANGS)
            return Response(status_code=504)
        case _:
            code = reaction.code or {"conflict": "conflict", "busy": "throttled"}.get(reaction.manner, "exception")
            return _outcome(STATUS[reaction.manner], code, "")


def _task(number: int, effect: str) -> dict[str, Any]:
    return {
        "resourceType": "Task",
        "id": str(number),
        "identifier": [{"system": EFFECT, "value": effect}],
        "status": "received",
        "intent": "order",
    }


def _outcome(status: int, code: str, text: str) -> Response:
    issue = {"severity": "error", "code": code} | ({"diagnostics": text} if text else {})
    return _fhir(status, {"resourceType": "OperationOutcome", "issue": [issue]})


def _fhir(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers=dict(headers or {}), media_type=FHIR_JSON)

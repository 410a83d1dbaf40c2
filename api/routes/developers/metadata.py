"""Says as a FHIR CapabilityStatement what Caravel takes from hospitals and what it asks of their servers."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

router = APIRouter(tags=["hospitals"])
STATED = "2026-12-01"
"""The day this was stated; it changes with what stands below."""
SIGNED = "RFC 9421 signature with Ed25519 over @method, @path and content-digest; see docs/fhir.md."
ANSWER = (
    "An answer is a new Task, posted to /hospitals/{centre}/callbacks; /hospitals/{centre}/callbacks/sandbox says what "
    "it would have recorded and keeps nothing."
)
STATEMENT: dict[str, Any] = {
    "resourceType": "CapabilityStatement",
    "status": "active",
    "date": STATED,
    "kind": "instance",
    "software": {"name": "Caravel"},
    "implementation": {
        "description": "Coordinates journeys to cell therapy; asks hospitals and hears from them by Task."
    },
    "fhirVersion": "4.0.1",
    "format": ["application/fhir+json"],
    "rest": [
        {
            "mode": "server",
            "documentation": "What hospitals send; everything else of a case is read over the API of its own (/docs).",
            "security": {"description": SIGNED},
            "resource": [
                {"type": "Task", "interaction": [{"code": "create"}], "documentation": ANSWER},
                {
                    "type": "Questionnaire",
                    "interaction": [{"code": "read"}],
                    "documentation": "The yearly questions of follow-up: /questionnaires/yearly-follow-up.",
                },
            ],
        },
        {
            "mode": "client",
            "documentation": "What a hospital's server is asked; nothing else is needed of it.",
            "resource": [
                {
                    "type": "Task",
                    "interaction": [{"code": "create"}, {"code": "search-type"}],
                    "conditionalCreate": True,
                    "searchParam": [{"name": "identifier", "type": "token"}],
                },
                {
                    "type": "Binary",
                    "interaction": [{"code": "update"}],
                    "updateCreate": True,
                    "documentation": "Only where the centre asked to be given documents (documents: binary).",
                },
            ],
        },
    ],
}


@router.get("/metadata", summary="FHIR CapabilityStatement")
async def metadata() -> JSONResponse:
    """Return what is taken from hospitals and asked of their servers, as a FHIR R4 CapabilityStatement."""
    return JSONResponse(STATEMENT, media_type="application/fhir+json")

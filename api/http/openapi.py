"""The API's own description (OpenAPI 3.1): the command unions, the headers they need, and what can go wrong."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from activities.command_codec import Commands
from api.http.command_json import CASE, CATALOGUE
from domain.catalogue.streams import CATALOGUE as KINDS

PROBLEM = "#/components/schemas/Problem"
PROBLEMS = {
    "400": "Malformed", "401": "Not signed in", "403": "Not allowed", "404": "Not found", "409": "Not now",
    "412": "Facts changed since the page was read", "413": "Too large", "422": "Can never be right",
    "429": "Too many requests", "503": "Try again with the same key",
}  # fmt: skip
KEY: dict[str, Any] = {
    "name": "Idempotency-Key", "in": "header", "required": True,
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
    "description": "A repeat with the same key and body gets the first result.",
}  # fmt: skip
MATCH: dict[str, Any] = {
    "name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"},
    "description": "The ETag a page was read at; facts by people and hospitals since then refuse the command.",
}  # fmt: skip


SCHEMES: dict[str, Any] = {
    "session": {
        "type": "http", "scheme": "bearer",
        "description": "The token of a sign-in, or an access token of the identity provider.",
    },
    "hospitalSignature": {
        "type": "apiKey", "in": "header", "name": "Signature",
        "description": "RFC 9421 with Ed25519 over @method, @path and content-digest (RFC 9530), beside "
        "Signature-Input; docs/fhir.md has a sample.",
    },
}  # fmt: skip
SIGNED = ("/hospitals/{centre}/callbacks", "/hospitals/{centre}/callbacks/sandbox")
OPEN = {
    "/healthz", "/readyz", "/metrics", "/metadata", "/dev/sign-in", "/reply/{token}",
    "/hospitals/{centre}/documents/{token}", "/questionnaires/yearly-follow-up",
}  # fmt: skip
"""What needs no sign-in."""
SAID: dict[str, Any] = {
    "resourceType": "Task", "status": "completed", "intent": "order",
    "identifier": [{"system": "urn:caravel:callback", "value": "7f1c2a"}],
    "basedOn": [{"identifier": {"system": "urn:caravel:effect", "value": "EFFECT"}}],
    "for": {"identifier": {"system": "urn:caravel:case", "value": "CASE"}},
    "businessStatus": {"coding": [{"system": "urn:caravel:command", "code": "IssueLetter"}]},
    "output": [
        {"type": {"coding": [{"system": "urn:caravel:field", "code": "ref"}]}, "valueString": "L-2026-114"},
        {
            "type": {"coding": [{"system": "urn:caravel:field", "code": "valid_until"}]},
            "valueDateTime": "2027-03-01T00:00:00+08:00",
        },
    ],
}  # fmt: skip
"""The answer of a hospital that issued a letter."""


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """FastAPI's description with what its routes read by themselves."""
    whole: dict[str, Any] = get_openapi(title=app.title, version="1", description=app.description, routes=app.routes)
    schemas = whole.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = {"type": "object", "properties": {"type": {"type": "string"}, "status": {"type": "integer"}}}
    bodies = {"/cases": _union("CaseOpening", CASE, schemas, ["OpenCase"])}
    bodies["/cases/{case}/commands"] = _union("CaseCommand", CASE, schemas, list(CASE.by_name))
    for prefix, kind in KINDS.items():
        names = [c.__name__ for c in kind.commands]
        title = prefix.capitalize()
        if opening := [name for name in names if name.startswith("Register")]:
            bodies[f"/{prefix}s"] = _union(f"{title}Opening", CATALOGUE, schemas, opening)
        bodies[f"/{prefix}s/{{entry}}/commands"] = _union(f"{title}Command", CATALOGUE, schemas, names)
    for path, body in bodies.items():
        operation = whole["paths"][path]["post"]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
        operation.setdefault("parameters", []).append(KEY)
        if path.endswith("/commands"):
            operation["parameters"].append(MATCH)
    whole["components"]["securitySchemes"] = SCHEMES
    whole["security"] = [{"session": []}]
    for path in SIGNED:
        whole["paths"][path]["post"]["requestBody"] = {
            "required": True, "content": {"application/fhir+json": {"schema": {"type": "object"}, "example": SAID}},
        }  # fmt: skip
    for path, operations in whole["paths"].items():
        for operation in operations.values():
            _problems(operation)
            if path in SIGNED:
                operation["security"] = [{"hospitalSignature": []}]
            elif path in OPEN:
                operation["security"] = []
    return whole


def _union(name: str, commands: Commands, schemas: dict[str, Any], names: list[str]) -> dict[str, Any]:
    _, members = commands.schema()
    schemas.update(members)
    schemas[name] = {"oneOf": [{"$ref": f"#/components/schemas/{one}"} for one in names]}
    return {"$ref": f"#/components/schemas/{name}"}


def _problems(operation: dict[str, Any]) -> None:
    for status, text in PROBLEMS.items():
        content = {"application/problem+json": {"schema": {"$ref": PROBLEM}}}
        operation["responses"][status] = {"description": text, "content": content}

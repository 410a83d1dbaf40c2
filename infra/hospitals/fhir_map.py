"""A request as one FHIR Task: its focus and documents are contained, so that a single conditional create is atomic."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from fhir.resources.R4B.task import Task
from pydantic import ValidationError

from activities.gateways import Request
from domain.case.asking import Asking
from domain.criteria.loinc import LOINC
from domain.criteria.summaries import SUMMARY as PATIENT_SUMMARY
from domain.stages.eligibility.handing_over import SUMMARY
from infra.hospitals.codes import ABOUT, ASKED, CASE, CENTRE, DOCUMENT, EFFECT, INPUT, INPUTS, KIND
from infra.hospitals.fhir_values import plain, valued

NOT_PLAIN = re.compile(r"[^A-Za-z0-9_]")


class Unmapped(ValueError):
    """This cannot be said in our FHIR; the text names the kind or the input, never a value."""


def task(request: Request) -> dict[str, Any]:
    """Return the Task a hospital is sent. Raises Unmapped for a kind, an input or a value outside our tables."""
    row = ASKED.get(request.kind)
    if row is None:
        raise Unmapped(f"hospitals are not sent {request.kind}")
    documents = [_document(request, n, digest) for n, digest in enumerate(request.documents)]
    documents += [_summary(request, request.links[SUMMARY])] if SUMMARY in request.links else []
    made = {
        "resourceType": "Task",
        "identifier": [{"system": EFFECT, "value": request.effect}],
        "groupIdentifier": {"system": ABOUT, "value": request.about},
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": KIND, "code": request.kind}], "text": row.words},
        "for": _case(request),
        "owner": {"identifier": {"system": CENTRE, "value": request.centre}},
        "contained": [_focus(request, row), *documents],
        "focus": {"reference": "#focus"},
        "input": [*_inputs(request.body), *_references(documents)],
    }
    return stated(made)


def stated(made: Mapping[str, Any]) -> dict[str, Any]:
    """Return a Task of our own making without its empty parts, proved to be R4B. Raises Unmapped."""
    filled = {key: value for key, value in made.items() if value not in (None, [], "")}
    _parsed(filled)
    return filled


def checked(read: Mapping[str, Any]) -> dict[str, Any]:
    """Return somebody else's Task as plain R4B JSON. Raises Unmapped naming the elements at fault."""
    shown: dict[str, Any] = _parsed(read).model_dump(mode="json", exclude_none=True)
    return shown


def _parsed(made: Mapping[str, Any]) -> Task:
    try:
        return Task.model_validate(made)
    except ValidationError as error:
        raise Unmapped(f"not a Task of R4B: {at_fault(error)}") from None


def at_fault(error: ValidationError) -> str:
    """Say where the faults are, at most five; what a stranger called an element is cut to plain letters."""
    paths = {".".join(NOT_PLAIN.sub("", str(part))[:40] for part in e["loc"]) for e in error.errors()}
    return ", ".join(sorted(paths)[:5])


def request_of(body: Mapping[str, Any], centre: str) -> Request:
    """Read a Task of ours as a hospital does. Raises Unmapped for a Task that is not one."""
    made = checked(body)
    kind = coded(made.get("code"), KIND)
    if kind not in ASKED:
        raise Unmapped("not a kind of effect")
    told = [r for r in made["contained"] if _is_document(r)]
    named = {identified(r.get("masterIdentifier"), DOCUMENT): str(r["content"][0]["attachment"]["url"]) for r in told}
    inputs: dict[str, Any] = {}
    for given in made.get("input", []):
        if name := coded(given["type"], INPUT):
            inputs[name] = plain(given)
    return Request(
        effect=next(i["value"] for i in made["identifier"] if i.get("system") == EFFECT),
        kind=kind,
        case=identified(made["for"].get("identifier"), CASE),
        about=identified(made.get("groupIdentifier"), ABOUT),
        to="hospital",
        centre=centre,
        body=inputs,
        documents=[name for name in named if name],
        links={name: url for name, url in named.items() if name and not url.startswith(DOCUMENT)},
    )


def coded(concept: Mapping[str, Any] | None, system: str) -> str:
    """Return the code a concept has in one of our systems; empty = none."""
    return next(iter(meant(concept, system)), "")


def meant(concept: Mapping[str, Any] | None, system: str) -> Sequence[str]:
    """Return every code a concept has in one of our systems, each once."""
    codings = (concept or {}).get("coding", [])
    return list(dict.fromkeys(str(c.get("code", "")) for c in codings if c.get("system") == system))


def identified(identifier: Mapping[str, Any] | None, system: str) -> str:
    """Return the value of an identifier of one of our systems; empty = none."""
    found = identifier or {}
    return str(found.get("value", "")) if found.get("system") == system else ""


def _case(request: Request) -> dict[str, Any]:
    return {"type": "Patient", "identifier": {"system": CASE, "value": request.case}}


def _focus(request: Request, row: Asking) -> dict[str, Any]:
    """The contained resource the Task is about, in the shape its type demands."""
    resource: dict[str, Any] = {"resourceType": row.focus, "id": "focus", "status": row.status}
    match row.focus:
        case "ServiceRequest":
            when = {"occurrencePeriod": period} if (period := _period(request)) else {}
            return resource | {"intent": "order", "subject": _case(request), "code": {"text": row.words}, **when}
        case "Appointment":
            who = {"actor": _case(request), "status": "needs-action"}
            return resource | {"participant": [who], "description": row.words} | _times(request, row)
        case "Communication":
            return resource | {"subject": _case(request), "payload": [{"contentString": row.words}]}


def _period(request: Request) -> dict[str, Any]:
    """From when until when it is wanted; empty = the request says nothing of it."""
    ends = {"start": request.body.get("starts"), "end": request.body.get("ends")}
    return ends if all(ends.values()) else {}


def _times(request: Request, row: Asking) -> dict[str, Any]:
    """A time that was chosen or is given back is the appointment's own; else the span within which one is asked for."""
    period = _period(request)
    if not period:
        return {}
    if request.body.get("slot"):
        return {"status": "pending", **period}
    return period if row.status == "cancelled" else {"requestedPeriod": [period]}


def _document(request: Request, number: int, digest: str) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "id": f"document-{number}",
        "masterIdentifier": {"system": DOCUMENT, "value": digest},
        "status": "current",
        "subject": _case(request),
        "content": [{"attachment": {"url": request.links.get(digest, f"{DOCUMENT}:{digest}")}}],
    }


def _summary(request: Request, address: str) -> dict[str, Any]:
    """The patient summary: made for this request, so that it has no name of its own among the stored documents."""
    return {
        "resourceType": "DocumentReference",
        "id": "summary",
        "status": "current",
        "type": {"coding": [{"system": LOINC, "code": PATIENT_SUMMARY}], "text": "Patient summary"},
        "subject": _case(request),
        "content": [{"attachment": {"contentType": "application/fhir+json", "url": address}}],
    }


def _is_document(resource: Mapping[str, Any]) -> bool:
    return resource.get("resourceType") == "DocumentReference"


def _references(documents: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for document in documents:
        yield {"type": {"text": "document"}, "valueReference": {"reference": f"#{document['id']}"}}


def _inputs(body: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for name, value in body.items():
        if name not in INPUTS:
            raise Unmapped(f"not an input: {name}")
        if not isinstance(value, bool | int | float | str | date | datetime):
            raise Unmapped(f"input {name} has a value FHIR has no word for")
        if value != "":
            yield {"type": {"coding": [{"system": INPUT, "code": name}]}, **_valued(name, value)}


def _valued(name: str, value: object) -> dict[str, Any]:
    try:
        return valued(value)
    except ValueError:
        raise Unmapped(f"input {name} is an instant without a zone") from None

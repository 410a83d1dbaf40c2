"""Summaries: what bundles of others said of the patient, by section, "none known" kept apart from "not said"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from activities.patient_summary.document import patient_summary
from api.http.auth import Parts, Who
from api.http.masking import Sees, mask, masked, shown
from api.ports import Service
from api.routes.reads import private, seen_case
from domain.case.state import Case
from domain.core.errors import Reason, require
from domain.roles import Actor
from domain.stages.records.summary import Section, sections

router = APIRouter(tags=["cases"])
FHIR = "application/fhir+json"


@router.get("/cases/{case}/summary")
async def summary_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> JSONResponse:
    """Return what bundles said of the patient, each statement with the bundle, section and entry it stands in.

    A section is `stated`, `none_known` or `not_said`; problems, allergies and medications are always among them.
    """
    state, _, now, visible = await seen_case(service, who, case, "observations", known_at)
    body = {
        "id": state.id,
        "sections": [_section(one, visible) for one in sections(state)] if "clinical" in visible else [],
        "bundles": [_bundle(state, name, visible) for name in state.summaries],
        "masked": masked(visible),
        "as_known_at": (known_at or now).isoformat(),
    }
    return JSONResponse(body, headers=private())


@router.get("/cases/{case}/ips")
async def patient_summary_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> Response:
    """Return the International Patient Summary of a case, as FHIR (docs/ips.md), for whoever sees name and findings.

    With `known_at`, as it would have been made then. The mandatory sections say so where nothing is known.
    """
    return await summary_for(service, who, case, known_at)


async def summary_for(service: Service, who: Actor, case: str, known_at: datetime | None = None) -> Response:
    """Make the summary of a case for somebody, as a file; the look is recorded. Raises Refused."""
    state, _, now, visible = await seen_case(service, who, case, "patient summary", known_at)
    seen = {"identity", "clinical"} <= visible
    require(seen, Reason.NOT_ALLOWED, "a patient summary is for those who see the patient's name and findings")
    body = as_fhir(patient_summary(state, known_at or now))
    name = {"Content-Disposition": f'attachment; filename="ips-{state.number}.json"'}
    return Response(body, media_type=FHIR, headers={**private(), **name})


def as_fhir(bundle: Mapping[str, Any]) -> bytes:
    """Return the bytes of a summary: the same for the same document."""
    return json.dumps(bundle, ensure_ascii=False, separators=(",", ":")).encode()


def _section(one: Section, visible: Sees) -> Mapping[str, Any]:
    told = [
        {**mask(t.statement, visible), "bundle": shown(t.bundle, "clinical", visible), "fact": t.fact} for t in one.told
    ]
    return {"section": one.name, "said": one.said, "statements": told}


def _bundle(case: Case, name: str, visible: Sees) -> Mapping[str, Any]:
    known = case.summaries[name]
    called = shown(known.bundle, "clinical", visible)
    return {"fact": name, "bundle": called, "statements": len(known.statements), "taken": known.at.isoformat()}

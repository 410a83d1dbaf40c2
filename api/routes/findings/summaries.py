"""Summaries: what bundles of others said of the patient, by section, "none known" kept apart from "not said"."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.http.auth import Parts, Who
from api.http.masking import Sees, mask, masked, shown
from api.routes.reads import private, seen_case
from domain.case.state import Case
from domain.stages.records.summary import Section, sections

router = APIRouter(tags=["cases"])


@router.get("/cases/{case}/summary")
async def summary_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> JSONResponse:
    """What summaries and bundles said of the patient, each statement with the bundle, section and entry it stands in.

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


def _section(one: Section, visible: Sees) -> Mapping[str, Any]:
    told = [
        {**mask(t.statement, visible), "bundle": shown(t.bundle, "clinical", visible), "fact": t.fact} for t in one.told
    ]
    return {"section": one.name, "said": one.said, "statements": told}


def _bundle(case: Case, name: str, visible: Sees) -> Mapping[str, Any]:
    known = case.summaries[name]
    called = shown(known.bundle, "clinical", visible)
    return {"fact": name, "bundle": called, "statements": len(known.statements), "taken": known.at.isoformat()}

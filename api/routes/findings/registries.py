"""Registries of cell therapy: which forms are due, how each stands, and the report of one as a FHIR bundle."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from activities.registry_reports.questionnaire import responses
from activities.registry_reports.report import registry_report
from api.http.auth import Parts, Who
from api.http.masking import masked, shown
from api.routes.findings.summaries import FHIR, as_fhir
from api.routes.reads import private, seen_case
from domain.core.errors import Reason, require
from domain.stages.follow_up.registries import Registry, form_lines, forms, require_consent

router = APIRouter(tags=["cases"])


@router.get("/cases/{case}/registries")
async def registries_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> JSONResponse:
    """Return the forms of every registry that is told of the patient, each with its due instant and how it stands.

    `stands`: accepted, rejected, owed or ahead. `consent` false: nothing is owed and no report is made.
    """
    state, _, _, visible = await seen_case(service, who, case, "registries", known_at)
    lines = [
        {
            "registry": one.registry,
            "form": one.form,
            "due": one.due.isoformat() if one.due else None,
            "stands": one.stands,
            "receipt": shown(one.receipt, "trace", visible),
            "rejected": one.rejected,
        }
        for one in form_lines(state)
    ]
    consent = state.consented("registry")
    body = {"consent": consent, "registries": list(state.registries), "forms": lines, "masked": masked(visible)}
    return JSONResponse(body, headers=private())


@router.get("/cases/{case}/registries/{registry}/{form}")
async def report_of(case: str, registry: str, form: str, service: Parts, who: Who) -> Response:
    """Return the report of a form as a FHIR R4 bundle to hand in, for those who see the patient's findings.

    Refused without the patient's consent to registries, and for a registry that is not told of the patient.
    """
    state, facts, now, visible = await seen_case(service, who, case, "registry report")
    seen = "clinical" in visible
    require(seen, Reason.NOT_ALLOWED, "a report to a registry is for those who see the patient's findings")
    require_consent(state)
    told = next((one for one in _registries() if one == registry and one in state.registries), None)
    require(told is not None, Reason.NOT_FOUND, "that registry is not told of this patient (ReportToRegistry)")
    assert told is not None
    names = [one.code for one in forms(state, told)]
    require(form in names, Reason.NOT_FOUND, f"forms of it are: {', '.join(names)}")
    body = as_fhir(registry_report(state, facts, told, form, now))
    name = {"Content-Disposition": f'attachment; filename="{registry}-{form}-{state.number}.json"'}
    return Response(body, media_type=FHIR, headers={**private(), **name})


def _registries() -> tuple[Registry, ...]:
    return get_args(Registry)


@router.get("/cases/{case}/yearly-answers")
async def answers_of(case: str, service: Parts, who: Who, known_at: datetime | None = None) -> Response:
    """Return the answers to the yearly questions as FHIR QuestionnaireResponses, for those who see findings."""
    state, facts, _, visible = await seen_case(service, who, case, "yearly answers", known_at)
    require("clinical" in visible, Reason.NOT_ALLOWED, "yearly answers are for those who see the patient's findings")
    subject = {"identifier": {"system": "urn:caravel:case", "value": state.id}}
    told = [{"resource": one} for one in responses(facts, subject)]
    body = as_fhir({"resourceType": "Bundle", "type": "collection", "entry": told})
    return Response(body, media_type=FHIR, headers=private())

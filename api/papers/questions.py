"""Fetches the yearly questions of follow-up as a FHIR Questionnaire, in the words their page shows a family."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from activities.registry_reports.questionnaire import questionnaire
from api.console.text.texts import Texts, languages, texts_for
from api.http.problems import Fault, invalid
from api.routes.findings.summaries import FHIR, as_fhir

router = APIRouter(tags=["papers"])


@router.get("/questionnaires/yearly-follow-up", response_class=Response)
async def yearly_questions(request: Request, language: str = "") -> Response:
    """Return what a family is asked once a year, for hospitals that answer for it; it holds nothing of a patient.

    `language` (en, zh, ar) chooses the words, otherwise `Accept-Language` does.
    """
    if language and language not in languages():
        raise invalid("no such language", Fault(f"one of {', '.join(languages())}", parameter="language"))
    texts = Texts(language) if language else texts_for(request)
    made = questionnaire(texts.language, lambda name: texts.named("field", name))
    return Response(as_fhir(made), media_type=FHIR, headers={"Vary": "Accept-Language, Cookie"})

"""Says the yearly questions as a FHIR Questionnaire, and each year's answers as a QuestionnaireResponse [FHIR R4]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID, uuid5

from activities.patient_summary.resources import TERMS, Resource
from domain.core.fact import Fact
from domain.core.personal import readable
from domain.stages.follow_up.questions import QUESTIONS, YearlyQuestionsAnswered

CANONICAL = "urn:caravel:questionnaire:yearly-follow-up"
VERSION = "1"
NAMES = UUID("2a8b1f0e-93d7-5c1c-8a53-3f4d5c1f7a10")
CODED = {
    "yes": {"system": f"{TERMS}/v2-0136", "code": "Y"},
    "no": {"system": f"{TERMS}/v2-0136", "code": "N"},
    "unknown": {"system": f"{TERMS}/data-absent-reason", "code": "unknown"},
}
"""What may be answered, in HL7's own codes."""


def questionnaire(language: str, named: Callable[[str], str]) -> Resource:
    """Return the questions in a language (BCP 47); `named` says each in its words."""
    options = [{"valueCoding": dict(one)} for one in CODED.values()]
    asked = [
        {"linkId": name, "text": named(name), "type": "choice", "required": True, "answerOption": options}
        for name in QUESTIONS
    ]
    return {
        "resourceType": "Questionnaire",
        "id": "yearly-follow-up",
        "url": CANONICAL,
        "version": VERSION,
        "status": "active",
        "language": language,
        "subjectType": ["Patient"],
        "item": [
            *asked,
            {"linkId": "died", "text": named("died"), "type": "boolean"},
            {"linkId": "detail", "text": named("detail"), "type": "text"},
        ],
    }


def responses(facts: Iterable[Fact[Any]], subject: Resource) -> Sequence[Resource]:
    """Return what was answered of each year, in order; an erased answer stands without a value."""
    return [_response(f, f.event, subject) for f in facts if isinstance(f.event, YearlyQuestionsAnswered)]


def _response(fact: Fact[Any], told: YearlyQuestionsAnswered, subject: Resource) -> Resource:
    items = [_item(name, getattr(told, name)) for name in QUESTIONS]
    detail = [{"linkId": "detail", "answer": [{"valueString": str(told.detail)}]}] if readable(told.detail) else []
    return {
        "resourceType": "QuestionnaireResponse",
        "id": str(uuid5(NAMES, fact.id)),
        "identifier": {"system": "urn:caravel:event", "value": fact.id},
        "questionnaire": f"{CANONICAL}|{VERSION}",
        "status": "completed",
        "subject": subject,
        "authored": fact.at.isoformat(),
        "item": [*items, *detail],
    }


def _item(name: str, answer: object) -> Resource:
    coding = CODED.get(str(answer)) if readable(answer) else None
    return {"linkId": name, **({"answer": [{"valueCoding": dict(coding)}]} if coding else {})}

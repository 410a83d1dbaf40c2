"""Makes the report of a form for a registry: a FHIR R4 collection of what the case knows by then, without a name.

It claims no profile of a registry: CIBMTR's reporting guide is a draft, and what it asks beyond this was not checked
(docs/registries.md). What is erased or not known is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from activities.patient_summary.resources import (
    UNKNOWN,
    Resource,
    concept,
    dated,
    of_diagnosis,
    of_infusion,
    of_therapy,
)
from activities.registry_reports.questionnaire import responses
from domain.case.phases.follow_up import RegistryForm
from domain.case.state import Case
from domain.core.fact import Fact
from domain.core.personal import readable
from domain.criteria.diseases import DISEASES
from domain.stages.follow_up.registries import Registry
from domain.stages.treatment.observations import DeathReported

NAMES = UUID("0d7c9f54-51b1-5a0a-9d7e-67c1c3a3a1c2")
GENDERS = ("male", "female", "other")
FORM = "urn:caravel:registry-form"


def registry_report(case: Case, facts: Sequence[Fact[Any]], registry: Registry, form: str, at: datetime) -> Resource:
    """Return the bundle of a form, the same for the same facts; what was sent back is made anew, with its round."""
    known: RegistryForm | None = case.registry_forms.get(f"{registry}/{form}")
    rounds = 1 + (known.rejected if known else 0)
    name = f"{case.id}/{registry}/{form}/{rounds}"
    patient = f"urn:uuid:{_id(name, 'patient')}"
    made = [_patient(case, facts, registry), *_clinical(case, facts, {"reference": patient})]
    urls = [patient, *(f"urn:uuid:{_id(name, str(number))}" for number in range(1, len(made)))]
    return {
        "resourceType": "Bundle",
        "id": _id(name, "bundle"),
        "identifier": {"system": FORM, "value": name},
        "type": "collection",
        "timestamp": at.isoformat(),
        "entry": [
            {"fullUrl": url, "resource": {"id": url.removeprefix("urn:uuid:"), **one}}
            for url, one in zip(urls, made, strict=True)
        ],
    }


def _id(name: str, part: str) -> str:
    return str(uuid5(NAMES, f"{name} {part}"))


def _patient(case: Case, facts: Sequence[Fact[Any]], registry: Registry) -> Resource:
    """The patient by the registry's number and our opaque one; no name, no contact."""
    number = case.registries.get(registry, "")
    there = [{"system": f"urn:caravel:registry:{registry}", "value": number}] if number else []
    died = next((f.occurred.day for f in reversed(facts) if isinstance(f.event, DeathReported)), None)
    deceased = {"deceasedDateTime": died.isoformat()} if died else {"deceasedBoolean": True}
    return {
        "resourceType": "Patient",
        "identifier": [*there, {"system": "urn:caravel:case", "value": case.id}],
        "gender": str(case.sex) if readable(case.sex) and case.sex in GENDERS else "unknown",
        **({"birthDate": str(case.birth)} if readable(case.birth) else {"_birthDate": UNKNOWN}),
        **(deceased if case.died else {}),
    }


def _clinical(case: Case, facts: Sequence[Fact[Any]], subject: Resource) -> Iterator[Resource]:
    """The disease, what was given before, the cells, responses, the worst of each adverse event, yearly answers."""
    code = str(case.disease) if readable(case.disease) else ""
    words = str(case.diagnosis) if readable(case.diagnosis) else code
    if words:
        yield of_diagnosis(words, DISEASES[code].icd10 if code in DISEASES else "", subject)
    yield from (of_therapy(one, subject) for one in case.therapies.values())
    yield from (of_infusion(one, subject) for one in case.infusions)
    for told in case.responses.values():
        if readable(told.result):
            yield _observed("Response", told.occurred.day, subject, valueString=str(told.result))
    for one in case.episodes.values():
        if readable(one.name) or readable(one.kind):
            yield _observed(f"{one.name or one.kind}, worst grade", None, subject, valueInteger=one.highest)
    yield from responses(facts, subject)


def _observed(words: str, day: Any, subject: Resource, **value: object) -> Resource:  # noqa: ANN401 - a date
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(words),
        "subject": subject,
        **dated("effective", day.isoformat() if day else "", needed=True),
        **value,
    }

"""Patient summaries as the guide shapes them, of an invented patient: sections, what is not known, what is empty."""

from __future__ import annotations

import json
from typing import Any

from tests.api.results.bundles import PATIENT, observation, patient, quantity

BASE = "https://clinic.example.org/fhir"
ABSENT = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
EMPTY = "http://terminology.hl7.org/CodeSystem/list-empty-reason"
SCT = "http://snomed.info/sct"
SUBJECT = {"subject": {"reference": PATIENT}}
Resource = dict[str, Any]


def concept(words: str = "", code: str = "", system: str = SCT) -> Resource:
    """What something is called, with a code or without."""
    coding = {"coding": [{"system": system, "code": code, "display": words}]} if code else {}
    return {**coding, **({"text": words} if words else {})}


def status(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


def section(code: str, *entries: str, **more: Any) -> Resource:
    """One section; what is listed are references."""
    listed = {"entry": [{"reference": one} for one in entries]} if entries else {}
    text = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
    told = {"title": "A section", "code": concept("", code, "http://loinc.org"), "text": text}
    return {**told, **listed, **more}


def empty(code: str, reason: str) -> Resource:
    return section(code, emptyReason=concept("", reason, EMPTY))


LYMPHOMA = {
    "resourceType": "Condition", "id": "dlbcl", **SUBJECT,
    "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "C83.3"}],
             "text": "Diffuse large B-cell lymphoma"},
    "clinicalStatus": status("condition-clinical", "active"),
    "verificationStatus": status("condition-ver-status", "confirmed"), "onsetDateTime": "2024-05",
    "stage": [{"summary": concept("Ann Arbor stage III")}],
}  # fmt: skip
ASTHMA = {
    "resourceType": "Condition", "id": "asthma", **SUBJECT, "code": concept("Asthma", "195967001"),
    "clinicalStatus": status("condition-clinical", "resolved"), "onsetDateTime": "1999",
    "abatementDateTime": "2010-06-01",
}  # fmt: skip
PENICILLIN = {
    "resourceType": "AllergyIntolerance", "id": "penicillin", "patient": {"reference": PATIENT},
    "code": concept("Penicillin", "764146007"), "criticality": "high",
    "reaction": [{"manifestation": [concept("Anaphylaxis")], "severity": "severe"}],
    "clinicalStatus": status("allergyintolerance-clinical", "active"),
}  # fmt: skip
NO_MEDICATION = {
    "resourceType": "MedicationStatement", "id": "none", "status": "unknown", **SUBJECT,
    "medicationCodeableConcept": concept("", "no-medication-info", ABSENT),
}  # fmt: skip
RITUXIMAB = {"resourceType": "Medication", "id": "rituximab", "code": concept("Rituximab")}
CHEMOTHERAPY = {
    "resourceType": "MedicationStatement", "id": "r-chop", "status": "completed", **SUBJECT,
    "medicationReference": {"reference": "Medication/rituximab"}, "dosage": [{"text": "six cycles"}],
    "effectivePeriod": {"start": "2024-06-01", "end": "2024-10-15"},
}  # fmt: skip
BIOPSY = {
    "resourceType": "Procedure", "id": "biopsy", "status": "completed", **SUBJECT,
    "code": concept("Lymph node biopsy"), "performedDateTime": "2024-05-02",
}  # fmt: skip
SMOKING = {
    "resourceType": "Observation", "id": "smoking", "status": "final", **SUBJECT,
    "code": concept("Tobacco smoking status", "72166-2", "http://loinc.org"),
    "effectiveDateTime": "2026-01-05", "valueCodeableConcept": concept("Never smoked"),
}  # fmt: skip
CREATININE = observation("2160-0", quantity(1.4, "mg/dL"), id="creatinine")
DOCTOR = {"resourceType": "Practitioner", "id": "doctor", "name": [{"text": "Dr Somebody"}]}


def summary(sections: list[Resource], *resources: Resource, **more: Any) -> Resource:
    """A document: the Composition first, then the patient, then the rest with addresses of one server."""
    composition = {
        "resourceType": "Composition", "id": "c", "status": "final", "type": concept("", "60591-5", "http://loinc.org"),
        **SUBJECT, "date": "2026-01-06", "author": [{"reference": "Practitioner/doctor"}],
        "title": "International Patient Summary", "section": sections,
    }  # fmt: skip
    entries = [
        {"fullUrl": f"{BASE}/Composition/c", "resource": composition},
        {"fullUrl": PATIENT, "resource": patient()},
        *({"fullUrl": f"{BASE}/{one['resourceType']}/{one['id']}", "resource": one} for one in resources),
    ]
    told = {"resourceType": "Bundle", "type": "document", "timestamp": "2026-01-06T10:00:00Z", "entry": entries}
    return {**told, "identifier": {"system": "urn:oid:1.2.3", "value": "summary-7"}, **more}


def sent(bundle: Resource) -> bytes:
    return json.dumps(bundle).encode()


SECTIONS = [
    section("11450-4", "Condition/dlbcl"),
    section("11348-0", "Condition/asthma"),
    section("48765-2", f"{BASE}/AllergyIntolerance/penicillin"),
    section("10160-0", "MedicationStatement/none"),
    section("47519-4", "Procedure/biopsy"),
    section("30954-2", "Observation/creatinine"),
    section("29762-2", "Observation/smoking"),
    empty("11369-6", "nilknown"),
    empty("46264-8", "notasked"),
    section("18776-5"),
]
RESOURCES = (LYMPHOMA, ASTHMA, PENICILLIN, NO_MEDICATION, BIOPSY, CREATININE, SMOKING, DOCTOR)
WHOLE = summary(SECTIONS, *RESOURCES)
"""Places: 1 Composition, 2 Patient, 3 lymphoma … 9 smoking, 10 the doctor."""

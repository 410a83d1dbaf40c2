"""Small bundles as Synthea and mCODE write them: one patient, and entries of the kinds that come with them."""

from __future__ import annotations

import json
from typing import Any

PATIENT = "urn:uuid:5cbc121b-cd71-4428-b8b7-31e53eba8184"
CANARY_NAME = {"use": "official", "family": "Canary-Øster", "given": ["Wilhelmina", "Maria"]}


def patient(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient", "id": "p1", "name": [CANARY_NAME], "gender": "female", "birthDate": "1980-03-02",
        **more,
    }  # fmt: skip


def observation(code: str, value: dict[str, Any], **more: Any) -> dict[str, Any]:
    """One as Synthea writes it: LOINC, UCUM, an instant with its zone, referring to the patient by urn."""
    return {
        "resourceType": "Observation", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": PATIENT}, "effectiveDateTime": "2026-01-05T09:30:00+05:30", **value, **more,
    }  # fmt: skip


def quantity(value: float, unit: str, **more: Any) -> dict[str, Any]:
    system = "http://unitsofmeasure.org"
    return {"valueQuantity": {"value": value, "unit": unit, "system": system, "code": unit, **more}}


def coded(code: str) -> dict[str, Any]:
    return {"valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": code}]}}


def bundle(*resources: dict[str, Any], **who: Any) -> bytes:
    entries = [{"fullUrl": PATIENT, "resource": patient(**who)}, *({"resource": one} for one in resources)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


CREATININE = observation(
    "2160-0", quantity(1.4, "mg/dL"), referenceRange=[{"high": {"value": 1.2, "code": "mg/dL"}}],
    performer=[{"display": "Lab A"}], specimen={"display": "serum"},
)  # fmt: skip
ECOG = observation("89247-1", {"valueInteger": 1}, effectiveDateTime="2026-01-04")
"""As mCODE writes it."""
HBSAG = observation("5196-1", coded("260385009"))
EVERYTHING = bundle(
    CREATININE,
    ECOG,
    HBSAG,
    observation("8480-6", quantity(120, "mm[Hg]")),
    observation("718-7", quantity(9, "g/dL"), status="preliminary"),
    observation("1742-6", quantity(3, "U/L", comparator="<")),
    observation("777-3", {"dataAbsentReason": {"text": "clotted"}}),
    observation("718-7", quantity(9, "g/dL"), subject={"reference": "Patient/other"}),
    {"resourceType": "Encounter", "status": "finished"},
    {"resourceType": "DiagnosticReport", "status": "final", "subject": {"reference": "Patient/p1"}},
    {"resourceType": "DocumentReference", "subject": {"reference": PATIENT}},
)

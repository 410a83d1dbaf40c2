"""Events as FHIR R4 AuditEvent: who did what to which case, when, and when it was recorded. Nothing personal."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from infra.exports.cloudevents import instant
from infra.ledger.encoding.stored import Stored

DICOM = "http://dicom.nema.org/resources/ontology/DCM"
REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
SUCCESS = "0"
PATIENT_RECORD = {"system": DICOM, "code": "110110", "display": "Patient Record"}
APPLICATION = {"system": DICOM, "code": "110100", "display": "Application Activity"}
PURPOSES: Mapping[str, str] = {
    "care_coordination": "COC",
    "treatment": "TREAT",
    "medical_review": "TREAT",
    "quality_assurance": "HQUALIMP",
    "operation": "HOPERAT",
    "audit": "HCOMPL",
}
"""Ours → v3-ActReason; what has no word there is given in ours alone."""
LOOKED = "CasesSeen"
NUMBER = re.compile(r"caravel-([0-9]+)")


def audit_event(row: Stored, log: str) -> dict[str, Any]:
    """Make one FHIR AuditEvent of a stored event."""
    meta, data = json.loads(row.meta), json.loads(row.data)
    about = data["cases"] if row.type == LOOKED else [row.stream]
    of_case = row.type == LOOKED or row.stream.startswith("case-")
    made = {
        "resourceType": "AuditEvent",
        "id": f"caravel-{row.position}",
        "type": PATIENT_RECORD if of_case else APPLICATION,
        "subtype": [{"system": "urn:caravel:event-type", "code": row.type}],
        "action": "R" if row.type == LOOKED else "C" if row.version == 1 else "U",
        "recorded": instant(row.recorded_at),
        "outcome": SUCCESS,
        "agent": _agents(meta),
        "source": {"observer": _known("urn:caravel:log", log)},
        "entity": [_entity(row, stream) for stream in about],
    }
    return {**made, **_period(row)}


def _period(row: Stored) -> dict[str, Any]:
    when = {"start": row.occurred.earliest, "end": row.occurred.latest}
    told = {name: instant(value) for name, value in when.items() if value}
    return {"period": told} if told else {}


def _known(system: str, value: str) -> dict[str, Any]:
    return {"identifier": {"system": system, "value": value}}


def _agents(meta: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Whoever recorded it, and for whom; a rule asks for nothing itself."""
    purpose: str = meta.get("purpose", "")
    codes = [{"system": "urn:caravel:purpose", "code": purpose}] if purpose else []
    codes += [{"system": REASON, "code": PURPOSES[purpose]}] if purpose in PURPOSES else []
    why = {"purposeOfUse": [{"coding": codes}]} if codes else {}
    by_itself = meta.get("why") is not None
    first = {"who": _known("urn:caravel:actor", meta["actor"]), "requestor": not by_itself, **why}
    behalf = meta.get("on_behalf_of")
    return [first, {"who": _known("urn:caravel:actor", behalf), "requestor": False}] if behalf else [first]


def _entity(row: Stored, stream: str) -> dict[str, Any]:
    detail = {"position": str(row.position), "version": str(row.version), "event": row.id, "hash": row.hash.hex()}
    return {
        "what": _known(f"urn:caravel:{stream.partition('-')[0]}", stream),
        "type": {"system": ENTITY, "code": "2", "display": "System Object"},
        "role": {"system": ROLE, "code": "4", "display": "Domain Resource"},
        "detail": [{"type": name, "valueString": value} for name, value in detail.items()],
    }


def position(resource: Mapping[str, Any]) -> int:
    """Read the position of an exported event. Raises KeyError, ValueError."""
    found = NUMBER.fullmatch(resource["id"])
    if found is None:
        raise ValueError("not one of ours")
    return int(found[1])

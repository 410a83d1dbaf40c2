"""The rules of the IPS guide 2.0.0 that are checked here [criteria.ips-out]: of Bundle, Composition and its entries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhir.resources.R4B.bundle import Bundle

from activities.patient_summary.resources import UNKNOWN

MANDATORY = ("11450-4", "48765-2", "10160-0")
LISTED: Mapping[str, tuple[str, ...]] = {
    "11450-4": ("Condition",), "48765-2": ("AllergyIntolerance",), "10160-0": ("MedicationStatement",),
    "11369-6": ("Immunization",), "47519-4": ("Procedure",), "46264-8": ("DeviceUseStatement",),
    "30954-2": ("Observation",), "11348-0": ("Condition",), "47420-5": ("Condition", "ClinicalImpression"),
    "29762-2": ("Observation",), "8716-3": ("Observation",), "10162-6": ("Observation",), "18776-5": ("CarePlan",),
    "42348-3": ("Consent",), "104605-1": ("Flag",), "81338-6": (),
}  # fmt: skip
DATES: Mapping[str, str] = {
    "MedicationStatement": "effective", "Procedure": "performed", "Immunization": "occurrence",
    "DeviceUseStatement": "timing", "Observation": "effective",
}  # fmt: skip


def broken(bundle: Mapping[str, Any]) -> list[str]:
    """What of the rules does not hold; empty = all of them do. Raises ValidationError for what is no FHIR."""
    entries = [{**one, "resource": _with_a_day(one["resource"])} for one in bundle["entry"]]
    Bundle.model_validate({**bundle, "entry": entries})
    return list(_broken(bundle))


def _with_a_day(one: Mapping[str, Any]) -> Mapping[str, Any]:
    """FHIR lets an extension stand in a value's place; the model does so for single types, not for a needed choice."""
    if one.get("_occurrenceDateTime") != UNKNOWN:
        return one
    return {
        **{name: value for name, value in one.items() if name != "_occurrenceDateTime"},
        "occurrenceDateTime": "1999",
    }


def _broken(bundle: Mapping[str, Any]) -> Iterator[str]:
    entries = bundle["entry"]
    by_url = {one["fullUrl"]: one["resource"] for one in entries}
    kinds = [one["resource"]["resourceType"] for one in entries]
    if bundle["type"] != "document" or not bundle["identifier"]["value"] or not bundle["timestamp"]:
        yield "Bundle: type, identifier, timestamp"
    if len(by_url) != len(entries):
        yield "Bundle: each fullUrl once"
    if kinds[0] != "Composition" or kinds.count("Composition") != 1 or kinds.count("Patient") != 1:
        yield "Bundle: one Composition, which stands first, and one Patient"
    composition = entries[0]["resource"]
    yield from _composition(composition, by_url)
    reached = {e["reference"] for s in composition["section"] for e in s.get("entry", ())}
    reached |= {composition["subject"]["reference"], *(one["reference"] for one in composition["author"])}
    if set(by_url) - reached - {entries[0]["fullUrl"]}:
        yield "Bundle: every entry is reached from the Composition"
    for resource in by_url.values():
        yield from _resource(resource, composition["subject"]["reference"])


def _composition(one: Mapping[str, Any], by_url: Mapping[str, Any]) -> Iterator[str]:
    if one["type"]["coding"] != [{"system": "http://loinc.org", "code": "60591-5"}]:
        yield "Composition: the type of a patient summary"
    if by_url.get(one["subject"]["reference"], {}).get("resourceType") != "Patient":
        yield "Composition: about the patient"
    if not one["title"] or not one["date"] or any(a["reference"] not in by_url for a in one["author"]):
        yield "Composition: title, date, author"
    codes = [section["code"]["coding"][0]["code"] for section in one["section"]]
    if len(set(codes)) != len(codes) or set(MANDATORY) - set(codes):
        yield "Composition: each section once, the mandatory ones always"
    for section, code in zip(one["section"], codes, strict=True):
        if not section["title"] or not section["text"]["div"] or "section" in section:
            yield f"{code}: title, words, nothing nested"
        listed = [by_url.get(entry["reference"], {}).get("resourceType") for entry in section.get("entry", ())]
        if code in MANDATORY and bool(listed) == ("emptyReason" in section):
            yield f"{code}: entries, or the reason why there are none (ips-comp-1)"
        if set(listed) - set(LISTED[code]):
            yield f"{code}: entries of its types"


def _resource(one: Mapping[str, Any], patient: str) -> Iterator[str]:
    kind = one["resourceType"]
    if kind == "Patient" and not (one["name"][0].get("text") and (one.get("birthDate") or one.get("_birthDate"))):
        yield "Patient: a name (ips-pat-1), and a birth date or that it is unknown"
    subject = one.get("subject") or one.get("patient")
    if subject is not None and kind != "Patient" and subject["reference"] != patient:
        yield f"{kind}: about the patient"
    named = one.get("code") or one.get("medicationCodeableConcept") or one.get("vaccineCode")
    if named is not None and not (named.get("text") or named.get("coding")):
        yield f"{kind}: says what it is"
    stem = DATES.get(kind)
    if stem and not any(name.lstrip("_").startswith(stem) for name in one):
        yield f"{kind}: a date, or that it is unknown"
    if kind == "Condition" and not one["clinicalStatus"]:
        yield "Condition: a clinical status"
    if kind == "Observation" and not any(name.startswith("value") or name == "dataAbsentReason" for name in one):
        yield "Observation: a value, or that there is none"

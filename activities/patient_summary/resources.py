"""Makes one FHIR R4 resource of one statement, therapy or result; what is not known is said to be so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from domain.case.phases.findings import Sample, SectionName, StatementKind, Therapy
from domain.case.treatment import Infusion
from domain.core.personal import readable
from domain.criteria.analytes import ANALYTES
from domain.criteria.loinc import ANALYTE_OF, LOINC
from domain.stages.records.summary import ToldStatement

Resource = dict[str, Any]
ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
TERMS = "http://terminology.hl7.org/CodeSystem"
UCUM = "http://unitsofmeasure.org"
UNKNOWN: Resource = {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}
CLINICAL = ("active", "recurrence", "relapse", "inactive", "remission", "resolved")
OVER = ("inactive", "remission", "resolved")
VERIFIED = ("unconfirmed", "provisional", "differential", "confirmed")
ALLERGY_CLINICAL = ("active", "inactive", "resolved")
TAKEN = ("active", "completed", "intended", "stopped", "on-hold", "unknown", "not-taken")
DONE = ("preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "unknown")
USED = ("active", "completed", "intended", "stopped", "on-hold")
UNSAID = ("not_known",)


def concept(text: object, code: object = "") -> Resource:
    """Return a CodeableConcept of words and of `system|code`."""
    system, _, plain = str(code).rpartition("|") if readable(code) else ("", "", "")
    coding = {"coding": [{"system": system, "code": plain}]} if system and plain else {}
    return {**coding, **({"text": str(text)} if readable(text) else {})}


def coded(name: str, code: str) -> Resource:
    """Return a CodeableConcept of one of FHIR's own code systems."""
    return {"coding": [{"system": f"{TERMS}/{name}", "code": code}]}


def dated(name: str, began: object, ended: object = "", *, needed: bool = False) -> Resource:
    """Return `nameDateTime`, or `namePeriod` where an end is known, or that it is unknown where one is needed."""
    first, last = (str(one) if readable(one) else "" for one in (began, ended))
    if last:
        return {f"{name}Period": {**({"start": first} if first else {}), "end": last}}
    if first:
        return {f"{name}DateTime": first}
    return {f"_{name}DateTime": UNKNOWN} if needed else {}


def _one_of(status: object, known: Iterable[str], otherwise: str) -> str:
    said = str(status).split(", ") if readable(status) else []
    return next((one for one in said if one in known), otherwise)


def _note(told: ToldStatement) -> Resource:
    """Where it stands, and what else it says."""
    one = told.statement
    bundle = f"Told in {told.bundle}, entry {one.entry}" if readable(told.bundle) else ""
    words = "; ".join(filter(None, (str(one.detail) if readable(one.detail) else "", bundle)))
    return {"note": [{"text": words}]} if words else {}


def _condition(told: ToldStatement, subject: Resource) -> Resource:
    one = told.statement
    over = readable(one.ended)
    clinical = _one_of(one.status, OVER if over else CLINICAL, "resolved" if over else "active")
    ends = {"abatementDateTime": str(one.ended)} if over else {}
    return {
        "resourceType": "Condition",
        "clinicalStatus": coded("condition-clinical", clinical),
        "verificationStatus": coded("condition-ver-status", _one_of(one.status, VERIFIED, "unconfirmed")),
        "category": [coded("condition-category", "problem-list-item")],
        "code": concept(one.text, one.code),
        "subject": subject,
        **dated("onset", one.began),
        **ends,
        **_note(told),
    }


def _allergy(told: ToldStatement, subject: Resource) -> Resource:
    one = told.statement
    return {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": coded("allergyintolerance-clinical", _one_of(one.status, ALLERGY_CLINICAL, "active")),
        "verificationStatus": coded(
            "allergyintolerance-verification", _one_of(one.status, ALLERGY_SURE, "unconfirmed")
        ),
        "code": concept(one.text, one.code),
        "patient": subject,
        **dated("onset", one.began),
        **_note(told),
    }


ALLERGY_SURE = ("unconfirmed", "presumed", "confirmed")


def _medication(told: ToldStatement, subject: Resource) -> Resource:
    one = told.statement
    return {
        "resourceType": "MedicationStatement",
        "status": _one_of(one.status, TAKEN, "unknown"),
        "medicationCodeableConcept": concept(one.text, one.code),
        "subject": subject,
        **dated("effective", one.began, one.ended, needed=True),
        **_note(told),
    }


def _procedure(told: ToldStatement, subject: Resource) -> Resource:
    one = told.statement
    return {
        "resourceType": "Procedure",
        "status": _one_of(one.status, DONE, "unknown"),
        "code": concept(one.text, one.code),
        "subject": subject,
        **dated("performed", one.began, one.ended, needed=True),
        **_note(told),
    }


def _immunization(told: ToldStatement, subject: Resource) -> Resource:
    one = told.statement
    return {
        "resourceType": "Immunization",
        "status": _one_of(one.status, ("completed", "not-done"), "completed"),
        "vaccineCode": concept(one.text, one.code),
        "patient": subject,
        **dated("occurrence", one.began, needed=True),
        **_note(told),
    }


def _device(told: ToldStatement, subject: Resource) -> Resource:
    one = told.statement
    return {
        "resourceType": "DeviceUseStatement",
        "contained": [{"resourceType": "Device", "id": "device", "type": concept(one.text, one.code)}],
        "status": _one_of(one.status, USED, "active"),
        "subject": subject,
        "device": {"reference": "#device"},
        **dated("timing", one.began, one.ended, needed=True),
        **_note(told),
    }


def _finding(told: ToldStatement, subject: Resource) -> Resource:
    one = told.statement
    said = {"valueString": str(one.detail)} if readable(one.detail) else {"dataAbsentReason": coded(DAR, "unknown")}
    source = {"note": [{"text": f"Told in {told.bundle}, entry {one.entry}"}]} if readable(told.bundle) else {}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(one.text, one.code),
        "subject": subject,
        **dated("effective", one.began, needed=True),
        "performer": [{"display": "not known"}],
        **said,
        **source,
    }


DAR = "data-absent-reason"
MADE: Mapping[StatementKind, Callable[[ToldStatement, Resource], Resource]] = {
    "condition": _condition,
    "allergy": _allergy,
    "medication": _medication,
    "procedure": _procedure,
    "immunization": _immunization,
    "device": _device,
    "finding": _finding,
}
"""Kind of statement → its resource; plans, directives and alerts are told in the words of their section."""
LISTS: Mapping[SectionName, tuple[StatementKind, ...]] = {
    "problems": ("condition",),
    "past_illness": ("condition",),
    "functional_status": ("condition",),
    "allergies": ("allergy",),
    "medications": ("medication",),
    "procedures": ("procedure",),
    "immunizations": ("immunization",),
    "devices": ("device",),
    **dict.fromkeys(("results", "social_history", "vital_signs", "pregnancy"), ("finding",)),
}
"""Section → what the guide lets stand in it as entries; the rest is told in its words."""


def of_statement(told: ToldStatement, subject: Resource) -> Resource | None:
    """Return the resource of a statement; None where it is told in words, or its words are erased."""
    one = told.statement
    named = readable(one.text) or readable(one.code)
    if one.said != "stated" or not named or one.kind not in LISTS.get(one.section, ()):
        return None
    return MADE[one.kind](told, subject)


def of_diagnosis(diagnosis: str, icd10: str, subject: Resource) -> Resource:
    """Return the condition the case is about, as whoever opened the case or a person stated it."""
    code = f"http://hl7.org/fhir/sid/icd-10|{icd10}" if icd10 else ""
    return {
        "resourceType": "Condition",
        "clinicalStatus": coded("condition-clinical", "active"),
        "verificationStatus": coded("condition-ver-status", "unconfirmed"),
        "category": [coded("condition-category", "problem-list-item")],
        "code": concept(diagnosis, code),
        "subject": subject,
    }


def of_therapy(one: Therapy, subject: Resource) -> Resource:
    """Return a prior therapy as a procedure, with its line, what came of it and why it ended as a note."""
    began, ended = (day.isoformat() if day else "" for day in (one.started, one.ended))
    given = one.ended_because not in ("manufacture_failed", "not_feasible", "too_slow")
    said = [
        f"line {one.line}" if one.line else "",
        f"against {one.target}" if one.target else "",
        *(word.replace("_", " ") for word in (one.best_response, one.ended_because) if word not in UNSAID),
    ]
    note = "; ".join(filter(None, said))
    name = str(one.name) if readable(one.name) else ""
    return {
        "resourceType": "Procedure",
        "status": ("in-progress" if one.ended_because == "under_way" else "completed") if given else "not-done",
        "code": concept(f"{one.kind.replace('_', ' ')}: {name}" if name else one.kind.replace("_", " ")),
        "subject": subject,
        **dated("performed", began, ended, needed=True),
        **({"note": [{"text": note}]} if note else {}),
    }


def of_infusion(one: Infusion, subject: Resource) -> Resource:
    """Return cells that went in as a procedure, with the day as far as it is known."""
    day = one.occurred.day
    given = day.isoformat() if day else ""
    words = f"Infusion {one.number} of gene-modified immune cells"
    return {
        "resourceType": "Procedure",
        "status": "completed",
        "code": concept(f"{words}, {given}" if given else words),
        "subject": subject,
        **dated("performed", given, needed=True),
    }


def of_sample(one: Sample, subject: Resource) -> Resource | None:
    """Return a result as it was written, in its own unit; None where it is erased."""
    known, row = one.observed, ANALYTES.get(one.observed.analyte)
    if row is None or not readable(known.value):
        return None
    when = one.taken.earliest if one.taken.precision == "instant" else None
    day = one.taken.day
    taken = when.isoformat() if when else day.isoformat() if day else ""
    words = " ".join(filter(None, (known.analyte.replace("_", " "), known.target)))
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [coded("observation-category", "laboratory" if row.unit else "exam")],
        "code": concept(words, _loinc(known.analyte)),
        "subject": subject,
        **dated("effective", taken, needed=True),
        "performer": [{"display": str(known.laboratory) if readable(known.laboratory) else "not known"}],
        **_value(str(known.value), known.unit),
        **({"method": {"text": known.method}} if known.method else {}),
    }


def _loinc(analyte: str) -> str:
    """The LOINC code, where one alone leads to what is observed; several differ in more than the name."""
    found = [code for code, name in ANALYTE_OF.items() if name == analyte]
    return f"{LOINC}|{found[0]}" if len(found) == 1 else ""


def _value(value: str, unit: str) -> Resource:
    """A number with its UCUM unit, or what was stated, in words."""
    try:
        number = float(value)
    except ValueError:
        return {"valueString": value}
    if not unit:
        return {"valueInteger": int(number)} if number.is_integer() else {"valueString": value}
    return {"valueQuantity": {"value": number, "unit": unit, "system": UCUM, "code": unit}}

"""Puts the patient summary of a case together: the Composition, the patient, and every section that says something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from uuid import UUID, uuid5

from activities.patient_summary.resources import (
    TERMS,
    UNKNOWN,
    Resource,
    concept,
    of_diagnosis,
    of_infusion,
    of_sample,
    of_statement,
    of_therapy,
)
from domain.case.phases.findings import Said, SectionName
from domain.case.state import Case
from domain.core.errors import Reason, require
from domain.core.personal import readable
from domain.criteria.diseases import DISEASES
from domain.criteria.loinc import LOINC
from domain.criteria.summaries import SECTION_OF, SUMMARY
from domain.stages.records.summary import MANDATORY, SECTIONS, Section, sections

NAMES = UUID("5f0c9f1e-6f0c-5a55-9a0b-5d7f3b0c7b11")
"""Namespace of the ids of what stands in a summary, so that the same facts make the same document."""
GUIDE = "http://hl7.org/fhir/uv/ips/StructureDefinition"
CODE_OF: Mapping[SectionName, str] = {name: code for code, name in SECTION_OF.items()}
TITLE: Mapping[SectionName, str] = {
    "problems": "Problem list", "allergies": "Allergies and intolerances", "medications": "Medication summary",
    "immunizations": "Immunizations", "procedures": "History of procedures and prior therapies",
    "devices": "Medical devices", "results": "Results", "past_illness": "History of past illness",
    "functional_status": "Functional status", "plan_of_care": "Plan of care", "social_history": "Social history",
    "vital_signs": "Vital signs", "advance_directives": "Advance directives", "pregnancy": "History of pregnancy",
    "alerts": "Alerts", "patient_story": "Patient story",
}  # fmt: skip
REASON: Mapping[Said, tuple[str, str]] = {
    "none_known": ("nilknown", "Nothing is known."),
    "not_said": ("unavailable", "No information is available."),
}
GENDERS = ("male", "female", "other", "unknown")


@dataclass(slots=True)
class Filled:
    """One section while it is filled: its resources, and lines of words for each of them and for what has none."""

    said: Said = "not_said"
    resources: list[Resource] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def patient_summary(case: Case, at: datetime) -> Resource:
    """Return the summary of a case as it stands, as a Bundle of type document, dated `at`.

    Raises Refused where the patient's name cannot be read: a summary of nobody helps nobody.
    """
    patient = case.patient
    require(patient and readable(patient.name), Reason.UNAVAILABLE, "the patient's name cannot be read, or is erased")
    made = _Made(case, at)
    return made.bundle()


def told_in_words(case: Case) -> Sequence[tuple[SectionName, Sequence[str]]]:
    """Return what the summary of a case says to people: its sections in order, each with its lines."""
    return [(name, _words(one)) for name, one in _filled(case, {})]


class _Made:
    """The entries of one summary, with an id for each that follows from the case and its place."""

    def __init__(self, case: Case, at: datetime) -> None:
        self._case, self._at = case, at
        self._entries: list[Resource] = []
        self._composition, self._patient, self._author = (self._url(n) for n in ("composition", "patient", "author"))
        self._subject = {"reference": self._patient}

    def bundle(self) -> Resource:
        parts = [self._section(name, one) for name, one in _filled(self._case, self._subject)]
        whole = [
            _entry(self._composition, self._composed(parts)),
            _entry(self._patient, self._of_patient()),
            _entry(self._author, _author()),
            *self._entries,
        ]
        return {
            "resourceType": "Bundle",
            "id": self._id("bundle"),
            "meta": {"profile": [f"{GUIDE}/Bundle-uv-ips"]},
            "identifier": {"system": "urn:ietf:rfc:3986", "value": self._url(f"bundle {self._at.isoformat()}")},
            "type": "document",
            "timestamp": self._at.isoformat(),
            "entry": whole,
        }

    def _id(self, name: str) -> str:
        return str(uuid5(NAMES, f"{self._case.id} {name}"))

    def _url(self, name: str) -> str:
        return f"urn:uuid:{self._id(name)}"

    def _composed(self, parts: Sequence[Resource]) -> Resource:
        return {
            "resourceType": "Composition",
            "meta": {"profile": [f"{GUIDE}/Composition-uv-ips"]},
            "status": "final",
            "type": concept("Patient summary", f"{LOINC}|{SUMMARY}"),
            "subject": self._subject,
            "date": self._at.isoformat(),
            "author": [{"reference": self._author}],
            "title": "International Patient Summary",
            "section": list(parts),
        }

    def _of_patient(self) -> Resource:
        case, patient = self._case, self._case.patient
        assert patient is not None
        born = {"birthDate": str(case.birth)} if readable(case.birth) else {"_birthDate": UNKNOWN}
        sex = str(case.sex) if readable(case.sex) and case.sex in GENDERS else "unknown"
        return {
            "resourceType": "Patient",
            "identifier": [{"system": "urn:caravel:case", "value": case.id}],
            "name": [{"text": str(patient.name)}],
            "gender": sex,
            **born,
            "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": case.language}]}}],
        }

    def _section(self, name: SectionName, filled: Filled) -> Resource:
        """A section with its entries, or why there are none; its words say all of it."""
        references = []
        for number, resource in enumerate(filled.resources):
            url = self._url(f"{name} {number}")
            self._entries.append(_entry(url, resource))
            references.append({"reference": url})
        code = REASON.get(filled.said, ("unavailable", ""))[0]
        empty = {} if references or filled.lines else {"emptyReason": _reason(code)}
        if name in MANDATORY and not references:
            empty = {"emptyReason": _reason(code)}
        return {
            "title": TITLE[name],
            "code": {"coding": [{"system": LOINC, "code": CODE_OF[name]}]},
            "text": {"status": "generated", "div": _div(_words(filled))},
            **({"entry": references} if references else {}),
            **empty,
        }


def _words(filled: Filled) -> Sequence[str]:
    """The lines of a section, or that nothing is known of it."""
    return filled.lines or [REASON.get(filled.said, ("", ""))[1]]


def _filled(case: Case, subject: Resource) -> Iterator[tuple[SectionName, Filled]]:
    """Each section of which something is known, and the mandatory ones, in their order."""
    found = {one.name: _of_section(one, subject) for one in sections(case) if one.name in TITLE}
    _own(case, found, subject)
    for name in SECTIONS:
        if name in found:
            yield name, found[name]


def _of_section(one: Section, subject: Resource) -> Filled:
    filled = Filled(one.said)
    for told in one.told:
        resource = of_statement(told, subject)
        if resource is not None:
            filled.resources.append(resource)
        if line := _line(told.statement.text, told.statement.code, told.statement.detail, told.statement.began):
            filled.lines.append(line if told.statement.said == "stated" else f"{line} (as another summary says)")
        elif told.statement.said == "none_known" and one.said == "stated":
            filled.lines.append("Another summary says that nothing is known.")
    return filled


def _own(case: Case, found: dict[SectionName, Filled], subject: Resource) -> None:
    """What the case itself knows: the diagnosis, prior therapies, the cells that were given, results."""
    code = str(case.disease) if readable(case.disease) else ""
    if readable(case.diagnosis) or code:
        words = (
            str(case.diagnosis) if readable(case.diagnosis) else DISEASES[code].names[0] if code in DISEASES else code
        )
        icd10 = DISEASES[code].icd10 if code in DISEASES else ""
        told = any(one["code"].get("text") == words for one in found["problems"].resources)
        if not told:
            _put(found, "problems", of_diagnosis(words, icd10, subject))
    for therapy in case.therapies.values():
        _put(found, "procedures", of_therapy(therapy, subject))
    for infusion in case.infusions:
        _put(found, "procedures", of_infusion(infusion, subject))
    for sample in case.samples.values():
        if (resource := of_sample(sample, subject)) is not None:
            _put(found, "results", resource)


def _put(found: dict[SectionName, Filled], name: SectionName, resource: Resource) -> None:
    filled = found.setdefault(name, Filled())
    filled.said = "stated"
    filled.resources.append(resource)
    value = resource.get("valueQuantity", {})
    said = (resource.get("valueString"), resource.get("valueInteger"), value.get("value"), value.get("unit"))
    words = [resource["code"].get("text", ""), *(str(one) for one in said if one is not None)]
    filled.lines.append(" ".join(words))


def _line(*parts: object) -> str:
    return ", ".join(str(one) for one in parts if readable(one))


def _reason(code: str) -> Resource:
    return {"coding": [{"system": f"{TERMS}/list-empty-reason", "code": code}]}


def _div(lines: Sequence[str]) -> str:
    listed = "".join(f"<li>{escape(_plain(line))}</li>" for line in lines)
    return f'<div xmlns="http://www.w3.org/1999/xhtml"><ul>{listed}</ul></div>'


def _plain(text: str) -> str:
    """The text without what XML cannot hold."""
    return "".join(one for one in text if one >= " " or one in "\t\n")


def _author() -> Resource:
    return {"resourceType": "Device", "deviceName": [{"name": "Caravel", "type": "user-friendly-name"}]}


def _entry(url: str, resource: Resource) -> Resource:
    return {"fullUrl": url, "resource": {**resource, "id": url.removeprefix("urn:uuid:")}}

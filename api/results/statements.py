"""Conditions, allergies, medications, procedures and more of a FHIR R4 bundle as statements [criteria.ips]."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from api.results.tree import WORDS, Tree, codes, first_code, kind_of, label, number, objects, text, tree
from domain.case.phases.findings import Said, SectionName, Statement, StatementKind
from domain.criteria.conditions import disease_named
from domain.criteria.loinc import SNOMED
from domain.criteria.summaries import ICD10, NONE_KNOWN, said_by

MISTAKES = frozenset({"entered-in-error", "refuted"})
Find = Callable[[Tree, Tree], Tree]
"""Finds what a reference in a resource points at, in the bundle or contained; empty = nowhere."""
Dates = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Reads:
    """A row: the statement a type of resource makes, where it usually stands, and the elements it is read from."""

    kind: StatementKind
    section: SectionName
    concept: Callable[[Tree, Find], Tree]
    subject: str = "subject"
    begins: str = ""
    ends: str = ""
    detail: Callable[[Tree], Iterable[str]] = lambda _: ()


def _coded(name: str) -> Callable[[Tree, Find], Tree]:
    return lambda one, _: tree(one, name)


def _medication(one: Tree, find: Find) -> Tree:
    known = tree(one, "medicationCodeableConcept")
    return known or tree(find(one, tree(one, "medicationReference")), "code")


def _device(one: Tree, find: Find) -> Tree:
    device = find(one, tree(one, "device"))
    named = next((text(n, "name", WORDS) for n in objects(device, "deviceName")), "")
    return tree(device, "type") or ({"text": named} if named else tree(one, "device") and {"text": _shown(one)})


def _shown(one: Tree) -> str:
    return text(tree(one, "device"), "display", WORDS)


def _plan(one: Tree, _: Find) -> Tree:
    named = text(one, "title", WORDS) or text(one, "description", WORDS) or text(one, "summary", WORDS)
    return {"text": named} if named else next(iter(objects(one, "category")), {})


def _reaction(one: Tree) -> Iterable[str]:
    yield text(one, "criticality")
    for reaction in objects(one, "reaction"):
        yield from (label(m) for m in objects(reaction, "manifestation"))
        yield text(reaction, "severity")


def _condition(one: Tree) -> Iterable[str]:
    yield label(tree(one, "severity"))
    yield from (label(site) for site in objects(one, "bodySite"))
    yield from (label(tree(stage, "summary")) for stage in objects(one, "stage"))


def _dosage(one: Tree) -> Iterable[str]:
    yield from (text(dose, "text", WORDS) for name in ("dosage", "dosageInstruction") for dose in objects(one, name))


def _measured(one: Tree) -> Iterable[str]:
    yield _value(one)
    for part in objects(one, "component"):
        if value := _value(part):
            yield f"{label(tree(part, 'code'))} {value}"


def _value(one: Tree) -> str:
    """What was found, in words, whichever of the types of FHIR it has."""
    quantity = tree(one, "valueQuantity")
    if quantity.get("value") is not None:
        unit = text(quantity, "unit") or text(quantity, "code")
        return f"{text(quantity, 'comparator')}{number(quantity['value'])} {unit}".strip()
    plain = next((one[n] for n in ("valueString", "valueInteger", "valueBoolean", "valueDateTime") if n in one), "")
    return label(tree(one, "valueCodeableConcept")) or number(plain)


READ: Mapping[str, Reads] = {
    "Condition": Reads("condition", "problems", _coded("code"), "subject", "onset", "abatement", _condition),
    "AllergyIntolerance": Reads("allergy", "allergies", _coded("code"), "patient", "onset", "", _reaction),
    "MedicationStatement": Reads("medication", "medications", _medication, "subject", "effective", "", _dosage),
    "MedicationRequest": Reads("medication", "medications", _medication, "subject", "authoredOn", "", _dosage),
    "MedicationAdministration": Reads("medication", "medications", _medication, "subject", "effective"),
    "Procedure": Reads("procedure", "procedures", _coded("code"), "subject", "performed"),
    "Immunization": Reads("immunization", "immunizations", _coded("vaccineCode"), "patient", "occurrence"),
    "DeviceUseStatement": Reads("device", "devices", _device, "subject", "timing"),
    "CarePlan": Reads("plan", "plan_of_care", _plan, "subject", "period"),
    "ClinicalImpression": Reads("finding", "functional_status", _plan, "subject", "effective"),
    "Consent": Reads("directive", "advance_directives", _plan, "patient", "dateTime"),
    "Flag": Reads("alert", "alerts", _coded("code"), "subject", "period"),
}
"""Type of resource → how it is read."""
FINDING = Reads("finding", "results", _coded("code"), "subject", "effective", "", _measured)
"""An Observation that no criterion asks for, where a document lists it."""
KIND_OF: Mapping[SectionName, StatementKind] = {
    **{row.section: row.kind for row in READ.values()},
    "past_illness": "condition",
    "functional_status": "finding",
}
"""Section → the kind of what usually stands in it; a finding in the others."""


def subject_of(one: Tree) -> str:
    """Return the reference to whom a resource is about; empty = it names nobody."""
    row = READ.get(kind_of(one), FINDING)
    return text(tree(one, row.subject), "reference")


def statement(one: Tree, place: int, section: SectionName | None, find: Find) -> Statement | None:
    """Return what a resource states; None where it says not what it is. Raises ValueError that names an element."""
    row = READ.get(kind_of(one), FINDING)
    concept = row.concept(one, find)
    words, code = label(concept), first_code(concept)
    said = said_by(code, _absent(concept))
    if not words and not code and said == "stated":
        return None
    began, ended = _dates(one, row)
    status = [text(one, "status") or _code(one, "clinicalStatus"), _code(one, "verificationStatus")]
    return Statement(
        kind=row.kind,
        section=section or row.section,
        entry=place,
        said=said,
        text=words,
        code=code,
        status=", ".join(filter(None, status)),
        detail="; ".join(dict.fromkeys(filter(None, row.detail(one))))[:WORDS],
        began=began,
        ended=ended,
        disease=_disease(concept, words) if row.kind == "condition" and said == "stated" else "",
    )


def mistaken(one: Tree) -> bool:
    """Return whether a resource says of itself that it is a mistake, or was refuted."""
    return bool({text(one, "status"), _code(one, "verificationStatus")} & MISTAKES)


def found(one: Tree) -> bool:
    """Return whether an Observation says what was found."""
    return any(_measured(one))


def empty(section: SectionName, reason: Tree, place: int) -> Statement:
    """Return what a section states that gives the reason why nothing stands in it."""
    code = first_code(reason)
    said: Said = "none_known" if code.rpartition("|")[2] in NONE_KNOWN else "not_said"
    kind = KIND_OF.get(section, "finding")
    return Statement(kind=kind, section=section, entry=place, said=said, text=label(reason), code=code)


def _absent(concept: Tree) -> bool:
    """Whether an extension says why there is no code."""
    return any(text(one, "url").endswith("/data-absent-reason") for one in objects(concept, "extension"))


def _disease(concept: Tree, words: str) -> str:
    icd10 = [code for system in ICD10 for code in codes(concept, system)]
    return disease_named(words, icd10, codes(concept, SNOMED))


def _code(one: Tree, name: str) -> str:
    return next((text(c, "code") for c in objects(tree(one, name), "coding")), "")


def _dates(one: Tree, row: Reads) -> Dates:
    """When it began and ended, as written. What is no date of FHIR (an age, words) is part of no date."""
    begins = row.begins and (text(one, row.begins) or text(one, f"{row.begins}DateTime"))
    period = tree(one, row.begins) or tree(one, f"{row.begins}Period")
    ends = row.ends and (text(one, f"{row.ends}DateTime") or text(tree(one, f"{row.ends}Period"), "end"))
    return (begins or text(period, "start"), ends or text(period, "end"))

"""A FHIR R4 Bundle of one patient as results and statements; every entry is taken, or named with the reason why not."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from activities.command_codec import Unreadable, read_json
from api.results import statements
from api.results.document import Document, References, document_id, read_document
from api.results.reading import Left, Read, Unusable, Why, WrongResult
from api.results.statements import READ, mistaken, statement, subject_of
from api.results.tree import (
    Tree,
    changing,
    changing_within,
    codes,
    items,
    kind_of,
    label,
    number,
    objects,
    text,
    tree,
)
from domain.case.phases.findings import SectionName
from domain.core.json_names import TWICE
from domain.core.when import When
from domain.criteria.analytes import ANALYTES
from domain.criteria.loinc import ANALYTE_OF, LOINC, SAME_UNIT, STATED, UNIT_OF
from domain.criteria.observation import BORN
from domain.stages.records import summary
from domain.stages.records.results import MOST, Result

FILES = frozenset({"DiagnosticReport", "DocumentReference"})
KINDS = frozenset({"Patient", "Observation", *FILES, *READ})
"""What is looked at; everything else is named as not read."""
PARTS = frozenset({
    "Composition", "Device", "Location", "Medication", "Organization", "Practitioner", "PractitionerRole",
    "RelatedPerson", "Specimen",
})  # fmt: skip
"""What says who, where or what another entry means."""
MOST_ENTRIES = 100_000
"""How many entries are looked at: each is taken, or named in the answer; of results, as many as a file may bring."""
FINAL = frozenset({"final", "amended", "corrected"})
NO_BUNDLE = "the body is no FHIR Bundle"
MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
VALUE = re.compile(r"value[A-Z]\w*")
SEX: Mapping[str, str] = {"male": "male", "female": "female", "other": "other"}
FOUND_ALL_THE_SAME = ("not_observed", "bound_only")
"""Why an Observation is no result, which a document may list all the same."""
UNCLEAR = "changes what the rest means, in a way that is not read here: enter it by hand"


@dataclass(frozen=True, slots=True)
class BundleContext:
    """Holds what an entry is read with: where references point, which entry the patient is, and the document."""

    references: References
    patient: int
    document: Document | None


def read_bundle(body: bytes) -> Read:
    """Read every entry, the first being number 1. Raises Unusable."""
    whole = _read(body)
    if whole.get("resourceType") != "Bundle":
        raise Unusable(NO_BUNDLE)
    entries = [one if isinstance(one, dict) else {} for one in items(whole.get("entry"))]
    if len(entries) > MOST_ENTRIES:
        raise Unusable(f"a bundle holds at most {MOST_ENTRIES} entries; split it")
    references = References(entries)
    place = _patient(whole, entries, references)
    patient = entries[place - 1]["resource"]
    for one in (whole, patient):
        if name := changing(one):
            raise Unusable(f"{kind_of(one)}.{name} changes what the rest means, in a way that is not read here")
    read = _of_patient(patient)
    read.bundle = document_id(whole)
    around = _around(whole, entries, references, place)
    if around.document is not None:
        _whole_document(read, around.document)
    for place, one in enumerate(entries, 1):
        _entry(read, place, one.get("resource"), around)
        if len(read.results) > MOST:
            raise Unusable(f"a file holds at most {MOST} results; split it")
        if len(read.statements) > summary.MOST:
            raise Unusable(f"a bundle holds at most {summary.MOST} statements; split it")
    return read


def _patient(whole: Tree, entries: Sequence[Tree], references: References) -> int:
    """The place of the one Patient; of several in a document that of whom its Composition is about. Raises Unusable."""
    places = [n for n, one in enumerate(entries, 1) if kind_of(one.get("resource")) == "Patient"]
    if len(places) > 1 and whole.get("type") == "document":
        about = references.place(subject_of(tree(entries[0], "resource")))
        places = [about] if about in places else places
    if len(places) != 1:
        raise Unusable(f"a bundle is of one patient; this one has {len(places)}")
    return places[0]


def _around(whole: Tree, entries: Sequence[Tree], references: References, patient: int) -> BundleContext:
    document = whole.get("type") == "document"
    return BundleContext(references, patient, read_document(entries, references, patient) if document else None)


def _whole_document(read: Read, document: Document) -> None:
    read.statements += [(one.entry, one) for one in document.statements]
    read.left += document.left
    read.wrong += document.wrong


def _read(body: bytes) -> Tree:
    """The object it is. Raises Unusable."""
    try:
        read_json(body.removeprefix(codecs.BOM_UTF8))
        # figures as they are written: a float would round the last of them
        tree: Tree = json.loads(body, parse_float=_figure)
    except Unreadable as no:
        nul = [f": {one.pointer} {one.detail}" for one in no.faults if one.pointer != "#"]
        said = nul or not no.faults or no.detail == TWICE
        raise Unusable(no.detail + "".join(nul) if said else NO_BUNDLE) from None
    return tree


def _figure(written: str) -> Decimal | str:
    """The figure; one with more powers of ten than can be reckoned with stays text, which is no value."""
    try:
        return Decimal(written)
    except InvalidOperation:
        return written


def _of_patient(patient: Tree) -> Read:
    names = [one for one in items(patient.get("name")) if isinstance(one, dict)]
    written = [" ".join([*map(str, items(one.get("given"))), text(one, "family"), text(one, "text")]) for one in names]
    return Read("fhir", birth=_born(patient), sex=SEX.get(text(patient, "gender"), ""), names=written)


def _born(patient: Tree) -> str:
    """The day, or the year where no day is said. Raises Unusable: it is what tells patients apart."""
    said = patient.get("birthDate", "")
    text = said[: len("1960")] if isinstance(said, str) and MONTH.fullmatch(said) else said
    if not isinstance(text, str) or (text and BORN.fullmatch(text) is None):
        raise Unusable("Patient.birthDate is no day, no month and no year")
    return text


def _entry(read: Read, place: int, one: object, around: BundleContext) -> None:
    kind = kind_of(one)
    if place == around.patient or (around.document is not None and place == 1):
        read.used.append(place)
    elif kind == "Patient":
        read.left.append(Left(place, kind, "other_subject"))
    elif kind not in KINDS or not isinstance(one, dict):
        read.left.append(Left(place, kind, "part_of_other" if kind in PARTS else "not_read"))
    elif around.references.place(subject_of(one)) != around.patient:
        read.left.append(Left(place, kind, "other_subject"))
    elif kind in FILES:
        read.left.append(Left(place, kind, "attach_file"))
    elif kind == "Observation":
        _observation(read, place, one, around)
    else:
        _statement(read, place, one, around)


def _statement(read: Read, place: int, one: Tree, around: BundleContext) -> None:
    """Whatever is no result: kept as it is written, with where it stands."""
    if mistaken(one):
        read.left.append(Left(place, kind_of(one), "not_final"))
    elif name := changing_within(one):
        read.wrong.append(WrongResult(place, name, "text", UNCLEAR))
    elif told := statement(one, place, _section(around, place), around.references.find):
        read.statements.append((place, told))
    else:
        read.left.append(Left(place, kind_of(one), "no_value"))


def _section(around: BundleContext, place: int) -> SectionName | None:
    return around.document.section.get(place) if around.document else None


def _observation(read: Read, place: int, one: Tree, around: BundleContext) -> None:
    code = next((ANALYTE_OF[c] for c in codes(tree(one, "code"), LOINC) if c in ANALYTE_OF), "")
    why: Why | None = "not_final" if text(one, "status") not in FINAL else None if code else "not_observed"
    value = _value(one, code) if code else {}
    why = why or (value if isinstance(value, str) else None)
    if why in FOUND_ALL_THE_SAME and _section(around, place) and statements.found(one):
        _statement(read, place, one, around)
        return
    if why or isinstance(value, str):
        read.left.append(Left(place, "Observation", why or "no_value"))
        return
    if unclear := _unclear(one):
        read.wrong.append(WrongResult(place, *unclear))
        return
    try:
        occurred = _when(one)
    except (ValueError, TypeError):
        read.wrong.append(WrongResult(place, "effective", "occurred", "is no time that can be read"))
        return
    told: dict[str, Any] = {
        **value,
        **_limit(one, code),
        "method": label(tree(one, "method")),
        "specimen": text(tree(one, "specimen"), "display"),
        "laboratory": next((text(p, "display") for p in items(one.get("performer")) if isinstance(p, dict)), ""),
    }
    section = _section(around, place) or "results"
    read.results.append((place, Result(analyte=code, occurred=occurred, section=section, entry=place, **told)))


def _unclear(one: Tree) -> tuple[str, str, str] | None:
    """Where an Observation can be read in more than one way: element, field and reason; None = it cannot."""
    if name := changing_within(one):
        return name, "value", UNCLEAR
    if len([name for name in one if VALUE.fullmatch(name)]) > 1:
        return "value", "value", "stands there more than once, in different types"
    if len({ANALYTE_OF[c] for c in codes(tree(one, "code"), LOINC) if c in ANALYTE_OF}) > 1:
        return "code", "analyte", "names more than one thing that is observed here"
    return None


def _value(one: Tree, code: str) -> Mapping[str, str] | Why:
    """The value as it was written, or why there is none."""
    row, quantity = ANALYTES[code], tree(one, "valueQuantity")
    if row.codes:
        return _stated(one, row.codes)
    if quantity.get("comparator"):
        return "bound_only"
    if quantity.get("value") is not None:
        return {"value": number(quantity["value"]), "unit": _unit(quantity, code)}
    return {"value": number(one["valueInteger"]), "unit": row.unit} if "valueInteger" in one else "no_value"


def _stated(one: Tree, known: Sequence[str]) -> Mapping[str, str] | Why:
    concept = tree(one, "valueCodeableConcept")
    said = [STATED.get((text(c, "system"), text(c, "code")), "") for c in objects(concept, "coding")]
    plain = [one.get("valueInteger"), tree(one, "valueQuantity").get("value"), one.get("valueString")]
    written = [number(v).lower() for v in plain if v is not None]
    return next(({"value": v} for v in (*said, *written) if v in known), "no_value")


def _limit(one: Tree, code: str) -> Mapping[str, str]:
    """The upper limit of normal, where the report has one."""
    ranges = [tree(r, "high") for r in items(one.get("referenceRange")) if isinstance(r, dict)]
    high = next((r for r in ranges if r.get("value") is not None), None)
    return {"limit": number(high["value"]), "limit_unit": _unit(high, code)} if high and ANALYTES[code].unit else {}


def _when(one: Tree) -> When:
    """When the sample was taken: `effective`, whichever way it is written. Raises ValueError."""
    if written := text(one, "effectiveDateTime") or text(one, "effectiveInstant"):
        return When.written(written.replace("Z", "+00:00"))
    period = tree(one, "effectivePeriod")
    if not period:
        if any(name.startswith("effective") for name in one):
            raise ValueError("a time of a kind that is not read")
        return When.unknown()
    start, end = (text(period, name) for name in ("start", "end"))
    return When.between(When.written(start).earliest if start else None, When.written(end).latest if end else None)


def _unit(quantity: Tree, analyte: str) -> str:
    unit = text(quantity, "code") or text(quantity, "unit")
    return UNIT_OF.get((analyte, unit)) or SAME_UNIT.get(unit, unit)

"""A FHIR R4 Bundle of one patient as results; every entry is taken, or named with the reason why not."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from activities.command_codec import Unreadable, read_json
from api.results.reading import Left, Read, Unusable, Why, Wrong
from domain.core.when import When
from domain.criteria.analytes import ANALYTES
from domain.criteria.loinc import ANALYTE_OF, LOINC, SAME_UNIT, STATED
from domain.criteria.observation import BORN
from domain.stages.records.results import MOST, Result

Tree = Mapping[str, Any]
KINDS = frozenset({"Patient", "Observation", "DiagnosticReport", "DocumentReference"})
"""What is looked at; everything else is named as not read."""
MOST_ENTRIES = 100_000
"""How many entries are looked at: each is taken, or named in the answer; of results, as many as a file may bring."""
FINAL = frozenset({"final", "amended", "corrected"})
NO_BUNDLE = "the body is no FHIR Bundle"
LONGEST = 200
"""Characters of a number or text that are read."""
MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
VALUE = re.compile(r"value[A-Z]\w*")
SEX: Mapping[str, str] = {"male": "male", "female": "female", "other": "other"}


def read_bundle(body: bytes) -> Read:
    """Read every entry, the first being number 1. Raises Unusable."""
    tree = _read(body)
    if tree.get("resourceType") != "Bundle":
        raise Unusable(NO_BUNDLE)
    entries = [one if isinstance(one, dict) else {} for one in _list(tree.get("entry"))]
    if len(entries) > MOST_ENTRIES:
        raise Unusable(f"a bundle holds at most {MOST_ENTRIES} entries; split it")
    resources = [(n, one.get("fullUrl"), one.get("resource")) for n, one in enumerate(entries, 1)]
    patients = [(url, one) for _, url, one in resources if isinstance(one, dict) and _kind(one) == "Patient"]
    if len(patients) != 1:
        raise Unusable(f"a bundle is of one patient; this one has {len(patients)}")
    url, patient = patients[0]
    for whole in (tree, patient):
        if name := _changing(whole):
            raise Unusable(f"{_kind(whole)}.{name} changes what the rest means, in a way that is not read here")
    read = _of_patient(patient)
    whose = {one for one in (url, f"Patient/{patient['id']}" if patient.get("id") else "") if isinstance(one, str)}
    for place, _, one in resources:
        _entry(read, place, one, whose - {""})
        if len(read.results) > MOST:
            raise Unusable(f"a file holds at most {MOST} results; split it")
    return read


def _read(body: bytes) -> Tree:
    """The object it is. Raises Unusable; a name that stands twice would leave open which of the two counts."""
    try:
        tree = read_json(body.removeprefix(codecs.BOM_UTF8))
        json.loads(body, object_pairs_hook=_once)
    except Unusable:
        raise
    except Unreadable as no:
        nul = [f": {one.pointer} {one.detail}" for one in no.faults if one.pointer != "#"]
        raise Unusable(no.detail + "".join(nul) if nul or not no.faults else NO_BUNDLE) from None
    except (ValueError, RecursionError):  # UTF-16 too, and figures without end
        raise Unusable("the body is not JSON in UTF-8") from None
    return tree


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Unusable("an object in it has one name twice, so nobody can tell which of the two counts")
    return found


def _changing(one: Tree) -> str:
    """What of a resource changes the meaning of all the rest, by FHIR not to be read by whoever does not know it."""
    return next((name for name in ("modifierExtension", "implicitRules") if one.get(name)), "")


def _of_patient(patient: Tree) -> Read:
    names = [one for one in _list(patient.get("name")) if isinstance(one, dict)]
    written = [
        " ".join([*map(str, _list(one.get("given"))), _text(one, "family"), _text(one, "text")]) for one in names
    ]
    return Read("fhir", birth=_born(patient), sex=SEX.get(_text(patient, "gender"), ""), names=written)


def _born(patient: Tree) -> str:
    """The day, or the year where no day is said. Raises Unusable: it is what tells patients apart."""
    said = patient.get("birthDate", "")
    text = said[: len("1960")] if isinstance(said, str) and MONTH.fullmatch(said) else said
    if not isinstance(text, str) or (text and BORN.fullmatch(text) is None):
        raise Unusable("Patient.birthDate is no day, no month and no year")
    return text


def _entry(read: Read, place: int, one: object, whose: set[str]) -> None:
    kind = _kind(one)
    if kind == "Patient":
        return
    if kind not in KINDS or not isinstance(one, dict):
        read.left.append(Left(place, kind, "not_read"))
    elif _text(_tree(one, "subject"), "reference") not in whose:
        read.left.append(Left(place, kind, "other_subject"))
    elif kind != "Observation":
        read.left.append(Left(place, kind, "attach_file"))
    else:
        _observation(read, place, one)


def _kind(one: object) -> str:
    kind = one.get("resourceType") if isinstance(one, dict) else None
    return kind if isinstance(kind, str) and kind.isalpha() and kind[0].isupper() else "entry"


def _observation(read: Read, place: int, one: Tree) -> None:
    code = next((ANALYTE_OF[c] for c in _codes(_tree(one, "code"), LOINC) if c in ANALYTE_OF), "")
    why: Why | None = "not_final" if _text(one, "status") not in FINAL else None if code else "not_observed"
    value = _value(one, code) if code else {}
    why = why or (value if isinstance(value, str) else None)
    if why or isinstance(value, str):
        read.left.append(Left(place, "Observation", why or "no_value"))
        return
    if unclear := _unclear(one):
        read.wrong.append(Wrong(place, *unclear))
        return
    try:
        occurred = _when(one)
    except (ValueError, TypeError):
        read.wrong.append(Wrong(place, "effective", "occurred", "is no time that can be read"))
        return
    told: dict[str, Any] = {
        **value,
        **_limit(one, code),
        "method": _label(_tree(one, "method")),
        "specimen": _text(_tree(one, "specimen"), "display"),
        "laboratory": next((_text(p, "display") for p in _list(one.get("performer")) if isinstance(p, dict)), ""),
    }
    read.results.append((place, Result(analyte=code, occurred=occurred, **told)))


def _unclear(one: Tree) -> tuple[str, str, str] | None:
    """Where an Observation can be read in more than one way: element, field and reason; None = it cannot."""
    if name := _changing(one):
        return name, "value", "changes what the rest means, in a way that is not read here: enter it by hand"
    if len([name for name in one if VALUE.fullmatch(name)]) > 1:
        return "value", "value", "stands there more than once, in different types"
    if len({ANALYTE_OF[c] for c in _codes(_tree(one, "code"), LOINC) if c in ANALYTE_OF}) > 1:
        return "code", "analyte", "names more than one thing that is observed here"
    return None


def _value(one: Tree, code: str) -> Mapping[str, str] | Why:
    """The value as it was written, or why there is none."""
    row, quantity = ANALYTES[code], _tree(one, "valueQuantity")
    if row.codes:
        return _stated(one, row.codes)
    if quantity.get("comparator"):
        return "bound_only"
    if quantity.get("value") is not None:
        return {"value": _number(quantity["value"]), "unit": _unit(quantity)}
    return {"value": _number(one["valueInteger"]), "unit": row.unit} if "valueInteger" in one else "no_value"


def _stated(one: Tree, codes: Sequence[str]) -> Mapping[str, str] | Why:
    concept = _tree(one, "valueCodeableConcept")
    said = [STATED.get((_text(c, "system"), _text(c, "code")), "") for c in _list(concept.get("coding")) if _dict(c)]
    plain = [one.get("valueInteger"), _tree(one, "valueQuantity").get("value"), one.get("valueString")]
    written = [_number(v).lower() for v in plain if v is not None]
    return next(({"value": v} for v in (*said, *written) if v in codes), "no_value")


def _limit(one: Tree, code: str) -> Mapping[str, str]:
    """The upper limit of normal, where the report has one."""
    ranges = [_tree(r, "high") for r in _list(one.get("referenceRange")) if isinstance(r, dict)]
    high = next((r for r in ranges if r.get("value") is not None), None)
    return {"limit": _number(high["value"]), "limit_unit": _unit(high)} if high and ANALYTES[code].unit else {}


def _when(one: Tree) -> When:
    """When the sample was taken: `effective`, whichever way it is written. Raises ValueError."""
    if text := _text(one, "effectiveDateTime") or _text(one, "effectiveInstant"):
        return When.written(text.replace("Z", "+00:00"))
    period = _tree(one, "effectivePeriod")
    if not period:
        if any(name.startswith("effective") for name in one):
            raise ValueError("a time of a kind that is not read")
        return When.unknown()
    start, end = (_text(period, name) for name in ("start", "end"))
    return When.between(When.written(start).earliest if start else None, When.written(end).latest if end else None)


def _unit(quantity: Tree) -> str:
    unit = _text(quantity, "code") or _text(quantity, "unit")
    return SAME_UNIT.get(unit, unit)


def _number(value: object) -> str:
    """A JSON number as it is written, without the zeros a float does not keep apart."""
    text = str(value).strip()[:LONGEST]
    return text.removesuffix(".0") if isinstance(value, float) else text


def _label(concept: Tree) -> str:
    return _text(concept, "text") or next((_text(c, "display") for c in _list(concept.get("coding")) if _dict(c)), "")


def _codes(concept: Tree, system: str) -> Iterator[str]:
    for one in _list(concept.get("coding")):
        if isinstance(one, dict) and one.get("system") == system:
            yield _text(one, "code")


_dict: Callable[[object], bool] = lambda value: isinstance(value, dict)  # noqa: E731


def _tree(one: Tree, name: str) -> Tree:
    found = one.get(name)
    return found if isinstance(found, dict) else {}


def _text(one: Tree, name: str) -> str:
    found = one.get(name)
    return found.strip()[:200] if isinstance(found, str) else ""


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()

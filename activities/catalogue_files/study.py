"""Reads a study record of ClinicalTrials.gov, version 2 of its interface, as a draft [catalogue.draft]."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from activities.catalogue_files.rows import FileRow, Tree

AGE = re.compile(r"(\d+(?:\.\d+)?) (Year|Month|Week|Day)s?")
UNITS: Mapping[str, str] = {"Year": "a", "Month": "mo"}
ANTIGEN = re.compile(
    r"\b(CD\d{1,3}[a-z]?|BCMA|GPRC5D|FCRH5|NKG2D|CLL1|CLL-1|FLT3|GPC3|GD2|HER2|EGFR|mesothelin)\b", re.IGNORECASE
)
CELLS = (
    ("car_nk", re.compile(r"CAR[- ]?NK|NK cell", re.IGNORECASE)),
    ("in_vivo", re.compile(r"in vivo", re.IGNORECASE)),
    ("allogeneic", re.compile(r"allogeneic|universal|off[- ]the[- ]shelf|donor[- ]derived|UCAR", re.IGNORECASE)),
    ("autologous", re.compile(r"autologous", re.IGNORECASE)),
)
SECTION = "protocolSection"
TITLES, STATUS, ASKS = f"{SECTION}/identificationModule", f"{SECTION}/statusModule", f"{SECTION}/eligibilityModule"
PLACES = f"{SECTION}/contactsLocationsModule"
ARMS = f"{SECTION}/armsInterventionsModule"
KEYS: Mapping[str, str] = {
    "registry": f"{TITLES}/nctId",
    "title": f"{TITLES}/officialTitle",
    "product": f"{ARMS}/interventions",
    "targets": f"{ARMS}/interventions",
    "diseases": f"{SECTION}/conditionsModule/conditions",
    "phase": f"{SECTION}/designModule/phases",
    "registry_status": f"{STATUS}/overallStatus",
    "as_of": f"{STATUS}/lastUpdatePostDateStruct/date",
    "criteria": ASKS,
    "locations": f"{PLACES}/locations",
}


def is_study(row: Tree) -> bool:
    """Return whether it is such a record."""
    return SECTION in row


def study(row: Tree, pointer: str) -> FileRow:
    """Return the record as the fields of a draft; what it does not say stays empty and is refused where it must be."""
    section = _tree(row, SECTION)
    named, stands = _tree(section, "identificationModule"), _tree(section, "statusModule")
    given = [
        one for one in _list(_tree(section, "armsInterventionsModule"), "interventions") if isinstance(one, Mapping)
    ]
    cells = [one for one in given if one.get("type") in ("BIOLOGICAL", "GENETIC", "COMBINATION_PRODUCT")] or given
    words = " ".join(str(part) for one in (named, *given) for part in one.values() if isinstance(part, str))
    made = {
        "registry": named.get("nctId", ""),
        "title": named.get("officialTitle") or named.get("briefTitle") or "",
        "product": ", ".join(str(one.get("name", "")) for one in cells[:3]),
        "product_class": next((name for name, said in CELLS if said.search(words)), "not_said"),
        "targets": list(dict.fromkeys(found.upper() for found in ANTIGEN.findall(words))),
        "diseases": _list(_tree(section, "conditionsModule"), "conditions"),
        "phase": ", ".join(map(str, _list(_tree(section, "designModule"), "phases"))),
        "registry_status": stands.get("overallStatus", ""),
        "access": "compassionate_use"
        if _tree(section, "designModule").get("studyType") == "EXPANDED_ACCESS"
        else "trial",
        "criteria": list(_asked(_tree(section, "eligibilityModule"))),
        "locations": [_place(one) for one in _list(_tree(section, "contactsLocationsModule"), "locations")],
        "draft": True,
        "source": f"ClinicalTrials.gov, study record {named.get('nctId', '')}",
        "as_of": _day(stands),
    }
    return FileRow(pointer, made, keys=KEYS)


def _asked(asks: Tree) -> Iterator[dict[str, Any]]:
    """Least and greatest age as data; sex and the text of the criteria, word for word, for a person to read."""
    for name, op in (("minimumAge", ">="), ("maximumAge", "<=")):
        said = str(asks.get(name) or "N/A")
        if said != "N/A":
            yield _age(name, said, op)
    if asks.get("sex") not in (None, "ALL"):
        yield {"id": "sex", "kind": "inclusion", "words": f"sex: {asks['sex']}"}
    if text := asks.get("eligibilityCriteria"):
        yield {"id": "eligibility_text", "kind": "inclusion", "words": text}


def _age(name: str, said: str, op: str) -> dict[str, Any]:
    words = {"id": name, "kind": "inclusion", "words": f"{name}: {said}"}
    found = AGE.fullmatch(said)
    if found is None or found[2] not in UNITS:
        return words  # weeks and days of a new-born: no unit of an age here, so a person reads it
    return {**words, "ways": [[{"analyte": "age", "op": op, "value": found[1], "unit": UNITS[found[2]]}]]}


def _place(one: Any) -> dict[str, str]:  # noqa: ANN401 - JSON
    row = one if isinstance(one, Mapping) else {}
    return {name: str(row.get(name) or "") for name in ("facility", "city", "country", "status")}


def _day(stands: Tree) -> Any:  # noqa: ANN401 - JSON
    """The day the record was last posted; of a month alone, its first."""
    said = _tree(stands, "lastUpdatePostDateStruct").get("date") or stands.get("statusVerifiedDate") or ""
    return f"{said}-01" if re.fullmatch(r"\d{4}-\d{2}", str(said)) else said


def _tree(row: Tree, name: str) -> Tree:
    found = row.get(name)
    return found if isinstance(found, Mapping) else {}


def _list(row: Tree, name: str) -> list[Any]:
    found = row.get(name)
    return found if isinstance(found, list) else []

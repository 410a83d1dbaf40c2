"""Says which column of a table feeds what: as somebody wrote it down, or as a program that is known here writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from api.results.reading import Unusable
from domain.core.codes import require_zone
from domain.core.errors import Refused
from domain.criteria.analytes import ANALYTES
from domain.criteria.loinc import SNOMED

TEXTS = ("analyte", "value", "unit", "limit", "limit_unit", "target", "method", "specimen", "laboratory", "item")
FIELDS = (*TEXTS, "occurred", "supported")
SAYS = ("text", "code", "began", "ended", "detail")
"""Fields of a statement."""
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
YEAR = ("%Y", "%y", "%G", "%c", "%x")


class ColumnMapping(BaseModel):
    """Says which column feeds which field; a field that is not named is fed by the column of its own name.

    `analytes`: what the laboratory calls things → our codes. `dates`: how days are written (strptime), empty =
    ISO 8601. `zone`: where the clock hangs by which times without a zone were written. `always`: what every line has.
    `patient`: the column that says whose a line is, and `of` what stands there for this case's. `unobserved`: whether
    what no criterion asks for is a fault or is left. With `statements` each line states a condition or a medication,
    by codes of the system `codes`. `like`: a mapping that is known here, which the rest adds to.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    columns: dict[str, str] = {}
    analytes: dict[str, str] = {}
    always: dict[str, str] = {}
    dates: str = ""
    zone: str = ""
    decimal: str = "."
    delimiter: str = ","
    patient: str = ""
    of: str = ""
    unobserved: Literal["refuse", "leave"] = "refuse"
    statements: Literal["", "condition", "medication"] = ""
    codes: str = ""
    like: str = ""


_SYNTHEA: Mapping[str, Any] = {"patient": "PATIENT", "unobserved": "leave"}
_SAID = {"text": "DESCRIPTION", "code": "CODE", "began": "START", "ended": "STOP"}
KNOWN: Mapping[str, Mapping[str, Any]] = {
    "synthea_observations": {
        **_SYNTHEA,
        "columns": {"analyte": "CODE", "value": "VALUE", "unit": "UNITS", "occurred": "DATE"},
    },
    "synthea_conditions": {**_SYNTHEA, "columns": _SAID, "statements": "condition", "codes": SNOMED},
    "synthea_medications": {
        **_SYNTHEA,
        "columns": {**_SAID, "detail": "REASONDESCRIPTION"},
        "statements": "medication",
        "codes": RXNORM,
    },
}
"""What is known here by name: the tables that Synthea writes [criteria.synthea]."""


def mapping_of(text: str) -> ColumnMapping:
    """Return the mapping that a JSON text says; an empty one for no text. Raises Unusable."""
    try:
        told = from_json(text or "{}")
    except ValueError:
        raise Unusable("the mapping is no JSON") from None
    like = told.get("like", "") if isinstance(told, dict) else ""
    if like and (not isinstance(like, str) or like not in KNOWN):
        raise Unusable(f"no mapping of that name is known; known are {', '.join(KNOWN)}")
    try:
        mapping = ColumnMapping.model_validate({**KNOWN[like], **_said(told)} if like else told)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}" for one in error.errors(include_url=False)]
        raise Unusable("the mapping cannot be read: " + "; ".join(lines)) from None
    fields = SAYS if mapping.statements else FIELDS
    unknown = sorted((set(mapping.columns) | set(mapping.always)) - set(fields))
    if unknown:
        raise Unusable(f"the mapping names fields there are not: {', '.join(unknown)}; known are {', '.join(fields)}")
    if mapping.of and not mapping.patient:
        raise Unusable("the mapping says of whom (of), and not which column says so (patient)")
    strange = sorted(set(mapping.analytes.values()) - set(ANALYTES))
    if strange:
        raise Unusable(f"nothing of that name is observed: {', '.join(strange)}; known are {', '.join(ANALYTES)}")
    if len(mapping.delimiter) != 1 or mapping.decimal not in (".", ","):
        raise Unusable("the mapping needs one character as delimiter, and a point or a comma as decimal")
    if mapping.dates and not any(sign in mapping.dates for sign in YEAR):
        raise Unusable("the mapping's dates have no year: write it as %Y, as in %d.%m.%Y")
    try:
        require_zone(mapping.zone or "UTC")
    except Refused as no:
        raise Unusable(f"the mapping's zone is {no.detail}") from None
    return mapping


def _said(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was written beside the name of a known mapping; what is empty says nothing."""
    return {name: value for name, value in told.items() if value}

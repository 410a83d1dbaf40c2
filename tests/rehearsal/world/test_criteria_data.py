"""The criteria of the protocols' data: nothing the source states of them is dropped, and its words stand beside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from domain.criteria.criterion import Criterion
from domain.criteria.screening import screen
from rehearsal.world.catalogue_data import PROTOCOLS, protocols
from tests.domain.criteria.observed import NOW

STATED = ("age", "ecog_max", "organ", "cns", "infection", "antigen", "performance")
ROWS: dict[str, dict[str, Any]] = {
    row["stream"]: row for row in json.loads(PROTOCOLS.read_text(encoding="utf-8"))["protocols"]
}
THRESHOLD = re.compile(r"(<=|>=|<|>) ?(\d+(?:\.\d+)?)")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
OBSERVED = {
    "ALT": "alt", "AST": "ast", "bilirubin": "bilirubin", "creatinine": "creatinine", "CrCl": "creatinine_clearance",
    "LVEF": "lvef", "ejection fraction": "lvef", "SpO2": "spo2", "SaO2": "spo2", "Hb": "haemoglobin",
    "albumin": "albumin", "ANC": "neutrophils", "platelets": "platelets", "fibrinogen": "fibrinogen", "APTT": "aptt",
    "PT": "prothrombin_time", "last therapy": "last_therapy", "life expectancy": "life_expectancy", "HIV": "hiv",
    "HBV": "hbsag", "HCV": "hcv_rna", "CMV": "cmv_pcr", "syphilis": "active_syphilis", "Gilbert": "gilbert_syndrome",
    "body weight": "weight", "measurable lesion": "measurable_lesions", "KPS": "karnofsky",
}  # fmt: skip
"""What sources call it → what is observed."""
NOT_ASKED = {"protocol-nct04030195": {"HIV", "HCV"}}
"""A screen for it is asked for, and no result is named."""


def said(value: Any) -> Iterator[str]:
    """Every text of a field, its keys too."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from (name, *said(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from said(inner)
    elif value is not None:
        yield str(value)


def stated(stream: str) -> str:
    return " | ".join(text for name in STATED for text in said(ROWS[stream].get(name)))


def compared(criteria: tuple[Criterion, ...]) -> set[tuple[str, Decimal]]:
    return {(test.op, Decimal(test.value)) for one in criteria for test in one.tests if test.value}


@pytest.mark.parametrize("stream", ROWS)
def test_every_threshold_of_the_source_is_compared_with_as_it_is_written(stream: str) -> None:
    """That an operator is another one is noticed, as is a number that is missing."""
    criteria = protocols()[stream].criteria
    plain = [(op, Decimal(value)) for op, value in THRESHOLD.findall(stated(stream).replace("e9/L", ""))]
    words = " ".join(one.words for one in criteria)
    asked = compared(criteria)
    for op, value in plain:
        ecog = f"ECOG {op}{value}" in stated(stream) and any(one.id == "ecog" for one in criteria)
        told = f"{op}{value}" in words.replace(f"{op} ", op)
        assert told, (op, value)
        assert (op, value) in asked or ecog or (op, value) in NO_THRESHOLD.get(stream, ()), (op, value)


NO_THRESHOLD = {
    "protocol-isrctn15323014": {(">", Decimal(99))},  # what was observed in those treated
    "protocol-nct02746952": {(">=", Decimal(1))},  # MRD >= 1e-3 is a share: compared as 0.1 %
    "protocol-nct06308978": {("<", Decimal(40))},  # an earlier version
}
"""Numbers beside an operator that are no threshold of the present version, or are one in another unit."""


@pytest.mark.parametrize("stream", ROWS)
def test_every_number_and_every_thing_the_source_names_stands_in_a_criterion(stream: str) -> None:
    criteria = protocols()[stream].criteria
    words = " ".join(one.words for one in criteria)
    lost = {
        n for n in NUMBER.findall(stated(stream)) if n not in NUMBER.findall(words) and n not in compared_values(stream)
    }
    assert not lost
    named = {name for name in OBSERVED if re.search(rf"\b{name}\b", stated(stream))} - NOT_ASKED.get(stream, set())
    assert {OBSERVED[name] for name in named} <= {test.analyte for one in criteria for test in one.tests} | unsaid(
        stream
    )


def compared_values(stream: str) -> set[str]:
    return {test.value for one in protocols()[stream].criteria for test in one.tests}


def unsaid(stream: str) -> set[str]:
    """Analytes of which the source says that it names no value: their criterion is there and has no test."""
    return {one.id for one in protocols()[stream].criteria if not one.ways}


@pytest.mark.parametrize("stream", ROWS)
def test_every_field_the_source_fills_has_its_criterion(stream: str) -> None:
    row = ROWS[stream]
    ids = {one.id.split("_")[0] for one in protocols()[stream].criteria}
    for field, name in (("age", "age"), ("ecog_max", "ecog"), ("cns", "cns"), ("antigen", "antigen")):
        assert not row.get(field) or name in ids, field
    assert not row.get("infection") or ids & {"infection", "hepatitis"}
    assert not row.get("organ") or len(ids - {"age", "ecog", "cns", "antigen", "infection"}) > 0


def test_what_the_source_leaves_open_is_unknown_for_everybody_and_says_so() -> None:
    [organs] = [one for one in protocols()["protocol-nct06500273"].criteria if one.id == "organs"]
    [finding] = screen([organs], [], NOW)
    assert (finding.result, [gap.lacks for gap in finding.gaps]) == ("unknown", ["not_in_source"])
    assert organs.words == "adequate, values not in source"


def test_a_dropped_threshold_is_noticed() -> None:
    """Control: without its criterion the number of the source is found nowhere."""
    stream = "protocol-medifind-393577613"
    kept = tuple(one for one in protocols()[stream].criteria if one.id != "clearance")
    assert (">", Decimal(30)) not in compared(kept)
    assert (">", Decimal(30)) in compared(protocols()[stream].criteria)

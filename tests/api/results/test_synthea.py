"""Tables as Synthea writes them, of two invented patients: read by name, each line taken, left or named."""

from __future__ import annotations

import json

import pytest

from api.results.column_mapping import KNOWN, mapping_of
from api.results.csv_file import read_csv
from api.results.reading import Read, Unusable, summed

ONE, OTHER = "1f6b0c52-0001", "1f6b0c52-0002"
OBSERVATIONS = f"""DATE,PATIENT,ENCOUNTER,CATEGORY,CODE,DESCRIPTION,VALUE,UNITS,TYPE
2025-11-03T08:15:00Z,{ONE},e-1,vital-signs,8302-2,Body Height,171.2,cm,numeric
2025-11-03T08:15:00Z,{ONE},e-1,vital-signs,29463-7,Body Weight,70.4,kg,numeric
2025-11-03T08:15:00Z,{ONE},e-1,laboratory,33914-3,Filtration rate,81.5,mL/min,numeric
2025-11-04T08:15:00Z,{OTHER},e-2,laboratory,718-7,Haemoglobin,9.8,g/dL,numeric
2025-11-05T08:15:00Z,{ONE},e-3,laboratory,777-3,Platelets,151,10*3/uL,numeric
"""
CONDITIONS = f"""START,STOP,PATIENT,ENCOUNTER,SYSTEM,CODE,DESCRIPTION
2024-02-01,,{ONE},e-1,SNOMED-CT,109989006,Multiple myeloma (disorder)
2019-05-02,2019-05-20,{ONE},e-0,SNOMED-CT,10509002,Acute bronchitis (disorder)
"""
MEDICATIONS = f"""START,STOP,PATIENT,PAYER,ENCOUNTER,CODE,DESCRIPTION,BASE_COST,PAYER_COVERAGE,DISPENSES,TOTALCOST,\
REASONCODE,REASONDESCRIPTION
2025-01-01T08:00:00Z,2025-06-01T08:00:00Z,{ONE},p,e-1,314076,lisinopril 10 MG Oral Tablet,1,0,1,1,59621000,Hypertension
"""


def table(text: str, like: str, **more: str) -> Read:
    return read_csv(text.encode(), mapping_of(json.dumps({"like": like, **more})))


def test_observations_of_the_chosen_patient_are_taken_and_the_rest_is_named() -> None:
    read = table(OBSERVATIONS, "synthea_observations", of=ONE)
    assert [(place, one.analyte, one.value, one.unit) for place, one in read.results] == [
        (3, "weight", "70.4", "kg"),
        (4, "egfr", "81.5", "mL/min/{1.73_m2}"),
        (6, "platelets", "151", "10*3/uL"),
    ]
    assert [(one.kind, one.left_because, one.number) for one in summed(read.left)] == [
        ("line", "not_observed", 1),
        ("line", "other_subject", 1),
    ]
    assert not read.wrong


def test_where_nobody_was_chosen_a_second_patient_is_refused_by_line() -> None:
    read = table(OBSERVATIONS, "synthea_observations")
    [wrong] = read.wrong
    assert (wrong.place, wrong.column) == (5, "PATIENT")
    assert "somebody else than line 2" in wrong.reason
    assert not table(OBSERVATIONS.replace(OTHER, ONE), "synthea_observations").wrong


def test_conditions_and_medications_are_statements() -> None:
    read = table(CONDITIONS, "synthea_conditions", of=ONE)
    said = [(place, one.section, one.code, one.status, one.began, one.disease) for place, one in read.statements]
    assert said == [
        (2, "problems", "http://snomed.info/sct|109989006", "", "2024-02-01", "myeloma"),
        (3, "problems", "http://snomed.info/sct|10509002", "resolved", "2019-05-02", ""),
    ]
    [(_, drug)] = table(MEDICATIONS, "synthea_medications").statements
    assert (drug.kind, drug.status, drug.detail) == ("medication", "completed", "Hypertension")
    assert str(drug.code).endswith("rxnorm|314076")


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"like": "epic"}, "no mapping of that name is known; known are synthea_observations"),
        ({"like": 7}, "no mapping of that name"),
        ({"like": "synthea_observations", "of": "nobody"}, "no line is of the patient"),
        ({"of": ONE}, "not which column says so"),
        ({"like": "synthea_conditions"}, "the first line has no column"),
        ({"like": "synthea_observations", "columns": {"text": "DESCRIPTION"}}, "fields there are not: text"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_why(mapping: dict[str, object], words: str) -> None:
    with pytest.raises(Unusable, match=words):
        read_csv(OBSERVATIONS.encode(), mapping_of(json.dumps(mapping)))


def test_every_known_mapping_can_be_used() -> None:
    for name in KNOWN:
        assert mapping_of(json.dumps({"like": name})).patient == "PATIENT"

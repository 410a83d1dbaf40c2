"""LOINC, SNOMED CT and UCUM as laboratories send them → what is observed here [criteria.loinc]."""

from __future__ import annotations

from collections.abc import Mapping

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"

ANALYTE_OF: Mapping[str, str] = {
    "89247-1": "ecog",
    "89243-0": "karnofsky",
    "29463-7": "weight",
    "10230-1": "lvef",
    "59408-5": "spo2",
    "2708-6": "spo2",
    "2160-0": "creatinine",
    "14682-9": "creatinine",
    "2164-2": "creatinine_clearance",
    "33914-3": "egfr",
    "1742-6": "alt",
    "1920-8": "ast",
    "1975-2": "bilirubin",
    "14631-6": "bilirubin",
    "1751-7": "albumin",
    "718-7": "haemoglobin",
    "751-8": "neutrophils",
    "26499-4": "neutrophils",
    "731-0": "lymphocytes",
    "26474-7": "lymphocytes",
    "777-3": "platelets",
    "26515-7": "platelets",
    "5195-3": "hbsag",
    "5196-1": "hbsag",
    "13952-7": "anti_hbc",
    "16933-4": "anti_hbc",
    "16128-1": "anti_hcv",
    "11011-4": "hcv_rna",
    "56888-1": "hiv",
}
"""LOINC code → analyte."""
STATED: Mapping[tuple[str, str], str] = {
    (SNOMED, "10828004"): "positive",
    (SNOMED, "260373001"): "positive",
    (SNOMED, "260385009"): "negative",
    (SNOMED, "260415000"): "negative",
    (SNOMED, "82334004"): "indeterminate",
    (LOINC, "LA6576-8"): "positive",
    (LOINC, "LA6577-6"): "negative",
}
"""Code of a coded value → what is stated: found, not found, or open."""
SAME_UNIT: Mapping[str, str] = {"mL/min/{1.73m2}": "mL/min/{1.73_m2}", "10*3/mm3": "10*3/uL", "[IU]/L": "U/L"}
"""UCUM units that mean one of ours."""
UNIT_OF: Mapping[tuple[str, str], str] = {("egfr", "mL/min"): "mL/min/{1.73_m2}"}
"""What a LOINC code says of the unit that is written with it: the name of this one has the body surface in it."""

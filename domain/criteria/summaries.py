"""Codes of patient summaries: their sections, and how they say that nothing is there or known [criteria.ips]."""

from __future__ import annotations

import re
from collections.abc import Mapping

from domain.case.phases.findings import Said, SectionName
from domain.criteria.loinc import SNOMED

SUMMARY = "60591-5"
"""LOINC: the document is a patient summary."""
SECTION_OF: Mapping[str, SectionName] = {
    "11450-4": "problems",
    "48765-2": "allergies",
    "10160-0": "medications",
    "11369-6": "immunizations",
    "47519-4": "procedures",
    "46264-8": "devices",
    "30954-2": "results",
    "11348-0": "past_illness",
    "47420-5": "functional_status",
    "18776-5": "plan_of_care",
    "29762-2": "social_history",
    "8716-3": "vital_signs",
    "42348-3": "advance_directives",
    "10162-6": "pregnancy",
    "104605-1": "alerts",
    "81338-6": "patient_story",
}
"""LOINC code of a section → what it is."""
ABSENT = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
ICD10 = ("http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10-cm")
NONE_KNOWN = frozenset({"nilknown"})
"""Reasons for an empty section that say there is nothing; every other says that nobody knows, asked or tells."""
NOBODY_KNOWS = re.compile(r"no-[a-z-]+-info")
NONE_BY_SNOMED = frozenset({"716186003", "160245001", "787481004", "409137002"})
"""SNOMED CT: no known allergy, no current problem, no known medication, no known allergy to a medicine."""


def said_by(code: str, absent: bool = False) -> Said:
    """Return what `system|code` says: something, that nothing is known of the kind, or that there is no information."""
    system, _, name = code.rpartition("|")
    if system == ABSENT:
        return "not_said" if NOBODY_KNOWS.fullmatch(name) else "none_known"
    if system == SNOMED and name in NONE_BY_SNOMED:
        return "none_known"
    return "not_said" if absent and not code else "stated"

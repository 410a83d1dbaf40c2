"""Patient summaries and ordinary bundles [criteria.ips]: every entry is kept with its place, or named as not taken."""

from __future__ import annotations

import copy
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.results.fhir_bundle import read_bundle
from api.results.reading import Read, Unusable
from domain.case.phases.findings import Statement
from tests.api.results import summaries as ips
from tests.api.results.bundles import PATIENT, bundle
from tests.api.results.summaries import WHOLE, empty, section, sent, summary
from tests.drawing import draws

NO_SECTIONS = [empty(code, "unavailable") for code in ("11450-4", "48765-2", "10160-0")]


def read(whole: dict[str, Any]) -> Read:
    return read_bundle(sent(whole))


def accounted(found: Read) -> Counter[int]:
    """How often each entry came out; what is said of a section stands at the Composition, which counts by itself."""
    places = [place for place, _ in found.results]
    places += [place for place, one in found.statements if place != 1 or found.used != [1, 2]]
    places += [one.place for one in found.left if one.place != 1 or one.kind in ("Composition", "entry")]
    places += [one.place for one in found.wrong if one.place != 1]
    return Counter([*places, *found.used])


def test_every_entry_of_a_summary_is_kept_with_its_section_or_named() -> None:
    found = read(WHOLE)
    assert [(one.section, one.entry, one.analyte) for _, one in found.results] == [("results", 8, "creatinine")]
    assert [(one.kind, one.section, one.entry, one.said, one.text) for _, one in found.statements] == [
        ("immunization", "immunizations", 1, "none_known", ""),
        ("device", "devices", 1, "not_said", ""),
        ("condition", "problems", 3, "stated", "Diffuse large B-cell lymphoma"),
        ("condition", "past_illness", 4, "stated", "Asthma"),
        ("allergy", "allergies", 5, "stated", "Penicillin"),
        ("medication", "medications", 6, "not_said", ""),
        ("procedure", "procedures", 7, "stated", "Lymph node biopsy"),
        ("finding", "social_history", 9, "stated", "Tobacco smoking status"),
    ]
    assert [(one.place, one.kind, one.why) for one in found.left] == [
        (1, "plan_of_care", "narrative_only"), (10, "Practitioner", "part_of_other"),
    ]  # fmt: skip
    assert (found.bundle, found.used, found.birth) == ("urn:oid:1.2.3|summary-7", [1, 2], "1980-03-02")
    assert accounted(found) == Counter(range(1, 11))


def test_words_dates_and_status_are_kept_as_they_are_written() -> None:
    by_place = dict(read(WHOLE).statements)
    lymphoma, allergy, smoking = by_place[3], by_place[5], by_place[9]
    assert (lymphoma.disease, lymphoma.code) == ("dlbcl", "http://hl7.org/fhir/sid/icd-10|C83.3")
    assert (lymphoma.status, lymphoma.began, lymphoma.detail) == ("active, confirmed", "2024-05", "Ann Arbor stage III")
    assert (by_place[4].began, by_place[4].ended, by_place[4].disease) == ("1999", "2010-06-01", "")
    assert (allergy.detail, allergy.status) == ("high; Anaphylaxis; severe", "active")
    assert (smoking.detail, smoking.began) == ("Never smoked", "2026-01-05")


def test_a_medication_is_named_by_what_it_points_at() -> None:
    found = read(summary([*NO_SECTIONS[:2], section("10160-0", "MedicationStatement/r-chop")],
                         ips.CHEMOTHERAPY, ips.RITUXIMAB))  # fmt: skip
    told = found.statements[-1][1]
    assert (told.text, told.detail, told.began, told.ended) == ("Rituximab", "six cycles", "2024-06-01", "2024-10-15")
    assert [(one.place, one.why) for one in found.left] == [(4, "part_of_other")]
    inside = {**ips.CHEMOTHERAPY, "medicationReference": {"reference": "#m"},
              "contained": [{**ips.RITUXIMAB, "id": "m"}]}  # fmt: skip
    assert read_bundle(bundle(inside)).statements[0][1].text == "Rituximab"


@pytest.mark.parametrize(("code", "system", "said"), [
    ("no-known-allergies", ips.ABSENT, "none_known"), ("no-allergy-info", ips.ABSENT, "not_said"),
    ("no-known-food-allergies", ips.ABSENT, "none_known"), ("716186003", ips.SCT, "none_known"),
    ("764146007", ips.SCT, "stated"), ("no-known-allergies", ips.SCT, "stated"),
])  # fmt: skip
def test_none_known_is_not_the_same_as_not_said(code: str, system: str, said: str) -> None:
    allergy = {**ips.PENICILLIN, "code": ips.concept("", code, system)}
    found = read(summary([*NO_SECTIONS[::2], section("48765-2", "AllergyIntolerance/penicillin")], allergy))
    assert [one.said for _, one in found.statements if one.kind == "allergy"] == [said]


def test_a_mandatory_section_that_is_not_there_is_named() -> None:
    found = read(summary(NO_SECTIONS[:1]))
    assert [(one.kind, one.why) for one in found.left] == [
        ("allergies", "section_missing"), ("medications", "section_missing"),
    ]  # fmt: skip
    assert not read(summary(NO_SECTIONS)).left, "the control"


SYNTHEA = (ips.LYMPHOMA, ips.PENICILLIN, ips.CHEMOTHERAPY, ips.RITUXIMAB, ips.BIOPSY, ips.SMOKING)


def test_an_ordinary_bundle_states_conditions_medications_and_procedures_too() -> None:
    found = read_bundle(bundle(*SYNTHEA))
    assert [(one.kind, one.section, one.entry) for _, one in found.statements] == [
        ("condition", "problems", 2), ("allergy", "allergies", 3), ("medication", "medications", 4),
        ("procedure", "procedures", 6),
    ]  # fmt: skip
    assert [(one.place, one.why) for one in found.left] == [(5, "part_of_other"), (7, "not_observed")]


@pytest.mark.parametrize(("change", "why"), [
    ({"verificationStatus": ips.status("condition-ver-status", "entered-in-error")}, "not_final"),
    ({"verificationStatus": ips.status("condition-ver-status", "refuted")}, "not_final"),
    ({"code": {}}, "no_value"), ({"code": 5}, "no_value"),
    ({"subject": {"reference": "Patient/other"}}, "other_subject"),
    ({"subject": {"reference": "https://elsewhere.example.org/Patient/p1"}}, "other_subject"),
])  # fmt: skip
def test_what_is_no_statement_of_this_patient_is_named(change: dict[str, Any], why: str) -> None:
    found = read_bundle(bundle({**ips.LYMPHOMA, **change}))
    assert ([one.why for one in found.left], found.statements) == ([why], [])


@pytest.mark.parametrize("more", [
    {"modifierExtension": [{"url": "urn:not"}]}, {"implicitRules": "urn:other"},
    {"stage": [{"modifierExtension": [{"url": "urn:not"}]}]},
])  # fmt: skip
def test_what_changes_the_meaning_in_an_unknown_way_is_a_fault(more: dict[str, Any]) -> None:
    found = read_bundle(bundle({**ips.LYMPHOMA, **more}))
    assert ([one.place for one in found.wrong], found.statements) == ([2], [])


def _without(path: str) -> dict[str, Any]:
    whole = copy.deepcopy(WHOLE)
    del whole["entry"][0]["resource"][path]
    return whole


FIRST = 3
"""The place of the first entry after Composition and patient."""


def _nested(depth: int) -> dict[str, Any]:
    inner = section("11450-4", "Condition/dlbcl")
    for _ in range(depth):
        inner = section("11450-4", section=[inner])
    return summary([inner], ips.LYMPHOMA)


@pytest.mark.parametrize(("whole", "pointer"), [
    ({**WHOLE, "entry": WHOLE["entry"][1:]}, "#/entry/0/resource"),
    (_without("subject"), "#/entry/0/resource/subject"),
    (_nested(20), "#/entry/0/resource/section/0/section/0/section/0/section/0/section/0/section/0/section/0/section"),
])  # fmt: skip
def test_a_document_that_is_none_says_where(whole: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Unusable) as no:
        read(whole)
    assert no.value.pointer.startswith(pointer)


def test_of_several_patients_a_document_is_of_whom_it_says_it_is_about() -> None:
    """A donor or a second record of somebody stands in it too: named, and nothing of theirs is taken."""
    other = {"resourceType": "Patient", "id": "other", "birthDate": "1950-01-01"}
    theirs = {**ips.LYMPHOMA, "id": "theirs", "subject": {"reference": "Patient/other"}}
    whole = summary([*NO_SECTIONS[1:], section("11450-4", "Condition/dlbcl")], ips.LYMPHOMA, other, theirs)
    found = read(whole)
    assert found.birth == "1980-03-02"
    assert [one.text for place, one in found.statements if place == FIRST] == ["Diffuse large B-cell lymphoma"]
    assert {(one.place, one.kind, one.why) for one in found.left if one.place > FIRST} == {
        (FIRST + 1, "Patient", "other_subject"), (FIRST + 2, "Condition", "other_subject"),
    }  # fmt: skip
    with pytest.raises(Unusable, match="this one has 2"):
        read({**whole, "type": "collection"})


@pytest.mark.parametrize("reference", ["Condition/nowhere", "https://elsewhere.example.org/Condition/dlbcl", "", "#x"])
def test_a_reference_to_nowhere_is_a_fault_with_its_place(reference: str) -> None:
    found = read(summary([*NO_SECTIONS[1:], section("11450-4", reference)], ips.LYMPHOMA))
    assert [(one.place, one.column) for one in found.wrong] == [(1, "section/2/entry/0/reference")]
    assert not read(summary([*NO_SECTIONS[1:], section("11450-4", "Condition/dlbcl")], ips.LYMPHOMA)).wrong


def test_two_entries_of_one_address_are_no_reference() -> None:
    found = read(summary([*NO_SECTIONS[1:], section("11450-4", "Condition/dlbcl")], ips.LYMPHOMA, ips.LYMPHOMA))
    assert [one.column for one in found.wrong] == ["section/2/entry/0/reference"]


JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "x", "2024-05", PATIENT, "Condition/dlbcl"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["reference", "coding", "code", "system", "text", "resourceType", "entry", "section", "div"]),
        inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for name, one in inside for deeper in _paths(one, (*path, name)))]


PATHS = [path for path in _paths(WHOLE) if path]


@draws(300)
@given(st.lists(st.tuples(st.sampled_from(PATHS), JUNK | st.just("$remove")), min_size=1, max_size=4))
def test_whatever_stands_in_it_each_entry_is_accounted_for_or_the_whole_is_refused(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    whole: Any = copy.deepcopy(WHOLE)
    for path, value in changes:
        at = whole
        try:
            for name in path[:-1]:
                at = at[name]
            if value == "$remove":
                del at[path[-1]]
            else:
                at[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue
    try:
        found = read_bundle(json.dumps(whole).encode())
    except Unusable:
        return
    assert accounted(found) == Counter(range(1, len(whole["entry"]) + 1))
    assert all(isinstance(one, Statement) for _, one in found.statements)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with pytest.raises(Unusable):
        read_bundle(body)

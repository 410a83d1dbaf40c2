"""Files of results: every line and entry comes out as a result, a fault with its place, or a part not taken."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from api.results.column_mapping import mapping_of
from api.results.csv_file import read_csv
from api.results.fhir_bundle import MOST_ENTRIES, read_bundle
from api.results.reading import Read, Unusable, summed
from domain.core.errors import Refused
from domain.core.when import When
from domain.criteria.observation import canonical
from domain.stages.records.results import MOST
from tests.api.results.bundles import CREATININE, EVERYTHING, PATIENT, bundle, observation, quantity

LAB = json.dumps(
    {
        "columns": {"analyte": "Test", "value": "Result", "unit": "Units", "occurred": "Drawn"},
        "analytes": {"Hb": "haemoglobin"},
        "always": {"laboratory": "Lab A"},
        "dates": "%d.%m.%Y",
        "decimal": ",",
        "delimiter": ";",
    }
)


def lines(text: str, mapping: str = "") -> Read:
    return read_csv(text.encode(), mapping_of(mapping))


def test_columns_are_read_by_the_mapping_or_by_their_own_names() -> None:
    read = lines("Test;Result;Units;Drawn;Ward\nHb;9,5;g/dL;05.01.2026;7\n\n2160-0;1,4;mg/dL;06.01.2026;7\n", LAB)
    found = [(place, one.analyte, one.value, one.unit, one.laboratory, one.occurred.day) for place, one in read.results]
    assert found == [
        (2, "haemoglobin", "9.5", "g/dL", "Lab A", datetime(2026, 1, 5, tzinfo=UTC).date()),
        (4, "creatinine", "1.4", "mg/dL", "Lab A", datetime(2026, 1, 6, tzinfo=UTC).date()),
    ]
    [(_, own)] = lines(
        "analyte,value,unit,occurred,supported\nplatelets,75000,/uL,2026-01-05T08:00+05:30,yes\n"
    ).results
    assert (own.occurred, own.supported) == (When.at(datetime(2026, 1, 5, 2, 30, tzinfo=UTC)), True)


def test_each_fault_names_line_column_and_reason() -> None:
    read = lines("analyte,value,unit,occurred\nsodium,140,mmol/L,2026-01-05\nalt,30,U/L,5.1.26\nalt,30,U/L,\n")
    assert [(one.place, one.column, one.reason[:13]) for one in read.wrong] == [
        (2, "analyte", "is not observ"),
        (3, "occurred", "is no time wr"),
        (4, "occurred", "is empty: wri"),
    ]
    assert read.results == []
    [(_, unknown)] = lines("analyte,value,unit,occurred\nalt,30,U/L,unknown\n").results
    assert unknown.occurred == When.unknown()


@pytest.mark.parametrize(("text", "mapping", "words"), [
    ("analyte,value\nalt,30\n", "", "has no column occurred"),
    ("analyte,analyte,occurred\n", "", "has a column twice: analyte"),
    ('analyte,occurred\n"alt,2026\n', "", "line 2 cannot be read as CSV"),
    ("", "[]", "the mapping cannot be read"),
    ("", '{"columns": {"colour": "x"}}', "the mapping names fields there are not: colour"),
    ("", '{"analytes": {"Na": "sodium"}}', "nothing of that name is observed: sodium"),
    ("", '{"delimiter": "||"}', "needs one character as delimiter"),
    ("", '{"dates": "%d.%m."}', "have no year"),
    ("", '{"zone": "localtime"}', "no such time zone"),
    ("", '{"zone": "../../etc/passwd"}', "no such time zone"),
    ("analyte;occurred\nalt;2026\n", "", "a semicolon parts it: say so as delimiter"),
])  # fmt: skip
def test_a_file_that_cannot_be_used_says_why(text: str, mapping: str, words: str) -> None:
    with pytest.raises(Unusable, match="(?s)" + words.replace("|", r"\|")):
        lines(text, mapping)


def test_a_file_that_is_no_text_says_so() -> None:
    with pytest.raises(Unusable, match="UTF-8"):
        read_csv(b"\xff\xfe\x00", mapping_of(""))


def test_every_entry_of_a_bundle_is_taken_or_named() -> None:
    read = read_bundle(EVERYTHING)
    assert [(place, one.analyte, one.value, one.unit) for place, one in read.results] == [
        (2, "creatinine", "1.4", "mg/dL"), (3, "ecog", "1", ""), (4, "hbsag", "negative", ""),
    ]  # fmt: skip
    assert [(one.place, one.kind, one.why) for one in read.left] == [
        (5, "Observation", "not_observed"), (6, "Observation", "not_final"), (7, "Observation", "bound_only"),
        (8, "Observation", "no_value"), (9, "Observation", "other_subject"), (10, "Encounter", "not_read"),
        (11, "DiagnosticReport", "attach_file"), (12, "DocumentReference", "attach_file"),
    ]  # fmt: skip
    assert (read.birth, read.sex) == ("1980-03-02", "female")
    assert sum(one.number for one in summed(read.left)) == len(read.left)


def test_limit_laboratory_specimen_and_instant_come_with_a_result() -> None:
    [(_, one)] = read_bundle(bundle(CREATININE)).results
    assert (one.limit, one.limit_unit, one.laboratory, one.specimen) == ("1.2", "mg/dL", "Lab A", "serum")
    assert one.occurred == When.at(datetime(2026, 1, 5, 4, tzinfo=UTC))


def test_figures_as_programs_write_them_are_kept_to_the_last_digit() -> None:
    """A float would make another number of the first."""
    for written in ("85.46284761341237", "85.50"):
        body = bundle(observation("29463-7", quantity(1.25, "kg"))).replace(b"1.25", written.encode())
        [(_, one)] = read_bundle(body).results
        assert (one.value, one.unit) == (written, "kg")
        assert canonical("weight", str(one.value), one.unit) == Decimal(written)


def test_a_filtration_rate_is_of_the_body_surface_that_its_code_names() -> None:
    """Programs write mL/min beside a code whose name has the surface in it; a clearance in mL/min is none of it."""
    codes = ("33914-3", "2164-2")
    found = read_bundle(bundle(*(observation(code, quantity(61.5, "mL/min")) for code in codes))).results
    assert [(one.analyte, one.unit) for _, one in found] == [
        ("egfr", "mL/min/{1.73_m2}"), ("creatinine_clearance", "mL/min"),
    ]  # fmt: skip


def test_a_time_that_cannot_be_read_is_a_fault() -> None:
    read = read_bundle(bundle(observation("718-7", quantity(9, "g/dL"), effectiveDateTime="yesterday")))
    assert [(one.place, one.column) for one in read.wrong] == [(2, "effective")]


@pytest.mark.parametrize(("body", "words"), [
    (b"{", "is not JSON"), (b"[]", "is no FHIR Bundle"), (b'{"resourceType": "Patient"}', "is no FHIR Bundle"),
    (b'{"resourceType": "Bundle"}', "this one has 0"),
    (bundle({"resourceType": "Patient", "id": "p2"}), "this one has 2"),
])  # fmt: skip
def test_what_is_no_bundle_of_one_patient_says_so(body: bytes, words: str) -> None:
    with pytest.raises(Unusable, match=words):
        read_bundle(body)


@pytest.mark.parametrize("line", ["alt,30,U/L,2026-01-05", "sodium,140,mmol/L,2026-01-05"], ids=["sound", "faulty"])
def test_a_table_holds_so_many_lines_and_no_more(line: str) -> None:
    head = "analyte,value,unit,occurred\n"
    read = lines(head + f"{line}\n\n" * MOST)
    assert len(read.results) + len(read.wrong) == MOST
    with pytest.raises(Unusable, match=f"at most {MOST} lines of results; split it"):
        lines(head + f"{line}\n" * (MOST + 1))


def test_a_bundle_holds_so_many_entries_and_no_more() -> None:
    whole = json.loads(bundle(CREATININE))
    more = [{"resource": {"resourceType": "Claim"}}] * (MOST_ENTRIES - len(whole["entry"]))
    whole["entry"] += more
    assert len(read_bundle(json.dumps(whole).encode()).left) == len(more)
    whole["entry"] += more[:1]
    with pytest.raises(Unusable, match=f"at most {MOST_ENTRIES} entries; split it"):
        read_bundle(json.dumps(whole).encode())


@pytest.mark.parametrize(("line", "mapping", "column", "words"), [
    ("alt,1,5,U/L,2026-01-05,,", "", "the last", "more cells than the first line has titles"),
    ("alt,30,U/L,2026-01-05,ja", "", "supported", "is one of yes, y"),
    ("alt,30,U/L,2026-01-05,是", "", "supported", "is one of yes, y"),
    ("alt,1.234,U/L,2026-01-05,", '{"decimal": ","}', "value", "nothing says what it parts"),
])  # fmt: skip
def test_what_could_be_read_as_something_else_is_a_fault(line: str, mapping: str, column: str, words: str) -> None:
    head = "analyte,value,unit,occurred,supported\n"
    read = lines(head + line.replace("1,5,U/L,2026-01-05,,", "1,5,U/L,2026-01-05,yes,x") + "\n", mapping)
    assert [(one.place, one.column, words in one.reason) for one in read.wrong] == [(2, column, True)]
    assert not read.results
    assert len(lines(f"{head}alt,30,U/L,2026-01-05,no,,\n").results) == 1, "the control: nothing stands too far right"


CODES = {"coding": [{"system": "http://loinc.org", "code": c} for c in ("718-7", "2160-0")]}
HB = quantity(9, "g/dL")


@pytest.mark.parametrize(("more", "column"), [
    ({"modifierExtension": [{"url": "urn:not", "valueBoolean": True}]}, "modifierExtension"),
    ({"implicitRules": "urn:other"}, "implicitRules"),
    ({"valueInteger": 7}, "value"),
    ({"code": CODES}, "code"),
    ({"effectiveDateTime": None, "effectiveTiming": {"event": ["2026-01-05"]}}, "effective"),
])  # fmt: skip
def test_an_observation_that_can_be_read_in_two_ways_is_a_fault(more: dict[str, Any], column: str) -> None:
    read = read_bundle(bundle({**observation("718-7", HB), **more}))
    assert ([(one.place, one.column) for one in read.wrong], read.results) == ([(2, column)], [])
    assert read_bundle(bundle(observation("718-7", HB))).results, "the control"


@pytest.mark.parametrize("status", [None, [], {}, 5])
def test_a_status_of_another_kind_is_not_final(status: object) -> None:
    [left] = read_bundle(bundle(observation("718-7", HB, status=status))).left
    assert left.why == "not_final"


@pytest.mark.parametrize(("body", "words"), [
    (bundle(birthDate="yesterday"), "birthDate"), (bundle(birthDate="19800302"), "birthDate"),
    (bundle(modifierExtension=[{}]), "modifierExtension"),
    (bundle().replace(b'"gender"', b'"gender": "male", "gender"'), "one name twice"),
    (bundle().replace(b'"female"', b"9" * 6000), "is not JSON"),
    (bundle().replace(b'"female"', b'"\\u0000"'), "NUL"),
    (b"[" * 100_000, "is not JSON"),
])  # fmt: skip
def test_a_bundle_that_would_be_read_wrongly_says_why(body: bytes, words: str) -> None:
    with pytest.raises(Unusable, match=words):
        read_bundle(body)


def test_a_month_of_birth_is_its_year_and_a_mark_of_the_encoding_is_none_of_the_text() -> None:
    assert read_bundle(b"\xef\xbb\xbf" + bundle(birthDate="1980-05")).birth == "1980"


def test_nobody_is_not_the_patient() -> None:
    bare = bundle(observation("718-7", HB, subject={"reference": "None"}), id=None)
    [left] = read_bundle(bare.replace(PATIENT.encode(), b"")).left
    assert left.why == "other_subject"


def test_an_entry_that_is_none_counts_as_a_place() -> None:
    read = read_bundle(bundle(observation("718-7", HB)).replace(b'"entry": [', b'"entry": [5, '))
    assert ([place for place, _ in read.results], [(one.place, one.why) for one in read.left]) == (
        [3], [(1, "not_read")],
    )  # fmt: skip


def test_a_figure_nobody_can_reckon_with_is_one_entrys_value_and_no_failure_of_the_file() -> None:
    powers = "1e" + "9" * 20
    body = bundle(observation("718-7", quantity(777, "g/dL")), observation("718-7", quantity(9.5, "g/dL")))
    read = read_bundle(body.replace(b"777", powers.encode()))
    assert [one.value for _, one in read.results] == [powers, "9.5"]
    with pytest.raises(Refused, match="must be a number"):
        canonical("haemoglobin", powers, "g/dL")

"""What a scanner types is read by its standard, told with its place where it cannot be, and never guessed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.core.errors import Reason, Refused
from domain.doses.labelling import gs1, isbt128
from domain.doses.labelling.reading import read, read_field
from domain.doses.labelling.scan import Scan, ScanUnreadable, lasts, names_patient, names_unit, same_end, same_number

DIN = "A999925123456"
UDI = "=+05000=/A9999XYZ100T0944=,000025=A99971312345600=>014032&,1000000000000XYZ123"
"""The published example of a device's label, as a compound message."""
LABEL = f"=+05000={DIN}00=<S1234V00&,1{'LOT0007':0>18}&,2{'U1':0>18}&>0270601400"


def at(*day: int) -> datetime:
    return datetime(*day, tzinfo=UTC)  # type: ignore[arg-type, misc] # year, month, day and on


@pytest.mark.parametrize(
    ("typed", "values", "expires"),
    [
        (f"={DIN}00", {"donation": DIN}, None),
        ("=<S1234V00", {"product_code": "S1234V00"}, None),
        ("=>027060", {}, at(2027, 3, 1, 23, 59)),
        ("&>0270601400", {}, at(2027, 3, 1, 14, 0)),
        ("=>999365", {}, at(1999, 12, 31, 23, 59)),
        ("=>024366", {}, at(2024, 12, 31, 23, 59)),
        ("&,1000000000000XYZ123", {"lot": "XYZ123"}, None),
        ("&/CHA999925000042", {"chain": "CHA999925000042"}, None),
        ("&#0108MRN 0042", {"patient": "MRN 0042"}, None),
        (UDI, {"division": "000025", "donation": "A999713123456", "lot": "XYZ123"}, at(2014, 2, 1, 23, 59)),
        (f"={DIN}00=<S1234V00", {"donation": DIN, "product_code": "S1234V00"}, None),
    ],
)
def test_isbt_128_is_read(typed: str, values: dict[str, str], expires: datetime | None) -> None:
    assert read(typed) == Scan("isbt_128", values, expires)


@pytest.mark.parametrize(
    ("typed", "values", "expires"),
    [
        ("(01)09506000134352(17)270301(10)ABC-1(21)S/9", {"gtin": "09506000134352", "lot": "ABC-1", "serial": "S/9"},
         at(2027, 3, 1, 23, 59)),
        ("]d201095060001343521727030110A|21B",
         {"gtin": "09506000134352", "lot": "A", "serial": "B"}, at(2027, 3, 1, 23, 59)),
        ("010950600013435210A\x1d21B", {"gtin": "09506000134352", "lot": "A", "serial": "B"}, None),
        ("(01)09506000134352(17)270200", {"gtin": "09506000134352"}, at(2027, 2, 28, 23, 59)),
        ("(01)09506000134352(7003)2703011430", {"gtin": "09506000134352"}, at(2027, 3, 1, 14, 30)),
        ("(8018)350123451234567894", {"patient": "350123451234567894"}, None),
    ],
)  # fmt: skip
def test_gs1_is_read(typed: str, values: dict[str, str], expires: datetime | None) -> None:
    assert read(typed) == Scan("gs1", values, expires)


@pytest.mark.parametrize(
    ("typed", "position", "why"),
    [
        ("", 1, "nothing was scanned"),
        (" \u200b ", 1, "nothing was scanned"),
        ("A" * 201, 201, "at most 200"),
        (f"={DIN}", 15, "two flag characters"),
        ("=?12", 1, "no data structure begins with '=?'"),
        ("=<S12", 3, "product code (ISBT 128 structure 003)"),
        (f"={DIN}00=<s1234V00", 19, "product code"),
        (f"={DIN}00={DIN[:-1]}700", 18, "two different things of one: donation"),
        (f"=+03000={DIN}00=<S1234V00", 33, "says it has 3 parts, and 2 were read"),
        ("=+0x000", 3, "five digits follow"),
        ("=>027366", 6, "the year 2027 has no day 366"),
        ("=>027000", 6, "has no day 0"),
        ("&>0270602460", 9, "no clock shows 24:60"),
        ("&/CHA999925 00042", 3, "chain of identity (ISBT 128 structure 040)"),
        ("&#01xx", 5, "two digits"),
        ("&#0109MRN", 7, "cut off"),
        ("(01)09506000134353", 18, "the check digit of element (01) is wrong"),
        ("(01)0950600013435", 5, "no value of element (01)"),
        ("(01)09506000134352(99)x", 19, "has the number '99'"),
        ("(17)271301", 5, "no calendar has the day 271301"),
        ("(10)A(10)B", 10, "two different things of one: lot"),
        ("(17)270301", 10, "nothing was read that names"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(typed: str, position: int, why: str) -> None:
    with pytest.raises(ScanUnreadable) as told:
        read(typed)
    assert (told.value.position, why in told.value.why) == (position, True), told.value


def test_a_field_that_cannot_be_read_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="the scan cannot be read at character 3: this is no product code") as no:
        read_field("=<S12", "second_unit")
    assert (no.value.reason, no.value.field) == (Reason.INVALID, "second_unit")


@pytest.mark.parametrize(
    ("typed", "unit", "same"),
    [
        (f"={DIN}00", DIN, True),
        (f"={DIN}00", "A9999 25 123456 9", True),
        (f"={DIN}00", "U-1", False),
        (f"={DIN}00=,00000A", f"{DIN}00000A", True),
        (f"={DIN}00=,00000A", DIN, False),
        (LABEL, "U-1", True),
        (LABEL, "u\u200b-1", True),
        (LABEL, "U-2", False),
        ("(01)09506000134352(21)U-1", "U-1", True),
        ("(01)09506000134352(21)U1", "U-1", False),
        ("(01)09506000134352(10)U-1", "U-1", False),
        (" u-1\r\n", "U-1", True),
        ("U1", "U-1", False),
        ("", "", False),
    ],
)  # fmt: skip
def test_which_unit_a_scan_names(typed: str, unit: str, same: bool) -> None:
    assert names_unit(read(typed) if typed else Scan("plain"), unit) is same


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        ("MRN-0042", True),
        ("mrn-0042 ", True),
        ("MRN0042", False),
        ("MRN-42", False),
        ("CHA999925000042", True),
        ("&/CHA999925000042", True),
        ("&#0108MRN-0042", True),
        ("&#0108MRN-0042&/CHA999925000042", True),
        ("&#0108MRN-0042&/CHA999925000043", False),
        (f"={DIN}00", False),
    ],
)
def test_which_patient_a_scan_names(typed: str, same: bool) -> None:
    assert names_patient(read(typed), "MRN-0042", "CHA999925000042") is same


def test_an_end_of_use_is_compared_whatever_zone_it_is_written_in() -> None:
    known, scan = at(2027, 3, 1, 13, 0), read("&>0270601400")
    assert same_end(scan, known)
    assert not same_end(scan, known + timedelta(days=3))
    assert same_end(read(f"={DIN}00"), known)
    assert lasts(scan, at(2027, 3, 1, 20, 0))
    assert not lasts(scan, at(2027, 3, 3))


NUMBERS = st.from_regex("[A-Z1-9][A-Z0-9]{0,17}", fullmatch=True)


@given(
    donation=st.from_regex("[A-NP-Z1-9][0-9]{12}", fullmatch=True),
    product=st.from_regex("[A-Z][A-Z0-9]{4}[A-Za-z0-9]{3}", fullmatch=True),
    lot=NUMBERS,
    unit=NUMBERS,
    expires=st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)),  # noqa: DTZ001 - made aware below
)
def test_what_is_written_is_what_is_read(donation: str, product: str, lot: str, unit: str, expires: datetime) -> None:
    minute = expires.replace(second=0, microsecond=0, tzinfo=UTC)
    values = {"donation": donation, "product_code": product, "lot": lot, "supplemental": unit}
    scan = read(isbt128.write(values, minute))
    assert scan == Scan("isbt_128", values, minute)
    assert names_unit(scan, unit)
    assert same_number(scan.get("lot"), lot)


@given(st.text(max_size=60))
def test_anything_is_read_or_told_with_a_place_within_it(typed: str) -> None:
    try:
        read(typed)
        told = 1
    except ScanUnreadable as no:
        told = no.position
    assert 1 <= told <= max(len(typed), 1)


@given(st.sampled_from([LABEL, UDI, "(01)09506000134352(17)270301(10)ABC-1(21)S/9"]), st.data())
def test_a_label_with_one_character_lost_never_names_what_it_named(label: str, data: st.DataObject) -> None:
    """Lengths and counts tell most losses; what is still read names another unit or lot, or the same with less."""
    lost = data.draw(st.integers(0, len(label) - 1))
    before = read(label)
    try:
        after = read(label[:lost] + label[lost + 1 :])
    except ScanUnreadable:
        return
    assert after != before


def test_the_check_digit_is_gs1s() -> None:
    assert gs1.check_digit("0950600013435") == "2"

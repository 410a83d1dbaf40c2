"""What the labels of a lot say is stated, and printed by the unit; nothing of a patient is on one [doses.label]."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.core.errors import Reason, Refused
from domain.core.fact import Fact
from domain.core.personal import ERASED
from domain.core.when import When
from domain.doses import lot
from domain.doses.labelling.label import LabelPrinted, LabelStated, PrintLabel, StateLabel, label_of
from domain.doses.labelling.reading import read
from domain.doses.labelling.scan import names_unit
from domain.doses.lot import LotRecalled, LotRegistered, read_model
from domain.doses.stock import Lot
from domain.doses.unit import UnitUsed

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
EXPIRES = datetime(2027, 3, 1, 13, 0, 30, tzinfo=UTC)
DIN, OTHER = "A999925123456", "A999926000001"
STATE = StateLabel("LOT-7", "S1234V00", f"{DIN}9", "Europe/Berlin", "09506000134352", "CD19 cells", "1e8", 20.0)


def lot_of(*events: Any, units: Sequence[str] = ("U-1", "U-2", f"{OTHER}8")) -> Lot:
    made = LotRegistered("P", tuple(units), EXPIRES, "", "", "lab")
    known = lot.initial
    for n, event in enumerate((made, *events), 1):
        known = lot.evolve(known, Fact(event, f"f{n}", n, NOW, When.at(NOW), "lab"))
    return known


def told(known: Lot, command: Any) -> Sequence[Any]:
    return lot.decide(known, command, NOW, {})


def stated(c: StateLabel = STATE) -> LabelStated:
    [event] = told(lot_of(), c)
    assert isinstance(event, LabelStated)
    return event


@pytest.mark.parametrize(
    ("wrong", "field", "why"),
    [
        ({"number": "- -"}, "number", "1 to 18 letters and digits"),
        ({"number": "L" * 19}, "number", "1 to 18 letters and digits"),
        ({"product_code": "S1234"}, "product_code", "an ISBT 128 product code"),
        ({"donation": DIN}, "donation", "with its check character"),
        ({"donation": f"{DIN}8"}, "donation", "with its check character"),
        ({"zone": "CET"}, "zone", "no such time zone"),
        ({"gtin": "09506000134353"}, "gtin", "its check digit"),
        ({"volume_ml": 0.0}, "volume_ml", "above 0 mL"),
        ({"storage": "x" * 61}, "storage", "room for 60 characters"),
    ],
)
def test_what_no_label_can_hold_is_refused(wrong: dict[str, Any], field: str, why: str) -> None:
    with pytest.raises(Refused, match=why) as no:
        told(lot_of(), replace(STATE, **wrong))
    assert (no.value.reason, no.value.field) == (Reason.INVALID, field)


def test_two_units_that_a_label_could_not_tell_apart_are_refused() -> None:
    with pytest.raises(Refused, match="units U-1 and U1 would have the same number"):
        told(lot_of(units=("U-1", "U1")), STATE)


def test_a_label_says_all_the_standard_asks_for_and_no_patient() -> None:
    known = lot_of(stated())
    label = label_of(known.labels, "U-1", known.expires)
    assert label.message == (f"=+05000={DIN}00=<S1234V00&,1{'LOT7':0>18}&,2{'U1':0>18}&>0270601400")
    assert (label.donation, label.check, str(label.expires)) == (DIN, "9", "2027-03-01 14:00:00+01:00")
    scan = read(label.message)
    assert names_unit(scan, "U-1")
    assert not names_unit(scan, "U-2")


def test_a_unit_called_by_its_donation_number_has_that_on_its_label() -> None:
    known = lot_of(stated())
    label = label_of(known.labels, f"{OTHER}8", known.expires)
    assert label.message.startswith(f"=+04000={OTHER}00=<S1234V00")
    assert names_unit(read(label.message), f"{OTHER}8")
    assert not names_unit(read(label.message), "U-1")


def test_each_printing_is_told_with_its_copy_and_what_it_said() -> None:
    known = lot_of(stated())
    first = told(known, PrintLabel("u-1 ", "person-1"))
    version = label_of(known.labels, "U-1", known.expires).version
    assert first == [LabelPrinted("U-1", 1, version, "person-1")]
    again = lot_of(stated(), first[0])
    assert told(again, PrintLabel("U-1", "person-2")) == [LabelPrinted("U-1", 2, version, "person-2")]
    assert [one.copy_number for one in told(again, PrintLabel("U-2", "person-2"))] == [1]
    assert [(p.unit, p.copy_number, p.by, p.at) for p in again.labels.printings] == [("U-1", 1, "person-1", NOW)]
    other = lot_of(stated(), first[0], stated(replace(STATE, cells="2e8")))
    assert told(other, PrintLabel("U-1", "person-1"))[0].version != version


@pytest.mark.parametrize(
    ("events", "unit", "reason", "why"),
    [
        ((), "U-1", Reason.MISSING, "nobody stated what the labels of this lot say"),
        ((stated(),), "U-9", Reason.NOT_FOUND, "no such unit in this lot"),
        ((stated(), LotRecalled("x")), "U-1", Reason.IRREVERSIBLE, "a recalled lot stays recalled"),
        ((stated(), UnitUsed("U-1")), "U-1", Reason.IRREVERSIBLE, "the unit is used; it needs no label"),
        ((replace(stated(), donation=ERASED),), "U-1", Reason.MISSING, "nobody can read the donation number"),
    ],
)
def test_no_label_is_printed(events: tuple[Any, ...], unit: str, reason: Reason, why: str) -> None:
    with pytest.raises(Refused, match=why) as no:
        told(lot_of(*events), PrintLabel(unit, "person-1"))
    assert no.value.reason is reason


def test_cases_note_what_a_scan_is_compared_with_and_no_donation() -> None:
    numbers = {"lot_number": "LOT-7", "product_code": "S1234V00", "gtin": "09506000134352"}
    assert numbers.items() <= read_model(lot_of(stated())).items()
    assert not {*numbers, "donation"} & set(read_model(lot_of()))
    assert DIN not in str(read_model(lot_of(stated())))


def test_a_label_names_its_minute_not_its_second() -> None:
    known = lot_of(stated())
    label = label_of(known.labels, "U-1", known.expires)
    assert read(label.message).expires == label.expires.replace(tzinfo=UTC)
    assert label.expires <= EXPIRES < label.expires + timedelta(minutes=1)


@pytest.mark.parametrize(("year", "fits"), [(2099, True), (2100, False), (9999, False)])
def test_an_end_of_use_the_standard_cannot_write_is_on_no_label(year: int, fits: bool) -> None:
    expires = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)
    zone = replace(STATE, zone="America/New_York" if fits else "Asia/Tokyo")
    known = replace(lot_of(stated(zone)), expires=expires)
    if fits:
        [printed] = told(known, PrintLabel("U-1"))
        assert isinstance(printed, LabelPrinted)
        found = read(label_of(known.labels, "U-1", expires).message).expires
        assert found is not None
        assert found.year == year
    else:
        with pytest.raises(Refused, match="no end of use after 2099"):
            told(known, PrintLabel("U-1"))

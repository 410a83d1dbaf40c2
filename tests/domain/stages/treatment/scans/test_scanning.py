"""At the bedside it is compared what two people scanned; what differs is a near miss, what is torn is told [P8]."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.core.errors import Reason
from domain.core.personal import ERASED
from domain.doses.labelling import isbt128
from domain.doses.labelling.scan import printed
from domain.stages.treatment.bedside.scanning import (
    IdentityScanned,
    RegisterWristband,
    ScanIdentity,
    WristbandRegistered,
)
from domain.stages.treatment.infusion import (
    IdentityChecked,
    IdentityMismatched,
    RecordInfusion,
    StartThaw,
    ThawStarted,
)
from tests.domain.course import LOT, UNIT, start
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No
from tests.drawing import draws

CODE, CHAIN, DIN = "MRN-0042", "CHA999926000042", "A999925123456"
BANDED = RegisterWristband(CODE, CHAIN)


SCANNED = ScanIdentity("nurse-1", CODE, UNIT, "nurse-2", CODE, UNIT)


def scan(**other: str) -> ScanIdentity:
    given: dict[str, Any] = {**other}
    return replace(SCANNED, **given)


def banded(step: str = "authorised") -> Journey:
    j = start(step)
    number = {"lot_number": "LOT-7", "product_code": "S1234V00", "gtin": "09506000134352"}
    j.source(LOT, state="released", expires=j.now + 365 * DAY, **number)
    return j.tell(BANDED)


def told(c: ScanIdentity, *mismatches: str) -> IdentityScanned:
    read = (c.first, c.first_patient, c.first_unit, c.second, c.second_patient, c.second_unit)
    return IdentityScanned(1, *read, mismatches)


def label(j: Journey, **other: str) -> str:
    """The label of ISBT 128 as the lot's labels are printed."""
    values = {"donation": DIN, "product_code": "S1234V00", "lot": "LOT7", "supplemental": printed(UNIT), **other}
    return isbt128.write(values, j.sources[LOT][1]["expires"])


REFUSALS = (
    No("visa", BANDED, Reason.NOT_NOW, "RegisterWristband is accepted in:"),
    No("admitted", RegisterWristband(" \u200b"), Reason.INVALID, "a wristband has a number"),
    No("admitted", RegisterWristband(CODE, "CH42"), Reason.INVALID, "a chain-of-identity number is CH, the facility"),
    No("admitted", BANDED, Reason.ALREADY, "this wristband is registered", lambda j: j.tell(BANDED)),
    No("admitted", RegisterWristband("(01)09506000134352"), Reason.INVALID, "no patient's number stands in this scan"),
    No("admitted", RegisterWristband("=<torn"), Reason.INVALID, "the scan cannot be read at character 3"),
    No("authorised", scan(), Reason.MISSING, "the patient's wristband is not registered"),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_wristband_is_registered_once_and_a_new_one_takes_its_place() -> None:
    j = start("admitted")
    when(j, BANDED).then_told(WristbandRegistered(CODE, CHAIN))
    when(j, BANDED).then_refused(Reason.ALREADY, "this wristband is registered")
    when(j, RegisterWristband("MRN-0043")).then_told(WristbandRegistered("MRN-0043", ""))
    assert j.case.wristband is not None
    assert (j.case.wristband.code, j.case.wristband.chain) == ("MRN-0043", "")


@pytest.mark.parametrize("scanned", ["&#0108MRN-0042", f"&#0108MRN-0042&/{CHAIN}"])
def test_a_wristband_may_be_scanned_into_the_field(scanned: str) -> None:
    j = start("authorised").tell(RegisterWristband(scanned))
    assert j.case.wristband is not None
    assert (j.case.wristband.code, j.case.wristband.chain) == (CODE, CHAIN if CHAIN in scanned else "")
    c = scan(first_patient=scanned)
    when(j, c).then_told(told(c), IdentityChecked(1, "nurse-1", "nurse-2", UNIT))


def test_two_scans_that_match_are_an_identity_check_and_the_unit_is_thawed() -> None:
    j = banded()
    c = scan(second_patient=f"&/{CHAIN}", second_unit=label(j))
    when(j, c).then_told(told(c), IdentityChecked(1, "nurse-1", "nurse-2", UNIT))
    when(j, StartThaw(UNIT)).then_told(ThawStarted(1, UNIT))


@pytest.mark.parametrize(
    ("other", "mismatches"),
    [
        ({"second_patient": "MRN-0043"}, ("second_patient",)),
        ({"first_patient": UNIT, "first_unit": CODE}, ("first_patient", "first_unit")),
        ({"first_unit": "unit-9"}, ("first_unit",)),
        ({"second_unit": f"(10)LOT-8(21){UNIT}"}, ("second_unit_lot",)),
        ({"second_unit": f"(01)09506000134369(21){UNIT}"}, ("second_unit_product",)),
        ({"second_unit": f"(17)200101(21){UNIT}"}, ("second_unit_expiry", "second_unit_expired")),
        ({"first_unit": f"={DIN}00&/CHA999926000043"}, ("first_unit", "first_unit_chain")),
    ],
)
def test_whatever_differs_stops_everything_with_what_was_read(
    other: dict[str, str], mismatches: tuple[str, ...]
) -> None:
    j = banded()
    c = scan(**other)
    read = c.first_unit if any(m.startswith("first_unit") for m in mismatches) else c.second_unit
    wrong_unit, wrong_patient = any("unit" in m for m in mismatches), any(m.endswith("patient") for m in mismatches)
    shown = read if wrong_unit else UNIT
    when(j, c).then_told(
        told(c, *mismatches), IdentityMismatched(1, "nurse-1", "nurse-2", shown, not wrong_patient, not wrong_unit)
    ).then_opens("safety_alert", "safety_answer", "corrective_plan")
    assert [one.kind for one in j.case.alerts.values()] == ["mismatch"]
    when(j, StartThaw(UNIT)).then_refused(Reason.MISSING, "the infusion is not authorised")


def test_a_torn_scan_is_told_with_its_place_and_nothing_is_recorded() -> None:
    j = banded()
    version = j.case.version
    when(j, scan(second_unit="=<S12")).then_refused(Reason.INVALID, "the scan cannot be read at character 3")
    assert j.case.version == version
    when(j, scan()).then_told(told(scan()), IdentityChecked(1, "nurse-1", "nurse-2", UNIT))


def test_one_person_is_not_two_though_both_scan() -> None:
    when(banded(), scan(second="NURSE-1 ")).then_refused(Reason.FOUR_EYES, "two different people check")


def test_a_mismatch_of_a_thawed_unit_bars_the_cells() -> None:
    j = banded()
    j.tell(scan()).tell(StartThaw(UNIT))
    c = scan(first_patient="MRN-0043")
    when(j, c).then_told(told(c, "first_patient"), IdentityMismatched(1, "nurse-1", "nurse-2", UNIT, False, True))
    when(j, RecordInfusion(UNIT)).then_refused(Reason.NEVER_WAIVED, "two people found a mismatch")


def test_a_wristband_nobody_can_read_any_more_matches_nobody() -> None:
    j = banded()
    j.tell(RegisterWristband("MRN-0043"))
    unread: list[Any] = [
        replace(e, code=ERASED) if isinstance(e := f.event, WristbandRegistered) else e for f in j.facts
    ]
    j.facts = [replace(f, event=event) for f, event in zip(j.facts, unread, strict=True)]
    j.case = j.refold()
    when(j, scan()).then_refused(Reason.MISSING, "the patient's wristband is not registered")


READ = st.sampled_from([CODE, CHAIN, f"&/{CHAIN}", UNIT, f"(21){UNIT}", "unit-9", "MRN-0043", f"={DIN}00", "=torn", ""])


@given(READ, READ, READ, READ)
@draws(60)
def test_a_check_passes_only_where_all_four_scans_name_this_patient_and_this_unit(
    first: str, one: str, second: str, other: str
) -> None:
    j = JOURNEY.fork()
    c = scan(first_patient=first, first_unit=one, second_patient=second, second_unit=other)
    j.tried(c)
    patient, unit = {CODE, CHAIN, f"&/{CHAIN}"}, {UNIT, f"(21){UNIT}"}
    right = {first, second} <= patient and {one, other} <= unit
    assert bool(j.case.treatment and j.case.treatment.identity_checked) is right


JOURNEY = banded()

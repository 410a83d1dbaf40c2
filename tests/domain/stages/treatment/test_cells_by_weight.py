"""The cells of an infusion beside what the protocol writes for the weight: shown, and outside of it with a reason."""

from __future__ import annotations

from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from domain.core.errors import Reason, Refused
from domain.core.personal import ERASED
from domain.core.when import When
from domain.criteria.dosing import CellDose, cell_dose_of, cells_of, require_dosable
from domain.stages.records.observing import RecordObservation
from domain.stages.treatment.bedside.authorising import AuthoriseInfusion, InfusionAuthorised
from domain.stages.treatment.bedside.dosing import CellRange, cell_lines, cell_range, order_stands
from domain.stages.treatment.infusion import CheckIdentity, RecordInfusion, StartThaw
from tests.domain.course import PROTOCOL, start
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No
from tests.drawing import draws

PER_KG = CellDose(least=2_000_000, most=2_000_000, per_kg=True, cap=200_000_000, weight_days=7, tolerance=10)
"""As a product has it that is given at 2 million cells for each kilogram, at most 200 million; tolerance is ours."""
REFUSALS = [
    No(
        "infusion",
        AuthoriseInfusion("Dr Li", despite="in a hurry"),
        Reason.INVALID,
        "the reason goes with the number of cells",
    ),
]
BANDS = (
    CellDose(least=200_000, most=5_000_000, per_kg=True, up_to_kg=50),
    CellDose(least=10_000_000, most=250_000_000, above_kg=50),
)
FLAT = CellDose(least=90_000_000, most=110_000_000)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def waits(*doses: CellDose, kg: str = "70", days: int = 2) -> Journey:
    """Before an authorisation, under a protocol that writes these doses; weighed so many days ago, or never."""
    j = start("infusion")
    j.source(PROTOCOL, doses=doses).look()
    return j.tell(weighed(j, kg, days)) if kg else j


def weighed(j: Journey, kg: str, days: int) -> RecordObservation:
    return RecordObservation(analyte="weight", value=kg, unit="kg", occurred=When.on((j.now - days * DAY).date()))


def test_the_range_is_computed_from_the_newest_weight_and_capped() -> None:
    j = waits(PER_KG)
    found = cell_range(j.case, j.now)
    assert (found.least, found.most, found.kg, found.days_old) == (126_000_000, 154_000_000, Decimal(70), 2)
    assert not found.too_old
    heavier = cell_range(j.tell(weighed(j, "110", 1)).case, j.now)
    assert (heavier.least, heavier.most) == (180_000_000, 200_000_000)
    assert cell_range(j.tell(weighed(j, "20", 9)).case, j.now) == heavier, "an older weight told later changes nothing"


def test_a_number_within_is_authorised_as_it_is() -> None:
    j = waits(PER_KG)
    weight = cell_range(j.case, j.now).weight
    told = InfusionAuthorised(1, "Dr Li", "140000000", "within", "126000000", "154000000", weight)
    when(j, AuthoriseInfusion("Dr Li", "1.4e8", "not needed")).then_told(told)
    [line] = cell_lines(j.case)
    assert line.order is not None
    assert (line.infusion, line.order.cells, line.order.stands) == (0, "140000000", "within")


@pytest.mark.parametrize(
    ("cells", "days", "stands", "words"),
    [
        ("1.2e8", 2, "below", "that is fewer cells than the protocol writes for this patient"),
        ("1.6e8", 2, "above", "that is more cells than the protocol writes for this patient"),
        ("1.4e8", 8, "weight_old", "the newest weight is older than the protocol lets it be; record a newer one"),
    ],
)
def test_outside_of_it_the_physician_gives_a_reason(cells: str, days: int, stands: str, words: str) -> None:
    j = waits(PER_KG, days=days)
    way_on = f"{words}; look at number and weight again, or say why it is so"
    when(j, AuthoriseInfusion("Dr Li", cells)).then_refused(Reason.MISSING, way_on)
    j.tell(AuthoriseInfusion("Dr Li", cells, "low count in the bag"))
    [line] = cell_lines(j.case)
    assert line.order is not None
    assert (line.order.stands, line.order.despite) == (stands, "low count in the bag")


@pytest.mark.parametrize(
    ("doses", "kg", "unknown"), [((), "70", "protocol"), ((PER_KG,), "", "weight"), (BANDS[:1], "70", "no_dose")]
)
def test_what_is_not_known_stands_against_nothing(doses: tuple[CellDose, ...], kg: str, unknown: str) -> None:
    j = waits(*doses, kg=kg)
    assert cell_range(j.case, j.now).unknown == unknown
    when(j, AuthoriseInfusion("Dr Li", "5")).then_told(InfusionAuthorised(1, "Dr Li", "5", "unknown"))


def test_a_weight_without_a_day_or_erased_is_not_known() -> None:
    j = waits(PER_KG, kg="").tell(RecordObservation(analyte="weight", value="70", unit="kg", occurred=When.unknown()))
    assert cell_range(j.case, j.now).unknown == "weight"
    j = waits(PER_KG)
    fact, sample = next((f, one) for f, one in j.case.samples.items() if one.observed.analyte == "weight")
    gone = replace(sample, observed=replace(sample.observed, value=ERASED))
    case = replace(j.case, samples={**j.case.samples, fact: gone})
    assert cell_range(case, j.now).unknown == "weight"


def test_bands_take_the_dose_of_the_weight() -> None:
    at_50, above = waits(*BANDS, kg="50"), waits(*BANDS, kg="50.1")
    found = cell_range(at_50.case, at_50.now)
    assert (found.least, found.most) == (10_000_000, 250_000_000)
    assert found.dose == BANDS[0]
    assert cell_range(above.case, above.now).dose == BANDS[1]


def test_a_flat_dose_asks_for_no_weight() -> None:
    j = waits(FLAT, kg="")
    told = InfusionAuthorised(1, "Dr Li", "100000000", "within", "90000000", "110000000")
    when(j, AuthoriseInfusion("Dr Li", "100000000")).then_told(told)


def test_without_a_number_nothing_is_compared() -> None:
    j = waits(PER_KG)
    no = AuthoriseInfusion("Dr Li", despite="in a hurry")
    when(j, no).then_refused(Reason.INVALID, "the reason goes with the number of cells")
    when(j, AuthoriseInfusion("Dr Li")).then_told(InfusionAuthorised(1, "Dr Li"))
    assert cell_lines(j.case) == []


def test_what_went_in_stands_beside_what_was_authorised() -> None:
    j = waits(PER_KG)
    unit = j.case.dose.ref
    j.tell(AuthoriseInfusion("Dr Li", "1.4e8")).tell(CheckIdentity("n1", "n2", unit, True, True)).tell(StartThaw(unit))
    j.tell(RecordInfusion(unit, "1.38e8 CAR+ cells"))
    [line] = cell_lines(j.case)
    assert line.order is not None
    assert (line.infusion, line.order.cells, line.given) == (1, "140000000", "1.38e8 CAR+ cells")


@pytest.mark.parametrize("text", ["", "140 million", "1.5", "0", "-5", "1e14", "NaN"])
def test_a_number_of_cells_is_whole_and_likely(text: str) -> None:
    with pytest.raises(Refused) as no:
        cells_of(text)
    assert no.value.field == "cells"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"least": 0}, "least and most"), ({"most": 1}, "least and most"), ({"per_kg": False}, "cap goes with per_kg"),
    ({"cap": -1}, "cap goes with per_kg"), ({"tolerance": 100}, "tolerance"), ({"above_kg": 50, "up_to_kg": 50}, "lie"),
    ({"up_to_kg": 301}, "lies below"), ({"weight_days": 366}, "weight_days"), ({"weight_days": -1}, "weight_days"),
    ({"per_kg": False, "cap": 0}, "weight_days"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "words"), WRONG)
def test_what_nobody_could_be_given_is_refused(wrong: dict[str, Any], words: str) -> None:
    require_dosable([PER_KG])
    with pytest.raises(Refused) as no:
        require_dosable([replace(PER_KG, **wrong)])
    assert no.value.field == "doses"
    assert words in no.value.detail


def test_two_doses_for_one_weight_are_refused() -> None:
    require_dosable(BANDS)
    for doses in ((PER_KG, FLAT), (*BANDS, replace(FLAT, above_kg=200)), (replace(FLAT, up_to_kg=60), BANDS[1])):
        with pytest.raises(Refused, match="two of them are for one weight"):
            require_dosable(doses)


def test_it_comes_back_from_a_read_model() -> None:
    assert cell_dose_of(asdict(PER_KG)) == PER_KG


KG = st.decimals("2", "300", places=2)


@draws(100)
@drawn(KG, st.integers(1, 10**7), st.integers(0, 10**7), st.integers(0, 99), st.integers(0, 10**9))
def test_the_range_holds_its_own_ends_and_no_more_than_the_cap(
    kg: Decimal, low: int, more: int, t: int, cap: int
) -> None:
    dose = CellDose(least=low, most=low + more, per_kg=True, tolerance=t, cap=cap)
    least, most = dose.between(kg)
    assert least <= most
    assert most <= cap or not cap
    j = CellRange(dose=dose, least=least, most=most, kg=kg)
    assert order_stands(j, most + 1) == "above"
    assert order_stands(j, least - 1) == "below"
    assert {order_stands(j, least), order_stands(j, most)} == {"within"}

"""Four kinds side by side by six factors: sourced or not known, with what bears on it, and never an answer."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.core.when import When
from domain.criteria.checks import Offer, Patient
from domain.criteria.comparison import CHECKED, FACTORS, KINDS, KNOWN, Cell, compare
from domain.criteria.matching import match
from domain.criteria.observation import Observation

NOW = datetime(2026, 11, 30, tzinfo=UTC)
PATIENT = Patient(
    country="IN",
    disease="b_all",
    urgent=True,
    own_cells=("manufacture_failed",),
    directed={"CD19": None},
    facts=(
        Observation(
            id="1", analyte="antigen", code="positive", target="CD22", method="flow", taken=When.on(NOW.date())
        ),
    ),
)


def offer(product: str, name: str, disease: str = "B-ALL") -> Offer:
    return Offer(protocol=name, centre="centre-1", product=product, targets=("CD22",), diseases=(disease,), door="open")


def cell(factor: str, kind: str, *offers: Offer, patient: Patient = PATIENT) -> Cell:
    rows = {row.factor: row for row in compare(patient, match(patient, offers, NOW))}
    return next(one for one in rows[factor].cells if one.kind == kind)  # type: ignore[index] # of the six


def test_every_factor_has_a_cell_for_every_kind_and_says_what_in_the_case_bears_on_it() -> None:
    rows = compare(PATIENT, ())
    assert [row.factor for row in rows] == list(FACTORS)
    assert all([one.kind for one in row.cells] == list(KINDS) for row in rows)
    assert {row.factor: row.bears for row in rows} == {
        "diagnosis": ("b_all",),
        "prior_therapy": ("manufacture_failed", "directed:CD19"),
        "urgency": ("urgent",),
        "cell_quality": ("manufacture_failed",),
        "antigen": ("CD22 positive",),
        "availability": ("IN",),
    }
    assert all(row.bears == () for row in compare(Patient(country=""), ())[:5]), "nothing is recorded"


def test_what_nobody_knows_is_not_known() -> None:
    known = {(row.factor, one.kind): one.known for row in compare(PATIENT, ()) for one in row.cells}
    assert {pair for pair, code in known.items() if code} == set(KNOWN)
    assert known["cell_quality", "in_vivo"] == ""


def test_the_ways_of_the_catalogue_are_counted_for_their_own_kind() -> None:
    offers = (offer("allogeneic", "p-1"), offer("allogeneic", "p-2", "multiple myeloma"), offer("autologous", "p-3"))
    assert cell("diagnosis", "allogeneic", *offers).ways == {"yes": 1, "no": 1}
    assert cell("prior_therapy", "autologous", *offers).ways == {"no": 1}
    assert cell("antigen", "car_nk", *offers).ways == {}
    assert not set(FACTORS) - set(CHECKED) - {"urgency", "cell_quality"}


def test_it_is_the_same_whatever_the_order_of_the_catalogue_and_names_no_best() -> None:
    offers = (offer("allogeneic", "p-1"), offer("in_vivo", "p-2"))
    there, back = (compare(PATIENT, match(PATIENT, order, NOW)) for order in (offers, offers[::-1]))
    assert there == back
    assert "rank" not in Cell.__dataclass_fields__

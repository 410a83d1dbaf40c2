"""Time to a first dose: each part with what it rests on; what nobody told is not known, and never shortens it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.product import Depletion
from domain.catalogue.protocols.description import Description
from domain.core.policy import Span
from domain.criteria.checks import Offer
from domain.criteria.comparison import MAKING_DAYS
from domain.stages.eligibility.matching import depletion_days
from domain.stages.follow_up.acquired import RecordResource, ReportResource
from domain.stages.travel.first_dose import PLANNED, FirstDose, Part, time_to_first_dose
from tests.domain.course import CENTRE, PROTOCOL, start
from tests.domain.journey import DAY, Journey, policy

OFFER = Offer(
    protocol=PROTOCOL, centre=CENTRE, product="allogeneic", targets=("CD19",), diseases=("B-ALL",), country="CN",
    depletion_days=(3, 5),
)  # fmt: skip
OWN = replace(OFFER, product="autologous")
NEW = start("eligibility")
LONG = (NEW.now + 300 * DAY,)


def first(j: Journey, offer: Offer = OFFER, lasting: Sequence[datetime] = LONG) -> FirstDose:
    return time_to_first_dose(j.case, offer, lasting, j.now, policy())


def parts(found: FirstDose) -> dict[str, tuple[str, int | None, int | None]]:
    return {one.name: (one.because, one.least, one.most) for one in found.parts}


def test_of_a_case_that_chooses_the_policy_the_protocol_and_the_stock_say_what_they_can() -> None:
    found = first(NEW)
    assert list(parts(found)) == [
        "decision", "letter", "visa", "travel", "bed", "screening", "dose", "lymphodepletion",
    ]  # fmt: skip
    said = parts(found)
    assert said["decision"][:2] == ("policy", 0)
    assert 7 <= (said["decision"][2] or 0) <= 14, "seven working days where the centre is"
    assert said["letter"] == ("policy", 0, 21)
    assert said["visa"] == ("policy", 0, 28)
    assert said["travel"] == ("policy", 0, 15)
    assert said["screening"] == ("policy", 0, 15)
    assert said["bed"] == ("not_told", None, None)
    assert said["dose"] == ("stock", 0, 0)
    assert said["lymphodepletion"] == ("protocol", 3, 5)
    assert (found.unknown, found.least, found.most) == (["bed"], 3, None)
    assert found.known_most == 84 + (said["decision"][2] or 0)


def test_the_patients_own_cells_are_collected_and_made_and_no_stock_serves() -> None:
    said = parts(first(NEW, OWN))
    assert "dose" not in said
    assert said["apheresis"] == ("not_told", None, None)
    assert said["manufacture"] == ("reported", *MAKING_DAYS)


def test_in_the_patients_own_country_nobody_needs_a_letter_or_a_visa() -> None:
    said = parts(first(NEW, replace(OFFER, country=NEW.case.country)))
    assert (said["letter"], said["visa"]) == (("not_needed", 0, 0), ("not_needed", 0, 0))
    assert said["travel"][0] == "policy"
    unsaid = parts(first(NEW, replace(OFFER, country="")))
    assert unsaid["visa"][0] == "policy", "where the centre lies is not known: it may be needed"


def test_what_the_case_has_there_is_over_and_at_another_centre_it_is_not() -> None:
    j = start("admitted")
    here, other = first(j, lasting=()), first(j, replace(OFFER, centre="centre-b"), ())
    over = [name for name, (because, *_) in parts(here).items() if because == "done"]
    assert over == ["decision", "letter", "visa", "travel", "bed", "dose"]
    assert (here.least, here.most, here.unknown) == (3, 20, [])
    assert "done" not in {because for because, *_ in parts(other).values()}
    assert parts(first(start("accepted"), lasting=()))["dose"] == ("no_unit", None, None)


def test_own_cells_that_were_collected_for_it_are_no_longer_waited_for() -> None:
    j = start("accepted")
    assert j.case.accepted
    j.tell(RecordResource("patient_cells", j.case.accepted.id))
    (cells,) = [one.id for one in j.case.resources.values()]
    assert parts(first(j, OWN))["apheresis"] == ("done", 0, 0)
    assert parts(first(j, OWN))["manufacture"] == ("reported", *MAKING_DAYS)
    assert parts(first(j, replace(OWN, centre="centre-b")))["apheresis"][0] == "not_told"
    j.tell(ReportResource(cells, "in_manufacture"))
    assert parts(first(j, OWN))["manufacture"] == ("reported", 0, MAKING_DAYS[1])
    j.tell(ReportResource(cells, "made"))
    assert parts(first(j, OWN))["manufacture"] == ("done", 0, 0)


def test_a_unit_counts_that_lasts_until_the_latest_day_and_its_margin() -> None:
    j = start("admitted")
    late = j.now + (20 + 3) * DAY
    other = replace(j.case, dose=NEW.case.dose)
    for end, because in ((late, "no_unit"), (late + DAY / 24, "stock")):
        found = time_to_first_dose(other, OFFER, [end], j.now, policy())
        assert parts(found)["dose"][0] == because
    plan = NEW.now + (84 + 3) * DAY
    assert parts(first(NEW, lasting=[plan]))["dose"][0] == "no_unit", (
        "while the bed is not known, no sooner than planned"
    )


DRUG = Depletion(drug="fludarabine", days=(-5, -4, -3))
SAID = Description(
    registry="NCT01", title="T", product="X", product_class="allogeneic", targets=("CD19",), diseases=("B-ALL",),
    source="page", as_of=NEW.now.date(),
)  # fmt: skip


@pytest.mark.parametrize(
    ("told", "days"),
    [
        ({}, None),
        ({"lymphodepletion_planned": True}, None),
        ({"lymphodepletion_planned": False}, (0, 0)),
        ({"lymphodepletion": (DRUG,)}, (5, 5)),
        ({"lymphodepletion": (DRUG, Depletion(drug="cyclophosphamide"))}, None),
        ({"lymphodepletion": (DRUG, Depletion(drug="cyclophosphamide", days=(-6, -5)))}, (6, 6)),
        ({"lymphodepletion": (DRUG, Depletion(variant="short", drug="cyclophosphamide", days=(-3,)))}, (3, 5)),
    ],
)
def test_lymphodepletion_begins_as_the_protocol_writes_it(told: Any, days: tuple[int, int] | None) -> None:
    assert depletion_days(replace(SAID, **told)) == days


def unending(part: Part) -> float:
    return float("inf") if part.most is None else part.most


Untold = Callable[[Offer, list[datetime], dict[str, Span]], Offer]


def _no_lead(name: str) -> Untold:
    def untold(offer: Offer, _: list[datetime], leads: dict[str, Span]) -> Offer:
        leads.pop(name, None)
        return offer

    return untold


def _no_stock(offer: Offer, lasting: list[datetime], _: dict[str, Span]) -> Offer:
    lasting.clear()
    return offer


UNTOLD: Sequence[Untold] = (
    *(_no_lead(name) for name in sorted({step for steps in PLANNED.values() for step in steps})),
    lambda offer, *_: replace(offer, depletion_days=None),
    lambda offer, *_: replace(offer, country=""),
    _no_stock,
)


@given(
    stage=st.sampled_from(("eligibility", "accepted", "dose_held", "granted", "admitted", "lymphodepletion")),
    product=st.sampled_from(("allogeneic", "autologous", "not_said")),
    country=st.sampled_from(("CN", "IN", "US")),
    lasts=st.lists(st.integers(0, 200), max_size=2),
    less=st.lists(st.sampled_from(UNTOLD), min_size=1, max_size=4),
)
def test_less_told_never_gives_a_shorter_time(
    stage: str, product: str, country: str, lasts: list[int], less: list[Untold]
) -> None:
    j = start(stage)
    ends = [j.now + days * DAY for days in lasts]
    leads = dict(policy().lead_times)
    offer = replace(OFFER, product=product, country=country)
    told = time_to_first_dose(j.case, offer, ends, j.now, policy())
    for one in less:
        offer = one(offer, ends, leads)
    untold = time_to_first_dose(j.case, offer, ends, j.now, replace(policy(), lead_times=leads))
    assert (untold.most or float("inf")) >= (told.most or 0)
    assert untold.most is None or told.most is not None
    for before, after in zip(told.parts, untold.parts, strict=True):
        assert after.name == before.name
        assert before.name == "dose" or unending(after) >= unending(before)

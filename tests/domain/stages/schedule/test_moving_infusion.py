"""Moving an infusion once the patient is there: what ends too soon is listed in order, and asked for by a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.product import Depletion
from domain.core.copying import replace
from domain.core.errors import Reason
from domain.stages.schedule.depletion_days import PlanDepletion
from domain.stages.schedule.infusion_slip import FARTHEST, expected_infusion, infusion_slip, moved_infusion
from domain.stages.schedule.moving_infusion import InfusionMoved, MoveInfusion
from domain.stages.travel.arrangement_answers import ConfirmArrangement
from domain.stages.travel.arranging import ArrangementAskedAgain, AskArrangement
from domain.stages.travel.dose_matching import dose_wanted
from domain.stages.travel.moving_costs import RecordMovingCost
from domain.stages.treatment.admission import FileStayExtension
from domain.stages.treatment.dose import DoseAsked
from domain.stages.treatment.slip import SlipLine
from tests.domain.course import LOT, PROTOCOL, start
from tests.domain.journey import DAY, Journey, policy, when
from tests.domain.refusals import No

FLUDARABINE = Depletion(drug="fludarabine", dose="30", unit="mg/m2", days=(-5, -4, -3))


def planned(j: Journey) -> date:
    known = expected_infusion(j.case, policy())
    assert known
    return known


def lines(j: Journey, days: int) -> Sequence[SlipLine]:
    return infusion_slip(j.case, planned(j) + days * DAY, j.now, policy())


def names(j: Journey, days: int) -> list[str]:
    return [line.step.kind for line in lines(j, days)]


def ready(at: str = "admitted") -> Journey:
    """There, and every lease lasts for a year: the dose, its lot, the permitted stay and the open protocol."""
    j = start(at)
    year = j.now + 365 * DAY
    j.source(PROTOCOL, open=True, open_until=year).source(LOT, state="released", expires=year).look()
    j.case = replace(j.case, dose=replace(j.case.dose, until=year), stay_until=year)
    return j


REFUSALS = (
    No("booking", lambda j: MoveInfusion((j.now + DAY).date()), Reason.NOT_NOW, "MoveInfusion"),
    No("admission", lambda j: MoveInfusion((j.now + DAY).date()), Reason.NOT_NOW, "no patient is there whose"),
    No("infused", lambda j: MoveInfusion((j.now + DAY).date()), Reason.NOT_NOW, "no patient is there whose"),
    No("arrived", lambda j: MoveInfusion((j.now - DAY).date()), Reason.INVALID, "the day of the infusion is over"),
    No(
        "arrived",
        lambda j: MoveInfusion((j.now + FARTHEST + DAY).date()),
        Reason.INVALID,
        "an infusion is planned at most",
    ),
    No("arrived", lambda j: MoveInfusion(planned(j)), Reason.ALREADY, "the infusion is planned for that day already"),
    No(
        "arrived",
        lambda j: MoveInfusion(planned(j) + 3 * DAY, ("boat",)),
        Reason.INVALID,
        "has no open step 'boat'; it has: ",
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_week_later_only_what_was_made_for_the_day_moves() -> None:
    assert names(ready(), 7) == ["lodging", "depletion"]
    assert {line.why for line in lines(ready(), 7)} == {"moves"}
    assert names(ready(), 0) == []


def test_what_ends_before_the_new_day_is_named_in_the_order_of_the_plan() -> None:
    j = start("admitted")
    assert names(j, 100) == ["dose", "stay", "lodging", "depletion"]
    j.source(PROTOCOL, open=False).look()
    assert names(j, 100) == ["protocol", "dose", "stay", "lodging", "depletion"]
    known = {line.step.kind: line for line in lines(j, 100)}
    assert (known["stay"].step.until, known["stay"].mend, known["stay"].told_by) == (
        j.case.stay_until, "extend_stay", "authority",
    )  # fmt: skip
    assert known["stay"].why == known["dose"].why == "ends"
    after = known["lodging"].step.needed.date() - (planned(j) + 100 * DAY)
    assert after == (70 - policy().lead_times["arrival"].amount) * DAY, "as many days after it as were planned"


def test_once_lymphodepletion_is_done_the_window_of_the_cells_counts() -> None:
    j = ready("infusion")
    closes = j.case.treatment and j.case.treatment.window_closes
    assert closes
    found = infusion_slip(j.case, closes.date() + 2 * DAY, j.now, policy())
    [depletion] = [line for line in found if line.step.kind == "depletion"]
    assert (depletion.why, depletion.step.until, depletion.lost) == ("ends", closes, "window")
    within = infusion_slip(j.case, max(j.now.date(), closes.date() - DAY), j.now, policy())
    assert "depletion" not in [line.step.kind for line in within], "the control"


def test_a_move_asks_for_what_was_accepted_and_names_what_was_left_out() -> None:
    j = start("admitted")
    j.tell(AskArrangement("lodging", "family"))
    [lodging] = j.case.arrangements.values()
    j.tell(ConfirmArrangement(lodging.id, place="Hotel"))
    day, before = planned(j) + 100 * DAY, planned(j)
    plan = {line.step.kind: line.step for line in lines(j, 100)}
    chosen, left = (plan["dose"], plan["lodging"]), (plan["stay"], plan["depletion"])
    known, again = j.case.arrangements[lodging.id], j.case.dose.round + 1
    when(j, MoveInfusion(day, ("dose", plan["lodging"].name), "low counts")).then_told(
        InfusionMoved(day, before, None, chosen, left, "low counts"),
        DoseAsked(again),
        ArrangementAskedAgain(lodging.id, known.starts, plan["lodging"].needed, known.arrives, slot=False),
    )
    assert planned(j) == day
    assert [line.step.kind for line in lines(j, 0) if not line.asked] == ["stay", "depletion"]
    assert {e.kind for e in j.case.effects.values() if e.state == "requested"} >= {
        "reserve_dose", "tell_family_of_infusion", "tell_centre_of_infusion",
    }  # fmt: skip
    j.tell(FileStayExtension())
    assert [line.step.kind for line in lines(j, 0) if not line.asked] == ["depletion"]
    assert j.refold() == j.case


def test_the_hospitals_newer_plan_counts_before_the_move_and_cells_end_it() -> None:
    j = ready("gated")
    j.source(PROTOCOL, open=True, open_until=j.now + 365 * DAY, lymphodepletion=(FLUDARABINE,)).look()
    day = (j.now + 20 * DAY).date()
    j.tell(MoveInfusion(day))
    assert planned(j) == day
    j.tell(PlanDepletion(day + DAY))
    assert (planned(j), moved_infusion(j.case)) == (day + DAY, None)
    j.tell(MoveInfusion(day + 3 * DAY))
    assert planned(j) == day + 3 * DAY
    control = ready("gated").tell(MoveInfusion(day)).case
    assert moved_infusion(control)
    assert moved_infusion(start("infused").case) is None


def test_a_unit_asked_for_is_of_a_lot_that_lasts_until_the_new_day() -> None:
    j = start("admitted")
    before = dose_wanted(j.case, j.now, policy())
    j.tell(MoveInfusion(planned(j) + 100 * DAY))
    after = dose_wanted(j.case, j.now, policy())
    assert before.lasts < after.lasts
    assert after.lasts.date() >= planned(j)


def test_what_extending_costs_is_told_as_before_the_journey() -> None:
    j = ready()
    assert [line.told_by for line in lines(j, 7)] == ["lodging_house", "centre"]
    j.tell(RecordMovingCost("lodging", "CNY", 400, 600))
    [lodging, _] = lines(j, 7)
    assert lodging.charged == (400, 600)


@given(st.integers(0, 150), st.sampled_from(["arrived", "admitted", "gated", "depleting", "infusion"]), st.booleans())
def test_whoever_asks_for_everything_has_nothing_left_to_ask_for(days: int, at: str, leases: bool) -> None:
    j = ready(at) if leases else start(at)
    day = max(planned(j), j.now.date()) + days * DAY
    plan = infusion_slip(j.case, day, j.now, policy())
    steps = tuple(line.step.name for line in plan if not line.asked)
    if not steps and day == planned(j):
        return
    j.tell(MoveInfusion(day, steps))
    left = [line for line in infusion_slip(j.case, day, j.now, policy()) if not line.asked]
    assert left == []
    assert planned(j) == day

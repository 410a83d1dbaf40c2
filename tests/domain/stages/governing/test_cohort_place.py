"""The case's place in a cohort: no unit and no cells without it, none before its day, none while it is held."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from domain.case.effect import Effect
from domain.catalogue.product import Depletion
from domain.catalogue.protocols.cohorts import TellCohort
from domain.core.errors import Reason
from domain.core.when import When
from domain.criteria.dosing import CellDose
from domain.stages.anytime.correcting import CorrectFact
from domain.stages.anytime.holding import HoldCase, ResumeCase
from domain.stages.eligibility.submissions import ChooseCentre, WithdrawSubmission
from domain.stages.follow_up.closing import LeaveJourney, ReopenCase
from domain.stages.governing.cohort_place import (
    WHY,
    LimitingToxicityRecorded,
    RecordLimitingToxicity,
    kept,
    needs_place,
    told_to,
)
from domain.stages.schedule.depletion_days import PlanDepletion
from domain.stages.travel.doors import closed_doors
from domain.stages.treatment.adverse_events import ReportToxicity
from domain.stages.treatment.bedside.authorising import AuthoriseInfusion
from domain.stages.treatment.bedside.dosing import cell_range
from domain.stages.treatment.infusion import RecordInfusion, StartThaw
from domain.stages.treatment.lymphodepletion import SignGate
from tests.domain.course import PROTOCOL, STEPS, UNIT, start, submission
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No
from tests.domain.stages.governing.seated import escalates, place, waits

GATE = SignGate("Dr Li", no_active_infection=True, organ_function_fine=True)
FIRST_CELLS = [("lymphodepletion", GATE), ("infusion", AuthoriseInfusion("Dr Li")), ("checked", StartThaw(UNIT))]
DLT = RecordLimitingToxicity("CRS", "Dr Li", "grade 4 for five days")

REFUSALS = (
    No("infusion", DLT, Reason.NOT_NOW, "no cells went in that a toxicity could limit"),
    No("infused", DLT, Reason.MISSING, "no toxicity of this name is reported; report it with its grade first"),
    No("infused", replace(DLT, reason=" "), Reason.INVALID, "say why it counts as dose-limiting"),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def told(j: Journey) -> list[str]:
    """What the trial was asked to hear, by its last word."""
    return [e.about.split("/")[1] for e in j.asked("tell_cohort") if e.state != "withdrawn"]


def test_an_accepted_case_asks_for_a_place_and_none_is_asked_for_where_there_are_no_levels() -> None:
    assert start("accepted").look().asked("tell_cohort") == []
    j = escalates(start("accepted"))
    assert told(j) == ["asked.0"]
    assert told_to(j.case, PROTOCOL, j.now.date()) == TellCohort("case-1", j.case.version)


def test_no_unit_is_asked_for_and_nobody_travels_without_a_place() -> None:
    j = waits(start("quoted"))
    STEPS["priced"](j)
    assert j.asked("reserve_dose") == []
    assert j.owed("cohort_place").about == f"{PROTOCOL}/place"
    words = "the trial's cohort has no place for this patient"
    assert words in closed_doors(j.case, j.now, j.policy)
    place(j, state="enrolled")
    assert [e.state for e in j.asked("reserve_dose")] == ["requested"]
    assert words not in closed_doors(j.case, j.now, j.policy)
    assert j.all_owed("cohort_place") == []


@pytest.mark.parametrize(("name", "command"), FIRST_CELLS)
@pytest.mark.parametrize(
    ("stands", "words"),
    [
        ({"state": "waiting", "cohort": 0}, WHY["place"]),
        ({"held": date(2026, 3, 1)}, WHY["held"]),
        ({"ahead": 1}, WHY["turn"]),
        ({"state": "enrolled"}, WHY["turn"]),
    ],
)
def test_no_gate_no_authorisation_and_no_thaw_without_place_and_turn(
    name: str, command: Any, stands: dict[str, Any], words: str
) -> None:
    j = place(start(name), **stands)
    facts = list(j.facts)
    assert when(j, command).journey.refused is not None
    assert j.refused is not None
    assert (j.refused.reason, j.refused.detail) == (Reason.NOT_NOW, words)
    assert j.facts == facts
    assert place(j).tried(command).refused is None


@pytest.mark.parametrize(("name", "command"), FIRST_CELLS)
@pytest.mark.parametrize(("after_first", "who"), [(True, "the first"), (False, "the last")])
def test_the_day_is_said_and_nobody_else_is_named(name: str, command: Any, after_first: bool, who: str) -> None:
    j = start(name)
    last = j.now.date() - timedelta(days=3)
    early = j.now.date() + timedelta(days=1)
    place(j, last=last, after_first=after_first, not_before=early)
    j.tried(command)
    assert j.refused is not None
    assert (
        j.refused.detail == f"{who} patient of this cohort was infused on {last}; the next may be infused from {early}"
    )
    assert place(j, last=last, not_before=j.now.date()).tried(command).refused is None


def test_lymphodepletion_is_planned_for_no_day_before_and_its_gate_reckons_with_the_days_until_the_cells() -> None:
    j = start("lymphodepletion")
    drugs = (Depletion(drug="fludarabine", days=(-5, -4, -3)),)
    j.source(PROTOCOL, lymphodepletion=drugs)
    day = j.now.date() + timedelta(days=6)
    assert place(j, last=j.now.date(), not_before=day).tried(GATE).refused is not None
    near = j.now.date() + timedelta(days=5)
    place(j, last=j.now.date(), not_before=near).tell(GATE)
    assert j.tried(PlanDepletion(near - timedelta(days=1))).refused is not None
    assert j.tried(PlanDepletion(near)).refused is None


def test_a_case_says_that_it_is_ready_once_at_the_hospital_and_not_while_it_is_on_hold() -> None:
    j = place(start("lymphodepletion"), state="enrolled")
    assert told(j)[-1] == "ready.1.0"
    assert told_to(j.case, PROTOCOL, j.now.date()).ready
    place(j)
    j.tell(HoldCase("fever"))
    assert told(j)[-1].startswith("delayed.1.")
    assert not told_to(j.case, PROTOCOL, j.now.date()).ready
    j.tell(ResumeCase())
    assert told(j)[-1].startswith("ready.1.")
    j.tell(GATE).tell(HoldCase("fever"))
    assert told_to(j.case, PROTOCOL, j.now.date()).ready, "who began goes on"


def test_the_gate_is_not_chased_while_others_come_first_and_the_coordinator_sees_why() -> None:
    j = place(start("lymphodepletion"), ahead=1)
    assert (j.all_owed("gate"), j.owed("cohort_place").about) == ([], f"{PROTOCOL}/turn")
    place(j)
    assert (len(j.all_owed("gate")), j.all_owed("cohort_place")) == (1, [])


def test_the_infusion_is_told_with_its_day_and_binds_no_later_one() -> None:
    j = place(start("thawed"))
    STEPS["infused"](j)
    assert told(j)[-1] == f"infused.{j.now.date()}"
    assert told_to(j.case, PROTOCOL, j.now.date()).infused == j.now.date()
    place(j, state="infused")
    assert not needs_place(j.case)


def test_a_clinician_calls_a_reported_toxicity_dose_limiting_and_the_trial_hears_its_day() -> None:
    j = place(start("infused"), state="infused")
    j.tried(DLT)
    assert (j.refused and j.refused.field) == "name", "nobody reported it"
    j.away(2 * DAY).tell(ReportToxicity("cytokine release syndrome", 4))
    j.tried(RecordLimitingToxicity("CRS", "Dr Li", " "))
    assert (j.refused and j.refused.field) == "reason"
    at = j.now - DAY
    limiting = RecordLimitingToxicity("CRS", "Dr Li", DLT.reason, occurred=When.at(at))
    when(j, limiting).then_told(LimitingToxicityRecorded("CRS", "Dr Li", DLT.reason))
    assert told_to(j.case, PROTOCOL, j.now.date()).limiting == (at.date(),)
    assert told(j)[-1] == next(iter(j.case.limiting))


def test_a_place_is_given_back_by_who_leaves_and_asked_for_again_by_who_comes_back() -> None:
    j = place(start("accepted"), state="enrolled")
    j.deliver()
    j.fork()
    j.tell(WithdrawSubmission(submission(j)))
    assert told(j)[-1] == "left.1"
    assert told_to(j.case, PROTOCOL, j.now.date()).ends
    j.deliver()
    gone: tuple[Effect, ...] = tuple(j.asked("tell_cohort"))
    assert all(e.state == "delivered" for e in gone)
    j.tell(ChooseCentre("centre-b", PROTOCOL))
    for step in ("submitted", "acknowledged", "accepted"):
        STEPS[step](j)
    assert told(j)[-1] == "asked.1"


def test_who_leaves_the_journey_gives_the_place_back() -> None:
    j = place(start("visa"), state="enrolled").tell(LeaveJourney("declined"))
    assert told(j)[-1].startswith("left.")
    assert told_to(j.case, PROTOCOL, j.now.date()).ends


def test_who_began_before_the_trial_had_levels_goes_on_as_before() -> None:
    j = escalates(start("infusion"))
    assert (told(j), j.all_owed("cohort_place")) == ([], []), "it asks for no place that it would then wait for"
    assert j.tried(AuthoriseInfusion("Dr Li")).refused is None
    assert told(escalates(start("lymphodepletion"))) == ["asked.0"], "its gate is not signed"


def test_who_gave_a_place_back_and_comes_again_says_anew_that_the_turn_may_come() -> None:
    j = place(start("lymphodepletion"))
    j.deliver()
    j.tell(LeaveJourney("declined")).deliver()
    j.source(PROTOCOL, seats=()).look()
    j.tell(ReopenCase("they go on after all")).deliver()
    place(j, state="enrolled")
    assert told(j)[-1] == "ready.1.0.1"


def test_who_comes_again_asks_although_the_gate_was_signed() -> None:
    j = place(start("infusion"))
    j.deliver()
    j.tell(LeaveJourney("declined")).deliver()
    j.source(PROTOCOL, seats=()).look()
    j.tell(ReopenCase("they go on after all"))
    assert (told(j)[-1], kept(j.case)) == ("asked.1", "place")


def test_a_day_of_the_infusion_that_is_set_right_is_told() -> None:
    j = place(start("thawed"))
    STEPS["infused"](j)
    place(j, state="infused").deliver()
    wrong = j.case.infusions[0]
    j.away(5 * DAY)
    right = RecordInfusion(wrong.unit, wrong.cells, occurred=When.at(j.now - DAY))
    j.tell(CorrectFact(wrong.fact, right, "another day"))
    day = (j.now - DAY).date()
    assert told(j)[-1] == f"infused.{day}"
    assert told_to(j.case, PROTOCOL, j.now.date()).infused == day


def test_an_infusion_of_unknown_day_stands_where_it_was_told_and_harm_after_it_counts() -> None:
    j = place(start("thawed"))
    first = j.now.date()
    j.tell(RecordInfusion(UNIT, occurred=When.unknown()))
    place(j, state="infused").deliver()
    j.away(5 * DAY).tell(ReportToxicity("cytokine release syndrome", 4))
    j.tell(replace(DLT, occurred=When.at(j.now - 6 * DAY)))
    j.tell(replace(DLT, occurred=When.at(j.now - DAY)))
    said = told_to(j.case, PROTOCOL, j.now.date())
    assert (said.infused, said.limiting) == (first, (first, (j.now - DAY).date()))


def test_the_cells_of_the_patients_level_are_what_the_number_is_compared_with() -> None:
    flat = CellDose(least=5, most=9)
    j = place(start("infusion"), doses=(flat,))
    assert (cell_range(j.case, j.now).least, cell_range(j.case, j.now).most) == (5, 9)

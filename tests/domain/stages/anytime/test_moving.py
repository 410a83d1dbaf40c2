"""Moved on by a supervisor: exactly what is missing is accepted, for ever on record, and some of it never is."""

from dataclasses import replace

import pytest

from domain.case.stage import Stage
from domain.core.errors import Reason, Refused
from domain.engine.decide import decide
from domain.stages.anytime.holding import CaseHeld, CaseResumed, HoldCase, ResumeCase
from domain.stages.anytime.moving import NEEDS, MoveOn, StageEntered, missing
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.treatment.lymphodepletion import SignGate
from domain.stages.treatment.recovery import DecidePathway
from domain.stages.treatment.redosing import DecideRedosing
from tests.domain.course import STEPS, start
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No


def on(stage: Stage, *accepting: str) -> MoveOn:
    return MoveOn(stage, "urgent", accepting, "person-9")


def redose_pathway(j: Journey) -> None:
    j.tell(HoldCase("x")).tell(DecidePathway("redose", "Dr")).tell(ResumeCase())


REFUSALS = (
    No("home", on(Stage.CLOSED), Reason.NOT_NOW, "the journey was left", lambda j: j.tell(LeaveJourney("declined"))),
    No("visa", on(Stage.ADMISSION), Reason.NOT_NOW, "the case is on hold", lambda j: j.tell(HoldCase("x"))),
    No("answered", on(Stage.RECORDS), Reason.NEVER_WAIVED, "cannot be waived: consent to process health data"),
    No("visa", on(Stage.ADMISSION), Reason.MISSING, "accept exactly what is missing: stay planned and funded;"),
    No("visa", on(Stage.ADMISSION, "the weather"), Reason.MISSING, "accept exactly what is missing"),
    No("visa", on(Stage.RECORDS), Reason.INVALID, "a case moves forward"),
    No("visa", on(Stage.VISA), Reason.INVALID, "a case moves forward"),
    No("infused", on(Stage.REDOSING), Reason.INVALID, "re-dosing is decided, and closing has commands of its own"),
    No("infusion", on(Stage.FOLLOW_UP), Reason.NOT_NOW, "no cells were infused; leave the journey instead"),
    No(
        "infused",
        on(Stage.FOLLOW_UP),
        Reason.INVALID,
        "from re-dosing a planned treatment goes to lymphodepletion",
        lambda j: j.tell(DecideRedosing("Dr")),
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_decided_redosing_is_not_moved_past() -> None:
    """Held at infusion with another treatment as its pathway."""
    j = start("infused").tell(HoldCase("x")).tell(DecidePathway("redose", "Dr"))
    resumed = replace(j.case, on_hold=None)
    with pytest.raises(Refused, match="re-dosing is decided; decide on another pathway first"):
        decide(resumed, on(Stage.FOLLOW_UP), j.now, j.ids, j.policy)


def test_what_is_missing_is_accepted_by_name() -> None:
    j = start("visa")
    lacking = tuple(sorted(n.name for n in missing(j.case, j.now)))
    assert lacking == ("stay planned and funded", "travel booked at an open door", "visas of all travellers")
    when(j, on(Stage.ADMISSION, *lacking)).then_told(
        StageEntered(Stage.ADMISSION, Stage.VISA, lacking, "urgent", "person-9")
    )


def test_several_stages_at_once() -> None:
    j = start("visa")
    when(j, on(Stage.LYMPHODEPLETION, *sorted(LATER))).then_refused(Reason.MISSING, "screening confirmed on site")
    names = {n.name for s in (Stage.VISA, Stage.ADMISSION) for n in NEEDS[s] if not n.holds(j.case, j.now)}
    when(j, on(Stage.LYMPHODEPLETION, *names))
    assert j.case.stage == Stage.LYMPHODEPLETION


LATER = ("stay planned and funded",)


def test_a_planned_treatment_moves_on_without_its_dose() -> None:
    j = start("infused").tell(DecideRedosing("Dr"))
    when(j, on(Stage.LYMPHODEPLETION, "dose held")).then_told(
        StageEntered(Stage.LYMPHODEPLETION, Stage.REDOSING, ("dose held",), "urgent", "person-9")
    )
    when(j, _sign()).then_refused(Reason.LAPSED, "no dose is held now")


def _sign() -> SignGate:
    return SignGate("Dr", no_active_infection=True, organ_function_fine=True)


def test_a_case_on_hold_stands_still_until_it_is_resumed() -> None:
    j = start("drafted")
    when(j, HoldCase("infection")).then_told(CaseHeld("infection", 1)).then_opens("hold_review")
    STEPS["eligibility"](j)
    assert j.case.stage == Stage.RECORDS
    when(j, ResumeCase()).then_told(CaseResumed(), StageEntered(Stage.ELIGIBILITY, Stage.RECORDS))


def test_a_lease_ends_while_the_case_is_on_hold() -> None:
    j = start("dose_held").tell(HoldCase("infection"))
    j.wait(by=61 * DAY)
    assert j.case.dose.state == "lapsed"
    assert not [e for e in j.agenda.effects if e.kind == "reserve_dose"]
    j.tell(ResumeCase())
    assert [e.kind for e in j.agenda.effects if e.kind == "reserve_dose"] == ["reserve_dose"]

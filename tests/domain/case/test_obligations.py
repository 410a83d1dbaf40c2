"""Everything that can be owed: it opens, reminds, is met, is missed, is withdrawn; and time never lies about it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.case.effect import EffectRequested
from domain.case.obligation import ObligationMissed, ObligationOpened, ObligationStepSkipped, ObligationStepTaken
from domain.core.policy import Party
from domain.stages.anytime.holding import HoldCase, ResumeCase
from domain.stages.eligibility.submissions import ChooseCentre, SubmitDossier
from domain.stages.treatment.observations import ReportDeath
from tests.domain.case.obligation_scenes import KINDS, NEVER_WITHDRAWN, ROWS, SCENES, TICK, scene, stands
from tests.domain.course import STEPS, start, submission
from tests.domain.journey import DAY


def test_there_is_a_scene_for_everything_that_can_be_owed() -> None:
    assert set(SCENES) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_it_opens_with_every_instant_ahead(kind: str) -> None:
    j, o = scene(kind)
    [opened] = [f.event for f in j.facts if isinstance(f.event, ObligationOpened) and f.event.obligation == o.id]
    assert (o.debtor, o.creditor) == (ROWS[kind].debtor, ROWS[kind].creditor)
    assert opened.policy == j.policy.hash
    assert all(o.opened_at < s.at < o.due for s in o.steps)
    assert list(o.steps) == sorted(o.steps, key=lambda s: s.at)


@pytest.mark.parametrize("kind", KINDS)
def test_each_step_is_taken_at_its_instant_and_not_before(kind: str) -> None:
    j, o = scene(kind)
    for n, step in ((n, s) for n, s in enumerate(o.steps) if n not in o.done):
        j.wait(until=max(step.at - TICK, j.now))
        if stands(j, o) != "open":
            pytest.fail(f"{kind} ended by itself before its step {n}")
        assert n not in j.case.obligations[o.id].done
        j.now = step.at
        j.look()
        told = [e for e in j.last if isinstance(e, ObligationStepTaken) and e.obligation == o.id]
        assert told == [ObligationStepTaken(o.id, n, late=False)]
        [message] = [e for e in j.last if isinstance(e, EffectRequested) and e.about == f"{o.id}/{n}"]
        assert (message.kind, message.to) == (step.action, step.to)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_met_when_it_is_done(kind: str) -> None:
    j, o = scene(kind)
    SCENES[kind].meet(j)
    assert stands(j, o) == "met"


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_missed_at_its_deadline_and_stays_missed_when_done_late(kind: str) -> None:
    j, o = scene(kind)
    j.now = o.due - TICK
    j.look()
    assert stands(j, o) == "open"
    j.now = o.due
    j.look()
    assert stands(j, o) == "missed"
    assert ObligationMissed(o.id, late=False) in j.last
    if j.all_owed("chase") and kind not in LAPSES:
        SCENES[kind].meet(j)
    assert stands(j, o) == "missed"


LAPSES = {"dose_hold_renewal", "bed_hold_renewal", "arrival", "visa_outcome", "infusion_date"}
"""What ends with its deadline, so that nothing is left to be done late, or takes longer than the course allows."""


@pytest.mark.parametrize("kind", sorted(set(KINDS) - NEVER_WITHDRAWN))
def test_it_is_withdrawn_when_the_patient_dies(kind: str) -> None:
    j, o = scene(kind)
    j.tell(ReportDeath())
    assert stands(j, o) == "withdrawn"


@pytest.mark.parametrize("kind", sorted(NEVER_WITHDRAWN))
def test_what_somebody_has_to_do_whatever_happens(kind: str) -> None:
    j, o = scene(kind)
    j.tried(ReportDeath())
    assert stands(j, o) == "open"
    assert j.case.open


# time


def test_after_an_outage_only_the_newest_reminder_goes_out_and_it_says_that_it_is_late() -> None:
    j, o = scene("invitation_letter")
    j.away(6 * DAY).look()
    steps = [e for e in j.last if isinstance(e, ObligationStepTaken | ObligationStepSkipped) and e.obligation == o.id]
    assert steps == [ObligationStepSkipped(o.id, 0), ObligationStepTaken(o.id, 1, late=True)]


def test_who_is_called_in_is_called_in_however_late() -> None:
    j, o = scene("stay_end")
    j.away(o.due - j.now + DAY).look()
    taken = [e.step for e in j.last if isinstance(e, ObligationStepTaken) and e.obligation == o.id]
    skipped = [e.step for e in j.last if isinstance(e, ObligationStepSkipped) and e.obligation == o.id]
    assert {o.steps[n].action for n in taken} == {"escalate"}
    assert {o.steps[n].action for n in skipped} == {"remind"}
    assert len(taken) + len(skipped) == len(o.steps)
    assert ObligationMissed(o.id, late=True) in j.last


def test_a_reminder_that_could_not_leave_is_withdrawn_with_its_obligation() -> None:
    j, o = scene("invitation_letter")
    j.now = o.steps[0].at
    j.look()
    [reminder] = j.asked("remind")
    STEPS["invited"](j)
    assert j.case.effects[reminder.id].state == "withdrawn"


def test_what_was_missed_is_chased_by_a_coordinator_then_by_a_supervisor_ever_more_seldom() -> None:
    j, o = scene("estimate")
    j.tell(HoldCase("only the estimate is watched here")).tell(ResumeCase())
    debtors: list[tuple[Party, timedelta]] = []
    for _ in range(7):
        chases = [c for c in j.all_owed() if c.about == f"estimate:{o.about}"]
        if chases:
            [chase] = chases
            debtors.append((chase.debtor, chase.due - chase.opened_at))
            j.wait(until=chase.due)
        else:
            j.wait(until=j.owed("estimate").due)
    who = [party for party, _ in debtors]
    assert who == [Party.COORDINATOR, *[Party.SUPERVISOR] * 5]
    lengths = [length for _, length in debtors[1:]]
    assert lengths[:4] == sorted(lengths[:4])
    assert lengths[3] > 6 * lengths[0]
    assert abs(lengths[4] - lengths[3]) < 20 * DAY, "the longest interval is bounded"


def test_a_chase_is_met_when_the_thing_is_done_at_last() -> None:
    j, o = scene("first_reply")
    j.now = o.due
    j.look()
    chase = j.owed("chase")
    STEPS["answered"](j)
    assert (stands(j, chase), stands(j, o)) == ("met", "missed")


def test_working_days_are_those_of_the_centre_that_is_asked() -> None:
    """Two centres are asked: each is given the days of its own country."""
    j = start("submitted")
    j.source("centre-b", paused=False, country="DE", zone="Europe/Berlin")
    [first] = j.all_owed("hospital_decision")
    j.tell(ChooseCentre("centre-b", "protocol-b")).tell(SubmitDossier(submission(j)))
    [second] = [o for o in j.all_owed("hospital_decision") if o.id != first.id]
    assert first.due.hour != second.due.hour

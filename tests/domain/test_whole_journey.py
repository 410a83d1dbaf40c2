"""A case from the first mail to the fifteenth year of follow-up, as one person would tell it."""

from domain.case.stage import Stage
from domain.stages.follow_up.visit_plan import VISITS
from tests.domain.course import STEPS, at, visit_every_time
from tests.domain.journey import DAY, Journey


def test_every_stage_is_reached_by_the_step_that_carries_its_name() -> None:
    j = Journey()
    for name, step in STEPS.items():
        before = j.case.stage
        step(j)
        j.deliver()
        if name in set(Stage):
            assert j.case.stage == name, f"{name}: the case stands at {j.case.stage}"
        else:
            assert j.case.stage == before or name == "opened"
        assert j.refold() == j.case


def test_fifteen_years_of_follow_up_end_the_case_and_leave_nothing_open() -> None:
    j = at("handed_over")
    visit_every_time(j, j.now + 20 * 365 * DAY)
    j.wait(by=60 * DAY)
    recorded = {name.split("/")[0] for name in j.case.visits}
    assert recorded == {name for name, _ in VISITS} - {"D28"}
    assert (j.case.stage, j.case.follow_up) == (Stage.CLOSED, "completed")
    assert j.all_owed() == []
    assert not j.case.open
    assert j.agenda.wake_at is None
    ended = {(o.kind, o.state) for o in j.case.obligations.values()}
    assert {kind for kind, state in ended if state not in ("met", "withdrawn")} == {
        "arrival_checklist",
        "monitoring_day",
        "chase",
        "chase_again",
        "yearly_questions",
        "reach_family",
    }, "nobody arranges anything for the stay, tells of the days after infusion or answers for a year, and it says so"

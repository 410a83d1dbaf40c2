"""Breaking the glass: read for a while, with a reason, and asked about it after; nobody reviews their own."""

from dataclasses import replace
from datetime import timedelta

import pytest

from api.http.access import belonging
from domain.core.errors import Reason
from domain.core.roles import Action, Role
from domain.roles import Actor, allow
from domain.stages.anytime.access import AccessReviewed, BreakGlass, GlassBroken, ReviewAccess, reading
from domain.stages.follow_up.closing import LeaveJourney
from tests.domain.course import STEPS
from tests.domain.journey import Journey, given, when
from tests.domain.refusals import No

HOURS = timedelta(hours=1)
BROKEN = BreakGlass("night call from the ward", 2, "person-8")


REVIEW = ReviewAccess("none", "justified", by="person-9")


def only(j: Journey) -> str:
    return next(iter(j.case.accesses))


def broken() -> tuple[Journey, str]:
    j = given(STEPS["opened"])
    j.tell(BROKEN)
    return j, only(j)


def test_the_glass_is_broken_for_as_long_as_was_said_and_somebody_is_to_look_at_it() -> None:
    j = given(STEPS["opened"])
    ends = j.now + 2 * HOURS
    step = when(j, BROKEN).then_opens("access_review")
    access = only(j)
    step.then_told(GlassBroken(access, BROKEN.reason, ends, "person-8"))
    assert reading(j.case, ends - timedelta(microseconds=1)) == {"person-8"}
    assert reading(j.case, ends) == frozenset()


def test_it_opens_reading_and_nothing_else_to_that_person_alone() -> None:
    j, _ = broken()
    for name, role in (("person-8", Role.AUDITOR), ("person-8", Role.COORDINATOR), ("person-7", Role.AUDITOR)):
        actor = Actor(name, role, "elsewhere")
        before, during, after = (belonging(j.case, at) for at in (j.now + 3 * HOURS, j.now, j.now + 2 * HOURS))
        assert allow(actor, Action.SEE_PERSON, during) == (name == "person-8")
        assert allow(actor, Action.SEE_CLINICAL, during) == (name == "person-8")
        assert not allow(actor, Action.SEE_PERSON, before)
        assert not allow(actor, Action.SEE_PERSON, after)
        assert not any(allow(actor, a, during) for a in (Action.COORDINATE, Action.SUPERVISE, Action.ANSWER))
    assert not allow(Actor("person-8", Role.AUDITOR, purpose="treatment"), Action.SEE_PERSON, belonging(j.case, j.now))


def test_a_review_meets_what_is_owed_and_is_made_once() -> None:
    j, access = broken()
    when(j, ReviewAccess(access, "not_justified", "no call in the log", "person-9")).then_told(
        AccessReviewed(access, "not_justified", "no call in the log", "person-9")
    )
    assert not j.all_owed("access_review")


REFUSALS = (
    No("opened", replace(BROKEN, reason=""), Reason.INVALID, "say why, in a sentence somebody else can judge"),
    No("opened", replace(BROKEN, hours=0), Reason.INVALID, "1 to 24 hours"),
    No("opened", replace(BROKEN, hours=25), Reason.INVALID, "1 to 24 hours"),
    No("opened", REVIEW, Reason.NOT_FOUND, "nobody broke the glass of this case under that id"),
    No(
        "opened",
        lambda j: replace(REVIEW, access=only(j), by="person-8"),
        Reason.FOUR_EYES,
        "nobody reviews an access of their own",
        lambda j: j.tell(BROKEN),
    ),
    No(
        "opened",
        lambda j: replace(REVIEW, access=only(j)),
        Reason.ALREADY,
        "reviewed: justified",
        lambda j: j.tell(BROKEN).tell(replace(REVIEW, access=only(j))),
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_case_that_ended_can_still_be_looked_into_and_asks_for_its_review() -> None:
    j = given(STEPS["opened"])
    j.tell(LeaveJourney("declined"))
    when(j, BROKEN).then_opens("access_review")

"""Who may look behind a hand-over: the doctor it was sent to, while the family agrees and follow-up goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.stages.anytime.erasing import ConfirmErasure, OrderErasure
from domain.stages.follow_up.follow_up import AcceptHandover, EndFollowUp, ReturnHome, may_read_at_home, may_take_over
from domain.stages.intake.people import WithdrawConsent
from domain.stages.treatment.observations import ReportDeath
from tests.domain.course import patient, start
from tests.domain.journey import Journey
from tests.domain.stages.intake.test_consents import as_opened_before


def erase(j: Journey) -> None:
    j.tell(ReturnHome()).tell(OrderErasure("objection", stops="follow_up", by="person-8"))
    assert j.case.erasure
    j.tell(ConfirmErasure(j.case.erasure.order, "person-9"))


SHUT: dict[str, Callable[[Journey], object]] = {
    "withdrawn": lambda j: j.tell(WithdrawConsent("share_with_home_doctor", patient(j))),
    "died": lambda j: j.tell(ReportDeath()),
    "ended": lambda j: j.tell(EndFollowUp("withdrawn")),
    "erased": erase,
}


def doctor(j: Journey) -> str:
    assert j.case.home_doctor
    return j.case.home_doctor.id


def test_the_summary_opens_before_and_after_the_hand_over_is_accepted() -> None:
    j = start("follow_up")
    assert may_take_over(j.case, doctor(j))
    assert may_read_at_home(j.case, doctor(j))
    j.tell(AcceptHandover())
    assert may_read_at_home(j.case, doctor(j))


def test_only_the_doctor_it_was_sent_to() -> None:
    j = start("follow_up")
    assert not may_read_at_home(j.case, "person-of-another-time")
    assert not may_take_over(j.case, "person-of-another-time")


def test_nothing_opens_before_follow_up() -> None:
    assert not may_read_at_home(start("infused").case)


@pytest.mark.parametrize("how", SHUT)
def test_it_shuts(how: str) -> None:
    j = start("follow_up")
    SHUT[how](j)
    assert not may_read_at_home(j.case)


def test_a_case_of_before_hands_over_as_it_did_and_shares_no_summary() -> None:
    j = as_opened_before(start("follow_up"))
    assert may_take_over(j.case)
    assert not may_read_at_home(j.case)

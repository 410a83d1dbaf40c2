"""Majority [people.majority]: who decides follows from the birth date, and on the day the patient consents anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.case.phases.intake import Person
from domain.case.state import Case
from domain.core.errors import Reason
from domain.core.personal import ERASED
from domain.stages.intake.majority import MajorityReached, is_minor, majority
from domain.stages.intake.people import AddPerson, GiveConsent, WithdrawConsent
from domain.stages.records.observing import DescribePatient
from tests.domain.case.obligation_scenes import comes_of_age, consents_anew
from tests.domain.course import OPENED, patient, start
from tests.domain.journey import DAY, Journey, when

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def child(minor: bool = False) -> Person:
    return Person("p", "patient", "", "", "", "UTC", "hi", minor)


@pytest.mark.parametrize(
    ("country", "born", "flagged", "minor"),
    [
        ("IN", "2008-03-03", False, True),
        ("IN", "2008-03-02", True, False),
        ("EG", "2008-03-02", False, True),
        ("KW", "2005-03-03", False, True),
        ("TH", "2006-03-02", True, False),
        ("KR", "2007-03-03", False, True),
        ("IN", "2009", False, True),
        ("IN", "2007", True, False),
        ("IN", "2008", True, True),
        ("IN", "2008", False, False),
        ("IN", "", True, True),
        ("IN", ERASED, False, False),
        ("IN", ERASED, True, True),
    ],
)
def test_a_minor_is_one_by_date(country: str, born: object, flagged: bool, minor: bool) -> None:
    case = Case(country=country, birth=born)  # type: ignore[arg-type] # as it is folded
    assert is_minor(case, child(flagged), NOON) is minor


def test_the_day_is_that_of_the_family() -> None:
    case = Case(country="IN", birth="2008-03-03", zone="Pacific/Auckland")
    assert not is_minor(case, child(), NOON), "there it is the third already"


def test_who_was_born_on_a_leap_day_comes_of_age_on_the_first_of_march() -> None:
    assert majority(Case(country="IN", birth="2008-02-29")) == (date(2026, 3, 1), date(2026, 3, 1))


def test_the_date_counts_and_not_what_was_ticked() -> None:
    j = Journey().tell(replace(OPENED, minor=True, birth="1980-01-01"))
    j.tell(GiveConsent("translation", patient(j), "1", "hi"))
    young = Journey().tell(replace(OPENED, birth="2015"))
    when(young, GiveConsent("translation", patient(young), "1", "hi")).then_refused(
        Reason.NOT_ALLOWED, "for a minor the legal representative decides"
    )
    young.tell(DescribePatient("1985"))
    young.tell(GiveConsent("translation", patient(young), "1", "hi"))


def test_on_the_day_the_patient_owes_their_own_consent_once() -> None:
    j = start("opened")
    comes_of_age(j)
    assert [e for e in j.last if isinstance(e, MajorityReached)] == [MajorityReached()]
    [owed] = j.all_owed("consent_at_majority")
    assert not j.look().last
    when(j, GiveConsent("translation", patient(j), "2", "hi"))
    assert j.case.obligations[owed.id].state == "met"


def test_taking_it_back_settles_it_too() -> None:
    j = start("opened")
    comes_of_age(j)
    j.tell(WithdrawConsent("translation", patient(j)))
    assert not j.all_owed("consent_at_majority")


def test_the_clock_wakes_for_it_years_ahead() -> None:
    j = start("opened").tell(DescribePatient("2016-07-01"))
    j.tell(AddPerson("legal_representative", "Mother", "Asia/Kolkata", "hi"))
    before = j.agenda.wake_at
    assert before is not None
    j.case = replace(j.case, obligations={}, effects={})
    assert j.agenda.wake_at == datetime(2034, 7, 31, 18, 30, tzinfo=UTC), "midnight in Kolkata, and no birthday"


@pytest.mark.parametrize("born", ["1980", "", "2007-06-01"])
def test_who_was_of_age_before_the_case_owes_nothing(born: str) -> None:
    j = start("opened").tell(DescribePatient(born)).away(40 * DAY).look()
    assert not [f for f in j.facts if isinstance(f.event, MajorityReached)]


def test_a_birth_date_corrected_to_a_later_one_takes_the_debt_back_until_its_day() -> None:
    j = start("opened")
    comes_of_age(j)
    later = (j.now + 10 * DAY).date()
    j.tell(DescribePatient(later.replace(year=later.year - 18).isoformat()))
    assert not j.all_owed("consent_at_majority")
    j.away(43 * DAY).look()
    assert j.all_owed("consent_at_majority")
    consents_anew(j)
    assert not j.all_owed("consent_at_majority")


@given(st.dates(date(2000, 1, 1), date(2026, 1, 1)), st.integers(0, 12_000), st.sampled_from(["IN", "EG", "TH", "KR"]))
def test_nobody_becomes_a_minor_again(born: date, days: int, country: str) -> None:
    case, now = Case(country=country, birth=born.isoformat()), NOON + timedelta(days=days)
    assert is_minor(case, child(), NOON) or not is_minor(case, child(), now)
    year = Case(country=country, birth=str(born.year))
    if not is_minor(case, child(), now):
        assert not is_minor(year, child(minor=False), now), "a year alone makes no minor of who is of age"

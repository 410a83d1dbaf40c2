"""Choosing [S3]: acceptances stand until the family takes one; only then are the others withdrawn."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import ANY

import pytest

from domain.core.errors import Reason
from domain.core.policy import Party
from domain.history.recheck import Known, recheck
from domain.journey import RULES
from domain.stages.eligibility.choosing import AcceptanceChosen, ChooseAcceptance
from domain.stages.eligibility.eligibility import AcceptPatient, DeclinePatient, PatientAccepted
from domain.stages.eligibility.quote import GiveQuote
from domain.stages.eligibility.submissions import (
    EARLIER,
    ChooseCentre,
    SubmissionWithdrawn,
    SubmitDossier,
    WithdrawSubmission,
)
from domain.stages.intake.people import AddPerson
from domain.stages.treatment.observations import ReportProgression
from tests.domain.case.obligation_scenes import accepted_by_two
from tests.domain.course import patient, start, submission
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No


def both(j: Journey) -> tuple[str, str]:
    first, second = list(j.case.submissions)
    return first, second


def carer(j: Journey) -> str:
    return next(p.id for p in j.case.people.values() if p.role == "carer")


def asked_two() -> Journey:
    j = start("submitted").tell(ChooseCentre("centre-b", "protocol-b"))
    return j.tell(SubmitDossier(submission(j)))


def accepted_two(j: Journey | None = None) -> Journey:
    j = j or start("submitted")
    accepted_by_two(j)
    return j


REFUSALS = (
    No(
        "accepted",
        lambda j: ChooseAcceptance(submission(j), patient(j)),
        Reason.ALREADY,
        "the journey goes on with an acceptance already",
    ),
    No(
        "submitted",
        lambda j: ChooseAcceptance(submission(j), patient(j)),
        Reason.LAPSED,
        "this acceptance has ended; ask the centre to confirm it",
        lambda j: accepted_two(j).away(51 * DAY),
    ),
    No(
        "submitted",
        lambda j: ChooseAcceptance(submission(j), patient(j)),
        Reason.LAPSED,
        "the patient's condition changed since this acceptance",
        lambda j: accepted_two(j).tell(ReportProgression("bone")),
    ),
    No(
        "submitted",
        lambda j: ChooseAcceptance(submission(j), carer(j)),
        Reason.NOT_ALLOWED,
        "only the patient or the legal representative decides",
        accepted_by_two,
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_two_acceptances_stand_each_with_its_own_end_until_the_family_takes_one() -> None:
    j = asked_two()
    first, second = both(j)
    when(j, AcceptPatient(first, "Dr Li", j.now + 60 * DAY)).then_told(
        PatientAccepted(first, "Dr Li", j.now + 60 * DAY)
    ).then_opens("reconfirm_decision", "acceptance_choice").then_asks("tell_family_of_acceptances")
    assert j.case.accepted is None, "the other centre is still asked"
    j.tell(AcceptPatient(second, "Dr B", j.now + 30 * DAY))
    assert {o.about.split("/")[0]: o.due for o in j.all_owed("reconfirm_decision")} == {
        first: j.now + 60 * DAY,
        second: j.now + 30 * DAY,
    }
    assert j.owed("acceptance_choice").debtor is Party.FAMILY
    assert not j.asked("request_quote"), "no price is asked for before the choice"
    when(j, ChooseAcceptance(second, patient(j), "nearer to the sister")).then_told(
        AcceptanceChosen(second, patient(j), "nearer to the sister"), SubmissionWithdrawn(first)
    ).then_asks("withdraw_submission", "request_quote")
    assert j.case.centre == "centre-b"
    [withdrawn] = j.asked("withdraw_submission")
    j.deliver()
    assert j.case.effects[withdrawn.id].state == "delivered", "the other centre was told, and that it was is on record"


def test_the_family_may_take_one_while_another_centre_still_decides() -> None:
    j = asked_two()
    first, second = both(j)
    j.tell(AcceptPatient(first, "Dr Li"))
    when(j, ChooseAcceptance(first, patient(j))).then_told(
        AcceptanceChosen(first, patient(j), ""), SubmissionWithdrawn(second)
    ).then_asks("withdraw_submission", "request_quote")
    when(j, AcceptPatient(second, "Dr B")).then_refused(Reason.NOT_NOW, "the submission is withdrawn")


def test_with_one_acceptance_and_nobody_else_asked_nothing_is_to_be_chosen() -> None:
    j = start("accepted")
    assert not j.all_owed("acceptance_choice")
    assert j.case.accepted
    assert j.asked("request_quote")


def test_a_centre_that_was_only_proposed_is_no_choice() -> None:
    j = start("submitted").tell(ChooseCentre("centre-b", "protocol-b"))
    first, second = both(j)
    when(j, AcceptPatient(first, "Dr Li")).then_told(ANY, SubmissionWithdrawn(second)).then_asks("request_quote")


def test_when_the_other_centre_declines_the_journey_goes_on_with_the_acceptance_that_is_left() -> None:
    j = asked_two()
    first, second = both(j)
    j.tell(AcceptPatient(first, "Dr Li"))
    when(j, DeclinePatient(second, "Dr B", "cohort_full", "the other centre")).then_asks("request_quote")
    assert j.case.accepted
    assert j.case.accepted.id == first
    assert [o.state for o in j.case.obligations.values() if o.kind == "acceptance_choice"] == ["met"]


def test_an_acceptance_that_is_not_chosen_may_end_and_nothing_else_is_given_back() -> None:
    j = accepted_two()
    first, second = both(j)
    when(j, WithdrawSubmission(second)).then_told(SubmissionWithdrawn(second)).then_asks(
        "withdraw_submission", "request_quote"
    )
    assert j.case.centre == "centre-a"
    when(j, GiveQuote(first, "EUR", j.now + 9 * DAY, 9)).then_asks("send_quote")


def test_the_one_centre_that_reviewed_a_changed_condition_does_not_speak_for_the_other() -> None:
    j = accepted_two()
    first, second = both(j)
    j.tell(ReportProgression("bone")).tell(AcceptPatient(first, "Dr Li", j.now + 60 * DAY))
    assert [o.about.split("/")[0] for o in j.all_owed("review_again")] == [second]
    when(j, ChooseAcceptance(second, patient(j))).then_refused(
        Reason.LAPSED, "the patient's condition changed since this acceptance"
    )
    j.tell(AcceptPatient(second, "Dr B", j.now + 60 * DAY))
    assert not j.all_owed("review_again")
    j.tell(ChooseAcceptance(second, patient(j)))


def test_for_a_child_the_legal_representative_chooses() -> None:
    j = accepted_two()
    people = {n: replace(p, minor=p.role == "patient") for n, p in j.case.people.items()}
    j.case = replace(j.case, people=people)
    who = patient(j)
    when(j, ChooseAcceptance(submission(j), who)).then_refused(
        Reason.NOT_ALLOWED, "for a minor the legal representative decides"
    )
    j.tell(AddPerson("legal_representative", "Mother", "Asia/Kolkata", "hi"))
    mother = list(j.case.people)[-1]
    j.case = replace(j.case, people={**people, mother: j.case.people[mother]})
    j.tell(ChooseAcceptance(submission(j), mother))


def test_a_choice_not_made_is_chased() -> None:
    j = accepted_two()
    j.wait(by=8 * DAY)
    assert "chase" in {o.kind for o in j.all_owed()}
    assert j.case.accepted is None


def test_what_the_first_version_of_the_rule_recorded_is_still_checked_by_it() -> None:
    """A history from before there was a choice: the second request ended by itself, under version 1."""
    j = start("submitted").tell(ChooseCentre("centre-b", "protocol-b"))
    first, second = both(j)
    j.tell(AcceptPatient(first, "Dr Li"))
    old = [
        replace(f, why=replace(f.why, rule_version=1, rests_on=f.why.rests_on))
        if f.why and f.why.rule == "one_centre_accepts"
        else f
        for f in j.facts
    ]
    assert any(f.event == SubmissionWithdrawn(second) for f in old)
    known = Known(lambda _: j.policy, lambda s, _: j.sources[s][1])
    found = recheck("case-1", old, known)
    assert found.differs is None
    assert not [why for why in found.unchecked if why.startswith("rule")], found.unchecked
    assert {(r.name, r.version) for r in EARLIER} == {("one_centre_accepts", 1)}
    assert ("one_centre_accepts", 2) in {(r.name, r.version) for r in RULES}

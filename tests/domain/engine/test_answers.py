"""An answer that comes too early is told so; one that is too late, wrong or unasked for gets a plain no."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from domain.core.errors import Reason
from domain.core.fact import Command
from domain.engine.answers import of_another_centre, too_early
from domain.stages.eligibility.eligibility import AcceptPatient
from domain.stages.eligibility.submissions import (
    AcknowledgeSubmission,
    ChooseCentre,
    SubmitDossier,
    WithdrawSubmission,
)
from domain.stages.travel.arrangement_answers import RefuseArrangement
from domain.stages.treatment.admission import AdmitPatient, ConfirmScreening
from domain.stages.treatment.lymphodepletion import CompleteDepletion, RecordDepletion
from tests.domain.course import start, submission
from tests.domain.journey import Journey
from tests.domain.stages.travel.arranged import ask_admission, newest


def asked(j: Journey, kind: str) -> str:
    return j.asked(kind)[-1].id


def refused(j: Journey, command: Command) -> Reason:
    j.tried(command)
    assert j.refused is not None
    return j.refused.reason


@dataclass(frozen=True)
class Early:
    """Where the case stands, what was asked, the answer that comes before its time, and what it waits for."""

    at: str
    kind: str
    answer: Command
    first: Command


EARLY = (
    Early("arrived", "announce_arrival", ConfirmScreening("Dr Li"), AdmitPatient("E-1")),
    Early("gated", "confirm_depletion_start", CompleteDepletion(), RecordDepletion("Flu/Cy", -5)),
)


@pytest.mark.parametrize("early", EARLY, ids=lambda e: e.kind)
def test_too_early_until_what_it_waits_for_has_come(early: Early) -> None:
    j = start(early.at)
    assert too_early(j.case, asked(j, early.kind), refused(j, early.answer))
    j.tell(early.first).tell(early.answer)


def withdrawn(j: Journey) -> Reason:
    j.tell(WithdrawSubmission(submission(j)))
    return refused(j, AcknowledgeSubmission(submission(j), "R"))


def answered(j: Journey) -> Reason:
    return refused(j, AcknowledgeSubmission(submission(j), "R"))


@pytest.mark.parametrize(("at", "late"), [("submitted", withdrawn), ("acknowledged", answered)])
def test_an_answer_to_a_question_that_is_closed_stays_refused(at: str, late: Callable[[Journey], Reason]) -> None:
    j = start(at)
    effect = asked(j, "submit_dossier")
    assert late(j) is Reason.NOT_NOW
    assert not too_early(j.case, effect, Reason.NOT_NOW)


def test_only_what_may_become_right_is_worth_saying_again() -> None:
    j = start("arrived")
    effect = asked(j, "announce_arrival")
    assert too_early(j.case, effect, Reason.MISSING)
    for reason in set(Reason) - {Reason.MISSING, Reason.NOT_NOW}:
        assert not too_early(j.case, effect, reason), reason
    assert not too_early(j.case, None, Reason.MISSING)
    assert not too_early(j.case, "no-such-effect", Reason.MISSING)


def test_no_centre_answers_for_another_that_has_the_dossier_too() -> None:
    j = start("submitted")
    first = submission(j)
    ours = j.case.submissions[first].centre
    j.tell(ChooseCentre("centre-b", "protocol-b"))
    second = submission(j)
    j.tell(SubmitDossier(second))
    assert of_another_centre(j.case, AcceptPatient(first, "Dr B"), "centre-b")
    assert of_another_centre(j.case, AcceptPatient(second, "Dr A"), ours)
    assert not of_another_centre(j.case, AcceptPatient(first, "Dr A"), ours), "the control"
    assert not of_another_centre(j.case, AcceptPatient(second, "Dr B"), "centre-b")
    assert not of_another_centre(j.case, AcceptPatient("nothing", "Dr B"), "centre-b"), "the rules say so"
    assert not of_another_centre(j.case, AdmitPatient("E-1"), "centre-b"), "it names nothing of anybody's"


def test_no_centre_answers_what_another_is_to_arrange() -> None:
    j = start("planned")
    ask_admission(j)
    no = RefuseArrangement(newest(j).id, "none_free")
    assert of_another_centre(j.case, no, "centre-b")
    assert not of_another_centre(j.case, no, newest(j).centre), "the control"

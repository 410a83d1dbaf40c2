"""An acceptance names the version of the protocol it was given under; an amended protocol asks the centre anew."""

from __future__ import annotations

from domain.core.policy import Party
from domain.stages.eligibility.eligibility import AcceptPatient, DeclinePatient, PatientAccepted
from tests.domain.course import PROTOCOL, start, submission
from tests.domain.journey import DAY, Journey


def accepted(number: int) -> Journey:
    j = start("submitted").source(PROTOCOL, number=number).look()
    return j.tell(AcceptPatient(submission(j), "Dr Li", j.now + 60 * DAY))


def test_an_acceptance_names_the_version_it_was_given_under() -> None:
    [event] = [e for e in accepted(3).last if isinstance(e, PatientAccepted)]
    assert event.protocol_version == 3


def test_an_amended_protocol_asks_the_centre_for_its_decision_anew() -> None:
    j = accepted(1).source(PROTOCOL, number=2).look()
    asked = j.owed("amended_protocol")
    assert (asked.debtor, asked.about) == (Party.HOSPITAL, f"{submission(j)}/2")
    j.tell(AcceptPatient(submission(j), "Dr Li", j.now + 60 * DAY))
    assert j.case.obligations[asked.id].state == "met"
    assert not j.source(PROTOCOL, number=2).look().all_owed("amended_protocol")


def test_a_centre_that_declines_owes_no_more_and_a_second_amendment_takes_the_place_of_the_first() -> None:
    j = accepted(1).source(PROTOCOL, number=2).look()
    first = j.owed("amended_protocol")
    j.source(PROTOCOL, number=3).look()
    assert j.case.obligations[first.id].state == "withdrawn"
    second = j.owed("amended_protocol")
    j.tell(DeclinePatient(submission(j), "Dr Li", "criteria_not_met", "another trial"))
    assert j.case.obligations[second.id].state == "met"


def test_nothing_is_owed_for_an_acceptance_of_a_version_nobody_noted_or_once_cells_are_given() -> None:
    assert not start("accepted").source(PROTOCOL, number=2).look().all_owed("amended_protocol")
    j = start("infused")
    j.source(PROTOCOL, number=2).look()
    assert not j.all_owed("amended_protocol")

"""What a family was told of an appointment and is not so any more: told each time, once, and never as old news."""

from __future__ import annotations

from dataclasses import replace

from domain.stages.travel.arrangement_answers import (
    ArrangementRefused,
    ConfirmArrangement,
    OfferSlots,
    RefuseArrangement,
    SlotsOffered,
)
from domain.stages.travel.arranging import AskArrangementAgain
from tests.domain.course import start
from tests.domain.journey import DAY, Journey, when
from tests.domain.stages.travel.arranged import (
    ask_and_offer,
    ask_lodging,
    cancel,
    choose,
    confirm_admission,
    confirm_anew,
    confirm_lodging,
    newest,
    refuse,
    times,
)

TIMES, AGREED, OFF = "offer_slots_to_family", "tell_family_of_appointment", "tell_family_of_called_off"


def mails(j: Journey, kind: str) -> list[str]:
    """What was asked to be written, in order."""
    return [e.about for e in j.case.effects.values() if e.kind == kind]


def test_an_agreed_appointment_that_is_refused_is_told_once() -> None:
    j = start("planned")
    confirm_admission(j)
    agreed = newest(j).starts
    when(j, RefuseArrangement(newest(j).id, "none_free")).then_asks(OFF)
    assert j.decided == [ArrangementRefused(newest(j).id, "none_free", agreed)]
    assert newest(j).called_off == agreed
    j.tell(AskArrangementAgain(newest(j).id, agreed + DAY, agreed + 2 * DAY))
    refuse(j)
    assert len(mails(j, OFF)) == 1


def test_one_that_a_coordinator_cancels_is_told_too() -> None:
    j = start("planned")
    confirm_admission(j)
    cancel(j)
    assert len(mails(j, OFF)) == 1


def test_what_is_past_is_not_told_as_called_off() -> None:
    for undone in (refuse, cancel):
        j = start("planned")
        confirm_admission(j)
        agreed = newest(j).starts
        j.tell(AskArrangementAgain(newest(j).id, agreed + 9 * DAY, agreed + 10 * DAY))
        j.away(agreed - j.now)
        undone(j)
        assert not mails(j, OFF)


def test_agreed_once_more_at_the_same_time_it_is_told_once_more_and_called_off_once_more() -> None:
    j = start("planned")
    confirm_admission(j)
    refuse(j)
    confirm_anew(j)
    assert len(mails(j, AGREED)) == 2
    assert newest(j).called_off is None
    refuse(j)
    assert len(set(mails(j, OFF))) == 2


def test_what_was_never_agreed_is_not_called_off_nor_is_what_is_no_appointment() -> None:
    j = start("planned")
    ask_and_offer(j)
    refuse(j)
    assert newest(j).state == "refused"
    ask_lodging()(j)
    confirm_lodging(j)
    refuse(j)
    assert not mails(j, OFF)


def test_what_an_earlier_version_recorded_is_not_told_afterwards() -> None:
    j = start("planned")
    confirm_admission(j)
    told = newest(j)
    j.case = replace(j.case, arrangements={told.id: replace(told, agreed=None)})
    refuse(j)
    assert newest(j).state == "refused"
    assert not mails(j, OFF)


def test_times_that_are_offered_again_are_told_again() -> None:
    j = start("planned")
    ask_and_offer(j)
    first = newest(j)
    assert mails(j, TIMES) == [first.about]
    later = tuple(replace(one, starts=one.starts + DAY, ends=one.ends + DAY) for one in times(j))
    refuse(j)
    when(j, OfferSlots(first.id, later)).then_told(SlotsOffered(first.id, later))
    assert mails(j, TIMES) == [first.about, f"{first.about}/2"]
    choose(j)
    assert not [e for e in j.agenda.effects if e.kind == TIMES]
    j.tell(OfferSlots(first.id, times(j)))
    assert mails(j, TIMES)[-1] == newest(j).about
    j.tell(ConfirmArrangement(first.id, "A-1", starts=times(j)[0].starts))
    assert len(mails(j, TIMES)) == 3

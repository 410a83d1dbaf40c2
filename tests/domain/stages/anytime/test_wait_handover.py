"""A wait goes along with a merge: the case that goes on keeps its time, urgency and place; nothing is given back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.case.phases.submissions import HandedWait
from domain.case.stage import Stage
from domain.catalogue.waiting.waiting_list import Place
from domain.core.fact import ENGINE
from domain.stages.anytime.linking import AcceptLink, ConfirmLink
from domain.stages.anytime.wait_handover import WaitHandedOver, WaitTakenOver, handed
from domain.stages.eligibility.waiting import (
    PlaceOffered,
    PlaceWithdrawn,
    TakePlace,
    WaitForPlace,
    WaitingEnded,
    WaitingUrgencyChanged,
)
from domain.stages.intake.inquiry import SetUrgency
from tests.domain.course import CENTRE, PROTOCOL, patient, start
from tests.domain.journey import DAY, Journey
from tests.domain.stages.anytime.test_linking import MERGE, NUMBER, OTHER, ask
from tests.domain.stages.eligibility.test_waiting import offered, place, rounds, wait, waiting

LISTED = "tell_waiting_list"


def from_other(j: Journey, **told: Any) -> HandedWait:
    """The wait of another case, which began a month ago and is urgent."""
    known = {"protocol": PROTOCOL, "centre": CENTRE, "since": j.now - 30 * DAY, "urgent": True, "round": 3}
    return HandedWait("wait-7", **{**known, **told})


def takes_over(j: Journey, *waits: HandedWait) -> Journey:
    return j.tell(AcceptLink(OTHER, NUMBER, "merge", open=True, waits=waits), ENGINE)


def test_the_case_that_goes_on_waits_under_the_same_name_since_the_same_time() -> None:
    j = start("eligibility")
    theirs = from_other(j)
    takes_over(j, theirs)
    assert WaitTakenOver(theirs, OTHER) in j.decided
    [new] = j.case.waiting.values()
    assert (new.id, new.since, new.urgent, new.came_from) == ("wait-7", theirs.since, True, OTHER)
    assert not j.case.urgent
    assert not any(isinstance(e, WaitingUrgencyChanged) for e in j.last), "its urgency goes along"
    assert rounds(j) == ["103"], "newer than whatever the merged case may still tell"
    assert PROTOCOL in set(j.case.sources)
    told = len(j.case.waiting)
    takes_over(j, theirs)
    assert (j.decided, len(j.case.waiting)) == ([], told), "said twice"


def test_once_somebody_says_how_urgent_the_case_is_that_counts() -> None:
    j = takes_over(start("eligibility"), from_other(start("eligibility")))
    for urgent in (True, False):
        j.tell(SetUrgency(urgent, "looked at again", "keep"))
        assert [w.urgent for w in j.case.waiting.values()] == [urgent]


def test_an_offer_is_made_to_the_case_that_goes_on_once_the_list_knows_it() -> None:
    j = takes_over(start("eligibility"), from_other(start("eligibility")))
    theirs = Place("place-1", CENTRE, "offered", "wait-7", j.case.id, j.now + DAY)
    j.source(PROTOCOL, places=(theirs,)).look()
    assert [e.place for e in j.last if isinstance(e, PlaceOffered)] == ["place-1"]


def test_a_taken_place_is_not_lost_before_the_list_has_heard_of_the_case() -> None:
    j = start("eligibility")
    takes_over(j, from_other(j, place="place-1", at=CENTRE))
    j.look()
    assert j.case.waiting["wait-7"].state == "taken", "the list still names the merged case"
    j.deliver(LISTED)
    j.look()
    told = [fact.event for fact in j.facts]
    assert PlaceWithdrawn("wait-7", "place-1") in told, "the control: heard, and not there"


def test_a_case_that_waits_there_itself_waits_since_the_older_time() -> None:
    j = wait(start("eligibility"))
    own = waiting(j)
    older, younger = from_other(j), from_other(j, since=j.now + timedelta(days=1))
    takes_over(j, older)
    assert {name: w.since for name, w in j.case.waiting.items()} == {own: older.since}
    assert rounds(j)[-1] == "2"
    other = wait(start("eligibility"))
    takes_over(other, younger)
    assert not any(isinstance(e, WaitTakenOver) for e in other.decided), "its own time is the older"


def test_a_second_taken_place_is_not_taken_over() -> None:
    j = offered(start("eligibility"))
    j.tell(TakePlace(waiting(j), patient(j)))
    j.source(PROTOCOL, places=(place(j, state="taken"),))
    takes_over(j, from_other(j, protocol="protocol-b", place="place-9", at="centre-b"))
    assert len(j.case.waiting) == 1


@pytest.mark.parametrize("at", ["visa", "infused"])
def test_a_case_that_has_gone_on_takes_nothing_over(at: str) -> None:
    j = start(at)
    assert j.case.stage.rank > Stage.ELIGIBILITY.rank
    takes_over(j, from_other(j))
    assert not j.case.waiting


def test_the_merged_case_ends_and_gives_back_only_what_was_not_kept() -> None:
    j = offered(start("eligibility"))
    j.tell(TakePlace(waiting(j), patient(j)))
    j.source(PROTOCOL, places=(place(j, state="taken"),))
    j.source("protocol-b", open=True, open_until=j.now + 90 * DAY).tell(WaitForPlace("protocol-b"))
    first, second = j.case.waiting
    assert [(one.wait, one.place) for one in handed(j.case)] == [(first, "place-1"), (second, "")]
    asked = ask(j, MERGE)
    j.tell(ConfirmLink(asked, kept=(first,)), ENGINE)
    assert WaitHandedOver(first, OTHER) in j.decided
    assert WaitingEnded(second, "left") in j.last
    assert [name for name, w in j.case.waiting.items() if w.live] == []
    pending = {e.about.split("/")[0] for e in j.case.effects.values() if e.kind == LISTED and e.pending}
    assert pending == {second}, "the list hears nothing more of the wait that goes on elsewhere"

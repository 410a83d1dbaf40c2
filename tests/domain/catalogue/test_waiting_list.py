"""The list of a protocol: whom a free place is offered to and why, and that no place is ever two cases'."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from pydantic_core import to_json

from domain.catalogue.protocol import CloseProtocol, Protocol
from domain.catalogue.site import ConfirmSite
from domain.catalogue.streams import decide, fold, read_model
from domain.catalogue.waiting.waiting_list import (
    ListEntryMoved,
    ListJoined,
    ListLeft,
    Place,
    PlaceAllotted,
    PlaceConfirmed,
    PlaceFreed,
    PlaceGone,
    PlaceReturned,
    TellWaitingList,
    place_of,
)
from domain.core.errors import Reason
from domain.core.fact import Fact
from tests.domain.catalogue.steps import AROUND, NOW, fact, given, refused
from tests.domain.catalogue.test_protocol import REGISTERED, STREAM

A, B = "centre-a", "centre-b"
DAY = timedelta(days=1)
UNTIL = NOW + 60 * DAY


def case(
    n: int, said: int = 1, *, centre: str = "", urgent: bool = False, days: int = 0, **more: Any
) -> TellWaitingList:
    """What case n says in that round, which has waited so many days."""
    return TellWaitingList(f"wait-{n}", said, f"case-{n}", centre, urgent, NOW - days * DAY, **more)


def site(state: str = "open", places: int | None = None, centre: str = A) -> ConfirmSite:
    return ConfirmSite(centre, state, UNTIL, "Dr Li", places=places)  # type: ignore[arg-type] # of the four


class List:
    """A protocol on whose list things happen one after the other."""

    def __init__(self) -> None:
        self.facts: list[Fact[Any]] = [fact(REGISTERED, 1)]
        self.last: Sequence[Any] = ()
        self._numbers = count(1)

    def say(self, *commands: Any) -> List:
        for command in commands:
            drafts = decide(STREAM, self.state, command, NOW, lambda: f"n{next(self._numbers)}", AROUND)
            self.last = [draft.event for draft in drafts]
            self.facts += [fact(event, len(self.facts) + n) for n, event in enumerate(self.last, 1)]
        return self

    @property
    def state(self) -> Protocol:
        state = fold(STREAM, self.facts)
        assert isinstance(state, Protocol)
        return state

    @property
    def places(self) -> Sequence[Place]:
        return self.state.waiting.places

    def offers(self) -> list[tuple[str, str, int, int]]:
        """The offers of the last command: to whom, why, of how many, how many of them had waited longer."""
        return [(e.case, e.because, e.waiting, e.longer) for e in self.last if isinstance(e, PlaceAllotted)]


def types(events: Sequence[Any]) -> list[type[Any]]:
    return [type(event) for event in events]


def test_who_waits_is_offered_the_place_that_a_site_says_is_free() -> None:
    book = List().say(site("full"), case(1, days=3))
    assert types(book.last) == [ListJoined], "nothing is free"
    book.say(site(places=1))
    assert book.offers() == [("case-1", "only", 1, 0)]
    [place] = book.places
    assert (place.state, place.until) == ("offered", NOW + 3 * DAY)


def test_the_urgent_come_first_then_who_has_waited_longest_and_the_reasons_are_kept() -> None:
    book = List().say(site("full"), case(1, days=9), case(2, days=2, urgent=True), case(3, days=5, urgent=True))
    book.say(site(places=2))
    assert book.offers() == [("case-3", "urgent", 3, 1), ("case-2", "urgent", 2, 1)]
    assert [place.until for place in book.places] == [NOW + DAY] * 2, "an urgent case has less time to answer"
    book = List().say(site("full"), case(1, days=2), case(2, days=9)).say(site(places=1))
    assert book.offers() == [("case-2", "longest", 2, 0)]


def test_a_merged_case_gives_its_entry_to_the_one_that_goes_on() -> None:
    book = List().say(site("full"), case(1, days=3), case(2, days=9))
    goes_on = TellWaitingList("wait-1", 101, "case-9", "", urgent=False, since=NOW - 3 * DAY)
    book.say(goes_on)
    assert book.last == [ListEntryMoved("wait-1", 101, "case-9")], "one event, and nothing is offered anew"
    assert [(one.case, one.since) for one in book.state.waiting.in_order()] == [
        ("case-2", NOW - 9 * DAY), ("case-9", NOW - 3 * DAY),
    ]  # fmt: skip
    book.say(goes_on, case(1, 2, ends=True))
    assert book.last == [], "told twice, and what the merged case told before it ended, change nothing"


@pytest.mark.parametrize("taken", [False, True])
def test_a_place_of_a_merged_case_stays_with_its_wait(taken: bool) -> None:
    book = List().say(site(places=1), case(1, days=3), case(2, days=9, urgent=True))
    [place] = book.places
    takes = place.id if taken else ""
    if taken:
        book.say(case(1, 2, takes=takes))
    book.say(TellWaitingList("wait-1", 101, "case-9", "", urgent=False, since=NOW - 3 * DAY, takes=takes))
    assert types(book.last)[0] is ListEntryMoved
    assert not {PlaceReturned, PlaceAllotted} & set(types(book.last)), "nobody else is offered it"
    assert [(one.case, one.state) for one in book.places] == [("case-9", "taken" if taken else "offered")]


def test_an_offer_ends_with_the_word_of_the_site() -> None:
    soon = NOW + timedelta(hours=5)
    book = List().say(site("full"), case(1)).say(ConfirmSite(A, "open", soon, "Dr Li", places=1))
    assert book.places[0].until == soon


def test_a_place_passed_by_goes_to_the_next_and_never_to_the_same_case_again() -> None:
    book = List().say(site("full"), case(1, days=9), case(2, days=5), site(places=1))
    [place] = book.places
    book.say(case(1, 2, days=9, passed=(place.id,)))
    assert types(book.last) == [PlaceReturned, ListJoined, PlaceAllotted]
    assert book.offers() == [("case-2", "only", 1, 0)]
    book.say(case(2, 2, days=5, passed=(place.id,)))
    assert (book.offers(), book.places[0].state) == ([], "free"), "both let it go"
    book.say(case(3))
    assert book.offers() == [("case-3", "only", 1, 0)]


def test_a_place_that_is_taken_is_given_back_by_whoever_leaves() -> None:
    book = List().say(site("full"), case(1, days=9), case(2, days=5), site(places=1))
    [place] = book.places
    book.say(case(1, 2, takes=place.id))
    assert types(book.last) == [PlaceConfirmed]
    assert [entry.case for entry in book.state.waiting.entries] == ["case-2"]
    book.say(case(1, 3, ends=True))
    assert types(book.last) == [PlaceReturned, ListLeft, PlaceAllotted]
    assert book.offers() == [("case-2", "only", 1, 0)]


def test_a_case_that_waits_again_does_not_keep_the_place_it_had_taken() -> None:
    book = List().say(site("full"), case(1, days=9), case(2, days=5), site(places=1))
    [place] = book.places
    book.say(case(1, 2, takes=place.id)).say(case(1, 3, days=9))
    assert types(book.last) == [PlaceReturned, ListJoined, PlaceAllotted]
    assert book.offers() == [("case-2", "only", 1, 0)]


def test_only_a_place_at_the_centre_that_is_waited_for_is_offered() -> None:
    book = List().say(site("full"), case(1, days=9, centre=B), case(2, days=1)).say(site(places=1))
    assert book.offers() == [("case-2", "only", 1, 0)]
    book.say(site(places=1, centre=B))
    assert book.offers() == [("case-1", "only", 1, 0)]


def test_an_open_site_that_names_no_number_has_one_place_once() -> None:
    book = List().say(site())
    assert types(book.last)[1:] == [], "nobody waits, so nothing is counted"
    book.say(case(1), case(2))
    assert len(book.places) == 1
    [place] = book.places
    book.say(case(1, 2, takes=place.id)).say(site())
    assert len(book.places) == 1, "said to be open once more is no second place"
    book.say(site("full"), site())
    assert (len(book.places), book.offers()) == (2, [("case-2", "only", 1, 0)]), "opened again: one more is free"


def test_a_site_that_fills_up_takes_back_what_nobody_has_taken() -> None:
    book = List().say(site("full"), case(1, days=2), case(2, days=1), site(places=2))
    book.say(case(1, 2, takes=book.places[0].id)).say(site("full"))
    assert types(book.last)[1:] == [PlaceGone]
    assert [place.state for place in book.places] == ["taken"]
    assert [entry.case for entry in book.state.waiting.entries] == ["case-2"], "who was offered it waits on"
    book.say(site(places=3))
    assert types(book.last)[1:] == [PlaceFreed] * 3 + [PlaceAllotted]
    book.say(site(places=1))
    assert types(book.last)[1:] == [PlaceGone] * 2
    assert [place.state for place in book.places] == ["taken", "offered"], "what is offered stays as long as it can"
    book.say(CloseProtocol("completed"))
    assert [place.state for place in book.places] == ["taken"]


def test_what_comes_late_or_twice_changes_nothing() -> None:
    book = List().say(site("full"), case(1, 2, ends=True))
    book.say(case(1, 1))
    assert (book.last, book.state.waiting.entries) == ([], ())
    book.say(case(2, 1), case(2, 1))
    assert book.last == []
    place = Place("p", A, "offered", "wait-2", "case-2", NOW)
    book.say(case(2, 2, takes=place.id))
    assert types(book.last) == [ListJoined], "a place that is not its own is not taken; it waits on"


@pytest.mark.parametrize(
    ("said", "words"), [(site(places=-1), "places"), (site(places=1001), "places"), (site("full", 1), "places")]
)
def test_a_number_of_places_that_cannot_be_is_refused(said: ConfirmSite, words: str) -> None:
    assert refused(STREAM, given(STREAM, REGISTERED), said) == (Reason.INVALID, words)


def test_cases_note_only_places_that_are_somebodys_and_they_survive_the_database() -> None:
    book = List().say(site("full"), case(1), site(places=2))
    kept = read_model(STREAM, book.state)["places"]
    assert [place.case for place in kept] == ["case-1"]
    assert [place_of(row) for row in json.loads(to_json(kept))] == list(kept)
    assert "places" not in read_model(STREAM, List().say(site(places=1)).state), "as rows of before anybody waited"


ACTS = st.one_of(
    st.tuples(st.just("site"), st.sampled_from((A, B)), st.sampled_from((None, 0, 1, 2, "full"))),
    st.tuples(st.just("case"), st.integers(0, 4), st.sampled_from(("wait", "take", "pass", "end", "urgent"))),
)


@drawn(st.lists(ACTS, max_size=25))
def test_no_place_is_two_cases_and_no_case_is_offered_two_places(acts: list[tuple[str, Any, Any]]) -> None:
    book = List()
    for said, (kind, who, what) in enumerate(acts, 1):
        if kind == "site":
            state, places = ("full", None) if what == "full" else ("open", what)
            book.say(site(state, places, who))
        else:
            own = next((place.id for place in book.places if place.wait == f"wait-{who}"), "")
            says: dict[str, dict[str, Any]] = {
                "take": {"takes": own},
                "pass": {"passed": (own,)},
                "end": {"ends": True},
            }
            more = says.get(what, {})
            book.say(case(who, said, days=who, urgent=what == "urgent", **more))
        open_ = {lease.centre for lease in read_model(STREAM, book.state).get("sites", ()) if lease.state == "open"}
        offered = [place for place in book.places if place.state == "offered"]
        assert len({place.wait for place in offered}) == len(offered), "one offer at a time for each case"
        assert all(place.centre in open_ for place in offered), "never at a closed door"
        assert all(bool(place.case) == (place.state != "free") for place in book.places)
        waits = {entry.wait for entry in book.state.waiting.entries}
        assert {place.wait for place in offered} <= waits
        free = [place for place in book.places if place.state == "free" and place.centre in open_]
        idle = [e for e in book.state.waiting.entries if e.wait not in {place.wait for place in offered}]
        assert not [
            (place, entry) for place in free for entry in idle
            if entry.centre in ("", place.centre) and entry.wait not in place.passed
        ], "no place lies free while somebody waits for it"  # fmt: skip

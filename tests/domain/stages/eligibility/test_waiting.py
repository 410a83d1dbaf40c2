"""Waiting for a place: the list hears what the case wants, an offer ends by itself, and what is held is given back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.catalogue.waiting.waiting_list import Place
from domain.core.errors import Reason
from domain.core.policy import Party
from domain.stages.eligibility.eligibility import DeclinePatient
from domain.stages.eligibility.submissions import ChooseCentre
from domain.stages.eligibility.waiting import (
    ConfirmWaiting,
    DeclinePlace,
    PlaceAwaited,
    PlaceOffered,
    PlacePassed,
    PlaceTaken,
    PlaceWithdrawn,
    StopWaiting,
    TakePlace,
    WaitForPlace,
    WaitingConfirmed,
    WaitingEnded,
    WaitingUrgencyChanged,
)
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.intake.inquiry import SetUrgency
from domain.stages.intake.people import AddPerson
from tests.domain.course import CENTRE, PROTOCOL, STEPS, patient, start, submission
from tests.domain.journey import DAY, HOUR, Journey, when
from tests.domain.refusals import No


def waiting(j: Journey) -> str:
    """The name under which the case waits."""
    return next(iter(j.case.waiting))


def wait(j: Journey) -> Journey:
    return j.tell(WaitForPlace(PROTOCOL, CENTRE))


def place(j: Journey, name: str = "place-1", state: Any = "offered", days: float = 3) -> Place:
    return Place(name, CENTRE, state, waiting(j), j.case.id, j.now + days * DAY, "longest", 3, 0)


def offered(j: Journey) -> Journey:
    wait(j)
    j.source(PROTOCOL, places=(place(j),))
    return j.look()


def rounds(j: Journey) -> list[str]:
    return [e.about.split("/")[1] for e in j.asked("tell_waiting_list") if e.state != "withdrawn"]


def test_a_case_waits_and_the_list_is_told() -> None:
    j = start("eligibility")
    when(j, WaitForPlace(PROTOCOL)).then_asks("tell_waiting_list")
    [event] = j.decided
    assert event == PlaceAwaited(waiting(j), PROTOCOL, "", j.case.urgent)
    assert PROTOCOL in set(j.case.sources), "the protocol is watched from now on"
    assert j.case.waiting[waiting(j)].since == j.now


def test_an_offer_is_noted_with_its_reasons_and_owed_until_it_ends() -> None:
    j = wait(start("eligibility"))
    j.source(PROTOCOL, places=(place(j), Place("place-2", CENTRE, "offered", "wait-of-another", "case-2", j.now + DAY)))
    j.look()
    told = [event for event in j.last if isinstance(event, PlaceOffered)]
    assert told == [PlaceOffered(waiting(j), "place-1", CENTRE, j.now + 3 * DAY, "longest", 3, 0)]
    owed = j.owed("place_offer")
    assert (owed.due, owed.debtor) == (j.now + 3 * DAY, Party.COORDINATOR)
    assert "case-2" not in str(j.case.noted(PROTOCOL)), "a case notes its own places only"


def test_the_family_takes_it_and_the_place_stays_theirs() -> None:
    j = offered(start("eligibility"))
    when(j, TakePlace(waiting(j), patient(j)))
    assert j.decided == [PlaceTaken(waiting(j), "place-1", patient(j))]
    assert [o.state for o in j.case.obligations.values() if o.kind == "place_offer"] == ["met"]
    j.source(PROTOCOL, places=(place(j, state="taken"),)).look()
    j.away(10 * DAY).look()
    assert j.case.waiting[waiting(j)].state == "taken"
    assert rounds(j)[-1] == "2"


def test_a_declined_place_is_not_offered_to_the_same_case_again() -> None:
    j = offered(start("eligibility"))
    when(j, DeclinePlace(waiting(j), "too far"))
    assert j.decided == [PlacePassed(waiting(j), "place-1", "declined", "too far")]
    j.look()
    assert j.case.waiting[waiting(j)].state == "waiting", (
        "its own list has not heard of it yet; nothing is offered anew"
    )
    j.source(PROTOCOL, places=(place(j, "place-2"),)).look()
    assert (j.case.waiting[waiting(j)].state, j.case.waiting[waiting(j)].place) == ("offered", "place-2")


def test_an_offer_lapses_by_itself_and_the_case_waits_on() -> None:
    j = offered(start("eligibility"))
    assert j.agenda.wake_at
    assert j.agenda.wake_at <= j.now + 3 * DAY
    j.away(3 * DAY).look()
    assert PlacePassed(waiting(j), "place-1", "lapsed") in j.last
    when(j, TakePlace(waiting(j), patient(j))).then_refused(Reason.NOT_NOW, "this waiting is waiting")


def states(j: Journey, kind: str) -> list[str]:
    return [o.state for o in j.case.obligations.values() if o.kind == kind]


def lapsed(j: Journey) -> Journey:
    return offered(j).away(3 * DAY).look()


def test_after_an_offer_that_nobody_answered_the_family_is_asked_whether_it_waits() -> None:
    j = offered(start("eligibility"))
    assert states(j, "still_waiting") == [], "an offer that stands is owed by itself"
    j.away(3 * DAY).look()
    assert states(j, "place_offer") == ["missed"], "nobody answered"
    owed = j.owed("still_waiting")
    assert (owed.debtor, owed.about) == (Party.COORDINATOR, f"{waiting(j)}/place-1")
    told = len(rounds(j))
    when(j, ConfirmWaiting(waiting(j), patient(j)))
    assert j.decided == [WaitingConfirmed(waiting(j), patient(j))]
    assert states(j, "still_waiting") == ["met"]
    assert len(rounds(j)) == told, "the list hears nothing new"


def test_two_offers_that_lapse_are_one_question_and_any_word_of_the_family_answers_it() -> None:
    words: list[Callable[[Journey], Any]] = [
        lambda j: TakePlace(waiting(j), patient(j)),
        lambda j: DeclinePlace(waiting(j), "too far"),
        lambda j: StopWaiting(waiting(j), "care at home"),
    ]
    for word in words:
        j = lapsed(start("eligibility"))
        j.source(PROTOCOL, places=(place(j, "place-2"),)).look().away(3 * DAY).look()
        asked = [o.about for o in j.case.obligations.values() if o.kind == "still_waiting"]
        assert asked == [f"{waiting(j)}/place-1"], "since the first silence"
        j.source(PROTOCOL, places=(place(j, "place-3"),)).look()
        when(j, word(j))
        assert not [o for o in j.case.obligations.values() if o.kind == "still_waiting" and o.state == "open"], word


def test_an_offer_that_is_declined_was_answered() -> None:
    j = offered(start("eligibility"))
    j.tell(DeclinePlace(waiting(j), "too far"))
    assert states(j, "place_offer") == ["met"]
    assert states(j, "still_waiting") == []


def test_control_whoever_leaves_in_silence_has_not_answered() -> None:
    j = lapsed(start("eligibility"))
    j.tell(LeaveJourney("declined"))
    assert states(j, "still_waiting") == ["withdrawn"]


def test_a_place_that_the_site_takes_back_is_gone() -> None:
    j = offered(start("eligibility"))
    j.tell(TakePlace(waiting(j), patient(j)))
    j.source(PROTOCOL, places=()).look()
    assert PlaceWithdrawn(waiting(j), "place-1") in j.last
    assert j.case.waiting[waiting(j)].state == "waiting"


def test_a_case_that_becomes_urgent_waits_as_urgent() -> None:
    j = wait(start("eligibility"))
    j.tell(SetUrgency(not j.case.urgent, "worse", "keep"))
    assert WaitingUrgencyChanged(waiting(j), j.case.urgent) in j.last
    assert rounds(j) == ["2"], "the list hears the newest word, and the older one is not sent any more"


def test_whoever_leaves_gives_the_place_back() -> None:
    j = offered(start("eligibility"))
    j.tell(TakePlace(waiting(j), patient(j)))
    j.tell(LeaveJourney("declined"))
    assert WaitingEnded(waiting(j), "left") in j.last
    assert any(e.kind == "tell_waiting_list" for e in j.agenda.effects)


def test_whoever_goes_on_elsewhere_waits_no_longer() -> None:
    j = wait(start("eligibility"))
    for step in ("chosen", "submitted", "acknowledged", "accepted"):
        STEPS[step](j)
    assert j.case.waiting[waiting(j)].live, "an acceptance is not a journey yet"
    for step in ("estimated", "quoted", "priced", "dose_held", "visa"):
        STEPS[step](j)
    assert j.case.waiting[waiting(j)].state == "ended"


def test_a_taken_place_whose_centre_declines_is_given_back() -> None:
    j = offered(start("eligibility"))
    j.tell(TakePlace(waiting(j), patient(j)))
    j.source(PROTOCOL, places=(place(j, state="taken"),)).look()
    for step in ("chosen", "submitted"):
        STEPS[step](j)
    j.tell(DeclinePatient(submission(j), "Dr Li", "criteria_not_met", "care at home"))
    assert WaitingEnded(waiting(j), "not_taken_up") in j.last


def test_a_refusal_of_before_the_offer_gives_nothing_back() -> None:
    j = start("eligibility")
    for step in ("chosen", "submitted"):
        STEPS[step](j)
    j.tell(DeclinePatient(submission(j), "Dr Li", "cohort_full", "wait for a place"))
    offered(j)
    j.tell(TakePlace(waiting(j), patient(j)))
    j.source(PROTOCOL, places=(place(j, state="taken"),)).look()
    assert j.case.waiting[waiting(j)].state == "taken"
    j.tell(ChooseCentre(CENTRE, PROTOCOL))
    assert j.case.waiting[waiting(j)].state == "taken"


def _two(j: Journey) -> None:
    """A place is taken, and another one offered."""
    offered(j)
    j.tell(TakePlace(waiting(j), patient(j)))
    j.source(PROTOCOL, places=(place(j, state="taken"),))
    j.source("protocol-b", open=True, open_until=j.now + 90 * DAY).tell(WaitForPlace("protocol-b"))
    second = list(j.case.waiting)[-1]
    j.source("protocol-b", places=(Place("place-9", "centre-b", "offered", second, j.case.id, j.now + DAY),)).look()


def _carer(j: Journey) -> None:
    offered(j)
    j.tell(AddPerson("carer", "X", "UTC", "en"))


REFUSALS = [
    No("eligibility", WaitForPlace("nct-1"), Reason.INVALID, "name a protocol, and a centre or none, by their streams"),
    No("eligibility", WaitForPlace("protocol-none"), Reason.NOT_FOUND, "no such protocol in the catalogue"),
    No(
        "eligibility",
        WaitForPlace(PROTOCOL),
        Reason.NOT_NOW,
        "the protocol is closed everywhere, or a draft; nobody can wait for a place there",
        lambda j: j.source(PROTOCOL, shut=True),
    ),
    No(
        "eligibility",
        WaitForPlace(PROTOCOL, "centre-b"),
        Reason.NOT_FOUND,
        "the protocol is not run at this centre",
        lambda j: j.source(PROTOCOL, centre=CENTRE),
    ),
    No(
        "eligibility",
        WaitForPlace(PROTOCOL),
        Reason.ALREADY,
        "the case waits for a place at this protocol",
        wait,
    ),
    No("eligibility", TakePlace("nothing", "x"), Reason.NOT_FOUND, "the case does not wait under this name"),
    No(
        "eligibility",
        lambda j: DeclinePlace(waiting(j)),
        Reason.NOT_NOW,
        "this waiting is waiting",
        wait,
    ),
    No(
        "eligibility",
        lambda j: ConfirmWaiting(waiting(j), patient(j)),
        Reason.ALREADY,
        "no offer went unanswered since the family last spoke",
        wait,
    ),
    No(
        "eligibility",
        lambda j: ConfirmWaiting(waiting(j), list(j.case.people)[-1]),
        Reason.NOT_ALLOWED,
        "only the patient or the legal representative decides",
        lambda j: lapsed(j).tell(AddPerson("carer", "X", "UTC", "en")),
    ),
    No(
        "eligibility",
        lambda j: TakePlace(waiting(j), list(j.case.people)[-1]),
        Reason.NOT_ALLOWED,
        "only the patient or the legal representative decides",
        _carer,
    ),
    No(
        "eligibility",
        lambda j: TakePlace(list(j.case.waiting)[-1], patient(j)),
        Reason.ALREADY,
        "the case holds another place; give that back first (StopWaiting)",
        _two,
    ),
]


def test_refusals() -> None:
    for no in REFUSALS:
        no.check()


def test_the_last_instant_of_an_offer_is_too_late() -> None:
    """Before time has brought the lapse itself: the command is decided on the case as it stood."""
    j = offered(start("eligibility"))
    when(j.away(3 * DAY - HOUR), TakePlace(waiting(j), patient(j)))
    assert j.refused is None
    late = offered(start("eligibility"))
    when(late.away(3 * DAY), TakePlace(waiting(late), patient(late))).then_refused(Reason.NOT_NOW, "this waiting is")


def test_control_a_place_of_another_case_is_none_of_ours() -> None:
    j = wait(start("eligibility"))
    j.source(PROTOCOL, places=(Place("place-1", CENTRE, "offered", waiting(j), "case-2", j.now + DAY),)).look()
    assert j.case.waiting[waiting(j)].state == "waiting"
    when(j, StopWaiting(waiting(j), "no more"))
    assert j.decided == [WaitingEnded(waiting(j), "stopped", "no more")]

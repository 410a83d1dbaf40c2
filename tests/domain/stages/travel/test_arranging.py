"""Arranging the stay: asked of somebody, agreed or refused, moved with the arrival, given back on leaving."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.case.phases.arrangements import ARRANGEMENT_KINDS, AskedOf, Slot
from domain.core.errors import Reason
from domain.core.policy import Party
from domain.stages.follow_up.closing import LeaveJourney, ReopenCase
from domain.stages.intake.people import WithdrawConsent
from domain.stages.travel.arrangement_answers import (
    ArrangementRefused,
    ChooseSlot,
    ConfirmArrangement,
    OfferSlots,
    RefuseArrangement,
    SlotsOffered,
)
from domain.stages.travel.arrangement_kinds import KINDS, SAYS, shifted
from domain.stages.travel.arranging import (
    ArrangementAsked,
    ArrangementAskedAgain,
    ArrangementLapsed,
    AskArrangement,
    AskArrangementAgain,
    CancelArrangement,
)
from domain.stages.treatment.arrival import MoveArrival
from domain.stages.treatment.slip import slip
from tests.domain.case.effect_scenes import leave_until
from tests.domain.course import CENTRE, patient, start, withdraw
from tests.domain.journey import DAY, HOUR, Journey, when
from tests.domain.refusals import No
from tests.domain.stages.travel.any_arrangement import any_asked
from tests.domain.stages.travel.arranged import (
    Lead,
    again,
    ask_admission,
    ask_interpreter,
    ask_lodging,
    cancelled,
    confirm_lodging,
    newest,
    offer,
    plan_another_day,
    refuse,
    times,
)


def lodging(**said: object) -> AskArrangement:
    return replace(AskArrangement("lodging"), **said)  # type: ignore[arg-type]


def owed(j: Journey) -> set[str]:
    return {o.kind for o in j.agenda.obligations}


def offers(j: Journey, *days: int) -> OfferSlots:
    """Times that begin and end so many days from now."""
    at = [j.now + n * DAY for n in days]
    return OfferSlots(newest(j).id, tuple(Slot(*pair) for pair in zip(at[::2], at[1::2], strict=True)))


def offered(after: timedelta | None = None) -> Lead:
    """Times were offered; with `after`, so long after the first one began."""

    def lead(j: Journey) -> None:
        ask_admission(j)
        offer(j)
        if after is not None:
            j.wait(until=newest(j).slots[0].starts + after)

    return lead


def first_slot(j: Journey) -> ChooseSlot:
    return ChooseSlot(newest(j).id, newest(j).slots[0].starts)


def ended(j: Journey) -> None:
    """The interpreter came for an hour, and that is over."""
    spoken = AskArrangement("interpreter", language_from="hi", language_to="zh", mode="phone")
    j.tell(replace(spoken, starts=j.now + HOUR, ends=j.now + 2 * HOUR))
    j.tell(ConfirmArrangement(newest(j).id)).away(3 * HOUR)


def told(j: Journey) -> ConfirmArrangement:
    """Yes, and nothing more."""
    return ConfirmArrangement(newest(j).id)


REFUSALS = (
    No("submitted", lodging(), Reason.NOT_NOW, "no centre has accepted"),
    No("invited", lodging(), Reason.MISSING, "no stay is planned (PlanStay)"),
    No("planned", lodging(flight="CA 7"), Reason.INVALID, "that says nothing about lodging: leave it out"),
    No("planned", AskArrangement("interpreter"), Reason.MISSING, "nobody can be asked for it without this"),
    No("planned", AskArrangement("visit", "agency"), Reason.INVALID, "visit is asked of: centre"),
    No("planned", AskArrangement("visit"), Reason.MISSING, "visit needs starts and ends: between them it is wanted"),
    No("planned", lodging(distance_km=-1), Reason.INVALID, "the way to the centre, 0 to 1000 km"),
    No("planned", lambda j: lodging(starts=j.now, ends=j.now), Reason.INVALID, "it ends after it starts"),
    No("planned", lambda j: lodging(starts=j.now - 2 * DAY, ends=j.now), Reason.INVALID, "that time is over"),
    No(
        "planned", lodging(), Reason.ALREADY, "lodging is arranged: ask for it again, or cancel it first", ask_lodging()
    ),
    No("planned", AskArrangementAgain("nothing"), Reason.NOT_FOUND, "nothing of that name was arranged"),
    No("planned", lambda j: AskArrangementAgain(newest(j).id), Reason.ALREADY, "it is asked for", ask_lodging()),
    No(
        "planned",
        told,
        Reason.INVALID,
        "lodging is agreed once this is told",
        ask_lodging(),
    ),
    No(
        "planned",
        told,
        Reason.INVALID,
        "an appointment is agreed for a time",
        ask_admission,
    ),
    No(
        "planned",
        lambda j: OfferSlots(newest(j).id, (Slot(j.now + DAY, j.now + 2 * DAY),)),
        Reason.INVALID,
        "times are offered for an appointment only",
        ask_lodging(),
    ),
    No("planned", lambda j: OfferSlots(newest(j).id, ()), Reason.INVALID, "at least one time", ask_admission),
    No("planned", lambda j: ChooseSlot(newest(j).id, j.now), Reason.NOT_NOW, "it is asked", ask_admission),
    No(
        "planned",
        lambda j: RefuseArrangement(newest(j).id, "other"),
        Reason.NOT_NOW,
        "it is cancelled",
        cancelled(),
    ),
    No(
        "arrived",
        lambda j: AskArrangement("visit", starts=j.now, ends=j.now + DAY),
        Reason.MISSING,
        "consent to share with this centre is not given",
        lambda j: j.tell(WithdrawConsent("cross_border", patient(j), CENTRE)),
    ),
    No("planned", lambda j: offers(j, 1, 1), Reason.INVALID, "a time ends after it starts", ask_admission),
    No("planned", lambda j: offers(j, -2, -1), Reason.INVALID, "a time that is offered lies ahead", ask_admission),
    No("planned", lambda j: offers(j, 1, 2, 1, 3), Reason.INVALID, "two times start together", ask_admission),
    No("planned", lambda j: ChooseSlot(newest(j).id, j.now), Reason.INVALID, "the centre offered: ", offered()),
    No("planned", first_slot, Reason.LAPSED, "that time has passed", offered(HOUR)),
    No("planned", lambda j: AskArrangementAgain(newest(j).id), Reason.NOT_NOW, "it is over; ask for", ended),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_lodging_is_wanted_for_the_planned_stay_and_asked_of_the_centre() -> None:
    j = start("planned")
    arrives = datetime.combine(j.case.stay_plan["arrives"], time(), UTC)
    when(j, lodging(distance_km=5, payer="family")).then_asks("arrange_service")
    asked = j.decided[0]
    assert isinstance(asked, ArrangementAsked)
    assert (asked.starts, asked.ends) == (arrives, arrives + 70 * DAY)
    assert (asked.centre, asked.arrives, asked.told) == (CENTRE, arrives.date(), ())
    assert j.owed("arrangement_answer").debtor is Party.HOSPITAL


def test_agreed_it_is_owed_by_nobody_and_keeps_what_was_told() -> None:
    j = start("planned")
    ask_lodging()(j)
    confirm_lodging(j)
    known = newest(j)
    assert (known.state, known.ref, known.place, known.distance_km) == ("confirmed", "L-7", "12 Garden Road", 2)
    assert known.told == {"place"}
    assert known.payer == "family"
    assert not {kind for kind in owed(j) if "arrangement" in kind}


def test_refused_another_is_owed_until_one_is_under_way() -> None:
    j = start("planned")
    ask_lodging()(j)
    when(j, RefuseArrangement(newest(j).id, "none_free")).then_told(ArrangementRefused(newest(j).id, "none_free"))
    assert "find_arrangement" in owed(j)
    j.tell(AskArrangement("lodging", "family"))
    assert "find_arrangement" not in owed(j)
    assert "family_arrangement" in owed(j)


@pytest.mark.parametrize(
    ("of", "kind", "effect"),
    [
        ("centre", "arrangement_answer", "arrange_service"),
        ("family", "family_arrangement", "ask_family_to_arrange"),
        ("agency", "outside_arrangement", None),
        ("lodging_house", "outside_arrangement", None),
    ],
)
def test_whoever_is_asked_owes_the_answer(of: AskedOf, kind: str, effect: str | None) -> None:
    j = start("planned")
    before = {e.kind for e in j.case.effects.values()}
    ask_lodging(of)(j)
    assert kind in owed(j)
    assert {e.kind for e in j.case.effects.values()} - before == ({effect} if effect else set())


def test_a_hospital_that_does_not_answer_is_reminded_then_a_coordinator_chases() -> None:
    j = start("planned")
    ask_lodging()(j)
    j.wait(until=j.owed("arrangement_answer").due)
    missed = next(o for o in j.case.obligations.values() if o.kind == "arrangement_answer")
    assert [e.kind for e in j.case.effects.values() if e.about.startswith(missed.id)] == ["remind", "escalate"]
    assert "chase" in owed(j)


def test_times_are_offered_one_is_chosen_and_the_centre_confirms_it() -> None:
    j = start("planned")
    ask_admission(j)
    offered = times(j)
    when(j, OfferSlots(newest(j).id, offered[::-1])).then_told(SlotsOffered(newest(j).id, offered))
    assert "slot_choice" in owed(j)
    chosen = offered[1]
    when(j, ChooseSlot(newest(j).id, chosen.starts)).then_asks("book_appointment")
    assert j.decided == [ArrangementAskedAgain(newest(j).id, chosen.starts, chosen.ends, newest(j).arrives, slot=True)]
    assert "appointment_answer" in owed(j)
    j.tell(ConfirmArrangement(newest(j).id, "A-1"))
    assert (newest(j).state, newest(j).starts, newest(j).ends) == ("confirmed", chosen.starts, chosen.ends)
    assert not owed(j) & {"slot_choice", "appointment_answer"}


def test_a_time_that_was_not_offered_is_refused_with_those_that_were() -> None:
    j = start("planned")
    ask_admission(j)
    offer(j)
    first = newest(j).slots[0].starts
    words = f"the centre offered: {first.isoformat()}"
    when(j, ChooseSlot(newest(j).id, first + HOUR)).then_refused(Reason.INVALID, words)


def test_offers_that_have_passed_lapse_by_themselves() -> None:
    j = start("planned")
    ask_admission(j)
    offer(j)
    last = newest(j).slots[-1].starts
    j.wait(until=last - HOUR)
    assert newest(j).state == "offered"
    j.wait(until=last)
    assert newest(j).state == "lapsed"
    assert "find_arrangement" in owed(j)


def test_what_nobody_answered_lapses_when_it_would_have_begun_and_what_is_agreed_is_over_at_its_end() -> None:
    j = start("planned")
    ask_lodging()(j)
    other = j.fork()
    j.wait(until=newest(j).starts)
    assert newest(j).state == "lapsed"
    confirm_lodging(other)
    ends = newest(other).ends
    other.wait(until=newest(other).starts)
    assert newest(other).state == "confirmed"
    other.wait(until=ends)
    assert newest(other).state == "over"
    assert any(isinstance(f.event, ArrangementLapsed) for f in other.facts)


def test_a_late_yes_still_counts() -> None:
    j = start("planned")
    ask_lodging()(j)
    j.wait(until=newest(j).starts)
    confirm_lodging(j)
    assert newest(j).state == "confirmed"
    assert "find_arrangement" not in owed(j)


def test_planned_for_another_day_it_is_owed_that_it_moves_too() -> None:
    j = start("planned")
    ask_lodging()(j)
    confirm_lodging(j)
    starts = newest(j).starts
    plan_another_day(j)
    assert "arrangement_day" in owed(j)
    again(j)
    assert newest(j).starts == starts + 3 * DAY
    assert (newest(j).state, newest(j).round) == ("asked", 2)
    assert newest(j).place == "12 Garden Road"
    assert "arrangement_day" not in owed(j)


def test_a_slip_names_each_arrangement_and_carries_it_out_for_the_new_day() -> None:
    j = start("planned")
    ask_lodging("family")(j)
    ask_interpreter(j)
    lodged, interpreted = j.case.arrangements.values()
    arrives = j.case.stay_plan["arrives"] + 9 * DAY
    lines = {line.step.name: line for line in slip(j.case, arrives, j.now, j.policy)}
    names = [f"lodging:{lodged.id}", f"interpreter:{interpreted.id}"]
    assert [name for name in lines if name.startswith(("lodging", "interpreter"))] == names
    assert [lines[name].to for name in names] == [Party.FAMILY, Party.HOSPITAL]
    j.tell(MoveArrival(arrives, (names[0],)))
    moved, left = j.case.arrangements.values()
    assert (moved.round, moved.starts, moved.arrives) == (2, lodged.starts + 9 * DAY, arrives)
    assert (left.round, left.starts) == (1, interpreted.starts)
    assert [o.about for o in j.all_owed("arrangement_day")] == [left.about]


def test_on_leaving_each_is_given_back_by_whoever_was_asked_once_scarce_things_are() -> None:
    j = start("planned")
    for of in ("centre", "family", "agency"):
        j.tell(AskArrangement("interpreter", of, language_from="hi", language_to="zh", mode="present"))
    j.tell(LeaveJourney("declined"))
    kinds = ("cancel_arrangement", "cancel_family_arrangement", "cancel_outside_arrangement")
    assert not [e for e in j.agenda.effects if e.kind in kinds]
    earlier = start("planned")
    leave_until("cancel_arrangement")(earlier)
    while any(e.kind not in kinds for e in j.agenda.effects):
        j.deliver(*{e.kind for e in j.agenda.effects} - {*kinds, "tell_family_of_exit", "cancel_travel"})
        if [e for e in j.agenda.effects if e.kind in kinds]:
            break
    asked = {e.kind: e.about for e in j.agenda.effects if e.kind in kinds}
    assert list(asked.values()) == [a.about for a in j.case.arrangements.values()]
    j.deliver(*kinds)
    assert {a.state for a in j.case.arrangements.values()} == {"cancelled"}
    j.tell(ReopenCase("they came back"))
    assert {a.state for a in j.case.arrangements.values()} == {"cancelled"}


def test_another_centre_means_other_arrangements() -> None:
    j = start("planned")
    ask_lodging()(j)
    withdraw(j)
    assert newest(j).state == "cancelled"
    assert not j.asked("cancel_arrangement")  # what is scarce is given back first
    j.deliver()
    j.deliver()
    assert j.asked("cancel_arrangement")


def test_a_refusal_after_the_yes_counts() -> None:
    j = start("planned")
    ask_lodging()(j)
    confirm_lodging(j)
    refuse(j)
    assert newest(j).state == "refused"
    assert "find_arrangement" in owed(j)


def test_cancelled_it_may_be_asked_for_again_and_nothing_is_cancelled_twice() -> None:
    j = start("planned")
    ask_lodging()(j)
    when(j, CancelArrangement(newest(j).id, "found_elsewhere")).then_asks("cancel_arrangement")
    again(j)
    assert newest(j).state == "asked"
    assert not [e for e in j.agenda.effects if e.kind == "cancel_arrangement"]


def test_every_kind_says_only_what_a_command_can_say() -> None:
    assert set(KINDS) == set(ARRANGEMENT_KINDS)
    for row in KINDS.values():
        assert row.needs | row.known <= row.says <= SAYS


@given(n=st.integers(0, 200), days=st.integers(-20, 60))
def test_moved_there_and_back_it_is_wanted_when_it_was(n: int, days: int) -> None:
    j = start("planned")
    command = any_asked(j, n)
    j.tried(command)
    if j.refused:
        return
    known = newest(j)
    arrives = j.case.stay_plan["arrives"]
    there, until = shifted(known, arrives + days * DAY)
    assert until - there >= known.ends - known.starts
    if known.arrives:
        moved = replace(known, starts=there, ends=until, arrives=arrives + days * DAY)
        assert shifted(moved, arrives)[0] == known.starts
    else:
        assert there == known.starts


def test_what_is_asked_for_when_it_has_begun_can_be_answered_until_its_end() -> None:
    """It lapsed in the very step it was asked in, so that a family that is there could ask for nothing."""
    j = start("admission")
    j.away(7 * DAY).look()
    j.tell(AskArrangement("lodging", "centre", distance_km=5, payer="family")).look()
    assert newest(j).starts < j.now < newest(j).ends
    assert newest(j).state == "asked"
    j.away(2 * DAY).look()
    confirm_lodging(j)
    assert newest(j).state == "confirmed"

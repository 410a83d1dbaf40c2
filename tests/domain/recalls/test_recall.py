"""A recall: lots stopped, hospitals asked, chased until each has acknowledged, over only then; drills stop nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.core.errors import Reason, Refused
from domain.core.fact import Fact
from domain.core.when import When
from domain.recalls import following
from domain.recalls.following import Reached
from domain.recalls.recall import (
    AcknowledgeRecall,
    OpenRecall,
    Recall,
    RecallCentreReached,
    RecallEnded,
    RecallLotReached,
    RecallOpened,
    UnitAccounted,
    decide,
    evolve,
)
from domain.stages.anytime.outcomes import RecordOutcome
from infra.policy.reading import load_policy
from tests.domain.catalogue.steps import NOW

HOUR = timedelta(hours=1)
POLICY = load_policy()
REACHED = Reached(("lot-a", "lot-b"), {"centre-x": ("case-1", "case-2"), "centre-y": ("case-3",)})


@dataclass
class Play:
    """One recall, told and looked at; `reached` is what the genealogy says."""

    reached: Reached = REACHED
    now: datetime = NOW
    recall: Recall = field(default_factory=lambda: Recall("recall-1"))
    events: list[Any] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def ids(self) -> str:
        return f"n{next(self.numbers)}"

    def _take(self, events: Sequence[Any]) -> None:
        for event in events:
            number = self.recall.version + 1
            self.recall = evolve(
                self.recall, Fact(event, f"f{number}", number, self.now, When.at(self.now), "person-q")
            )
            self.events.append(event)

    def tell(self, command: Any) -> Play:
        self._take(decide(self.recall, command, self.now, self.ids, POLICY))
        return self.look()

    def look(self) -> Play:
        new = following.advance(self.recall, self.reached, self.now, self.ids, POLICY)
        self._take([draft.event for draft in new])
        assert following.advance(self.recall, self.reached, self.now, self.ids, POLICY) == [], (
            "a second look adds nothing"
        )
        return self

    def after(self, passed: timedelta) -> Play:
        self.now += passed
        return self.look()

    def delivered(self, *kinds: str) -> Play:
        for e in list(self.recall.effects.values()):
            if e.kind in kinds and e.state == "requested":
                self.tell(RecordOutcome(e.id, 1, "delivered", "r"))
        return self

    def refused(self, command: Any) -> tuple[Reason, str | None]:
        with pytest.raises(Refused) as caught:
            self.tell(command)
        return caught.value.reason, caught.value.field

    def asked(self, kind: str) -> list[str]:
        return [e.about for e in self.recall.effects.values() if e.kind == kind and e.state != "withdrawn"]


def opened(*, drill: bool = False, reached: Reached = REACHED) -> Play:
    return Play(reached).tell(OpenRecall("material-v", "defect", drill))


def acknowledge(centre: str) -> AcknowledgeRecall:
    return AcknowledgeRecall(centre, "Dr Wu", "kept apart")


def test_opening_reaches_every_lot_and_hospital_in_the_same_append() -> None:
    play = opened()
    assert play.events[:5] == [
        RecallOpened("material-v", "defect", drill=False),
        RecallLotReached("lot-a"),
        RecallLotReached("lot-b"),
        RecallCentreReached("centre-x", ("case-1", "case-2")),
        RecallCentreReached("centre-y", ("case-3",)),
    ]
    assert play.asked("stop_lot") == ["lot-a", "lot-b"]
    assert play.asked("ask_acknowledgement") == ["centre-x/2", "centre-y/1"]
    assert [(o.about, o.due - NOW) for o in play.recall.obligations.values()] == [
        ("centre-x", 24 * HOUR),
        ("centre-y", 24 * HOUR),
    ]


def test_it_ends_only_when_every_lot_is_stopped_and_all_have_acknowledged() -> None:
    play = opened().tell(acknowledge("centre-x"))
    assert (play.recall.waiting, play.recall.over) == (["centre-y"], False)
    play.tell(acknowledge("centre-y"))
    assert (play.recall.waiting, play.recall.over) == ([], False)
    play.delivered("stop_lot")
    assert play.recall.over
    assert play.events[-1] == RecallEnded()
    assert {o.state for o in play.recall.obligations.values()} == {"met"}
    assert following.ended(play.recall)
    assert following.wake_at(play.recall, play.now) == play.now + HOUR, "looked at again for what is found later"


def found_after_the_end(*, drill: bool) -> Play:
    play = opened(drill=drill, reached=Reached(("lot-a",))).delivered("stop_lot")
    assert play.recall.over
    play.reached = Reached(("lot-a", "lot-b"), {"centre-x": ("case-1",)})
    return play.after(HOUR)


def test_what_is_found_after_the_end_is_recalled_too() -> None:
    play = found_after_the_end(drill=False)
    assert (play.recall.over, play.recall.waiting) == (False, ["centre-x"])
    assert play.asked("stop_lot") == ["lot-a", "lot-b"]


def test_a_drill_is_not_taken_up_again() -> None:
    play = found_after_the_end(drill=True)
    assert (play.recall.over, play.recall.waiting, play.asked("stop_lot")) == (True, [], [])
    assert following.wake_at(play.recall, play.now) is None


def test_a_hospital_that_stays_silent_is_chased_without_end() -> None:
    play = opened().tell(acknowledge("centre-x")).delivered("stop_lot", "ask_acknowledgement")
    play.after(4 * HOUR)
    assert len(play.asked("remind_acknowledgement")) == 1
    play.after(8 * HOUR)
    assert len(play.asked("escalate_acknowledgement")) == 1
    play.after(12 * HOUR)
    states = [o.state for o in play.recall.obligations.values() if o.about == "centre-y"]
    assert states == ["missed", "open"]
    assert not play.recall.over
    play.after(240 * HOUR).tell(acknowledge("centre-y"))
    assert play.recall.over


def test_what_was_still_to_be_sent_is_not_once_they_answered() -> None:
    play = opened()
    play.after(4 * HOUR).tell(acknowledge("centre-y"))
    states = {e.about: e.state for e in play.recall.effects.values() if e.kind == "ask_acknowledgement"}
    assert states == {"centre-x/2": "requested", "centre-y/1": "delivered"}
    reminded = [e for e in play.recall.effects.values() if e.kind == "remind_acknowledgement"]
    assert sorted((following.centre_of(play.recall, e), e.state) for e in reminded) == [
        ("centre-x", "requested"),
        ("centre-y", "withdrawn"),
    ]


def test_a_drill_stops_nothing_and_asks_all_the_same() -> None:
    play = opened(drill=True)
    assert play.asked("stop_lot") == []
    assert len(play.asked("ask_acknowledgement")) == 2
    play.tell(acknowledge("centre-x")).tell(acknowledge("centre-y"))
    assert play.recall.over


def test_what_is_found_later_is_reached_too_and_a_hospital_with_another_patient_asked_again() -> None:
    play = opened().tell(acknowledge("centre-x"))
    play.reached = Reached(
        (*REACHED.lots, "lot-c"), {"centre-x": ("case-1", "case-2", "case-9"), "centre-y": ("case-3",)}
    )
    play.look()
    assert "lot-c" in play.asked("stop_lot")
    assert play.recall.waiting == ["centre-x", "centre-y"]
    assert play.asked("ask_acknowledgement") == ["centre-x/2", "centre-y/1", "centre-x/3"]


WITH_UNITS = replace(REACHED, units={"centre-x": ("lot-a u1", "lot-a u2"), "centre-y": ("lot-b u1",)})


def test_another_unit_of_a_known_patient_asks_its_hospital_again() -> None:
    play = opened(reached=WITH_UNITS).tell(acknowledge("centre-x"))
    play.look()
    assert play.recall.waiting == ["centre-y"], "the control: nothing new"
    more = {**WITH_UNITS.units, "centre-x": ("lot-a u1", "lot-a u2", "lot-c u1")}
    play.reached = replace(WITH_UNITS, lots=(*REACHED.lots, "lot-c"), units=more)
    play.look()
    assert play.recall.waiting == ["centre-x", "centre-y"]
    assert play.asked("ask_acknowledgement") == ["centre-x/4", "centre-y/2", "centre-x/5"]
    play.reached = WITH_UNITS
    play.tell(acknowledge("centre-x")).look()
    assert play.recall.waiting == ["centre-y"], "what is no longer found asks nobody"


def test_whom_a_recall_reached_before_units_were_noted_is_not_asked_for_all_of_them_again() -> None:
    play = opened().tell(acknowledge("centre-x"))
    play.reached = WITH_UNITS
    play.look()
    assert play.recall.waiting == ["centre-y"]


def test_without_a_patient_it_ends_when_the_lots_are_stopped() -> None:
    play = opened(reached=Reached(("lot-a",), {}))
    assert not play.recall.over
    assert play.delivered("stop_lot").recall.over


def test_bad_words_are_named() -> None:
    play = opened()
    assert play.refused(OpenRecall("material-v", "again")) == (Reason.ALREADY, None)
    assert play.refused(acknowledge("centre-z")) == (Reason.NOT_FOUND, "centre")
    assert play.refused(replace(acknowledge("centre-x"), said_by="")) == (Reason.INVALID, "said_by")
    assert play.tell(acknowledge("centre-x")).refused(acknowledge("centre-x")) == (Reason.ALREADY, "centre")
    assert Play().refused(acknowledge("centre-x")) == (Reason.NOT_FOUND, None)
    assert Play().refused(OpenRecall("material-v", "")) == (Reason.INVALID, "reason")


steps = st.lists(st.sampled_from(["ack-x", "ack-y", "stop", "send", "hour", "day", "more"]), max_size=25)


@given(steps, st.booleans())
def test_whatever_happens_it_is_never_over_while_anybody_or_any_lot_is_open(words: list[str], drill: bool) -> None:
    play = opened(drill=drill)
    for word in words:
        before = play.recall.over
        if word.startswith("ack") and f"centre-{word[-1]}" in play.recall.waiting:
            play.tell(acknowledge(f"centre-{word[-1]}"))
        elif word in ("stop", "send"):
            play.delivered(*(("stop_lot",) if word == "stop" else ("ask_acknowledgement", "remind_acknowledgement")))
        elif word in ("hour", "day"):
            play.after(HOUR if word == "hour" else 24 * HOUR)
        elif word == "more":
            play.reached = replace(REACHED, lots=(*REACHED.lots, f"lot-{len(play.events)}"))
            play.look()
        done = not play.recall.waiting and all(play.recall.stopped(lot) for lot in play.recall.lots)
        assert play.recall.over == ((drill and before) or done)
        open_for = [o.about for o in play.recall.obligations.values() if o.state == "open"]
        assert sorted(open_for) == list(play.recall.waiting), "each silent hospital owes exactly one answer"
        assert following.ended(play.recall) or following.wake_at(play.recall, play.now) is not None


def test_a_hospital_says_what_was_done_with_each_unit() -> None:
    play = opened()
    told = (UnitAccounted("lot-a", "u1", "infused"), UnitAccounted("lot-b", "u2", "kept_apart"))
    play.tell(AcknowledgeRecall("centre-x", "Dr Wu", "seen", told))
    own = play.recall.hospitals["centre-x"]
    assert own.fates == {("lot-a", "u1"): "infused", ("lot-b", "u2"): "kept_apart"}
    assert own.note == "seen"


@pytest.mark.parametrize(
    "units",
    [
        (UnitAccounted("lot-else", "u1", "infused"),),
        (UnitAccounted("lot-a", " ", "infused"),),
        (UnitAccounted("lot-a", "u1", "infused"), UnitAccounted("lot-a", "U 1", "destroyed")),
    ],
)
def test_a_unit_that_cannot_be_meant_is_refused(units: tuple[UnitAccounted, ...]) -> None:
    assert opened().refused(AcknowledgeRecall("centre-x", "Dr Wu", "", units)) == (Reason.INVALID, "units")


def test_another_patient_opens_the_question_again_and_what_was_said_stays() -> None:
    play = opened()
    play.tell(AcknowledgeRecall("centre-x", "Dr Wu", "", (UnitAccounted("lot-a", "u1", "sent_back"),)))
    play.reached = Reached(REACHED.lots, {**REACHED.centres, "centre-x": ("case-1", "case-2", "case-9")})
    own = play.look().recall.hospitals["centre-x"]
    assert (own.acknowledged, own.fates) == ("", {("lot-a", "u1"): "sent_back"})
    play.tell(AcknowledgeRecall("centre-x", "Dr Wu", "", (UnitAccounted("lot-a", "u1", "destroyed"),)))
    assert play.recall.hospitals["centre-x"].fates == {("lot-a", "u1"): "destroyed"}, "the newest word counts"

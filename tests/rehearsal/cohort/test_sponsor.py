"""Whoever plays sponsor and committee keeps a trial's cohorts going: nobody waits for ever, no rule is broken."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from domain.catalogue.protocol import Protocol
from domain.catalogue.protocols.cohorts import TellCohort
from domain.catalogue.protocols.seats import seats
from domain.catalogue.streams import fold
from rehearsal.cohort.sponsor import ESCALATING, MADE_UP, next_word, with_levels
from rehearsal.courses.known import catalogued
from tests.domain.catalogue.steps import NOW, fact, when

KNOWN = next(one.command for one in catalogued().protocols if one.stream == ESCALATING)


class Played:
    """A trial week after week: a patient asks every second one, is infused when it may be, some have a toxicity."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now, self.heard, self.events = NOW, 0, list(when(ESCALATING, fold(ESCALATING, []), with_levels(KNOWN)))

    @property
    def trial(self) -> Protocol:
        state = fold(ESCALATING, [fact(event, n) for n, event in enumerate(self.events, 1)])
        assert isinstance(state, Protocol)
        return state

    def tell(self, command: Any) -> None:
        self.events += when(ESCALATING, self.trial, command, self.now)

    def week(self, number: int, *, asks: bool) -> None:
        self.now += timedelta(days=7)
        today = self.now.date()
        word = next_word(self.trial, today, self.chance)
        if word is not None:
            self.tell(word)
        if asks:
            self.say(f"case-{number}")
        trial = self.trial
        for seat in seats(trial.cohorts, trial.escalation):
            if seat.state == "enrolled":
                self.say(seat.case, ready=True)
            elif seat.state == "ready" and not (seat.ahead or seat.held) and (seat.not_before or today) <= today:
                harmed = (today,) if self.chance.random() < 0.1 else ()
                self.say(seat.case, infused=today, limiting=harmed)

    def say(self, case: str, **stands: Any) -> None:
        self.heard += 1
        self.tell(TellCohort(case, self.heard, **stands))


@pytest.mark.parametrize("seed", range(6))
def test_everybody_who_asked_is_infused_in_the_end_whatever_harm_there_was(seed: int) -> None:
    played = Played(seed)
    for number in range(60):
        played.week(number, asks=number % 2 == 0 and number < 30)
    book = played.trial.cohorts
    states = [one.state for one in book.subjects]
    stopped_at_the_bottom = book.current is not None and book.current.stopped and book.current.level == "DL1"
    assert set(states) == {"infused"} or stopped_at_the_bottom
    assert len(states) == 15


def test_the_control_without_a_sponsor_nobody_is_infused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.rehearsal.cohort.test_sponsor.next_word", lambda *_: None)
    played = Played(1)
    for number in range(8):
        played.week(number, asks=True)
    assert {one.state for one in played.trial.cohorts.subjects} == {"waiting"}


def test_what_is_made_up_is_said_in_the_source() -> None:
    assert with_levels(KNOWN).source == f"{KNOWN.source} | {MADE_UP}"
    assert KNOWN.escalation is None

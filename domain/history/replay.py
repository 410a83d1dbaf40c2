"""Goes through a history as it was made: append by append, each with the instant it was computed for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from domain.core.fact import Fact

Facts = Sequence[Fact[Any]]
NOTED = "source_changed"
"""The rule that writes down what others told: an input, kept as it is."""
DIGITS = 9


def turns(facts: Facts) -> Iterator[Facts]:
    """Yield what was appended together: at one instant, by one actor, computed for one instant."""
    turn: list[Fact[Any]] = []
    now: datetime | None = None
    for fact in facts:
        its = fact.why.computed_for if fact.why else now
        if turn and ((fact.at, fact.actor) != (turn[0].at, turn[0].actor) or now not in (None, its)):
            yield turn
            turn = []
        turn.append(fact)
        now = its if turn[1:] or fact.why else None
    if turn:
        yield turn


def computed_for(turn: Facts) -> datetime:
    """Return the instant the rules of a turn were given; where none spoke, that of recording."""
    return next((fact.why.computed_for for fact in turn if fact.why), turn[0].at)


def automatic(fact: Fact[Any]) -> bool:
    """Return whether a rule brought the fact, so that replaying the rules brings it again."""
    return fact.why is not None and fact.why.rule != NOTED


def name_within(text: str, mark: str) -> str:
    """Return the fresh name a text holds, which begins with `mark` and has nine digits; empty where there is none."""
    start = text.find(mark)
    return text[start : start + len(mark) + DIGITS] if start >= 0 else ""


def fresh_name(mark: str, number: int) -> str:
    """Return a name that no recorded id is like."""
    return f"{mark}{number:0{DIGITS}d}"

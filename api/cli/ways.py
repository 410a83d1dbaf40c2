"""Says the ways of the catalogue on a terminal, each with what its rank rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.cli.outcome import say


def standing_by(one: Mapping[str, Any], result: str) -> str:
    """Return the checks of a way that stand so, each with what it is about."""
    stand = [(c["name"], ", ".join(c["about"])) for c in one["checks"] if c["result"] == result]
    return "; ".join(f"{name}: {about}" if about else name for name, about in stand)


def days_to_dose(one: Mapping[str, Any]) -> str:
    """Return the days to a first dose by a way, with the parts that are not known."""
    time = one["first_dose"]
    days = f"{time['least_days']} to {time['known_most_days']} days"
    return f"{days} and what is not known: {', '.join(time['unknown'])}" if time["unknown"] else days


def say_ways(answer: Mapping[str, Any]) -> None:
    """Say the next ways of an answer with their reasons, and how one is chosen; nothing where it names none."""
    for one in answer.get("next_ways", ()):
        say(f"a way not tried yet: {one['protocol']} at {one['centre']}, rank {one['rank']} of {one['ranked']}")
        say(f"  first dose: {days_to_dose(one)}")
        for result, words in (("yes", "for it"), ("unknown", "not known"), ("no", "against it")):
            if said := standing_by(one, result):
                say(f"  {words}: {said}")
    if answer.get("next_ways") == []:
        say("no way is left that nothing excludes and that was not tried")

"""The one table of a unit's states: which event leads from which state to which. Nothing else moves a unit.

A unit that is stopped is nobody's, and is held for nobody until quality assurance has decided [doses.excursion]. One
that was committed may have left its storage: it is set aside, and goes back to stock only when it is settled. One that
is known to have left never goes back: it is its patient's, or it is destroyed [doses.custody].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

UnitState = Literal["free", "held", "committed", "on_the_way", "arrived", "used", "set_aside", "destroyed"]
Moves = Mapping[UnitState, UnitState]

MOVES: Mapping[str, Moves] = {
    "UnitHeld": {"free": "held", "held": "held"},
    "HoldExtended": {"held": "held"},
    "UnitFreed": {"held": "free"},
    "UnitCommitted": {"held": "committed"},
    "UnitLeft": {"free": "on_the_way", "held": "on_the_way", "committed": "on_the_way", "set_aside": "set_aside"},
    "UnitArrived": {"on_the_way": "arrived", "set_aside": "set_aside"},
    "UnitUsed": {"committed": "used", "on_the_way": "used", "arrived": "used", "set_aside": "used", "free": "used"},
    "ThawedUnitDestroyed": {
        "free": "destroyed",
        "held": "destroyed",
        "committed": "destroyed",
        "on_the_way": "destroyed",
        "arrived": "destroyed",
        "set_aside": "destroyed",
    },
    "UnitSetAside": {"committed": "set_aside", "on_the_way": "set_aside", "arrived": "set_aside"},
    "UnitSettled returned": {"committed": "free", "set_aside": "free"},
    "UnitSettled destroyed": {
        "committed": "destroyed",
        "on_the_way": "destroyed",
        "arrived": "destroyed",
        "set_aside": "destroyed",
    },
    "UnitStopped": {
        "free": "free",
        "held": "free",
        "committed": "set_aside",
        "on_the_way": "on_the_way",
        "arrived": "arrived",
        "set_aside": "set_aside",
        "used": "used",
    },
    "UnitStoppedOnWay": {
        "on_the_way": "on_the_way",
        "arrived": "arrived",
        "set_aside": "set_aside",
        "used": "used",
    },
    "UnitDiscarded": {
        "free": "destroyed",
        "held": "destroyed",
        "committed": "destroyed",
        "on_the_way": "destroyed",
        "arrived": "destroyed",
        "set_aside": "destroyed",
    },
}
"""Event, with its outcome where it has several → state before → state after. A unit whose hold has ended is free."""
KEPT: frozenset[UnitState] = frozenset({"committed", "on_the_way", "arrived"})
"""Whose a unit is in these states does not end by itself."""
OVER: frozenset[UnitState] = frozenset({"used", "destroyed"})
"""No event leads out of these; a used unit can still be stopped, so that its patient's case hears of it."""


def may(state: UnitState, event: str) -> bool:
    """Return whether an event can happen to a unit in that state."""
    return state in MOVES[event]


def after(state: UnitState, event: str) -> UnitState:
    """Return the state after an event; what was recorded although the table has no such move leaves it as it was."""
    return MOVES[event].get(state, state)

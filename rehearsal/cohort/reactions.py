"""What people do about what they owe: a pure table, kind of obligation → the next command, None = nothing yet.

The simulated hospitals answer by themselves where an effect asks them; here is what staff, families, doctors at home,
consulates and bedsides do, and what a coordinator is told on the phone when an answer had to be chased.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain.core.fact import Command
from rehearsal.cohort.reactions_before_travel import AT_HOME
from rehearsal.cohort.reactions_in_treatment import OVER_THERE
from rehearsal.cohort.situation import React, Situation

REACTIONS: Mapping[str, React] = {**AT_HOME, **OVER_THERE}
"""Every kind that is ever owed, but the owner of a case, who is there from the start, and a day 0 told too late."""


def next_command(kind: str, s: Situation) -> Command | None:
    """Choose what is said next about an obligation of that kind."""
    found = REACTIONS.get(kind)
    return found(s) if found else None

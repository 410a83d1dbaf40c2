"""Says what people do about what they owe: kind of obligation → the next command, None = nothing yet.

The simulated hospitals answer by themselves where an effect asks them; here is what staff, families, doctors at home,
consulates and bedsides do, and what a coordinator is told on the phone when an answer had to be chased.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime

from domain.case.obligation import Obligation
from domain.case.state import Case
from domain.core.about import chased
from domain.core.fact import Command
from rehearsal.cohort.families import Family
from rehearsal.cohort.reactions_before_travel import BEFORE_TRAVEL
from rehearsal.cohort.reactions_in_treatment import IN_TREATMENT
from rehearsal.cohort.sending import SENDING
from rehearsal.cohort.situation import React, Situation

REACTIONS: Mapping[str, React] = {**BEFORE_TRAVEL, **IN_TREATMENT, **SENDING}
"""Every kind that is ever owed, but the owner of a case, who is there from the start, and a day 0 told too late."""


def next_command(owed: Obligation, case: Case, family: Family, chance: random.Random, now: datetime) -> Command | None:
    """Choose what is said next about what is owed; about what is chased, as about what was owed before."""
    again = owed.kind in ("chase", "chase_again")
    kind, about = chased(owed.about) if again else (owed.kind, owed.about)
    react = REACTIONS.get(kind)
    return react(Situation(case, about, family, chance, now, again)) if react else None

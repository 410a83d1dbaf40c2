"""Choosing [S3]: several centres may accept; each stands with its own end until the family takes one.

With one acceptance and nobody else asked there is nothing to choose [eligibility.choice].
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Need, Owes, Takes, Wants
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical
from domain.core.policy import Party, Policy
from domain.stages.eligibility.submissions import require_submission, standing
from domain.stages.intake.people import require_decider


@dataclass(frozen=True, slots=True)
class ChooseAcceptance:
    """The family takes one centre's acceptance; `person` is the patient or the legal representative who said so."""

    submission: str
    person: str
    reason: Clinical = ""
    type: Literal["ChooseAcceptance"] = "ChooseAcceptance"


Command = ChooseAcceptance


@dataclass(frozen=True, slots=True)
class AcceptanceChosen:
    """The family chose among the centres that accepted; every other request ends with this."""

    submission: str
    person: str
    reason: Clinical
    type: Literal["AcceptanceChosen"] = "AcceptanceChosen"


Event = AcceptanceChosen

TAKES = (Takes(ChooseAcceptance, (AcceptanceChosen,), at=stages(Stage.ELIGIBILITY), settles=("acceptance_choice",)),)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Take the family's word. Raises Refused where that acceptance has ended or nothing is left to choose."""
    known = require_submission(case, command.submission, "accepted")
    require(case.accepted is None, Reason.ALREADY, "the journey goes on with an acceptance already", "submission")
    require_decider(case, command.person, now)
    ended = known.valid_until is None or known.valid_until <= now
    require(not ended, Reason.LAPSED, "this acceptance has ended; ask the centre to confirm it", "submission")
    words = "the patient's condition changed since this acceptance; its centre has not reviewed the case again"
    require(not (case.progressed or known.unseen), Reason.LAPSED, words, "submission")
    return [AcceptanceChosen(command.submission, command.person, command.reason)]


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold the choice."""
    return replace(case, chosen=fact.event.submission)


def undecided(case: Case) -> Iterable[str]:
    """Return the acceptance a choice opened with, while the family has one: acceptances stand, and none is taken."""
    open_choice = case.stage is Stage.ELIGIBILITY and case.accepted is None and standing(case, "accepted")
    return [case.offered] if open_choice else []


NEEDS = (
    Need(
        "the family's choice among the acceptances",
        lambda c, _: not undecided(c),
        waivable=False,
        rests_on=("AcceptanceChosen",),
    ),
)

OWES = (
    Owes(
        "acceptance_choice",
        Party.FAMILY,
        Party.COORDINATOR,
        undecided,
        lambda c, _: c.accepted is not None,
    ),
)

WANTS = (
    Wants(
        "tell_family_of_acceptances", Party.FAMILY, undecided, lambda c, _: c.accepted is not None and bool(c.chosen)
    ),
)

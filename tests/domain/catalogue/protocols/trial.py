"""A trial's stream as commands come in, for the tests of its cohorts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from domain.catalogue.protocol import AmendProtocol, Protocol, ProtocolRegistered
from domain.catalogue.protocols.cohorts import (
    CohortOpened,
    OpenCohort,
    SubjectHeard,
    TellCohort,
)
from domain.catalogue.protocols.escalation import DoseLevel, Escalation
from domain.catalogue.protocols.seats import Seat, seats
from domain.catalogue.streams import fold
from domain.criteria.dosing import CellDose
from tests.domain.catalogue.steps import NOW, fact, when
from tests.domain.catalogue.test_protocol import FIELDS, STREAM

TODAY = NOW.date()
LOW = DoseLevel(name="1", doses=(CellDose(least=1_000_000, most=1_000_000, per_kg=True),), cohort=2, most=3)
HIGH = DoseLevel(name="2", cohort=2)
PLAN = Escalation(levels=(LOW, HIGH), between_days=14, after_first_days=28, toxicity_days=28)
REGISTERED = ProtocolRegistered(**FIELDS, escalation=PLAN)
OPEN = OpenCohort("1", "start", "letter 1", TODAY)
OPENED = CohortOpened(1, "1", 2, "start", "letter 1", TODAY)


def days(number: int) -> timedelta:
    return timedelta(days=number)


class Trial:
    """A trial's stream as commands come in, one after another."""

    def __init__(self, plan: Escalation = PLAN) -> None:
        self.events: list[Any] = [ProtocolRegistered(**FIELDS, escalation=plan)]
        self.rounds = 0
        self.now = NOW

    @property
    def state(self) -> Protocol:
        state = fold(STREAM, [fact(event, n) for n, event in enumerate(self.events, 1)])
        assert isinstance(state, Protocol)
        return state

    def tell(self, command: Any) -> list[Any]:
        told = list(when(STREAM, self.state, command, self.now))
        self.events += told
        return told

    def case(self, case: str, **stands: Any) -> list[Any]:
        """What a case says of itself, as new as can be; without the note that it was heard."""
        self.rounds += 1
        told = self.tell(TellCohort(case, self.rounds, **stands))
        return [event for event in told if not isinstance(event, SubjectHeard)]

    def cohort(self, level: str = "1") -> list[Any]:
        return self.tell(OpenCohort(level, "as planned", "letter", self.now.date()))

    def seat(self, case: str) -> Seat:
        return next(one for one in seats(self.state.cohorts, self.state.escalation) if one.case == case)


def opened(*cases: str) -> Trial:
    trial = Trial()
    trial.cohort()
    for case in cases:
        trial.case(case)
    return trial


def amended(trial: Trial, plan: Escalation | None) -> list[Any]:
    """The protocol with other dose levels; what that does to places."""
    change = AmendProtocol(**FIELDS, escalation=plan, label="2", change="dose levels")
    return trial.tell(change)[1:]

"""Holds what somebody who owes something looks at before acting, and the shape of what they do about it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.case.phases.consents import RISK_ITEMS
from domain.case.state import Case
from domain.core.about import About
from domain.core.fact import Command
from domain.stages.intake import people
from rehearsal.cohort.families import Family

CLINICIAN = "Dr Li Wei"


@dataclass(frozen=True, slots=True)
class Situation:
    """Says what is owed about what, in which case, by whose family, now. `chased`: it was missed, somebody calls."""

    case: Case
    about: str
    family: Family
    chance: random.Random
    now: datetime
    chased: bool

    def often(self, share: float) -> bool:
        """Return True in that share of cases."""
        return self.chance.random() < share

    def ahead(self, days: float) -> datetime:
        """Return the instant so many days from now."""
        return self.now + timedelta(days=days)

    @property
    def root(self) -> str:
        """Return what it is about, without its round."""
        return About.of(self.about).id


React = Callable[[Situation], Command | None]


def deciding(case: Case) -> str:
    """Whoever consents: the patient, or the legal representative."""
    patient = case.patient
    assert patient is not None
    others = [p.id for p in case.people.values() if p.role == "legal_representative"]
    return others[0] if patient.minor and others else patient.id


def consent(case: Case, purpose: people.Purpose, recipient: str = "") -> Command:
    """Consent to one purpose by whoever decides."""
    items = RISK_ITEMS if purpose == "risks" else ()
    return people.GiveConsent(purpose, deciding(case), "1", case.language, recipient, items)

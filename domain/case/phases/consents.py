"""Says what was consented to: by purpose and recipient, the particular risks one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from domain.case.phases.intake import Intake

RiskItem = Literal["gvhd", "rejection", "short_persistence", "redosing", "transplant"]
RISK_ITEMS: tuple[RiskItem, ...] = get_args(RiskItem)
"""The particular risks of donor cells, accepted one by one [people.risk-items]."""
BEFORE_CELLS: tuple[RiskItem, ...] = ("gvhd", "rejection", "short_persistence")
"""Those without which nothing is given; the others are asked for when they come up."""
WITH_DOCTOR = "share_with_home_doctor"
ASKS_FOR_THE_DOCTOR = 1
"""Cases opened since then write to the doctor at home with consent only; earlier ones go on as they were opened."""


@dataclass(frozen=True, slots=True)
class Consent:
    """One consent as it stands; `fact` is the event that gave or withdrew it, `person` who did, where that is known.

    `items`: the risks that are accepted.
    """

    purpose: str
    recipient: str
    given: bool
    fact: str
    person: str = ""
    items: tuple[RiskItem, ...] = ()


@dataclass(frozen=True)
class Consents(Intake):
    """Holds the consents as they stand, by `purpose:recipient`."""

    consents: Mapping[str, Consent] = field(default_factory=dict)
    consent_rules: int = 0  # which consents are needed; counts up when one more is asked for

    def consented(self, purpose: str, recipient: str = "") -> bool:
        """Return whether this consent is given and was not withdrawn; of the risks, those that come before cells."""
        if purpose == "risks":
            return all(self.accepts_risk(item) for item in BEFORE_CELLS)
        consent = self.consents.get(f"{purpose}:{recipient}")
        return consent is not None and consent.given

    def accepts_risk(self, item: RiskItem) -> bool:
        """Return whether this risk is accepted and was not withdrawn."""
        consent = self.consents.get("risks:")
        return consent is not None and item in consent.items

    @property
    def shares_with_doctor(self) -> bool:
        """Return whether the doctor at home may be written to; where there is none, nobody is."""
        doctor = self.home_doctor
        known = self.consents.get(f"{WITH_DOCTOR}:{doctor.id}") if doctor else None
        asked = self.consent_rules >= ASKS_FOR_THE_DOCTOR
        return known.given if known else not (doctor and asked)

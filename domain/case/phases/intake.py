"""Says who asks and for whom: the inquiry, the people of the case and their consents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from domain.core.personal import Clinical, Identity


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the case. `role`: patient, carer, legal_representative, home_oncologist."""

    id: str
    role: str
    name: Identity
    mail: Identity
    phone: Identity
    zone: str
    language: str
    minor: bool = False


@dataclass(frozen=True)
class Intake:
    """Holds what the inquiry and the people said."""

    opened_at: datetime | None = None
    imported: bool = False
    number: str = ""
    country: str = ""
    language: str = ""
    zone: str = "UTC"
    triage: str = ""
    diagnosis: Clinical = ""
    urgent: bool = False
    owner: str = ""
    team: str = ""
    people: Mapping[str, Person] = field(default_factory=dict)
    scope_acknowledged: str = ""
    replied: str = ""
    local_care: str = ""

    @property
    def patient(self) -> Person | None:
        """Return the patient, once known."""
        return next((p for p in self.people.values() if p.role == "patient"), None)

    @property
    def family_reader(self) -> Person | None:
        """Return who is written to for the family: representative, patient or carer, the first with an address."""
        order = ("legal_representative", "patient", "carer")
        found = [p for role in order for p in self.people.values() if p.role == role and p.mail]
        return found[0] if found else None

    @property
    def home_doctor(self) -> Person | None:
        """Return the doctor at home, once known."""
        return next((p for p in self.people.values() if p.role == "home_oncologist"), None)

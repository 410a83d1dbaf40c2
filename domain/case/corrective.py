"""Says what is done about the causes of alerts, and whether it helped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal


@dataclass(frozen=True, slots=True)
class CorrectiveAction:
    """Says what is done about an alert's cause: until when, when it is seen whether it helped, and how it stands."""

    alert: str
    done_by: date
    check_on: date
    state: Literal["planned", "done", "effective", "ineffective"] = "planned"


@dataclass(frozen=True)
class CorrectiveActions:
    """Holds what was planned after alerts, by its id."""

    corrective: Mapping[str, CorrectiveAction] = field(default_factory=dict)

"""Says how a hospital's interface is asked for an effect: what the Task there is about, and in which plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Focus = Literal["ServiceRequest", "Appointment", "Communication"]


@dataclass(frozen=True, slots=True)
class Asking:
    """The focus of the Task that a hospital is sent, the status of that focus, and plain words."""

    focus: Focus
    status: str
    words: str


def service(words: str) -> Asking:
    """Ask for something to be done."""
    return Asking("ServiceRequest", "active", words)


def appointment(words: str, status: str = "proposed") -> Asking:
    """Ask for a place at a time, or say that it is not needed any more."""
    return Asking("Appointment", status, words)


def notice(words: str) -> Asking:
    """Tell; nothing is to be done for it."""
    return Asking("Communication", "completed", words)


STEPS: Mapping[str, Asking] = {
    "remind": notice("An answer is still awaited"),
    "escalate": notice("An answer is overdue"),
}
"""What the steps of a ladder ask for, whatever is owed; every other effect is a row of its stage."""

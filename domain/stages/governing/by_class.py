"""Tells what the class of its product changes for a case, as the case noted it of its protocol [classes.differ]."""

from __future__ import annotations

from domain.case.state import Case
from domain.catalogue.protocols.classes import CLASSES, ByClass


def class_of(case: Case) -> ByClass:
    """Return what the class of the product of the case's protocol changes; nothing where it is not noted."""
    return CLASSES[case.noted(case.protocol).get("product_class", "not_said")]


def depletion_planned(case: Case) -> bool:
    """Return whether lymphodepletion comes before the cells; a protocol may plan none [depletion.none-planned]."""
    return case.noted(case.protocol).get("depletion_planned") is not False


ASKED_FOR = ("asked", "held", "lapsed")
"""How a dose stands that is still to come: one that was refused, given back or is in the patient is not."""


def from_stock(case: Case) -> bool:
    """Return whether a unit is held for the case and thawed: so by its class, or because one was asked for."""
    return class_of(case).units or case.dose.state in ASKED_FOR

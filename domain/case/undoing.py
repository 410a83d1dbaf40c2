"""Says how each kind of thing acquired beside the tracks is undone, until when, and what follows [undoing.matrix]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from domain.case.phases.submissions import Resource, ResourceKind

Fate = Literal[
    "received", "sent_back", "returned", "consumed", "lost", "cancelled", "used", "failed", "in_manufacture", "made",
    "out_of_specification", "remade", "stored", "destroyed", "infused", "withdrawn", "kept", "refunded", "spent",
]  # fmt: skip
Final = Literal["material", "patient_cells", "registry_data", "payment"]


@dataclass(frozen=True, slots=True)
class Undoing:
    """Says how one kind is undone: by `effect` while `held` or `undoable`; in one of `ends` nothing is left to do.

    `final`: states that cannot be undone → what stays, and what happens instead.
    """

    effect: str
    undoable: tuple[Fate, ...]
    ends: tuple[Fate, ...]
    beyond: tuple[Fate, ...] = ()
    final: Mapping[str, tuple[Final, str]] = field(default_factory=dict)

    @property
    def fates(self) -> tuple[Fate, ...]:
        """Return all that may be told of it."""
        return (*self.undoable, *self.beyond, *self.ends)


GONE: tuple[Final, str] = ("material", "its consumption or loss is on record")
MATERIAL = Undoing(
    "return_material",
    ("received", "sent_back"),
    ("returned", "consumed", "lost"),
    final={"consumed": GONE, "lost": GONE},
)
THEIRS: tuple[Final, str] = (
    "patient_cells",
    "they stay the patient's: stored, made anew or destroyed on a signed order",
)
UNDOING: Mapping[ResourceKind, Undoing] = {
    "slides": MATERIAL,
    "blocks": MATERIAL,
    "manufacturing_slot": Undoing("cancel_manufacturing", ("received",), ("cancelled", "used", "failed")),
    "patient_cells": Undoing(
        "hold_cells",
        ("received",),
        ("stored", "destroyed", "infused", "failed", "lost"),
        ("in_manufacture", "made", "out_of_specification", "remade"),
        dict.fromkeys(("in_manufacture", "made", "out_of_specification", "remade"), THEIRS),
    ),
    "registry_enrolment": Undoing(
        "withdraw_from_registry",
        (),
        ("withdrawn", "kept"),
        final={"kept": ("registry_data", "data already used stay with the registry; nothing new is sent")},
    ),
    "payment": Undoing(
        "refund_payment",
        (),
        ("refunded", "kept", "spent"),
        final={"kept": ("payment", "it is kept as the contract says")},
    ),
}
"""Kind of resource → how it is undone [undoing.matrix]."""


def ended(r: Resource) -> bool:
    """Return whether nothing is left to do about it."""
    return r.state in UNDOING[r.kind].ends

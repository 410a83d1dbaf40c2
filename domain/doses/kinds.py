"""Says what a batch of doses is made of: the kinds of material, what is told of each, and what it may be made from.

Parents stand before what is made of them, so that no chain of materials comes back to where it began [doses.genealogy].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

MaterialKind = Literal[
    "donor",
    "donation",
    "starting_material",
    "reagent",
    "cell_bank",
    "working_bank",
    "producer_line",
    "vector_run",
    "vector_lot",
]
CellSource = Literal["", "adult_donor", "cord_blood", "ipsc_line", "patient"]
"""Where cells come from [doses.cell-sources]."""
Platform = Literal["", "adherent", "suspension"]
TitreUnit = Literal["", "TU/mL", "vg/mL"]
"""Transducing units, or vector genomes, in each millilitre."""
VectorType = Literal["", "lentiviral", "aav", "retroviral"]
LOT = "lot"


@dataclass(frozen=True, slots=True)
class Kind:
    """Tells what must and may be told of a kind of material, and which kinds it is made of."""

    asks: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    made_of: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = {
    "donor": Kind(),
    "donation": Kind(made_of=("donor",)),
    "starting_material": Kind(asks=("source",), made_of=("donation",)),
    "reagent": Kind(asks=("what",)),
    "cell_bank": Kind(may=("edits",), made_of=("starting_material", "reagent", "vector_lot")),
    "working_bank": Kind(may=("edits",), made_of=("cell_bank", "reagent", "vector_lot")),
    "producer_line": Kind(asks=("what",)),
    "vector_run": Kind(
        asks=("platform", "volume_l", "titre", "titre_unit"),
        may=("yielded",),
        made_of=("producer_line", "reagent"),
    ),
    "vector_lot": Kind(asks=("vector", "integrating"), made_of=("vector_run",)),
    LOT: Kind(made_of=("starting_material", "cell_bank", "working_bank", "vector_lot", "reagent")),
}
"""Kind → what it asks for and what it is made of; a lot of doses is the last of them."""
TOLD = tuple(dict.fromkeys(name for kind in KINDS.values() for name in (*kind.asks, *kind.may)))
"""Every field that some kind of material has."""
MATERIALS: tuple[str, ...] = get_args(MaterialKind)

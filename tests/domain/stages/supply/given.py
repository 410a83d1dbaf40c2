"""What is given in the body and which vector lot it came from: scenes and random commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.core.fact import ENGINE
from domain.stages.supply.vector_lot import ConfirmVectorLot, NameVectorLot
from domain.stages.treatment.infusion import CheckIdentity, RecordInfusion
from tests.domain.course import PROTOCOL, STEPS
from tests.domain.journey import Journey

Step = Callable[[Journey], object]
VIAL, CODE, MATERIAL = "LV-7 vial 3", "LV-7", "material-lv7"


def in_the_body(j: Journey) -> Journey:
    """A new case is led to a product made in the body, which is given after the check of two."""
    for name, step in STEPS.items():
        if name != "dose_held":
            step(j)
        if name == "opened":
            j.source(PROTOCOL, product_class="in_vivo")
        j.deliver()
        if name == "authorised":
            break
    return j.tell(CheckIdentity("nurse-1", "nurse-2", VIAL, True, True)).tell(RecordInfusion(VIAL))


def given_beside(j: Journey) -> Journey:
    """Something made in the body is given to whom cells of a lot were given before."""
    return j.source(PROTOCOL, product_class="in_vivo").look().tell(RecordInfusion(VIAL, deviation="by telephone"))


def name_lot(j: Journey) -> Journey:
    """The hospital says which vector lot it was."""
    return j.tell(NameVectorLot(CODE))


def confirm(j: Journey) -> Journey:
    """The vector lot was found."""
    return j.tell(ConfirmVectorLot(j.case.infusions[-1].vector_named, MATERIAL), ENGINE)


def _named_and_found(j: Journey) -> None:
    confirm(name_lot(j))


SCENES_OF_VECTORS: Mapping[str, tuple[str, Step, Step]] = {
    "vector_lot": ("", _named_and_found, in_the_body),
}

MAKE: Mapping[type[Any], Callable[[Journey, int], Any]] = {
    NameVectorLot: lambda _, n: NameVectorLot(("LV-1", "lv 1", "", "LV-2")[n % 4], (0, 1, 2)[n % 3]),
    ConfirmVectorLot: lambda j, n: ConfirmVectorLot(
        ([i.vector_named for i in j.case.infusions] or ["nothing"])[-1] or "nothing", f"material-{n % 2}"
    ),
}

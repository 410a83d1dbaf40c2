"""Binds a lot made of a patient's own cells to that patient: nobody else is ever given a unit of it [doses.bound].

A code alone would not do: codes are read by people, and one that is mistaken is a unit in the wrong patient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from domain.core.errors import Reason, require
from domain.core.personal import Identity, Trace, TraceCode, readable


@dataclass(frozen=True, slots=True)
class BindLot:
    """The lot was made of the cells of this case's patient; `coi` is their chain of identity, as the labels say it.

    While no unit of it is anybody's, a second person may set it right, with a reason.
    """

    case: Trace
    coi: Trace
    reason: Identity = ""
    by: str = ""
    type: Literal["BindLot"] = "BindLot"


Command = BindLot


@dataclass(frozen=True, slots=True)
class LotBound:
    """The lot was made of this patient's cells and is for nobody else."""

    case: Trace
    coi: Trace
    reason: Identity
    by: str
    type: Literal["LotBound"] = "LotBound"


Event = LotBound


@dataclass(frozen=True, slots=True)
class Binding:
    """Says whose cells a lot was made of; of a case whose keys are gone it is nobody's any more, and stays bound."""

    case: TraceCode
    coi: TraceCode
    by: str

    def of(self, case: Trace) -> bool:
        """Return whether it is this case's."""
        return isinstance(case, str) and bool(case) and self.case == case


def decide(bound: Binding | None, theirs: Sequence[str], c: BindLot) -> Sequence[LotBound]:
    """Decide whose a lot is: once, unless it is set right before a unit of it is anybody's. Raises Refused.

    `theirs` are the units that another case has or got.
    """
    require(readable(c.case) and str(c.case).startswith("case-"), Reason.INVALID, "name the patient's case", "case")
    require(readable(c.coi), Reason.INVALID, "give the chain of identity that its labels carry", "coi")
    if bound and bound.of(c.case) and bound.coi == c.coi:
        return []
    words = f"these units are another patient's: {', '.join(theirs)}"
    require(not theirs, Reason.NOT_NOW, words, "case")
    if bound and not bound.of(c.case):
        require(readable(c.reason), Reason.MISSING, "it is bound to another patient; say why that was wrong", "reason")
        require(c.by and c.by != bound.by, Reason.FOUR_EYES, "another person sets right who bound it", "by")
    return [LotBound(c.case, c.coi, c.reason, c.by)]


def evolve(event: Event) -> Binding:
    """Fold whose it is."""
    case, coi = (one if isinstance(one, str) else "" for one in (event.case, event.coi))
    return Binding(case, coi, event.by)


def require_own(bound: Binding | None, case: Trace) -> None:
    """Refuse a unit of a lot that is another patient's. Raises Refused."""
    told = "the lot was made of another patient's own cells (BindLot); nobody else is given a unit of it"
    require(bound is None or bound.of(case), Reason.NEVER_WAIVED, told, "case")

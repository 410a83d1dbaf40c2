"""Corrections: a wrong fact is superseded by a right one of the same kind; both stay visible for ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from domain.personal import Identity
from domain.stages import infusion, lymphodepletion, observations, transplant, visa

Correctable = (
    observations.Command
    | transplant.RecordTransplant
    | infusion.RecordInfusion
    | lymphodepletion.RecordDepletion
    | visa.RecordPassport
    | visa.GrantVisa
)
"""Dated facts told by people that may be told again. An infusion keeps its place; only its details change."""


@dataclass(frozen=True, slots=True)
class CorrectFact:
    """`fact` was recorded wrongly; `correction` is the command as it should have been."""

    fact: str
    correction: Correctable
    reason: Identity
    type: Literal["CorrectFact"] = "CorrectFact"


@dataclass(frozen=True, slots=True)
class FactCorrected:
    """A fact was superseded, and why; the right version follows in the same append."""

    fact: str
    reason: Identity
    type: Literal["FactCorrected"] = "FactCorrected"

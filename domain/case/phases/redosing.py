"""Says what another dose is decided on: each grade and each response with its date, and what was decided over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.core.personal import ClinicalCode, TraceCode
from domain.core.when import When


@dataclass(frozen=True, slots=True)
class GradeTold:
    """Holds one grade of harm as it counts, with its date; not `exact`: a lower bound, or none was told.

    `kind` empty = the word it was told by cannot be read any more.
    """

    kind: ClinicalCode
    grade: int | None
    exact: bool
    occurred: When


@dataclass(frozen=True, slots=True)
class ResponseTold:
    """Holds the result of one assessment as the assessor wrote it; a progression is one too.

    `system` is the published one it is a category of, `assessor` and `examination` say who and how; empty = nobody
    said. `mrd_sensitivity` is a share of cells, `deauville` 1 to 5 with `uptake` compared with before.
    """

    result: ClinicalCode
    occurred: When
    system: ClinicalCode = ""
    assessor: ClinicalCode = ""
    examination: ClinicalCode = ""
    mrd: ClinicalCode = ""
    mrd_method: ClinicalCode = ""
    mrd_sensitivity: ClinicalCode = ""
    deauville: int | None = None
    uptake: ClinicalCode = ""


@dataclass(frozen=True, slots=True)
class CellLoss:
    """Holds what says that the cells are lost or rejected; `measured` empty = nothing was detected."""

    loss: ClinicalCode
    assay: ClinicalCode
    measured: ClinicalCode
    quantification_limit: ClinicalCode
    assay_unit: ClinicalCode
    occurred: When


@dataclass(frozen=True, slots=True)
class LateWatch:
    """Says that harm is looked at after discharge, or no more since a person closed it at that grade."""

    open: bool
    grade: int


@dataclass(frozen=True, slots=True)
class DonorSearch:
    """Says how the search for a donor of the n-th `transplant` stands; `search` empty = its key is gone."""

    transplant: int
    search: ClinicalCode
    hla_match: ClinicalCode
    donor_ref: TraceCode
    occurred: When


@dataclass(frozen=True, slots=True)
class Overruled:
    """Says that a clinician decided on a treatment although something asked before it was not met or not known."""

    treatment: int
    unmet: tuple[str, ...]
    reason: ClinicalCode


@dataclass(frozen=True)
class Redosing:
    """Holds grades, responses and losses by the facts that told them, and treatments decided over a protocol.

    `loss_open` is the newest loss after which nobody has decided; `late_watches` go by the episode's first fact.
    """

    grades: Mapping[str, GradeTold] = field(default_factory=dict)
    responses: Mapping[str, ResponseTold] = field(default_factory=dict)
    overruled: tuple[Overruled, ...] = ()
    cell_losses: Mapping[str, CellLoss] = field(default_factory=dict)
    loss_open: str = ""
    late_watches: Mapping[str, LateWatch] = field(default_factory=dict)
    donor_search: DonorSearch | None = None

"""Any command about the response and what follows from harm, for histories made up by chance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.criteria.response import ASSESSORS, EXAMINATIONS, SYSTEMS, UPTAKES
from domain.stages.anytime.corrective import CheckCorrectiveAction, CompleteCorrectiveAction, PlanCorrectiveAction
from domain.stages.response.assessing import AssessResponse
from domain.stages.response.cell_loss import ReportCellLoss
from domain.stages.response.donor_search import SEARCHES, RecordDonorSearch
from domain.stages.response.late_toxicity import CloseLateToxicity
from tests.domain.journey import DAY, Journey
from tests.domain.stages.any_names import moment, pick


def _assessed(j: Journey, n: int) -> AssessResponse:
    """By each system in turn, or in words; some with residual disease, some scored."""
    system = pick(("", *SYSTEMS), n, "")
    result = pick(SYSTEMS[system].categories, n // 3, "CR") if system else pick(("CR", "as expected"), n, "CR")
    lit = n % 5 > 2
    found: dict[str, Any] = {"mrd": "positive", "mrd_method": "pcr", "mrd_sensitivity": "0.0001"} if n % 2 else {}
    return AssessResponse(
        result, "", moment(j, n), system, pick(("", *ASSESSORS), n, ""), pick(("", *EXAMINATIONS), n // 2, ""),
        deauville=n % 6 or None, uptake=pick(UPTAKES, n, "") if lit and n % 6 > 3 else "", **found,
    )  # fmt: skip


def _lost(j: Journey, n: int) -> ReportCellLoss:
    return ReportCellLoss(
        pick(("persistence", "rejection"), n, ""), "qpcr", str(n), "50", "copies/ug", "", moment(j, n)
    )


OF_RESPONSES: Mapping[type[Any], Callable[[Journey, int], Any]] = {
    AssessResponse: _assessed,
    ReportCellLoss: _lost,
    RecordDonorSearch: lambda j, n: RecordDonorSearch(pick(SEARCHES, n, ""), "9/10", "D-1", "", moment(j, n)),
    PlanCorrectiveAction: lambda j, n: PlanCorrectiveAction(
        pick(j.case.alerts, n, "nothing"), "train", "ward", j.now.date() + n % 9 * DAY, j.now.date() + n % 30 * DAY
    ),
    CompleteCorrectiveAction: lambda j, n: CompleteCorrectiveAction(pick(j.case.corrective, n, "nothing"), "trained"),
    CheckCorrectiveAction: lambda j, n: CheckCorrectiveAction(pick(j.case.corrective, n, "nothing"), n % 2 > 0, "seen"),
    CloseLateToxicity: lambda j, n: CloseLateToxicity(pick(j.case.late_watches, n, "nothing"), "recovered"),
}
"""Command → one of it, by a number."""

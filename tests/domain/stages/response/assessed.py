"""What follows an assessment, a loss or lasting harm, for the test of every obligation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from domain.stages.response.assessing import AssessResponse
from domain.stages.response.cell_loss import ReportCellLoss
from domain.stages.response.donor_search import RecordDonorSearch
from domain.stages.response.late_toxicity import CloseLateToxicity
from domain.stages.treatment.adverse_events import ReportToxicity
from domain.stages.treatment.recovery import DecidePathway, DischargePatient
from tests.domain.journey import DAY, Journey

Step = Callable[[Journey], object]
FOUR = AssessResponse("PMR", system="lugano", deauville=4, uptake="less")
LOST = ReportCellLoss("persistence", "qpcr", "30", "50", "copies/ug")


def lasting(j: Journey) -> None:
    """Low counts on the day of discharge."""
    j.away(10 * DAY).tell(ReportToxicity("neutropenia", 3)).tell(DischargePatient("Dr Li"))


def close(j: Journey) -> None:
    j.tell(CloseLateToxicity(next(iter(j.case.late_watches)), "recovered"))


SCENES_OF_RESPONSES: Mapping[str, tuple[str, Step, Step]] = {
    "response_recheck": (
        "infused",
        lambda j: j.tell(AssessResponse("CMR", system="lugano", deauville=2)),
        lambda j: j.away(DAY).tell(FOUR).away(DAY),
    ),
    "after_loss": ("infused", lambda j: j.tell(DecidePathway("other_therapy", "Dr Li")), lambda j: j.tell(LOST)),
    "donor_search": (
        "infused",
        lambda j: j.tell(RecordDonorSearch("sibling", "10/10")),
        lambda j: j.tell(DecidePathway("transplant", "Dr Li")),
    ),
    "late_toxicity": ("infused", close, lasting),
}
"""Kind of obligation → where it begins, what meets it, what makes it owed."""

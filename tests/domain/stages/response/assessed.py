"""What follows an assessment of the response, for the test of every obligation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from domain.stages.response.assessing import AssessResponse
from tests.domain.journey import DAY, Journey

Step = Callable[[Journey], object]
FOUR = AssessResponse("PMR", system="lugano", deauville=4, uptake="less")

SCENES_OF_RESPONSES: Mapping[str, tuple[str, Step, Step]] = {
    "response_recheck": (
        "infused",
        lambda j: j.tell(AssessResponse("CMR", system="lugano", deauville=2)),
        lambda j: j.away(DAY).tell(FOUR).away(DAY),
    ),
}
"""Kind of obligation → where it begins, what meets it, what makes it owed."""

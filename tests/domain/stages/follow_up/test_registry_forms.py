"""What is refused of registries: without consent, twice, or of a form that there is not."""

from __future__ import annotations

import pytest

from domain.core.errors import Reason
from domain.stages.follow_up.registries import RecordRegistryAnswer, ReportToRegistry
from tests.domain.refusals import No
from tests.domain.stages.follow_up.searched import tell_cibmtr


def accepted(form: str, receipt: str = "R-1") -> RecordRegistryAnswer:
    return RecordRegistryAnswer("cibmtr", form, "accepted", receipt)


REFUSALS = (
    No("authorised", ReportToRegistry("cibmtr"), Reason.NOT_NOW, "nothing is reported before cells went in"),
    No("handed_over", ReportToRegistry("cibmtr"), Reason.MISSING, "consent to a registry is not given"),
    No("handed_over", accepted("4000"), Reason.MISSING, "first say so: ReportToRegistry"),
    No("handed_over", accepted("9999"), Reason.INVALID, "forms of it are: 4000, 4006, 4100-D100", tell_cibmtr),
    No("handed_over", accepted("4000", ""), Reason.INVALID, "give the registry's receipt", tell_cibmtr),
    No(
        "handed_over",
        RecordRegistryAnswer("cibmtr", "4000", "rejected"),
        Reason.INVALID,
        "say what the registry found wrong",
        tell_cibmtr,
    ),
    No(
        "handed_over",
        accepted("4000", "R-2"),
        Reason.ALREADY,
        "the registry has that form",
        lambda j: tell_cibmtr(j).tell(accepted("4000")),
    ),
    No("handed_over", ReportToRegistry("cibmtr"), Reason.ALREADY, "that registry is told already", tell_cibmtr),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()

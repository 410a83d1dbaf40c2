"""A centre that has mail only can answer whatever it owes, on the page behind the link."""

import pytest

from domain.core.policy import Party
from domain.journey import OWES, TAKES
from domain.stages.treatment.adverse_events import ReportToxicity
from infra.identity.capabilities import ANSWERS, OWED, asked
from tests.domain.course import start
from tests.domain.journey import DAY

ELSEWHERE = {"resource_undone", "infusion_date"}
"""A resource is answered by what undoes it (domain/case/undoing.py); an unknown day by a correction, which is ours."""
OWED_BY_HOSPITALS = sorted({row.kind for row in OWES if row.debtor is Party.HOSPITAL} - ELSEWHERE)


@pytest.mark.parametrize("kind", OWED_BY_HOSPITALS)
def test_whatever_a_hospital_owes_has_an_answer(kind: str) -> None:
    offered = ANSWERS.get(OWED.get(kind, kind), ())
    assert offered
    assert all(row.by_hospital for row in TAKES.values() if row.command.__name__ in offered)


def test_a_row_answers_only_what_is_asked_or_owed() -> None:
    kinds = {row.kind for row in OWES}
    assert {kind for kind in ANSWERS if kind in kinds} >= {"gate", "safety_answer", "urgent_answer", "response_check"}


def test_a_reminder_of_what_nobody_asked_for_asks_for_the_thing_itself() -> None:
    j = start("infused").tell(ReportToxicity("CRS", 3))
    j.wait(by=DAY / 24)
    reminder = next(e for e in j.case.effects.values() if e.kind == "remind" and e.to is Party.HOSPITAL)
    assert (asked(j.case, reminder), j.case.root_of(reminder.about)) == ("urgent_answer", next(iter(j.case.alerts)))

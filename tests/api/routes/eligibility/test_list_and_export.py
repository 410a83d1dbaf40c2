"""Over HTTP: the list of documents follows what is known, and an assessment of an export is told."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.api.conftest import Person
from tests.api.routes.test_commands import assert_problem

TODAY = datetime.now(UTC).date().isoformat()
HOSPITAL = "centre-never-seen-hospital"


async def test_a_disease_told_more_exactly_draws_the_list_anew_by_itself(coordinator: Person) -> None:
    case = (await coordinator.open())["case"]

    async def imaging() -> str:
        lines = (await coordinator.get(f"/cases/{case}/checklist")).json()["lines"]
        return next((one["state"] for one in lines if one["kind"] == "imaging"), "not needed")

    assert (await coordinator.send(case, "StateDiagnosis", diagnosis="B-ALL", disease="b_all")).is_success
    assert (await coordinator.send(case, "DrawUpChecklist")).is_success
    assert await imaging() == "not needed"
    told = await coordinator.send(case, "StateDiagnosis", diagnosis="DLBCL", disease="dlbcl")
    assert told.is_success, told.text
    assert await imaging() == "requested"


async def test_an_assessment_is_told_once_and_names_a_centre(coordinator: Person) -> None:
    case = (await coordinator.open(country="CN"))["case"]
    told = {"centre": HOSPITAL, "reference": "PIA-7", "assessed": TODAY}
    assert (await coordinator.send(case, "RecordExportAssessment", **told)).is_success
    assert_problem(await coordinator.send(case, "RecordExportAssessment", **told), 409, "already")
    wrong = {**told, "centre": "Renji"}
    assert_problem(await coordinator.send(case, "RecordExportAssessment", **wrong), 422, "invalid")

"""The list of documents over HTTP: what is missing and who owes it, for whom may know the disease."""

from __future__ import annotations

from collections.abc import Mapping

from tests.api.conftest import Person


async def test_what_is_missing_and_who_owes_it(coordinator: Person, people: Mapping[str, Person]) -> None:
    case = (await coordinator.open())["case"]
    assert (await coordinator.send(case, "StateDiagnosis", diagnosis="DLBCL", disease="dlbcl")).is_success
    before = (await coordinator.get(f"/cases/{case}/checklist")).json()
    assert (before["drawn_up"], before["outstanding"]) == (False, False)
    assert {one["state"] for one in before["lines"]} == {"missing"}
    assert {one["owes"] for one in before["lines"]} == {"coordinator"}
    drawn = await coordinator.send(case, "DrawUpChecklist")
    assert drawn.is_success, drawn.text
    after = (await coordinator.get(f"/cases/{case}/checklist")).json()
    assert (after["drawn_up"], after["outstanding"]) == (True, True)
    imaging = next(one for one in after["lines"] if one["kind"] == "imaging")
    assert (imaging["because"], imaging["state"], imaging["owes"]) == ("disease", "requested", "family")
    again = await coordinator.send(case, "DrawUpChecklist")
    assert again.status_code == 409
    auditor = (await people["auditor"].get(f"/cases/{case}/checklist")).json()
    assert (auditor["lines"], auditor["masked"]) == ([], ["clinical"])

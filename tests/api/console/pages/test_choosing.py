"""Two centres accept, the family's choice is recorded on the console's form, and only then is the other one told."""

from __future__ import annotations

import pytest

from api.run.wiring import Parts
from domain.stages.eligibility.eligibility import AcceptPatient
from domain.stages.eligibility.submissions import ChooseCentre, SubmitDossier
from domain.stages.intake.people import GiveConsent
from tests.api.conftest import Person
from tests.api.console.conftest import Browser, hidden
from tests.api.routes.test_callbacks import Hospital, hospital, keys, stranger
from tests.api.submitted import open_protocol, submitted

__all__ = ["hospital", "keys", "stranger"]
pytestmark = pytest.mark.slow


async def test_the_family_chooses_between_two_acceptances(
    here: Parts, mei: Browser, coordinator: Person, hospital: Hospital, stranger: Hospital
) -> None:
    case = await submitted(here, hospital.id, owner=mei.id)
    for purpose in ("share_with_hospital", "cross_border"):
        await case.tell(GiveConsent(purpose, case.patient, "1", "en", recipient=stranger.id))
    state = await case.tell(ChooseCentre(stranger.id, await open_protocol(here, stranger.id)))
    second = list(state.submissions)[-1]
    await case.tell(SubmitDossier(second))
    for one in (case.submission, second):
        await case.tell(AcceptPatient(one, "Dr Li"))
    kinds = [o["kind"] for o in (await coordinator.get(f"/cases/{case.id}/agenda")).json()["obligations"]]
    assert {"acceptance_choice", "reconfirm_decision"} <= set(kinds)
    assert "quote" not in kinds, "nobody is asked for a price before the choice"
    path = f"/console/cases/{case.id}/do/ChooseAcceptance"
    page = (await mei.get(path)).text
    assert case.submission in page
    assert second in page
    typed = {"submission": second, "person": case.patient, "reason": "nearer to the sister"}
    done = await mei.post(path, **hidden(page), **typed)
    assert done.status_code == 200, done.text
    chosen = await case.state()
    assert chosen.centre == stranger.id
    assert chosen.submissions[case.submission].state == "withdrawn"
    events = (await coordinator.get(f"/cases/{case.id}/events")).json()["events"]
    [told] = [e for e in events if e["type"] == "AcceptanceChosen"]
    assert (told["actor"], told["data"]["person"]) == (mei.id, case.patient)
    asked = [e["data"]["kind"] for e in events if e["type"] == "EffectRequested"]
    assert asked.index("tell_family_of_acceptances") < asked.index("withdraw_submission") < asked.index("request_quote")

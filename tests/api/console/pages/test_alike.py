"""The form of a new case shows who is probably there already, before anything is saved."""

from __future__ import annotations

import uuid

import pytest

from tests.api.conftest import Person
from tests.api.console.conftest import Browser, hidden

pytestmark = pytest.mark.slow


async def test_probable_duplicates_are_shown_and_a_reason_goes_on(mei: Browser, coordinator: Person) -> None:
    mail = f"{uuid.uuid4().hex[:10]}@alike.example"
    first = await coordinator.open(patient_mail=mail)
    page = (await mei.get("/console/open")).text
    typed = {"country": "IN", "zone": "Asia/Kolkata", "patient_name": "Quirina Alike", "language": "hi"}
    asked = await mei.post("/console/open", **hidden(page), **typed, triage="other", patient_mail=mail)
    assert asked.status_code == 409
    assert f'href="/console/cases/{first["case"]}"' in asked.text
    assert "the same address or number" in asked.text
    assert 'value="Quirina Alike"' in asked.text, "what was typed stays"
    reason = {"despite_duplicates": "her sister, one address for both"}
    done = await mei.post("/console/open", **hidden(asked.text), **typed, triage="other", patient_mail=mail, **reason)
    assert "Recorded: Case opened" in done.text

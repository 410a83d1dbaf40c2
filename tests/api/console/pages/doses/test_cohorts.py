"""Cohorts over the real stack: opened on the trial's page, filled by cases themselves, never by more than they take."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from activities.effect_handlers.cohorts import TellingCohort
from activities.effect_handlers.doses import StockedLots
from api.run.wiring import Parts
from tests.api.conftest import Person
from tests.api.console.conftest import Browser, hidden
from tests.api.routes.test_commands import assert_problem
from tests.api.routes.test_screening import PROTOCOL

NOW = datetime.now(UTC)
TODAY = NOW.date().isoformat()
LEVELS = {"levels": [{"name": "DL1", "cohort": 1}, {"name": "DL2", "cohort": 3}], "between_days": 14}
SAID = {"reason": "as planned", "source": "letter 7", "decided": TODAY}


async def nothing(_: str, _now: datetime) -> Sequence[str]:
    return ()


async def tell(here: Parts, case: str) -> None:
    """Carry out what the case has to tell its trial, as a worker does."""
    known, _, now = await here.commands.case(case)
    handler = TellingCohort(StockedLots(here.ledger, here.commands, nothing))
    [effect] = [e for e in known.effects.values() if e.kind == "tell_cohort" and e.state == "requested"]
    await handler.deliver(known, effect, now, repeat=0)


async def test_a_cohort_is_opened_on_the_page_and_the_case_beyond_its_size_waits_and_says_so(
    here: Parts, people: Mapping[str, Person], browsers: Mapping[str, Browser]
) -> None:
    supervisor, mark = browsers["supervisor"], uuid.uuid4().hex[:8]
    made = await people["operator"].post("/protocols", {**PROTOCOL, "product": f"P-{mark}", "escalation": LEVELS})
    assert made.is_success, made.text
    protocol, cases = made.json()["id"], []
    for _ in range(2):
        case = str((await people["supervisor"].open(imported=True))["case"])
        taken = await people["supervisor"].send(
            case, "ImportFacts", stage="visa", centre=f"centre-{mark}", protocol=protocol,
            consents=["data_processing"], accepted_until=(NOW + timedelta(days=60)).isoformat(),
        )  # fmt: skip
        assert taken.is_success, taken.text
        cases.append(case)
    path = f"/console/protocols/{protocol}"
    form = hidden((await supervisor.get(path)).text)
    opens = {**form, **SAID, "type": "OpenCohort", "level": "DL1"}
    higher = await supervisor.post(f"{path}/governing", **{**opens, "level": "DL2", "nonce": f"{mark}-0"})
    assert (higher.status_code, "the first cohort is at the lowest level" in higher.text) == (409, True)
    other = browsers["coordinator"]
    refused = await other.post(f"{path}/governing", **{**opens, "csrf": await other.csrf()})
    assert refused.status_code == 403
    page = await supervisor.post(f"{path}/governing", **{**opens, "nonce": f"{mark}-1"})
    assert "Cohort 1, level DL1" in page.text
    assert "0 of 1 places" in page.text
    for case in cases:
        await tell(here, case)
        assert (await people["supervisor"].send(case, "AddNote", kind="note", text="seen")).is_success
    page = await supervisor.get(path)
    assert "1 of 1 places" in page.text
    assert "Waiting for a place: 1" in page.text
    owed = [(await people["supervisor"].get(f"/cases/{case}/agenda")).json()["obligations"] for case in cases]
    assert ["cohort_place" in {one["kind"] for one in each} for each in owed] == [False, True]
    assert "Cohort 1, level DL1" in (await supervisor.get(f"/console/cases/{cases[0]}")).text
    waits = (await supervisor.get(f"/console/cases/{cases[1]}")).text
    assert ("Dose levels and cohorts" in waits, "Cohort 1, level DL1" in waits) == (True, False)
    commands = f"/protocols/{protocol}/commands"
    stops = {"type": "ReviewCohort", "cohort": 1, "outcome": "stopped", **SAID}
    assert_problem(await people["supervisor"].post(commands, stops), 403, "not_allowed")
    said = {name: str(value) for name, value in stops.items()}
    done = hidden((await browsers["quality"].get(path)).text)
    page = await browsers["quality"].post(f"{path}/governing", **{**done, **said, "nonce": f"{mark}-2"})
    assert "the cohort is stopped. <bdi" in page.text
    assert "Waiting for a place: 2" in page.text

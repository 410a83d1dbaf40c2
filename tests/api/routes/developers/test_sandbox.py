"""A hospital tries its answers: read, believed and decided as in earnest, and nothing of them is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2
from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from api.run.wiring import Parts
from infra.hospitals.callbacks import sign
from tests.api.routes.test_callbacks import LETTER, Hospital, Waiting, case, hospital, keys, stranger
from tests.api.routes.test_commands import assert_problem

__all__ = ["case", "hospital", "keys", "stranger"]


async def tried(one: Hospital, case: str, command: dict[str, Any], *, by: Hospital | None = None, **more: str) -> Any:
    body, _ = one.request(case, command, **more)  # type: ignore[arg-type] # callback and effect are texts
    path = f"{one.path}/sandbox"
    key = (by or one).keys.private((by or one).id)
    return await one.http.post(path, content=body, headers=sign("POST", path, body, key, one.id, datetime.now(UTC)))


async def test_what_would_be_recorded_is_said_and_then_recorded_in_earnest(
    here: Parts, hospital: Hospital, case: Waiting
) -> None:
    head, callback = await here.ledger.head(), uuid4().hex
    told = await tried(hospital, case.id, LETTER, effect=case.effect, callback=callback)
    assert told.status_code == 200, told.text
    assert await here.ledger.head() == head, "nothing is recorded"
    earnest = await hospital.say(case.id, LETTER, effect=case.effect, callback=callback)
    assert earnest.json()["repeated"] is False, "nothing is remembered either"
    assert told.json()["would_record"] == earnest.json()["recorded"]
    again = await tried(hospital, case.id, LETTER, effect=case.effect, callback=callback)
    assert again.json()["repeated"] is True


async def test_what_is_not_believed_or_not_its_own_is_refused_alike(
    here: Parts, hospital: Hospital, stranger: Hospital, case: Waiting
) -> None:
    head = await here.ledger.head()
    assert_problem(await tried(hospital, case.id, LETTER, by=stranger), 401, "untrusted")
    assert_problem(await tried(stranger, case.id, LETTER), 404, "not_found")
    body, headers = hospital.request(case.id, LETTER)
    assert_problem(
        await hospital.http.post(f"{hospital.path}/sandbox", content=body, headers=headers), 401, "untrusted"
    )
    assert await here.ledger.head() == head


async def test_the_capability_statement_is_one(nobody: httpx2.AsyncClient) -> None:
    answer = await nobody.get("/metadata")
    stated = CapabilityStatement.model_validate(answer.json())
    assert [one.mode for one in stated.rest or ()] == ["server", "client"]
    assert answer.headers["content-type"].startswith("application/fhir+json")

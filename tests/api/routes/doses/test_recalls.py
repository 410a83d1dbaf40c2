"""Recalls over HTTP: previewed, opened, shown, acknowledged; for quality assurance only."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from tests.api.conftest import CANARY, Person
from tests.api.routes.doses.test_genealogy import MARK, lot, material, told
from tests.api.routes.test_commands import assert_problem


async def opened(quality: Person, *, drill: bool) -> Any:
    run = await material(quality, "reagent", f"gRNA-{uuid.uuid4().hex}", what="guide RNA")
    batch = await lot(quality, "r1", "r2")
    await told(quality, batch, "LinkMaterial", parent=run)
    answer = await quality.post("/recalls", {"scope": run, "reason": CANARY, "drill": drill})
    assert answer.status_code == 201, answer.text
    return answer.json() | {"run": run, "batch": batch}


async def test_a_recall_is_opened_and_shown_with_what_it_reaches(people: Mapping[str, Person]) -> None:
    quality = people["quality"]
    made = await opened(quality, drill=False)
    types = [one["type"] for one in made["recorded"]]
    assert types == ["RecallOpened", "RecallLotReached", "EffectRequested"]
    shown = (await quality.get(f"/recalls/{made['id']}")).json()
    assert (shown["state"], shown["stopped"], shown["reason"]) == ("open", {made["batch"]: False}, CANARY)
    assert [(one["unit"], one["state"]) for one in shown["units"]] == [("r1", "in_stock"), ("r2", "in_stock")]
    listed = (await quality.get("/recalls")).json()["recalls"]
    [row] = [row for row in listed if row["id"] == made["id"]]
    assert (row["scope"], row["drill"], row["state"]) == (made["run"], False, "open")
    assert CANARY not in str(listed)


async def test_a_drill_that_reaches_no_hospital_is_over_at_once(people: Mapping[str, Person]) -> None:
    made = await opened(people["quality"], drill=True)
    assert made["recorded"][-1]["type"] == "RecallEnded"
    batch = (await people["quality"].get(f"/lots/{made['batch']}")).json()["lot"]
    assert batch["state"] == "registered"


async def test_bad_input_is_named_and_nothing_is_kept(people: Mapping[str, Person]) -> None:
    quality = people["quality"]
    made = await opened(quality, drill=False)
    for body, status, code in (
        ({"scope": "lot-none", "reason": "r"}, 404, "not_found"),
        ({"scope": "case-none", "reason": "r"}, 404, "not_found"),
        ({"scope": made["run"], "reason": ""}, 422, "invalid"),
        ({"scope": made["run"]}, 422, "invalid"),
    ):
        assert_problem(await quality.post("/recalls", body), status, code)
    unknown = {"type": "AcknowledgeRecall", "centre": "centre-none", "said_by": "Dr Wu"}
    assert_problem(await quality.post(f"/recalls/{made['id']}/commands", unknown), 404, "not_found")
    assert_problem(await quality.post("/recalls/recall-none/commands", unknown), 404, "not_found")
    engine = {"type": "RecordOutcome", "effect": "e", "attempt": 1, "outcome": "delivered"}
    assert_problem(await quality.post(f"/recalls/{made['id']}/commands", engine), 422, "invalid")


async def test_a_repeat_opens_no_second_recall(people: Mapping[str, Person]) -> None:
    quality = people["quality"]
    run = await material(quality, "reagent", f"again-{MARK}", what="plasmid")
    body = {"scope": run, "reason": "r"}
    first, again = [await quality.post("/recalls", body, key=f"recall-{MARK}") for _ in range(2)]
    assert (again.json()["id"], again.json()["repeated"]) == (first.json()["id"], True)


async def test_recalls_are_for_quality_assurance(people: Mapping[str, Person]) -> None:
    made = await opened(people["quality"], drill=False)
    for role in ("coordinator", "reviewer", "auditor", "operator", "translator"):
        assert_problem(await people[role].post("/recalls", {"scope": made["run"], "reason": "r"}), 403, "not_allowed")
        assert_problem(await people[role].get("/recalls"), 403, "not_allowed")
        assert_problem(await people[role].get(f"/recalls/{made['id']}"), 403, "not_allowed")

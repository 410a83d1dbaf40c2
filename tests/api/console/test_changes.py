"""What takes two people stands on the page of operations: another confirms it there, and one undoes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape

import pytest

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.run.wiring import Parts
from domain.catalogue.staff import ChangeRole
from tests.api.conftest import Person
from tests.api.console.conftest import Browser, hidden
from tests.api.routes.test_commands import assert_problem

pytestmark = pytest.mark.slow
HOME = "/console/operations"
BUTTON = r'name="stream" value="{}">.*?<button name="do" value="(\w+)"'


async def buttons(browser: Browser, stream: str) -> list[str]:
    return re.findall(BUTTON.format(stream), (await browser.get(HOME)).text)


async def test_one_proposes_another_confirms_and_one_undoes(
    browsers: Mapping[str, Browser], people: Mapping[str, Person], here: Parts
) -> None:
    operator, supervisor, who = browsers["operator"], browsers["supervisor"], browsers["translator"]
    change = CommandRequest(who.id, Meta(operator.id, "operation"), ChangeRole("reviewer", "asia"), signed_in=True)
    said = await here.commands.record(change)
    form = {"stream": who.id, "proposal": said.state.eyes.proposal.id, "csrf": await supervisor.csrf()}
    assert await buttons(operator, who.id) == ["WithdrawProposal"]
    assert await buttons(supervisor, who.id) == ["ConfirmProposal", "WithdrawProposal"]
    page = unescape((await supervisor.get(HOME)).text)
    assert "→ reviewer asia" in page
    mine = {**form, "csrf": await operator.csrf(), "do": "ConfirmProposal"}
    assert (await operator.post("/console/changes", **mine)).status_code == 403  # the page has no such button
    assert (await supervisor.post("/console/changes", **{**form, "csrf": "x"}, do="ConfirmProposal")).status_code == 403
    assert (await supervisor.post("/console/changes", **form, do="ConfirmProposal")).status_code == 200
    assert (await here.commands.entry(who.id)).state.role == "reviewer"
    assert await buttons(operator, who.id) == ["UndoChange"]
    undo = {**form, "csrf": hidden((await operator.get(HOME)).text)["csrf"], "do": "UndoChange"}
    assert (await operator.post("/console/changes", **undo)).status_code == 200
    assert (await here.commands.entry(who.id)).state.role == "translator"
    assert await buttons(operator, who.id) == []


async def test_the_list_is_for_who_may_decide(people: Mapping[str, Person], here: Parts) -> None:
    operator, supervisor, who = people["operator"], people["supervisor"], people["auditor"]
    change = {"type": "DismissPerson", "reason": "contract_ended"}
    assert (await operator.post(f"/persons/{who.id}/commands", change)).is_success
    listed = (await supervisor.get("/changes")).json()["changes"]
    [mine] = [one for one in listed if (one["stream"], one["state"]) == (who.id, "waits")]
    assert (mine["by"], mine["says"]) == ([operator.id], "auditor asia → - (contract_ended)")
    for role, person in people.items():
        if role not in ("operator", "supervisor"):
            assert_problem(await person.get("/changes"), 403, "not_allowed")


async def test_who_waits_to_be_confirmed_is_not_offered_to_sign_in_as(
    browsers: Mapping[str, Browser], people: Mapping[str, Person]
) -> None:
    new = {"role": "supervisor", "team": "asia", "name": "Eve", "mail": "e@example.org", "zone": "UTC",
           "language": "en"}  # fmt: skip
    made = (await people["operator"].post("/persons", new)).json()["id"]
    offered = (await browsers["operator"].get("/console/sign-in")).text
    assert people["supervisor"].id in offered
    assert made not in offered

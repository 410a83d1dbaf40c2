"""One person who keeps the catalogue, alone: hospitals are reached as before, and nobody's rights are others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from activities.messages import Order
from activities.perform import Performing
from api.http import stream
from api.run.http_app import http_app
from api.run.processes import handlers
from api.run.wiring import MACHINE, Parts, actor_of
from domain.catalogue.centre import RegisterCentre
from infra.hospitals.callbacks import shown
from infra.hospitals.fhir_client import NotUnderstood
from infra.identity.capabilities import links
from infra.ids import fresh_stream
from rehearsal.hospitals.keys import HospitalKeys
from tests.agreed import agreed
from tests.api.conftest import HOST, Person, client, registered, signed_in
from tests.api.http.test_process import served
from tests.api.routes.test_callbacks import Hospital, waiting
from tests.api.routes.test_commands import assert_problem
from tests.infra.hospitals.test_pinned import Server

pytestmark = pytest.mark.slow
LETTER = "request_invitation_letter"
RAISED = {"type": "ChangeRole", "role": "supervisor", "team": "asia"}


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


class Reached:
    """A centre at its old address, another server that would like to be it, and keys of both."""

    def __init__(self, here: Parts, hospital: Hospital, old: Server, new: Server) -> None:
        self.here, self.hospital, self.old, self.new = here, hospital, old, new
        self.id, self.key = hospital.id, Ed25519PrivateKey.generate()
        self.change = {"type": "ChangeEndpoint", "endpoint": f"http://127.0.0.1:{new.port}/fhir",
                       "mail": "", "callback_key": shown(self.key.public_key())}  # fmt: skip

    async def say(self, who: Person, type_: str, **fields: Any) -> httpx2.Response:
        return await who.post(f"/centres/{self.id}/commands", {"type": type_, **fields})

    async def proposal(self, who: Person) -> str:
        shows = (await who.get(f"/centres/{self.id}")).json()["centre"]
        return str(shows["eyes"]["proposal"]["id"])

    async def asked(self, supervisor: Person) -> tuple[int, int]:
        """How often each server was asked, once another letter has been asked for."""
        case = await waiting(supervisor, self.hospital)
        epoch = (await self.here.ledger.engine()).epoch
        async with handlers(self.here, links(self.here.ledger, "https://caravel.example")) as table:
            with pytest.raises(NotUnderstood):
                await Performing(self.here.commands, table).attempt(Order(case.id, case.effect, epoch), table[LETTER])
        return len(self.old.asked), len(self.new.asked)

    async def believed(self, supervisor: Person, key: Ed25519PrivateKey | None = None) -> bool:
        """Whether an answer signed with that key, else the old one, is the centre's."""
        case = await waiting(supervisor, self.hospital)
        answer = await self.hospital.say(case.id, effect=case.effect, key=key)
        assert answer.status_code in (200, 401), answer.text
        return answer.is_success


@pytest.fixture
async def reached(
    here: Parts, people: Mapping[str, Person], nobody: httpx2.AsyncClient, stack: AsyncExitStack, tmp_path: Any
) -> Reached:
    old, new, keys, centre = Server(), Server(), HospitalKeys(tmp_path / "keys"), fresh_stream("centre")
    for server in (old, new):
        await server.start(stack, "127.0.0.1")
    known = RegisterCentre(
        "First", "Beijing", "CN", "Asia/Shanghai", ("zh",), True, ("cell_therapy",), "itself", datetime.now(UTC).date(),
        f"http://127.0.0.1:{old.port}/fhir", "desk@first.example", keys.public(centre),
    )  # fmt: skip
    await agreed(here.commands, centre, known)
    return Reached(here, Hospital(centre, keys, nobody), old, new)


async def test_an_operator_alone_redirects_nothing(reached: Reached, people: Mapping[str, Person]) -> None:
    operator, supervisor = people["operator"], people["supervisor"]
    answer = await operator.post(f"/centres/{reached.id}/commands", reached.change)
    assert [one["type"] for one in answer.json()["recorded"]] == ["EndpointProposed", "NoticeOwed"]
    proposal = await reached.proposal(operator)
    assert_problem(await reached.say(operator, "ConfirmProposal", proposal=proposal), 403, "four_eyes")
    assert_problem(await reached.say(people["coordinator"], "ConfirmProposal", proposal=proposal), 403, "not_allowed")
    assert await reached.asked(supervisor) == (1, 0)
    assert not await reached.believed(supervisor, reached.key)
    assert await reached.believed(supervisor)


async def test_two_people_do_and_one_puts_it_back(reached: Reached, people: Mapping[str, Person]) -> None:
    operator, supervisor = people["operator"], people["supervisor"]
    await operator.post(f"/centres/{reached.id}/commands", reached.change)
    proposal = await reached.proposal(supervisor)
    assert (await reached.say(supervisor, "ConfirmProposal", proposal=proposal)).is_success
    assert await reached.asked(supervisor) == (0, 1)
    assert await reached.believed(supervisor, reached.key)
    assert not await reached.believed(supervisor)
    events = (await supervisor.get(f"/centres/{reached.id}/events")).json()["events"]
    assert [(e["type"], e["actor"]) for e in events if e["type"] != "NoticeOwed"][-3:] == [
        ("EndpointProposed", operator.id), ("ProposalConfirmed", supervisor.id), ("EndpointChanged", supervisor.id)
    ]  # fmt: skip
    assert (await reached.say(operator, "UndoChange", proposal=proposal)).is_success
    assert await reached.asked(supervisor) == (1, 1)
    assert await reached.believed(supervisor)
    assert not await reached.believed(supervisor, reached.key)
    assert_problem(await reached.say(operator, "UndoChange", proposal=proposal), 404, "not_found")


async def test_a_new_centre_is_not_reached_before_it_is_confirmed(
    reached: Reached, people: Mapping[str, Person]
) -> None:
    operator, supervisor = people["operator"], people["supervisor"]
    register = {
        **{n: v for n, v in reached.change.items() if n != "type"}, "name": "New", "city": "Beijing", "country": "CN",
        "zone": "Asia/Shanghai", "languages": ["zh"], "accepts_international": True, "capabilities": ["cell_therapy"],
        "source": "itself", "as_of": "2026-01-01",
    }  # fmt: skip
    answer = await operator.post("/centres", register)
    assert [one["type"] for one in answer.json()["recorded"]] == ["CentreRegistered", "EndpointProposed", "NoticeOwed"]
    reached.id = reached.hospital.id = answer.json()["id"]
    listed = (await supervisor.get("/centres")).json()["centres"]
    assert next(row["proposal"]["by"] for row in listed if row["id"] == reached.id) == operator.id
    assert not await reached.believed(supervisor, reached.key)
    assert (await reached.say(supervisor, "ConfirmProposal", proposal=await reached.proposal(supervisor))).is_success
    assert await reached.believed(supervisor, reached.key)


async def test_the_machine_does_not_do_it_alone_in_anybodys_name(
    reached: Reached, here: Parts, people: Mapping[str, Person]
) -> None:
    """On the machine that holds database and keys any name can be given, so no name of there counts."""
    operator, supervisor = people["operator"], people["supervisor"]
    person = {"role": "supervisor", "team": "asia", "name": "Eve", "mail": "e@example.org", "zone": "UTC",
              "language": "en"}  # fmt: skip
    for actor in (MACHINE, await actor_of(here, operator.id), await actor_of(here, supervisor.id)):
        async with client(http_app(here, local=actor)) as http:
            local = Person(actor.id, http)
            for path, command in (
                (f"/centres/{reached.id}/commands", reached.change),
                (f"/persons/{operator.id}/commands", {"type": "DismissPerson", "reason": "left"}),
                (f"/persons/{people['coordinator'].id}/commands", RAISED),
                ("/persons", person),
            ):  # fmt: skip
                assert_problem(await local.post(path, command), 403, "four_eyes")
    await operator.post(f"/centres/{reached.id}/commands", reached.change)
    proposal = await reached.proposal(supervisor)
    async with client(http_app(here, local=await actor_of(here, supervisor.id))) as http:
        local = Person(supervisor.id, http)
        assert_problem(await reached.say(local, "ConfirmProposal", proposal=proposal), 403, "four_eyes")
    assert await reached.asked(supervisor) == (1, 0)


async def test_an_operator_alone_makes_nobody_a_supervisor(app: FastAPI, people: Mapping[str, Person]) -> None:
    operator, supervisor, coordinator = (people[role] for role in ("operator", "supervisor", "coordinator"))
    new = {"role": "supervisor", "team": "asia", "name": "Eve", "mail": "e@example.org", "zone": "UTC",
           "language": "en"}  # fmt: skip
    made = (await operator.post("/persons", new)).json()["id"]
    async with client(app) as http:
        sign_in = await http.post("/dev/sign-in", json={"person": made, "secret": "one-time-secret"})
        assert sign_in.status_code != 200
    assert (await operator.post(f"/persons/{coordinator.id}/commands", RAISED)).is_success
    assert_problem(await operator.post(f"/persons/{operator.id}/commands", RAISED), 403, "four_eyes")
    shows = (await supervisor.get(f"/persons/{coordinator.id}")).json()["person"]
    assert (shows["role"], shows["eyes"]["proposal"]["change"]["role"]) == ("coordinator", "supervisor")
    withdraw = {"type": "WithdrawProposal", "proposal": shows["eyes"]["proposal"]["id"]}
    assert (await supervisor.post(f"/persons/{coordinator.id}/commands", withdraw)).is_success
    proposal = (await supervisor.get(f"/persons/{made}")).json()["person"]["eyes"]["proposal"]["id"]
    confirm = {"type": "ConfirmProposal", "proposal": proposal}
    assert (await supervisor.post(f"/persons/{made}/commands", confirm)).is_success
    assert (await (await signed_in(app, made)).get("/cases")).is_success


async def test_whoever_is_dismissed_has_no_session_and_no_stream_from_then_on(
    app: FastAPI, here: Parts, people: Mapping[str, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT", 3600)  # at once, not with the next heartbeat
    operator, supervisor = people["operator"], people["supervisor"]
    leaver = await signed_in(app, await registered(here, "coordinator"))
    path = f"/persons/{leaver.id}"
    async with served(app) as (url, stop, task), AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            httpx2.AsyncClient(base_url=url, headers={**leaver.http.headers, "Host": HOST}, timeout=30)
        )
        live = await stack.enter_async_context(http.stream("GET", "/stream"))
        lines = live.aiter_lines()
        assert (await anext(lines)).startswith("retry")
        assert (await leaver.get("/cases")).is_success
        answer = await operator.post(f"{path}/commands", {"type": "DismissPerson", "reason": "left"})
        assert [one["type"] for one in answer.json()["recorded"]] == ["DismissalProposed", "NoticeOwed"]
        assert (await leaver.get("/cases")).is_success  # nothing has changed yet
        proposal = (await supervisor.get(path)).json()["person"]["eyes"]["proposal"]["id"]
        confirm = {"type": "ConfirmProposal", "proposal": proposal}
        assert (await supervisor.post(f"{path}/commands", confirm)).is_success
        assert_problem(await leaver.get("/cases"), 401, "not_signed_in")
        async with asyncio.timeout(60):
            assert not [line async for line in lines if line.startswith("data:")]
        stop.set()
        await task
    app.state.ringing.stopping.clear()
    back = {"type": "UndoChange", "proposal": proposal}
    assert (await operator.post(f"{path}/commands", back)).is_success
    assert (await leaver.get("/cases")).is_success

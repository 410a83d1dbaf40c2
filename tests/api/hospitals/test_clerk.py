"""A hospital's clerk signs in, bound to one centre: its submissions, the dossiers, the answers, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.http.auth import CLERKS, CLERKS_TOO
from api.run.http_app import http_app
from api.run.wiring import Parts, actor_of
from domain.core.roles import Role
from domain.stages.intake.people import WithdrawConsent
from infra.identity.oidc import Oidc
from tests.api.conftest import CANARY, NO_LIMIT, Person, client, registered, signed_in
from tests.api.console.conftest import Browser, browsing, hidden
from tests.api.hospitals.test_handing_over import paths
from tests.api.http.test_auth import AUDIENCE, ISSUER, Provider
from tests.api.routes.test_callbacks import Hospital, events_of, hospital, keys, stranger
from tests.api.routes.test_commands import assert_problem
from tests.api.submitted import Submitted, submitted

__all__ = ["hospital", "keys", "stranger"]


@pytest.fixture(scope="module")
async def clerk_id(here: Parts, hospital: Hospital) -> str:
    return await registered(here, "hospital", hospital.id)


@pytest.fixture
async def sent(here: Parts, hospital: Hospital) -> Submitted:
    return await submitted(here, hospital.id)


@pytest.fixture
async def clerk(app: FastAPI, clerk_id: str) -> Browser:
    return await browsing(app, clerk_id)


def path_of(sent: Submitted) -> str:
    return f"/hospital/{sent.id}/{sent.submission}"


async def test_a_clerk_finds_reads_and_answers_what_was_submitted(
    clerk: Browser, sent: Submitted, supervisor: Person
) -> None:
    home = await clerk.get("/console/")
    assert str(home.url).endswith("/hospital/"), "their own page, wherever they come in"
    state = await sent.state()
    assert state.number in home.text
    assert path_of(sent) in home.text
    page = await clerk.get(path_of(sent))
    assert page.status_code == 200, page.text
    for name, content in sent.files.items():
        assert (await clerk.get(f"{path_of(sent)}/{name}")).content == content
        shown = await clerk.get(f"{path_of(sent)}/{name}?view=1")
        assert shown.headers["content-disposition"].startswith("inline")
    form = hidden(page.text) | {"type": "AcknowledgeSubmission", "receipt": "R-9"}
    wrong = await clerk.post(path_of(sent), **form | {"receipt": ""})
    assert wrong.status_code == 422
    assert (await sent.state()).submissions[sent.submission].state == "submitted"
    stolen = await clerk.post(path_of(sent), **form | {"csrf": "x"})
    assert stolen.status_code == 403
    told = await clerk.post(path_of(sent), **form)
    assert told.status_code == 200, told.text
    assert (await sent.state()).submissions[sent.submission].state == "acknowledged"
    again = await clerk.get(path_of(sent))
    assert 'value="AcknowledgeSubmission"' not in again.text, "a receipt is given once"
    accepts = hidden(again.text) | {"type": "AcceptPatient", "clinician": "Dr Li"}
    assert (await clerk.post(path_of(sent), **accepts)).is_success
    fact = next(e for e in await events_of(supervisor, sent.id) if e["type"] == "PatientAccepted")
    assert (fact["actor"], fact["provenance"]) == (clerk.id, "hospital page"), "in their own name"
    looks = (await supervisor.get(f"/cases/{sent.id}/looks")).json()["looks"]
    seen = {one["what"] for one in looks if one["actor"] == clerk.id}
    assert seen == {"worklist", "dossier", "document"}
    assert "nothing is to be answered" in (await clerk.get(path_of(sent))).text.lower()


async def test_another_hospitals_clerk_and_our_own_staff_see_none_of_it(
    app: FastAPI, here: Parts, stranger: Hospital, sent: Submitted
) -> None:
    other = await browsing(app, await registered(here, "hospital", stranger.id))
    assert (await sent.state()).number not in (await other.get("/hospital/")).text
    coordinator = await browsing(app, await registered(here, "coordinator"))
    for one in (other, coordinator):
        for path in (path_of(sent), *(f"{path_of(sent)}/{name}" for name in sent.files)):
            assert (await one.get(path)).status_code == 404
        answer = await one.post(path_of(sent), csrf=(await _csrf(one)), type="AcceptPatient", key="k", clinician="X")
        assert answer.status_code == 404
    assert (await coordinator.get("/hospital/")).status_code == 404
    assert (await sent.state()).submissions[sent.submission].state == "submitted"


async def _csrf(one: Browser) -> str:
    return hidden((await one.get("/console/")).text).get("csrf", "")


async def test_without_the_consents_it_is_as_if_nothing_had_been_submitted(clerk: Browser, sent: Submitted) -> None:
    state = await sent.state()
    known = state.submissions[sent.submission]
    assert known.round == 1
    await sent.tell(WithdrawConsent("cross_border", sent.patient, sent.centre))
    assert state.number not in (await clerk.get("/hospital/")).text
    assert (await clerk.get(path_of(sent))).status_code == 404
    assert {(await clerk.get(f"{path_of(sent)}/{name}")).status_code for name in sent.files} == {404}
    form = {"csrf": await _csrf(clerk), "type": "AcceptPatient", "key": "k", "clinician": "X"}
    assert (await clerk.post(path_of(sent), **form)).status_code == 404


FILLED = {
    "event": "01", "name": "0" * 64, "command": "AcceptPatient", "version": "1", "entry": "person-1", "check": "none",
    "token": "none", "digest": "none", "protocol": "protocol-x",
}  # fmt: skip


def routes(app: FastAPI) -> Iterator[APIRoute]:
    found = (route for route in app.routes if isinstance(route, APIRoute))
    return (route for route in found if route.path != "/stream")  # asked below: it never ends


async def test_no_other_address_answers_a_clerk_anything(
    app: FastAPI, clerk_id: str, sent: Submitted, hospital: Hospital
) -> None:
    """Every address and method of the app, filled with the clerk's own case; public ones say what they say to all."""
    who, asked = await signed_in(app, clerk_id), 0
    filled = FILLED | {"case": sent.id, "stream": sent.id, "centre": hospital.id, "submission": sent.submission}
    async with client(app) as nobody:
        for route in routes(app):
            if route.path in CLERKS_TOO or route.path.startswith(CLERKS):
                continue
            path = re.sub(r"{(\w+)[^}]*}", lambda found: filled.get(found[1], "none"), route.path)
            for method in (route.methods or set()) & {"GET", "POST", "PUT", "DELETE"}:
                told = await who.http.request(method, path, json={}, headers={"Idempotency-Key": "k"})
                alone = await nobody.request(method, path, json={}, headers={"Idempotency-Key": "k"})
                away = told.status_code == 303 and told.headers["location"] == CLERKS
                same = (told.status_code, told.headers.get("location")) == (
                    alone.status_code, alone.headers.get("location"),
                )  # fmt: skip
                assert away or told.status_code == 403 or same, (method, path, told.status_code, told.text[:200])
                assert CANARY not in told.text, path
                asked += told.status_code in (303, 403)
    assert asked > 40, "the control: most addresses are for somebody"


async def test_it_is_so_for_a_command_and_for_a_stream(app: FastAPI, clerk_id: str, sent: Submitted) -> None:
    who = await signed_in(app, clerk_id)
    accept = {"submission": sent.submission, "clinician": "Dr Li"}
    assert_problem(await who.send(sent.id, "AcceptPatient", **accept), 403, "for_clerks")
    assert_problem(await who.get("/stream"), 403, "for_clerks")
    me = (await who.get("/me")).json()
    assert (me["role"], me["team"]) == ("hospital", "")


async def test_the_provider_signs_a_clerk_in(here: Parts, clerk_id: str, sent: Submitted) -> None:
    provider = Provider()
    judge = Oidc(ISSUER, AUDIENCE, "https://id.example/jwks", provider.http())
    bearer = {"Authorization": f"Bearer {provider.token(caravel_person=clerk_id)}"}
    async with client(http_app(here, limits=NO_LIMIT, oidc=judge), **bearer) as http:
        assert (await http.get("/me")).json()["role"] == "hospital"
        assert (await http.get(path_of(sent))).status_code == 200
        assert (await http.get(f"/cases/{sent.id}")).status_code == 403


async def test_the_machine_knows_which_centre_a_clerk_speaks_for(
    here: Parts, clerk_id: str, hospital: Hospital, sent: Submitted
) -> None:
    actor = await actor_of(here, clerk_id)
    assert (actor.role, actor.team, actor.centre) == (Role.HOSPITAL, "", hospital.id)
    async with client(http_app(here, limits=NO_LIMIT, local=actor)) as http:
        assert (await http.get(f"/cases/{sent.id}")).status_code == 403


async def test_the_interface_and_the_clerk_are_two_ways_to_the_same_documents(clerk: Browser, sent: Submitted) -> None:
    for name, path in (await paths(sent)).items():
        assert (await clerk.http.get(path)).content == (await clerk.get(f"{path_of(sent)}/{name}")).content

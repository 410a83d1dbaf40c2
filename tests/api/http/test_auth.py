"""Who may come in: sessions, cookies, OIDC bearers; and who may not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey
from structlog.testing import capture_logs

from api.ports import DevSignIn, Limits
from api.run.http_app import http_app
from api.run.wiring import Parts
from domain.catalogue.installation import Installation
from infra.identity.oidc import Oidc
from infra.identity.sessions import Sessions
from tests.api.conftest import HOST, INQUIRY, NO_LIMIT, SECRET, Person, client, registered
from tests.api.routes.test_commands import assert_problem

ISSUER, AUDIENCE = "https://id.example", "caravel"


async def test_nobody_gets_nothing(nobody: httpx2.AsyncClient, app: FastAPI) -> None:
    open_to_all = {"/healthz", "/readyz", "/metrics", "/dev/sign-in", "/hospitals/{centre}/callbacks", "/reply/{token}"}
    open_to_all |= {"/hospitals/{centre}/callbacks/sandbox", "/metadata"}
    open_to_all |= {"/hospitals/{centre}/documents/{token}", "/questionnaires/yearly-follow-up"}
    documents = {"/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect"}
    described = app.openapi()
    assert described["security"] == [{"session": []}]
    for path, operations in described["paths"].items():
        for method in operations:
            asks = operations[method].get("security", described["security"])
            assert (path in open_to_all) == (asks != described["security"]), "said as it is"
            if path not in open_to_all | documents:
                answer = await nobody.request(method, path.replace("{", "").replace("}", ""), json={})
                assert_problem(answer, 401, "not_signed_in")
                assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("token", ["x", "a.b.c", "", "é", "a" * 9000])
async def test_a_wrong_token(app: FastAPI, token: str) -> None:
    async with client(app) as http:
        answer = await http.get("/cases", headers=[(b"Authorization", f"Bearer {token}".encode())])
        assert_problem(answer, 401, "not_signed_in")


async def test_signing_out_ends_the_session(app: FastAPI, here: Parts) -> None:
    person = await registered(here, "coordinator")
    async with client(app) as http:
        token = (await http.post("/dev/sign-in", json={"person": person, "secret": SECRET})).json()["token"]
        http.cookies.clear()
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await http.get("/me", headers=bearer)).json()["role"] == "coordinator"
        assert (await http.post("/sign-out", headers=bearer)).status_code == 204
        assert_problem(await http.get("/me", headers=bearer), 401, "not_signed_in")


async def test_the_development_sign_in_is_for_this_machine(app: FastAPI, here: Parts) -> None:
    person = await registered(here, "coordinator")
    body = {"person": person, "secret": SECRET}
    async with client(app) as http:
        assert_problem(await http.post("/dev/sign-in", json={**body, "secret": "guess"}), 401, "not_signed_in")
        assert_problem(await http.post("/dev/sign-in", json={**body, "person": "person-none"}), 404, "not_found")
        assert_problem(await http.post("/dev/sign-in", json={**body, "person": 7}), 422, "invalid")
        for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
            assert_problem(await http.post("/dev/sign-in", json=body, headers=headers), 403, "not_allowed")
    far = httpx2.ASGITransport(app=app, client=("203.0.113.7", 1))
    async with httpx2.AsyncClient(transport=far, base_url=f"http://{HOST}") as http:
        assert_problem(await http.post("/dev/sign-in", json=body), 403, "not_allowed")


async def test_without_it_there_is_none_and_its_sessions_are_refused(coordinator: Person, here: Parts) -> None:
    plain = http_app(here, limits=NO_LIMIT)
    async with client(plain) as http:
        assert_problem(await http.post("/dev/sign-in", json={}), 404, "not_found")
        http.headers["Authorization"] = coordinator.http.headers["Authorization"]
        assert_problem(await http.get("/me"), 401, "not_signed_in")


async def test_a_production_ledger_has_none(here: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here.ledger, "installation", Installation("x", "production", False))
    with pytest.raises(ValueError, match="production"):
        http_app(here, dev=DevSignIn("s", frozenset({HOST})))


async def test_an_expired_session(app: FastAPI, here: Parts) -> None:
    person = await registered(here, "coordinator")
    token = await Sessions(here.ledger).open(person, "console", timedelta(seconds=-1))
    async with client(app, Authorization=f"Bearer {token}") as http:
        assert_problem(await http.get("/me"), 401, "not_signed_in")


async def test_a_cookie_writes_only_from_our_own_pages(app: FastAPI, here: Parts) -> None:
    person = await registered(here, "coordinator")
    token = await Sessions(here.ledger).open(person, "console", timedelta(hours=1))
    key = {"Idempotency-Key": token[:20]}
    async with client(app, Cookie=f"caravel_session={token}") as http:
        assert (await http.get("/me")).is_success
        for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            assert_problem(await http.post("/cases", json=INQUIRY, headers=key | headers), 403, "not_allowed")
        assert (await http.post("/cases", json=INQUIRY, headers=key | {"Origin": f"http://{HOST}"})).is_success
        assert (await http.post("/cases", json=INQUIRY, headers=key | {"Sec-Fetch-Site": "same-origin"})).is_success


async def test_a_purpose_that_is_not_of_the_role(coordinator: Person) -> None:
    answer = await coordinator.http.get("/cases", headers={"Caravel-Purpose": "audit"})
    assert_problem(answer, 403, "not_allowed")
    assert (await coordinator.http.get("/cases", headers={"Caravel-Purpose": "care_coordination"})).is_success


async def test_too_many_requests(here: Parts) -> None:
    app = http_app(here, dev=DevSignIn(SECRET, frozenset({HOST})), limits=Limits(actor=5, address=40, sign_in=3))
    person = await registered(here, "coordinator")
    async with client(app) as http:
        signed = [await http.post("/dev/sign-in", json={"person": person, "secret": SECRET}) for _ in range(5)]
        assert [one.status_code for one in signed] == [200, 200, 200, 429, 429]
        http.headers["Authorization"] = f"Bearer {signed[0].json()['token']}"
        answers = [await http.get("/me") for _ in range(8)]
        assert [one.status_code for one in answers] == [200] * 5 + [429] * 3
        assert_problem(answers[-1], 429, "too_many_requests")
        assert answers[-1].headers["retry-after"]
        assert {(await http.get("/nowhere")).status_code for _ in range(40)} == {404, 429}
        assert (await http.get("/healthz")).is_success


class Provider:
    """An OpenID provider's published keys."""

    def __init__(self) -> None:
        self.keys = [ECKey.generate_key("P-256", {"kid": "one"})]
        self.asked = 0
        self.away = False

    def http(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self._answer))

    async def _answer(self, _: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        await asyncio.sleep(0.01)
        if self.away:
            return httpx2.Response(502)
        return httpx2.Response(200, json=KeySet(list(self.keys)).as_dict(private=False))

    def token(self, key: Any = None, alg: str = "ES256", **claims: Any) -> str:
        key = key or self.keys[-1]
        said = {"iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 60, "sub": "x", **claims}
        return jwt.encode({"alg": alg, "kid": key.kid or "one"}, said, key, algorithms=[alg])


async def test_bearers_of_the_provider(here: Parts, people: Mapping[str, Person]) -> None:
    provider = Provider()
    auditor = people["auditor"].id
    app = http_app(here, limits=NO_LIMIT, oidc=Oidc(ISSUER, AUDIENCE, "https://id.example/jwks", provider.http()))
    good = provider.token(caravel_person=auditor)
    secret = OctKey.generate_key(256, {"kid": "one"})
    bad = {
        "expired": provider.token(caravel_person=auditor, exp=int(time.time()) - 3600),
        "another audience": provider.token(caravel_person=auditor, aud="other"),
        "another issuer": provider.token(caravel_person=auditor, iss="https://evil.example"),
        "nobody": provider.token(),
        "unknown": provider.token(caravel_person="person-none"),
        "no person": provider.token(caravel_person="case-1"),
        "another key": provider.token(ECKey.generate_key("P-256", {"kid": "one"}), caravel_person=auditor),
        "changed": good[:-8] + "AAAAAAAA",
        "symmetric": provider.token(secret, "HS256", caravel_person=auditor),
    }
    async with client(app) as http:
        answer = await http.get("/me", headers={"Authorization": f"Bearer {good}"})
        assert answer.json()["role"] == "auditor"
        for why, token in bad.items():
            refused = await http.get("/me", headers={"Authorization": f"Bearer {token}"})
            assert refused.status_code == 401, why
        assert provider.asked <= 2


async def test_everybody_who_comes_while_the_keys_are_fetched_is_let_in() -> None:
    """As after every start of a busy service."""
    provider = Provider()
    oidc = Oidc(ISSUER, AUDIENCE, "https://id.example/jwks", provider.http())
    tokens = [provider.token(caravel_person=f"person-{n}") for n in range(5)]
    assert await asyncio.gather(*map(oidc.person, tokens)) == [f"person-{n}" for n in range(5)]
    assert provider.asked == 1


async def test_a_new_key_of_the_provider_is_fetched(here: Parts, people: Mapping[str, Person]) -> None:
    provider = Provider()
    oidc = Oidc(ISSUER, AUDIENCE, "https://id.example/jwks", provider.http())
    person = people["auditor"].id
    assert await oidc.person(provider.token(caravel_person=person)) == person
    provider.keys.append(ECKey.generate_key("P-256", {"kid": "two"}))
    oidc._fetched -= 60
    assert await oidc.person(provider.token(caravel_person=person)) == person


async def test_while_the_keys_cannot_be_fetched_nobody_is_called_a_stranger(
    here: Parts, people: Mapping[str, Person]
) -> None:
    provider = Provider()
    provider.away = True
    oidc = Oidc(ISSUER, AUDIENCE, "https://id.example/jwks", provider.http())
    good = provider.token(caravel_person=people["auditor"].id)
    expired = provider.token(caravel_person=people["auditor"].id, exp=int(time.time()) - 3600)
    async with client(http_app(here, limits=NO_LIMIT, oidc=oidc)) as http:

        async def asked(token: str) -> httpx2.Response:
            return await http.get("/me", headers={"Authorization": f"Bearer {token}"})

        refused = await asked(good)
        assert_problem(refused, 503, "unavailable")
        assert "identity provider" in refused.json()["detail"]
        assert refused.headers["retry-after"]
        assert_problem(await asked("a.b.c"), 401, "not_signed_in")
        provider.away = False
        oidc._fetched -= 60
        assert (await asked(good)).is_success
        provider.away = True
        oidc._fetched -= 7200
        assert (await asked(good)).is_success  # by the keys that are known
        assert_problem(await asked(expired), 401, "not_signed_in")
        provider.keys.append(ECKey.generate_key("P-256", {"kid": "two"}))
        assert_problem(await asked(provider.token(caravel_person=people["auditor"].id)), 503, "unavailable")


async def test_who_goes_away_in_the_middle_of_a_form_is_no_failure(app: FastAPI) -> None:
    """Else a stranger writes errors into the log, with an incident's number each, for nothing."""
    headers = [(b"host", HOST.encode()), (b"content-type", b"application/x-www-form-urlencoded")]
    scope: dict[str, Any] = {
        "type": "http", "method": "POST", "path": "/console/sign-in", "query_string": b"", "headers": headers,
        "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "http_version": "1.1",
        "root_path": "", "asgi": {"version": "3.0"},
    }  # fmt: skip
    coming: list[dict[str, Any]] = [{"type": "http.request", "body": b"a=", "more_body": True}]

    async def receive() -> dict[str, Any]:
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        del message

    with capture_logs() as said:
        await app(scope, receive, send)
    assert [(line["event"], line.get("status")) for line in said] == [("answered", 499)]

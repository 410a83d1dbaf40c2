"""Signing in at the organisation's provider: only whoever left with a code's secrets comes back with it."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from api.run.http_app import http_app
from api.run.wiring import Parts
from infra.identity.oidc_sign_in import OidcSignIn
from tests.api.conftest import NO_LIMIT, Person, client

pytestmark = pytest.mark.slow
ISSUER, CLIENT = "https://id.example", "caravel-console"


class Provider:
    """An OpenID provider with its discovery document, that gives one code to `person` and checks PKCE."""

    def __init__(self, person: str, issuer: str = ISSUER) -> None:
        self.person, self.issuer = person, issuer
        self.key = ECKey.generate_key("P-256", {"kid": "one"})
        self.asked: dict[str, str] = {}
        self.claims: dict[str, Any] = {}

    def sign_in(self) -> OidcSignIn:
        return OidcSignIn(ISSUER, CLIENT, "s3cret", httpx2.AsyncClient(transport=httpx2.MockTransport(self._answer)))

    def visited(self, address: str) -> str:
        """The browser goes there and somebody signs in; the address it is sent back to."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        return f"{urlsplit(self.asked['redirect_uri']).path}?code=one-code&state={self.asked['state']}"

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("openid-configuration"):
            names = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
            return httpx2.Response(200, json={"issuer": self.issuer, **{n: ISSUER + p for n, p in names.items()}})
        if request.url.path == "/jwks":
            return httpx2.Response(200, json=KeySet([self.key]).as_dict(private=False))
        sent = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
        fits = base64.urlsafe_b64encode(digest).decode().rstrip("=") == self.asked["code_challenge"]
        if not (fits and sent["code"] == "one-code" and sent["client_secret"] == "s3cret"):
            return httpx2.Response(400, json={"error": "invalid_grant"})
        said = {"iss": ISSUER, "aud": CLIENT, "exp": int(time.time()) + 60, "nonce": self.asked["nonce"]}
        said |= {"caravel_person": self.person, **self.claims}
        token = jwt.encode({"alg": "ES256", "kid": "one"}, said, self.key, algorithms=["ES256"])
        return httpx2.Response(200, json={"id_token": token})


async def test_through_the_provider_and_in(here: Parts, people: Mapping[str, Person]) -> None:
    provider = Provider(people["auditor"].id)
    async with client(http_app(here, limits=NO_LIMIT, signs_in=provider.sign_in())) as http:
        assert "/console/sign-in/provider" in (await http.get("/console/sign-in")).text
        away = await http.get("/console/sign-in/provider", params={"next": "/console/?tab=all"})
        assert away.headers["location"].startswith(f"{ISSUER}/authorize?")
        back = await http.get(provider.visited(away.headers["location"]))
        assert back.headers["location"] == "/console/?tab=all"
        page = await http.get("/console/")
        assert "Auditor" in page.text
        assert "Demonstration" not in page.text


async def test_nobody_comes_in_by_another_way(here: Parts, people: Mapping[str, Person]) -> None:
    provider = Provider(people["auditor"].id)
    app = http_app(here, limits=NO_LIMIT, signs_in=provider.sign_in())
    wrong: dict[str, dict[str, Any]] = {
        "another audience": {"aud": "other"},
        "another nonce": {"nonce": "replayed"},
        "expired": {"exp": int(time.time()) - 3600},
        "no person": {"caravel_person": "case-1"},
        "nobody we know": {"caravel_person": "person-none"},
    }
    for why, claims in wrong.items():
        provider.claims = claims
        async with client(app) as http:
            away = await http.get("/console/sign-in/provider")
            back = await http.get(provider.visited(away.headers["location"]))
            assert back.status_code in (401, 404, 422), why
            assert (await http.get("/console/")).status_code == 303, why
    provider.claims = {}
    async with client(app) as http, client(app) as thief:
        away = await http.get("/console/sign-in/provider")
        there = provider.visited(away.headers["location"])
        assert (await thief.get(there)).status_code == 401, "a code in another browser"
        await thief.get("/console/sign-in/provider")
        assert (await thief.get(there)).status_code == 401, "nor with a flow of their own"
        assert (await http.get(there.replace("state=", "state=x"))).status_code == 401
        assert (await http.get(there)).status_code == 303, "the control"


async def test_a_provider_that_calls_itself_otherwise_is_not_believed(
    here: Parts, people: Mapping[str, Person]
) -> None:
    provider = Provider(people["auditor"].id, issuer="https://evil.example")
    async with client(http_app(here, limits=NO_LIMIT, signs_in=provider.sign_in())) as http:
        assert (await http.get("/console/sign-in/provider")).status_code == 503

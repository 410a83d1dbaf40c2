"""Sending people to the identity provider and taking them back (OpenID Connect, code flow with PKCE, RFC 7636)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx2

from infra.identity.oidc import Oidc

WELL_KNOWN = "/.well-known/openid-configuration"
PATIENCE = 5.0


class ProviderAway(Exception):
    """The identity provider does not answer as it should."""

    away = True


@dataclass
class OidcSignIn:
    """`client` is our id there; `secret` may be empty for a public client."""

    issuer: str
    client: str
    secret: str = field(repr=False)
    http: httpx2.AsyncClient
    claim: str = "caravel_person"
    jwks_url: str = ""
    _found: Mapping[str, Any] | None = None
    _judge: Oidc | None = None

    async def address(self, back: str, state: str, nonce: str, challenge: str) -> str:
        """Return where to send the browser. Raises ProviderAway."""
        found = await self._discovered()
        asked = {
            "response_type": "code",
            "client_id": self.client,
            "redirect_uri": back,
            "scope": "openid",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{found['authorization_endpoint']}?{urlencode(asked)}"

    async def person(self, back: str, code: str, verifier: str, nonce: str) -> str | None:
        """Return the person's stream that a code stands for; None = not believed. Raises ProviderAway."""
        found = await self._discovered()
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": self.client,
            "code_verifier": verifier,
        }
        secret = {"client_secret": self.secret} if self.secret else {}
        try:
            answer = await self.http.post(found["token_endpoint"], data={**sent, **secret}, timeout=PATIENCE)
            token = answer.json().get("id_token") if answer.is_success else None
        except (httpx2.HTTPError, ValueError, AttributeError):
            raise ProviderAway from None
        return await self._believed(found).person(token, nonce=nonce) if isinstance(token, str) else None

    def _believed(self, found: Mapping[str, Any]) -> Oidc:
        if self._judge is None:
            keys = self.jwks_url or str(found["jwks_uri"])
            self._judge = Oidc(self.issuer, self.client, keys, self.http, self.claim)
        return self._judge

    async def _discovered(self) -> Mapping[str, Any]:
        """The provider's own description; it must name the issuer it was asked of (RFC 8414 section 3.3)."""
        if self._found is None:
            try:
                answer = await self.http.get(self.issuer.rstrip("/") + WELL_KNOWN, timeout=PATIENCE)
                found = answer.raise_for_status().json()
                named = found["issuer"], found["authorization_endpoint"], found["token_endpoint"]
            except (httpx2.HTTPError, ValueError, TypeError, KeyError):
                raise ProviderAway from None
            if named[0] != self.issuer:
                raise ProviderAway
            self._found = found
        return self._found

"""Bearer tokens of an OpenID provider: verified against its published keys, mapped to a person by one claim."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
FRESH, PAUSE = 3600.0, 10.0
"""Seconds: keys are fetched anew after the first, and for an unknown key at most once in the second."""
LEEWAY = 30


@dataclass
class Oidc:
    """`claim` holds the id of the person's stream. The provider's key set is fetched from `jwks_url`."""

    issuer: str
    audience: str
    jwks_url: str
    http: httpx2.AsyncClient
    claim: str = "caravel_person"
    _keys: KeySet | None = None
    _fetched: float = field(default=float("-inf"))
    _fetching: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def person(self, token: str, *, nonce: str = "") -> str | None:
        """The person's stream; None for a token that is not believed. `nonce`: what an ID token must repeat."""
        claims = await self._claims(token)
        if claims and nonce and claims.get("nonce") != nonce:
            return None
        person = claims.get(self.claim) if claims else None
        return person if isinstance(person, str) and person.startswith("person-") else None

    async def _claims(self, token: str) -> Mapping[str, Any] | None:
        for wait in (FRESH, PAUSE):
            keys = await self._known(wait)
            claims = self._verified(token, keys) if keys else None
            if claims is not None:
                return claims
        return None

    async def _known(self, wait: float) -> KeySet | None:
        async with self._fetching:  # whoever comes meanwhile waits for the keys instead of being turned away
            if time.monotonic() - self._fetched > wait:
                self._fetched = time.monotonic()
                with suppress(httpx2.HTTPError, ValueError, TypeError, KeyError, JoseError):
                    answer = await self.http.get(self.jwks_url, timeout=5)
                    self._keys = KeySet.import_key_set(answer.raise_for_status().json())
        return self._keys

    def _verified(self, token: str, keys: KeySet) -> Mapping[str, Any] | None:
        registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.audience},
            exp={"essential": True},
        )
        try:
            found = jwt.decode(token, keys, algorithms=ALGORITHMS)
            registry.validate(found.claims)
        except (JoseError, ValueError, TypeError, KeyError):
            return None
        return found.claims

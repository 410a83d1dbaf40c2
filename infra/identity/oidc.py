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
from joserfc.jws import extract_compact

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
FRESH, PAUSE = 3600.0, 10.0
"""Seconds: keys are fetched anew after the first, and for an unknown key at most once in the second."""
LEEWAY = 30


class KeysAway(Exception):
    """The provider's keys cannot be fetched, so nobody can tell whether a token is good."""

    away = True
    detail = "the identity provider's keys cannot be fetched; nothing was done, try again"


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
    _failing: bool = False
    _fetching: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def person(self, token: str, *, nonce: str = "") -> str | None:
        """Return the person's stream; None for a token that is not believed. Raises KeysAway.

        `nonce`: what an ID token must repeat.
        """
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
        if self._failing and not _signed_by(token, self._keys):
            raise KeysAway
        return None

    async def _known(self, wait: float) -> KeySet | None:
        async with self._fetching:  # whoever comes meanwhile waits for the keys instead of being turned away
            if time.monotonic() - self._fetched > wait:
                self._fetched, self._failing = time.monotonic(), True
                with suppress(httpx2.HTTPError, ValueError, TypeError, KeyError, JoseError):
                    answer = await self.http.get(self.jwks_url, timeout=5)
                    self._keys = KeySet.import_key_set(answer.raise_for_status().json())
                    self._failing = False
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


def _signed_by(token: str, keys: KeySet | None) -> bool:
    """Whether a token names one of these keys, so that no others have to be known to judge it; nonsense needs none."""
    try:
        named = extract_compact(token.encode()).headers().get("kid")
    except (JoseError, ValueError, TypeError):
        return True
    return keys is not None and named in {key.kid for key in keys.keys}

"""Proof that a callback is the hospital's own: RFC 9421 signature with Ed25519 over method, path, RFC 9530 digest."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import http_sf
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    SigningKey,
    VerificationKey,
)
from http_message_signatures.algorithms import ED25519

MAX_AGE = timedelta(minutes=5)
CLOCKS_DIFFER = timedelta(seconds=30)
COVERED = ("@method", "@path", "content-digest", "content-type")
NEEDED = ("@method", "@path", "content-digest")
ORIGIN = "https://caravel.invalid"
"""Stands in where no origin is told: a signature binds the path, and the key belongs to one centre."""
DIGESTS: Mapping[str, Callable[[bytes], Any]] = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
"""The digests of RFC 9530 that prove anything; others beside them are not looked at."""


class BadSignature(Exception):
    """This is not from the hospital, was changed on the way, or is too old; `reason` is safe to log and to show."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class _Message:
    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _OneKey(HTTPSignatureKeyResolver):
    private: Ed25519PrivateKey | None = None
    public: Ed25519PublicKey | None = None

    def resolve_private_key(self, key_id: str) -> SigningKey:
        assert self.private, key_id
        return self.private

    def resolve_public_key(self, key_id: str) -> VerificationKey:
        assert self.public, key_id
        return self.public


class _Verifier(HTTPMessageVerifier):
    """The library's verifier with the clock as an argument; its own reads the machine's."""

    needed = ("created", "keyid", "nonce")

    def __init__(self, key: Ed25519PublicKey, now: datetime) -> None:
        super().__init__(signature_algorithm=ED25519, key_resolver=_OneKey(public=key))
        self._now = now

    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:  # noqa: ANN401  untyped in the library
        """Made within five minutes, not in the future, not expired, with a nonce and a key id."""
        params = sig_input.params
        for name in self.needed:
            if name not in params:
                raise InvalidSignature(f"the signature has no {name}")
        created = _instant(params["created"])
        if created > self._now + CLOCKS_DIFFER:
            raise InvalidSignature("the signature was made in the future")
        if created + (max_age or MAX_AGE) < self._now:
            raise InvalidSignature("the signature is too old")
        if "expires" in params and _instant(params["expires"]) < self._now:
            raise InvalidSignature("the signature has expired")


def _instant(seconds: object) -> datetime:
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise InvalidSignature("a signature's times are whole seconds")
    return datetime.fromtimestamp(seconds, UTC)


def verify(
    headers: Mapping[str, str] | Iterable[tuple[str, str]],
    method: str,
    path: str,
    body: bytes | None,
    key: bytes,
    now: datetime,
    origin: str = ORIGIN,
) -> None:
    """Refuse what `key` (32 bytes, Ed25519) did not sign within five minutes. Raises BadSignature.

    Without the body the digest among the headers is signed and not yet compared. Repeated header lines may be
    given as pairs. A replay within those minutes is caught by the callback's id. `origin` is where we are reached, for
    signatures that cover @authority, @scheme or @target-uri as well: what proxies put in its place does not count.
    """
    lines = headers.items() if isinstance(headers, Mapping) else headers
    message = _Message(method.upper(), origin + path)
    for name, value in lines:
        known = message.headers.get(name.lower())
        message.headers[name.lower()] = value if known is None else f"{known}, {value}"
    try:
        public = Ed25519PublicKey.from_public_bytes(key)
        _Verifier(public, now).verify(message, max_age=MAX_AGE, require_components=NEEDED)
        if body is not None:
            _require_body(message.headers["content-digest"], body)
    except (InvalidSignature, HTTPMessageSignaturesException) as error:
        raise BadSignature(_reason(error)) from None
    except (ValueError, TypeError, OverflowError, RecursionError, http_sf.StructuredFieldError):
        raise BadSignature("malformed") from None


def _require_body(told: str, body: bytes) -> None:
    """Compare the body with what its signed digests say. Raises BadSignature, ValueError."""
    given: Any = http_sf.parse(told.encode(), tltype="dictionary")
    known = {name: value[0] for name, value in given.items() if name in DIGESTS}
    if not known:
        raise BadSignature(f"the digest of the body is neither {' nor '.join(DIGESTS)}")
    if any(DIGESTS[name](body).digest() != value for name, value in known.items()):
        raise BadSignature("the body is not what was signed")


def _reason(error: Exception) -> str:
    """The library's sentence without what it quotes of the stranger's own, else a plain one."""
    text = QUOTED.sub(lambda found: found[0] if found[0][1:-1] in NAMES else '"…"', str(error).strip())
    return text if PLAIN.fullmatch(text) else "the signature does not match"


QUOTED = re.compile(r'"[^"]*"')
PLAIN = re.compile(r"""[A-Za-z0-9 ,.'"…@-]{1,200}""")
NAMES = frozenset(
    {*COVERED, *NEEDED, "created", "expires", "keyid", "nonce", "alg", "tag", "signature", "signature-input"}
)
"""What the library may name: nobody's own word."""


def sign(method: str, path: str, body: bytes, key: Ed25519PrivateKey, key_id: str, now: datetime) -> dict[str, str]:
    """Write the headers that prove a callback: Content-Type, Content-Digest, Signature-Input, Signature."""
    message = _Message(method, ORIGIN + path, {"Content-Type": "application/fhir+json"})
    HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=_OneKey(private=key)).sign(
        message,
        key_id=key_id,
        created=now,
        nonce=secrets.token_urlsafe(16),
        label="hospital",
        covered_component_ids=COVERED,
        body=body,
    )
    return message.headers


def key_id(headers: Mapping[str, str]) -> str:
    """Read which key a message claims to be signed with, before it is proved; empty = it does not say."""
    _, found, rest = next((v for k, v in headers.items() if k.lower() == "signature-input"), "").partition(';keyid="')
    return rest.split('"', maxsplit=1)[0] if found else ""


def shown(key: Ed25519PublicKey) -> str:
    """Return a public key as the catalogue keeps it: base64 of its 32 bytes."""
    return base64.b64encode(key.public_bytes_raw()).decode()


def read_key(text: str) -> bytes:
    """Return the 32 bytes of a public key in the catalogue. Raises ValueError."""
    raw = base64.b64decode(text, validate=True)
    Ed25519PublicKey.from_public_bytes(raw)
    return raw

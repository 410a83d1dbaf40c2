"""The Ed25519 public key a centre's callbacks are checked with: given as PEM, JWK or base64, kept as base64."""

from __future__ import annotations

import base64
import binascii
import json

from domain.core.errors import Reason, Refused, require

BYTES = 32
SPKI = bytes.fromhex("302a300506032b6570032100")
"""How an Ed25519 SubjectPublicKeyInfo begins (RFC 8410); the 32 bytes of the key follow."""
BEGIN, END = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"
FORMS = "an Ed25519 public key as PEM, JWK or base64 of its 32 bytes"


def canonical(text: str, field: str = "callback_key") -> str:
    """Return the same key as base64 of its 32 bytes. Raises Refused, without a word of what was given."""
    given = text.strip()
    require("PRIVATE" not in given, Reason.INVALID, f"never send a private key; {FORMS}", field)
    try:
        raw = _pem(given) if given.startswith("-----") else _jwk(given) if given.startswith("{") else _plain(given)
    except (ValueError, binascii.Error, TypeError):
        raw = b""
    require(len(raw) == BYTES, Reason.INVALID, FORMS, field)
    return base64.b64encode(raw).decode()


def _plain(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _pem(text: str) -> bytes:
    if not (text.startswith(BEGIN) and text.endswith(END)):
        raise ValueError(FORMS)
    der = base64.b64decode("".join(text.removeprefix(BEGIN).removesuffix(END).split()), validate=True)
    return der.removeprefix(SPKI) if der.startswith(SPKI) else b""


def _jwk(text: str) -> bytes:
    """RFC 8037."""
    key = json.loads(text)
    if "d" in key:
        raise Refused(Reason.INVALID, f"never send a private key; {FORMS}", "callback_key")
    if (key.get("kty"), key.get("crv")) != ("OKP", "Ed25519"):
        raise ValueError(FORMS)
    x = str(key["x"])
    return base64.b64decode(x + "=" * (-len(x) % 4), altchars=b"-_", validate=True)

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
    require(not weak(raw), Reason.INVALID, f"under this key anybody's signature would hold; {FORMS}", field)
    return base64.b64encode(raw).decode()


_P = 2**255 - 19
_ROOTS = (0, 1, _P - 1, *(int.from_bytes(bytes.fromhex(y), "little") for y in (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)))  # fmt: skip
"""Where the eight points of low order lie: eight times such a point is the neutral one, whatever was signed."""


def weak(raw: bytes) -> bool:
    """Return whether a signature under this key can be made without any private key (RFC 8032, a point of low order).

    So it is for the neutral point and the seven others of order two, four and eight, however they are written.
    """
    return (int.from_bytes(raw, "little") & (2**255 - 1)) % _P in _ROOTS


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

"""Reads a SMART Health Link, and opens the encrypted files behind it; nothing of the key is in any error."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from typing import Any

import httpx2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from activities.ports import LinkUnusable, SharedFile

SCHEME = "shlink:/"
LONGEST = 8_000
"""Characters of a link; the guide's payloads have a few hundred."""
KEY = 32
TAG = 16
NONCE = 12
LARGEST = 16 * 1024 * 1024
"""Bytes of one file, once it is opened."""
VERSION = 1
UNREADABLE = "is no SMART Health Link that can be read; copy all of it, from shlink:/ on"
BASE64URL = re.compile("[A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class HealthLink:
    """Holds what a link says. Its key opens the files, and its address alone is a secret too: neither is ever shown."""

    url: str = field(repr=False)
    key: bytes = field(repr=False)
    flag: str = ""
    expires: float | None = None

    @property
    def direct(self) -> bool:
        """Return whether its address is that of one file, without a manifest."""
        return "U" in self.flag

    @property
    def asks_passcode(self) -> bool:
        """Return whether it opens with a passcode only."""
        return "P" in self.flag


def decoded(text: str, now: datetime) -> HealthLink:
    """Read a link, with or without the address of a viewer before it. Raises LinkUnusable."""
    plain = text.strip()
    at = plain.find(SCHEME)
    if at < 0 or len(plain) > LONGEST:
        raise LinkUnusable(UNREADABLE)
    told = _object(_bytes(plain[at + len(SCHEME) :], UNREADABLE), UNREADABLE)
    if told.get("v", VERSION) != VERSION:
        raise LinkUnusable("is of a newer version of SMART Health Links than is read here")
    url, key, flag, expires = (told.get(name) for name in ("url", "key", "flag", "exp"))
    if not isinstance(url, str) or not isinstance(key, str) or not isinstance(flag, str | None):
        raise LinkUnusable(UNREADABLE)
    secret = _bytes(key, UNREADABLE)
    if len(secret) != KEY:
        raise LinkUnusable("holds no key of 256 bits")
    link = HealthLink(_address(url), secret, flag or "", _instant(expires))
    if link.expires is not None and link.expires < now.timestamp():
        raise LinkUnusable("has expired; ask for a new one")
    if link.direct and link.asks_passcode:
        raise LinkUnusable("asks for a passcode and for none at once, which no link may")
    return link


def _address(url: str) -> str:
    """The address, as far as it is one. Whether it may be called is checked where it is called."""
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        raise LinkUnusable(UNREADABLE) from None
    if parsed.scheme not in ("https", "http") or not parsed.host or parsed.userinfo or parsed.fragment:
        raise LinkUnusable("leads to no https address")
    return url


def _instant(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LinkUnusable(UNREADABLE)
    try:
        seconds = float(value)
    except OverflowError:
        raise LinkUnusable(UNREADABLE) from None
    if not isfinite(seconds):
        raise LinkUnusable(UNREADABLE)
    return seconds


def opened(jwe: str, key: bytes) -> SharedFile:
    """Open an encrypted file: JWE, `dir`, A256GCM, with or without DEFLATE. Raises LinkUnusable."""
    damaged = "leads to a file that is not encrypted as a SMART Health Link says"
    parts = jwe.strip().split(".")
    if len(parts) != len(("header", "key", "nonce", "text", "tag")) or parts[1]:
        raise LinkUnusable(damaged)
    header = _object(_bytes(parts[0], damaged), damaged)
    nonce, text, tag = (_bytes(part, damaged) for part in parts[2:])
    known = (header.get("alg"), header.get("enc")) == ("dir", "A256GCM") and "crit" not in header
    if not known or header.get("zip") not in (None, "DEF") or (len(nonce), len(tag)) != (NONCE, TAG):
        raise LinkUnusable(damaged)
    try:
        plain = AESGCM(key).decrypt(nonce, text + tag, parts[0].encode())
    except InvalidTag:
        raise LinkUnusable("has a key that does not open its file") from None
    media = header.get("cty")
    return SharedFile(media if isinstance(media, str) else "", _inflated(plain) if header.get("zip") else plain)


def _inflated(packed: bytes) -> bytes:
    """The bytes before DEFLATE (RFC 1951), no more of them than are taken. Raises LinkUnusable."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        plain = stream.decompress(packed, LARGEST + 1)
    except zlib.error:
        raise LinkUnusable("leads to a file that is packed in no way that is read here") from None
    if len(plain) > LARGEST:
        raise LinkUnusable(f"leads to a file of more than {LARGEST >> 20} MiB")
    return plain


def _bytes(text: str, problem: str) -> bytes:
    plain = text.rstrip("=")
    if BASE64URL.fullmatch(plain) is None:
        raise LinkUnusable(problem)
    try:
        return base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except (binascii.Error, ValueError):
        raise LinkUnusable(problem) from None


def _object(body: bytes, problem: str) -> Mapping[str, Any]:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        raise LinkUnusable(problem) from None
    if not isinstance(read, dict):
        raise LinkUnusable(problem)
    return read


def manifest(body: bytes) -> Mapping[str, Any]:
    """Read a manifest. Raises LinkUnusable."""
    return _object(body, "answers with no manifest of files")

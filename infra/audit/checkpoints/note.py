"""Text signed with Ed25519: C2SP signed-note v1.0.0 (https://c2sp.org/signed-note)."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
KEY_HASH, PUBLIC = 4, 32
MOST_SIGNATURES = 100
LARGEST = 1_000_000
"""Bytes."""
DASH = "— "
NAME = re.compile(r"[^\s+]+")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")


class BadNote(ValueError):
    """Not a signed note, or not one to be believed."""


class UnknownKey(BadNote):
    """Well formed, but none of the known keys signed it."""


@dataclass(frozen=True, slots=True)
class Key:
    """Names whose signatures are believed. Raises ValueError for a name or length that cannot be written."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or len(self.public) != PUBLIC or CONTROL.search(self.name):
            raise ValueError("a key has a name without spaces or plus, and 32 bytes")

    @property
    def hash(self) -> bytes:
        """Return the first 4 bytes of SHA-256(name, newline, 0x01, public key)."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:KEY_HASH]

    def __str__(self) -> str:
        """`name+hash+base64(0x01, public key)`, as other tools of this format write it."""
        return f"{self.name}+{self.hash.hex()}+{b64encode(ED25519 + self.public).decode()}"


def parse_key(text: str) -> Key:
    """Parse a key from the form `str` gives it. Raises ValueError."""
    name, _, rest = text.strip().partition("+")
    given, _, encoded = rest.partition("+")
    if not encoded:
        raise ValueError("a key reads NAME+HASH+BASE64, as `caravel audit keys` prints it")
    content = from_base64(encoded)
    if content[:1] != ED25519:
        raise ValueError("only Ed25519 keys are known here")
    key = Key(name, content[1:])
    if key.hash.hex() != given:
        raise ValueError(
            "the key is mistyped or changed: its hash, between the two +, is not that of its name and bytes"
        )
    return key


@dataclass(frozen=True, slots=True)
class Signature:
    """Holds one signature line; `key_hash` and `name` say whose it claims to be."""

    name: str
    key_hash: bytes
    content: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note; nothing of it is believed before `verify`."""

    text: str
    signatures: tuple[Signature, ...]


def key_of(name: str, private: Ed25519PrivateKey) -> Key:
    """Return the public half of a private key, under this name."""
    return Key(name, private.public_key().public_bytes_raw())


def sign(text: str, *signers: tuple[str, Ed25519PrivateKey]) -> str:
    """Write the note of `text`, which ends in a newline, with a line for each (name, key). Raises ValueError."""
    if not text.endswith("\n") or CONTROL.search(text):
        raise ValueError("a note's text ends in a newline and has no control characters")
    lines = [_line(key_of(name, private), private.sign(text.encode())) for name, private in signers]
    return f"{text}\n{''.join(lines)}"


def _line(key: Key, signature: bytes) -> str:
    return f"{DASH}{key.name} {b64encode(key.hash + signature).decode()}\n"


def parse(note: bytes) -> Note:
    """Parse a signed note strictly. Raises BadNote."""
    if len(note) > LARGEST:
        raise BadNote("longer than a note may be")
    try:
        whole = note.decode()
    except UnicodeDecodeError:
        raise BadNote("not UTF-8") from None
    text, separator, block = whole.rpartition("\n\n")
    if not separator or not block.endswith("\n") or CONTROL.search(whole):
        raise BadNote("a note is text, an empty line, and signatures, without control characters")
    lines = block[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise BadNote("more signatures than a note may have")
    return Note(text + "\n", tuple(_signature(line) for line in lines))


def _signature(line: str) -> Signature:
    found = LINE.fullmatch(line)
    if not found:
        raise BadNote("a signature line is a dash, a name and base64")
    content = from_base64(found[2])
    if len(content) <= KEY_HASH:
        raise BadNote("a signature has a key hash and something after it")
    return Signature(found[1], content[:KEY_HASH], content[KEY_HASH:])


def from_base64(text: str) -> bytes:
    """Decode the one text that stands for these bytes, so nothing signed can be written twice. Raises BadNote."""
    try:
        content = b64decode(text, validate=True)
    except (NotBase64, ValueError):
        raise BadNote("not base64") from None
    if b64encode(content).decode() != text:
        raise BadNote("base64 with stray bits")
    return content


def verify(note: Note, known: Iterable[Key]) -> Sequence[Key]:
    """Return who of the known signed it, at least one. A known key's bad signature spoils the note. Raises BadNote."""
    keys = {(key.name, key.hash): key for key in known}
    named = [(keys.get((line.name, line.key_hash)), line) for line in note.signatures]
    signers = {key: line for key, line in named if key}
    for key, line in named:
        if key and not _signed(key, note.text, line.content):
            raise BadNote(f"the signature of {key.name} is not by its key")
    if not signers:
        raise UnknownKey("no known key signed it")
    return list(signers)


def _signed(key: Key, text: str, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, text.encode())
    except InvalidSignature:
        return False
    return True

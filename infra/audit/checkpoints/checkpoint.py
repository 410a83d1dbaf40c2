"""Writes and reads what a checkpoint says: C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint)."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.proof.merkle import HASH
from infra.audit.checkpoints.note import BadNote, Key, from_base64, parse, sign, verify

SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
LINES = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The root of the first `size` events of the log `origin`.

    `extensions` are lines of others: kept, because they are signed, never interpreted. Caravel writes none.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """Write the text whose bytes are signed."""
        lines = (self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def origin_of(installation: str) -> str:
    """Return the log's name, and that of its keys: `caravel/<installation>`, percent-encoded."""
    return f"caravel/{quote(installation, safe='')}"


def parse_text(text: str) -> Checkpoint:
    """Parse the text of a checkpoint strictly. Raises BadNote."""
    lines = text.removesuffix("\n").split("\n")
    if not text.endswith("\n") or len(lines) < LINES or not all(lines):
        raise BadNote("a checkpoint is an origin, a size and a root, none of them empty")
    origin, size, root, *extensions = lines
    if not SIZE.fullmatch(size):
        raise BadNote("a size is a decimal number without leading zeros")
    return Checkpoint(origin, int(size), _root(root), tuple(extensions))


def _root(text: str) -> bytes:
    root = from_base64(text)
    if len(root) != HASH:
        raise BadNote(f"a root is {HASH} bytes")
    return root


def signed(checkpoint: Checkpoint, private: Ed25519PrivateKey) -> str:
    """Return the note, signed in the log's own name."""
    return sign(checkpoint.text(), (checkpoint.origin, private))


def opened(note: bytes, origin: str, known: Iterable[Key]) -> Checkpoint:
    """Return a checkpoint of this log that a known key of it signed. Raises BadNote, of which UnknownKey is one."""
    found = parse(note)
    verify(found, known)
    checkpoint = parse_text(found.text)
    if checkpoint.origin != origin:
        raise BadNote(f"a checkpoint of another log: {checkpoint.origin}")
    return checkpoint

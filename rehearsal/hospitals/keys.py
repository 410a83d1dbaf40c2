"""The simulated hospitals' signing keys: one secret file per installation, an Ed25519 key per centre out of it."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from infra.hospitals.callbacks import shown

NAME = "simulated-hospitals.key"
BYTES = 32


class HospitalKeys:
    """The keys in `folder`, made there once; several processes may share it."""

    def __init__(self, folder: Path) -> None:
        self._secret = _secret(folder)

    def private(self, centre: str) -> Ed25519PrivateKey:
        """Return the key this centre signs its callbacks with."""
        derived = HKDF(SHA256(), BYTES, salt=None, info=f"caravel simulator {centre}".encode()).derive(self._secret)
        return Ed25519PrivateKey.from_private_bytes(derived)

    def public(self, centre: str) -> str:
        """Return the public key as the catalogue keeps it: base64 of 32 bytes."""
        return shown(self.private(centre).public_key())


def _secret(folder: Path) -> bytes:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / NAME
    if not file.exists():
        draft = folder / f".{secrets.token_hex(8)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            new.write(secrets.token_bytes(BYTES))
            new.flush()
            os.fsync(new.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
        draft.unlink()
    return file.read_bytes()

"""Text that leaves in somebody's own page and comes back: nobody reads or changes it on the way, and it ages."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from datetime import timedelta
from time import time

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from activities.ports import Keys
from domain.core.personal import KeyClass

STREAM = "console-forms"
CLASS: KeyClass = "identity"
NONCE, INSTANT = 12, 8
LASTS = timedelta(days=1)
"""After that long, what was kept is no longer opened."""


class SealedText:
    """Closes and opens text with a key of the key service, so that every process of the installation can.

    What is closed for one `stream` opens for no other.
    """

    def __init__(self, keys: Keys, stream: str = STREAM, lasts: timedelta = LASTS) -> None:
        self._keys, self._stream, self._lasts = keys, stream, lasts

    async def close(self, text: str) -> str:
        """Seal a text and return it URL-safe."""
        nonce, instant = secrets.token_bytes(NONCE), int(time()).to_bytes(INSTANT)
        ciphertext = AESGCM(await self._key()).encrypt(nonce, text.encode(), instant)
        return urlsafe_b64encode(nonce + instant + ciphertext).decode()

    async def open(self, sealed: str) -> str:
        """Open a sealed text. Raises ValueError for what we did not seal, or too long ago."""
        try:
            whole = urlsafe_b64decode(sealed)
            nonce, instant = whole[:NONCE], whole[NONCE : NONCE + INSTANT]
            text = AESGCM(await self._key()).decrypt(nonce, whole[NONCE + INSTANT :], instant).decode()
        except (Error, InvalidTag, ValueError):
            raise ValueError("nothing that was sealed here") from None
        if time() - int.from_bytes(instant) > self._lasts.total_seconds():
            raise ValueError("sealed too long ago")
        return text

    async def _key(self) -> bytes:
        return (await self._keys.for_sealing(self._stream, [CLASS]))[CLASS].secret

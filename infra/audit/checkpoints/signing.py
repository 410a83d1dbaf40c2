"""The log's own keys: a folder with the private key in use and an announcement of every key there ever was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra.audit.checkpoints.note import BadNote, Key, key_of, parse, parse_key, sign, verify
from infra.files import create, sync_folder

TITLE = "caravel signing key"
FIRST = 1


class SigningKeys:
    """Key number n is announced in a note that it and the key before it signed; the newest announced one signs.

    Several processes may share the folder. A key belongs to one log: its name is the log's origin.
    """

    def __init__(self, folder: Path, origin: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self.origin = origin

    def current(self) -> Ed25519PrivateKey:
        """Return the key that signs now; the first is made when there is none. Raises OSError, ValueError."""
        numbers = self._announced()
        if not numbers:
            return self._introduce(FIRST, [])
        return self._private(numbers[-1])

    def rotate(self, kept: Iterable[tuple[int, str]] = ()) -> Key:
        """A new key signs from now on; the old private key is destroyed. Cut short, it is finished by the next call.

        `kept`: announcements from where checkpoints are kept. Where an older copy of this folder was put back, the
        newest private key in it vouches for the new one. Raises BadNote, OSError.
        """
        if self._announced():
            self._adopt(kept)
        else:
            self.current()
        numbers, here = self._announced(), self._here()
        old = self._private(here[-1] if here else numbers[-1])
        new = self._introduce(numbers[-1] + 1, [(self.origin, old)])
        self.forget_replaced()
        return key_of(self.origin, new)

    def forget_replaced(self) -> None:
        """Destroy the private keys before the newest; a backup may have brought one back."""
        for earlier in self._here()[:-1]:
            self._file(earlier).unlink(missing_ok=True)
        sync_folder(self._folder)

    def _here(self) -> list[int]:
        return [number for number in self._announced() if self._file(number).exists()]

    def _adopt(self, kept: Iterable[tuple[int, str]]) -> None:
        """Know of the keys that were announced outside and are not here, so that no number is given twice."""
        notes = dict(kept)
        chained(notes.items(), self.origin, self.known())
        for number, note in notes.items():
            if create(self._note(number), note.encode()) != note.encode():
                raise BadNote(f"another key {number} was announced outside")

    def announcements(self) -> Sequence[tuple[int, str]]:
        """Return (number, note) of every key, to be published beside the checkpoints."""
        return [(number, self._note(number).read_text()) for number in self._announced()]

    def known(self) -> Sequence[Key]:
        """Return every key of this log; what stands in our own folder is believed."""
        return [announced(note, number, self.origin) for number, note in self.announcements()]

    def _introduce(self, number: int, earlier: list[tuple[str, Ed25519PrivateKey]]) -> Ed25519PrivateKey:
        fresh = Ed25519PrivateKey.generate().private_bytes_raw()
        private = Ed25519PrivateKey.from_private_bytes(create(self._file(number), fresh))
        text = f"{TITLE}\n{number}\n{key_of(self.origin, private)}\n"
        create(self._note(number), sign(text, *earlier, (self.origin, private)).encode())
        return private

    def _private(self, number: int) -> Ed25519PrivateKey:
        file = self._file(number)
        if file.stat().st_mode & 0o077:
            raise PermissionError("the signing key can be read by others; make its mode 0600")
        return Ed25519PrivateKey.from_private_bytes(file.read_bytes())

    def _announced(self) -> list[int]:
        return sorted(int(file.suffix[1:]) for file in self._folder.glob("announced.*"))

    def _file(self, number: int) -> Path:
        return self._folder / f"private.{number}"

    def _note(self, number: int) -> Path:
        return self._folder / f"announced.{number}"


def announced(note: str, number: int, origin: str, by: Iterable[Key] = ()) -> Key:
    """Return the key a note announces, signed by itself and, where `by` is given, by one of those. Raises BadNote."""
    found = parse(note.encode())
    title, said, text, *rest = found.text.split("\n")
    key = _key(text)
    if (title, said, key.name, rest) != (TITLE, str(number), origin, [""]):
        raise BadNote(f"no announcement of key {number} of {origin}")
    verify(found, [key])
    if trusted := list(by):
        verify(found, trusted)
    return key


def _key(text: str) -> Key:
    try:
        return parse_key(text)
    except ValueError as error:
        raise BadNote(str(error)) from None


def chained(notes: Iterable[tuple[int, str]], origin: str, anchors: Iterable[Key]) -> Sequence[Key]:
    """Return the anchors and every key that one of them, or a key they led to, vouched for. Raises BadNote."""
    believed = list(anchors)
    for number, note in sorted(notes):
        key = announced(note, number, origin)
        if key not in believed:
            believed.append(announced(note, number, origin, believed))
    return believed

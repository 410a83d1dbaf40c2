"""A mapping that grows by one entry without being copied: earlier states go on seeing what they held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from threading import Lock
from typing import TypeVar

T = TypeVar("T")
GROWING = Lock()
"""Held while entries are shared with a newer state: two threads may go on from one."""


class Appended(Mapping[str, T]):
    """Holds what it held when it was made; a newer state shares its entries and sees further ones behind them.

    Whoever goes on from an older state, or gives a key another value, gets entries of their own, copied once.
    """

    __slots__ = ("_at", "_keys", "_size")

    def __init__(self, entries: Mapping[str, T]) -> None:
        self._keys = list(entries)
        self._at = {key: (n, value) for n, (key, value) in enumerate(entries.items())}
        self._size = len(self._keys)

    def __getitem__(self, key: str) -> T:
        place, value = self._at[key]
        if place >= self._size:  # of a newer state
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[str]:
        return islice(self._keys, self._size)

    def __len__(self) -> int:
        return self._size

    def __repr__(self) -> str:
        """As the dictionary of the same entries."""
        return repr(dict(self))

    def _with(self, key: str, value: T) -> Appended[T]:
        with GROWING:
            if len(self._keys) == self._size and key not in self._at:
                self._at[key] = self._size, value
                self._keys.append(key)
                new: Appended[T] = object.__new__(Appended)
                new._keys, new._at, new._size = self._keys, self._at, self._size + 1
                return new
        return Appended({**self, key: value})


def appended(entries: Mapping[str, T], key: str, value: T) -> Mapping[str, T]:
    """Return the entries with one more; the mapping given stays as it was."""
    return (entries if isinstance(entries, Appended) else Appended(entries))._with(key, value)  # noqa: SLF001 - its own file

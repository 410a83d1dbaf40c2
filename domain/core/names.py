"""Compares names of people as they are written."""

from __future__ import annotations

import unicodedata


def folded(name: str) -> tuple[str, ...]:
    """Return the words of a name without case, accents and points."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return tuple(letters.split())

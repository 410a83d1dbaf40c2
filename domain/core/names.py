"""Compares names of people as they are written, and tells whether anything of a text shows."""

from __future__ import annotations

import unicodedata

_PLAIN = str.maketrans(
    {
        "ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th",  # noqa: RUF001
        "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ہ": "ه", "ـ": None,  # noqa: RUF001
    }
)  # fmt: skip
"""Letters that no decomposition makes plain, and Arabic ones that are written for one another; a stretch is none."""
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Characters that are no white space and show nothing."""


def folded(name: str) -> tuple[str, ...]:
    """Return the words of a name without case, accents and points; vowel signs that stand in a line stay."""
    plain = unicodedata.normalize("NFKD", name.casefold()).translate(_PLAIN)
    letters = "".join(c if c.isalnum() or _sign(c) else " " for c in plain if not unicodedata.combining(c))
    return tuple(letters.split())


def _sign(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def visible(text: str) -> str:
    """Return what of a text shows: no white space, no control, no format and no filler characters."""
    return "".join(one for one in text if one not in _BLANK and unicodedata.category(one)[0] not in "ZC")

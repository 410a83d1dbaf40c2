"""Says which form of a counted thing a number takes: the cardinal rules of the Unicode CLDR for our languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def _english(n: int) -> str:
    return "one" if n == 1 else "other"


def _arabic(n: int) -> str:
    small = {0: "zero", 1: "one", 2: "two"}
    if n in small:
        return small[n]
    rest = n % 100
    return "few" if 3 <= rest <= 10 else "many" if rest >= 11 else "other"  # noqa: PLR2004 - the table of the CLDR


FORMS: Mapping[str, Callable[[int], str]] = {"en": _english, "ar": _arabic}


def form_of(language: str, n: int) -> str:
    """zero, one, two, few, many or other; a language without a rule has only `other`, as Chinese has."""
    return FORMS[language](n) if language in FORMS else "other"

"""Names countries, currencies, languages and time zones in the reader's language, for fields that take their codes.

The names are those of the Unicode CLDR, which Babel brings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from zoneinfo import available_timezones

from babel import Locale

from api.console.forms.fields import Option
from domain.core.codes import COUNTRIES, CURRENCIES

LANGUAGE_FIELDS = ("language", "into", "interpreter_language", "language_from", "language_to")
CONTINENTS = frozenset({"Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"})
LEGACY = frozenset({"Asia/Calcutta", "Asia/Saigon", "Asia/Katmandu", "Asia/Rangoon", "Asia/Dacca", "Asia/Chongqing"})
"""Older names that the newer ones stand beside."""
LETTERS = 2
"""Letters of the codes of ISO 639-1; whoever needs another writes it over the API."""


@cache
def coded(language: str) -> Mapping[str, Sequence[Option]]:
    """Return the choices by the name of the field, by name; a code that has no name there stands for itself."""
    known = Locale.parse(language)
    tongues = {code: name for code, name in known.languages.items() if len(code) == LETTERS}
    unknown = known.languages.get("und", "und")
    languages = [*_by_name(tongues), ("und", unknown)]
    zones = sorted(zone for zone in available_timezones() - LEGACY if zone.partition("/")[0] in CONTINENTS)
    return {
        "country": _by_name({code: known.territories.get(code, code) for code in COUNTRIES}),
        "currency": _by_name({code: f"{known.currencies.get(code, code)} ({code})" for code in CURRENCIES}),
        "zone": [(zone, zone.replace("_", " ")) for zone in (*zones, "UTC")],
        **dict.fromkeys(LANGUAGE_FIELDS, languages),
    }


def _by_name(names: Mapping[str, str]) -> Sequence[Option]:
    return sorted(names.items(), key=lambda option: option[1].casefold())

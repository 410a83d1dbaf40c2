"""Every visible text by key and language; what a language lacks is shown in English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from fastapi import Request

from api.forms import words

TEXTS = Path(__file__).with_name("texts")
LANGUAGE = "caravel_language"
RIGHT_TO_LEFT = frozenset({"ar", "he", "fa", "ur"})
ENGLISH = "en"


@cache
def languages() -> Mapping[str, str]:
    """Code and own name of every language there is a file for, English first."""
    codes = sorted((file.stem for file in TEXTS.glob("*.yaml")), key=lambda code: (code != ENGLISH, code))
    return {code: _texts(code)["language.name"] for code in codes}


@cache
def _texts(language: str) -> Mapping[str, str]:
    found = yaml.safe_load((TEXTS / f"{language}.yaml").read_text(encoding="utf-8"))
    return {key: str(text) for key, text in _flat(found, "")}


def _flat(tree: Mapping[str, object], above: str) -> Sequence[tuple[str, object]]:
    pairs: list[tuple[str, object]] = []
    for key, value in tree.items():
        pairs += _flat(value, f"{above}{key}.") if isinstance(value, Mapping) else [(f"{above}{key}", value)]
    return pairs


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language: call it with a key, and with what goes into the text."""

    language: str

    @property
    def direction(self) -> str:
        """How it is written."""
        return "rtl" if self.language in RIGHT_TO_LEFT else "ltr"

    def __call__(self, key: str, **given: object) -> str:
        """The text. A key that nobody wrote is a mistake of ours: KeyError."""
        text = _texts(self.language).get(key) or _texts(ENGLISH)[key]
        return text.format(**given) if given else text

    def named(self, kind: str, name: object) -> str:
        """The words for a name of the domain; a name without words of its own is taken apart."""
        key = f"{kind}.{name}"
        return _texts(self.language).get(key) or _texts(ENGLISH).get(key) or words(str(name))

    def own(self, kind: str, name: str) -> str:
        """The words for a name in this language alone; empty where there are none."""
        return _texts(self.language).get(f"{kind}.{name}", "")

    def number(self, kind: str, count: int) -> str:
        """A counted thing: `one` and `many` of a key."""
        return self(f"{kind}.one" if count == 1 else f"{kind}.many", n=count)


def texts_for(request: Request) -> Texts:
    """By the cookie of the choice, then by what the browser asks for."""
    chosen = request.cookies.get(LANGUAGE, "")
    asked = [chosen, *_accepted(request.headers.get("accept-language", "")[:200])]
    return Texts(next((one for one in asked if one in languages()), ENGLISH))


def _accepted(header: str) -> Sequence[str]:
    """Primary tags in the order they are wanted (RFC 9110 section 12.5.4)."""
    weighed: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weighed.append((-float(quality or 1), tag.split("-")[0].lower()))
        except ValueError:
            continue
    return [tag for _, tag in sorted(weighed, key=lambda one: one[0])]

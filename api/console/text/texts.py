"""Every visible text by key and language; what a language lacks is shown in English and marked as such."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unicodedata import bidirectional

import yaml
from fastapi import Request

from api.console.text.plurals import form_of
from api.http.form_json import words

TEXTS = Path(__file__).with_name("texts")
LANGUAGE = "caravel_language"
RIGHT_TO_LEFT = frozenset({"ar", "he", "fa", "ur"})
ENGLISH = "en"
FOREIGN, NATIVE = "\ue000", "\ue001"
"""Stand around a text of another language than the page's until `marked` makes them elements."""
ISOLATE, POP = "\u2068", "\u2069"
"""Unicode's isolates: what is put into a right-to-left text keeps its own direction, in titles and labels too."""
SAME: Mapping[str, str] = {
    "debtor": "party", "creditor": "party", "to": "party", "source": "party", "before": "stage", "kinds": "kind",
    "trial_pays": "field", "record": "kind", "role": "person", "consent": "purpose", "exit": "reason",
    "neurologic": "new_cancer", "autoimmune": "new_cancer", "haematologic": "new_cancer",
    "serious_infection": "new_cancer", "pregnancy": "new_cancer", "other_treatment": "new_cancer",
}  # fmt: skip
"""Names of fields whose words are those of another."""
PARTS = re.compile(r"<(title|option|textarea)\b.*?</\1>|<[^>]*>|[^<]+", re.DOTALL)


@cache
def languages() -> Mapping[str, str]:
    """Return code and own name of every language there is a file for, English first."""
    codes = sorted((file.stem for file in TEXTS.glob("*.yaml")), key=lambda code: (code != ENGLISH, code))
    return {code: _texts(code)["language.name"] for code in codes}


@cache
def _texts(language: str) -> Mapping[str, str]:
    """The pages' own texts, and the words for the names of the domain."""
    files = (TEXTS / f"{language}.yaml", TEXTS / "words" / f"{language}.yaml")
    trees = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files if file.exists()]
    return {key: str(text) for tree in trees for key, text in _flat(tree, "")}


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
        """Return `ltr` or `rtl`, how the language is written."""
        return "rtl" if self.language in RIGHT_TO_LEFT else "ltr"

    def __call__(self, key: str, **given: object) -> str:
        """The text, in the form that `n` asks for. A key that nobody wrote is a mistake of ours: KeyError."""
        own = _found(self.language, key, given)
        if own is None:
            english = _found(ENGLISH, key, given)
            if english is None:
                raise KeyError(key)
            return self.english(english.format(**given) if given else english)
        apart = {name: self._apart(value) for name, value in given.items()}
        return own.format(**apart) if apart else own

    def named(self, kind: str, name: object) -> str:
        """Return the words for a name of the domain; a name without words of its own is taken apart."""
        return self.own(kind, str(name)) or self.english(_word(ENGLISH, kind, str(name)) or words(str(name)))

    def own(self, kind: str, name: str) -> str:
        """Return the words for a name in this language alone; empty where there are none."""
        return _word(self.language, kind, name)

    def english(self, text: str) -> str:
        """Return a text that there is in English only."""
        return text if self.language == ENGLISH or not text else f"{FOREIGN}{text}{NATIVE}"

    def _apart(self, value: object) -> object:
        """What begins in the direction of the text stands as it is, or a date would be read from its wrong end."""
        if self.direction == "ltr" or not isinstance(value, str):
            return value
        first = next((way for way in map(bidirectional, value) if way in ("L", "R", "AL")), "")
        return value if first in ("R", "AL") else f"{ISOLATE}{value}{POP}"


def _found(language: str, key: str, given: Mapping[str, object]) -> str | None:
    known, n = _texts(language), given.get("n")
    forms = (f"{key}.{form_of(language, n)}", f"{key}.other") if isinstance(n, int) else ()
    return next((known[one] for one in (*forms, key) if one in known), None)


def _word(language: str, kind: str, name: str) -> str:
    known = _texts(language)
    return known.get(f"{kind}.{name}", "") or known.get(f"{SAME.get(kind, kind)}.{name}", "")


def marked(page: str) -> str:
    """English texts of a page in another language become elements that say so, where elements can stand."""
    return PARTS.sub(_marked, page) if FOREIGN in page else page


def _marked(part: re.Match[str]) -> str:
    before, after = ("", "") if part[0].startswith("<") else ('<bdi lang="en">', "</bdi>")
    return part[0].replace(FOREIGN, before).replace(NATIVE, after)


def texts_for(request: Request) -> Texts:
    """Choose the language by the cookie of the choice, then by what the browser asks for."""
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

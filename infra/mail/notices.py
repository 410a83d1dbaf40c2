"""The words Caravel sends to people: short, neutral, in the reader's language; their texts are data in texts/."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

import yaml

from domain.case.costs import Costs, items

LANGUAGES = ("en", "zh", "ar")
TEXTS = Path(__file__).with_name("texts")
TONGUES = frozenset({"language_from", "language_to", "into"})
"""Facts that are codes of languages."""
CODED = frozenset({"kind", "payer", "mode", "setting"})
"""Details that are codes."""
QUESTION = "question"
"""The one-question mail that stands for every request to a hospital without an interface of its own."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Holds what a person reads."""

    subject: str = field(repr=False)
    body: str = field(repr=False)


class CannotSay(Exception):
    """There is no text for this, or a fact it needs is missing; names the kind and the fact, never a value."""


def compose(kind: str, language: str, facts: Mapping[str, Any]) -> Notice:
    """Return the notice in that language, in English where there is none. Raises CannotSay.

    `what` and languages are codes that the texts know words for; instants and days are written out, in the zone they
    carry.
    """
    spoken = _known(language)
    texts = _texts(spoken)
    known = (texts[part].get(kind) for part in ("notices", "changes", "chases", "visits"))
    template = next((one for one in known if one), None)
    if template is None and kind in texts["questions"]:
        template = texts["notices"][QUESTION]
    if template is None:
        raise CannotSay(f"no text for {kind}")
    said = {name: _written(name, value, spoken) for name, value in facts.items()}
    if kind in texts["questions"]:
        said["question"] = _filled(kind, texts["questions"][kind], said)
    return Notice(_filled(kind, template["subject"], said), _filled(kind, template["body"], said) + texts["signature"])


def kinds() -> frozenset[str]:
    """Return every kind of effect there is a notice for."""
    texts = _texts("en")
    return frozenset(texts["notices"]) - {QUESTION} | frozenset(texts["questions"])


def _known(language: str) -> str:
    short = language.replace("_", "-").split("-", maxsplit=1)[0].lower()
    return short if short in LANGUAGES else LANGUAGES[0]


@cache
def _texts(language: str) -> Mapping[str, Any]:
    read: Mapping[str, Any] = yaml.safe_load((TEXTS / f"{language}.yaml").read_text("utf-8"))
    return read


def _written(name: str, value: object, language: str) -> str:
    if name == "what":
        words: Mapping[str, str] = _texts(language)["words"]
        return words.get(str(value), words["other"])
    if isinstance(value, Costs):
        return _priced(value, language)
    if isinstance(value, Mapping | tuple):
        return _listed(value, language)
    if name in TONGUES:
        tongues: Mapping[str, str] = _texts(language)["tongues"]
        return tongues.get(str(value).split("-", maxsplit=1)[0].lower(), str(value))
    if isinstance(value, date):
        form = "instant" if isinstance(value, datetime) else "day"
        return value.strftime(_texts(language)["forms"][form])
    return str(value)


def _listed(details: Mapping[str, Any] | tuple[datetime, ...], language: str) -> str:
    """Each detail that is known, or each of several times, on a line; a code in words, a language by its name."""
    if isinstance(details, tuple):
        return "\n".join(f"- {_written('', one, language)}" for one in details)
    words: Mapping[str, Any] = _texts(language)["details"]
    lines = ((name, value) for name, value in details.items() if value not in ("", None))
    return "\n".join(f"- {words['names'][name]}: {_detail(name, value, language)}" for name, value in lines)


def _detail(name: str, value: object, language: str) -> str:
    codes: Mapping[str, str] = _texts(language)["details"]["codes"]
    return codes.get(str(value), "") if name in CODED else _written(name, value, language)


def _priced(costs: Costs, language: str) -> str:
    """Every line of an estimate or a price, and last what the family pays in all."""
    words: Mapping[str, str] = _texts(language)["costs"]
    lines = [
        f"- {words[kind]}: {words['trial'] if item.trial else _range(item.low, item.high, costs.currency)}"
        for kind, item in items(costs).items()
    ]
    return "\n".join([*lines, f"{words['total']}: {_range(costs.low, costs.high, costs.currency)}"])


def _range(low: int, high: int, currency: str) -> str:
    return f"{low:,} {currency}" if low == high else f"{low:,} - {high:,} {currency}"


def _filled(kind: str, text: str, said: Mapping[str, str]) -> str:
    try:
        return Template(text).substitute(said)
    except KeyError as missing:
        raise CannotSay(f"{kind} needs {missing.args[0]}") from None

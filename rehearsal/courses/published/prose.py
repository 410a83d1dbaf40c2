"""Reads a correction told in a sentence: which kinds, days and values it names, and what it puts instead."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rehearsal.courses.published.kinds import KINDS, MEANT

SENTENCES = ("of", "corrects", "target", "what", "note", "text", "reason")
DAY = re.compile(r"\bday\s*([+-]?[0-9]+)\b", re.IGNORECASE)
GRADE = re.compile(r"\b(?:to|now|as|was|is|actually)\s+grade\s*([0-5])\b", re.IGNORECASE)
INSTEAD = re.compile(r"\b(?:to|as|now|actually)\s+(?!grade\b)(.+?)(?:\s+(?:after|by|on|at)\b|[,;.()]|$)", re.IGNORECASE)


def prose(fields: Mapping[str, Any]) -> str:
    """Return what the correction says in sentences; single words are values."""
    said = (fields.get(name) for name in SENTENCES)
    return "; ".join(text for text in said if isinstance(text, str) and " " in text.strip())


def kinds_in(text: str) -> set[str]:
    """Return every kind the text has a word for."""
    words = {kind: (kind, *MEANT.get(kind, ())) for kind in KINDS if kind != "correction"}
    return {kind for kind, names in words.items() if any(_said(name.replace("_", " "), text) for name in names)}


def days_in(text: str) -> Sequence[int]:
    """Find every `day 28` of the text."""
    return [int(number) for number in DAY.findall(text)]


def mentions(text: str, fields: Mapping[str, Any]) -> bool:
    """Return whether the text names a value of an event."""
    return any(isinstance(value, str) and _said(value, text) for value in fields.values())


def reworded(text: str, said_of: Sequence[str]) -> dict[str, Any]:
    """Return what a correction in prose changes, field → value; else the sentence itself, beside what was told."""
    grade = GRADE.search(text) if "grade" in said_of else None
    if grade:
        return {"grade": int(grade[1])}
    instead = INSTEAD.search(text)
    return {said_of[0]: instead[1].strip()} if instead else {"correction": text}


def _said(word: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None

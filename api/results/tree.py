"""Reads parts of a FHIR resource as far as they are what they should be: nothing in it is trusted to have its type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Tree = Mapping[str, Any]
LONGEST = 200
"""Characters of a number or short text that are read."""
WORDS = 1_000
"""Characters of what something is called."""


def tree(one: Tree, name: str) -> Tree:
    """Return an object in an object; empty where there is none."""
    found = one.get(name)
    return found if isinstance(found, dict) else {}


def text(one: Tree, name: str, longest: int = LONGEST) -> str:
    """Return a text without white space around it, cut at its longest; empty where there is none."""
    found = one.get(name)
    return found.strip()[:longest] if isinstance(found, str) else ""


def items(value: object) -> Sequence[Any]:
    """Return a list, whatever stands in it; empty where it is none."""
    return value if isinstance(value, list) else ()


def objects(one: Tree, name: str) -> Sequence[Tree]:
    """Return the objects of a list in an object."""
    return [each for each in items(one.get(name)) if isinstance(each, dict)]


def label(concept: Tree) -> str:
    """Return the words of a CodeableConcept: its own, else those of its first coding that has some."""
    own = text(concept, "text", WORDS)
    return own or next((said for c in objects(concept, "coding") if (said := text(c, "display", WORDS))), "")


def codes(concept: Tree, system: str) -> Iterator[str]:
    """Yield the codes a CodeableConcept has in a system."""
    for one in objects(concept, "coding"):
        if one.get("system") == system:
            yield text(one, "code")


def first_code(concept: Tree) -> str:
    """Return `system|code` of the first coding that has both; empty = none has."""
    found = ((text(c, "system"), text(c, "code")) for c in objects(concept, "coding"))
    return next((f"{system}|{code}" for system, code in found if system and code), "")


def number(value: object) -> str:
    """Return a JSON number as it is written, which a `Decimal` keeps."""
    return str(value).strip()[:LONGEST]


def kind_of(one: object) -> str:
    """Return the type of a resource; "entry" where it has none that FHIR could have."""
    kind = one.get("resourceType") if isinstance(one, dict) else None
    return kind if isinstance(kind, str) and kind.isascii() and kind.isalpha() and kind[0].isupper() else "entry"


def changing(one: Tree) -> str:
    """Return what of a resource changes the meaning of the rest: by FHIR not to be read by whoever does not know it."""
    return next((name for name in ("modifierExtension", "implicitRules") if one.get(name)), "")


def changing_within(one: Tree) -> str:
    """Return the same of a resource and of all parts of it but resources of their own; empty = nothing does."""
    waiting: list[Any] = [{name: value for name, value in one.items() if name != "contained"}]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if part.get("modifierExtension"):
                return "modifierExtension"
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return "implicitRules" if one.get("implicitRules") else ""

"""Tells whether two cases are probably of one person: by name, birth date and contact [people.duplicates]."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from domain.case.phases.links import Births
from domain.core.names import folded
from domain.core.personal import readable
from domain.criteria.observation import birth_days

Ground = Literal["name", "birth", "contact"]
DIGITS = 8
"""The last digits of a telephone number that tell it apart however its country code is written."""
ENOUGH = 2
"""Words of a name that say it is the same though the other has more."""
A_DAY = len("2001-12-31")


@dataclass(frozen=True, slots=True)
class Described:
    """Says of one patient what duplicates are told by; what is not known or erased is empty."""

    name: tuple[str, ...] = ()
    birth: str = ""
    contacts: frozenset[str] = frozenset()

    @property
    def scripts(self) -> frozenset[str]:
        """Return the writing systems of the name, such as LATIN or ARABIC."""
        return frozenset(unicodedata.name(c, "").split(" ")[0] for word in self.name for c in word if c.isalpha())


def described(name: object, birth: object, *contacts: object) -> Described:
    """Return what is known of a patient, in a form that can be compared; an unreadable value counts as unknown."""
    ways = (_contact(str(one)) for one in contacts if readable(one))
    told = str(birth) if readable(birth) else ""
    return Described(folded(str(name)) if readable(name) else (), told, frozenset(way for way in ways if way))


def _contact(text: str) -> str:
    if "@" in text:
        return text.strip().casefold()
    digits = "".join(str(unicodedata.digit(c)) for c in text if c.isdigit())
    return digits[-DIGITS:] if len(digits) >= DIGITS else ""


def grounds(one: Described, other: Described) -> Sequence[Ground]:
    """Return why two descriptions are probably of one person; empty = probably not.

    One address or number is enough. One name is, however it is parted into words, unless the birth dates exclude it;
    where one name has words more, the other has at least two. One day of birth is, with a word of the name in common
    or with names in different scripts, which cannot be compared.
    """
    birth = _birth(one.birth, other.birth)
    found: list[Ground] = ["contact"] if one.contacts & other.contacts else []
    fewer, more = sorted((frozenset(one.name), frozenset(other.name)), key=len)
    joined = "".join(one.name) == "".join(other.name)
    alike = fewer == more or joined or (len(fewer) >= ENOUGH and fewer <= more)
    if fewer and alike and birth != "other":
        found.append("name")
    told_apart = bool(one.scripts & other.scripts)
    if birth == "same day" and (found or fewer & more or not told_apart):
        found.append("birth")
    return found


def same_birth(one: object, other: object) -> Births:
    """Return whether two birth dates, as told or unreadable, are of one person; a year agrees with a day in it."""
    told = [str(birth) if readable(birth) else "" for birth in (one, other)]
    match _birth(*told):
        case "other":
            return "contradict"
        case "same day" | "possible":
            return "agree"
        case "unknown":
            return "unknown"


def _birth(one: str, other: str) -> Literal["same day", "possible", "other", "unknown"]:
    (first, last), (earliest, latest) = birth_days(one), birth_days(other)
    if first is None or last is None or earliest is None or latest is None:
        return "unknown"
    if last < earliest or latest < first:
        return "other"
    return "same day" if len(one) == len(other) == A_DAY else "possible"

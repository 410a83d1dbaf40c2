"""Reads the pairs of a form that was sent, and takes names apart into words."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from api.http.limits import MAX_BODY
from api.http.problems import invalid

MOST_FIELDS, LONGEST_VERSION = 60, 15
WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def words(name: str) -> str:
    """Return a name of the code as words, for forms: AcceptPatient → Accept patient, valid_until → Valid until."""
    return WORDS.sub(" ", name).replace("_", " ").capitalize()


def read_form(body: bytes, most: int = MOST_FIELDS) -> list[tuple[str, str]]:
    """Return the pairs of a submitted form. Raises Problem."""
    assert len(body) <= MAX_BODY
    try:
        return parse_qsl(body.decode(), max_num_fields=most, keep_blank_values=True, errors="strict")
    except ValueError:
        raise invalid("the form cannot be read") from None


def version_in(text: str) -> int | None:
    """Return the version of a case that a form was typed at; None where it holds none that a case could have."""
    known = text.isascii() and text.isdecimal() and len(text) <= LONGEST_VERSION
    return int(text) if known else None

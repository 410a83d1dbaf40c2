"""Reads JSON whose objects name each of their values once: of two equal names nobody can tell which counts."""

from __future__ import annotations

import json
from typing import Any

TWICE = "an object in it has one name twice, so nobody can tell which of the two counts"


class NamedTwice(ValueError):
    """An object has one name twice; says no more, for names may be anybody's words."""

    def __init__(self) -> None:
        super().__init__(TWICE)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of its pairs, as `json.loads` asks its hook. Raises NamedTwice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NamedTwice
    return found


def loads(text: bytes | str) -> Any:  # noqa: ANN401 - JSON
    """Return what a JSON text says. Raises NamedTwice, ValueError, RecursionError."""
    return json.loads(text, object_pairs_hook=once)

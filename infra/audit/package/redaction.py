"""Says what of an event goes into an evidence package at each level. What is left out takes its salt along."""

from __future__ import annotations

import json
from typing import Any, Literal, get_args

from infra.ledger.encoding.hashing import SALT, START, micros, micros_or_none, part_digest
from infra.ledger.encoding.sealing import MARK, NOTHING
from infra.ledger.encoding.stored import Stored

Level = Literal["full", "clinical", "regulator"]
LEVELS: tuple[Level, ...] = get_args(Level)
TELLING = frozenset(
    {
        "arrives", "attendant", "category", "centre", "country", "departs", "entered", "entries", "home",
        "interpreter_language", "language", "lodging", "number", "phone", "recipient", "ref", "receipt", "state",
        "zone", MARK,
    }
)  # fmt: skip
"""Names of fields from which, with little else, somebody might tell who it is; and whatever is sealed."""


def line(event: Stored, previous: Stored | None, level: Level) -> dict[str, Any]:
    """Make one line of events.jsonl. `clinical` leaves sealed texts out, `regulator` all that might identify too."""
    salts = event.salts
    opened = {
        "data": (salts[:SALT], event.data, level != "regulator" or not telling(event.data)),
        "sealed": (salts[SALT : 2 * SALT], event.sealed, level == "full" or event.sealed == NOTHING),
        "meta": (salts[2 * SALT :], event.meta, True),
    }
    when = event.occurred
    return {
        "position": event.position,
        "stream": event.stream,
        "version": event.version,
        "id": event.id,
        "type": event.type,
        "schema_version": event.schema_version,
        "occurred_earliest": micros_or_none(when.earliest),
        "occurred_latest": micros_or_none(when.latest),
        "precision": when.precision,
        "recorded_at": micros(event.recorded_at),
        "previous": (previous.hash if previous else START).hex(),
        **{name: _part(*part) for name, part in opened.items()},
        "hash": event.hash.hex(),
    }


def _part(salt: bytes, text: str, given: bool) -> dict[str, str]:
    return {"salt": salt.hex(), "text": text} if given else {"digest": part_digest(salt, text.encode()).hex()}


def telling(data: str) -> bool:
    """Return whether the data of an event might help to tell who it is about."""
    return not TELLING.isdisjoint(_names(json.loads(data)))


def _names(tree: Any) -> set[str]:  # noqa: ANN401 - JSON
    if isinstance(tree, dict):
        return set(tree).union(*map(_names, tree.values()))
    return set().union(*map(_names, tree)) if isinstance(tree, list) else set()

"""A stored sample of every event ever released: one file for each type and schema version, as the ledger stores it.

`python -m tests.infra.ledger.encoding.sampling` writes what is missing and never touches what is there: a sample is
history.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from activities.ports import DataKey
from domain.catalogue import installation, looks
from domain.catalogue import streams as catalogue
from domain.core.personal import KEY_CLASSES, KeyClass, Unread
from domain.core.when import When
from domain.engine.evolve import EVENTS as CASE_EVENTS
from domain.recalls import recall
from infra.ledger.encoding.codec import Codec, stored_type
from infra.ledger.encoding.sealing import SealedPlace, seal
from infra.ledger.encoding.stored import Stored

FOLDER = Path(__file__).parent / "samples"
EVENTS: tuple[type[Any], ...] = (*installation.EVENTS, *CASE_EVENTS, *catalogue.EVENTS, *looks.EVENTS, *recall.OWN)
KEYS: Mapping[KeyClass, DataKey] = {
    name: DataKey(f"sample-{name}", bytes([n] * 32)) for n, name in enumerate(KEY_CLASSES)
}
PLACE = SealedPlace("case-sample", "event-sample")
AT = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
PLAIN: Mapping[Any, Any] = {
    str: "text", int: 3, float: 1.5, bool: True, datetime: AT, date: date(2026, 1, 2),
    Any: "anything", object: "anything",
}  # fmt: skip


def of(hint: Any) -> Any:
    """A value of that annotation with every part of it filled in, the same each time."""
    if hint in PLAIN:
        return PLAIN[hint]
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return of(next(one for one in inner if one not in (NoneType, Unread)))
    if origin is Annotated or hint is When:
        return When.at(AT) if hint is When else of(inner[0])
    if origin is Literal:
        return inner[0]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    return _whole(hint) if is_dataclass(hint) else CONTAINERS[origin](inner)


CONTAINERS: Mapping[Any, Callable[[tuple[Any, ...]], Any]] = {
    tuple: lambda inner: (of(inner[0]),) if inner[-1] is ... else tuple(of(one) for one in inner),
    list: lambda inner: [of(inner[0])],
    frozenset: lambda inner: frozenset({of(inner[0])}),
    dict: lambda inner: {of(inner[0]): of(inner[1])},
    Mapping: lambda inner: {of(inner[0]): of(inner[1])},
}


def _whole(kind: Any) -> Any:
    hints = get_type_hints(kind, include_extras=True)
    return kind(**{f.name: of(hints[f.name]) for f in fields(kind) if f.name != "type"})


def name_of(event: type[Any]) -> str:
    """Its type and schema version."""
    return f"{stored_type(event)}-{getattr(event, 'schema_version', 1)}"


def sample(event: type[Any]) -> dict[str, Any]:
    """How an event of this class is stored today."""
    encoded = Codec([event]).encode(_whole(event))
    sealed = seal(PLACE, encoded.secrets, KEYS)
    return {"type": encoded.type, "schema_version": encoded.schema_version, "data": encoded.data, "sealed": sealed}


def stored(kept: Mapping[str, Any]) -> Stored:
    """The sample as a row of the ledger."""
    names = 1, PLACE.stream, 1, PLACE.owner, kept["type"], kept["schema_version"]
    return Stored(*names, When.at(AT), AT, kept["data"], kept["sealed"], "{}", b"", b"")


@cache
def kept_samples() -> Mapping[str, Mapping[str, Any]]:
    """Every stored sample by the name of its file."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def write_missing() -> list[str]:
    """Store a sample of every shape that has none."""
    missing = [event for event in EVENTS if not (FOLDER / f"{name_of(event)}.json").exists()]
    for event in missing:
        text = json.dumps(sample(event), indent=1, ensure_ascii=False)
        (FOLDER / f"{name_of(event)}.json").write_text(text + "\n")
    return [name_of(event) for event in missing]


if __name__ == "__main__":
    print("\n".join(write_missing()) or "every shape has its sample")  # noqa: T201 - a program

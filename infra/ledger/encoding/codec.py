"""Turns events into what the ledger stores and back, for a given set of event classes."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from activities.ports import Keyring, Meta
from domain.core.errors import Reason, Refused
from domain.core.fact import Draft, Fact, Why
from infra.ledger.encoding.sealing import MARK, SealedPlace, Secrets, canonical, read_json, rejoin, separate, unseal
from infra.ledger.encoding.stored import Stored
from infra.ledger.encoding.upcasting import UPCASTERS, Upcaster

WHY = TypeAdapter(Why | None)
MANY = 500
"""So many events are taken apart in a thread: each costs some 40 µs, and others wait for this one."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """An event taken apart: `data` is the stored text, `secrets` what still has to be sealed."""

    type: str
    schema_version: int
    data: str
    secrets: Secrets = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Shape:
    name: str
    version: int
    adapter: TypeAdapter[Any]
    validate: Callable[[dict[str, Any]], Any]


def stored_type(event_class: type) -> str:
    """Return the literal written in the class as `type: Literal["..."] = "..."`."""
    default = next((f.default for f in fields(event_class) if f.name == "type"), MISSING)
    if not isinstance(default, str):
        raise TypeError(f"{event_class.__name__} needs a literal `type`")
    return default


@cache
def _shape_of(event_class: type) -> _Shape:
    """Return what is the same for every codec that knows the class: to make it is most of the opening of a ledger."""
    version = getattr(event_class, "schema_version", 1)
    adapter = TypeAdapter[Any](event_class)
    return _Shape(stored_type(event_class), version, adapter, adapter.validator.validate_python)


class Codec:
    """Knows the event classes of this program; their `schema_version` class variable (default 1) is the present one."""

    def __init__(self, events: Iterable[type], upcasters: Mapping[tuple[str, int], Upcaster] | None = None) -> None:
        self._upcasters = UPCASTERS if upcasters is None else upcasters
        self._shapes: dict[type, _Shape] = {}
        self._names: dict[str, _Shape] = {}
        for event_class in events:
            shape = _shape_of(event_class)
            if shape.name in self._names:
                raise TypeError(f"two event classes are called {shape.name}")
            self._shapes[event_class] = self._names[shape.name] = shape

    def encode(self, event: object) -> Encoded:
        """Refused(INVALID) for text or numbers JSON cannot hold; TypeError for what would not be read back the same."""
        shape = self._shapes[type(event)]
        secrets: Secrets = {}
        tree = separate(event, json_of(shape.adapter, event, shape.name), secrets)
        tree.pop("type")
        data = _canonical(tree, shape.name)
        if secrets:
            _canonical(secrets, shape.name)
        if self._validated(shape, rejoin(tree, secrets) if MARK in data else tree) != event:
            raise TypeError(f"{shape.name} would not be read back as it was recorded")
        return Encoded(shape.name, shape.version, data, secrets)

    async def encode_all(self, events: Sequence[object]) -> Sequence[Encoded]:
        """Take events apart in their order; what `encode` raises of any of them is raised."""
        if len(events) < MANY:
            return [self.encode(event) for event in events]
        return await asyncio.to_thread(lambda: [self.encode(event) for event in events])

    def decode(self, row: Stored, keys: Keyring) -> Any:  # noqa: ANN401 - any event class
        """Decode an event. Raises Refused(NEWER_THAN_ME) for a type, version or shape this program does not know."""
        shape = self._names.get(row.type)
        if shape is None or row.schema_version > shape.version:
            raise Refused(Reason.NEWER_THAN_ME, f"this program does not know {row.type} {row.schema_version}")
        tree = read_json(row.data)
        if MARK in row.data:
            tree = rejoin(tree, unseal(SealedPlace(row.stream, row.id), row.sealed, keys))
        for version in range(row.schema_version, shape.version):
            upcaster = self._upcasters.get((row.type, version))
            if upcaster is None:
                raise Refused(Reason.NEWER_THAN_ME, f"this program cannot lift {row.type} {version}")
            tree = upcaster(tree)
        return self._validated(shape, tree)

    def newest(self, name: str) -> int:
        """Return the present shape of that type, 0 = unknown."""
        return self._names[name].version if name in self._names else 0

    def fact(self, row: Stored, keys: Keyring) -> Fact[Any]:
        """Return the recorded event as the fold sees it: at the instant the clock said, where that was not the last."""
        meta = read_json(row.meta)
        why = meta.get("why")
        return Fact(
            event=self.decode(row, keys),
            id=row.id,
            version=row.version,
            at=datetime.fromisoformat(meta["clock"]) if meta.get("clock") else row.recorded_at,
            occurred=row.occurred,
            actor=meta["actor"],
            why=WHY.validate_python(why) if why else None,
            corrects=meta.get("corrects"),
            provenance=meta.get("provenance", ""),
        )

    @staticmethod
    def _validated(shape: _Shape, tree: dict[str, Any]) -> Any:  # noqa: ANN401 - any event class
        # pydantic quotes the values it refuses: its error must not travel, not even as a context.
        try:
            return shape.validate(tree)
        except (ValidationError, ValueError, TypeError):
            pass
        raise Refused(Reason.NEWER_THAN_ME, f"this program cannot read the fields of a {shape.name}")


def encode_meta(meta: Meta, draft: Draft[Any] | None) -> str:
    """Make the `meta` column; what is empty is left out. No draft = one with neither `why` nor `corrects`."""
    why = WHY.dump_python(draft.why, mode="json") if draft and draft.why else None
    values = {
        "actor": meta.actor,
        "purpose": meta.purpose,
        "on_behalf_of": meta.on_behalf_of,
        "key": meta.key,
        "causation": meta.causation,
        "provenance": meta.provenance,
        "why": why,
        "corrects": draft.corrects if draft else None,
    }
    return canonical({name: value for name, value in values.items() if value})


def json_of(adapter: TypeAdapter[Any], value: object, name: str) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON of a dataclass; TypeError, without values, for what its declaration does not allow."""
    try:
        return adapter.dump_python(value, mode="json", warnings="error")
    except (PydanticSerializationError, ValueError):
        pass
    raise TypeError(f"{name} holds something its declaration does not allow")


def _canonical(tree: object, name: str) -> str:
    try:
        text = canonical(tree)
        text.encode()
    except ValueError:  # lone surrogates, NaN, infinity
        pass
    else:
        return text
    raise Refused(Reason.INVALID, f"{name} holds text or a number that cannot be kept")

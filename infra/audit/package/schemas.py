"""JSON Schema of events as they stand in the ledger: what is sealed is a mark that names its key class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from domain.core.personal import Sealed, Unread
from infra.ledger.encoding.codec import stored_type
from infra.ledger.encoding.sealing import MARK


def schemas(events: Iterable[type[Any]], wanted: Iterable[tuple[str, int]]) -> dict[str, Any]:
    """Make schemas by `type-version`; null for a shape this program reads but no longer writes."""
    known = {(stored_type(event), getattr(event, "schema_version", 1)): event for event in events}
    return {f"{name}-{version}": _schema(known.get((name, version))) for name, version in sorted(set(wanted))}


def _schema(event: type[Any] | None) -> Mapping[str, Any] | None:
    return None if event is None else stored_shape(event).model_json_schema(mode="serialization")


def stored_shape(event: Any) -> type[BaseModel]:  # noqa: ANN401 - a dataclass
    """Return the `data` of an event, as it is written."""
    return _shape(event)


@cache
def _shape(kind: Any) -> type[BaseModel]:  # noqa: ANN401 - as above
    hints = get_type_hints(kind, include_extras=True)
    shape: dict[str, Any] = {
        one.name: (_stored(hints[one.name]), ... if one.default is MISSING else Field(default=None))
        for one in fields(kind)
        if one.name != "type"
    }
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, protected_namespaces=())
    return create_model(kind.__name__, __config__=config, __doc__=kind.__doc__, **shape)


@cache
def _mark(key_class: str) -> type[BaseModel]:
    only: Any = Literal[key_class]
    return create_model(f"Sealed_{key_class}", mark=(only, Field(alias=MARK)))


def _stored(hint: Any) -> Any:  # noqa: ANN401 - a type form
    """The type form of what stands in the JSON in the place of this one."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        sealed = next((one for one in inner[1:] if isinstance(one, Sealed)), None)
        return _mark(sealed.key_class) | None if sealed else _stored(inner[0])
    if origin in (Union, UnionType):
        return reduce(or_, (_stored(one) for one in inner if one is not Unread))
    if isinstance(hint, type) and is_dataclass(hint):
        return _shape(hint)
    if origin is None or origin is Literal:
        return hint
    return origin[tuple(one if one is ... else _stored(one) for one in inner)]

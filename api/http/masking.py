"""Values as JSON for somebody: each personal field opened only for those who may see its key class.

Whatever is personal leaves through `mask` or `shown`; what then stands for a value that is not told is named by
`state_of` (api/untold.py), and each way out has one word for each of these (console: the texts `case.masked`,
`case.erased` and `case.no_key`; command line: api/cli/outcome.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from domain.core.personal import KEY_CLASSES, KeyClass, Sealed, Unread
from domain.core.roles import Action
from domain.roles import Actor, Belongs, allow

Sees = frozenset[KeyClass]
EVERYTHING: Sees = frozenset(KEY_CLASSES)
NOTHING: Sees = frozenset()
NEEDS: Mapping[KeyClass, Action] = {
    "identity": Action.SEE_PERSON,
    "clinical": Action.SEE_CLINICAL,
    "trace": Action.SEE_CLINICAL,
}


def sees(actor: Actor, case: Belongs | None) -> Sees:
    """Return the key classes this actor may read of this case."""
    return frozenset(key_class for key_class, action in NEEDS.items() if allow(actor, action, case))


def masked(visible: Sees) -> list[str]:
    """Return the key classes that are left out, as an answer says it."""
    return [key_class for key_class in KEY_CLASSES if key_class not in visible]


def mask(value: Any, visible: Sees, *, without: Collection[str] = ()) -> Any:  # noqa: ANN401 - JSON
    """Return a dataclass as JSON; what is not told is {"masked": class}, {"erased": true} or {"no_key": true}.

    What is declared as anything at all counts as identity: nobody has said that it describes no person.
    """
    return {n: _of(hint)(getattr(value, n), visible) for n, hint in _hints(type(value)) if n not in without}  # type: ignore[arg-type] # mypy: type[Any] is hashable


def shown(value: Any, key: KeyClass, visible: Sees) -> Any:  # noqa: ANN401 - JSON
    """Return one personal value as JSON, as `mask` does; what is empty hides nothing."""
    if isinstance(value, Unread):
        return {value.value: True}
    return _plain(value, visible) if key in visible or not value else {"masked": key}


Show = Callable[[Any, Sees], Any]


@cache
def _hints(kind: type[Any]) -> tuple[tuple[str, Any], ...]:
    hints = get_type_hints(kind, include_extras=True)
    return tuple((f.name, hints[f.name]) for f in fields(kind))


@cache
def _of(hint: Any) -> Show:  # noqa: ANN401 - an annotation
    """How values declared like this are shown."""
    key = next((one.key_class for one in getattr(hint, "__metadata__", ()) if isinstance(one, Sealed)), None)
    if key is not None:
        return lambda value, visible: shown(value, key, visible)
    if hint is Any or hint is object:
        return _loose
    inner = [_of(one) for one in get_args(hint) if one not in (type(None), ...) and get_origin(hint) is not Literal]
    special = next((show for show in inner if show is not _plain), None)
    if special is None:
        return _plain
    return lambda value, visible: _each(value, visible, special)


def _loose(value: Any, visible: Sees) -> Any:  # noqa: ANN401 - JSON
    return shown(value, "identity", visible)


def _each(value: Any, visible: Sees, show: Show) -> Any:  # noqa: ANN401 - JSON
    """Inside containers the same rule holds."""
    if isinstance(value, Mapping):
        return {str(name): show(one, visible) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [show(one, visible) for one in items]
    return show(value, visible)


def _plain(value: Any, visible: Sees) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, Enum):
        return {value.value: True} if isinstance(value, Unread) else value.value
    if is_dataclass(value) and not isinstance(value, type):
        return mask(value, visible)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return _each(value, visible, _plain) if isinstance(value, CONTAINERS) else value


CONTAINERS = (Mapping, list, tuple, set, frozenset)

"""Appends that go to the database together: the arguments of caravel_append_all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

NO_COMMAND = (None,) * 3
NO_ATTENTION = (None,) * 6
NOT_PLACING = (None,) * 2
EVENT_COLUMNS = 10


@dataclass(frozen=True, slots=True)
class ViewTexts:
    """Read model rows of one stream, JSON objects with commas between them; ids and watched None = as they were."""

    cases: str = ""
    obligations: str = ""
    obligation_ids: Sequence[str] | None = None
    effects: str = ""
    effect_ids: Sequence[str] | None = None
    watched: Sequence[str] | None = None
    sources: str = ""


NO_VIEWS = ViewTexts()


@dataclass(frozen=True, slots=True)
class PreparedAppend:
    """Holds one append, ready to be sent; `head` and `events` in the order of caravel_append_all's parameters."""

    head: tuple[Any, ...]
    events: Sequence[tuple[Any, ...]]
    views: ViewTexts

    @property
    def stream(self) -> str:
        """Return the stream it is to be recorded in."""
        stream: str = self.head[0]
        return stream

    @property
    def looks(self) -> bool:
        """Return whether it says that the case was attended."""
        return bool(self.head[7])

    @property
    def calls(self) -> bool:
        """Return whether the database may call cases for it, which a look before it has not heard."""
        return bool(self.head[-1]) or self.views.watched is not None


def arguments(batch: Sequence[PreparedAppend]) -> list[Any]:
    """Put a batch in the order of queries.APPEND. A column without values is sent as null: every array costs."""
    heads = zip(*(one.head for one in batch), strict=True)
    events = zip(*chain.from_iterable(one.events for one in batch), strict=True)
    return [
        *(_column(values) for values in heads),
        *([_column(values) for values in events] or [None] * EVENT_COLUMNS),
        *_views(batch),
    ]


def _column(values: tuple[Any, ...]) -> tuple[Any, ...] | None:
    return None if values.count(None) == len(values) else values


def _views(batch: Sequence[PreparedAppend]) -> list[Any]:
    owing, owed = _replaced((one.stream, one.views.obligation_ids) for one in batch)
    asking, asked = _replaced((one.stream, one.views.effect_ids) for one in batch)
    watching, watched = _replaced((one.stream, one.views.watched) for one in batch)
    return [
        _array(one.views.cases for one in batch),
        owing,
        _array(one.views.obligations for one in batch),
        owed,
        asking,
        _array(one.views.effects for one in batch),
        asked,
        watching,
        [one.stream for one in batch for _ in one.views.watched or ()] or None,
        watched or None,
        _array(one.views.sources for one in batch),
    ]


def _replaced(rows: Iterable[tuple[str, Sequence[str] | None]]) -> tuple[list[str] | None, list[str] | None]:
    """The streams whose rows are given anew, and the keys of those rows."""
    given = [(stream, keys) for stream, keys in rows if keys is not None]
    return ([stream for stream, _ in given], [key for _, keys in given for key in keys]) if given else (None, None)


def _array(texts: Iterable[str]) -> str | None:
    """One JSON array of all; None when there is nothing."""
    joined = ",".join(text for text in texts if text)
    return f"[{joined}]" if joined else None

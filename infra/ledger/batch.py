"""Appends that go to the database together: the arguments of caravel_append_all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

NO_COMMAND = (None,) * 3
NO_ATTENTION = (None,) * 6
EVENT_COLUMNS = 10


@dataclass(frozen=True, slots=True)
class ViewTexts:
    """Read model rows of one stream, JSON objects with commas between them; `viewed`: it has rows of a case."""

    viewed: bool = False
    cases: str = ""
    obligations: str = ""
    obligation_ids: Sequence[str] = ()
    effects: str = ""
    effect_ids: Sequence[str] = ()
    watched: Sequence[str] = ()
    sources: str = ""


NO_VIEWS = ViewTexts()


@dataclass(frozen=True, slots=True)
class Prepared:
    """One append, ready to be sent. `head` and each of `events` in the order of caravel_append_all's parameters."""

    head: tuple[Any, ...]
    events: Sequence[tuple[Any, ...]]
    views: ViewTexts

    @property
    def stream(self) -> str:
        """Where it is to be recorded."""
        stream: str = self.head[0]
        return stream


def arguments(batch: Sequence[Prepared]) -> list[Any]:
    """In the order of queries.APPEND. A column without values is sent as null: every array costs."""
    heads = zip(*(one.head for one in batch), strict=True)
    events = zip(*chain.from_iterable(one.events for one in batch), strict=True)
    return [
        *(_column(values) for values in heads),
        *([_column(values) for values in events] or [None] * EVENT_COLUMNS),
        *_views(batch),
    ]


def _column(values: tuple[Any, ...]) -> tuple[Any, ...] | None:
    return None if values.count(None) == len(values) else values


def _views(batch: Sequence[Prepared]) -> list[Any]:
    views = [one.views for one in batch]
    viewed = [one.stream for one in batch if one.views.viewed]
    if not viewed:
        return [None] * 8 + [_array(view.sources for view in views)]
    return [
        viewed,
        _array(view.cases for view in views),
        _array(view.obligations for view in views),
        [key for view in views for key in view.obligation_ids],
        _array(view.effects for view in views),
        [key for view in views for key in view.effect_ids],
        [one.stream for one in batch for _ in one.views.watched] or None,
        [watched for view in views for watched in view.watched] or None,
        _array(view.sources for view in views),
    ]


def _array(texts: Iterable[str]) -> str | None:
    """One JSON array of all; None when there is nothing."""
    joined = ",".join(text for text in texts if text)
    return f"[{joined}]" if joined else None

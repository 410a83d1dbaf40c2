"""Folds every fact once: a case that was folded before goes on from there, however long its history is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from activities import record
from domain.case import Event, fold
from domain.fact import Fact
from domain.state import Case


class FoldOnce:
    """The same as fold(facts). A correction changes what lies before it, so it is folded from the start."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, str, Case]] = {}

    def __call__(self, facts: Iterable[Fact[Event]], start: Case | None = None) -> Case:
        """The case as of its facts."""
        ordered = list(facts)
        if start is not None or not ordered:
            return fold(ordered, start)
        case = self._from(ordered)
        self._known[ordered[0].id] = (len(ordered), ordered[-1].id, case)
        return case

    def _from(self, ordered: list[Fact[Event]]) -> Case:
        count, last, case = self._known.get(ordered[0].id, (0, "", Case()))
        same = 0 < count <= len(ordered) and ordered[count - 1].id == last
        if not same or any(f.corrects for f in ordered):
            return fold(ordered)
        return fold(ordered[count:], case)


@contextmanager
def folding_once(once: FoldOnce) -> Iterator[None]:
    """While a rehearsal runs, the door folds every fact once. Nothing else of the process may use the door then."""
    module: Any = record
    before = module.fold
    module.fold = once
    try:
        yield
    finally:
        module.fold = before

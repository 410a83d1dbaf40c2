"""Folds every fact once: a case that was folded before goes on from there, however long its history is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from domain.case import Event, fold
from domain.fact import Fact
from domain.state import Case

CASES = 2_000
"""How many cases are kept folded; the least recently used goes first."""


class FoldOnce:
    """The same as fold(facts).

    It goes on only from the very facts it folded, so that a restored database or an erased key, which make the ledger
    read them anew, begin from the start; so does a new correction, which changes what lies before it.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Fact[Event], Case]] = OrderedDict()

    def __call__(self, facts: Sequence[Fact[Any]]) -> Case:
        """The case as of its facts."""
        if not facts:
            return Case()
        first = facts[0].id
        case = self._from(first, facts)
        self._known[first] = facts[-1], case
        self._known.move_to_end(first)
        if len(self._known) > CASES:
            self._known.popitem(last=False)
        return case

    def forget(self, _stream: str) -> None:
        """Let go of every case: rare, and folding again costs little."""
        self._known.clear()

    def _from(self, first: str, facts: Sequence[Fact[Any]]) -> Case:
        last, case = self._known.get(first, (None, Case()))
        same = last is not None and last.version <= len(facts) and facts[last.version - 1] is last
        new = facts[last.version :] if last is not None and same else facts
        if not same or any(fact.corrects for fact in new):
            return fold(facts)
        return fold(new, case) if new else case

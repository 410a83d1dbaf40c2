"""Folds every fact once: a case that was folded before goes on from there, however long its history is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from domain.case.state import Case
from domain.core.fact import Event, Fact
from domain.engine.agenda import wake_at
from domain.engine.evolve import fold

CASES = 2_000
"""How many cases are kept folded; the least recently used goes first."""


class FoldOnce:
    """Answers the same as fold(facts), and goes on from the fold it made before.

    It goes on only from the very facts it folded, so that a restored database or an erased key, which make the ledger
    read them anew, begin from the start; so does a new correction, which changes what lies before it.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Fact[Event], Case]] = OrderedDict()
        self._advanced: OrderedDict[str, tuple[Case, datetime]] = OrderedDict()

    def __call__(self, facts: Sequence[Fact[Any]], stream: str) -> Case:
        """The case as of its facts, the same object while there are no others."""
        if not facts:
            return Case(id=stream)
        case = self._from(stream, facts)
        _keep(self._known, stream, (facts[-1], case))
        return case

    def advanced(self, case: Case, now: datetime) -> None:
        """Note that at `now` nothing more followed from this case by itself."""
        _keep(self._advanced, case.id, (case, now))

    def quiet(self, case: Case, now: datetime) -> bool:
        """Return whether nothing can follow by itself: nothing did, and no instant of the agenda has come."""
        known, then = self._advanced.get(case.id, (None, now))
        if known is not case:
            return False
        wakes = wake_at(case, then)
        return then <= now and (wakes is None or now < wakes)

    def forget(self, _stream: str) -> None:
        """Let go of every case: rare, and folding again costs little."""
        self._known.clear()
        self._advanced.clear()

    def _from(self, stream: str, facts: Sequence[Fact[Any]]) -> Case:
        last, case = self._known.get(stream, (None, Case()))
        same = last is not None and last.version <= len(facts) and facts[last.version - 1] is last
        new = facts[last.version :] if last is not None and same else facts
        if not same or any(fact.corrects for fact in new):
            return fold(facts, Case(id=stream))
        return fold(new, case) if new else case


def _keep(known: OrderedDict[str, Any], stream: str, value: object) -> None:
    known[stream] = value
    known.move_to_end(stream)
    if len(known) > CASES:
        known.popitem(last=False)


class EntriesOnce:
    """Keeps streams of the catalogue as they were folded, each with its version: most questions find them unchanged."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, Any]] = {}

    def at(self, stream: str, version: int) -> Any:  # noqa: ANN401 - the state of any stream of the catalogue
        """Return the stream as it was at that version; None where it is not kept."""
        known, state = self._known.get(stream, (0, None))
        return state if known == version else None

    def keep(self, stream: str, version: int, state: Any) -> None:  # noqa: ANN401 - see `at`
        """Keep a stream as it stands at a version; an older one is not kept over a newer."""
        if self._known.get(stream, (0, None))[0] < version:
            self._known[stream] = (version, state)

    def forget(self, stream: str) -> None:
        """Let go of a stream: what its keys opened may be unreadable now."""
        self._known.pop(stream, None)

"""One pass over a stream of the catalogue in memory: as a case's, without clock, effects or obligations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from activities.ports import Views
from domain.catalogue.around import Around
from domain.catalogue.streams import Command, decide, fold, read_model
from domain.core.fact import Draft, Fact, Ids
from domain.core.when import When
from domain.stages.anytime.watching import differs

OPENING = (
    "RegisterLot", "RegisterProtocol", "RegisterCentre", "RegisterPerson", "RegisterMaterial", "RegisterProduct",
    "RegisterStore",
)  # fmt: skip


class StreamSession:
    """Decides one command on a lot, protocol, centre or person as it was loaded."""

    def __init__(self, stream: str, facts: Sequence[Fact[Any]], now: datetime) -> None:
        self.stream = stream
        self.now = now
        self.before = self.state = fold(stream, facts)
        self.drafts: Sequence[Draft[Any]] = ()
        self._facts = self.facts = facts

    def decide(self, command: Command, ids: Ids, around: Around) -> None:
        """Decide a command and fold what it brings; no drafts = nothing new. Raises Refused."""
        self.drafts = decide(self.stream, self.state, command, self.now, ids, around)
        new = [self._as_fact(draft, len(self._facts) + n, around.by) for n, draft in enumerate(self.drafts, 1)]
        self.facts = [*self._facts, *new]
        self.state = fold(self.stream, self.facts)

    @property
    def views(self) -> Views:
        """Return the read model row of the stream."""
        return Views(source=read_model(self.stream, self.state))

    @property
    def calls(self) -> bool:
        """Tell whether whoever watches this stream must look, because what cases note of it is another."""
        before, after = read_model(self.stream, self.before), read_model(self.stream, self.state)
        return not self._facts or differs(self.stream, before, after)

    def _as_fact(self, draft: Draft[Any], version: int, by: str) -> Fact[Any]:
        return Fact(draft.event, draft.id, version, self.now, draft.occurred or When.at(self.now), by)

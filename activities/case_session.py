"""One pass over a case in memory: what changed around it, what a command brings, and what follows by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.ports import WatchedSource
from domain.case.effect import EffectDelivered
from domain.case.phases.bookkeeping import Noted
from domain.case.state import Case
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Command, Draft, Event, Fact, Ids, Why
from domain.core.policy import Policy
from domain.engine.advance import advance, as_fact
from domain.engine.answers import PROVED_BY_US, of_this_round
from domain.engine.decide import decide
from domain.engine.evolve import evolve, fold
from domain.stages.anytime import linking
from domain.stages.anytime.watching import noted
from domain.stages.records.documents import DocumentStored, linked


@dataclass(frozen=True, slots=True)
class Reply:
    """The effect a command answers. An answer implies delivery, also where the receipt never came."""

    effect: str
    attempt: int = 0
    receipt: str = "answered"


class CaseSession:
    """Makes one pass over a case in memory: the case so far and the drafts that led there."""

    def __init__(
        self, case: Case, facts: Sequence[Fact[Event]], now: datetime, ids: Ids, policy: Policy, actor: str
    ) -> None:
        self.case = self.before = case
        self.advanced: Case | None = None  # nothing more follows from this one at this instant
        self.now = now
        self.drafts: list[Draft[Event]] = []
        self._facts = facts
        self._ids = ids
        self._policy = policy
        self._actor = actor  # what the engine tells is no fact by people, in the read models neither

    def advance(self) -> None:
        """Let everything follow that follows by itself."""
        if self.case is not self.advanced:
            self._add(advance(self.case, self.now, self._ids, self._policy))
            self.advanced = self.case

    def decide(self, command: Command) -> None:
        """Decide a command on the case as it stands here, and fold what it brings. Raises Refused."""
        self._add(decide(self.case, command, self.now, self._ids, self._policy))

    def note(self, source: WatchedSource, state: Mapping[str, Any], known: Noted | None) -> None:
        """Note the state of a watched source, unless what the case wants to know of it is as it was."""
        event = noted(source.stream, source.version, state, self.case.id)
        if known is not None and all(getattr(event, name) == value for name, value in known.state.items()):
            return
        self._add([Draft(event, self._ids(), None, Why("source_changed", 1, self._policy.hash, self.now))])

    def store(self, documents: Sequence[DocumentStored]) -> None:
        """Note the files that were stored for the command; one of a content the case has names the earlier one."""
        for one in documents:
            self._add([Draft(linked(self.case, one), self._ids())])

    def meet(self, other: Case) -> None:
        """Note how another case of perhaps the same person stands, unless that is known."""
        event = linking.noted(self.case, other)
        if self.case.others.get(event.other) != linking.as_noted(event):
            self._add([Draft(event, self._ids())])

    def answer(self, reply: Reply) -> None:
        """Mark the answered effect delivered, if nobody has yet."""
        effect = self.case.effects.get(reply.effect)
        if effect is None:
            return
        require(of_this_round(self.case, effect), Reason.NOT_NOW, "this answers an earlier request", "basedOn")
        outside = reply.attempt == 0 and effect.kind in PROVED_BY_US
        if effect.state in ("requested", "unknown", "withdrawn") and not outside:
            self._add([Draft(EffectDelivered(effect.id, reply.attempt, reply.receipt), self._ids())])

    def _add(self, drafts: Sequence[Draft[Event]]) -> None:
        self.drafts += drafts
        if any(d.corrects for d in drafts):  # a correction changes what was folded before it
            everything = [*self._facts, *self.as_facts()]
            self.case = replace(fold(everything), id=self.case.id)
            return
        for draft in drafts:
            self.case = evolve(self.case, as_fact(draft, self.case.version + 1, self.now, self._actor))

    def as_facts(self) -> list[Fact[Event]]:
        """Return the drafts as the facts they would be recorded as at this instant."""
        made = enumerate(self.drafts, len(self._facts) + 1)
        return [as_fact(draft, version, self.now, self._actor) for version, draft in made]

"""The only way into the ledger: load, note what changed around the case, let time pass, decide, advance, append."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from activities.attempts import recorded_once, require_same
from activities.fold_cache import FoldOnce
from activities.ports import Append, Attention, CommandKey, Ledger, Loaded, Meta, Source
from activities.views import case_views
from domain.case.effect import EffectDelivered
from domain.case.state import Case, Noted
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import ENGINE, Command, Draft, Event, Fact, Ids, Why
from domain.core.policy import Policy
from domain.engine.advance import advance, as_fact
from domain.engine.agenda import wake_at
from domain.engine.answers import PROVED_BY_US, of_this_round
from domain.engine.decide import decide
from domain.engine.evolve import evolve, fold
from domain.stages.anytime.watching import noted, watched
from domain.stages.intake.inquiry import OpenCase

GRACE = timedelta(seconds=3)
"""How long the courier leaves an append of the engine's own alone: the loop that wrote it looks again by itself."""

ParseState = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""Restores a source's read model from JSON: instants become datetimes again."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The effect a command answers. An answer implies delivery, also where the receipt never came."""

    effect: str
    attempt: int = 0
    receipt: str = "answered"


@dataclass(frozen=True, slots=True)
class AttendedBy:
    """The engine attends to the case: what time brings. `epoch` is its engine's, `seen` the newest version it knows."""

    epoch: int
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Recorded:
    """Tells what a command came to: the case after it, its facts, and whether it had been recorded before.

    `earlier`: the facts of the case before those.
    """

    case: Case
    facts: Sequence[Fact[Event]]
    now: datetime
    repeated: bool = False
    earlier: Sequence[Fact[Event]] = ()


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """Holds one call of `record`. `if_people_version` refuses a page that facts by people have overtaken (If-Match).

    `permit` refuses who may not do this with the case as it was loaded, a repeated command too; the empty case when
    there is none.
    """

    stream: str
    meta: Meta
    command: Command | None = None
    key: CommandKey | None = None
    reply: Reply | None = None
    attended_by: AttendedBy | None = None
    if_people_version: int | None = None
    permit: Callable[[Case], None] | None = None


class CommandHandler:
    """Records commands and looks on cases. Plain arguments: the ledger, the policy, ids, how to read a source."""

    def __init__(
        self, ledger: Ledger, policy: Policy, ids: Ids, parse: ParseState, clock: Callable[[], datetime] | None = None
    ) -> None:
        self.ledger = ledger
        self.policy = policy
        self.ids = ids
        self.fold = FoldOnce()
        self._parse = parse
        self._clock = clock  # only a rehearsal has one; elsewhere the database's clock counts

    async def record(self, ask: CommandRequest) -> Recorded:
        """Record a command or a look. Raises Refused with nothing recorded; CONFLICT when others never pause."""
        return await recorded_once(
            lambda: self._load(ask), lambda loaded: self._again(ask, loaded), lambda loaded: self._once(ask, loaded)
        )

    async def case(self, stream: str) -> tuple[Case, Sequence[Fact[Event]], datetime]:
        """Return a case as it stands, its facts and the instant. Raises Refused(NOT_FOUND)."""
        loaded = await self.ledger.load(stream)
        require(loaded.facts, Reason.NOT_FOUND, "no such case")
        return self.fold(loaded.facts, stream), loaded.facts, self._now(loaded)

    def _now(self, loaded: Loaded) -> datetime:
        return self._clock() if self._clock else loaded.now

    async def _load(self, ask: CommandRequest) -> Loaded:
        command = (ask.key.actor, ask.key.key) if ask.key else None
        loaded = await self.ledger.load(ask.stream, command=command)
        if ask.attended_by:
            require(loaded.epoch <= ask.attended_by.epoch, Reason.SUPERSEDED, "another engine has taken over")
            behind = len(loaded.facts) < ask.attended_by.seen
            require(not behind, Reason.LEDGER_BEHIND, "the ledger is shorter than what was seen of this case")
        if ask.permit:
            ask.permit(self.fold(loaded.facts, ask.stream))
        return loaded

    async def _again(self, ask: CommandRequest, loaded: Loaded) -> Recorded:
        """The first result of a command that was recorded before."""
        first = require_same(ask.key, loaded, opening=isinstance(ask.command, OpenCase))
        facts = (await self.ledger.load(first.stream)).facts if first.stream != ask.stream else loaded.facts
        upto = [f for f in facts if f.version <= max(first.last, first.first - 1)]
        case = replace(fold(upto), id=first.stream)
        written = [f for f in upto if f.version >= first.first]
        return Recorded(case, written, upto[-1].at if upto else loaded.now, repeated=True)

    async def _once(self, ask: CommandRequest, loaded: Loaded) -> Recorded:
        now = self._now(loaded)
        case = self.fold(loaded.facts, ask.stream)
        session = CaseSession(case, loaded.facts, now, self.ids, self.policy, ask.meta.actor)
        if self.fold.quiet(session.case, now):
            session.advanced = session.case
        stale = ask.if_people_version is not None and ask.if_people_version != session.case.people_version
        require(not stale, Reason.STALE, "facts changed since this page was read")
        self._note(session, loaded.sources)
        session.advance()
        if ask.reply:
            session.answer(ask.reply)
        if ask.command is not None:
            session.decide(ask.command)
        new = watched(session.case) - {s.stream for s in loaded.sources}
        if new:
            self._note(session, await self.ledger.sources(sorted(new)))
        session.advance()
        return await self._append(ask, loaded, session)

    def _note(self, session: CaseSession, sources: Sequence[Source]) -> None:
        """Write down what changed in the lots, protocols, centres and staff this case depends on."""
        for source in sources:
            known = session.case.sources.get(source.stream)
            if known is None or known.version < source.version:
                session.note(source, self._parse(source.stream, source.state), known)

    async def _append(self, ask: CommandRequest, loaded: Loaded, session: CaseSession) -> Recorded:
        case = session.case
        if not session.drafts and ask.attended_by is None and ask.key is None:
            return Recorded(case, (), session.now)
        facts = await self.ledger.append(
            Append(
                ask.stream,
                len(loaded.facts),
                session.drafts,
                ask.meta,
                case_views(case, session.before if loaded.facts else None, None if self._clock else session.now),
                ask.key,
                _attention(ask, case, loaded, session.now),
                session.now if self._clock else None,
                calls=False,  # nobody watches a case
            )
        )
        # As it was recorded: the session was of the instant of loading, the facts are of that of the append.
        recorded = self.fold((*loaded.facts, *facts), ask.stream) if facts else case
        self.fold.advanced(recorded, session.now)
        return Recorded(recorded, facts, session.now, earlier=loaded.facts)


def _attention(ask: CommandRequest, case: Case, loaded: Loaded, now: datetime) -> Attention:
    own = ask.meta.actor.startswith(ENGINE)
    return Attention(
        attended=ask.attended_by is not None,
        wake_at=wake_at(case, now),
        ended=not case.open,
        grace=GRACE if own else timedelta(0),
        epoch=ask.attended_by.epoch if ask.attended_by else None,
        woken=loaded.woken,
    )


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

    def note(self, source: Source, state: Mapping[str, Any], known: Noted | None) -> None:
        """Note the state of a watched source, unless what the case wants to know of it is as it was."""
        event = noted(source.stream, source.version, state)
        if known is not None and all(getattr(event, name) == value for name, value in known.state.items()):
            return
        self._add([Draft(event, self._ids(), None, Why("source_changed", 1, self._policy.hash, self.now))])

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
            everything = [*self._facts, *self._as_facts()]
            self.case = replace(fold(everything), id=self.case.id)
            return
        for draft in drafts:
            self.case = evolve(self.case, as_fact(draft, self.case.version + 1, self.now, self._actor))

    def _as_facts(self) -> list[Fact[Event]]:
        made = enumerate(self.drafts, len(self._facts) + 1)
        return [as_fact(draft, version, self.now, self._actor) for version, draft in made]

"""The only way into the ledger: load, note what changed around a case, let time pass, decide, advance, append.

One handler for every stream; a case is one more aggregate, with `advance`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import replace as replaced
from datetime import datetime, timedelta
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from activities.case_session import CaseSession, Reply
from activities.doses.places import Places
from activities.doses.recalling import Reaches, Recalled, RecallSession, recall_views, scope_of
from activities.fold_cache import EntriesOnce, FoldOnce
from activities.keepers import keepers
from activities.ports import (
    Append,
    Attention,
    CommandKey,
    Ledger,
    Loaded,
    Meta,
    Remembered,
    VersionConflict,
    WatchedSource,
)
from activities.stream_session import OPENING, StreamSession
from activities.views import case_views
from domain.case.state import Case
from domain.catalogue import streams
from domain.catalogue.around import Around
from domain.catalogue.endpoint import NOTHING_MORE, Allowed
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import ENGINE, Command, Event, Fact, Ids
from domain.core.policy import Policy
from domain.doses.lot import GATED
from domain.doses.storage import PlaceUnit
from domain.engine.agenda import wake_at
from domain.engine.evolve import fold
from domain.recalls import following, recall
from domain.stages.anytime.linking import other_named
from domain.stages.anytime.watching import behind, named, watched
from domain.stages.records.documents import DocumentStored

ATTEMPTS = 12
"""How often a command is decided again while others keep changing the same stream."""
CASE = "case-"
T = TypeVar("T")
GRACE = timedelta(seconds=3)
"""How long the courier leaves an append of the engine's own alone: the loop that wrote it looks again by itself."""

ParseState = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""Restores a source's read model from JSON: instants become datetimes again."""


@dataclass(frozen=True, slots=True)
class AttendedBy:
    """The engine attends to the case: what time brings. `epoch` is its engine's, `seen` the newest version it knows."""

    epoch: int
    seen: int = 0


@dataclass(frozen=True, slots=True)
class Recorded:
    """Tells what a command came to: the state after it, its facts, and whether it had been recorded before.

    `state` is a Case, or the state of a stream of the catalogue; `earlier`: the facts of a case before those.
    """

    stream: str
    state: Any
    facts: Sequence[Fact[Event]]
    now: datetime
    repeated: bool = False
    earlier: Sequence[Fact[Event]] = ()

    @property
    def case(self) -> Case:
        """Return the case after the command."""
        assert isinstance(self.state, Case)
        return self.state


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """Holds one call of `record`. `if_version` refuses a page that others have overtaken (If-Match).

    For a case it counts the facts by people and hospitals, so that automatic ones do not make a page stale. `permit`
    refuses who may not do this with the case as it was loaded, a repeated command too; the empty case when there is
    none. `signed_in`: whoever asks has signed in; only they take part in what two people decide. `stored`: the files
    the store keeps by now, which the command may name. `bulky`: it brings thousands of facts, so that it is decided and
    folded in a thread, and nobody else waits for it.
    """

    stream: str
    meta: Meta
    command: Command | None = None
    key: CommandKey | None = None
    reply: Reply | None = None
    attended_by: AttendedBy | None = None
    if_version: int | None = None
    permit: Callable[[Case], None] | None = None
    signed_in: bool = False
    stored: Sequence[DocumentStored] = ()
    bulky: bool = False


class CommandHandler:
    """Records commands, and what time brings. Plain arguments: the ledger, the policy, ids, how to read a source.

    `allowed` is what hospitals may be reached at beside public addresses.
    """

    def __init__(
        self,
        ledger: Ledger,
        policy: Policy,
        ids: Ids,
        parse: ParseState,
        clock: Callable[[], datetime] | None = None,
        allowed: Allowed = NOTHING_MORE,
    ) -> None:
        self.ledger = ledger
        self.policy = policy
        self.ids = ids
        self.fold = FoldOnce()
        self.entries = EntriesOnce()
        self._parse = parse
        self._allowed = allowed
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._clock = clock  # only a rehearsal has one; elsewhere the database's clock counts
        self.reaches: Reaches | None = None
        """How far a recall reaches; None = this process records none."""
        self.recalled: Recalled | None = None
        """Which recalls a lot is made of something of; None = none can be recorded here."""
        self.places: Places | None = None
        """What of other lots lies in a store; None = none is placed here."""

    async def record(self, request: CommandRequest) -> Recorded:
        """Record a command. Raises Refused with nothing recorded; CONFLICT when others never pause."""
        with suppress(VersionConflict):
            return await self._attempt(request)
        turn = request.command.store if isinstance(request.command, PlaceUnit) else request.stream
        async with self._turns.setdefault(turn, asyncio.Lock()):  # whoever lost once waits for their turn
            for _ in range(ATTEMPTS - 1):
                with suppress(VersionConflict):
                    return await self._attempt(request)
        raise Refused(Reason.CONFLICT, "others kept changing this; nothing was recorded, try again")

    async def would(self, request: CommandRequest) -> Recorded:
        """Return what a command on a case would come to; nothing is recorded or remembered. Raises Refused."""
        require(request.stream.startswith(CASE), Reason.INVALID, "only what is said of a case is tried out")
        return await self._attempt(request, dry=True)

    async def _attempt(self, request: CommandRequest, *, dry: bool = False) -> Recorded:
        loaded = await self._load(request)
        if loaded.remembered is not None:
            return await self._again(request, loaded, loaded.remembered)
        if request.stream.startswith(CASE):
            session = await self._on_case(request, loaded)
            made = Recorded(request.stream, session.case, session.as_facts(), session.now)
            return made if dry else await self._append(request, loaded, session)
        if request.stream.startswith(recall.PREFIX):
            return await self._on_recall(request, loaded)
        return await self._on_stream(request, loaded)

    async def case(self, stream: str) -> tuple[Case, Sequence[Fact[Event]], datetime]:
        """Return a case as it stands, its facts and the instant. Raises Refused(NOT_FOUND)."""
        loaded = await self.ledger.load(stream)
        require(loaded.facts, Reason.NOT_FOUND, "no such case")
        return self.fold(loaded.facts, stream), loaded.facts, self._now(loaded)

    async def driven(self, stream: str) -> tuple[Case | recall.Recall, datetime]:
        """Return a case or recall as it stands, and the instant. Raises Refused(NOT_FOUND)."""
        if not stream.startswith(recall.PREFIX):
            case, _, now = await self.case(stream)
            return case, now
        loaded = await self.ledger.load(stream)
        require(loaded.facts, Reason.NOT_FOUND, "no such recall")
        return recall.fold(loaded.facts, stream), self._now(loaded)

    async def entry(self, stream: str) -> Recorded:
        """Return a stream of the catalogue as it stands with all its facts. Raises Refused(NOT_FOUND)."""
        loaded = await self.ledger.load(stream)
        require(loaded.facts, Reason.NOT_FOUND, "no such lot, protocol, centre or person")
        return Recorded(stream, streams.fold(stream, loaded.facts), loaded.facts, self._now(loaded))

    async def entry_at(self, stream: str, version: int) -> Any:  # noqa: ANN401 - the state of any such stream
        """Return a stream of the catalogue at that version or a newer one, folded once. Raises Refused(NOT_FOUND)."""
        known = self.entries.at(stream, version)
        if known is None:
            known = (await self.entry(stream)).state
            self.entries.keep(stream, known.version, known)
        return known

    def _now(self, loaded: Loaded) -> datetime:
        return self._clock() if self._clock else loaded.now

    async def _load(self, request: CommandRequest) -> Loaded:
        command = (request.key.actor, request.key.key) if request.key else None
        loaded = await self.ledger.load(request.stream, command=command)
        if request.attended_by:
            require(loaded.epoch <= request.attended_by.epoch, Reason.SUPERSEDED, "another engine has taken over")
            behind = len(loaded.facts) < request.attended_by.seen
            require(not behind, Reason.LEDGER_BEHIND, "the ledger is shorter than what was seen of this case")
        if request.permit:
            request.permit(self.fold(loaded.facts, request.stream))
        return loaded

    async def _again(self, request: CommandRequest, loaded: Loaded, first: Remembered) -> Recorded:
        """Answer with the first result of a command that was recorded before; refuse its key with another command."""
        opening = request.command is not None and request.command.type in ("OpenCase", "OpenRecall", *OPENING)
        same = request.key is not None and first.is_of(request.key.body)
        known = same and (opening or first.stream == loaded.stream)  # an opening names no stream of its own
        require(known, Reason.KEY_REUSED, "this idempotency key was used for another command")
        facts = loaded.facts if first.stream == loaded.stream else (await self.ledger.load(first.stream)).facts
        upto = [f for f in facts if f.version <= max(first.last, first.first - 1)]
        written = [f for f in upto if f.version >= first.first]
        at = upto[-1].at if upto else loaded.now
        return Recorded(first.stream, _folded(first.stream, upto), written, at, repeated=True)

    async def _on_stream(self, request: CommandRequest, loaded: Loaded) -> Recorded:
        session = StreamSession(request.stream, loaded.facts, self._now(loaded))
        require(request.if_version in (None, session.state.version), Reason.STALE, STALE)
        placing = None
        if request.command is not None:
            around = await self._around(request, session.state)
            if isinstance(request.command, PlaceUnit):
                placing = request.command.store, around.seen
            session.decide(request.command, self.ids, around)  # type: ignore[arg-type] # of another kind of stream: refused
        if not session.drafts and request.key is None:
            return Recorded(request.stream, session.state, (), session.now)
        append = Append(
            request.stream,
            len(loaded.facts),
            session.drafts,
            request.meta,
            session.views,
            request.key,
            at=session.now if self._clock else None,
            calls=session.calls,
            placing=placing,
        )
        return Recorded(request.stream, session.state, await self.ledger.append(append), session.now)

    async def try_out(
        self, request: CommandRequest, commands: Sequence[Command], known: Around | None = None
    ) -> Around:  # fmt: skip
        """Decide commands on a stream of the catalogue one after the other and record nothing. Raises Refused.

        `known`: what an earlier one of the same person answered with, so that it is not read for each of thousands.
        """
        loaded = await self.ledger.load(request.stream)
        around = replaced(known, stream=request.stream) if known else await self._around(request)
        facts, now = loaded.facts, self._now(loaded)
        for command in commands:
            session = StreamSession(request.stream, facts, now)
            session.decide(command, self.ids, around)  # type: ignore[arg-type] # of another kind of stream: refused
            facts = session.facts
        return around

    async def _around(self, request: CommandRequest, state: streams.State | None = None) -> Around:
        """What the stream itself does not tell, read at another instant: a right that ends just now still counts."""
        known = await keepers(self.ledger)
        lapse, by = self.policy.proposal_lapse, request.meta.actor
        names = streams.named_by(request.command, state)
        found = await self.ledger.sources(sorted(names)) if names else ()
        beside = {one.stream: self._parse(one.stream, one.state) for one in found}
        if isinstance(request.command, GATED) and self.recalled is not None:
            beside |= await self.recalled(request.stream)
        seen = 0
        if isinstance(request.command, PlaceUnit) and self.places is not None:
            seen, others = await self.places(request.command.store, request.stream)
            beside |= others
        signed = request.signed_in
        return Around(request.stream, by, signed, known.now, known.closed, lapse, self._allowed, beside, seen)

    async def _on_recall(self, request: CommandRequest, loaded: Loaded) -> Recorded:
        reaches = self.reaches
        if reaches is None:
            raise Refused(Reason.NOT_FOUND, "no recalls are recorded here")
        now = self._now(loaded)
        session = RecallSession(request.stream, loaded.facts, now, self.ids, self.policy, request.meta.actor)
        require(request.if_version in (None, session.recall.version), Reason.STALE, STALE)
        if request.command is not None:
            session.decide(request.command)
        await scope_of(self.ledger, session.recall)
        if not (session.recall.over and session.recall.drill):
            session.advance(await reaches(session.recall.scope, now))
        if not session.drafts and request.attended_by is None and request.key is None:
            return Recorded(request.stream, session.recall, (), now)
        due = _attention(request, loaded, following.wake_at(session.recall, now), ended=following.ended(session.recall))
        append = Append(
            request.stream,
            len(loaded.facts),
            session.drafts,
            request.meta,
            recall_views(session.recall),
            request.key,
            due,
            now if self._clock else None,
            calls=False,
        )
        facts = await self.ledger.append(append)
        recorded = recall.fold((*loaded.facts, *facts), request.stream)
        return Recorded(request.stream, recorded, facts, now, earlier=loaded.facts)

    async def _on_case(self, request: CommandRequest, loaded: Loaded) -> CaseSession:
        now = self._now(loaded)
        case = self.fold(loaded.facts, request.stream)
        session = CaseSession(case, loaded.facts, now, self.ids, self.policy, request.meta.actor)
        if self.fold.quiet(session.case, now):
            session.advanced = session.case
        require(request.if_version in (None, session.case.people_version), Reason.STALE, STALE)
        self._note(session, loaded.sources)
        session.advance()
        if request.reply:
            session.answer(request.reply)
        session.store(request.stored)
        if request.command is not None:
            if names := named(request.command):
                self._note(session, await self.ledger.sources(sorted(names)))
            if other := other_named(request.command):
                await self._meet(session, other)
            await _done(request, session.decide, request.command)
        new = watched(session.case) - {s.stream for s in loaded.sources}
        if new:
            self._note(session, await self.ledger.sources(sorted(new)))
        session.advance()
        return session

    def _note(self, session: CaseSession, sources: Sequence[WatchedSource]) -> None:
        """Write down what changed in the lots, protocols, centres and staff this case depends on."""
        for source in sources:
            known = session.case.sources.get(source.stream)
            if behind(known, source.version, source.state):
                session.note(source, self._parse(source.stream, source.state), known)

    async def _meet(self, session: CaseSession, other: str) -> None:
        """Note how another case stands that is to be linked with this one; one that is not there is not noted."""
        facts = (await self.ledger.load(other)).facts if other.startswith(CASE) else ()
        if facts:
            session.meet(self.fold(facts, other))

    async def _append(self, request: CommandRequest, loaded: Loaded, session: CaseSession) -> Recorded:
        case = session.case
        if not session.drafts and request.attended_by is None and request.key is None:
            return Recorded(request.stream, case, (), session.now)
        facts = await self.ledger.append(
            Append(
                request.stream,
                len(loaded.facts),
                session.drafts,
                request.meta,
                case_views(case, session.before if loaded.facts else None, None if self._clock else session.now),
                request.key,
                _attention(request, loaded, wake_at(case, session.now), ended=not case.open),
                session.now if self._clock else None,
                calls=False,  # nobody watches a case
            )
        )
        # As it was recorded: the session was of the instant of loading, the facts are of that of the append.
        recorded = await _done(request, self.fold, (*loaded.facts, *facts), request.stream) if facts else case
        self.fold.advanced(recorded, session.now)
        return Recorded(request.stream, recorded, facts, session.now, earlier=loaded.facts)


async def _done(request: CommandRequest, work: Callable[..., T], *given: Any) -> T:  # noqa: ANN401 - what the work takes
    return await asyncio.to_thread(work, *given) if request.bulky else work(*given)


def _attention(request: CommandRequest, loaded: Loaded, wakes: datetime | None, *, ended: bool) -> Attention:
    own = request.meta.actor.startswith(ENGINE)
    return Attention(
        attended=request.attended_by is not None,
        wake_at=wakes,
        ended=ended,
        grace=GRACE if own else timedelta(0),
        epoch=request.attended_by.epoch if request.attended_by else None,
        woken=loaded.woken,
    )


STALE = "facts changed since this page was read"


def _folded(stream: str, facts: Sequence[Fact[Event]]) -> Any:  # noqa: ANN401 - a Case, or the state of another stream
    if stream.startswith(recall.PREFIX):
        return recall.fold(facts, stream)
    return replace(fold(facts), id=stream) if stream.startswith(CASE) else streams.fold(stream, facts)

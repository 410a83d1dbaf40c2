"""Given facts, when a command or time comes, then exactly these events in this order; with a virtual clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

from domain.case.effect import Effect, EffectRequested
from domain.case.obligation import Obligation, ObligationOpened
from domain.case.state import Case
from domain.core.errors import Reason, Refused
from domain.core.fact import ENGINE, Command, Draft, Event, Fact, Why
from domain.core.policy import Policy
from domain.engine.advance import ALWAYS, advance, as_fact
from domain.engine.agenda import Agenda, agenda
from domain.engine.decide import decide
from domain.engine.evolve import fold, follow
from domain.journey import RULES, TAKES
from domain.stages.anytime.linking import OtherCaseNoted
from domain.stages.anytime.outcomes import RecordOutcome
from domain.stages.anytime.watching import behind, named, noted, watched
from domain.stages.records.documents import DocumentStored, linked
from infra.policy.reading import load_policy

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""A Monday morning."""
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@cache
def policy() -> Policy:
    return load_policy()


@cache
def stretched(factor: int) -> Policy:
    """A policy of its own in which every ladder takes that many times as long."""
    ladders = {kind: ladder.stretched(factor) for kind, ladder in policy().ladders.items()}
    return policy() if factor == 1 else replace(policy(), hash=f"stretched {factor}", ladders=ladders)


@dataclass(frozen=True)
class Refusal:
    """What a refused command came to."""

    reason: Reason
    detail: str
    field: str | None


class Journey:
    """One case behind a door in memory: load, note what changed around it, advance, decide, advance."""

    def __init__(self, start: datetime = START) -> None:
        self.now = start
        self.facts: list[Fact[Event]] = []
        self.case = Case(id="case-1")
        self.sources: dict[str, tuple[int, Mapping[str, Any]]] = {}
        self.last: Sequence[Event] = ()
        self.decided: Sequence[Event] = ()
        self.refused: Refusal | None = None
        self.policy = policy()
        self._numbers = count(1)

    def ids(self) -> str:
        return f"id-{next(self._numbers)}"

    # the world around the case

    def source(self, stream: str, **state: Any) -> Journey:
        """A lot, protocol, centre or person stands like this from now on; the case learns of it when it looks."""
        version, known = self.sources.get(stream, (0, {}))
        self.sources[stream] = (version + 1, {**known, **state})
        return self

    # the door

    def look(self) -> Journey:
        """What time and the world bring at this instant."""
        return self._record(None, "engine")

    def tell(self, command: Command, actor: str = "person-1") -> Journey:
        """A command that must be recorded."""
        self._record(command, actor)
        assert self.refused is None, f"{command.type} was refused: {self.refused}"
        return self

    def tried(self, command: Command, actor: str = "person-1") -> Journey:
        """A command that may be refused."""
        return self._record(command, actor)

    def _record(self, command: Command | None, actor: str) -> Journey:
        before = (self.case, len(self.facts))
        new: list[Fact[Event]] = []
        self.refused, self.last, self.decided = None, (), ()
        try:
            self._turn(command, actor, new)
        except Refused as no:
            assert command is not None
            self.case = before[0]
            self.refused = Refusal(no.reason, no.detail, no.field)
            return self
        self.facts += new
        self.last = [fact.event for fact in new]
        return self

    def _turn(self, command: Command | None, actor: str, new: list[Fact[Event]]) -> None:
        def add(drafts: Iterable[Draft[Event]], by: str) -> None:
            made = [as_fact(d, self.case.version + n, self.now, by) for n, d in enumerate(drafts, 1)]
            if not made:
                return
            self.case = replace(follow(self.case, [*self.facts, *new], made), id="case-1")
            new.extend(made)

        add(self._news(), ENGINE)
        add(advance(self.case, self.now, self.ids, self.policy), ENGINE)
        if command is not None:
            add(self._news(named(command)), ENGINE)
            decided = decide(self.case, command, self.now, self.ids, self.policy)
            self.decided = [d.event for d in decided]
            stray = {type(d.event) for d in decided} - set(TAKES[type(command)].records)
            assert not stray, f"the journey table does not say that {command.type} records {stray}"
            add(decided, actor)
        add(self._news(), ENGINE)
        followed = advance(self.case, self.now, self.ids, self.policy)
        strays = {(d.why.rule, d.event.type) for d in followed if d.why and type(d.event) not in BRINGS[d.why.rule]}
        assert not strays, f"a rule brings what its row does not say: {strays}"
        add(followed, ENGINE)

    def _news(self, names: frozenset[str] = frozenset()) -> list[Draft[Event]]:
        drafts: list[Draft[Event]] = []
        for stream in sorted((names or watched(self.case)) & set(self.sources)):
            version, state = self.sources[stream]
            if behind(self.case.sources.get(stream), version, state):
                why = Why("source_changed", 1, self.policy.hash, self.now)
                drafts.append(Draft(noted(stream, version, state, self.case.id), self.ids(), None, why))
        return drafts

    def store(self, document: str, content: str = "", media: str = "application/pdf", **found: Any) -> Journey:
        """Note a file that was stored for this case, as the door does. Without `content` it is like no other."""
        self.look()  # the door lets follow what time brought before it notes anything
        noted = linked(self.case, DocumentStored(document, content or document, media, 9, **found))
        return self.record(noted, f"stored-{document}")

    def meet(self, other: str = "case-2", number: str = "1111-2222-3", **stands: Any) -> Journey:
        """Note how another case stands, as the door does before a link with it is decided."""
        as_usual = {"open": True, "merged_into": "", "erased": False, "births": "agree"}
        return self.look().record(OtherCaseNoted(other, number, **{**as_usual, **stands}))

    def record(self, event: Event, name: str = "") -> Journey:
        """What stands in the ledger without a decision: the door noted it, or nobody asked for as much at the time."""
        made = as_fact(Draft(event, name or self.ids()), self.case.version + 1, self.now, "person-1")
        self.case = replace(follow(self.case, self.facts, [made]), id="case-1")
        self.facts.append(made)
        return self

    # time

    def wait(self, *, until: datetime | None = None, by: timedelta = timedelta(0), deliver: bool = True) -> Journey:
        """Live through time: wake when the agenda says, carry out what is asked for unless nobody can."""
        end = until or self.now + by
        brought: list[Event] = []
        while True:
            brought += self.look().last
            if deliver:
                brought += self.deliver()
            wake = self.agenda.wake_at
            if wake is None or wake > end:
                break
            assert wake > self.now, "a wake-up in the past is a spin"
            self.now = wake
        self.now = end
        self.look()
        self.last = [*brought, *self.last]
        return self

    def away(self, by: timedelta) -> Journey:
        """Nobody looks for so long."""
        self.now += by
        return self

    def deliver(self, *kinds: str) -> list[Event]:
        """Every effect that is due now arrives."""
        brought: list[Event] = []
        for effect in self.agenda.effects:
            if not kinds or effect.kind in kinds:
                brought += self.tell(RecordOutcome(effect.id, 1, "delivered", "ok"), ENGINE).last
        return brought

    # what can be seen

    @property
    def agenda(self) -> Agenda:
        return agenda(self.case, self.now)

    def owed(self, kind: str) -> Obligation:
        """The one open obligation of that kind."""
        [found] = self.all_owed(kind)
        return found

    def all_owed(self, kind: str = "") -> list[Obligation]:
        return [o for o in self.case.obligations.values() if o.state == "open" and kind in ("", o.kind)]

    def asked(self, kind: str) -> list[Effect]:
        """The effects of that kind that were not withdrawn."""
        return [e for e in self.case.effects.values() if e.kind == kind and e.state != "withdrawn"]

    def newest(self, event: type[Any]) -> str:
        """The id of the newest fact of that type."""
        return self.case.seen[event.__name__]

    def fork(self) -> Journey:
        """The same case, to be led elsewhere."""
        other = Journey(self.now)
        other.facts, other.case, other.sources = list(self.facts), self.case, dict(self.sources)
        other._numbers = count(10 * len(self.facts) + 1000)
        return other

    def refold(self) -> Case:
        return replace(fold(self.facts), id="case-1")


BRINGS: Mapping[str, tuple[type[Any], ...]] = {rule.name: rule.brings for rule in (*RULES, *ALWAYS)}


class Then:
    """What the last `when` came to."""

    def __init__(self, journey: Journey) -> None:
        self.journey = journey

    def then(self, *events: Event) -> Then:
        """Exactly these events in exactly this order, those that follow by themselves included."""
        assert self.journey.refused is None, f"refused: {self.journey.refused}"
        told = list(self.journey.last)
        assert told == list(events), difference(told, list(events))
        return self

    def then_told(self, *events: Event) -> Then:
        """As `then`, without obligations, messages and noted sources, which have tests of their own."""
        assert self.journey.refused is None, f"refused: {self.journey.refused}"
        told = [e for e in self.journey.last if not e.type.startswith(("Obligation", "Effect"))]
        assert told == list(events), difference(told, list(events))
        return self

    def then_refused(self, reason: Reason, detail: str = "") -> Then:
        """Refused for that reason with these words, and nothing was recorded."""
        assert self.journey.refused is not None, f"not refused: {[e.type for e in self.journey.last]}"
        assert self.journey.refused.reason is reason, self.journey.refused
        assert detail in self.journey.refused.detail, self.journey.refused
        assert not self.journey.last
        return self

    def then_opens(self, *kinds: str) -> Then:
        """These kinds of obligation opened, no others."""
        opened = [e.kind for e in self.journey.last if isinstance(e, ObligationOpened)]
        assert opened == list(kinds), opened
        return self

    def then_asks(self, *kinds: str) -> Then:
        """These kinds of effect were requested, in this order, no others."""
        asked = [e.kind for e in self.journey.last if isinstance(e, EffectRequested)]
        assert asked == list(kinds), asked
        return self


def difference(told: Sequence[Event], expected: Sequence[Event]) -> str:
    def lines(events: Sequence[Event]) -> Iterator[str]:
        return (f"  {event}" for event in events)

    return "\n".join(["recorded:", *lines(told), "expected:", *lines(expected)])


def when(journey: Journey, command: Command | None = None, *, at: datetime | None = None) -> Then:
    """A command, or only a look, at an instant."""
    if at is not None:
        assert at >= journey.now, "time goes forward"
        journey.now = at
    if command is None:
        journey.look()
    else:
        journey.tried(command)
    return Then(journey)


Step = Callable[[Journey], object]


def given(*steps: Step, start: datetime = START) -> Journey:
    """A case that has come so far."""
    journey = Journey(start)
    for step in steps:
        step(journey)
    return journey

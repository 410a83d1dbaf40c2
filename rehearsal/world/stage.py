"""The stage of a rehearsal: one virtual clock over all cases, the door, rules, loop and effect handlers as always."""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from activities.attend import Attending, turn_of
from activities.command_handler import CommandHandler, CommandRequest, ParseState, Recorded
from activities.gateways import Unreachable
from activities.messages import Attend, Due, Order, Turn
from activities.perform import EffectHandler, Performing
from activities.ports import Append, Ledger, Meta
from domain.case.state import Case
from domain.catalogue import installation
from domain.catalogue.endpoint import Allowed
from domain.core.errors import Reason, require
from domain.core.fact import Command, Draft, Ids
from domain.core.policy import Policy
from domain.engine.agenda import agenda
from infra.ledger.ledger import PgLedger
from rehearsal.world.memory import Remembering
from rehearsal.world.papers import Papers, papers
from workflows.drive import AwaitNudge, Drive, Perform, drive
from workflows.journey import EFFECTS

FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=1), timedelta(seconds=60)
"""As CaseWorkflow asks of Temporal."""
LONGEST_SLEEP = timedelta(days=3650)
EPOCH = 0
Job = Callable[[], Awaitable[None]]
ACTOR = "rehearsal"
THIS_MACHINE = Allowed.of(("127.0.0.1",))
"""Where rehearsed hospitals answer, if anywhere."""


class VirtualClock:
    """The virtual instant; it never goes back."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def move(self, to: datetime) -> None:
        """Forward to an instant; an earlier one changes nothing."""
        self.now = max(self.now, to)


@dataclass(slots=True)
class Loop:
    """One case's loop between two steps. `sleep` names the newest sleep: an older one that ends wakes nobody."""

    case: str
    steps: Drive
    sleep: int = 0
    called: bool = False
    running: set[str] = field(default_factory=set)


class RehearsalStage:
    """Plays cases in the order of the virtual clock. `handlers` as the worker has them."""

    def __init__(self, ledger: PgLedger, policy: Policy, ids: Ids, parse: ParseState, clock: VirtualClock) -> None:
        self.clock = clock
        self.ledger = Remembering(ledger)
        self.commands = CommandHandler(self.ledger, policy, ids, parse, clock, THIS_MACHINE)
        self.fold = self.commands.fold
        self.ids = ids
        self.handlers: Mapping[str, EffectHandler] = {}
        self.papers: Papers | None = None
        self.closed: set[str] = set()
        self.watching: list[Callable[[str], None]] = []
        self._attending = Attending(self.commands)
        self._performing = Performing(self.commands, {})
        self._loops: dict[str, Loop] = {}
        self._jobs: list[tuple[datetime, int, Job]] = []
        self._order = count()

    def at(self, instant: datetime, job: Job) -> None:
        """Have something done at an instant, after what was asked for that instant before."""
        heapq.heappush(self._jobs, (max(instant, self.clock.now), next(self._order), job))

    @property
    def next_at(self) -> datetime | None:
        """Return when something is done next; None = nothing is left to do."""
        return self._jobs[0][0] if self._jobs else None

    async def step(self) -> None:
        """Do the next thing."""
        instant, _, job = heapq.heappop(self._jobs)
        self.clock.move(instant)
        await job()

    async def say(self, ask: CommandRequest) -> Recorded:
        """Record a command and let the case's loop see it. Raises Refused."""
        recorded = await self.commands.record(ask)
        await self.nudge(ask.stream)
        return recorded

    async def tell(self, case: str, command: Command, meta: Meta) -> Recorded:
        """Record a plain command, with the file it names. Raises Refused."""
        stored = papers(command)
        if self.papers is not None and stored:
            command, stored = await self.papers.kept(self.case(case), command)
        return await self.say(CommandRequest(case, meta, command, stored=stored))

    def case(self, name: str) -> Case:
        """Return a case as it stands."""
        return self.fold(self.ledger.facts(name), name)

    async def nudge(self, case: str) -> None:
        """Start the case's loop, or have it look again, as the courier does.

        A look that would find nothing to do would write only that somebody looked, so it waits for the next one.
        """
        if case in self.closed:
            return
        loop = self._loops.get(case)
        if loop is None:
            loop = self._loops[case] = Loop(case, drive(case, EPOCH, 0))
            await self._run(loop, None, started=False)
            return
        today = turn_of(agenda(self.case(case), self.clock.now), self.clock.now)
        if today.ended or any(due.effect not in loop.running for due in today.effects):
            await self._run(loop, go_on=True, started=True)
        else:
            self._sleep(loop, today)

    async def wake_watchers(self, stream: str) -> None:
        """A lot, protocol, centre or person changed: every case that watches it looks again."""
        for case in [name for name in self._loops if stream in self.ledger.watched(name)]:
            loop = self._loops.get(case)
            if loop is not None:
                await self._run(loop, go_on=True, started=True)

    async def leave(self, case: str) -> Case:
        """Look a last time; then nobody looks at this case any more, and it stays as it is."""
        await self._attending.attend(Attend(case, EPOCH, 0))
        self.closed.add(case)
        self._loops.pop(case, None)
        return self.case(case)

    async def look_at_all(self) -> None:
        """Attend every case with a loop once, so that the ledger knows when each is to be woken."""
        for case in list(self._loops):
            await self._attending.attend(Attend(case, EPOCH, 0))

    async def _run(self, loop: Loop, go_on: bool | None, *, started: bool) -> None:
        """Answer the loop's steps until it waits or ends."""
        step = loop.steps.send(go_on) if started else next(loop.steps)
        while True:
            answer: Turn | bool | None = None
            match step:
                case Attend():
                    answer = await self._attending.attend(step)
                case Perform():
                    self._begin(loop, step.due)
                case AwaitNudge():
                    if not (step.turn.ended and not loop.running):
                        self._sleep(loop, step.turn)
                        return
                    answer = False
            try:
                step = loop.steps.send(answer)
            except StopIteration:
                self._loops.pop(loop.case, None)
                return

    def _sleep(self, loop: Loop, turn: Turn) -> None:
        loop.sleep += 1
        for watch in self.watching:
            watch(loop.case)
        if turn.wake_in is None:
            return
        number = loop.sleep

        async def wake() -> None:
            if self._loops.get(loop.case) is loop and loop.sleep == number:
                await self._run(loop, go_on=True, started=True)

        self.at(self.clock.now + min(timedelta(seconds=turn.wake_in), LONGEST_SLEEP), wake)

    def _begin(self, loop: Loop, due: Due) -> None:
        if due.effect in loop.running:
            return
        loop.running.add(due.effect)
        deadline = self.clock.now + EFFECTS[due.kind].attempt
        self.at(self.clock.now, lambda: self._attempt(loop, due, deadline, FIRST_RETRY))

    async def _attempt(self, loop: Loop, due: Due, deadline: datetime, pause: timedelta) -> None:
        """One attempt as the named activity makes it; retried until the deadline, then recorded as unknown."""
        if loop.case in self.closed:
            return
        order = Order(loop.case, due.effect, EPOCH)
        try:
            await self._performing.attempt(order, self.handlers[due.kind])
        except Exception as error:  # noqa: BLE001 - whatever it was, the outcome is unknown
            if not isinstance(error, Unreachable):
                await self.ledger.failed(loop.case, due.effect, EPOCH)
            again = self.clock.now + pause
            if again < deadline:
                longer = min(pause * 2, LONGEST_RETRY)
                self.at(again, lambda: self._attempt(loop, due, deadline, longer))
                return
            await self._performing.record_unknown(order)
        loop.running.discard(due.effect)
        await self.nudge(loop.case)

    async def end(self) -> None:
        """Close the door through which instants were given; everything is recorded on return."""
        await self.ledger.settled()
        loaded = await self.ledger.load(installation.STREAM)
        event = installation.end_rehearsal(installation.fold(loaded.facts))
        draft: Draft[installation.Event] = Draft(event, self.ids())
        meta = Meta(ACTOR, purpose="operation")
        await self.ledger.append(Append(installation.STREAM, len(loaded.facts), [draft], meta, at=self.clock.now))
        await self.ledger.settled()


async def require_empty(ledger: Ledger, head: int) -> None:
    """A rehearsal goes into an empty ledger of its own kind only. Raises Refused."""
    named = installation.fold((await ledger.load(installation.STREAM)).facts)
    kind = named.kind if named else "none"
    require(kind == "rehearsal", Reason.NOT_ALLOWED, f"this is a {kind} ledger; a rehearsal needs one of its own")
    require(named and named.rehearsing, Reason.ALREADY, "the rehearsal of this ledger has ended")
    require(head <= 1, Reason.ALREADY, "this ledger is not empty; a rehearsal begins with nothing")

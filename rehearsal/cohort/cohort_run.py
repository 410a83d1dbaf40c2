"""Plays generated cases through years: seeded families, people who do what they owe, hospitals that simulate."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from activities.case_session import Reply
from activities.command_codec import CASE, Unreadable
from activities.command_handler import CommandRequest
from activities.ports import CommandKey, Meta
from domain.case.obligation import Obligation
from domain.core.errors import Refused
from domain.engine.agenda import agenda
from domain.engine.answers import too_early
from rehearsal.cohort.delays import due_again, first_try
from rehearsal.cohort.families import Family, families
from rehearsal.cohort.market import Market, Reached, unreached
from rehearsal.cohort.reactions import next_command
from rehearsal.courses.known import catalogued
from rehearsal.hospitals.book import Book, DueAnswer
from rehearsal.hospitals.desk import HospitalDesk
from rehearsal.hospitals.speaker import again
from rehearsal.world.hospitals import ShelvedLots, cohort_handlers
from rehearsal.world.opening import ends_by, stage
from rehearsal.world.stage import RehearsalStage

INQUIRIES = 0.8
"""The last family asks when this share of the time is over, so that some cases have just begun at the end."""
LATELY = 0.25
"""In a cohort that is alive half the families ask in the last sixth of the time."""
MOST = 8
TRIES = 60
LATER = timedelta(hours=1)
"""When an answer that came too early is said again."""
Progress = Callable[[float, datetime], None]


class Cohort:
    """One cohort on one stage."""

    def __init__(self, scene: RehearsalStage, desk: HospitalDesk, people: Sequence[Family], seed: int) -> None:
        self._scene = scene
        self._desk = desk
        self._seed = seed
        self._families: dict[str, Family] = {f"case-{scene.ids()}": family for family in people}
        self._seen: set[str] = set()
        self.refused: Counter[str] = Counter()
        scene.watching.append(self._watch)

    def begin(self) -> None:
        """Every family asks in its time."""
        for case, family in self._families.items():
            self._scene.at(self._scene.clock.now + family.asks_after, self._asking(case, family))

    def _asking(self, case: str, family: Family) -> Callable[[], Any]:
        async def ask() -> None:
            await self._scene.tell(case, family.question(), Meta("family"))

        return ask

    def _watch(self, case: str) -> None:
        """Whoever owes something new will do something about it."""
        for owed in self._scene.case(case).obligations.values():
            if owed.state == "open" and owed.id not in self._seen:
                self._seen.add(owed.id)
                chance = random.Random(f"{self._seed}/{owed.id}")  # noqa: S311 - a rehearsal repeats itself
                at = first_try(owed, self._scene.clock.now, chance, self._families[case].pace)
                self._scene.at(at, self._reacting(case, owed, 0))

    def _reacting(self, case: str, owed: Obligation, tries: int) -> Callable[[], Any]:
        async def react() -> None:
            for number in range(MOST):
                if self._settled(case, owed) or not await self._one(case, owed, tries, number):
                    break
            if tries < TRIES and not self._settled(case, owed):
                self._scene.at(due_again(self._scene.clock.now, tries), self._reacting(case, owed, tries + 1))

        return react

    def _settled(self, case: str, owed: Obligation) -> bool:
        now = self._scene.case(case).obligations.get(owed.id)
        return now is None or now.state != "open"

    async def _one(self, case: str, owed: Obligation, tries: int, number: int) -> bool:
        """One command about it; whether there may be another."""
        chance = random.Random(f"{self._seed}/{owed.id}/{tries}/{number}")  # noqa: S311 - as above
        now = self._scene.clock.now
        command = next_command(owed, self._scene.case(case), self._families[case], chance, now)
        if command is None:
            return False
        try:
            await self._scene.tell(case, command, Meta(str(owed.debtor)))
        except Refused as no:
            self.refused[f"{command.type}: {no.reason.value}: {no.detail}"] += 1
            return False
        return True

    async def hear(self, due: DueAnswer) -> None:
        """Take what a simulated hospital says now, as its callback would be taken."""
        try:
            command = CASE.parse(due.command, due.centre)
            digest = CASE.digest(f"{due.case}\0{due.effect}", command)
            meta = Meta(due.centre, key=due.callback, causation=due.effect, provenance="callback")
            key = CommandKey(due.centre, due.callback, digest)
            await self._scene.say(CommandRequest(due.case, meta, command, key, Reply(due.effect)))
            status, later = 200, None
        except (Refused, Unreadable) as no:
            status, later = 409, None
            words = f"{no.reason}: {no.detail}" if isinstance(no, Refused) else str(no)
            self.refused[f"{due.command['type']} by a hospital: {words}"] += 1
            if isinstance(no, Refused) and too_early(self._scene.case(due.case), due.effect, no.reason):
                later = LATER
        now = self._scene.clock.now
        next_at = again(due, status, now, later)
        self._desk.book.delivered(due, status, now, next_at, done=status == 200)  # noqa: PLR2004 - HTTP's own

    def ends(self) -> tuple[Counter[str], Sequence[str]]:
        """Count where every case stands, and list those that are open although nobody owes anything."""
        counted: Counter[str] = Counter()
        stuck = []
        for name in self._families:
            if not self._scene.ledger.facts(name):
                continue
            case = self._scene.case(name)
            today = agenda(case, self._scene.clock.now)
            left = case.exit.value if case.exit else case.follow_up if case.follow_up != "none" else "under way"
            counted[f"{case.stage.value}: {left}"] += 1
            if not today.ended and not (today.obligations or today.effects or today.wake_at):
                stuck.append(name)
        return counted, stuck


async def rehearse_cohort(
    cases: int,
    seed: int,
    span: timedelta,
    *,
    database: str = "",
    folder: Path | None = None,
    name: str = "rehearsal",
    start: datetime | None = None,
    book: Path | str = ":memory:",
    reached: Reached = unreached,
    progress: Progress = lambda *_: None,
    alive: bool = False,
) -> Mapping[str, Any]:
    """Generated cases over the real protocols for that long. Raises Refused for a ledger that is not empty.

    `book` keeps what the simulated hospitals were asked and will still say, for the simulator that goes on with it;
    `reached` gives each centre its address and key. `alive`: families go on asking to the end, most of them lately, so
    that cases stand at every stage, and documents can be opened.
    """
    begins = start or ends_by() - span
    async with stage(begins, seed, database=database, folder=folder, name=name, files=alive) as scene:
        desk = HospitalDesk(Book(book, durable=book != ":memory:"), seed)
        lots = ShelvedLots(scene.ledger, scene.commands)
        scene.handlers = cohort_handlers(desk, lots, scene.commands.policy, scene.clock)
        market = Market(scene, catalogued(), lots, seed, begins + span)
        began = time.perf_counter()
        await market.open(reached)
        within, bend = (span, LATELY) if alive else (span * INQUIRIES, 1.0)
        cohort = Cohort(scene, desk, families(cases, seed, market.trials, within, bend), seed)
        cohort.begin()
        await _play(scene, desk, cohort, begins, begins + span, progress)
        took = time.perf_counter() - began
        desk.book.close()
        return _told(scene, cohort, took)


async def _play(
    scene: RehearsalStage, desk: HospitalDesk, cohort: Cohort, begins: datetime, ends: datetime, progress: Progress
) -> None:
    """Everything in the order of the clock, whoever acts."""
    shown = 0
    while True:
        said, done = desk.book.next_due(), scene.next_at
        instant = min((t for t in (said, done) if t is not None), default=None)
        if instant is None or instant > ends:
            break
        if said is not None and (done is None or said <= done):
            scene.clock.move(said)
            for due in desk.book.due(scene.clock.now, 1):
                await cohort.hear(due)
        else:
            await scene.step()
        if (share := int(20 * (scene.clock.now - begins) / (ends - begins))) > shown:
            shown = share
            progress(share / 20, scene.clock.now)
    scene.clock.move(ends)
    await scene.look_at_all()
    await scene.end()


def _told(scene: RehearsalStage, cohort: Cohort, took: float) -> Mapping[str, Any]:
    counted, stuck = cohort.ends()
    events, cases = scene.ledger.appended, counted.total()
    return {
        "cases": cases,
        "until": scene.clock.now.isoformat(),
        "ends": dict(counted.most_common()),
        "stuck": list(stuck),
        "events": events,
        "seconds": round(took, 2),
        "events_per_second": round(events / took, 1),
        "cases_per_second": round(cases / took, 3),
        "refused": dict(cohort.refused.most_common(20)),
    }

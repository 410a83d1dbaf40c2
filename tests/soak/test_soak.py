"""Kills without end while people, hospitals and families are at work over the real interfaces; then all books agree.

CARAVEL_SOAK_KILLS (500), CARAVEL_SOAK_STOPS (0.1: the share that is stopped for a while instead), CARAVEL_SOAK_SEED
(1), CARAVEL_SOAK_HOMES and CARAVEL_SOAK_JUMPS (one of each for 15 kills: empty and other key homes, keys that go away;
jumps of the database's clock), CARAVEL_SOAK_CASES (one for ten kills: how many are opened, spread
out, so few that people and hospitals bring them on to follow-up).
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from api.run.wiring import Parts, connect_temporal, parts
from domain.case.stage import Stage
from domain.case.state import Case
from domain.doses.stock import Lot
from domain.engine.evolve import fold
from domain.stages.anytime.moving import StageEntered
from infra.ledger.encoding.errors import FAILURES
from rehearsal.demo import ACTOR
from tests.conftest import execute
from tests.soak import books
from tests.soak.harms import Harms
from tests.soak.installation import Installation, running
from tests.soak.killing import GAP, Killing
from tests.soak.people import People
from tests.workflows.rig import eventually
from workflows.names import CASE_WORKFLOW

pytestmark = [pytest.mark.soak, pytest.mark.slow, pytest.mark.timeout(0)]

KILLS = int(os.environ.get("CARAVEL_SOAK_KILLS", "500"))
STOPS = float(os.environ.get("CARAVEL_SOAK_STOPS", "0.1"))
SEED = int(os.environ.get("CARAVEL_SOAK_SEED", "1"))
HOMES = int(os.environ.get("CARAVEL_SOAK_HOMES", str(KILLS // 15)))
JUMPS = int(os.environ.get("CARAVEL_SOAK_JUMPS", str(KILLS // 15)))
CASES = int(os.environ.get("CARAVEL_SOAK_CASES", str(max(16, KILLS // 10))))
WORKING, PAUSE = 6, 0.5
"""People at work, and the seconds between two deeds of each."""
WARM, ASKED, ADMITTED = 900, 10, 3
"""Seconds until the hospitals have been asked so often and so many cases came to a bed, when the killing begins."""
FAR = 300
"""Seconds for which people go on after the last kill, until somebody has come to each of the later stages."""
LATER = {Stage.VISA, Stage.ADMISSION, Stage.LYMPHODEPLETION, Stage.INFUSION, Stage.FOLLOW_UP}
CALM = 1500
"""Seconds within which everything comes to rest: an attempt lasts ten minutes, and some are tried again."""

UNREST = {
    "cases not attended": "select count(*) from attention where attended < version and not ended",
    "effects under way": """
        select count(*) from effect_view e where (state = 'requested' or (state = 'unknown' and not_before is not null))
        and coalesce(not_before, '-infinity') < clock_timestamp() + interval '20 minutes'
        and (select count(*) from claim c where c.effect = e.id and c.ended_at is null) < 2""",
    "steps that fall due": """
        select count(*) from obligation_view where state = 'open'
        and next_step_at < clock_timestamp() + interval '1 minute'""",
}
"""Put off until morning is at rest; so is mail of which two attempts are unaccounted for: it is not sent again."""


async def unrest(here: Parts, hospitals: Path) -> dict[str, int]:
    """What is still to come, by name."""
    try:
        counts = {name: await here.ledger.pool.fetchval(query) for name, query in UNREST.items()}
    except FAILURES as error:
        return {type(error).__name__: 1}
    soon = "select count(*) from answer where next_at < ?"
    counts["answers on their way"] = sqlite3.connect(hospitals).execute(soon, (time.time() + 20,)).fetchone()[0]
    return {name: count for name, count in counts.items() if count}


ADMISSIONS = "select count(distinct case_id) from effect where kind = 'announce_arrival'"


async def under_way(hospitals: Path) -> None:
    """Wait until hospitals are being asked, and the first patients arrive: then the killing begins."""
    book = sqlite3.connect(hospitals)

    async def asked() -> bool:
        effects, admitted = (book.execute(q).fetchone()[0] for q in ("select count(*) from effect", ADMISSIONS))
        return bool(effects >= ASKED and admitted >= ADMITTED)

    await eventually(asked, within=WARM, every=1)


async def come_far(here: Parts) -> None:
    """Wait until somebody has come to each of the later stages, or for a while."""
    until = time.monotonic() + FAR
    while time.monotonic() < until:
        with suppress(*FAILURES):
            told = await here.ledger.pool.fetch("select distinct data from event where type = 'StageEntered'")
            if {json.loads(row["data"])["stage"] for row in told} >= LATER:
                return
        await asyncio.sleep(2)


async def rest(here: Parts, hospitals: Path) -> None:
    """Wait for it, twice in a row. Raises AssertionError with what does not come to rest."""
    until, quiet = time.monotonic() + CALM, 0
    while quiet < 2:
        left = await unrest(here, hospitals)
        quiet = 0 if left else quiet + 1
        assert time.monotonic() < until, left
        await asyncio.sleep(3)


@dataclass
class Compared:
    """What the books say of each other."""

    wrong: list[str] = field(default_factory=list)
    figures: dict[str, object] = field(default_factory=dict)
    reached: Counter[Stage] = field(default_factory=Counter)
    """How many cases came to a stage, whatever became of them."""


async def compared(installation: Installation, here: Parts, people: People, since: datetime) -> Compared:
    """Ledger, read models, checkpoints, hospitals, mail and Temporal against each other."""
    found = Compared()
    rows, memories, claims = await books.ledger_book(here.ledger.pool)
    kept, said = books.hospital_book(installation.books[0])
    mails = books.mail_book(installation.books[1])
    cases: list[Case] = []
    asked: list[books.Asked] = []
    for stream in people.cases:
        facts = (await here.ledger.load(stream)).facts
        cases.append(fold(facts, Case(id=stream)))
        asked += books.asked_of(cases[-1], facts, kept + mails, claims)
        found.reached.update({fact.event.stage for fact in facts if isinstance(fact.event, StageEntered)})
        found.wrong += books.steps_before_cells(stream, facts)
    notices = books.notices_of(map(tuple, await here.ledger.pool.fetch(books.NOTICES)), mails)
    lots = await stocked(here)
    for check in (
        books.commands_once(people.said, rows),
        books.remembered_once([m for m in memories if m.actor != ACTOR], rows),
        books.answers_once(said, memories),
        books.effects_once(asked),
        books.nobody_invented(asked, {*kept, *mails} - {notice.id for notice in notices}),
        books.notices_once(notices),
        *map(books.intents_once, cases),
        books.units_once(cases),
        books.lots_agree(cases, lots),
        books.dated_rightly(map(tuple, await here.ledger.pool.fetch(books.DATES)), since, datetime.now(UTC)),
    ):
        found.wrong += check
    found.figures = {
        "events": len(rows),
        "commands remembered": len(memories),
        "acknowledged to people": len(people.said),
        "of these repeats": sum(one.repeated for one in people.said),
        "answers of hospitals taken": sum(one.taken for one in said),
        "cases": len(cases),
        "open": sum(case.open for case in cases),
        "stages": dict(Counter(case.stage.value for case in cases)),
        "came to": {stage.value: found.reached[stage] for stage in Stage if stage in found.reached},
        **_cells(cases, lots),
        "effects": dict(Counter(f"{e.side} {e.state}" for e in asked)),
        "in the hospitals' book": len(kept),
        "mails": mails.total(),
        "marked possible_repeat": sum(e.marked for e in asked),
        "mail that came twice": sum(e.side == "mail" and e.times > 1 for e in asked),
        "withdrawn and there": sum(e.state == "withdrawn" and e.times > 0 for e in asked),
        "implied by the answer": sum(e.implied for e in asked),
    }
    return found


def _cells(cases: Sequence[Case], lots: Mapping[str, Lot]) -> dict[str, object]:
    return {
        "doses held": sum(case.dose.state == "held" for case in cases),
        "gates signed": sum(bool(t.gate) for case in cases for t in case.treatments),
        "infusions": sum(len(case.infusions) for case in cases),
        "units used up": sum(unit.state == "used" for lot in lots.values() for unit in lot.units.values()),
    }


async def stocked(here: Parts) -> Mapping[str, Lot]:
    """Every lot by its stream."""
    keeper = here.commands
    streams = await here.ledger.pool.fetch("select distinct stream from event where stream like 'lot-%'")
    lots = {row["stream"]: (await keeper.entry(row["stream"])).state for row in streams}
    return {stream: lot for stream, lot in lots.items() if isinstance(lot, Lot)}


PROOFS = (
    ("loops are the open cases, nobody oversleeps", ("audit", "drift", "--json")),
    ("hashes, tree, checkpoints, read models", ("audit", "verify", "--json")),
    ("doctor", ("doctor", "--json")),
)


async def tampered(installation: Installation) -> dict[str, Callable[[], Awaitable[object]]]:
    """The controls: what each proof must see, done by somebody with every right."""
    client = await connect_temporal(target_host=installation.temporal.address)
    running_now = [
        run async for run in client.list_workflows(f"WorkflowType='{CASE_WORKFLOW}' AND ExecutionStatus='Running'")
    ]
    loop = client.get_workflow_handle(running_now[0].id)
    column = "update case_view set on_hold = not on_hold where stream = (select min(stream) from case_view)"

    async def no_worker() -> None:
        for name in ("worker-1", "worker-2"):
            await installation.programs[name].stop()

    return {
        PROOFS[0][0]: loop.terminate,
        PROOFS[1][0]: lambda: execute(installation.postgres.dsn, column),
        PROOFS[2][0]: no_worker,
    }


async def test_soak(tmp_path: Path) -> None:
    async with (
        running(tmp_path) as installation,
        parts(installation.settings, connections=4) as here,
        httpx2.AsyncClient(base_url=installation.settings.public_url, timeout=20) as http,
    ):
        people = People(http, installation.issuer, here, random.Random(SEED))
        killing = Killing(installation.servers, random.Random(SEED), STOPS)
        harms = Harms(installation, random.Random(SEED))
        lasts = KILLS * sum(GAP) / 2
        working = [asyncio.create_task(people.work(PAUSE)) for _ in range(WORKING)]
        opening = asyncio.create_task(people.open_cases(CASES, lasts / CASES * 0.6))
        await under_way(installation.books[0])
        began, since = time.monotonic(), datetime.now(UTC)
        await killing.run(KILLS, harms.planned(HOMES, JUMPS))
        killed = time.monotonic() - began
        await come_far(here)
        people.stop = True
        await asyncio.gather(*working, opening)
        ended = time.monotonic()
        (tmp_path / "acknowledged.json").write_text(json.dumps([asdict(one) for one in people.said]))
        await rest(here, installation.books[0])
        calm = time.monotonic() - ended
        found = await compared(installation, here, people, since)
        proofs = {name: await installation.caravel(*words) for name, words in PROOFS}
        found.wrong += harms.wrong
        found.figures["beside the kills"] = dict(harms.done)
        report(killing, people, found, killed, calm, proofs)
        assert found.wrong == []
        assert found.reached.keys() >= LATER, "the cohort did not come far enough for this to mean anything"
        assert {name: said for name, (code, said) in proofs.items() if code} == {}
        for name, tamper in (await tampered(installation)).items():
            await tamper()
            code, said = await installation.caravel(*dict(PROOFS)[name])
            assert code, f"the control: {name} sees nothing, {said}"


def report(
    killing: Killing, people: People, found: Compared, killed: float, calm: float, proofs: dict[str, tuple[int, str]]
) -> None:
    """For whoever runs it."""
    print(f"\n{killing.done.total()} kills in {killed / 60:.1f} min, at rest {calm / 60:.1f} min later")  # noqa: T201
    print(  # noqa: T201
        f"killed {dict(killing.done)}; of these away for 45 s {dict(+killing.away)}, stopped {dict(killing.stopped)};"
        f" gave up by themselves {dict(killing.ended)}"
    )
    print(f"nobody answered {people.away} times; refused {dict(people.refused)}")  # noqa: T201
    for name, figure in found.figures.items():
        print(f"  {name}: {figure}")  # noqa: T201
    for name, (code, said) in proofs.items():
        print(f"  {name}: exit {code}, {json.dumps(json.loads(said))[:1500] if said else ''}")  # noqa: T201
    for one in found.wrong[:50]:
        print(f"  WRONG {one}")  # noqa: T201

"""The living demonstration of `caravel up`: a rehearsed past, seeded staff, hospitals on the air, people who act."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path

import structlog
from rich.console import Console

from activities.command_handler import CommandHandler, CommandRequest
from activities.ports import CommandKey, Meta
from domain.case.stage import Stage
from domain.case.state import Case
from domain.catalogue import streams as catalogue
from domain.catalogue.centre import ChangeEndpoint
from domain.catalogue.protocol import ConfirmProtocolOpen, Protocol
from domain.catalogue.site import ConfirmSite
from domain.catalogue.staff import RegisterPerson
from domain.core.errors import Refused
from domain.core.fact import Command
from domain.doses.product import stream_of
from domain.recalls.recall import OpenRecall
from domain.stages.eligibility.handing_over import may_read
from domain.stages.eligibility.submissions import LIVE
from domain.stages.eligibility.waiting import WaitForPlace
from infra.ledger.ledger import PgLedger
from infra.ledger.schema.migrate import migrate
from infra.ledger.schema.whole import empty, past_of
from infra.reads.registers import RegisterQueries
from rehearsal.cohort.cohort_run import rehearse_cohort
from rehearsal.cohort.families import Family, Trial, families
from rehearsal.cohort.reactions import next_command
from rehearsal.cohort.sponsor import ESCALATING, next_word
from rehearsal.courses.known import catalogued
from rehearsal.hospitals.keys import HospitalKeys
from rehearsal.world.lots import made, specified
from rehearsal.world.papers import Papers

log = structlog.get_logger()

ACTOR = "demo"
META = Meta(ACTOR, purpose="demonstration", provenance="demonstration")
OPEN_FOR, STOCK, EVERY = timedelta(days=120), 40, 20.0
"""How long a protocol is confirmed open, units per demonstration lot, seconds between two acts."""

GOVERNED = 0.05
"""How often, after a deed, somebody looks at the cohorts of the trial that has them."""
JUDGES = ("person-quality", "person-supervisor")
WAITING = 3
"""How many cases wait for a place at one protocol."""

SPAN = timedelta(days=700)
ZONES = ("Asia/Kolkata", "Asia/Shanghai", "Europe/London")
NAMES = {"coordinator": "Mei Tan", "reviewer": "Ana Ruiz", "quality": "Jo Lind",
         "auditor": "Eva Holm", "supervisor": "Omar Said", "operator": "Sam Roy"}  # fmt: skip
STAFF = {
    f"person-{role}": RegisterPerson(role, "rehearsal", name, f"{role}@caravel.example", ZONES[n % 3], "en")  # type: ignore[arg-type]
    for n, (role, name) in enumerate(NAMES.items())
}
"""Whom a visitor may sign in as: one of each role, made up."""
HOSPITALS_CLERK = "person-hospital"
"""And a clerk of the hospital that has the most dossiers before it."""


@dataclass(frozen=True, slots=True)
class Demo:
    """Holds what the demonstration is made of."""

    cohort: int
    seed: int
    hospitals: str
    keys: HospitalKeys

    def reached(self, centre: str) -> tuple[str, str]:
        """Return where a simulated centre answers, and the key its callbacks are checked with."""
        return f"{self.hospitals}/{centre}/fhir", self.keys.public(centre)


async def rehearse_past(dsn: str, home: Path, demo: Demo, console: Console) -> None:
    """Fill a database with a past that ends now; does nothing to one that has one. `home` keeps the keys."""
    begun, ended = await past_of(dsn)
    if ended:
        return
    if begun:
        console.print("the rehearsal was interrupted; beginning it again")
        await _forget(dsn, home)
    console.print(f"rehearsing {demo.cohort} journeys through the last {SPAN.days} days ...")

    def progress(share: float, instant: datetime) -> None:
        console.print(f"  {share:4.0%}  {instant:%Y-%m-%d}")

    book = home / "hospitals" / "book.db"
    await asyncio.to_thread(book.parent.mkdir, mode=0o700, parents=True, exist_ok=True)
    began = datetime.now(UTC) - SPAN
    await rehearse_cohort(
        demo.cohort,
        demo.seed,
        SPAN,
        database=dsn,
        folder=home,
        start=began,
        book=book,
        reached=demo.reached,
        progress=progress,
        alive=True,
    )


async def _forget(dsn: str, home: Path) -> None:
    """An unfinished rehearsal holds nothing that anybody told; it is played again from its beginning."""
    await empty(dsn)
    for book in await asyncio.to_thread(lambda: list((home / "hospitals").glob("book.db*"))):
        await asyncio.to_thread(book.unlink)
    await migrate(dsn)


async def open_for_visitors(commands: CommandHandler, ledger: PgLedger, demo: Demo) -> None:
    """Seeded staff, hospitals at their present address with their keys, open protocols and released lots."""
    keeper = commands
    known = catalogued()
    for centre, registered in known.centres.items():
        await once(keeper, centre, registered)
        endpoint, key = demo.reached(centre)
        await tell(keeper, centre, ChangeEndpoint(endpoint, "desk@hospital.example", key), f"{endpoint}/{key}")
    month = f"{datetime.now(UTC):%Y-%m}"
    for number, protocol in enumerate(known.protocols):
        await once(keeper, protocol.stream, protocol.command)
        until = datetime.now(UTC) + OPEN_FOR
        await tell(keeper, protocol.stream, ConfirmProtocolOpen(until, "demonstration desk"), month)
        if centre := protocol.command.centre:
            site = ConfirmSite(centre, "open", until, "demonstration desk")
            await tell(keeper, protocol.stream, site, f"site {month}")
        await _stock(keeper, f"lot-demo-{number}-{month}", protocol.command.product)
    centre = await _busiest(commands, RegisterQueries(ledger.pool), sorted(known.centres))
    clerk = RegisterPerson("hospital", centre, "Lin Chen", "clerk@hospital.example", "Asia/Shanghai", "en")
    await once(keeper, HOSPITALS_CLERK, clerk)
    for stream, person in STAFF.items():  # last: once two of them keep the catalogue, nobody changes it alone
        await once(keeper, stream, person)
    await wait_for_a_place(commands, ledger, demo.seed)


async def wait_for_a_place(commands: CommandHandler, ledger: PgLedger, seed: int) -> None:
    """A few cases whose disease one trial takes wait for a place there, where nobody waits anywhere yet.

    The trial is full until the next month's word: a list on which everybody is offered a place at once is soon empty.
    """
    seeking: dict[Trial, list[str]] = {}
    for stream in await open_cases(ledger):
        case, _, _ = await commands.case(stream)
        if case.waiting:
            return
        trials = _family(case, seed).trials if case.stage in (Stage.RECORDS, Stage.ELIGIBILITY) else ()
        if trials and not any(s.state in LIVE for s in case.submissions.values()):
            seeking.setdefault(trials[0], []).append(case.id)
    if not seeking:
        return
    trial = max(seeking, key=lambda one: len(seeking[one]))
    full = ConfirmSite(trial.centre, "full", datetime.now(UTC) + OPEN_FOR, "demonstration desk", places=0)
    await tell(commands, trial.protocol, full, "full")
    for stream in seeking[trial][:WAITING]:
        with suppress(Refused):
            await commands.record(CommandRequest(stream, META, WaitForPlace(trial.protocol)))


async def open_cases(ledger: PgLedger) -> Sequence[str]:
    """List the cases that are open; a recall is driven as they are, and is none."""
    return [row.stream for row in await ledger.open_cases() if row.stream.startswith("case-")]


async def _busiest(commands: CommandHandler, registers: RegisterQueries, centres: Sequence[str]) -> str:
    """The centre whose clerk has the most to read: a visitor who signs in as one finds something there."""
    dossiers = dict.fromkeys(centres, 0)
    for centre in centres:
        for stream in await registers.watching(centre):
            if stream.startswith("case-"):
                case, _, _ = await commands.case(stream)
                here = [one for one in case.submissions.values() if one.centre == centre and may_read(case, one)]
                dossiers[centre] += len(here)
    return max(centres, key=lambda centre: dossiers[centre])


async def _stock(keeper: CommandHandler, lot: str, product: str) -> None:
    """One more lot each month, tested as the product is specified; a product of before is specified from then on."""
    now = datetime.now(UTC)
    units = tuple(f"{lot.removeprefix('lot-')}-U{n:03d}" for n in range(STOCK))
    for command in specified(product):
        await tell(keeper, stream_of(product), command, "first")
    told = made(lot, product, units, now + timedelta(days=400), now.date(), maker="person-operator", judges=JUDGES)
    for number, command in enumerate(told):
        await tell(keeper, lot, command, f"first {number}")


async def once(keeper: CommandHandler, stream: str, command: catalogue.Command) -> None:
    """Register what is not there yet; what is new in a later version may need two people in a ledger of before."""
    try:
        await keeper.entry(stream)
    except Refused:
        await tell(keeper, stream, command, "first")


async def tell(keeper: CommandHandler, stream: str, command: catalogue.Command | OpenRecall, about: str) -> None:
    """Tell a stream something once; what it refuses (a closed protocol, a recalled lot) stays as it is."""
    name = f"demo/{stream}/{command.type}/{about}"
    body = sha256(name.encode()).digest()
    try:
        await keeper.record(CommandRequest(stream, META, command, CommandKey(ACTOR, name, body)))
    except Refused as no:
        log.info("demonstration leaves it", stream=stream, reason=no.reason.value)


async def act(ledger: PgLedger, commands: CommandHandler, demo: Demo, papers: Papers) -> None:
    """Coordinators, families and bedsides go on acting, one deed at a time, for as long as it runs."""
    chance = random.Random(f"demo/{demo.seed}")  # noqa: S311 - a demonstration, nothing is secret
    while True:
        await asyncio.sleep(EVERY)
        try:
            await _deed(ledger, commands, demo, papers, chance)
            if chance.random() < GOVERNED:
                await govern(commands, chance)
        except Refused as no:
            log.info("demonstration deed refused", reason=no.reason.value)
        except Exception as error:  # noqa: BLE001 - a server may be away; the demonstration goes on
            log.warning("demonstration waits", error=type(error).__name__)


async def govern(commands: CommandHandler, chance: random.Random) -> None:
    """Sponsor and safety committee look at the cohorts of the trial with dose levels, so that none stands still."""
    entry = await commands.entry(ESCALATING)
    trial = entry.state
    word = next_word(trial, entry.now.date(), chance) if isinstance(trial, Protocol) else None
    if word is not None:
        await commands.record(CommandRequest(ESCALATING, META, word))


async def _deed(ledger: PgLedger, commands: CommandHandler, demo: Demo, papers: Papers, chance: random.Random) -> None:
    """One thing that somebody owes in one open case."""
    waiting = await open_cases(ledger)
    if not waiting:
        return
    case, _, now = await commands.case(chance.choice(waiting))
    command = next(deeds(case, demo.seed, now), None)
    if command is not None:
        command, stored = await papers.kept(case, command)
        await commands.record(CommandRequest(case.id, META, command, stored=stored))


def deeds(case: Case, seed: int, now: datetime) -> Iterator[Command]:
    """Yield what may be said next about what is owed in a case, the most urgent first."""
    family = _family(case, seed)
    for owed in sorted((o for o in case.obligations.values() if o.state == "open"), key=lambda o: o.due):
        chance = random.Random(f"{seed}/{case.id}/{owed.about}/{now:%Y%m%d%H}")  # noqa: S311 - a demonstration, nothing is secret
        command = next_command(owed, case, family, chance, now)
        if command is not None:
            yield command


@cache
def open_trials() -> Sequence[Trial]:
    """List the trials a family may be put forward for."""
    known = [(p.stream, p.command) for p in catalogued().protocols if p.command.centre]
    return [Trial(str(c.centre), stream, c.product, c.diseases) for stream, c in known]


def _family(case: Case, demo: int) -> Family:
    """Make up the family of a case, always the same one."""
    seed = int.from_bytes(sha256(f"{demo}/{case.id}".encode()).digest()[:4])
    return families(1, seed, open_trials(), timedelta(days=1))[0]

"""Loading and folding a case of 10 to 10,000 events, now and at another time, against a bare SELECT of the same rows.

A real case: opened through the door, then assigned and noted in turns, so that half of its events have a sealed text.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from activities.command_handler import CommandRequest
from activities.ports import Append, Meta
from api.run.wiring import Parts, parts
from bench.common import Asked, Call, Rate, Row, in_turns, rates, server, short, timed
from domain.core.fact import Draft, Fact
from domain.engine.evolve import fold
from domain.history.dated import as_of, known
from domain.stages.anytime.notes import CaseAssigned, NoteAdded
from domain.stages.intake.inquiry import OpenCase
from infra.ids import fresh_id, fresh_stream
from infra.ledger.queries import STREAM
from infra.settings import Settings

LENGTHS = (10, 100, 1_000, 10_000)
SECONDS, ROUNDS, BATCH = 0.4, 5, 250
WORDS = "The family called; the visa appointment is on Tuesday and the father has a question about the bed."
Fold = Callable[[Sequence[Fact[Any]]], object]


async def made(here: Parts, length: int) -> str:
    """A case with so many events."""
    stream = fresh_stream("case")
    opening = OpenCase("IN", "en", "Asia/Kolkata", "A. Rao", team="asia")
    await here.commands.record(CommandRequest(stream, Meta("person-1"), opening))
    while (version := await here.ledger.last_version(stream)) < length:
        some = range(version, min(version + BATCH, length))
        drafts: list[Draft[Any]] = [
            Draft(NoteAdded("note", WORDS) if n % 2 else CaseAssigned("person-2", "asia", ""), fresh_id()) for n in some
        ]
        await here.ledger.append(Append(stream, version, drafts, Meta("person-1")))
    return stream


def calls(here: Parts, connection: "asyncpg.Connection[asyncpg.Record]", stream: str, middle: datetime) -> Row:
    """What is compared; all but the last two as if the process saw the case for the first time."""

    async def first(use: Fold) -> None:
        here.ledger.forget(stream)
        use((await here.ledger.load(stream)).facts)

    async def again(use: Fold) -> None:
        use((await here.ledger.load(stream)).facts)

    return {
        "SELECT": lambda: connection.fetch(STREAM, stream, None),
        "load": lambda: first(len),
        "load and fold": lambda: first(fold),
        "known_at": lambda: first(lambda facts: fold(known(facts, middle))),
        "as_of": lambda: first(lambda facts: as_of(facts, middle)),
        "seen before": lambda: again(lambda facts: here.commands.fold(facts, stream)),
        "known_at, seen before": lambda: again(lambda facts: fold(known(facts, middle))),
    }


async def measure(here: Parts, connection: "asyncpg.Connection[asyncpg.Record]", length: int, asked: Asked) -> Row:
    """One length."""
    stream = await made(here, length)
    facts = (await here.ledger.load(stream)).facts
    seconds = asked.either(SECONDS, 0.02)

    def kind(call: Call) -> Any:
        async def warm() -> Rate:
            await call()
            return await timed([call], seconds)

        return warm

    kinds = {name: kind(call) for name, call in calls(here, connection, stream, facts[len(facts) // 2].at).items()}
    found: list[dict[str, Rate]] = (await in_turns(kinds, asked.either(ROUNDS, 1) + 1))[1:]
    figures = rates(found)
    per_second = {name: round(length * rate) for name, rate in figures["per_second"].items()}
    times = {name: short(one / figures["p50_ms"]["SELECT"]) for name, one in figures["p50_ms"].items()}
    return {"length": len(facts), "p50_ms": figures["p50_ms"], "events_per_second": per_second, "times SELECT": times}


async def main(asked: Asked) -> AsyncIterator[Row]:
    """A row for each length."""
    async with server() as (running, folder):
        settings = Settings(database_url=running.dsn, home=folder / "home", installation="bench")
        connection = await asyncpg.connect(running.dsn)
        async with parts(settings) as here:
            for length in asked.either(LENGTHS, LENGTHS[:2]):
                yield await measure(here, connection, length, asked)
        await connection.close()

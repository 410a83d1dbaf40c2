"""Read models written live are what a rebuild makes of the events, to the microsecond."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest

from activities import views
from activities.command_handler import AttendedBy, CommandRequest, Recorded
from activities.ports import Meta
from api.run.verifying import views_of
from api.run.wiring import Parts
from domain.catalogue import installation
from domain.catalogue import streams as catalogue
from domain.core.fact import Fact
from domain.engine.evolve import EVENTS
from infra.ids import fresh_stream
from infra.ledger.encoding.codec import Codec
from infra.ledger.rebuild import Rebuild
from tests.workflows.rig import command, opening

pytestmark = pytest.mark.slow
STAFF = Meta("person-1")


async def send(here: Parts, case: str, what: Any) -> Recorded:
    recorded = await here.commands.record(CommandRequest(case, STAFF, what))
    await here.commands.record(CommandRequest(case, Meta("engine"), attended_by=AttendedBy(0)))
    return recorded


async def lived(here: Parts, upto: int) -> list[Recorded]:
    """From the inquiry into the records, as far as so many commands lead; every answer."""
    case = fresh_stream("case")
    answers = [await send(here, case, opening())]
    patient = answers[0].case.patient
    assert patient
    told = (
        command("ReplyToFamily", "call"),
        command("AcknowledgeScope", patient.id, "1"),
        command("GiveConsent", "data_processing", patient.id, "1", "en"),
        command("RequestRecord", "labs"),
        command("RequestRecord", "imaging"),
        command("AddNote", "note", "x"),
        command("HoldCase", "travelling"),
        command("ResumeCase"),
    )
    return answers + [await send(here, case, what) for what in told[:upto]]


async def differing(here: Parts) -> list[tuple[str, str]]:
    connection = await asyncpg.connect(here.settings.database_url.get_secret_value())
    codec = Codec((*installation.EVENTS, *EVENTS, *catalogue.EVENTS))
    try:
        return list((await Rebuild(connection, here.keys, codec, views_of).run(swap=False)).differing)
    finally:
        await connection.close()


async def many(here: Parts) -> list[Recorded]:
    """Several at once, so that appends share transactions."""
    return [answer for answers in await asyncio.gather(*(lived(here, upto) for upto in range(9))) for answer in answers]


async def test_a_rebuild_finds_nothing_that_differs(here: Parts) -> None:
    answers = await many(here)
    assert await differing(here) == []
    last = answers[-1]
    assert last.facts[-1].at > last.now  # deciding and recording are two instants
    case, _, _ = await here.commands.case(last.case.id)
    asked = {e.requested_at for answer in answers for e in answer.case.effects.values() if answer.case.id == case.id}
    assert asked
    assert asked <= _instants(await here.ledger.load(case.id))
    opened = answers[0]
    assert (opened.case.opened_at, opened.case.stage_since) == (opened.facts[0].at, opened.facts[0].at)


async def test_what_the_engine_records_is_counted_as_the_engines(here: Parts) -> None:
    recorded = (await lived(here, 4))[-1]
    [effect] = recorded.case.effects.values()
    done = CommandRequest(recorded.case.id, Meta("engine"), command("RecordOutcome", effect.id, 1, "delivered", "R"))
    assert (await here.commands.record(done)).case.people_version == recorded.case.people_version
    assert await differing(here) == []


def _instants(loaded: Any) -> set[Any]:
    facts: list[Fact[Any]] = loaded.facts
    return {fact.at for fact in facts}


async def test_without_the_recorded_instant_it_does(here: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    def as_decided(row: dict[str, Any], _now: object) -> Mapping[str, Any]:
        return row

    monkeypatch.setattr(views, "_recorded", as_decided)
    await many(here)
    assert {table for table, _ in await differing(here)} == {"case_view", "effect_view"}

"""A change of what a case depends on wakes it; what no case notes of it wakes nobody."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from activities.command_handler import CommandRequest
from activities.ports import Append, Attention, Meta, Views
from api.run.wiring import Parts
from domain.catalogue.centre import ChangeEndpoint, PauseCentre, RegisterCentre, ResumeCentre
from domain.core.fact import Draft
from domain.stages.anytime.notes import NoteAdded
from infra.ids import fresh_id, fresh_stream
from tests.api.conftest import Staffed

META = Meta("test", "operation")
CENTRE = RegisterCentre(
    "n", "c", "CN", "Asia/Shanghai", ("zh",), True, ("cell_therapy",), "s", date(2026, 1, 1), "", "", ""
)  # fmt: skip


@pytest.fixture(scope="module")
def staffed(unstaffed: Staffed) -> Staffed:
    return unstaffed


@pytest.mark.slow
async def test_a_case_is_woken_by_what_it_notes_and_by_nothing_else(here: Parts) -> None:
    case, centre = fresh_stream("case"), fresh_stream("centre")
    keeper = here.commands

    async def woken_by(command: Any) -> int:
        before = (await here.ledger.load(case)).woken
        await keeper.record(CommandRequest(centre, META, command))
        return (await here.ledger.load(case)).woken - before

    note = Draft(NoteAdded("note", "a word"), fresh_id())
    await here.ledger.append(Append(case, 0, [note], META, Views(watch=[centre]), attention=Attention()))
    assert await woken_by(CENTRE) == 1
    assert await woken_by(ChangeEndpoint("", "intake@hospital.example", "")) == 0
    assert await woken_by(PauseCentre("full")) == 1
    assert await woken_by(ResumeCentre()) == 1

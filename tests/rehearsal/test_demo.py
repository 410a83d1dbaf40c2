"""The demonstration starts again in a folder that was filled before."""

from __future__ import annotations

from activities.command_handler import CommandRequest
from activities.ports import Meta
from api.run.wiring import Parts
from domain.case.stage import Stage
from domain.catalogue.protocol import Protocol
from domain.catalogue.staff import RegisterPerson, Staff
from domain.core.roles import Role
from domain.stages.intake.importing import ImportFacts
from domain.stages.intake.inquiry import OpenCase
from infra.ids import fresh_stream
from rehearsal.courses.known import catalogued
from rehearsal.demo import WAITING, once, wait_for_a_place
from tests.api.conftest import registered

LATE = RegisterPerson("hospital", "centre-renji", "Lin Chen", "clerk@hospital.example", "Asia/Shanghai", "en")


async def test_who_is_new_in_a_later_version_does_not_stop_it(here: Parts) -> None:
    """Once two people keep the catalogue nobody joins the staff alone; before, the first still do."""
    keeper = here.commands
    await once(keeper, "person-early", LATE)
    found = (await keeper.entry("person-early")).state
    assert isinstance(found, Staff)
    for _ in range(2):
        await registered(here, Role.OPERATOR)
    await once(keeper, "person-late", LATE)


async def test_a_few_cases_wait_for_a_place_and_no_more_when_it_starts_again(here: Parts) -> None:
    for protocol in catalogued().protocols:
        await once(here.commands, protocol.stream, protocol.command)
    cases = [fresh_stream("case") for _ in range(12)]
    for case in cases:
        for command in (OpenCase("IN", "en", "Asia/Kolkata", "A. Name", imported=True), ImportFacts(Stage.ELIGIBILITY)):
            await here.commands.record(CommandRequest(case, Meta("demo"), command))
    for _ in range(2):
        await wait_for_a_place(here.commands, here.ledger, 7)
        waits = [w for case in cases for w in (await here.commands.case(case))[0].waiting.values()]
        assert 1 <= len(waits) <= WAITING
        assert len({wait.protocol for wait in waits}) == 1, "one list, so that it is one to look at"
        trial = (await here.commands.entry(waits[0].protocol)).state
        assert isinstance(trial, Protocol)
        assert [site.lease.state for site in trial.sites if site.lease] == ["full"], (
            "else each is offered a place at once"
        )

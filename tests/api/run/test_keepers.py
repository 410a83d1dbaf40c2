"""Whom a change that takes two people can be asked of: nobody at first, then two, and then for ever."""

from __future__ import annotations

from typing import Any

import pytest

from activities.command_handler import CommandRequest
from activities.keepers import keepers
from activities.ports import Meta
from api.run.wiring import MACHINE, Parts
from domain.catalogue.staff import ChangeRole, DismissPerson, RegisterPerson
from domain.core.errors import Reason, Refused
from tests.agreed import agreed
from tests.api.conftest import Staffed


@pytest.fixture(scope="module")
def staffed(unstaffed: Staffed) -> Staffed:
    return unstaffed


def joins(role: Any) -> RegisterPerson:
    return RegisterPerson(role, "asia", "N", "n@example.org", "Asia/Kolkata", "en")


async def test_the_first_two_are_made_by_whoever_has_the_machine_and_nobody_after_them(here: Parts) -> None:
    async def alone(person: str, command: Any) -> None:
        await here.commands.record(CommandRequest(person, Meta(MACHINE.id, "operation"), command))

    async def known() -> tuple[set[str], bool]:
        found = await keepers(here.ledger)
        return set(found.now), found.closed

    assert await known() == (set(), False)
    await alone("person-a", joins("operator"))
    await alone("person-c", joins("coordinator"))
    await alone("person-a", DismissPerson("registered_by_mistake"))  # one after the other are not two
    await alone("person-b", joins("operator"))
    assert await known() == ({"person-b"}, False)
    await alone("person-c", ChangeRole("supervisor", "asia"))
    assert await known() == ({"person-b", "person-c"}, True)
    for person, command in (("person-d", joins("coordinator")), ("person-b", DismissPerson("left"))):
        with pytest.raises(Refused) as no:
            await alone(person, command)
        assert no.value.reason is Reason.FOUR_EYES
    await agreed(here.commands, "person-d", joins("supervisor"))
    await agreed(here.commands, "person-b", DismissPerson("left"))
    await agreed(here.commands, "person-b", ChangeRole("coordinator", "asia"))
    assert await known() == ({"person-c", "person-d"}, True)

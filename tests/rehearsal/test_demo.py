"""The demonstration starts again in a folder that was filled before."""

from __future__ import annotations

from api.run.wiring import Parts
from domain.catalogue.staff import RegisterPerson, Staff
from domain.core.roles import Role
from rehearsal.demo import _once
from tests.api.conftest import here, registered

__all__ = ["here"]
LATE = RegisterPerson("hospital", "centre-renji", "Lin Chen", "clerk@hospital.example", "Asia/Shanghai", "en")


async def test_who_is_new_in_a_later_version_does_not_stop_it(here: Parts) -> None:
    """Once two people keep the catalogue nobody joins the staff alone; before, the first still do."""
    keeper = here.commands
    await _once(keeper, "person-early", LATE)
    found = (await keeper.entry("person-early")).state
    assert isinstance(found, Staff)
    for _ in range(2):
        await registered(here, Role.OPERATOR)
    await _once(keeper, "person-late", LATE)

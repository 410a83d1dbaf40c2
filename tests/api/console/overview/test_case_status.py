"""What is owed is found beside what settles it."""

from __future__ import annotations

import pytest

from api.console.overview.case_status import GROUP_OF
from domain.core.fact import Command
from domain.journey import GROUP
from tests.domain.case.obligation_scenes import SCENES
from tests.domain.course import start
from tests.domain.journey import Journey


@pytest.mark.parametrize("kind", SCENES)
def test_the_actions_that_are_open_are_those_that_settle_it(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    journey, settles, tell = start(SCENES[kind].at), set[str](), Journey.tell
    SCENES[kind].before(journey)

    def noting(j: Journey, command: Command, actor: str = "person-1") -> Journey:
        settles.add(GROUP[type(command)])
        return tell(j, command, actor)

    monkeypatch.setattr(Journey, "tell", noting)
    SCENES[kind].meet(journey)
    assert not settles or GROUP_OF[kind] in settles, "without a command time alone settles it"

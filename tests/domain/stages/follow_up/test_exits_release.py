"""However a case ends early, each unit it ever held is given back, was infused or thawed, or its hold ran out."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given

from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.treatment.dose import DoseHeld, DoseLapsed, DoseLost
from domain.stages.treatment.infusion import InfusionCompleted, ThawStarted
from tests.domain.course import start
from tests.domain.journey import DAY, Journey
from tests.domain.test_properties import ACTS, STARTS, Act, act
from tests.drawing import draws


def units_kept(j: Journey) -> set[tuple[object, object]]:
    """What an onlooker who knows only the facts would say the case still has."""
    kept: dict[tuple[object, object], str] = {}
    given = {e.about for e in j.case.effects.values() if e.kind == "release_dose" and e.state == "delivered"}
    by: dict[str, tuple[object, object]] = {}
    last: tuple[object, object] = ("", "")
    for fact in j.facts:
        match fact.event:
            case DoseHeld(lot=lot, unit=unit):
                last = by[fact.id] = (lot, unit)
                kept[last] = fact.id
            case DoseLapsed() | DoseLost() | ThawStarted() | InfusionCompleted():
                kept.pop(last, None)
            case _:
                pass
    return {unit for unit in kept if not any(by.get(about) == unit for about in given)}


@given(STARTS, ACTS)
@draws(40)
def test_no_exit_leaves_a_unit_held(name: str, acts: Sequence[Act]) -> None:
    j = start_and_live(name, acts)
    before = units_kept(j)
    j.tried(LeaveJourney("declined"))
    if j.refused is not None or not j.case.exit:
        return
    for _ in range(8):
        j.look()
        j.deliver()
        j.now += DAY
    assert units_kept(j) == set(), f"held before leaving: {before}"


def start_and_live(name: str, acts: Sequence[Act]) -> Journey:
    j = start(name)
    for what in acts:
        act(j, what)
    return j


def test_the_onlooker_sees_a_unit_that_nobody_gave_back() -> None:
    j = start("dose_held").tell(LeaveJourney("declined"))
    assert units_kept(j)
    j.deliver("release_dose")
    assert not units_kept(j)

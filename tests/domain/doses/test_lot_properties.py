"""Any commands in any order at any time: one open hold per unit, used units for ever as they are, repeats harmless."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.core.errors import Refused
from domain.doses import lot as lots
from domain.doses.lot import Lot, LotReleased, QuarantineLot, RecallLot, ReleaseLot
from domain.doses.unit import (
    CommitUnit,
    ExtendHold,
    FreeUnit,
    HoldExtended,
    HoldUnit,
    SettleUnit,
    UnitCommitted,
    UnitFreed,
    UnitHeld,
    UnitSetAside,
    UnitSettled,
    UnitUsed,
    UseUnit,
)
from tests.domain.catalogue.steps import NOW, fact
from tests.drawing import draws

HOUR = timedelta(hours=1)
UNITS = ("u1", "u2")
HOLDER = "whoever has it"
cases = st.sampled_from(["case-1", "case-2", "case-3"])
claimants = st.one_of(st.just(HOLDER), cases)
units = st.sampled_from(UNITS)
people = st.sampled_from(["person-1", "person-2"])
moments = st.integers(0, 80).map(lambda hours: NOW + hours * HOUR)
asked: st.SearchStrategy[Any] = st.one_of(
    st.builds(HoldUnit, cases, st.integers(1, 30).map("effect-{}".format), moments),
    st.builds(ExtendHold, units, claimants, moments),
    st.builds(FreeUnit, units, claimants),
    st.builds(CommitUnit, units, claimants),
    st.builds(UseUnit, units, claimants),
    st.builds(SettleUnit, units, st.sampled_from(["returned", "destroyed"]), st.just("why"), people),
)
rare: st.SearchStrategy[Any] = st.one_of(
    st.builds(ReleaseLot, people), st.builds(QuarantineLot, st.just("why")), st.just(RecallLot("why"))
)
commands = st.integers(0, 19).flatmap(lambda n: rare if n == 19 else asked)
steps = st.lists(st.tuples(st.integers(0, 3), commands), min_size=30, max_size=60)


@dataclass
class Book:
    """What an onlooker who knows only the events would write down."""

    holds: dict[str, tuple[Any, datetime | None]] = field(default_factory=dict)
    committed: set[str] = field(default_factory=set)
    used: dict[str, Any] = field(default_factory=dict)
    destroyed: set[str] = field(default_factory=set)

    def holder(self, unit: str, now: datetime) -> Any:
        """Whose unit it is at that instant; a hold without an end does not end."""
        case, until = self.holds.get(unit, (None, None))
        return case if until is None or now < until else None

    def write(self, event: Any, now: datetime) -> None:
        unit = getattr(event, "unit", "")
        assert unit not in self.used
        assert unit not in self.destroyed
        match event:
            case UnitHeld():
                assert self.holder(unit, now) in (None, event.case)
                assert unit not in self.committed
                others = [u for u in UNITS if u != unit and u not in self.committed]
                assert not [u for u in others if self.holder(u, now) == event.case]
                self.holds[unit] = (event.case, event.until)
            case HoldExtended():
                case, until = self.holds[unit]
                assert until is not None
                assert now < until < event.until
                self.holds[unit] = (case, event.until)
            case UnitCommitted():
                case, until = self.holds[unit]
                assert until is not None
                assert now < until
                self.holds[unit] = (case, None)
                self.committed.add(unit)
            case UnitUsed():
                assert unit in self.committed
                self.used[unit] = self.holds[unit][0]
            case UnitFreed():
                assert unit not in self.committed
                del self.holds[unit]
            case UnitSetAside():
                assert unit in self.committed
            case UnitSettled():
                assert unit in self.committed
                self.committed.discard(unit)
                del self.holds[unit]
                self.destroyed |= {unit} if event.outcome == "destroyed" else set()
            case _:
                pass


def opened() -> Lot:
    registered = lots.LotRegistered("X-1", UNITS, NOW + 100 * HOUR, "donor", "vector", "person-1")
    return lots.evolve(lots.evolve(Lot(), fact(registered, 1)), fact(LotReleased("person-2"), 2))


@draws(80)
@given(steps)
def test_no_sequence_gives_a_unit_to_two_patients_or_changes_a_used_one(script: list[tuple[int, Any]]) -> None:
    state, book, now = opened(), Book(), NOW
    for hours, told in script:
        now += hours * HOUR
        command = _resolved(state, told)
        try:
            events = lots.decide(state, command, now, {})
        except Refused:
            continue
        for event in events:
            book.write(event, now)
            state = lots.evolve(state, fact(event, state.version + 1, now))
        assert {u.id: u.case for u in state.units.values() if u.state == "used"} == book.used
        if not isinstance(command, ReleaseLot):
            assert _again(state, command, now) == []


def _resolved(state: Lot, command: Any) -> Any:
    if getattr(command, "case", "") != HOLDER:
        return command
    return replace(command, case=state.units[command.unit].case)


def _again(state: Lot, command: Any, now: datetime) -> Any:
    """A repeat brings nothing; a unit already settled may be refused instead."""
    try:
        return lots.decide(state, command, now, {})
    except Refused:
        assert isinstance(command, SettleUnit)
        return []

"""Any commands in any order at any time: one open hold per unit, used units for ever as they are, repeats harmless."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.core.errors import Refused
from domain.doses import lot as lots
from domain.doses.lot import LotReleased, QuarantineLot, RecallLot, ReleaseLot
from domain.doses.readings import Excursion
from domain.doses.states import KEPT, MOVES, OVER
from domain.doses.stock import Lot, stops
from domain.doses.storage import (
    DecideStoppedUnit,
    PlaceUnit,
    StopUnits,
    UnitCleared,
    UnitDiscarded,
    UnitStopped,
    UseOfUnitProposed,
    mark,
)
from domain.doses.unit import (
    CommitUnit,
    DestroyThawedUnit,
    ExtendHold,
    FreeUnit,
    HoldExtended,
    HoldUnit,
    SettleUnit,
    ThawedUnitDestroyed,
    UnitCommitted,
    UnitFreed,
    UnitHeld,
    UnitSetAside,
    UnitSettled,
    UnitUsed,
    UseUnit,
    name_of,
)
from tests.domain.catalogue.steps import NOW, fact
from tests.drawing import draws

HOUR = timedelta(hours=1)
UNITS = ("u1", "u2")
STORE = "store-1"
WARM = tuple(
    Excursion(kind="warm", began=NOW + hours * HOUR, ended=NOW + (hours + 2) * HOUR, warmest=-90.0)
    for hours in (4, 11, 23, 37)
)
"""While the store was too warm; each is known from its end on."""
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
    st.builds(DestroyThawedUnit, units, claimants),
    st.builds(SettleUnit, units, st.sampled_from(["returned", "destroyed"]), st.just("why"), people),
    st.builds(PlaceUnit, units, st.just(STORE), units),
    st.just(StopUnits()),
    st.builds(DecideStoppedUnit, units, st.sampled_from(["use", "use", "discard"]), st.just("why"), people),
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
    last: dict[str, Any] = field(default_factory=dict)
    destroyed: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    warm: set[str] = field(default_factory=set)
    """What lay in a store that was too warm, and its lot did not look yet: whose it is, that has it no more."""
    proposed: dict[str, str] = field(default_factory=dict)

    def holder(self, unit: str, now: datetime) -> Any:
        """Whose unit it is at that instant; a hold without an end does not end."""
        case, until = self.holds.get(unit, (None, None))
        return case if until is None or now < until else None

    def write(self, event: Any, now: datetime) -> None:
        unit = getattr(event, "unit", "")
        late = isinstance(event, UnitStopped)  # readings come late, and whoever sees to the patient must know
        assert late or unit not in self.used
        assert unit not in self.destroyed
        match event:
            case UnitHeld():
                assert unit not in self.stopped
                assert self.holder(unit, now) in (None, event.case)
                assert unit not in self.committed
                others = [u for u in UNITS if u != unit and u not in self.committed | self.warm]
                assert not [u for u in others if self.holder(u, now) == event.case]
                self.holds[unit] = (event.case, event.until)
                self.last[unit] = event.case
            case HoldExtended():
                case, until = self.holds[unit]
                assert until is not None
                assert now < until < event.until
                self.holds[unit] = (case, event.until)
            case UnitCommitted():
                assert unit not in self.stopped
                case, until = self.holds[unit]
                assert until is not None
                assert now < until
                self.holds[unit] = (case, None)
                self.committed.add(unit)
            case UnitUsed():
                assert unit in self.committed | self.stopped
                self.used[unit] = self.last[unit]
            case ThawedUnitDestroyed():
                assert unit in self.last, "it was somebody's"
                self.holds.pop(unit, None)
                self.destroyed.add(unit)
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
                self._write_stop(event, unit)

    def _write_stop(self, event: Any, unit: str) -> None:
        match event:
            case UnitStopped():
                self.stopped.add(unit)
                self.proposed.pop(unit, None)
                if unit not in self.committed:
                    self.holds.pop(unit, None)
            case UseOfUnitProposed():
                assert unit in self.stopped
                self.proposed[unit] = event.by
            case UnitCleared():
                assert self.proposed.pop(unit) != event.by, "two people"
                self.stopped.discard(unit)
            case UnitDiscarded():
                assert unit in self.stopped
                self.destroyed.add(unit)
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
        book.warm = {name for name, one in state.units.items() if stops(one, beside(now))}
        try:
            events = lots.decide(state, command, now, beside(now))
        except Refused:
            continue
        for event in events:
            book.write(event, now)
            before, state = state, lots.evolve(state, fact(event, state.version + 1, now))
            _as_the_table_says(before, event, state)
        if isinstance(command, StopUnits):
            _whatever_lay_there_is_stopped(state, now)
        assert {u.id: u.case for u in state.units.values() if u.state == "used"} == book.used
        if not isinstance(command, ReleaseLot | DecideStoppedUnit):
            assert _again(state, command, now) == []


def _resolved(state: Lot, command: Any) -> Any:
    if getattr(command, "case", "") != HOLDER:
        return command
    return replace(command, case=state.units[command.unit].case)


def _again(state: Lot, command: Any, now: datetime) -> Any:
    """A repeat brings nothing; a unit already settled may be refused instead."""
    try:
        return lots.decide(state, command, now, beside(now))
    except Refused:
        assert isinstance(command, SettleUnit)
        return []


def beside(now: datetime) -> Any:
    return {STORE: {"excursions": tuple(one for one in WARM if one.ended <= now)}}


def _as_the_table_says(before: Lot, event: Any, after: Lot) -> None:
    """Every move of a unit stands in the table, and nothing else moves one."""
    for unit in UNITS:
        was, is_ = before.units[unit].state, after.units[unit].state
        if getattr(event, "unit", "") == unit and name_of(event) in MOVES:
            assert MOVES[name_of(event)][was] == is_
        else:
            assert was == is_


def _whatever_lay_there_is_stopped(state: Lot, now: datetime) -> None:
    for unit in state.units.values():
        for one in beside(now)[STORE]["excursions"]:
            if unit.state not in OVER and any(one.overlaps(stay.since, stay.until) for stay in unit.stays):
                assert mark(STORE, one.id) in {*unit.stopped, *unit.judged}


def test_the_table_is_whole() -> None:
    """Each state can be reached, and none that is over is left."""
    reached = {after for moves in MOVES.values() for after in moves.values()}
    assert reached == {before for moves in MOVES.values() for before in moves} | OVER
    left = {(before, after) for moves in MOVES.values() for before, after in moves.items() if before != after}
    assert not {before for before, _ in left} & OVER
    assert not KEPT & set(MOVES["UnitHeld"]), "what is somebody's for good is given to nobody else"

"""Invariants that random histories must keep, as an onlooker who knows only the events checks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.stages.anytime.correcting import CorrectFact
from domain.stages.follow_up.acquired import OrderCells, RecordResource, ReportResource
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.intake.people import GiveConsent, WithdrawConsent
from domain.stages.treatment.bedside.authorising import AuthoriseInfusion
from domain.stages.treatment.dose import AskDoseAgain, HoldDose
from domain.stages.treatment.infusion import (
    CheckIdentity,
    DestroyUnit,
    IdentityChecked,
    PlanInfusions,
    RecordInfusion,
    StartThaw,
)
from domain.stages.treatment.lymphodepletion import CompleteDepletion, OmitDepletion, RecordDepletion, SignGate
from domain.stages.treatment.recovery import DecidePathway
from domain.stages.treatment.redosing import DecideRedosing
from tests.domain.any_command import MAKE
from tests.domain.course import LOT, patient, start
from tests.domain.journey import DAY, HOUR, Journey
from tests.drawing import draws

NEEDED = {"data_processing", "trial", "risks"}


@dataclass
class Bedside:
    """What stands before the cells, as written down from the events alone (invariant 2)."""

    consents: set[str] = field(default_factory=set)
    lots: dict[str, str] = field(default_factory=dict)
    lot: Any = ""
    gates: set[int] = field(default_factory=set)
    checked: Any = None
    thawed: Any = None
    deviated: Any = None
    infused: list[tuple[Any, Any]] = field(default_factory=list)

    def write(self, e: Any) -> None:
        """One event; an infusion without all that must come before it is an AssertionError."""
        found: Callable[[Any], None] | None = getattr(self, f"_{e.type}", None)
        if found:
            found(e)

    def _ConsentGiven(self, e: Any) -> None:  # noqa: N802 - named by the event
        self.consents.add(e.purpose)

    def _ConsentWithdrawn(self, e: Any) -> None:  # noqa: N802
        self.consents.discard(e.purpose)

    def _LotStateNoted(self, e: Any) -> None:  # noqa: N802
        self.lots[e.stream] = e.state

    def _DoseHeld(self, e: Any) -> None:  # noqa: N802
        self.lot = e.lot

    def _GateSigned(self, e: Any) -> None:  # noqa: N802
        self.gates.add(e.treatment)

    def _IdentityChecked(self, e: Any) -> None:  # noqa: N802
        assert e.first != e.second, "one person checked twice"
        self.checked = e.unit

    def _IdentityMismatched(self, _: Any) -> None:  # noqa: N802
        self.checked = None

    def _ThawStarted(self, e: Any) -> None:  # noqa: N802
        assert e.unit == self.checked, "thawed unchecked"
        assert e.treatment in self.gates, "no gate"
        assert self.consents >= NEEDED, "no consent"
        assert self.lots.get(self.lot) == "released", "the lot was not released"
        self.thawed = e.unit

    def _UnitDestroyed(self, _: Any) -> None:  # noqa: N802
        self.checked = self.thawed = None

    def _InfusionDeviated(self, e: Any) -> None:  # noqa: N802
        self.deviated = e.unit

    def _InfusionCompleted(self, e: Any) -> None:  # noqa: N802
        told = self.deviated == e.unit
        assert told or (e.unit == self.thawed and self.checked == e.unit), "cells without their steps"
        assert (e.lot, e.unit) not in self.infused or not told, "the same unit twice"
        self.infused.append((e.lot, e.unit))
        self.checked = self.thawed = self.deviated = None


def written(events: Iterable[Any]) -> Bedside:
    book = Bedside()
    for event in events:
        book.write(event)
    return book


def told(j: Journey) -> Sequence[Any]:
    """The events in order, corrections left out: they tell of what is written down already."""
    return [f.event for f in j.facts if not f.corrects]


CELLS = (
    SignGate, OmitDepletion, RecordDepletion, CompleteDepletion, AuthoriseInfusion, CheckIdentity, StartThaw,
    RecordInfusion, DestroyUnit, PlanInfusions, AskDoseAgain, HoldDose, DecidePathway, DecideRedosing,
    GiveConsent, WithdrawConsent, CorrectFact, LeaveJourney,
)  # fmt: skip
RIGHT: tuple[Callable[[Journey], Any], ...] = (
    lambda _: AuthoriseInfusion("Dr"),
    lambda j: CheckIdentity("nurse-1", "nurse-2", j.case.dose.ref, True, True),
    lambda j: StartThaw(j.case.dose.ref),
    lambda j: RecordInfusion(j.case.treatment.unit if j.case.treatment else ""),
    lambda j: HoldDose(LOT, f"unit-{len(j.facts)}", j.now + 30 * DAY),
    lambda j: GiveConsent("trial", patient(j), "1", "hi"),
)
"""What lets the cells come, so that random histories get so far."""
STATES = ("released", "released", "quarantined")
STARTS = st.sampled_from(["lymphodepletion", "gated", "infusion", "authorised", "checked", "thawed"])
ACTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 40)), max_size=30)


def live(name: str, acts: Sequence[tuple[int, int, int]]) -> Journey:
    j = start(name)
    for kind, n, variant in acts:
        j.now += HOUR
        match kind:
            case 0:
                j.tried(MAKE[CELLS[n % len(CELLS)]](j, variant))
            case 1 | 2:
                j.tried(RIGHT[n % len(RIGHT)](j))
            case _:
                j.source(LOT, state=STATES[n % len(STATES)]).look()
    return j


@given(STARTS, ACTS)
@draws(5)
def test_no_cells_without_two_people_a_released_lot_the_gate_and_consent_unless_it_is_called_a_deviation(
    name: str, acts: Sequence[tuple[int, int, int]]
) -> None:
    watched(live(name, acts))


@pytest.mark.slow
@given(STARTS, ACTS)
@draws(80)
def test_the_same_at_length(name: str, acts: Sequence[tuple[int, int, int]]) -> None:
    watched(live(name, acts))


def watched(j: Journey) -> None:
    assert len(written(told(j)).infused) == len(j.case.infusions), "an infusion is never lost (invariant 3)"


def test_the_onlooker_sees_a_missing_step() -> None:
    """Control: take any one of the steps out of a good history, and it is seen."""
    j = start("infused")
    assert len(written(told(j)).infused) == 1
    for missing in ("IdentityChecked", "GateSigned", "ThawStarted", "LotStateNoted"):
        with pytest.raises(AssertionError):
            written(e for e in told(j) if e.type != missing)
    with pytest.raises(AssertionError, match="no consent"):
        written(e for e in told(j) if getattr(e, "purpose", "") != "risks")
    with pytest.raises(AssertionError, match="one person"):
        written(replace(e, second=e.first) if isinstance(e, IdentityChecked) else e for e in told(j))


@given(ACTS)
@draws(4)
def test_corrections_add_and_never_take_away(acts: Sequence[tuple[int, int, int]]) -> None:
    """Invariant 10: every fact that could be corrected still can be, every infusion is still there."""
    j = live("infused", acts[:8])
    for _, n, variant in acts:
        before = (len(j.facts), set(j.case.correctable), len(j.case.infusions))
        j.tried(MAKE[CorrectFact](j, n + variant))
        if j.refused is None:
            assert len(j.facts) >= before[0] + 2, "why, and what is right"
            assert (set(j.case.correctable), len(j.case.infusions)) == before[1:]


@given(ACTS)
@draws(4)
def test_undoing_twice_equals_once(acts: Sequence[tuple[int, int, int]]) -> None:
    """Invariant 8, with whatever was acquired and whatever was told of it."""
    j = start("booking")
    for kind, n, variant in acts:
        made = (RecordResource, ReportResource, OrderCells, RecordResource)[kind]
        j.tried(MAKE[made](j, n + 41 * variant))
    j.tell(LeaveJourney("declined"))
    for _ in range(12):
        j.deliver()
    asked = [(e.kind, e.about) for e in j.case.effects.values() if e.state != "withdrawn"]
    assert len(asked) == len(set(asked))
    events = len(j.facts)
    j.look()
    j.deliver()
    assert len(j.facts) == events

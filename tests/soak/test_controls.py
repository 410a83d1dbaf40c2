"""Every comparison of the soak sees what it is for: the books as they should be, then one thing wrong in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.case.effect import Effect, EffectDelivered, EffectRefused
from domain.case.state import Case
from domain.case.track import Track
from domain.case.treatment import Infusion, Treatment
from domain.core.fact import Draft, Fact
from domain.core.policy import Party
from domain.core.when import When
from domain.doses.stock import Lot
from domain.doses.unit import Unit
from domain.engine.advance import as_fact
from domain.stages.treatment.bedside.authorising import InfusionAuthorised
from domain.stages.treatment.infusion import (
    IdentityChecked,
    InfusionCompleted,
    InfusionDeviated,
    ThawStarted,
)
from domain.stages.treatment.lymphodepletion import GateSigned
from tests.soak import books
from tests.soak.books import Asked, Memory, Row, Said, Told

ROWS = [Row("e1", "case-1", 1, "person-1", "k1"), Row("e2", "case-1", 2, "person-1", "k1"),
        Row("e3", "case-1", 3, "centre-1", "k2"), Row("e4", "case-1", 4, "engine", "")]  # fmt: skip
TOLD = Told("person-1", "k1", "case-1", "OpenCase", ("e1", "e2"))
NOTHING = Told("person-1", "k3", "case-1", "ReviewDecision", ())
MEMORIES = [Memory("person-1", "k1", "case-1", 1, 2), Memory("centre-1", "k2", "case-1", 3, 3)]
SAID = [Said("centre-1", "k2", taken=True), Said("centre-1", "k4", taken=False)]
"""Said and never heard is no harm: it is said again."""
HOSPITAL = Asked("a", "hold_bed", "hospital", "delivered", 1, 1)
MAIL = Asked("m", "remind", "mail", "delivered", 1, 1)
HOME = Asked("h", "reserve_dose", "home", "delivered", 1, 0)
FINE = [
    HOSPITAL,
    MAIL,
    HOME,
    replace(MAIL, times=2, marked=True),
    replace(HOSPITAL, times=0, implied=True),
    replace(MAIL, state="requested", ends=0, times=0),
    replace(MAIL, state="requested", ends=0, times=2, tries=2),
    replace(MAIL, state="unknown", ends=0, times=2, tries=2),
    replace(HOSPITAL, state="refused", times=0),
    replace(HOSPITAL, state="withdrawn", ends=0),
]
WRONG = {
    "lost in the hospital": replace(HOSPITAL, times=0),
    "lost mail": replace(MAIL, times=0),
    "doubled and not marked": replace(MAIL, times=2),
    "three times": replace(MAIL, times=3, marked=True),
    "a hospital has it twice": replace(HOSPITAL, times=2, marked=True),
    "two outcomes": replace(MAIL, ends=2),
    "no outcome": replace(MAIL, ends=0),
    "refused and there": replace(HOSPITAL, state="refused"),
    "there before anybody tried": replace(MAIL, state="requested", ends=0),
}


def test_what_agrees_is_not_wrong() -> None:
    assert list(books.commands_once([TOLD, NOTHING], ROWS)) == []
    assert list(books.remembered_once(MEMORIES, ROWS)) == []
    assert list(books.answers_once(SAID, MEMORIES)) == []
    assert list(books.effects_once(FINE)) == []
    assert list(books.nobody_invented(FINE, ["a", "m"])) == []
    assert list(books.notices_once([NOTICE, replace(NOTICE, times=2, marked=True)])) == []
    (ended,) = books.notices_of(ENDED, {})
    assert (ended.outcome, ended.marked, ended.times) == ("sent", True, 0)
    assert list(books.dated_rightly([(1, NOW - timedelta(minutes=9)), (2, NOW), (3, NOW)], NOW, NOW)) == []


@pytest.mark.parametrize("name", WRONG)
def test_an_effect_lost_or_doubled_is_seen(name: str) -> None:
    assert list(books.effects_once([*FINE, WRONG[name]]))


BED = Effect("a", "hold_bed", "bed/1", Party.HOSPITAL, datetime(2026, 1, 2, tzinfo=UTC))
TWICE = Case(id="case-1", effects={"a": BED, "b": replace(BED, id="b")})
HELD = Case(id="case-1", dose=replace(Track(), state="held", ref="unit-1"))
NOTICE = books.Notice("n", "sent", 1)
CLAIMED = [("person-1", '{"proposal": "p", "what": "waits", "to": "person-2"}')]
ENDED = [*CLAIMED, ("person-1", CLAIMED[0][1].replace("}", ', "outcome": "sent", "possible_repeat": true}'))]
NOW = datetime(2026, 1, 2, tzinfo=UTC)
YEAR = timedelta(days=365)
CELLS = Infusion(1, When.unknown(), "lot-1", "f1", "unit-1")
USED = Effect("u", "mark_unit_used", "f1", Party.COORDINATOR, NOW, "delivered")


def given(*cells: Infusion) -> Case:
    return Case(id="case-1", treatments=(Treatment(1, infusions=cells),), effects={"u": USED})


def lot(unit: Unit) -> dict[str, Lot]:
    return {"lot-1": Lot(1, "released", units={unit.id: unit})}


def facts(*events: Any) -> list[Fact[object]]:
    return [as_fact(Draft(event, f"f{n}"), n, NOW, "person-1") for n, event in enumerate(events, 1)]


GIVEN = given(CELLS)
GATE, AUTHORISED = GateSigned(1, "Dr", "fine"), InfusionAuthorised(1, "Dr")
STEPS = facts(GATE, AUTHORISED, IdentityChecked(1, "a", "b", "unit-1"), ThawStarted(1, "unit-1"))
DEVIATION = facts(InfusionDeviated(1, "unit-1", "told late"))
IN = facts(InfusionCompleted(1, 1, "lot-1", "unit-1", ""))
BROKEN: dict[str, Callable[[], Iterable[str]]] = {
    "an acknowledged command is lost": lambda: books.commands_once([TOLD], ROWS[2:]),
    "half of it is lost": lambda: books.commands_once([TOLD], ROWS[1:]),
    "it was recorded twice": lambda: books.commands_once([TOLD], [*ROWS, replace(ROWS[0], id="e5", version=5)]),
    "another case has it": lambda: books.commands_once([replace(TOLD, case="case-2")], ROWS),
    "told of nothing, something is there": lambda: books.commands_once([replace(NOTHING, key="k1")], ROWS),
    "a key was used twice": lambda: books.remembered_once(MEMORIES, [*ROWS, replace(ROWS[0], version=5)]),
    "remembered and gone": lambda: books.remembered_once(MEMORIES, ROWS[:2]),
    "an answer is lost": lambda: books.answers_once(SAID, MEMORIES[:1]),
    "an answer nobody gave": lambda: books.answers_once([], MEMORIES),
    "an effect nobody asked for": lambda: books.nobody_invented(FINE, ["b"]),
    "an intent asked for twice": lambda: books.intents_once(TWICE),
    "one unit for two patients": lambda: books.units_once([HELD, replace(HELD, id="case-2")]),
    "one patient's unit was given to another": lambda: books.units_once([HELD, replace(GIVEN, id="case-2")]),
    "a unit was infused twice": lambda: books.units_once([given(CELLS, replace(CELLS, fact="f2"))]),
    "held here, free there": lambda: books.lots_agree([HELD], lot(Unit("unit-1"))),
    "held here, for another there": lambda: books.lots_agree([HELD], lot(Unit("unit-1", "held", "case-2"))),
    "given, and not used up": lambda: books.lots_agree([GIVEN], lot(Unit("unit-1", "committed", "case-1"))),
    "used up, and not given": lambda: books.lots_agree([], lot(Unit("unit-1", "used", "case-1"))),
    "a notice is lost": lambda: books.notices_once([replace(NOTICE, times=0)]),
    "a notice came three times": lambda: books.notices_once([replace(NOTICE, times=3, marked=True)]),
    "a notice came twice, not marked": lambda: books.notices_once([replace(NOTICE, times=2)]),
    "a notice is refused and there": lambda: books.notices_once([replace(NOTICE, outcome="refused")]),
    "a notice is owed": lambda: books.notices_once(books.notices_of(CLAIMED, {})),
    "an event of next year": lambda: books.dated_rightly([(1, NOW), (2, NOW + YEAR), (3, NOW + YEAR)], NOW, NOW),
    "an event of last year": lambda: books.dated_rightly([(1, NOW - YEAR)], NOW, NOW),
    "an event before another": lambda: books.dated_rightly([(1, NOW), (2, NOW - timedelta(seconds=1))], NOW, NOW),
    "cells without a gate": lambda: books.steps_before_cells("case-1", [*STEPS[1:], *IN]),
    "cells again without a check": lambda: books.steps_before_cells("case-1", [*STEPS, *IN, *IN]),
    "two deviations, one told": lambda: books.steps_before_cells("case-1", [*DEVIATION, *IN, *IN]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_book_that_does_not_agree_is_seen(name: str) -> None:
    assert list(BROKEN[name]())


def test_one_intent_and_one_patient_are_fine() -> None:
    assert (
        list(books.intents_once(replace(TWICE, effects={"a": BED, "b": replace(BED, id="b", state="withdrawn")}))) == []
    )
    assert list(books.units_once([HELD, replace(HELD, id="case-2", dose=replace(HELD.dose, state="asked"))])) == []


def test_cells_given_as_they_should_be_are_fine() -> None:
    assert list(books.units_once([HELD, replace(GIVEN, id="case-2", treatments=())])) == []
    assert list(books.lots_agree([GIVEN], lot(Unit("unit-1", "used", "case-1")))) == []
    assert list(books.lots_agree([HELD], lot(Unit("unit-1", "committed", "case-1")))) == []
    assert list(books.lots_agree([replace(GIVEN, effects={})], lot(Unit("unit-1", "committed", "case-1")))) == []
    again = [*STEPS, *IN, *STEPS[1:], *IN]
    assert list(books.steps_before_cells("case-1", [*again, *DEVIATION, *IN])) == []


def test_what_a_person_settled_by_telephone_is_one_outcome_and_may_be_nowhere_else() -> None:
    case = Case(id="case-1", effects={"a": replace(BED, state="delivered")})
    refusal = EffectRefused("a", 1, "not-supported", "")
    by_hand, by_machine = EffectDelivered("a", 1, "settled by person-1"), EffectDelivered("a", 2, "Task/1")
    (settled,) = books.asked_of(case, facts(refusal, by_hand), {}, {})
    assert list(books.effects_once([settled])) == []
    (doubled,) = books.asked_of(case, facts(refusal, by_machine), {"a": 1}, {})
    assert list(books.effects_once([doubled])), "the control: two outcomes of attempts"
    (lost,) = books.asked_of(case, facts(by_machine), {}, {})
    assert list(books.effects_once([lost])), "the control: delivered and not there"

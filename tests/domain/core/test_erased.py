"""A value whose key was destroyed is unknown: every recorded event still folds, and nothing is guessed from it."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, get_type_hints

import pytest

from domain.case.state import Case
from domain.case.treatment import Treatment
from domain.core.errors import Refused
from domain.core.fact import Fact
from domain.core.personal import ERASED, KEY_CLASSES, Sealed
from domain.engine.advance import advance
from domain.engine.agenda import agenda
from domain.engine.evolve import EVENTS, fold
from domain.stages.anytime.watching import watched
from tests.domain.any_command import MAKE
from tests.domain.course import LOT, STEPS, start
from tests.domain.journey import Journey


def sealed(event: type[Any], key_class: str) -> list[str]:
    hints = get_type_hints(event, include_extras=True)
    return [f.name for f in fields(event) if Sealed(key_class) in getattr(hints[f.name], "__metadata__", ())]  # type: ignore[arg-type]


def erased(j: Journey, *classes: str) -> list[Fact[Any]]:
    """The facts as they are read once these keys are gone."""
    return [replace(f, event=_unreadable(f.event, classes)) for f in j.facts]


def _unreadable(event: Any, classes: tuple[str, ...]) -> Any:
    return replace(event, **{name: ERASED for c in classes for name in sealed(type(event), c)})


CASES = [(n, name, key_class) for n, name in enumerate(STEPS) for key_class in KEY_CLASSES]
TURNS = 8
"""Each step tries every eighth command, the next step the ones after them: all are tried at several steps."""


def test_every_key_class_seals_something() -> None:
    for key_class in KEY_CLASSES:
        assert any(sealed(event, key_class) for event in EVENTS)


@pytest.mark.parametrize(("n", "name", "key_class"), CASES)
def test_every_step_folds_advances_and_refuses_without_the_key(n: int, name: str, key_class: str) -> None:
    j = start(name)
    j.facts = erased(j, key_class)
    j.case = j.refold()
    followed = advance(j.case, j.now, j.ids, j.policy)
    assert followed == [] or key_class == "trace"
    agenda(j.case, j.now)
    for command in list(MAKE.values())[n % TURNS :: TURNS]:
        j.fork().tried(command(j, 0))


def test_identity_and_clinical_decide_nothing() -> None:
    """Where the case stands, what is owed and what is asked is the same without them."""
    j = start("handed_over")
    blind = fold(erased(j, "identity", "clinical"))
    for seen in ("stage", "obligations", "effects", "follow_up", "dose", "submissions"):
        assert getattr(blind, seen) == getattr(j.case, seen)
    assert _unworded(blind) == _unworded(j.case)


def _unworded(case: Case) -> list[Treatment]:
    """The treatments without what was written of each day, whether that was less than planned, and numbers of cells."""
    return [
        replace(
            t,
            days=tuple(replace(d, told="", reason="", outcome="given") for d in t.days),
            infusions=tuple(replace(i, cells="", order=None) for i in t.infusions),
            order=None,
        )
        for t in case.treatments
    ]


def test_without_the_trace_no_unit_is_taken_for_the_right_one() -> None:
    j = start("authorised")
    j.facts = erased(j, "trace")
    j.case = j.refold()
    assert LOT not in watched(j.case)
    j.tried(MAKE[by_name("CheckIdentity")](j, 0))
    assert j.refused
    assert j.refused.detail == "nobody can read now which unit is held"


def by_name(name: str) -> type[Any]:
    return next(c for c in MAKE if c.__name__ == name)


def test_a_case_is_never_opened_for_an_erased_person() -> None:
    j = Journey()
    j.tried(replace(MAKE[by_name("OpenCase")](j, 0), patient_name=ERASED))
    assert j.refused
    with pytest.raises(Refused):
        raise Refused(j.refused.reason, j.refused.detail)

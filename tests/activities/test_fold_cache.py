"""A case is folded once, and nothing is tried on it before its next instant; anything else begins anew."""

from datetime import timedelta

from activities.fold_cache import FoldOnce
from domain.case.state import Case
from domain.engine.evolve import fold
from domain.stages.anytime.notes import NoteAdded
from tests.domain.course import start
from tests.domain.journey import HOUR, Journey


def asked() -> Journey:
    """A case with an open obligation, advanced."""
    return start("records").look()


def test_the_same_facts_are_the_same_case() -> None:
    j, once = asked(), FoldOnce()
    case = once(j.facts, "case-1")
    assert case == j.case
    assert once(list(j.facts), "case-1") is case
    assert once(j.facts[:-1], "case-1") == fold(j.facts[:-1], Case(id="case-1"))
    assert once([], "case-2") == Case(id="case-2")


def test_a_case_is_quiet_until_its_next_instant() -> None:
    j, once = asked(), FoldOnce()
    case, wake = once(j.facts, "case-1"), j.agenda.wake_at
    assert wake is not None
    assert not once.quiet(case, j.now)
    once.advanced(case, j.now)
    assert once.quiet(case, j.now)
    assert once.quiet(case, wake - timedelta(microseconds=1))
    assert not once.quiet(case, wake)
    assert not once.quiet(case, j.now - HOUR), "the clock went back"


def test_another_fact_or_another_reading_of_the_facts_ends_the_quiet() -> None:
    j, once = asked(), FoldOnce()
    once.advanced(once(j.facts, "case-1"), j.now)
    assert not once.quiet(fold(j.facts, Case(id="case-1")), j.now), "equal, but read anew from the ledger"
    once.advanced(once(j.facts, "case-1"), j.now)
    once.forget("case-1")
    assert not once.quiet(once(j.facts, "case-1"), j.now)
    once.advanced(once(j.facts, "case-1"), j.now)
    noted = j.facts[-1].__class__(NoteAdded("note", "a word"), "x", len(j.facts) + 1, j.now, j.facts[-1].occurred, "p")
    assert not once.quiet(once([*j.facts, noted], "case-1"), j.now)

"""What grows by one entry: says the same as a copied dictionary, and costs no copy [docs/results.md]."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.case.state import Case
from domain.core.appended import appended
from domain.core.when import When
from domain.engine.evolve import evolve
from domain.stages.records.results import ImportResults, Result
from tests.domain.course import start
from tests.domain.journey import DAY, START

Grow = Callable[[Mapping[str, int], str, int], Mapping[str, int]]


def copied(entries: Mapping[str, int], key: str, value: int) -> Mapping[str, int]:
    return {**entries, key: value}


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abcdefg"), st.integers(0, 9)), max_size=40))
def test_every_state_says_what_a_copy_says(steps: Sequence[tuple[int, str, int]]) -> None:
    """Each step goes on from any earlier state, so that branches share entries and keys are told again."""
    states: list[tuple[Mapping[str, int], Mapping[str, int]]] = [({}, {})]
    for back, key, value in steps:
        ours, plain = states[-1 - back % len(states)]
        states.append((appended(ours, key, value), copied(plain, key, value)))
    for ours, plain in states:
        assert list(ours.items()) == list(plain.items())
        assert ours == plain
        assert plain == ours
        assert all((key in ours) == (key in plain) for key in "abcdefg")
        assert ours.get("a") == plain.get("a")


def _held(grow: Grow, many: int) -> int:
    """The bytes that all states on the way to `many` entries take."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    states: list[Mapping[str, int]] = [{}]
    for n in range(many):
        states.append(grow(states[-1], str(n), n))
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert len(states[many // 2]) == many // 2
    return taken


def test_twice_the_entries_take_twice_the_room_and_copies_four_times() -> None:
    assert _held(appended, 2000) < 3 * _held(appended, 1000)
    assert _held(copied, 2000) > 3 * _held(copied, 1000)


def test_two_threads_going_on_from_one_state_do_not_see_each_other() -> None:
    first = appended({}, "a", 0)

    def further(name: int) -> Mapping[str, int]:
        state = first
        for n in range(200):
            state = appended(state, f"{name}/{n}", n)
        return state

    with ThreadPoolExecutor(4) as pool:
        for name, state in enumerate(pool.map(further, range(4))):
            assert list(state) == ["a", *(f"{name}/{n}" for n in range(200))]
    assert list(first) == ["a"]


def _folded(many: int) -> int:
    """The bytes that all states on the way through a file of so many results take."""
    results = tuple(
        Result(analyte="lvef", value="55", unit="%", occurred=When.on((START - n * DAY).date())) for n in range(many)
    )
    facts = start("opened").tell(ImportResults(form="csv", results=results)).facts
    states = [Case()]
    tracemalloc.start()
    for fact in facts:
        states.append(evolve(states[-1], fact))
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(states[-1].samples) == many
    return taken


def test_a_file_of_results_is_folded_in_work_that_grows_as_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _folded(800) < 3 * _folded(400)
    monkeypatch.setattr("domain.stages.records.observing.appended", copied)
    assert _folded(800) > 3 * _folded(400)

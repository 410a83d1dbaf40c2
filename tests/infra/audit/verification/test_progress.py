"""How far a verification came is read back as it was kept, and nothing else is believed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from infra.audit.verification.progress import NO_RULES, Progress, Rules, keep, keep_rules, kept

HALF = Progress("caravel/here", 1, ("00" * 32,), 8192, 7, 8000, "11" * 32)


def test_what_is_kept_is_read_back_with_how_far_the_rules_are(tmp_path: Path) -> None:
    file = tmp_path / "state"
    keep(file, HALF)
    first = kept(file, "caravel/here")
    assert first
    assert replace(first, peaks=tuple(first.peaks)) == HALF
    keep_rules(file, "caravel/here", Rules(0, 8192, "case-m"))
    found = kept(file, "caravel/here")
    assert found
    assert (found.rules, found.events) == (Rules(0, 8192, "case-m"), 8192)
    assert kept(file, "caravel/there") is None


def test_rules_are_kept_only_where_the_rest_is(tmp_path: Path) -> None:
    file = tmp_path / "state"
    keep_rules(file, "caravel/here", Rules(5))
    assert not file.exists()


def test_a_state_of_before_the_rules_were_held_begins_with_them(tmp_path: Path) -> None:
    file = tmp_path / "state"
    keep(file, HALF)
    old = {name: value for name, value in json.loads(file.read_text()).items() if name != "rules"}
    file.write_text(json.dumps(old))
    found = kept(file, "caravel/here")
    assert found
    assert found.rules == NO_RULES


@pytest.mark.parametrize("rules", [[], 3, {"upto": 1, "more": 2}])
def test_nonsense_is_not_believed(tmp_path: Path, rules: object) -> None:
    file = tmp_path / "state"
    keep(file, HALF)
    file.write_text(json.dumps({**json.loads(file.read_text()), "rules": rules}))
    assert kept(file, "caravel/here") is None


@pytest.mark.parametrize(("stream", "position"), [("case-a", 20), ("case-m", 20), ("case-z", 10)])
def test_each_history_goes_on_from_where_it_was_held(stream: str, position: int) -> None:
    assert Rules(10, 20, "case-m").since(stream) == position
    assert NO_RULES.since(stream) == 0

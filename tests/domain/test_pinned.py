"""A rule that changed has a new version: `caravel audit verify` runs old events through the rule they name."""

from __future__ import annotations

import json

import pytest

from tests.domain.pinning import PINS, digests, digests_of

WHAT_TO_DO = """
reads otherwise than when it was pinned. Events that were recorded name this version, and `caravel audit verify` will
hold them against what it says now. If it can give anything else for any case, give it a new version and keep the old
function (CONTRIBUTING 5). If it cannot, or the rule is new, say so with: python -m tests.domain.pinning
"""


def test_no_rule_changed_and_kept_its_version() -> None:
    pinned = json.loads(PINS.read_text())
    changed = [name for name, digest in {**pinned, **digests()}.items() if pinned.get(name) != digest]
    assert not changed, f"rule {', '.join(changed)} {WHAT_TO_DO}"
    assert pinned.keys() == digests().keys(), "a rule that events name is gone; if none does: the same command"


SOURCE = '''
LIMIT = 3


def ends(case):
    """It ends."""
    return [case.end] if _late(case) else []


def _late(case):
    return case.days > LIMIT


def other(case):
    return []


RULES = (Rule("it_ends", 1, ends, ("Began",), (Ended,)), Rule("other", 2, other, at=lambda c: [c.end]))
'''


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("case.days > LIMIT", "case.days >= LIMIT", {"it_ends 1"}),
        ("LIMIT = 3", "LIMIT = 4", {"it_ends 1"}),
        ("[case.end] if", "[case.start] if", {"it_ends 1"}),
        ('("Began",)', '("Began", "Held")', {"it_ends 1"}),
        ("[c.end]", "[c.start]", {"other 2"}),
        ("return []\n", "return [case]\n", {"other 2"}),
        ('"""It ends."""', '"""It is over."""', set()),
        ("    return case.days > LIMIT", "    # as they say\n    return  case.days > LIMIT", set()),
        ("def other", "def unused():\n    return 1\n\n\ndef other", set()),
    ],
)
def test_a_change_is_seen_in_the_row_and_in_all_it_comes_to_and_nowhere_else(
    before: str, after: str, changed: set[str]
) -> None:
    assert SOURCE.count(before) == 1
    old, new = digests_of(SOURCE), digests_of(SOURCE.replace(before, after))
    assert {name for name in new if new[name] != old[name]} == changed

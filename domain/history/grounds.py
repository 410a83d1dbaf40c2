"""Finds what an automatic event rests on: what its rule named, what it is about, and the fact that set it off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from domain.core.about import About
from domain.core.fact import Fact

BY_TIME = ("ObligationStepTaken", "ObligationStepSkipped", "ObligationMissed")
"""Set off by an instant the obligation itself carries."""
Facts = Sequence[Fact[Any]]


def grounds(fact: Fact[Any], facts: Facts) -> Facts:
    """Find the facts before it that explain an automatic event, as they were recorded; none for what was told."""
    if fact.why is None:
        return ()
    before = [one for one in facts if one.version < fact.version]
    found = {one.id: one for one in before if one.id in fact.why.rests_on}
    if not found:
        about = list(_about(fact.event, before))
        asked = fact.event.type == "EffectRequested" and about
        cause = [] if asked or fact.event.type in BY_TIME else _set_off(before)
        found = {one.id: one for one in (*about, *cause)}
    return sorted(found.values(), key=lambda one: one.version)


def _about(event: Any, before: Facts) -> Iterable[Fact[Any]]:  # noqa: ANN401 - any event
    """What opened the obligation, asked for the effect, or took the step that asked for it."""
    if event.type == "EffectRequested":
        meant = About.of(event.about)
        return [one for one in before if one.id == meant.id or _is_step(one.event, meant.id, meant.round)]
    for name, opening in (("obligation", "ObligationOpened"), ("effect", "EffectRequested")):
        named = getattr(event, name, None)
        if event.type != opening and named is not None:
            return [one for one in before if one.event.type == opening and getattr(one.event, name) == named]
    return []


def _is_step(event: Any, obligation: str, step: str) -> bool:  # noqa: ANN401 - any event
    return event.type == "ObligationStepTaken" and (event.obligation, str(event.step)) == (obligation, step)


def _set_off(before: Facts) -> Iterable[Fact[Any]]:
    """The newest fact that was told, or that a rule explains by others, before it."""
    return [one for one in before if one.told or (one.why is not None and one.why.rests_on)][-1:]

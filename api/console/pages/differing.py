"""Says what of a case is not any more as it was, in the words of its pages, as far as this viewer may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from typing import Any

from api.console.text.fact_text import NO_DOSSIER, FactWriter
from api.http.masking import mask
from api.routes.reads import HIDDEN
from api.untold import state_of
from domain.case.phases.bookkeeping import Noted
from domain.case.state import Case
from domain.core.fact import Fact
from domain.history.difference import ChangedField, changes

MOST = 60
"""Differences a page lists."""
UNTOLD = frozenset({
    "effects", "contact_attempts", "alerts", "episodes", "undone",  # what the messages and the timeline say better
    "stage_since", "left_from", "exit_fact", "shut_fact", "hold_round", "reopenings", "reopened", "spare",  # of rules
    "others",  # what a link was decided by
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class MovedField:
    """One thing that is not any more as it was: in words, then, and now."""

    words: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class _Side:
    """The case at one of the two moments, with what this viewer may see of it."""

    case: Case
    masks: Mapping[str, Any]
    speaker: FactWriter

    def field(self, name: str, key: str | None = None) -> str | Sequence[tuple[str, str]]:
        """Say what a field holds: a text, or texts by name."""
        value, mask = getattr(self.case, name), self.masks[name]
        if key is not None:
            value, mask = value.get(key), mask if state_of(mask) else mask.get(key)
        if (state := state_of(mask)) and value:
            return self.speaker.clock.t(f"case.{state}")
        composed = is_dataclass(value) and not isinstance(value, type | Noted) and value != NO_DOSSIER
        return self.speaker.inside(value) if composed else self.speaker.field(name, value)


def since(then: Case, now: Case, facts: Sequence[Fact[Any]], speaker: FactWriter) -> Sequence[MovedField]:
    """List what of the case has changed since."""
    named = {fact.id: speaker.clock.t.named("event", fact.event.type) for fact in facts}
    speaker = replace(speaker, case=now, labels={**speaker.labels, **named})
    was, is_now = (_Side(c, mask(c, speaker.visible, without=HIDDEN), speaker) for c in (then, now))
    found = [one for change in changes(then, now) for one in _differs(change, was, is_now)]
    return [one for one in found if one.was != one.now][:MOST]


def _differs(change: ChangedField, was: _Side, now: _Side) -> Sequence[MovedField]:
    if change.name in UNTOLD:
        return []
    words = was.speaker.clock.t.named("differs", change.name)
    if change.keys is None:
        return [_apart(words, was.field(change.name), now.field(change.name))]
    which = KEYS.get(change.name, FactWriter.label)
    named = [(key, which(was.speaker, key)) for key in change.keys]
    return [
        _apart(f"{words}: {name}" if name else words, was.field(change.name, key), now.field(change.name, key))
        for key, name in named
    ]


def _apart(words: str, was: str | Sequence[tuple[str, str]], now: str | Sequence[tuple[str, str]]) -> MovedField:
    """Of what is composed on both sides only what differs."""
    same = set() if isinstance(was, str) or isinstance(now, str) else {*was} & {*now}
    then, after = (
        side
        if isinstance(side, str)
        else "; ".join(f"{name}: {text}" for name, text in side if (name, text) not in same)
        for side in (was, now)
    )
    return MovedField(words, then, after)


def _consent(speaker: FactWriter, key: str) -> str:
    purpose, _, recipient = key.partition(":")
    words = speaker.clock.t.named("purpose", purpose)
    return f"{words}, {speaker.label(recipient)}" if recipient else words


KEYS: Mapping[str, Callable[[FactWriter, str], str]] = {
    "consents": _consent,
    "stay_plan": lambda speaker, key: speaker.clock.t.named("field", key),
    "units": lambda _speaker, _key: "",
    "accesses": lambda _speaker, _key: "",
}
"""How the entries of a field are called, where that is not a name or the beginning of an id."""

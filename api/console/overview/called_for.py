"""Links what is owed to the forms that settle it, each filled in with what the obligation is about."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from api.console.actions import impossible
from api.console.forms.case_ids import IDS
from api.console.overview.case_status import OpenObligation
from api.console.session import Visitor
from api.console.text.fact_text import FactWriter
from domain.case.state import Case
from domain.core.policy import Policy
from domain.engine.possible import Probe
from domain.journey import SETTLED_BY

MOST = 5
"""What is called for at the top of a case's actions."""


@dataclass(frozen=True, slots=True)
class CalledFor:
    """One command that settles something owed; `query` fills its form in."""

    name: str
    words: str
    about: str
    query: str
    due: datetime
    urgency: str


def probe_of(viewer: Visitor, case: Case, now: datetime, speaker: FactWriter, policy: Policy) -> Probe:
    """Return what tells which commands this viewer could give this case now."""
    known = {name: [one for one, _ in choices(speaker)] for name, choices in IDS.items()}
    return Probe(case, now, policy, known, viewer.who.id)


def called_for(
    viewer: Visitor, owed: Sequence[OpenObligation], may: Collection[str], tried: Probe
) -> Mapping[str, Sequence[CalledFor]]:
    """Return by obligation what settles it, of the commands this viewer may give."""
    return {one.id: _settling(viewer, one, may, tried) for one in owed}


def first_called(settling: Mapping[str, Sequence[CalledFor]]) -> Sequence[CalledFor]:
    """Return those at the top: one for each thing that is owed, the next due first, then further ways to settle it."""
    by_turn = sorted(((n, k, one) for k, acts in enumerate(settling.values()) for n, one in enumerate(acts)), key=_turn)
    return list({(one.name, one.query): one for _, _, one in by_turn}.values())[:MOST]


def _turn(ranked: tuple[int, int, CalledFor]) -> tuple[int, int]:
    return ranked[:2]


def _settling(viewer: Visitor, owed: OpenObligation, may: Collection[str], tried: Probe) -> Sequence[CalledFor]:
    found = []
    for command in SETTLED_BY.get(owed.kind, ()):
        if command.__name__ not in may or impossible(viewer.t, command, tried):
            continue
        words = viewer.t.named("command", command.__name__)
        query = urlencode(tried.named_by(command, owed.subject, owed.id))
        found.append(CalledFor(command.__name__, words, owed.about, query, owed.due, owed.urgency))
    return found

"""Records what happens to a recall as the command handler does to a case, and carries out what it asks for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.doses.genealogy import Genealogy
from activities.ports import Ledger, Views
from activities.views import effect_row, obligation_row
from domain.core.errors import Reason, require
from domain.core.fact import Draft, Fact, Ids
from domain.core.policy import Policy
from domain.core.when import When
from domain.doses.genealogy import UnitFound, patients_of, units_of
from domain.recalls import following
from domain.recalls.following import Reached, read_model
from domain.recalls.recall import PREFIX, Recall, decide, evolve, fold

Reaches = Callable[[str, datetime], Awaitable[Reached]]
"""(a material or lot, an instant) → the lots made of it, and the hospitals whose patients got or are to get them."""
CentresOf = Callable[[Sequence[str]], Awaitable[Mapping[str, str]]]
"""Cases → the hospital that treats each; one that no hospital has accepted is left out."""

UnitsAt = Callable[[Recall, str, datetime], Awaitable[Sequence[UnitFound]]]
"""(recall, one of its hospitals, an instant) → the units of that hospital's patients."""
Recalled = Callable[[str], Awaitable[Mapping[str, Mapping[str, Any]]]]
"""A lot → the read models of the recalls of what it is made of, or of itself, by stream; no drills."""


def recalled_of(ledger: Ledger, genealogy: Genealogy) -> Recalled:
    """Make what finds the recalls that reach a lot, those that have ended among them."""

    async def recalled(lot: str) -> Mapping[str, Mapping[str, Any]]:
        rows = await ledger.sources(await ledger.streams(PREFIX))
        opened = {one.stream: one.state for one in rows if not one.state["drill"]}
        above = await genealogy.above(lot) if opened else frozenset()
        return {stream: state for stream, state in opened.items() if state["scope"] in above}

    return recalled


def reaching(genealogy: Genealogy, centres_of: CentresOf) -> Reaches:
    """Make what finds out how far a recall reaches."""

    async def reaches(scope: str, now: datetime) -> Reached:
        trace = await genealogy.trace([scope])
        patients = patients_of(units_of(trace, now))
        found: dict[str, list[str]] = {}
        units: dict[str, list[str]] = {}
        for case, centre in (await centres_of(list(patients))).items():
            found.setdefault(centre, []).append(case)
            units.setdefault(centre, []).extend(f"{one.lot} {one.unit}" for one in patients[case])
        return Reached([*trace.affected, *trace.given], found, units)

    return reaches


def units_at(genealogy: Genealogy) -> UnitsAt:
    """Make what finds the units a hospital of a recall is asked about."""

    async def units(recall: Recall, centre: str, now: datetime) -> Sequence[UnitFound]:
        found = patients_of(units_of(await genealogy.trace([recall.scope]), now))
        return [unit for case in sorted(recall.hospitals[centre].cases) for unit in found.get(case, ())]

    return units


@dataclass
class RecallSession:
    """Takes one pass over a recall in memory: what time and genealogy bring, a command, and what follows from it."""

    stream: str
    facts: Sequence[Fact[Any]]
    now: datetime
    ids: Ids
    policy: Policy
    actor: str

    def __post_init__(self) -> None:
        """Fold what is there."""
        self.recall = fold(self.facts, self.stream)
        self.drafts: list[Draft[Any]] = []

    def decide(self, command: Any) -> None:  # noqa: ANN401 - of another kind of stream: refused
        """Decide a command and fold what it brings. Raises Refused."""
        require(command.type in TAKEN, Reason.INVALID, "not a command of a recall", "type")
        for event in decide(self.recall, command, self.now, self.ids, self.policy):
            self._take(Draft(event, self.ids()))

    def advance(self, reached: Reached) -> None:
        """Fold all that follows."""
        for draft in following.advance(self.recall, reached, self.now, self.ids, self.policy):
            self._take(draft)

    def _take(self, draft: Draft[Any]) -> None:
        self.drafts.append(draft)
        actor = "engine" if draft.why else self.actor
        fact = Fact(draft.event, draft.id, self.recall.version + 1, self.now, When.at(self.now), actor, draft.why)
        self.recall = evolve(self.recall, fact)


TAKEN = ("OpenRecall", "AcknowledgeRecall", "RecordOutcome", "ReportBounce")


def recall_views(recall: Recall) -> Views:
    """Return the rows of a recall: what is owed, what is under way, and its line in the list."""
    every = recall.obligations.values()
    owed = [obligation_row(o, every) for o in every if o.state == "open"]
    asked = [effect_row(e) for e in recall.effects.values() if e.state in ("requested", "unknown", "refused")]
    return Views(None, owed, asked, (), read_model(recall))


async def scope_of(ledger: Ledger, recall: Recall) -> None:
    """Refuse a scope that is no material or lot. Raises Refused."""
    known = recall.scope.startswith(("material-", "lot-")) and await ledger.sources([recall.scope])
    require(known, Reason.NOT_FOUND, "no such material or lot", "scope")

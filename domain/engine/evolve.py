"""Folds facts into a case: the file of an event says what it changes; a correction stands where the wrong one stood."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, get_args

from domain.case import obligation
from domain.case.state import Case
from domain.core.appended import appended
from domain.core.copying import replace
from domain.core.fact import Event, Fact
from domain.journey import MODULES
from domain.stages.anytime import reconsidering
from domain.stages.treatment import adverse_events, grading, observations

Evolve = Callable[[Case, Fact[Any]], Case]


def _obligation(case: Case, fact: Fact[obligation.Event]) -> Case:
    return replace(case, obligations=obligation.evolve(case.obligations, fact))


EVOLVE: Mapping[type[Any], Evolve] = {
    **{
        event: module.evolve
        for module in MODULES.values()
        if hasattr(module, "evolve")
        for event in get_args(module.Event) or (module.Event,)
    },
    **dict.fromkeys(get_args(obligation.Event), _obligation),
}
"""Event → the function of its file."""

EVENTS: tuple[type[Any], ...] = tuple(EVOLVE)

CORRECTABLE = frozenset(
    {e.__name__ for module in (adverse_events, grading, observations) for e in get_args(module.Event)}
    | {"MalignancyReported", "TransplantGiven", "InfusionCompleted", "DepletionGiven", "MonitoringRecorded"}
    | {"PassportRecorded", "VisaGranted", "CriterionRecorded", "DiagnosisStated", "PersonAdded"}
    | {"ResponseAssessed", "CellsLost", "ObservationRecorded", "PatientDescribed", "TherapyRecorded"}
)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one recorded event. Never fails on anything that was recorded.

    A correction changes what lies before it, so here it only counts: `follow` reads the history again.
    """
    folded = case if fact.corrects else EVOLVE[type(fact.event)](case, fact)
    folded = reconsidering.remembered(folded, fact)
    told_again = fact.event.type in CORRECTABLE and not fact.corrects
    return replace(
        folded,
        version=fact.version,
        people_version=folded.people_version + fact.told,
        seen={**folded.seen, fact.event.type: fact.id},
        correctable=appended(folded.correctable, fact.id, fact.event) if told_again else folded.correctable,
    )


def fold(facts: Iterable[Fact[Event]], start: Case | None = None) -> Case:
    """Return the case as of its facts; a correction takes the place of what it corrects."""
    ordered = list(facts)
    corrections = {f.corrects: f for f in ordered if f.corrects}
    case = start or Case()
    for fact in ordered:
        case = evolve(case, _superseded(fact, corrections))
    return case


def follow(case: Case, history: Sequence[Fact[Event]], new: Sequence[Fact[Event]]) -> Case:
    """Return the case after new facts. `history`, all recorded before, is read again after a correction."""
    if any(fact.corrects for fact in new):
        return fold([*history, *new])
    for fact in new:
        case = evolve(case, fact)
    return case


def _superseded(fact: Fact[Event], corrections: Mapping[str, Fact[Event]]) -> Fact[Event]:
    """The newest correction of a fact in that fact's own place, under its own id."""
    newest = corrections.get(fact.id)
    return replace(fact, event=newest.event, occurred=newest.occurred) if newest else fact

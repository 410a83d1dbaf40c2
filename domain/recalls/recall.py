"""A recall, or the drill of one: from a material or lot to every lot stopped and every hospital's acknowledgement [P8].

It ends only when all have answered [doses.recall-ends], and goes on where more is found to be made of what is recalled
[doses.recall-again]. A drill stops nothing, and asks the hospitals to acknowledge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, Literal, assert_never, cast, get_args

from domain.case import effect, obligation
from domain.case.effect import Effect
from domain.case.obligation import Obligation
from domain.case.state import Case
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity, Trace, readable
from domain.core.policy import Policy
from domain.core.roles import Action
from domain.doses import codes
from domain.stages.anytime import outcomes
from domain.stages.anytime.outcomes import RecordOutcome, ReportBounce

PREFIX = "recall-"


@dataclass(frozen=True, slots=True)
class OpenRecall:
    """Recall everything that was made of a material or lot, or drill it; `scope` is the id of that material or lot."""

    scope: str
    reason: Identity
    drill: bool = False
    type: Literal["OpenRecall"] = "OpenRecall"


Fate = Literal["infused", "kept_apart", "sent_back", "destroyed", "not_here"]
"""What a hospital says became of a unit it was asked about [doses.recall-units]."""


@dataclass(frozen=True, slots=True)
class UnitAccounted:
    """Says what a hospital did with one unit of a lot."""

    lot: str
    unit: str
    fate: Fate


@dataclass(frozen=True, slots=True)
class AcknowledgeRecall:
    """A hospital has acknowledged: it knows its patients and holds what it has. `said_by` is who there said so.

    `units` says what was done with each of its units, as far as it said.
    """

    centre: str
    said_by: Identity
    note: Identity = ""
    units: tuple[UnitAccounted, ...] = ()
    type: Literal["AcknowledgeRecall"] = "AcknowledgeRecall"


Command = OpenRecall | AcknowledgeRecall | RecordOutcome | ReportBounce
GIVEN = (OpenRecall, AcknowledgeRecall)
BY: Mapping[type[Any], Action] = dict.fromkeys(GIVEN, Action.RELEASE_LOT)
"""Who recalls is who releases: quality assurance."""


@dataclass(frozen=True, slots=True)
class RecallOpened:
    """Everything that was made of a material or lot is recalled, or this is drilled."""

    scope: str
    reason: Identity
    drill: bool
    type: Literal["RecallOpened"] = "RecallOpened"


@dataclass(frozen=True, slots=True)
class RecallLotReached:
    """A lot was made of what is recalled."""

    lot: str
    type: Literal["RecallLotReached"] = "RecallLotReached"


@dataclass(frozen=True, slots=True)
class RecallCentreReached:
    """A hospital has patients who got, or are to get, a unit of what is recalled; these, as far as is known now.

    `units` are those of its patients that were not known before, each as its lot and its name.
    """

    centre: str
    cases: tuple[Trace, ...]
    units: tuple[Trace, ...] = ()
    type: Literal["RecallCentreReached"] = "RecallCentreReached"
    schema_version: ClassVar[int] = 2


@dataclass(frozen=True, slots=True)
class RecallAcknowledged:
    """A hospital has acknowledged."""

    centre: str
    by: Identity
    note: Identity
    units: tuple[UnitAccounted, ...] = ()
    type: Literal["RecallAcknowledged"] = "RecallAcknowledged"
    schema_version: ClassVar[int] = 2


@dataclass(frozen=True, slots=True)
class RecallEnded:
    """Every lot is stopped and every hospital has acknowledged."""

    type: Literal["RecallEnded"] = "RecallEnded"


OwnEvent = RecallOpened | RecallLotReached | RecallCentreReached | RecallAcknowledged | RecallEnded
OWN: tuple[type[Any], ...] = get_args(OwnEvent)
Event = OwnEvent | effect.Event | obligation.Event


@dataclass(frozen=True, slots=True)
class Hospital:
    """One hospital of a recall: its patients, and the fact by which it acknowledged; empty = not yet.

    `fates` holds what it said was done with a unit, by lot and unit; the newest word on each. `units` are the units of
    its patients; none where it was reached before they were noted.
    """

    cases: frozenset[str]
    acknowledged: str = ""
    by: Identity = ""
    note: Identity = ""
    fates: Mapping[tuple[str, str], Fate] = field(default_factory=dict)
    units: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Recall:
    """One recall as folded from its facts."""

    id: str = ""
    version: int = 0
    scope: str = ""
    reason: Identity = ""
    drill: bool = False
    opened_at: datetime | None = None
    opened_by: str = ""
    lots: tuple[str, ...] = ()
    hospitals: Mapping[str, Hospital] = field(default_factory=dict)
    obligations: Mapping[str, Obligation] = field(default_factory=dict)
    effects: Mapping[str, Effect] = field(default_factory=dict)
    over: bool = False

    @property
    def waiting(self) -> Sequence[str]:
        """Return the hospitals that have not acknowledged, by name."""
        return sorted(name for name, one in self.hospitals.items() if not one.acknowledged)

    def stopped(self, lot: str) -> bool:
        """Return whether a lot is known to be stopped; in a drill none is to be."""
        asked = (e for e in self.effects.values() if e.kind == "stop_lot" and e.about == lot)
        return self.drill or any(e.state == "delivered" for e in asked)


def decide(recall: Recall, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a command on a recall: return the events it brings about. Raises Refused."""
    if isinstance(command, OpenRecall):
        require(not recall.version, Reason.ALREADY, "the recall is open")
        require(readable(command.reason), Reason.INVALID, "say why", "reason")
        return [RecallOpened(command.scope, command.reason, command.drill)]
    require(recall.version, Reason.NOT_FOUND, "no such recall")
    match command:
        case AcknowledgeRecall():
            return [_acknowledged(recall, command)]
        case RecordOutcome() | ReportBounce():
            return outcomes.decide(cast("Case", recall), command, now, ids, policy)  # it reads the effects only
        case _:
            assert_never(command)


def _acknowledged(recall: Recall, c: AcknowledgeRecall) -> RecallAcknowledged:
    known = recall.hospitals.get(c.centre)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "this recall does not reach that hospital", "centre")
    require(not known.acknowledged, Reason.ALREADY, "that hospital has acknowledged", "centre")
    require(readable(c.said_by), Reason.INVALID, "say who at the hospital acknowledged", "said_by")
    strange = next((one for one in c.units if one.lot not in recall.lots), None)
    require(strange is None, Reason.INVALID, "this recall does not reach that lot", "units")
    named = [(one.lot, codes.folded(one.unit)) for one in c.units]
    require(all(unit for _, unit in named), Reason.INVALID, "say which unit", "units")
    require(len(set(named)) == len(named), Reason.INVALID, "a unit is named twice", "units")
    return RecallAcknowledged(c.centre, c.said_by, c.note, c.units)


def evolve(recall: Recall, fact: Fact[Event]) -> Recall:
    """Fold one fact of a recall."""
    return replace(_folded(recall, fact), version=fact.version)


def _folded(recall: Recall, fact: Fact[Event]) -> Recall:
    event = fact.event
    if isinstance(event, effect.Event):
        return replace(recall, effects=effect.evolve(recall.effects, cast("Fact[effect.Event]", fact)))
    if isinstance(event, obligation.Event):
        folded = obligation.evolve(recall.obligations, cast("Fact[obligation.Event]", fact))
        return replace(recall, obligations=folded)
    return _of_its_own(recall, fact, event)


def _of_its_own(recall: Recall, fact: Fact[Event], event: OwnEvent) -> Recall:
    match event:
        case RecallOpened():
            opened = replace(recall, scope=event.scope, reason=event.reason, drill=event.drill)
            return replace(opened, opened_at=fact.at, opened_by=fact.actor)
        case RecallLotReached():
            return replace(recall, lots=(*recall.lots, event.lot), over=False)
        case RecallCentreReached():
            cases = frozenset(case for case in event.cases if isinstance(case, str))
            units = frozenset(unit for unit in event.units if isinstance(unit, str))
            known = recall.hospitals.get(event.centre, Hospital(frozenset()))
            again = Hospital(known.cases | cases, fates=known.fates, units=known.units | units)
            hospitals = {**recall.hospitals, event.centre: again}
            return replace(recall, hospitals=hospitals, over=False)
        case RecallAcknowledged():
            known = recall.hospitals[event.centre]
            fates = {**known.fates, **{(one.lot, one.unit): one.fate for one in event.units}}
            told = replace(known, acknowledged=fact.id, by=event.by, note=event.note, fates=fates)
            return replace(recall, hospitals={**recall.hospitals, event.centre: told})
        case RecallEnded():
            return replace(recall, over=True)
        case _:
            assert_never(event)


def fold(facts: Sequence[Fact[Any]], stream: str = "") -> Recall:
    """Return the recall after all these facts."""
    recall = Recall(stream)
    for fact in facts:
        recall = evolve(recall, fact)
    return recall

"""Decides what is asked of the units of a lot: whose one is, where it lies, and whether it may be used.

Which move a unit may make stands in domain/doses/states.py; what else a move asks for stands here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, assert_never

from domain.core.errors import Reason, Refused, require
from domain.core.personal import Trace, TraceCode, readable
from domain.core.telling.chasing import NOTHING_CHASED, Chase, Overdue
from domain.doses import codes, quality, storage
from domain.doses.custody import binding, transit
from domain.doses.labelling.label import Labelling
from domain.doses.linking import Beside
from domain.doses.states import KEPT, OVER, may
from domain.doses.storage import DecideStoppedUnit, PlaceUnit, StopUnits, UnitPlaced, UnitStopped
from domain.doses.unit import (
    Command,
    CommitUnit,
    DestroyThawedUnit,
    Event,
    ExtendHold,
    FreeUnit,
    HoldExtended,
    HoldUnit,
    SettleUnit,
    ThawedUnitDestroyed,
    Unit,
    UnitCommitted,
    UnitFreed,
    UnitHeld,
    UnitSetAside,
    UnitSettled,
    UnitUsed,
    UseUnit,
    evolve,
)

LotState = Literal["none", "registered", "released", "quarantined", "rejected", "recalled"]
NoUnit = Literal["none_available", "lot_not_released", "expires_too_soon"]
"""Why no unit can be held: the codes of the case's RefuseDose."""
REMIND, ESCALATE = timedelta(hours=24), timedelta(hours=72)
"""So long after a unit was stopped or a result told, quality assurance and supervisors are told it is undecided."""


@dataclass(frozen=True, slots=True)
class Lot:
    """One lot as folded from its facts. `asked` is which unit answered which effect.

    `donor` and `vector_lot` are the codes it was registered with, `parents` the materials it is linked to. `bound`
    says of whose own cells it was made, None = of nobody's, as far as is known.
    """

    version: int = 0
    state: LotState = "none"
    product: str = ""
    expires: datetime | None = None
    registered_by: str = ""
    units: Mapping[str, Unit] = field(default_factory=dict)
    asked: Mapping[str, str] = field(default_factory=dict)
    donor: TraceCode = ""
    vector_lot: TraceCode = ""
    parents: tuple[str, ...] = ()
    results: quality.Results = field(default_factory=dict)
    labels: Labelling = field(default_factory=Labelling)
    chase: Chase = NOTHING_CHASED
    bound: binding.Binding | None = None

    def written(self, code: str) -> bool:
        """Return whether it was registered with that code of a donor or vector lot, however it is written."""
        return codes.same(self.donor, code) or self.made_with(code)

    def made_with(self, code: str) -> bool:
        """Return whether it was registered with that code of a vector lot, however it is written."""
        return codes.same(self.vector_lot, code)


def decide(lot: Lot, command: Command, now: datetime, stores: Beside) -> Sequence[Event]:
    """Decide what is asked of units; `stores` are the read models of where they lie. Raises Refused."""
    if isinstance(command, HoldUnit | ExtendHold | CommitUnit | UseUnit):
        binding.require_own(lot.bound, command.case)
    match command:
        case HoldUnit():
            return _hold(lot, command, now, stores)
        case ExtendHold():
            return _extend(lot, command, now, stores)
        case FreeUnit():
            return _free(lot, command)
        case CommitUnit():
            return _commit(lot, command, now, stores)
        case UseUnit():
            return _use(lot, command)
        case DestroyThawedUnit():
            return _destroyed(lot, command)
        case SettleUnit():
            return _settle(lot, command)
        case PlaceUnit():
            return _placed(lot, command, now, stores)
        case StopUnits():
            return [one for unit in lot.units.values() for one in stops(unit, stores)]
        case DecideStoppedUnit():
            return [_judged(lot, command)]
        case transit.FollowUnit():
            return _followed(lot, command, now, stores)
        case _:
            assert_never(command)


def no_unit(lot: Lot, until: datetime, now: datetime) -> NoUnit | None:
    """Return why no unit of this lot can be held until then; None = one can."""
    if lot.state != "released":
        return "lot_not_released"
    if lot.expires is None or lot.expires <= until:
        return "expires_too_soon"
    return None if any(u.free_at(now) for u in lot.units.values()) else "none_available"


def lasting(lot: Lot, now: datetime) -> datetime | None:
    """Return until when the free units of a released lot last; None where it has none for use."""
    free = any(unit.free_at(now) for unit in lot.units.values())
    return lot.expires if free and lot.state == "released" else None


def unit_for(lot: Lot, effect: str) -> Unit | None:
    """Return the unit that answered an effect, as it stands."""
    return lot.units.get(lot.asked.get(effect, ""))


def stores_of(lot: Lot) -> frozenset[str]:
    """Return every store in which a unit of the lot lies or lay."""
    return frozenset(stay.store for unit in lot.units.values() for stay in unit.stays)


def undecided(lot: Lot) -> Sequence[Overdue]:
    """Return what quality assurance owes a decision about: units stopped where they lay, results out of specification.

    What came at one instant is chased as one [doses.decision-clocks]; of a lot never used again nothing is owed.
    """
    if lot.state in ("recalled", "rejected"):
        return []
    owed: dict[datetime, list[str]] = {}
    for unit in lot.units.values():
        if unit.stopped_at is not None and unit.stopped_in_store and unit.state not in OVER:
            owed.setdefault(unit.stopped_at, []).append(unit.id)
    for result in lot.results.values():
        if result.told_at is not None and result.state == "out":
            owed.setdefault(result.told_at, []).append(result.test)
    return [
        Overdue("undecided", f"undecided {at.isoformat()}", ", ".join(sorted(what)), at + REMIND, at + ESCALATE)
        for at, what in sorted(owed.items())
    ]


def lying(lot: Lot, store: str) -> Sequence[tuple[str, Unit]]:
    """Return the position and unit of whatever of the lot lies in a store."""
    found = ((unit.lies, unit) for unit in lot.units.values())
    return [(stay.position, unit) for stay, unit in found if stay is not None and stay.store == store]


def stops(unit: Unit, stores: Beside) -> Sequence[UnitStopped]:
    """Return what stops a unit and has not yet, as the stores stand: excursions during which it lay there.

    One that went into a patient is stopped as well: readings come late, and whoever sees to the patient must know.
    """
    if unit.state == "destroyed":
        return []
    known = {*unit.stopped, *unit.judged}
    return [
        UnitStopped(unit.id, stay.store, one.id)
        for stay in unit.stays
        for one in stores.get(stay.store, {}).get("excursions", ())
        if storage.mark(stay.store, one.id) not in known and one.overlaps(stay.since, stay.until)
    ]


def _hold(lot: Lot, c: HoldUnit, now: datetime, stores: Beside) -> Sequence[Event]:
    require(isinstance(c.case, str) and c.case, Reason.INVALID, "a unit is held for a case", "case")
    answered = unit_for(lot, c.effect)
    if answered is not None:
        stands = answered.of(c.case) and (answered.kept_at(now) or answered.state == "used") and not answered.stopped
        require(stands, Reason.LAPSED, "this request was answered, and what it got is no longer held", "effect")
        return []
    require(c.until > now, Reason.INVALID, "the hold has ended already", "until")
    good = [unit for unit in lot.units.values() if not unit.stopped and not stops(unit, stores)]
    own = next((u for u in good if u.of(c.case) and u.held_at(now)), None)
    reason = no_unit(lot, c.until, now)
    first = own or next((u for u in good if u.free_at(now)), None)
    if first is None or (reason is not None and (own is None or reason != "none_available")):
        raise Refused(Reason.UNAVAILABLE, f"no unit can be held: {reason or 'none_available'}")
    until = max(c.until, own.until) if own and own.until else c.until
    return [UnitHeld(first.id, c.case, c.effect, until)]


def units_of_others(lot: Lot, case: Trace, now: datetime) -> Sequence[str]:
    """Return the units that another case has, or got."""
    return [u.id for u in lot.units.values() if not u.of(case) and (u.state == "used" or u.kept_at(now))]


def unit_named(lot: Lot, name: str) -> Unit:
    """Return the unit of that name, however it is written. Raises Refused(NOT_FOUND)."""
    known = lot.units.get(name) or next((u for u in lot.units.values() if codes.same(u.id, name)), None)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "no such unit in this lot", "unit")
    return known


def _own(lot: Lot, name: str, case: Trace) -> Unit:
    known = unit_named(lot, name)
    require(known.of(case), Reason.UNAVAILABLE, "the unit is not held for this case", "unit")
    return known


def _usable(unit: Unit, stores: Beside) -> None:
    stopped = unit.stopped or stops(unit, stores)
    told = "it lay in a store that was too warm or unwatched; quality assurance has not decided (DecideStoppedUnit)"
    require(not stopped, Reason.LAPSED, told, "unit")


def _extend(lot: Lot, c: ExtendHold, now: datetime, stores: Beside) -> Sequence[Event]:
    known = _own(lot, c.unit, c.case)
    require(lot.state == "released", Reason.LAPSED, f"the lot is {lot.state}")
    _usable(known, stores)
    require(known.held_at(now) and known.until, Reason.LAPSED, "the hold has ended", "unit")
    require(lot.expires and c.until < lot.expires, Reason.LAPSED, "the lot expires before that", "until")
    return [HoldExtended(known.id, c.until)] if known.until and c.until > known.until else []


def _free(lot: Lot, c: FreeUnit) -> Sequence[Event]:
    """Whatever this case no longer has is free of it already."""
    known = unit_named(lot, c.unit)
    if not known.of(c.case):
        return []
    require(known.state != "used", Reason.IRREVERSIBLE, "the unit went into the patient", "unit")
    ways: Sequence[Event] = [UnitFreed(known.id), UnitSetAside(known.id)]
    return [way for way in ways if may(known.state, way.type)]


def _commit(lot: Lot, c: CommitUnit, now: datetime, stores: Beside) -> Sequence[Event]:
    known = _own(lot, c.unit, c.case)
    require(lot.state == "released", Reason.LAPSED, f"the lot is {lot.state}")
    require(lot.expires and now < lot.expires, Reason.LAPSED, "the lot has expired")
    _usable(known, stores)
    if known.state in KEPT:
        return []
    require(known.held_at(now), Reason.LAPSED, "the hold has ended", "unit")
    return [UnitCommitted(known.id)]


def _use(lot: Lot, c: UseUnit) -> Sequence[Event]:
    """It happened at the bedside, so neither the state of the lot matters any more nor that the unit was stopped.

    Else one that was cleared would go to somebody else. Its last hold was this case's, so nobody has had it since.
    """
    known = _own(lot, c.unit, c.case)
    if known.state == "used":
        return []
    there = may(known.state, "UnitUsed") and (known.state != "free" or known.stopped)
    require(there, Reason.MISSING, "the unit was never committed", "unit")
    return [UnitUsed(known.id)]


def _destroyed(lot: Lot, c: DestroyThawedUnit) -> Sequence[Event]:
    """It lies destroyed at the bedside whatever the lot knew of it; only what went into a patient cannot."""
    known = _own(lot, c.unit, c.case)
    require(known.state != "used", Reason.IRREVERSIBLE, "the unit went into the patient", "unit")
    return [] if known.state == "destroyed" else [ThawedUnitDestroyed(known.id)]


def second_person(lot: Lot, by: str) -> None:
    """Refuse whoever registered the lot, and nobody."""
    require(by and by != lot.registered_by, Reason.FOUR_EYES, "quality assurance is not whoever registered it", "by")


def _settle(lot: Lot, c: SettleUnit) -> Sequence[Event]:
    known = unit_named(lot, c.unit)
    require(known.state != "used", Reason.IRREVERSIBLE, "the unit went into the patient", "unit")
    gone = "it left its storage for its patient and never goes back to stock: it is destroyed"
    require(c.outcome == "destroyed" or not known.left, Reason.IRREVERSIBLE, gone, "outcome")
    settled = UnitSettled(known.id, c.outcome, c.reason, c.by)
    require(may(known.state, f"UnitSettled {c.outcome}"), Reason.NOT_NOW, f"the unit is {known.state}", "unit")
    second_person(lot, c.by)
    return [settled]


def _placed(lot: Lot, c: PlaceUnit, now: datetime, stores: Beside) -> Sequence[Event]:
    """What is put into a store that was too warm then is stopped at once; none goes where one lies [doses.place]."""
    known = unit_named(lot, c.unit)
    require(known.state not in OVER, Reason.IRREVERSIBLE, f"the unit is {known.state}", "unit")
    require("excursions" in stores.get(c.store, {}), Reason.NOT_FOUND, "no such store", "store")
    require(c.position.strip(), Reason.INVALID, "say where in the store it lies", "position")
    since = c.since or now
    require(since <= now, Reason.INVALID, "that lies in the future", "since")
    newest = max((stay.since for stay in known.stays), default=since)
    require(since >= newest, Reason.INVALID, "it was put somewhere else after that", "since")
    taken = [u.id for u in _others(lot, known) if _lies(u, c.store, c.position)]
    taken += [f"{u.unit} of {u.lot}" for u in storage.beside(stores) if codes.same(u.position, c.position)]
    require(not taken, Reason.UNAVAILABLE, f"another unit lies there: {', '.join(taken)}", "position")
    if _lies(known, c.store, c.position):
        return []
    placed = UnitPlaced(known.id, c.store, c.position, since)
    lies = Unit(
        known.id, stays=(storage.StoreStay(c.store, c.position, since),), stopped=known.stopped, judged=known.judged
    )
    return [placed, *stops(lies, stores)]


def _others(lot: Lot, unit: Unit) -> Iterable[Unit]:
    return (one for one in lot.units.values() if one.id != unit.id)


def _lies(unit: Unit, store: str, position: str) -> bool:
    stay = unit.lies
    return stay is not None and stay.store == store and codes.same(stay.position, position)


def _judged(lot: Lot, c: DecideStoppedUnit) -> Event:
    known = unit_named(lot, c.unit)
    given = "the unit went into the patient; the alert in its case is answered there"
    require(known.state != "used", Reason.IRREVERSIBLE, given, "unit")
    require(known.stopped and known.state not in OVER, Reason.NOT_NOW, "the unit is not stopped", "unit")
    in_store = known.stopped_in_store
    on_way = "it was stopped on its way: quality assurance decides in its patient's case (JudgeShipment)"
    require(in_store or c.outcome == "discard", Reason.NOT_NOW, on_way, "unit")
    require(readable(c.reason), Reason.INVALID, "say why", "reason")
    require(c.by, Reason.FOUR_EYES, "somebody decides this, by name", "by")
    if c.outcome == "discard":
        return storage.UnitDiscarded(known.id, c.reason, c.by)
    if not known.proposed_by:
        return storage.UseOfUnitProposed(known.id, c.reason, c.by)
    require(known.proposed_by != c.by, Reason.FOUR_EYES, "you said so already; another person has to", "by")
    return storage.UnitCleared(known.id, c.reason, c.by, in_store if len(in_store) < len(known.stopped) else ())


def _followed(lot: Lot, c: transit.FollowUnit, now: datetime, stores: Beside) -> Sequence[Event]:
    """Tell what is new of a unit on its way; a unit that is somebody else's by now is a definite no."""
    known = _own(lot, c.unit, c.case)
    told: list[Event] = []

    def add(event: Event) -> None:
        nonlocal known
        told.append(event)
        known = evolve(known, event, now)

    if not known.left and may(known.state, "UnitLeft"):
        add(transit.UnitLeft(known.id, c.shipment, c.shipper, c.left))
    if c.arrived is not None and (known.state == "on_the_way" or _lies(known, c.shipper, c.shipment)):
        add(transit.UnitArrived(known.id, c.shipment, c.arrived))
    every = transit.marks(c)
    if may(known.state, "UnitStoppedOnWay"):
        for number, finding in enumerate(c.found, 1):
            if every[number - 1] not in (*known.stopped, *known.judged):
                add(transit.UnitStoppedOnWay(known.id, c.shipment, finding, number))
    for stopped in stops(known, stores):
        add(stopped)
    open_ = tuple(one for one in every[: c.judged] if one in known.stopped)
    if open_ and c.outcome == "discard" and known.state not in OVER:
        add(storage.UnitDiscarded(known.id, JUDGED, c.by))
    elif open_ and c.outcome == "use":
        add(storage.UnitCleared(known.id, JUDGED, c.by, open_))
    return told


JUDGED = "as quality assurance judged its shipment"

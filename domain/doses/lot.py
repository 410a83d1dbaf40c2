"""A lot of doses: registered, released by a second person, quarantined or recalled; which unit is whose [P8].

The state of the lot overrides that of its units [doses.lot-overrides]. What is asked of a unit may be asked again: a
repeat brings nothing new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, assert_never, get_args

from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact
from domain.core.personal import Identity, Trace, TraceCode
from domain.core.roles import Action
from domain.doses import codes, linking, product, quality, unit
from domain.doses.kinds import LOT
from domain.doses.linking import Beside
from domain.doses.unit import (
    CommitUnit,
    ExtendHold,
    FreeUnit,
    HoldExtended,
    HoldUnit,
    SettleUnit,
    Unit,
    UnitCommitted,
    UnitFreed,
    UnitHeld,
    UnitSetAside,
    UnitSettled,
    UnitUsed,
    UseUnit,
)

LotState = Literal["none", "registered", "released", "quarantined", "rejected", "recalled"]
NoUnit = Literal["none_available", "lot_not_released", "expires_too_soon"]
"""Why no unit can be held: the codes of the case's RefuseDose."""


@dataclass(frozen=True, slots=True)
class RegisterLot:
    """A lot came in, not released yet. `donor` and `vector_lot` are codes; `by` is who registered it."""

    product: str
    units: tuple[str, ...]
    expires: datetime
    donor: Trace = ""
    vector_lot: Trace = ""
    by: str = ""
    type: Literal["RegisterLot"] = "RegisterLot"


@dataclass(frozen=True, slots=True)
class ReleaseLot:
    """Quality assurance releases it, first or after a quarantine; never whoever registered it."""

    by: str = ""
    type: Literal["ReleaseLot"] = "ReleaseLot"


@dataclass(frozen=True, slots=True)
class QuarantineLot:
    """Nothing of it is used until it is released again; anybody may ask for this."""

    reason: Identity
    type: Literal["QuarantineLot"] = "QuarantineLot"


@dataclass(frozen=True, slots=True)
class RecallLot:
    """Nothing of it is ever used again."""

    reason: Identity
    type: Literal["RecallLot"] = "RecallLot"


Command = RegisterLot | ReleaseLot | QuarantineLot | RecallLot | linking.Command | quality.Command | unit.Command

BY = {
    RegisterLot: Action.REGISTER_LOT,
    ReleaseLot: Action.RELEASE_LOT,
    QuarantineLot: Action.STOP_LOT,
    RecallLot: Action.RELEASE_LOT,
    **dict.fromkeys(get_args(linking.Command), Action.REGISTER_LOT),
    **dict.fromkeys(get_args(quality.Command), Action.RELEASE_LOT),
    **dict.fromkeys(get_args(unit.Command), Action.ENGINE),
    unit.SettleUnit: Action.RELEASE_LOT,
}
"""What giving each command is called in the table of roles; units are held, committed and used by the engine."""
GATED = (ReleaseLot, HoldUnit, ExtendHold, CommitUnit)
"""What nobody does with a lot made of something recalled, whether the recall has stopped it yet or not."""
RECALLS = "recall-"


@dataclass(frozen=True, slots=True)
class LotRegistered:
    """The lot exists; nothing of it may be used yet."""

    product: str
    units: tuple[str, ...]
    expires: datetime
    donor: Trace
    vector_lot: Trace
    by: str
    type: Literal["LotRegistered"] = "LotRegistered"


@dataclass(frozen=True, slots=True)
class LotReleased:
    """Quality assurance released it."""

    by: str
    type: Literal["LotReleased"] = "LotReleased"


@dataclass(frozen=True, slots=True)
class LotQuarantined:
    """It may not be used for now; holds stand."""

    reason: Identity
    type: Literal["LotQuarantined"] = "LotQuarantined"


@dataclass(frozen=True, slots=True)
class LotRecalled:
    """It may never be used again."""

    reason: Identity
    type: Literal["LotRecalled"] = "LotRecalled"


Event = LotRegistered | LotReleased | LotQuarantined | LotRecalled | linking.Event | quality.Event | unit.Event
STOPPED: Mapping[str, str] = {"recalled": "a recalled lot stays recalled", "rejected": "a rejected lot stays rejected"}
"""The states that a lot never leaves for use again."""


@dataclass(frozen=True, slots=True)
class Lot:
    """One lot as folded from its facts. `asked` is which unit answered which effect.

    `donor` and `vector_lot` are the codes it was registered with, `parents` the materials it is linked to.
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

    def written(self, code: str) -> bool:
        """Return whether it was registered with that code of a donor or vector lot, however it is written."""
        return codes.same(self.donor, code) or self.made_with(code)

    def made_with(self, code: str) -> bool:
        """Return whether it was registered with that code of a vector lot, however it is written."""
        return codes.same(self.vector_lot, code)


initial = Lot()


def decide(lot: Lot, command: Command, now: datetime, beside: Beside) -> Sequence[Event]:
    """Decide a lot command: return the events it brings about. Raises Refused."""
    if isinstance(command, RegisterLot):
        return [_register(lot, command, now)]
    require(lot.state != "none", Reason.NOT_FOUND, "no such lot")
    if isinstance(command, GATED):
        _not_recalled(beside)
    match command:
        case ReleaseLot():
            return [_release(lot, command, now, beside)]
        case QuarantineLot():
            _not_stopped(lot)
            return [] if lot.state == "quarantined" else [LotQuarantined(command.reason)]
        case RecallLot():
            return [] if lot.state == "recalled" else [LotRecalled(command.reason)]
        case HoldUnit():
            return _hold(lot, command, now)
        case ExtendHold():
            return _extend(lot, command, now)
        case FreeUnit():
            return _free(lot, command)
        case CommitUnit():
            return _commit(lot, command, now)
        case UseUnit():
            return _use(lot, command)
        case SettleUnit():
            return _settle(lot, command)
        case linking.LinkMaterial() | linking.UnlinkMaterial():
            return linking.decide(LOT, lot.parents, command, beside)
        case quality.RecordResult() | quality.DecideOutOfSpecification():
            return _tested(lot, command, now, beside)
        case _:
            assert_never(command)


def _not_recalled(beside: Beside) -> None:
    by = next((name for name, state in beside.items() if name.startswith(RECALLS) and not state["drill"]), None)
    told = f"the lot is made of what is recalled by {by}; where that is wrong, take back its link (UnlinkMaterial)"
    require(by is None, Reason.IRREVERSIBLE, told)


def _register(lot: Lot, c: RegisterLot, now: datetime) -> Event:
    require(lot.state == "none", Reason.ALREADY, "the lot is registered")
    require(codes.folded(c.product), Reason.INVALID, "a lot is of some product", "product")
    compared = [codes.folded(one) for one in c.units]
    require(compared and all(compared), Reason.INVALID, "a lot has at least one unit, and each has an id", "units")
    twice = next((one for n, one in enumerate(c.units) if compared[n] in compared[:n]), None)
    require(twice is None, Reason.INVALID, f"two units have the same id, however it is written: {twice}", "units")
    require(c.expires > now, Reason.INVALID, "the lot has expired already", "expires")
    return LotRegistered(c.product, c.units, c.expires, c.donor, c.vector_lot, c.by)


def rests_on(lot: Lot, command: object) -> frozenset[str]:
    """Return the streams whose read models a command on this lot is decided with: that of its product."""
    judged = isinstance(command, ReleaseLot | quality.RecordResult) and lot.product
    return frozenset({product.stream_of(lot.product)}) if judged else frozenset()


def _tested(lot: Lot, c: quality.Command, now: datetime, beside: Beside) -> Sequence[Event]:
    """A result out of specification that comes after the release stops the lot at once."""
    told = quality.decide(lot.product, lot.results, c, now, beside)
    late = [one for one in told if isinstance(one, quality.ResultRecorded) and not one.within]
    stop = [LotQuarantined(f"out of specification: {one.test}") for one in late if lot.state == "released"]
    return [*told, *stop]


def _not_stopped(lot: Lot) -> None:
    require(lot.state not in STOPPED, Reason.IRREVERSIBLE, STOPPED.get(lot.state, ""))


def _release(lot: Lot, c: ReleaseLot, now: datetime, beside: Beside) -> Event:
    _not_stopped(lot)
    require(lot.state != "released", Reason.ALREADY, "the lot is released")
    require(lot.expires and now < lot.expires, Reason.LAPSED, "the lot has expired")
    _second_person(lot, c.by)
    quality.require_tested(lot.product, lot.results, beside)
    return LotReleased(c.by)


def _second_person(lot: Lot, by: str) -> None:
    require(by and by != lot.registered_by, Reason.FOUR_EYES, "quality assurance is not whoever registered it", "by")


def no_unit(lot: Lot, until: datetime, now: datetime) -> NoUnit | None:
    """Return why no unit of this lot can be held until then; None = one can."""
    if lot.state != "released":
        return "lot_not_released"
    if lot.expires is None or lot.expires <= until:
        return "expires_too_soon"
    return None if any(u.free_at(now) for u in lot.units.values()) else "none_available"


def unit_for(lot: Lot, effect: str) -> Unit | None:
    """Return the unit that answered an effect, as it stands."""
    return lot.units.get(lot.asked.get(effect, ""))


def _hold(lot: Lot, c: HoldUnit, now: datetime) -> Sequence[Event]:
    require(isinstance(c.case, str) and c.case, Reason.INVALID, "a unit is held for a case", "case")
    answered = unit_for(lot, c.effect)
    if answered is not None:
        stands = answered.of(c.case) and (answered.held_at(now) or answered.state in ("committed", "used"))
        require(stands, Reason.LAPSED, "this request was answered, and what it got is no longer held", "effect")
        return []
    require(c.until > now, Reason.INVALID, "the hold has ended already", "until")
    own = next((u for u in lot.units.values() if u.of(c.case) and u.held_at(now)), None)
    reason = no_unit(lot, c.until, now)
    if reason is not None and (own is None or reason != "none_available"):
        raise Refused(Reason.UNAVAILABLE, f"no unit can be held: {reason}")
    first = own or next(u for u in lot.units.values() if u.free_at(now))
    until = max(c.until, own.until) if own and own.until else c.until
    return [UnitHeld(first.id, c.case, c.effect, until)]


def _unit(lot: Lot, name: str) -> Unit:
    known = lot.units.get(name) or next((u for u in lot.units.values() if codes.same(u.id, name)), None)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "no such unit in this lot", "unit")
    return known


def _own(lot: Lot, name: str, case: Trace) -> Unit:
    known = _unit(lot, name)
    require(known.of(case), Reason.UNAVAILABLE, "the unit is not held for this case", "unit")
    return known


def _extend(lot: Lot, c: ExtendHold, now: datetime) -> Sequence[Event]:
    known = _own(lot, c.unit, c.case)
    require(lot.state == "released", Reason.LAPSED, f"the lot is {lot.state}")
    require(known.held_at(now) and known.until, Reason.LAPSED, "the hold has ended", "unit")
    require(lot.expires and c.until < lot.expires, Reason.LAPSED, "the lot expires before that", "until")
    return [HoldExtended(known.id, c.until)] if known.until and c.until > known.until else []


def _free(lot: Lot, c: FreeUnit) -> Sequence[Event]:
    """Whatever this case no longer has is free of it already."""
    known = _unit(lot, c.unit)
    if not known.of(c.case) or known.state in ("free", "set_aside", "destroyed"):
        return []
    require(known.state != "used", Reason.IRREVERSIBLE, "the unit went into the patient", "unit")
    return [UnitFreed(known.id)] if known.state == "held" else [UnitSetAside(known.id)]


def _commit(lot: Lot, c: CommitUnit, now: datetime) -> Sequence[Event]:
    known = _own(lot, c.unit, c.case)
    require(lot.state == "released", Reason.LAPSED, f"the lot is {lot.state}")
    require(lot.expires and now < lot.expires, Reason.LAPSED, "the lot has expired")
    if known.state == "committed":
        return []
    require(known.held_at(now), Reason.LAPSED, "the hold has ended", "unit")
    return [UnitCommitted(known.id)]


def _use(lot: Lot, c: UseUnit) -> Sequence[Event]:
    """It happened at the bedside, so the state of the lot no longer matters."""
    known = _own(lot, c.unit, c.case)
    require(known.state in ("committed", "used"), Reason.MISSING, "the unit was never committed", "unit")
    return [UnitUsed(known.id)] if known.state == "committed" else []


def _settle(lot: Lot, c: SettleUnit) -> Sequence[Event]:
    known = _unit(lot, c.unit)
    require(known.state != "used", Reason.IRREVERSIBLE, "the unit went into the patient", "unit")
    require(known.state in ("committed", "set_aside"), Reason.NOT_NOW, f"the unit is {known.state}", "unit")
    _second_person(lot, c.by)
    return [UnitSettled(known.id, c.outcome, c.reason, c.by)]


def evolve(lot: Lot, fact: Fact[Event]) -> Lot:
    """Fold one lot event."""
    return replace(_folded(lot, fact), version=fact.version)


def _folded(lot: Lot, fact: Fact[Event]) -> Lot:
    event = fact.event
    if isinstance(event, unit.Event):
        return _of_unit(lot, event)
    if isinstance(event, linking.Event):
        return replace(lot, parents=linking.after(lot.parents, event))
    if isinstance(event, quality.Event):
        rejected = isinstance(event, quality.OutOfSpecificationDecided) and event.outcome == "reject"
        state = "rejected" if rejected and lot.state != "recalled" else lot.state
        return replace(lot, results=quality.evolve(lot.results, event), state=state)
    match event:
        case LotRegistered():
            units = {name: Unit(name) for name in event.units}
            by, donor, vector = event.by or fact.actor, _code(event.donor), _code(event.vector_lot)
            return Lot(0, "registered", event.product, event.expires, by, units, donor=donor, vector_lot=vector)
        case LotReleased():
            return replace(lot, state="released")
        case LotQuarantined():
            return replace(lot, state="quarantined")
        case LotRecalled():
            return replace(lot, state="recalled")
        case _:
            assert_never(event)


def _code(value: Trace) -> str:
    return value if isinstance(value, str) else ""


def _of_unit(lot: Lot, event: unit.Event) -> Lot:
    known = lot.units.get(event.unit, Unit(event.unit))
    asked = {**lot.asked, event.effect: event.unit} if isinstance(event, UnitHeld) else lot.asked
    return replace(lot, units={**lot.units, known.id: unit.evolve(known, event)}, asked=asked)


def read_model(lot: Lot) -> Mapping[str, Any]:
    """Return what cases note of it, and its stock without a clock: units nobody holds, and when held ones lapse."""
    units = lot.units.values()
    return {
        "state": lot.state,
        "expires": lot.expires,
        "product": lot.product,
        "free_units": sum(u.state == "free" for u in units),
        "held_until": sorted(u.until for u in units if u.state == "held" and u.until),
    }

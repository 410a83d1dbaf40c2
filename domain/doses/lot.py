"""A lot of doses: registered, released by a second person, quarantined or recalled; which unit is whose [P8].

The state of the lot overrides that of its units [doses.lot-overrides]. What is asked of a unit may be asked again: a
repeat brings nothing new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, assert_never, cast, get_args

from domain.core.errors import Reason, require
from domain.core.fact import Fact
from domain.core.personal import Identity, Trace
from domain.core.roles import Action
from domain.core.telling import chasing
from domain.doses import codes, linking, product, quality, stock, storage, unit
from domain.doses.custody import binding, transit
from domain.doses.kinds import LOT
from domain.doses.labelling import label
from domain.doses.linking import Beside
from domain.doses.stock import Lot
from domain.doses.unit import CommitUnit, ExtendHold, HoldUnit, Unit, UnitHeld


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


Command = (
    RegisterLot
    | ReleaseLot
    | QuarantineLot
    | RecallLot
    | linking.Command
    | quality.Command
    | unit.Command
    | label.Command
    | chasing.Command
    | binding.Command
)

BY = {
    RegisterLot: Action.REGISTER_LOT,
    ReleaseLot: Action.RELEASE_LOT,
    QuarantineLot: Action.STOP_LOT,
    RecallLot: Action.RELEASE_LOT,
    **dict.fromkeys(get_args(linking.Command), Action.REGISTER_LOT),
    **dict.fromkeys(get_args(quality.Command), Action.RELEASE_LOT),
    **dict.fromkeys(get_args(unit.Command), Action.ENGINE),
    **dict.fromkeys((unit.SettleUnit, storage.DecideStoppedUnit), Action.RELEASE_LOT),
    storage.PlaceUnit: Action.REGISTER_LOT,
    **dict.fromkeys(get_args(label.Command), Action.REGISTER_LOT),
    binding.BindLot: Action.REGISTER_LOT,
    **chasing.BY,
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


Stated = LotRegistered | LotReleased | LotQuarantined | LotRecalled
Event = Stated | linking.Event | quality.Event | unit.Event | label.Event | chasing.Event | binding.Event
STOPPED: Mapping[str, str] = {"recalled": "a recalled lot stays recalled", "rejected": "a rejected lot stays rejected"}
"""The states that a lot never leaves for use again."""

initial = Lot()


def decide(lot: Lot, command: Command, now: datetime, beside: Beside) -> Sequence[Event]:
    """Decide a lot command: return the events it brings about. Raises Refused."""
    if isinstance(command, RegisterLot):
        return [_register(lot, command, now)]
    require(lot.state != "none", Reason.NOT_FOUND, "no such lot")
    if isinstance(command, GATED):
        _not_recalled(beside)
        _not_on_hold(lot, beside)
    if isinstance(command, unit.Command):
        return stock.decide(lot, command, now, beside)
    match command:
        case ReleaseLot():
            return [_release(lot, command, now, beside)]
        case QuarantineLot():
            _not_stopped(lot)
            return [] if lot.state == "quarantined" else [LotQuarantined(command.reason)]
        case RecallLot():
            return [] if lot.state == "recalled" else [LotRecalled(command.reason)]
        case linking.LinkMaterial() | linking.UnlinkMaterial():
            return linking.decide(LOT, lot.parents, command, beside)
        case quality.RecordResult() | quality.DecideOutOfSpecification():
            return _tested(lot, command, now, beside)
        case binding.BindLot():
            return binding.decide(lot.bound, stock.units_of_others(lot, command.case, now), command)
        case label.StateLabel() | label.PrintLabel():
            return _labelled(lot, command)
        case _:
            return chasing.decide(lot.chase, command, stock.undecided(lot), now)


def _labelled(lot: Lot, c: label.Command) -> Sequence[Event]:
    """A stopped lot gets no label any more; what its units are called is the lot's to say."""
    _not_stopped(lot)
    if isinstance(c, label.StateLabel):
        return label.decide(lot.labels, c, tuple(lot.units), lot.expires, "")
    known = stock.unit_named(lot, c.unit)
    return label.decide(lot.labels, replace(c, unit=known.id), tuple(lot.units), lot.expires, known.state)


def _not_recalled(beside: Beside) -> None:
    by = next((name for name, state in beside.items() if name.startswith(RECALLS) and not state["drill"]), None)
    told = f"the lot is made of what is recalled by {by}; where that is wrong, take back its link (UnlinkMaterial)"
    require(by is None, Reason.IRREVERSIBLE, told)


def _not_on_hold(lot: Lot, beside: Beside) -> None:
    """Refuse whatever brings a unit nearer to a patient while its product is on hold [governance.hold]."""
    holds = beside.get(product.stream_of(lot.product), {}).get("holds", ())
    by = ", ".join(one.authority for one in holds)
    require(not holds, Reason.LAPSED, f"the product is on hold by {by}; units stay where they are until it is lifted")


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
    """Return the streams whose read models a command on this lot is decided with: its product's, its units' stores'."""
    match command:
        case ReleaseLot() | quality.RecordResult():
            return frozenset({product.stream_of(lot.product)})
        case HoldUnit() | ExtendHold() | CommitUnit():
            return stock.stores_of(lot) | {product.stream_of(lot.product)}
        case storage.StopUnits():
            return stock.stores_of(lot)
        case storage.PlaceUnit():
            return frozenset({command.store})
        case transit.FollowUnit():
            return stock.stores_of(lot) | ({command.shipper} if command.shipper else set())
        case _:
            return frozenset()


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
    stock.second_person(lot, c.by)
    quality.require_tested(lot.product, lot.results, beside)
    return LotReleased(c.by)


def evolve(lot: Lot, fact: Fact[Event]) -> Lot:
    """Fold one lot event."""
    return replace(_folded(lot, fact), version=fact.version)


def _folded(lot: Lot, fact: Fact[Event]) -> Lot:
    event = fact.event
    if isinstance(event, unit.Event):
        return _of_unit(lot, event, fact.at)
    if isinstance(event, linking.Event):
        return replace(lot, parents=linking.after(lot.parents, event))
    if isinstance(event, label.Event):
        return replace(lot, labels=label.evolve(lot.labels, event, fact.at))
    if isinstance(event, chasing.Event):
        return replace(lot, chase=chasing.evolve(lot.chase, cast("Fact[chasing.Event]", fact)))
    if isinstance(event, quality.Event):
        rejected = isinstance(event, quality.OutOfSpecificationDecided) and event.outcome == "reject"
        state = "rejected" if rejected and lot.state != "recalled" else lot.state
        return replace(lot, results=quality.evolve(lot.results, event, fact.at), state=state)
    if isinstance(event, binding.Event):
        return replace(lot, bound=binding.evolve(event))
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


def _of_unit(lot: Lot, event: unit.Event, at: datetime) -> Lot:
    known = lot.units.get(event.unit, Unit(event.unit))
    asked = {**lot.asked, event.effect: event.unit} if isinstance(event, UnitHeld) else lot.asked
    return replace(lot, units={**lot.units, known.id: unit.evolve(known, event, at)}, asked=asked)


def read_model(lot: Lot) -> Mapping[str, Any]:
    """Return what cases note of it, and its stock without a clock: units nobody holds, and when held ones lapse.

    Which units were stopped where they lay, the stores they lie or lay in, and what their labels say, stand there where
    there are any; what stops one on its way its own case knows first. `bound`: the lot is one patient's. `untold`:
    mails about owed decisions, if any.
    """
    units, untold = lot.units.values(), lot.chase.open(stock.undecided(lot))
    stopped, stores = sorted(u.id for u in units if u.stopped_in_store), sorted(stock.stores_of(lot))
    return {
        "state": lot.state,
        "expires": lot.expires,
        "product": lot.product,
        "free_units": sum(u.state == "free" and not u.stopped for u in units),
        "held_until": sorted(u.until for u in units if u.state == "held" and u.until),
        **({"stopped": tuple(stopped)} if stopped else {}),
        **({"stores": tuple(stores)} if stores else {}),
        **label.told_to_cases(lot.labels),
        **({"bound": True} if lot.bound else {}),
        **({"untold": len(untold)} if untold else {}),
    }

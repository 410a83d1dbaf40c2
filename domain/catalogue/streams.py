"""Everything a case depends on and does not own: protocols, centres, lots, staff, each a stream of its own.

One table: stream prefix → how its commands are decided, its facts folded, and its read model read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any, get_args

from domain.catalogue import centre, desks, protocol, staff
from domain.catalogue.around import Around
from domain.catalogue.product import depletion_of, planned_check_of
from domain.catalogue.protocols.seats import seat_of
from domain.catalogue.site import site_of
from domain.catalogue.waiting.waiting_list import place_of
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Draft, Fact, Ids
from domain.core.roles import Action
from domain.criteria.criterion import criterion_of
from domain.criteria.dosing import cell_dose_of
from domain.criteria.redosing import redosing_of
from domain.doses import linking, lot, material, product, stock, store
from domain.doses.product import limit_of
from domain.doses.readings import excursion_of
from domain.law.clinical_holds import hold_of

Command = (
    protocol.Command | centre.Command | lot.Command | staff.Command | desks.Command | material.Command
    | product.Command | store.Command
)  # fmt: skip
Event = (
    protocol.Event | centre.Event | lot.Event | staff.Event | desks.Event | material.Event | product.Event | store.Event
)
State = (
    protocol.Protocol | centre.Centre | stock.Lot | staff.Staff | desks.Desks | material.Material | product.Product
    | store.Store
)  # fmt: skip

COMMANDS: tuple[type[Any], ...] = get_args(Command)
EVENTS: tuple[type[Any], ...] = get_args(Event)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One kind of stream. `by` names for each of its commands what giving it is in the table of roles.

    `instants` are the fields of its read model that hold an instant, or a list of them.
    """

    prefix: str
    initial: Any
    by: Mapping[type[Any], Action]
    events: tuple[type[Any], ...]
    decide: Callable[[Any, Any, datetime, Ids, Around], Sequence[Any]]
    evolve: Callable[[Any, Fact[Any]], Any]
    read_model: Callable[[Any], Mapping[str, Any]]
    instants: tuple[str, ...]

    @property
    def commands(self) -> tuple[type[Any], ...]:
        """Return the commands of such a stream."""
        return tuple(self.by)


def _aggregate(prefix: str, module: ModuleType, *instants: str, given: str = "") -> Aggregate:
    """Make a row; `given` is how much of what stands around its commands are decided with: all, beside, or nothing."""
    m: Any = module
    ways: Mapping[str, Callable[..., Sequence[Any]]] = {
        "": lambda state, command, now, ids, _: m.decide(state, command, now, ids),
        "beside": lambda state, command, now, _, around: m.decide(state, command, now, around.beside),
        "all": m.decide,
    }
    decide = ways[given]
    return Aggregate(prefix, m.initial, m.BY, get_args(m.Event), decide, m.evolve, m.read_model, instants)


CATALOGUE: Mapping[str, Aggregate] = {
    a.prefix: a
    for a in (
        _aggregate("protocol", protocol, "open_until", "reviewed"),
        _aggregate("centre", centre, given="all"),
        _aggregate("lot", lot, "expires", "held_until", given="beside"),
        _aggregate("person", staff, "absent_from", "absent_until", given="all"),
        _aggregate("desk", desks, given="all"),
        _aggregate("material", material, given="beside"),
        _aggregate("product", product),
        _aggregate("store", store, "read_until"),
    )
}


def aggregate(stream: str) -> Aggregate:
    """Return the kind of a stream, by its prefix. Raises Refused(NOT_FOUND)."""
    prefix, _, name = stream.partition("-")
    found = CATALOGUE.get(prefix)
    if found is None or not name:
        raise Refused(Reason.NOT_FOUND, "no such lot, material, product, store, protocol, centre or person")
    return found


def fold(stream: str, facts: Iterable[Fact[Any]]) -> State:
    """Return the state after all these facts."""
    kind = aggregate(stream)
    state: State = kind.initial
    for fact in facts:
        state = kind.evolve(state, fact)
    return state


def decide(
    stream: str, state: State, command: Command, now: datetime, ids: Ids, around: Around
) -> Sequence[Draft[Event]]:
    """Decide a command on that stream. No drafts = nothing new, it was asked before. Raises Refused."""
    kind = aggregate(stream)
    require(type(command) in kind.by, Reason.INVALID, f"not a command of a {kind.prefix}", "type")
    return [Draft(event, ids()) for event in kind.decide(state, command, now, ids, around)]


def named_by(command: object, state: State | None = None) -> frozenset[str]:
    """Return the streams whose read models a command is decided with: those it names, or those its lot rests on."""
    if isinstance(state, stock.Lot) and (judged := lot.rests_on(state, command)):
        return judged
    match command:
        case linking.LinkMaterial():
            return frozenset({command.parent})
        case material.RegisterMaterial():
            return frozenset(command.made_of)
        case _:
            return frozenset()


def read_model(stream: str, state: State) -> Mapping[str, Any]:
    """Return what cases note of a stream (stages/anytime/watching.py), its `source` view; instants are datetimes."""
    return aggregate(stream).read_model(state)


def parse_source_state(stream: str, state: Mapping[str, Any] | str) -> dict[str, Any]:
    """Return a read model as it comes back from the database, text or parsed JSON, with its instants restored."""
    known: Mapping[str, Any] = json.loads(state) if isinstance(state, str) else state
    instants = aggregate(stream).instants
    read = {name: _instant(value) if name in instants else value for name, value in known.items()}
    listed = {name: tuple(map(LISTED[name], value)) if name in LISTED else value for name, value in read.items()}
    asked: Any = listed.get("redosing")
    return {**listed, "redosing": redosing_of(asked)} if asked else listed


LISTED: Mapping[str, Callable[[Any], Any]] = {
    "criteria": criterion_of,
    "lymphodepletion": depletion_of,
    "doses": cell_dose_of,
    "sites": site_of,
    "places": place_of,
    "seats": seat_of,
    "diseases": str,
    "visit_days": int,
    "monitoring": planned_check_of,
    "capabilities": str,
    "research_items": str,
    "tests": limit_of,
    "holds": hold_of,
    "excursions": excursion_of,
    "stopped": str,
    "stores": str,
}
"""What a read model holds many of, and how one is read."""


def _instant(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return [_instant(one) for one in value]
    return datetime.fromisoformat(value) if isinstance(value, str) else value

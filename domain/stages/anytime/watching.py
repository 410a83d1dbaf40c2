"""Notes as the case's own facts what it knows of the lots, protocols, centres and staff it depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Literal

from domain.case.phases.bookkeeping import Noted
from domain.case.state import Case
from domain.case.table import Takes
from domain.catalogue.product import Access, Depletion
from domain.catalogue.protocols.classes import ProductClass
from domain.catalogue.protocols.seats import Seat
from domain.catalogue.site import SiteLease
from domain.catalogue.waiting.waiting_list import Place
from domain.core.copying import replace
from domain.core.errors import Reason, Refused
from domain.core.fact import Fact
from domain.core.planned_check import PlannedCheck
from domain.criteria.criterion import Criterion
from domain.criteria.dosing import CellDose
from domain.criteria.redosing import RedosingCriteria
from domain.law.clinical_holds import ClinicalHold
from domain.stages.eligibility.submissions import ChooseCentre, ChooseExcludedCentre
from domain.stages.eligibility.waiting import WaitForPlace
from domain.stages.governing.standing_still import product_of
from domain.stages.intake.people import GiveConsent


@dataclass(frozen=True, slots=True)
class ProtocolStateNoted:
    """The protocol as its own stream says at `source_version`; open ends by itself at `open_until`.

    Where there are `sites`, how it stands at the centre counts instead. `centre`: the only one that runs it, empty =
    not said; `shut`: closed everywhere, or a draft. `route`: the law it runs under; `reviewed` and
    `filing`: the review and the filing of the study as it reads now; `number`: its version, 0 = not noted.
    `places`: those that this case was offered there, or has taken.
    `lymphodepletion`: the drugs of which it names the days. `access`: how a patient comes to its product.
    `redosing`: what it asks before another dose, None = it does not say. `product_class`: what kind of product it
    gives, called `product`; `depletion_planned` False = no lymphodepletion is planned before it. `holds`: the clinical
    holds that stand. `doses`: the cells of one infusion as it writes them. `escalates`: it has dose levels, and `seats`
    is the place of this case in its cohorts.
    """

    stream: str
    source_version: int
    open: bool
    open_until: datetime | None
    planned_infusions: int = 1
    criteria: tuple[Criterion, ...] = ()
    sites: tuple[SiteLease, ...] = ()
    centre: str = ""
    diseases: tuple[str, ...] = ()
    shut: bool = False
    route: str = "not_said"
    research_items: tuple[str, ...] = ()
    reviewed: datetime | None = None
    filing: str = ""
    concerns_offspring: bool = False
    number: int = 0
    places: tuple[Place, ...] = ()
    lymphodepletion: tuple[Depletion, ...] = ()
    vector_integrates: bool | None = None
    follow_up_years: int = 0
    visit_days: tuple[int, ...] = ()
    access: Access = "trial"
    monitoring: tuple[PlannedCheck, ...] = ()
    redosing: RedosingCriteria | None = None
    product_class: ProductClass = "not_said"
    depletion_planned: bool | None = None
    product: str = ""
    holds: tuple[ClinicalHold, ...] = ()
    doses: tuple[CellDose, ...] = ()
    escalates: bool = False
    seats: tuple[Seat, ...] = ()
    schema_version: ClassVar[int] = 16
    type: Literal["ProtocolStateNoted"] = "ProtocolStateNoted"


@dataclass(frozen=True, slots=True)
class LotStateNoted:
    """The lot: registered, released, quarantined, rejected or recalled; expires; units stopped; its labels' numbers."""

    stream: str
    source_version: int
    state: str
    expires: datetime | None
    stopped: tuple[str, ...] = ()
    lot_number: str = ""
    product_code: str = ""
    gtin: str = ""
    schema_version: ClassVar[int] = 3
    type: Literal["LotStateNoted"] = "LotStateNoted"


@dataclass(frozen=True, slots=True)
class CentreStateNoted:
    """The centre: whether it takes patients, where it is, in which zone it works, whom it takes and what it can do."""

    stream: str
    source_version: int
    paused: bool
    country: str
    zone: str
    accepts_international: bool | None = None
    capabilities: tuple[str, ...] = ()
    hospital_class: str | None = None
    schema_version: ClassVar[int] = 3
    type: Literal["CentreStateNoted"] = "CentreStateNoted"


@dataclass(frozen=True, slots=True)
class PersonStateNoted:
    """The owner: absent from and until, and who covers."""

    stream: str
    source_version: int
    absent_from: datetime | None
    absent_until: datetime | None
    cover: str
    type: Literal["PersonStateNoted"] = "PersonStateNoted"


@dataclass(frozen=True, slots=True)
class ProductStateNoted:
    """The product: the clinical holds that stand on it."""

    stream: str
    source_version: int
    holds: tuple[ClinicalHold, ...] = ()
    type: Literal["ProductStateNoted"] = "ProductStateNoted"


@dataclass(frozen=True, slots=True)
class MaterialStateNoted:
    """The vector lot that was given itself: recalled, or nothing said against it."""

    stream: str
    source_version: int
    state: str = ""
    type: Literal["MaterialStateNoted"] = "MaterialStateNoted"


Event = (
    MaterialStateNoted | ProductStateNoted | ProtocolStateNoted | LotStateNoted | CentreStateNoted | PersonStateNoted
)
TAKES: tuple[Takes, ...] = ()
"""No command is told here: what lots, protocols, centres and staff say is noted by itself."""

KINDS: Mapping[str, type[Any]] = {
    "protocol": ProtocolStateNoted,
    "lot": LotStateNoted,
    "product": ProductStateNoted,
    "material": MaterialStateNoted,
    "centre": CentreStateNoted,
    "person": PersonStateNoted,
}


def watched(case: Case) -> frozenset[str]:
    """Return the streams whose changes matter to this case. An infused lot matters for ever: it may be recalled."""
    infused = {i.lot for i in case.infusions if isinstance(i.lot, str)} | {i.vector for i in case.infusions}
    return frozenset(s for s in infused | (_needed(case) if case.open else set()) if s)


def _needed(case: Case) -> set[str]:
    live = [s for s in case.submissions.values() if s.state not in ("declined", "withdrawn")]
    owner = {case.owner} if case.owner.startswith("person-") else set()
    awaited = {w.protocol for w in case.waiting.values() if w.live}
    sent = {s.lot for s in case.shipments.values()}
    products = {product_of(case, s.protocol) for s in live}
    protocols = {s.protocol for s in live}
    return {s.centre for s in live} | protocols | products | awaited | {case.lot} | sent | owner


def named(command: object) -> frozenset[str]:
    """Return the streams a command names that are looked up before it is decided: nobody watches them yet."""
    if isinstance(command, ChooseCentre | ChooseExcludedCentre | WaitForPlace):
        return frozenset({command.centre, command.protocol}) - {""}
    if isinstance(command, GiveConsent) and command.recipient.startswith("centre-"):
        return frozenset({command.recipient})
    return frozenset()


def behind(known: Noted | None, version: int, state: Mapping[str, Any]) -> bool:
    """Return whether a case has yet to note a source that stands like this: it changed, or was noted half.

    What was noted before the product was is noted anew: a hold on a product reaches who knows it [governance.hold].
    """
    if known is None or known.version < version:
        return True
    return bool(state.get("product")) and "product" in known.state and not known.state["product"]


def noted(stream: str, version: int, state: Mapping[str, Any], case: str = "") -> Event:
    """Return the event that notes one source; `state` is its read model. Raises Refused(NOT_FOUND) for an unknown kind.

    Of places, waited for or in a cohort, a case notes its own only; no `case` = those of all.
    """
    kind = KINDS.get(stream.split("-", 1)[0])
    if kind is None:
        raise Refused(Reason.NOT_FOUND, f"nothing can be noted of {stream}")
    if case:
        state = {**state, **{name: tuple(one for one in state[name] if one.case == case) for name in OWN & {*state}}}
    wanted = {f: _instant(state[f]) if f in INSTANTS else state[f] for f in kind.__dataclass_fields__ if f in state}
    event: Event = kind(stream=stream, source_version=version, **wanted)
    return event


def differs(stream: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return whether what cases that watch this stream note of it has changed; of desks they note nothing."""
    return stream.split("-", 1)[0] in KINDS and noted(stream, 0, before) != noted(stream, 0, after)


OWN = frozenset({"places", "seats"})
"""What others have as well, of which a case notes its own."""
INSTANTS = ("open_until", "reviewed", "expires", "absent_from", "absent_until")


def _instant(value: object) -> object:
    """A read model keeps instants as text."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold what was noted."""
    event = fact.event
    names = (f.name for f in fields(event) if f.name not in ("stream", "source_version", "type"))
    state = {name: getattr(event, name) for name in names}
    return replace(case, sources={**case.sources, event.stream: Noted(event.source_version, state, fact.id)})

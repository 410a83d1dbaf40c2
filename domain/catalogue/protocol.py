"""A trial protocol: what it is, its version, and until when it is known to take patients [P7, doors.confirmed-open]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any, ClassVar, Literal, get_args

from domain.case.costs import LineKind
from domain.catalogue import product, review, site
from domain.catalogue.product import Access, ApprovalRecorded, Depletion, Location, RecordApproval
from domain.catalogue.review import EntryReviewed, Review, ReviewEntry
from domain.catalogue.site import ConfirmSite, Site
from domain.catalogue.waiting import waiting_list
from domain.catalogue.waiting.waiting_list import TellWaitingList, WaitingList
from domain.core.codes import MOST_DAYS
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity, readable
from domain.core.planned_check import PlannedCheck, require_kept
from domain.core.roles import Action
from domain.criteria.criterion import Criterion, require_sound
from domain.criteria.redosing import RedosingCriteria, require_askable
from domain.law import study
from domain.law.countries import ROUTES, Route, files

ProductClass = Literal["autologous", "allogeneic", "car_nk", "in_vivo", "not_said"]
ClosedBecause = Literal["cohort_full", "on_hold", "completed", "terminated", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """Says what a protocol is, as its source said on `as_of`. `centre` is a centre's stream where there is only one.

    `planned_infusions` counts those planned for everybody; `lymphodepletion_planned` None = the source does not say.
    `access`: how a patient comes to the product. `draft`: what its source asks stands there in words only, so nobody is
    sent there. `locations` and `registry_status` are a registry's word, not a centre's. `route`: the law it runs under;
    `research_items`: the lines of a price that are the research itself; `concerns_offspring`: its effects may pass on.
    `vector_integrates` None, `follow_up_years` 0 = the source does not say; `visit_days` count from the infusion,
    as do the days of `monitoring`: none = the source does not say; so `redosing`, what is asked before another dose.
    """

    registry: str
    title: str
    product: str
    product_class: ProductClass
    targets: tuple[str, ...]
    diseases: tuple[str, ...]
    phase: str = ""
    centre: str = ""
    planned_infusions: int = 1
    lymphodepletion_planned: bool | None = None
    criteria: tuple[Criterion, ...] = ()
    access: Access = "trial"
    draft: bool = False
    cell_source: str = ""
    edits: tuple[str, ...] = ()
    vector: str = ""
    lymphodepletion: tuple[Depletion, ...] = ()
    locations: tuple[Location, ...] = ()
    registry_status: str = ""
    route: Route = "not_said"
    research_items: tuple[LineKind, ...] = ()
    concerns_offspring: bool = False
    vector_integrates: bool | None = None
    follow_up_years: int = 0
    visit_days: tuple[int, ...] = ()
    monitoring: tuple[PlannedCheck, ...] = ()
    redosing: RedosingCriteria | None = None
    source: str
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterProtocol(Description):
    """Bring a protocol into the catalogue. It is not open by that."""

    type: Literal["RegisterProtocol"] = "RegisterProtocol"


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendProtocol(Description):
    """The protocol reads differently from now on; `label` is the sponsor's name for the version."""

    label: str
    change: str
    type: Literal["AmendProtocol"] = "AmendProtocol"


@dataclass(frozen=True, slots=True)
class ConfirmProtocolOpen:
    """Somebody at the centre or sponsor, named in `by`, says that it takes patients until `until`."""

    until: datetime
    by: Identity
    type: Literal["ConfirmProtocolOpen"] = "ConfirmProtocolOpen"


@dataclass(frozen=True, slots=True)
class CloseProtocol:
    """It takes no patients from now on."""

    reason: ClosedBecause
    detail: str = ""
    type: Literal["CloseProtocol"] = "CloseProtocol"


Command = (
    RegisterProtocol
    | AmendProtocol
    | ConfirmProtocolOpen
    | CloseProtocol
    | ReviewEntry
    | RecordApproval
    | site.Command
    | study.Command
    | waiting_list.Command
)

MOST_YEARS = 50
"""No protocol follows for longer."""
MOST_INFUSIONS = 100
"""No protocol plans more; a number with more figures is a slip of the pen."""
BY = {**dict.fromkeys(get_args(Command), Action.KEEP_CATALOGUE), TellWaitingList: Action.ENGINE}
"""What giving each command is called in the table of roles; who waits is told by the engine, for a case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolRegistered(Description):
    """The catalogue has this protocol, version 1."""

    schema_version: ClassVar[int] = 8
    type: Literal["ProtocolRegistered"] = "ProtocolRegistered"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolAmended(Description):
    """The protocol's next version; earlier ones stay in the stream."""

    number: int
    label: str
    change: str
    schema_version: ClassVar[int] = 8
    type: Literal["ProtocolAmended"] = "ProtocolAmended"


@dataclass(frozen=True, slots=True)
class ProtocolOpenConfirmed:
    """It takes patients until `until`, unless closed before."""

    until: datetime
    by: Identity
    type: Literal["ProtocolOpenConfirmed"] = "ProtocolOpenConfirmed"


@dataclass(frozen=True, slots=True)
class ProtocolClosed:
    """It takes no patients."""

    reason: ClosedBecause
    detail: str
    type: Literal["ProtocolClosed"] = "ProtocolClosed"


Event = (
    ProtocolRegistered
    | ProtocolAmended
    | ProtocolOpenConfirmed
    | ProtocolClosed
    | EntryReviewed
    | ApprovalRecorded
    | site.Event
    | study.Event
    | waiting_list.Event
)


@dataclass(frozen=True, slots=True)
class Protocol:
    """One protocol as folded from its facts. `number` counts its versions, 0 = not registered.

    Where there are `sites` of which somebody said how they stand, `open_until` counts for none of them.
    """

    version: int = 0
    number: int = 0
    description: Description | None = None
    open_until: datetime | None = None
    closed: ClosedBecause | None = None
    sites: tuple[Site, ...] = ()
    review: Review | None = None
    approvals: tuple[ApprovalRecorded, ...] = ()
    study: study.Study = study.NOTHING
    waiting: WaitingList = field(default_factory=WaitingList)


initial = Protocol()


def decide(protocol: Protocol, command: Command, now: datetime, ids: Ids) -> Sequence[Event]:
    """Decide a protocol command: return the events it brings about. Raises Refused."""
    registered = protocol.description is not None
    if isinstance(command, RegisterProtocol):
        require(not registered, Reason.ALREADY, "the protocol is registered; amend it instead")
        return [ProtocolRegistered(**_checked(command))]
    require(registered, Reason.NOT_FOUND, "no such protocol")
    match command:
        case AmendProtocol():
            review.require_as_of(protocol.review, command.as_of, now)
            return _amend(protocol, command)
        case ReviewEntry():
            return [review.decide(protocol.review, command, now)]
        case RecordApproval():
            return [product.decide(protocol.approvals, command, now)]
        case ConfirmProtocolOpen():
            _require_structured(protocol)
            require(command.until > now, Reason.INVALID, "that lies in the past", "until")
            require(readable(command.by), Reason.INVALID, "name who says so", "by")
            return [ProtocolOpenConfirmed(command.until, command.by)]
        case CloseProtocol():
            require(protocol.closed is None, Reason.ALREADY, "the protocol is closed")
            return [ProtocolClosed(command.reason, command.detail), *waiting_list.closed(protocol.waiting)]
        case study.RecordStudyReview() | study.RecordStudyFiling():
            return [study.decide(protocol.study, command, protocol.number, route_of(protocol), now)]
        case TellWaitingList():
            return waiting_list.told(protocol.waiting, site.leases(protocol.sites), command, now, ids)
        case _:
            return _at_site(protocol, command, now, ids)


def _at_site(protocol: Protocol, command: site.Command, now: datetime, ids: Ids) -> Sequence[Event]:
    """How it stands at a site, and what that does to those who wait for a place there."""
    if not isinstance(command, ConfirmSite):
        return site.decide(protocol.sites, command, now, closed=protocol.closed is not None)
    if command.state == "open":
        _require_structured(protocol)
    waiting_list.require_places(command.places, command.state)
    said = site.decide(protocol.sites, command, now, closed=protocol.closed is not None)
    before, sites = protocol.sites, protocol.sites
    for event in said:
        sites = site.evolve(sites, event)
    then = (site.leases(before), site.leases(sites), command.centre, command.places)
    return [*said, *waiting_list.confirmed(protocol.waiting, *then, now, ids)]


def _require_structured(protocol: Protocol) -> None:
    """Refuse to open a draft: a person first structures what its source asks [catalogue.draft]."""
    draft = protocol.description is not None and protocol.description.draft
    require(not draft, Reason.NOT_NOW, "the protocol is a draft; structure its criteria and amend it first", "type")


def _amend(protocol: Protocol, c: AmendProtocol) -> Sequence[Event]:
    described = _checked(c)
    known = protocol.description
    require(c.change, Reason.INVALID, "say what changed", "change")
    require(known is None or c.registry == known.registry, Reason.INVALID, "that is another protocol", "registry")
    return [ProtocolAmended(**described, number=protocol.number + 1, label=c.label, change=c.change)]


def _checked(c: Description) -> dict[str, Any]:
    for name in ("registry", "title", "product", "diseases", "source", *(() if c.draft else ("targets",))):
        require(getattr(c, name), Reason.INVALID, "this is never empty", name)
    require(c.planned_infusions > 0, Reason.INVALID, "at least one infusion is planned", "planned_infusions")
    require(c.planned_infusions <= MOST_INFUSIONS, Reason.INVALID, f"at most {MOST_INFUSIONS}", "planned_infusions")
    near = all(abs(day) <= MOST_DAYS for drug in c.lymphodepletion for day in drug.days)
    require(near, Reason.INVALID, "days count from the infusion, day 0; none is years away", "lymphodepletion")
    _require_follow_up(c)
    require_kept(c.monitoring)
    require_askable(c.redosing, c.targets, c.planned_infusions)
    require(not c.centre or c.centre.startswith("centre-"), Reason.INVALID, "not the id of a centre", "centre")
    fits = c.route not in ROUTES or c.access in ROUTES[c.route].access
    require(fits, Reason.INVALID, f"under that law nobody comes to a product by way of {c.access}", "route")
    require_sound(c.criteria)
    return _described(c)


def _require_follow_up(c: Description) -> None:
    """Refuse what nobody could follow: too many years, days out of order or past the end."""
    most = MOST_YEARS if c.follow_up_years == 0 else c.follow_up_years
    require(0 <= c.follow_up_years <= MOST_YEARS, Reason.INVALID, f"from 0 to {MOST_YEARS} years", "follow_up_years")
    ordered = list(c.visit_days) == sorted({day for day in c.visit_days if 0 < day <= most * 366})
    require(ordered, Reason.INVALID, "days after the infusion in order, each once, none after the end", "visit_days")


def _described(c: Description) -> dict[str, Any]:
    return {f.name: getattr(c, f.name) for f in fields(Description)}


def evolve(protocol: Protocol, fact: Fact[Event]) -> Protocol:
    """Fold one protocol event."""
    return replace(_folded(protocol, fact), version=fact.version)


def _folded(protocol: Protocol, fact: Fact[Event]) -> Protocol:
    event = fact.event
    match event:
        case ProtocolRegistered() | ProtocolAmended():
            number = event.number if isinstance(event, ProtocolAmended) else 1
            seen = Review(event.source, event.as_of, fact.actor)
            return replace(protocol, description=Description(**_described(event)), number=number, review=seen)
        case EntryReviewed():
            return replace(protocol, review=Review(event.source, event.as_of, fact.actor))
        case ApprovalRecorded():
            return replace(protocol, approvals=(*protocol.approvals, event))
        case ProtocolOpenConfirmed():
            return replace(protocol, open_until=event.until, closed=None)
        case ProtocolClosed():
            sites = site.all_closed(protocol.sites, fact.at.date())
            return replace(protocol, open_until=None, closed=event.reason, sites=sites)
        case study.StudyReviewPassed() | study.StudyFiled():
            return replace(protocol, study=study.evolve(protocol.study, event))
        case site.SiteConfirmed() | site.InvestigatorNamed():
            return replace(protocol, sites=site.evolve(protocol.sites, event))
        case _:
            return replace(protocol, waiting=waiting_list.evolve(protocol.waiting, event))


def read_model(protocol: Protocol) -> Mapping[str, Any]:
    """Return what cases note of it: never confirmed or closed = not open; open ends by itself at `open_until`."""
    return {
        "open": protocol.open_until is not None,
        "open_until": protocol.open_until,
        "planned_infusions": protocol.description.planned_infusions if protocol.description else 1,
        "number": protocol.number,
        **_asked(protocol.description),
        **_by_days(protocol.description),
        **_followed(protocol.description),
        **_sites(protocol),
        **_for_whom(protocol),
        **_under(protocol),
        **_places(protocol),
    }


def route_of(protocol: Protocol) -> Route:
    """Return under which law the protocol runs."""
    return protocol.description.route if protocol.description else "not_said"


def _under(protocol: Protocol) -> Mapping[str, Any]:
    """Under which law it runs, what of it is research, and how its filing stands; left out where nothing is said."""
    told = protocol.description
    if told is None or told.route == "not_said":
        return {}
    said: dict[str, Any] = {"route": told.route, "research_items": told.research_items}
    said["concerns_offspring"] = told.concerns_offspring
    if files(told.route):
        said |= {"reviewed": protocol.study.reviewed(protocol.number), "filing": protocol.study.number(protocol.number)}
    return {name: value for name, value in said.items() if value}


def _places(protocol: Protocol) -> Mapping[str, Any]:
    """The places that are offered to cases or taken by them; left out where there is none, as in rows of before."""
    known = protocol.waiting.of_cases()
    return {"places": known} if known else {}


def _asked(description: Description | None) -> Mapping[str, Any]:
    """The criteria, where there are any: rows written before there could be are still as they should be."""
    return {"criteria": description.criteria} if description and description.criteria else {}


def _by_days(description: Description | None) -> Mapping[str, Any]:
    """The drugs of lymphodepletion of which the source names the days; left out where there are none."""
    planned = tuple(drug for drug in (description.lymphodepletion if description else ()) if drug.days)
    return {"lymphodepletion": planned} if planned else {}


def _followed(told: Description | None) -> Mapping[str, Any]:
    """What is said of follow-up; left out where nothing is, as in rows of before."""
    if told is None:
        return {}
    said: dict[str, Any] = {
        "follow_up_years": told.follow_up_years,
        "visit_days": told.visit_days,
        "monitoring": told.monitoring,
    }
    if told.redosing:
        said["redosing"] = told.redosing
    found: dict[str, Any] = {name: value for name, value in said.items() if value}
    return found if told.vector_integrates is None else {**found, "vector_integrates": told.vector_integrates}


def _for_whom(protocol: Protocol) -> Mapping[str, Any]:
    """The diseases, the only centre, how one comes to it where that is no trial, and whether nobody can be sent there.

    Left out where nothing is said.
    """
    told = protocol.description
    shut = protocol.closed is not None or (told is not None and told.draft)
    said = {"centre": told.centre if told else "", "diseases": told.diseases if told else (), "shut": shut}
    access = {"access": told.access} if told and told.access != "trial" else {}
    return access | {name: value for name, value in said.items() if value}


def _sites(protocol: Protocol) -> Mapping[str, Any]:
    """How it stands at each centre of which somebody said so; left out where there is none, as in rows of before."""
    known = site.leases(protocol.sites)
    return {"sites": known} if known else {}

"""A trial protocol: what it is, its version, and until when it is known to take patients [P7, doors.confirmed-open]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar, Literal, get_args

from domain.catalogue import product, review, site
from domain.catalogue.product import ApprovalRecorded, RecordApproval
from domain.catalogue.protocols import cohorts, enrolling
from domain.catalogue.protocols.cohorts import Cohorts
from domain.catalogue.protocols.description import Description, checked, described, noted_of
from domain.catalogue.protocols.escalation import Escalation
from domain.catalogue.protocols.seats import seats
from domain.catalogue.review import EntryReviewed, Review, ReviewEntry
from domain.catalogue.site import ConfirmSite, Site, SiteLease
from domain.catalogue.waiting import waiting_list
from domain.catalogue.waiting.waiting_list import TellWaitingList, WaitingList
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity, readable
from domain.core.roles import Action
from domain.law import clinical_holds, study
from domain.law.clinical_holds import ClinicalHold
from domain.law.countries import Route, files

ClosedBecause = Literal["cohort_full", "on_hold", "completed", "terminated", "other"]


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
    | clinical_holds.Command
    | cohorts.Command
)

KEPT = {**dict.fromkeys(get_args(Command), Action.KEEP_CATALOGUE), TellWaitingList: Action.ENGINE}
BY = {**KEPT, **clinical_holds.BY, **cohorts.BY}
"""What giving each command is called in the table of roles; who waits is told by the engine, for a case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolRegistered(Description):
    """The catalogue has this protocol, version 1."""

    schema_version: ClassVar[int] = 10
    type: Literal["ProtocolRegistered"] = "ProtocolRegistered"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolAmended(Description):
    """The protocol's next version; earlier ones stay in the stream."""

    number: int
    label: str
    change: str
    schema_version: ClassVar[int] = 10
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
    | clinical_holds.Event
    | cohorts.Event
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
    holds: tuple[ClinicalHold, ...] = ()
    cohorts: Cohorts = cohorts.NOTHING

    @property
    def escalation(self) -> Escalation | None:
        """Return its dose levels; None where it has none, or its source does not say."""
        return self.description.escalation if self.description else None


initial = Protocol()


def decide(protocol: Protocol, command: Command, now: datetime, ids: Ids) -> Sequence[Event]:
    """Decide a protocol command: return the events it brings about. Raises Refused."""
    registered = protocol.description is not None
    if isinstance(command, RegisterProtocol):
        require(not registered, Reason.ALREADY, "the protocol is registered; amend it instead")
        return [ProtocolRegistered(**checked(command))]
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
            return waiting_list.told(protocol.waiting, _taking(protocol), command, now, ids)
        case _ if isinstance(command, clinical_holds.Command):
            return _held(protocol, command, now, ids)
        case _ if isinstance(command, cohorts.Command):
            return enrolling.decide(protocol.cohorts, protocol.escalation, command, now)
        case _:
            return _at_site(protocol, command, now, ids)


def _taking(protocol: Protocol) -> Sequence[SiteLease]:
    """Return the sites that may be offered: none while the protocol is on hold."""
    return () if clinical_holds.in_force(protocol.holds) else site.leases(protocol.sites)


def _held(protocol: Protocol, command: clinical_holds.Command, now: datetime, ids: Ids) -> Sequence[Event]:
    """A hold, or its end: then the places that are free meanwhile are offered."""
    told = clinical_holds.decide(protocol.holds, command, now)
    after = replace(protocol, holds=clinical_holds.evolve(protocol.holds, told))
    goes_on = isinstance(told, clinical_holds.ClinicalHoldLifted)
    return [told, *(waiting_list.reopened(protocol.waiting, _taking(after), now, ids) if goes_on else ())]


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
    still = bool(clinical_holds.in_force(protocol.holds))
    then = (site.leases(before), site.leases(sites), command.centre, command.places)
    return [*said, *waiting_list.confirmed(protocol.waiting, *then, now, ids, still=still)]


def _require_structured(protocol: Protocol) -> None:
    """Refuse to open a draft: a person first structures what its source asks [catalogue.draft]."""
    draft = protocol.description is not None and protocol.description.draft
    require(not draft, Reason.NOT_NOW, "the protocol is a draft; structure its criteria and amend it first", "type")


def _amend(protocol: Protocol, c: AmendProtocol) -> Sequence[Event]:
    """The next version, and what becomes of the places in cohorts where dose levels changed."""
    told = checked(c)
    known = protocol.description
    require(c.change, Reason.INVALID, "say what changed", "change")
    require(known is None or c.registry == known.registry, Reason.INVALID, "that is another protocol", "registry")
    amended = ProtocolAmended(**told, number=protocol.number + 1, label=c.label, change=c.change)
    return [amended, *enrolling.amended(protocol.cohorts, amended.escalation)]


def evolve(protocol: Protocol, fact: Fact[Event]) -> Protocol:
    """Fold one protocol event."""
    return replace(_folded(protocol, fact), version=fact.version)


def _folded(protocol: Protocol, fact: Fact[Event]) -> Protocol:
    event = fact.event
    match event:
        case ProtocolRegistered() | ProtocolAmended():
            number = event.number if isinstance(event, ProtocolAmended) else 1
            seen = Review(event.source, event.as_of, fact.actor)
            return replace(protocol, description=Description(**described(event)), number=number, review=seen)
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
        case _ if isinstance(event, clinical_holds.Event):
            return replace(protocol, holds=clinical_holds.evolve(protocol.holds, event))
        case _ if isinstance(event, cohorts.Event):
            return replace(protocol, cohorts=cohorts.evolve(protocol.cohorts, event))
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
        **noted_of(protocol.description),
        **_sites(protocol),
        **_for_whom(protocol),
        **_under(protocol),
        **_places(protocol),
        **clinical_holds.noted_of(protocol.holds),
        **_cohorts(protocol),
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


def _cohorts(protocol: Protocol) -> Mapping[str, Any]:
    """That it has dose levels, and how each case stands in its cohorts; left out where there are none."""
    known = seats(protocol.cohorts, protocol.escalation)
    return {**({"escalates": True} if protocol.escalation else {}), **({"seats": known} if known else {})}


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

"""A treating centre: where it is, what it can do, how it is reached, and whether it takes patients [doors.centres]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, ClassVar, Literal

from domain.catalogue import four_eyes, review
from domain.catalogue.around import Around
from domain.catalogue.callback_key import canonical
from domain.catalogue.endpoint import Allowed, require_endpoint
from domain.catalogue.four_eyes import NOTHING, FourEyes
from domain.catalogue.review import EntryReviewed, Review, ReviewEntry
from domain.core.codes import require_country, require_mail, require_zone
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.roles import Action
from domain.law.countries import HospitalClass

Capability = Literal["cell_therapy", "transplant", "paediatric"]
Handing = Literal["address", "binary"]
"""How an interface gets the documents of a dossier: it fetches them, or they are uploaded to it [doors.documents]."""


@dataclass(frozen=True, slots=True)
class RegisterCentre:
    """Bring a centre into the catalogue. `country` ISO 3166 alpha-2, `zone` IANA, `languages` BCP 47.

    `endpoint` is its FHIR base address, empty = reached by `mail`; `callback_key` (Ed25519; PEM, JWK, base64) checks
    its callbacks. How it is reached counts once another person confirms it. `hospital_class`: as its country classes
    it, None = not known.
    """

    name: str
    city: str
    country: str
    zone: str
    languages: tuple[str, ...]
    accepts_international: bool | None
    capabilities: tuple[Capability, ...]
    source: str
    as_of: date
    endpoint: str = ""
    mail: str = ""
    callback_key: str = ""
    hospital_class: HospitalClass | None = None
    type: Literal["RegisterCentre"] = "RegisterCentre"


@dataclass(frozen=True, slots=True)
class AmendCentre:
    """The centre is another than the catalogue says, as its source says on `as_of`; how it is reached stays."""

    name: str
    city: str
    country: str
    zone: str
    languages: tuple[str, ...]
    accepts_international: bool | None
    capabilities: tuple[Capability, ...]
    source: str
    as_of: date
    change: str
    hospital_class: HospitalClass | None = None
    type: Literal["AmendCentre"] = "AmendCentre"


@dataclass(frozen=True, slots=True)
class PauseCentre:
    """It takes no patients at present; nothing new is sent there."""

    reason: str
    type: Literal["PauseCentre"] = "PauseCentre"


@dataclass(frozen=True, slots=True)
class ResumeCentre:
    """It takes patients again."""

    type: Literal["ResumeCentre"] = "ResumeCentre"


@dataclass(frozen=True, slots=True)
class ChangeEndpoint:
    """Change how a centre is reached, once another person confirms it; every field replaces what was there.

    `documents`: its interface fetches those of a dossier at addresses of ours, or they are uploaded to it.
    """

    endpoint: str
    mail: str
    callback_key: str
    documents: Handing = "address"
    type: Literal["ChangeEndpoint"] = "ChangeEndpoint"


Command = RegisterCentre | AmendCentre | ReviewEntry | PauseCentre | ResumeCentre | ChangeEndpoint | four_eyes.Command

OWN = (RegisterCentre, AmendCentre, ReviewEntry, PauseCentre, ResumeCentre, ChangeEndpoint)
BY: Mapping[type[Any], Action] = {**dict.fromkeys(OWN, Action.KEEP_CATALOGUE), **four_eyes.BY}
"""What giving each command is called in the table of roles."""


@dataclass(frozen=True, slots=True)
class CentreRegistered:
    """The catalogue has this centre, as its source said on `as_of`."""

    name: str
    city: str
    country: str
    zone: str
    languages: tuple[str, ...]
    accepts_international: bool | None
    capabilities: tuple[Capability, ...]
    source: str
    as_of: date
    endpoint: str
    mail: str
    callback_key: str
    hospital_class: HospitalClass | None = None
    schema_version: ClassVar[int] = 2
    type: Literal["CentreRegistered"] = "CentreRegistered"


@dataclass(frozen=True, slots=True)
class CentreAmended:
    """The catalogue describes this centre otherwise from now on; what it said before stays in the stream."""

    name: str
    city: str
    country: str
    zone: str
    languages: tuple[str, ...]
    accepts_international: bool | None
    capabilities: tuple[Capability, ...]
    source: str
    as_of: date
    change: str
    hospital_class: HospitalClass | None = None
    schema_version: ClassVar[int] = 2
    type: Literal["CentreAmended"] = "CentreAmended"


@dataclass(frozen=True, slots=True)
class CentrePaused:
    """It takes no patients at present."""

    reason: str
    type: Literal["CentrePaused"] = "CentrePaused"


@dataclass(frozen=True, slots=True)
class CentreResumed:
    """It takes patients again."""

    type: Literal["CentreResumed"] = "CentreResumed"


@dataclass(frozen=True, slots=True)
class EndpointChanged:
    """It is reached differently from now on."""

    endpoint: str
    mail: str
    callback_key: str
    documents: Handing = "address"
    schema_version: ClassVar[int] = 2
    type: Literal["EndpointChanged"] = "EndpointChanged"


@dataclass(frozen=True, slots=True)
class EndpointProposed:
    """It shall be reached differently, once another person confirms it before the proposal lapses."""

    proposal: str
    endpoint: str
    mail: str
    callback_key: str
    until: datetime
    documents: Handing = "address"
    schema_version: ClassVar[int] = 2
    type: Literal["EndpointProposed"] = "EndpointProposed"


Own = CentreRegistered | CentreAmended | EntryReviewed | CentrePaused | CentreResumed
Event = Own | EndpointProposed | EndpointChanged | four_eyes.Event


@dataclass(frozen=True, slots=True)
class Centre:
    """One centre as folded from its facts; empty `name` = not registered."""

    version: int = 0
    name: str = ""
    city: str = ""
    country: str = ""
    zone: str = "UTC"
    languages: tuple[str, ...] = ()
    accepts_international: bool | None = None
    capabilities: tuple[Capability, ...] = ()
    endpoint: str = ""
    mail: str = ""
    callback_key: str = ""
    hospital_class: HospitalClass | None = None
    documents: Handing = "address"
    paused: str = ""
    eyes: FourEyes = NOTHING
    review: Review | None = None


initial = Centre()


def decide(centre: Centre, command: Command, now: datetime, ids: Ids, around: Around) -> Sequence[Event]:
    """Decide a centre command: return the events it brings about. Raises Refused."""
    if isinstance(command, RegisterCentre):
        return _registered(centre, command, now, ids, around)
    require(centre.name, Reason.NOT_FOUND, "no such centre")
    match command:
        case AmendCentre():
            return [_amended(centre, command, now)]
        case ReviewEntry():
            return [review.decide(centre.review, command, now)]
        case PauseCentre():
            require(not centre.paused, Reason.ALREADY, "the centre is paused")
            require(command.reason, Reason.INVALID, "a pause has a reason", "reason")
            return [CentrePaused(command.reason)]
        case ResumeCentre():
            require(centre.paused, Reason.ALREADY, "the centre is not paused")
            return [CentreResumed()]
        case ChangeEndpoint():
            key = _reachable(command, around.allowed)
            change = EndpointChanged(command.endpoint, command.mail, key, command.documents)
            require(change != _reached(centre), Reason.ALREADY, "the centre is reached like that", "endpoint")
            return _told(centre, change, now, ids, around)
        case _:
            return four_eyes.decide(centre.eyes, command, lambda change: _tell(centre, change), around, now)


def _registered(centre: Centre, c: RegisterCentre, now: datetime, ids: Ids, around: Around) -> Sequence[Event]:
    require(not centre.name, Reason.ALREADY, "the centre is registered")
    _require_described(c)
    key = _reachable(c, around.allowed)
    told = _told(Centre(), EndpointChanged(c.endpoint, c.mail, key), now, ids, around)
    reached = told[0] if isinstance(told[0], EndpointChanged) else UNREACHED
    registered = CentreRegistered(
        c.name, c.city, c.country, c.zone, c.languages, c.accepts_international, c.capabilities,
        c.source, c.as_of, reached.endpoint, reached.mail, reached.callback_key, c.hospital_class,
    )  # fmt: skip
    return [registered] if told[0] is reached else [registered, *told]


def _require_described(c: RegisterCentre | AmendCentre) -> None:
    for name in ("name", "city", "languages", "source"):
        require(getattr(c, name), Reason.INVALID, "this is never empty", name)
    require_country(c.country)
    require_zone(c.zone)
    require("cell_therapy" in c.capabilities, Reason.INVALID, "not every hospital treats with cells", "capabilities")


def _amended(centre: Centre, c: AmendCentre, now: datetime) -> CentreAmended:
    _require_described(c)
    require(c.change, Reason.INVALID, "say what changed", "change")
    review.require_as_of(centre.review, c.as_of, now)
    return CentreAmended(
        c.name, c.city, c.country, c.zone, c.languages, c.accepts_international, c.capabilities,
        c.source, c.as_of, c.change, c.hospital_class,
    )  # fmt: skip


def _told(centre: Centre, change: EndpointChanged, now: datetime, ids: Ids, around: Around) -> Sequence[Event]:
    """The change itself while nobody can be asked, else its proposal; nothing to reach needs no second person."""

    def propose(proposal: str, until: datetime) -> EndpointProposed:
        return EndpointProposed(
            proposal, change.endpoint, change.mail, change.callback_key, until, change.documents
        )  # fmt: skip

    if change == UNREACHED == _reached(centre):
        return [change]
    return four_eyes.told(centre.eyes, change, propose, _tell(centre, change), around, now, ids)


def _tell(centre: Centre, change: EndpointChanged) -> four_eyes.Told:
    said = four_eyes.from_to(
        ("FHIR", centre.endpoint, change.endpoint),
        ("@", centre.mail, change.mail),
        ("Ed25519", centre.callback_key, change.callback_key),
        *((("DocumentReference", centre.documents, change.documents),) if change.documents != centre.documents else ()),
    )
    return four_eyes.Told(said, centre.mail)


def _reached(centre: Centre) -> EndpointChanged:
    """How it is reached now, as the event that says so."""
    return EndpointChanged(centre.endpoint, centre.mail, centre.callback_key, centre.documents)


UNREACHED = EndpointChanged("", "", "")


def _reachable(c: RegisterCentre | ChangeEndpoint, allowed: Allowed) -> str:
    """The key as it is kept, once all three are known to be usable."""
    require_mail(c.mail)
    if c.endpoint:
        require_endpoint(c.endpoint, allowed)
    uploaded = isinstance(c, ChangeEndpoint) and c.documents == "binary"
    require(c.endpoint or not uploaded, Reason.INVALID, "without an endpoint nothing can be uploaded", "documents")
    needed = not c.endpoint or c.callback_key
    require(needed, Reason.INVALID, "answers over an endpoint need a key to be checked with", "callback_key")
    return canonical(c.callback_key) if c.callback_key else ""


def evolve(centre: Centre, fact: Fact[Event]) -> Centre:
    """Fold one centre event."""
    return replace(_folded(centre, fact), version=fact.version)


def _folded(centre: Centre, fact: Fact[Event]) -> Centre:
    event = fact.event
    match event:
        case CentreRegistered():
            e = event
            return Centre(
                0, e.name, e.city, e.country, e.zone, e.languages, e.accepts_international, e.capabilities,
                e.endpoint, e.mail, e.callback_key, e.hospital_class, review=Review(e.source, e.as_of, fact.actor),
            )  # fmt: skip
        case CentreAmended():
            return replace(
                centre, name=event.name, city=event.city, country=event.country, zone=event.zone,
                languages=event.languages,
                accepts_international=event.accepts_international, capabilities=event.capabilities,
                hospital_class=event.hospital_class, review=Review(event.source, event.as_of, fact.actor),
            )  # fmt: skip
        case EntryReviewed():
            return replace(centre, review=Review(event.source, event.as_of, fact.actor))
        case CentrePaused():
            return replace(centre, paused=event.reason)
        case CentreResumed():
            return replace(centre, paused="")
        case EndpointProposed():
            change = EndpointChanged(event.endpoint, event.mail, event.callback_key, event.documents)
            return replace(centre, eyes=four_eyes.proposed(centre.eyes, fact, change))  # type: ignore[arg-type] # its event
        case EndpointChanged():
            return replace(
                centre, endpoint=event.endpoint, mail=event.mail, callback_key=event.callback_key,
                documents=event.documents,
            )  # fmt: skip
        case _:
            eyes = four_eyes.evolve(centre.eyes, fact, lambda: _reached(centre))  # type: ignore[arg-type] # its event
            return replace(centre, eyes=eyes)


def read_model(centre: Centre) -> Mapping[str, Any]:
    """Return what cases note of it."""
    noted: dict[str, Any] = {"paused": bool(centre.paused), "country": centre.country, "zone": centre.zone}
    noted |= {"accepts_international": centre.accepts_international, "capabilities": centre.capabilities}
    noted |= {"hospital_class": centre.hospital_class} if centre.hospital_class else {}
    return {**noted, **four_eyes.read_model(centre.eyes)}

"""Sites: each centre that runs a protocol, whether it takes patients, and until when that counts [doors.sites]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, ClassVar, Literal, assert_never

from domain.core.codes import require_day_come, require_days, require_mail
from domain.core.errors import Reason, require
from domain.core.personal import Identity, readable

SiteState = Literal["open", "paused", "full", "closed"]


@dataclass(frozen=True, slots=True)
class ConfirmSite:
    """Somebody at the centre or sponsor, named in `by`, says how the protocol stands there; it counts until `until`.

    `since` None = from today on. Once a protocol has sites, only theirs count: a centre that is none has no open door.
    `places` are free there now, None = they do not say: those who wait are offered them.
    """

    centre: str
    state: SiteState
    until: datetime
    by: Identity
    since: date | None = None
    places: int | None = None
    type: Literal["ConfirmSite"] = "ConfirmSite"


@dataclass(frozen=True, slots=True)
class NameInvestigator:
    """Name who answers for the protocol at a site; `answers_within` counts working days, 0 = not said."""

    centre: str
    name: Identity
    mail: Identity
    answers_within: int = 0
    type: Literal["NameInvestigator"] = "NameInvestigator"


Command = ConfirmSite | NameInvestigator


@dataclass(frozen=True, slots=True)
class SiteConfirmed:
    """The protocol stands like that at this centre, as somebody there said; what was said counts until `until`."""

    centre: str
    state: SiteState
    since: date
    until: datetime
    by: Identity
    places: int | None = None
    schema_version: ClassVar[int] = 2
    type: Literal["SiteConfirmed"] = "SiteConfirmed"


@dataclass(frozen=True, slots=True)
class InvestigatorNamed:
    """This person answers for the protocol at the site."""

    centre: str
    name: Identity
    mail: Identity
    answers_within: int
    type: Literal["InvestigatorNamed"] = "InvestigatorNamed"


Event = SiteConfirmed | InvestigatorNamed


@dataclass(frozen=True, slots=True)
class SiteLease:
    """Says how a protocol stands at a centre, and until when somebody's word for it counts: what cases note."""

    centre: str
    state: SiteState
    since: date
    until: datetime

    def open_at(self, now: datetime) -> bool:
        """Return whether it is known to take patients at that instant."""
        return self.state == "open" and now < self.until

    def stale_at(self, now: datetime) -> bool:
        """Return whether nobody's word for how it stands counts any more at that instant."""
        return now >= self.until


@dataclass(frozen=True, slots=True)
class Site:
    """One site as folded: `lease` None = an investigator was named before anybody said how it stands."""

    centre: str
    lease: SiteLease | None = None
    confirmed_by: Identity = ""
    investigator: Identity = ""
    mail: Identity = ""
    answers_within: int = 0


def site_of(row: Mapping[str, Any]) -> SiteLease:
    """Return the lease that a JSON object says, as a read model keeps it."""
    since, until = date.fromisoformat(row["since"]), datetime.fromisoformat(row["until"])
    return SiteLease(row["centre"], row["state"], since, until)


def decide(sites: Sequence[Site], command: Command, now: datetime, *, closed: bool) -> Sequence[Event]:
    """Decide a command about a site; `closed`: the protocol is, everywhere. Raises Refused."""
    require(command.centre.startswith("centre-"), Reason.INVALID, "not the id of a centre", "centre")
    match command:
        case ConfirmSite():
            return [_confirmed(command, now, closed=closed)]
        case NameInvestigator():
            require(readable(command.name), Reason.INVALID, "an investigator has a name", "name")
            require(readable(command.mail), Reason.INVALID, "an investigator is reached by mail", "mail")
            require_mail(str(command.mail))
            require(
                command.answers_within >= 0, Reason.INVALID, "a number of working days, 0 = not said", "answers_within"
            )
            require_days(command.answers_within, "answers_within")
            return [InvestigatorNamed(command.centre, command.name, command.mail, command.answers_within)]
        case _:
            assert_never(command)


def _confirmed(c: ConfirmSite, now: datetime, *, closed: bool) -> SiteConfirmed:
    since = c.since or now.date()
    require(c.until > now, Reason.INVALID, "that lies in the past", "until")
    require_day_come(since, now, "since")
    require(readable(c.by), Reason.INVALID, "name who says so", "by")
    shut = closed and c.state == "open"
    require(not shut, Reason.NOT_NOW, "the protocol is closed everywhere; confirm it open first", "state")
    return SiteConfirmed(c.centre, c.state, since, c.until, c.by, c.places)


def evolve(sites: Sequence[Site], event: Event) -> tuple[Site, ...]:
    """Fold one event about a site; a site stays where it was in the list."""
    known = next((site for site in sites if site.centre == event.centre), Site(event.centre))
    match event:
        case SiteConfirmed():
            lease = SiteLease(event.centre, event.state, event.since, event.until)
            new = replace(known, lease=lease, confirmed_by=event.by)
        case InvestigatorNamed():
            new = replace(known, investigator=event.name, mail=event.mail, answers_within=event.answers_within)
        case _:
            assert_never(event)
    others = [site for site in sites if site.centre != event.centre]
    at = next((n for n, site in enumerate(sites) if site.centre == event.centre), len(sites))
    return (*others[:at], new, *others[at:])


def all_closed(sites: Sequence[Site], since: date) -> tuple[Site, ...]:
    """Close every site that is not closed, as a protocol that closes everywhere does."""
    return tuple(
        replace(site, lease=replace(site.lease, state="closed", since=since))
        if site.lease and site.lease.state != "closed"
        else site
        for site in sites
    )


def leases(sites: Sequence[Site]) -> tuple[SiteLease, ...]:
    """Return how each site stands of which somebody said so, by centre."""
    return tuple(sorted((site.lease for site in sites if site.lease), key=lambda lease: lease.centre))


def until_open(sites: Sequence[SiteLease], centre: str) -> datetime | None:
    """Return until when a centre is known to take patients under the protocol of these sites; None = it is not."""
    found = next((site for site in sites if site.centre == centre), None)
    return found.until if found and found.state == "open" else None

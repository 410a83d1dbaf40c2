"""Shows protocols and centres: what they are, how they stand where, how old that is, who answers there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from secrets import token_hex
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from api.console.pages.doses.cohort_lines import cohort_lines
from api.console.session import CSRF, Viewer, Visitor, directory_of, require_csrf
from api.console.text.texts import Texts
from api.console.text.times import ViewerClock
from api.console.ways import list_lines
from api.console.web import page, pages, seen
from api.http.access import require_command, stream_meant
from api.http.auth import Parts
from api.http.command_json import CATALOGUE as COMMANDS
from api.http.form_json import read_form
from api.http.limits import read_body
from api.http.masking import Sees
from api.ports import Service
from api.routes.register.entries import carried_out, request_of, visible_to
from api.routes.register.reviews import listed, reviewed, shelf_of
from api.routes.register.rules import rules_told
from domain.case.costs import KINDS
from domain.catalogue.product import in_force
from domain.catalogue.protocol import Protocol, ProtocolAmended, ProtocolRegistered
from domain.catalogue.protocols.classes import CLASSES
from domain.catalogue.site import Site
from domain.catalogue.waiting.waiting_list import MOST_PLACES
from domain.core.errors import Reason, Refused, require
from domain.core.personal import Unread
from domain.core.roles import Action
from domain.law.countries import files, never_charged, rules_of
from domain.roles import allow

router = pages()
PAGE = 50
STATES = ("open", "paused", "full", "closed")


@dataclass(frozen=True, slots=True)
class SiteLine:
    """One site as a page shows it. `stale`: nobody's word for how it stands counts any more."""

    centre: str
    state: str
    stale: bool
    since: str
    until: str
    by: str
    investigator: str
    mail: str
    answers_within: int


@router.get("/console/protocols")
async def protocols(request: Request, service: Parts, viewer: Viewer, after: str = "") -> Response:
    """List protocols, with how each stands at its centres and whether the entry is stale."""
    return await _listed(request, service, viewer, "protocol", after)


@router.get("/console/centres")
async def centres(request: Request, service: Parts, viewer: Viewer, after: str = "") -> Response:
    """List centres, with what each can do and whether the entry is stale."""
    return await _listed(request, service, viewer, "centre", after)


async def _listed(request: Request, service: Service, viewer: Visitor, prefix: str, after: str) -> Response:
    _require_sees(viewer)
    clock = ViewerClock(service.clock(), viewer.zone, viewer.t)
    rows = await listed(shelf_of(service), prefix, after, PAGE + 1)
    names = await directory_of(request).labels(service, viewer.who)
    return page(
        request,
        f"{prefix}s.html",
        viewer,
        clock=clock,
        rows=[_row(row, clock, names) for row in rows[:PAGE]],
        more=rows[PAGE - 1]["id"] if len(rows) > PAGE else "",
        after=after,
    )


def _row(row: Mapping[str, Any], clock: ViewerClock, names: Mapping[str, str]) -> Mapping[str, Any]:
    sites = [
        {**site, "name": names.get(site["centre"], site["centre"]), "stale": _past(site["until"], clock.now)}
        for site in row.get("sites", ())
    ]
    until = row.get("open_until")
    stands = "open" if until and not _past(until, clock.now) else "not_known"
    as_of = clock.day(date.fromisoformat(row["as_of"])) if row.get("as_of") else ""
    return {**row, "sites": sites, "stands": stands, "as_of": as_of, "by": names.get(row.get("reviewed_by", ""), "")}


def _past(until: str, now: datetime) -> bool:
    return datetime.fromisoformat(until) <= now


@router.get("/console/rules")
async def rules(request: Request, viewer: Viewer) -> Response:
    """List the rules of countries, each with its source and with what is done about it."""
    _require_sees(viewer)
    return page(request, "rules.html", viewer, rules=rules_told())


@router.get("/console/protocols/{entry}")
async def protocol(request: Request, entry: str, service: Parts, viewer: Viewer) -> Response:
    """Show one protocol: criteria, sites, versions, approvals, and how old all that is."""
    _require_sees(viewer)
    found = await service.commands.entry(stream_meant(entry, "protocol"))
    state: Protocol = found.state
    description, seen_by = state.description, state.review
    if description is None or seen_by is None:
        raise Refused(Reason.NOT_FOUND, "no such protocol")
    clock = ViewerClock(found.now, viewer.zone, viewer.t)
    names = await directory_of(request).labels(service, viewer.who)
    age = reviewed(seen_by, "protocol", service.commands.policy, found.now)
    return page(
        request,
        "protocol.html",
        viewer,
        clock=clock,
        id=found.stream,
        protocol=state,
        described=description,
        by_class=CLASSES[description.product_class],
        open_now=state.open_until is not None and found.now < state.open_until,
        as_of=clock.day(seen_by.as_of),
        by=names.get(seen_by.by, seen_by.by),
        stale=age["stale"],
        due=clock.day(date.fromisoformat(age["review_due"][:10])),
        cohorts=cohort_lines(state, clock),
        coordinates=allow(viewer.who, Action.COORDINATE),
        queue=list_lines(state, clock, names),
        sites=_sites(state.sites, clock, names, visible_to(viewer.who, "protocol")),
        versions=_versions(found.facts, clock, names),
        rules=rules_of(description.route),
        study=_study(state, clock),
        free=[one for one in KINDS if one in never_charged(description.route, description.research_items)],
        approvals=[(one, clock.day(one.decided)) for one in in_force(state.approvals)],
        cases=await service.registers.watching(found.stream) if allow(viewer.who, Action.COORDINATE) else (),
        keeps=allow(viewer.who, Action.KEEP_CATALOGUE),
        governs=allow(viewer.who, Action.GOVERN),
        lifts=allow(viewer.who, Action.RELEASE_LOT),
        centres=[(stream, name) for stream, name in names.items() if stream.startswith("centre-")],
        states=STATES,
        nonce=token_hex(8),
        latest=(found.now + timedelta(days=28)).date().isoformat(),
    )


def _study(state: Protocol, clock: ViewerClock) -> Mapping[str, str] | None:
    """How review and filing of the study stand as it reads now; None where its route asks for none."""
    if state.description is None or not files(state.description.route):
        return None
    passed = state.study.reviewed(state.number)
    return {"reviewed": clock.day(passed.date()) if passed else "", "filing": state.study.number(state.number)}


def _sites(sites: Sequence[Site], clock: ViewerClock, names: Mapping[str, str], visible: Sees) -> Sequence[SiteLine]:
    def told(value: str | Unread) -> str:
        if isinstance(value, Unread):
            return clock.t(f"case.{value.value}")
        return value if "identity" in visible or not value else clock.t("case.masked")

    def line(site: Site) -> SiteLine:
        lease = site.lease
        return SiteLine(
            names.get(site.centre, site.centre),
            lease.state if lease else "not_known",
            lease is None or lease.stale_at(clock.now),
            clock.day(lease.since) if lease else "",
            clock.instant(lease.until) if lease else "",
            told(site.confirmed_by),
            told(site.investigator),
            told(site.mail),
            site.answers_within,
        )

    return [line(site) for site in sites]


def _versions(facts: Sequence[Any], clock: ViewerClock, names: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
    """Every version that was described, the newest first."""
    told = [fact for fact in facts if isinstance(fact.event, ProtocolRegistered | ProtocolAmended)]
    return [
        {
            "number": str(getattr(fact.event, "number", 1)),
            "label": getattr(fact.event, "label", ""),
            "change": getattr(fact.event, "change", ""),
            "as_of": clock.day(fact.event.as_of),
            "at": clock.instant(fact.at),
            "by": names.get(fact.actor, fact.actor),
        }
        for fact in reversed(told)
    ]


@router.post("/console/protocols/{entry}/sites")
async def confirm_site(request: Request, entry: str, service: Parts, viewer: Viewer) -> Response:
    """Record how the protocol stands at a centre, as somebody there said; the page shows it then."""
    given = dict(read_form(await read_body(request)))
    require_csrf(request, given.get(CSRF, ""))
    stream = stream_meant(entry, "protocol")
    said: dict[str, Any] = {name: given.get(name, "") for name in ("centre", "state", "by")}
    said |= {"type": "ConfirmSite", "until": _end_of(given.get("until", ""), viewer.t)}
    said |= {"places": _number(places, viewer.t)} if (places := given.get("places", "").strip()) else {}
    command = COMMANDS.parse(said, viewer.who.id, only=("ConfirmSite",))
    require_command(viewer.who, command.type)
    sent = request_of(service, viewer.who, f"site/{given.get('nonce', '')}", stream, command, about=stream)
    await carried_out(request, service, sent)
    return seen(f"/console/protocols/{stream}")


def _number(text: str, t: Texts) -> int:
    """A number of places, as a form's field gives it. Raises Refused."""
    number = text.isdecimal() and len(text) <= len(str(MOST_PLACES))
    require(number, Reason.INVALID, t("catalogue.no_number"), "places")
    return int(text)


def _end_of(day: str, t: Texts) -> str:
    """The end of a day, as a form's field for days gives it, in UTC. Raises Refused."""
    try:
        chosen = date.fromisoformat(day)
    except ValueError:
        chosen = None
    require(chosen, Reason.INVALID, t("catalogue.no_day"), "until")
    assert chosen is not None
    return datetime.combine(chosen, time(23, 59), UTC).isoformat()


def _require_sees(viewer: Visitor) -> None:
    allowed = allow(viewer.who, Action.SEE_CATALOGUE)
    require(allowed, Reason.NOT_ALLOWED, f"a {viewer.who.role.value} does not see the catalogue")

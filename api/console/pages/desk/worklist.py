"""The worklist: whose case owes what until when, overdue first; every view of it is an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime, tzinfo
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import Response

from api.console.names import NameEntry
from api.console.pages.desk.place import keep_place
from api.console.pages.desk.saved import saved_of
from api.console.pages.travel import Moment
from api.console.session import Viewer, Visitor, directory_of, fresh_key
from api.console.text.funnel import Bar, funnel
from api.console.text.texts import Texts
from api.console.text.times import ViewerClock, stamp
from api.console.web import page, pages, seen
from api.http.access import SPOKEN, belonging_of, case_meant
from api.http.auth import Parts
from api.http.masking import sees, shown
from api.http.paging import cursor_of, read_cursor
from api.http.problems import Problem
from api.ports import Service
from api.routes.looks import looked_over
from api.routes.reads import scope_of, surviving
from api.routes.then import worklist_then
from api.untold import state_of
from domain.case.stage import Stage
from domain.core.errors import Refused
from domain.core.policy import Party
from domain.core.roles import Action, Role
from domain.roles import Actor, allow

router = pages()
PAGE = 40
TABS = ("mine", "team", "unassigned", "all")
ORDERS = ("due", "longest", "oldest", "newest")
INSTANT = {"due": "next_due", "longest": "stage_since", "oldest": "opened_at", "newest": "opened_at"}
TICKED = ("overdue", "urgent", "hold")
CHOSEN: Mapping[str, Sequence[str]] = {"stage": [s.value for s in Stage], "debtor": [p.value for p in Party]}
MOST_IDS = 100


@dataclass(frozen=True, slots=True)
class WorklistView:
    """Says what of the worklist an address asks for."""

    tab: str
    filters: Mapping[str, Any]
    order: str
    after: str | None
    known_at: datetime | None = None

    def query(self, **other: str | None) -> str:
        """Return the address of this view with something else of it."""
        named = {name: "1" if value is True else str(value) for name, value in self.filters.items()}
        order = self.order if self.order != "due" else None
        then = stamp(self.known_at) if self.known_at else None
        whole = {"tab": self.tab, **named, "sort": order, "known_at": then, **other}
        return "?" + urlencode({name: value for name, value in whole.items() if value})


@dataclass(frozen=True, slots=True)
class WorklistLine:
    """One row, in the viewer's words."""

    id: str
    number: str
    patient: str
    masked: bool
    stage: str
    since: str
    owed: str
    debtor: str
    yours: bool
    due: datetime | None
    urgency: str
    owner: str
    row: Mapping[str, Any]


@router.get("/console/")
async def worklist(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show cases by what is due next."""
    who, scope = viewer.who, scope_of(viewer.who)
    number = request.query_params.get("q", "").strip()
    if number:
        return await to_number(request, service, viewer, number)
    counts = await service.worklist.tally(scope, who.id, who.team)
    asked = _asked(request.query_params, _first_tab(counts), viewer.zone)
    if request.query_params.get("then"):
        return seen(f"/console/{asked.query()}")
    rows = await _rows(request, service, viewer, asked)
    clock = ViewerClock(asked.known_at or service.clock(), viewer.zone, viewer.t)
    names = await owners(request, service, viewer)
    lines = [await line(service, viewer, clock, names, row) for row in rows[:PAGE]]
    await looked_over(service, who, rows[:PAGE])
    more = _cursor(asked, rows) if len(rows) > PAGE else None
    answer = page(
        request,
        "worklist.html",
        viewer,
        clock=clock,
        then=Moment(asked.known_at).query(),
        lines=lines,
        asked=asked,
        tabs=_tabs(viewer, counts),
        bars=funnel(_bars(viewer, counts, asked)),
        more=more,
        choices=CHOSEN,
        ticked=TICKED,
        orders=ORDERS,
        saved=saved_of(request),
        key=fresh_key(),
        bulk=allow(who, Action.COORDINATE) and not asked.known_at,
        may_open=allow(who, Action.OPEN),
        by_name=allow(who, Action.SEE_PERSON),
        people=await _assignable(request, service, who),
    )
    return (
        answer
        if asked.known_at
        else keep_place(answer, asked.query(after=asked.after), more, [one.id for one in lines])
    )


async def _rows(request: Request, service: Service, viewer: Visitor, asked: WorklistView) -> Sequence[dict[str, Any]]:
    page = scope_of(viewer.who), _filters(asked, viewer.who), read_cursor(asked.after), PAGE + 1
    if asked.known_at:
        return await worklist_then(service, request.app.state.rows_then, asked.known_at, *page)
    return await service.worklist.worklist(*page, asked.order)


@router.get("/console/rows")
async def rows_of(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Rows that changed, for a page that is open; a case the viewer may not see is not there."""
    wanted = request.query_params.getlist("case")[:MOST_IDS]
    clock = ViewerClock(service.clock(), viewer.zone, viewer.t)
    names = await owners(request, service, viewer)
    seen_rows = [r for r in await service.worklist.rows(wanted) if allow(viewer.who, Action.SEE, belonging_of(r))]
    lines = [await line(service, viewer, clock, names, row) for row in seen_rows]
    await looked_over(service, viewer.who, seen_rows)
    bulk = allow(viewer.who, Action.COORDINATE)
    return page(request, "rows.html", viewer, clock=clock, lines=lines, bulk=bulk)


async def to_number(request: Request, service: Service, viewer: Visitor, number: str) -> Response:
    """To the case with that number, or what is wrong with it."""
    try:
        stream = await case_meant(service, number)
        known = await service.worklist.rows([stream])
    except (Problem, Refused):
        known = []
    if known and allow(viewer.who, Action.SEE, belonging_of(known[0])):
        return seen(f"/console/cases/{(await surviving(service, known[0]['stream'])).id}")
    glass = f"/console/cases/{quote(number)}/do/BreakGlass" if SPOKEN.fullmatch(number) else ""
    return page(request, "not_found.html", viewer, 404, glass=glass if allow(viewer.who, Action.BREAK_GLASS) else "")


async def owners(request: Request, service: Service, viewer: Visitor) -> Mapping[str, str]:
    """Return the names of staff; of who has left it says so, since their cases need somebody else."""
    directory = directory_of(request)
    names = await directory.names(service, viewer.who)
    staff = await directory.entries(service, "person")
    return {one: name if staff[one].role else viewer.t("worklist.left", name=name) for one, name in names.items()}


async def line(
    service: Service, viewer: Visitor, clock: ViewerClock, names: Mapping[str, str], row: Mapping[str, Any]
) -> WorklistLine:
    """Return a row of the read model for this viewer; a name they may not see is not in it."""
    t, visible = viewer.t, sees(viewer.who, belonging_of(row.get("now", row)))
    may = "identity" in visible
    detail = row["detail"]
    opened = await service.worklist.detail(row["stream"], detail) if may and isinstance(detail, str) else detail
    patient = shown(opened["patient"], "identity", visible) if may else ""
    due = row["next_due"]
    return WorklistLine(
        row["stream"],
        row["number"],
        t(f"case.{state}") if (state := state_of(patient)) else str(patient),
        not may,
        t.named("stage", row["stage"]),
        clock.span(clock.now - row["stage_since"]),
        owed_words(t, row["next_kind"] or ""),
        t.named("party", row["next_debtor"]) if row["next_debtor"] else "",
        row["next_debtor"] == viewer.who.role.value,
        due,
        clock.urgency(due),
        names.get(row["owner"], row["owner"] or ""),
        row,
    )


def owed_words(t: Texts, kind: str) -> str:
    """Say what is owed, as `next_kind` has it; what was missed is to be chased."""
    chasing, _, missed = kind.rpartition(":")
    words = t.named("owed", missed) if missed else ""
    return t("worklist.chase", what=words) if chasing else words


def _asked(params: Mapping[str, str], first: str, zone: tzinfo) -> WorklistView:
    """Unknown words are left out, not an error: addresses are kept and passed on for years."""
    known_at = _instant(params.get("then", ""), zone) or _instant(params.get("known_at", ""), None)
    tab = params.get("tab", "")
    filters: dict[str, Any] = {name: params[name] for name, words in CHOSEN.items() if params.get(name) in words}
    filters |= {name: True for name in TICKED if params.get(name) == "1"}
    country = params.get("country", "").strip().upper()
    filters |= {"country": country} if country.isascii() and country.isalpha() and len(country) <= 2 else {}  # noqa: PLR2004 - ISO 3166
    order = params.get("sort", "due") if known_at is None else "due"
    return WorklistView(
        tab if tab in TABS else first, filters, order if order in ORDERS else "due", params.get("after"), known_at
    )


def _instant(text: str, zone: tzinfo | None) -> datetime | None:
    """As somebody typed it in their zone, or with a zone of its own."""
    try:
        at = datetime.fromisoformat(text)
        if not MINYEAR < at.year < MAXYEAR:  # of these it is not known in every zone which they are
            return None
        return at.replace(tzinfo=zone).astimezone(UTC) if zone else at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _filters(asked: WorklistView, who: Actor) -> dict[str, Any]:
    whose: dict[str, dict[str, Any]] = {
        "mine": {"owner": who.id},
        "team": {"team": who.team},
        "unassigned": {"unowned": True},
    }
    closed = asked.filters.get("stage") == Stage.CLOSED
    return {**asked.filters, **whose.get(asked.tab, {}), **({} if closed else {"open": True})}


def _cursor(asked: WorklistView, rows: Sequence[Mapping[str, Any]]) -> str:
    last = rows[PAGE - 1]
    return asked.query(after=cursor_of(last, INSTANT[asked.order]))


def _first_tab(counts: Sequence[Mapping[str, Any]]) -> str:
    """Where there is something: my own, my team's, else all."""
    return next((tab for tab in ("mine", "team") if sum(c[tab] for c in counts)), "all")


def _tabs(viewer: Visitor, counts: Sequence[Mapping[str, Any]]) -> Sequence[tuple[str, str, int, int]]:
    own = TABS if viewer.who.role in (Role.COORDINATOR, Role.SUPERVISOR) else ("all",)
    return [
        (tab, viewer.t(f"tab.{tab}"), sum(c[tab] for c in counts), sum(c[f"{tab}_late"] for c in counts)) for tab in own
    ]


def _bars(viewer: Visitor, counts: Sequence[Mapping[str, Any]], asked: WorklistView) -> Sequence[Bar]:
    by = {c["stage"]: c for c in counts}
    chosen = asked.filters.get("stage")
    return [
        Bar(
            viewer.t.named("stage", stage.value),
            by.get(stage.value, {}).get(asked.tab, 0),
            by.get(stage.value, {}).get(f"{asked.tab}_late", 0),
            asked.query(stage=None if chosen == stage.value else stage.value),
            chosen == stage.value,
        )
        for stage in Stage
        if stage is not Stage.CLOSED
    ]


async def _assignable(request: Request, service: Service, who: Actor) -> Sequence[NameEntry]:
    """Whom a case can be given to."""
    if not (allow(who, Action.COORDINATE) and allow(who, Action.SEE_STAFF)):
        return []
    staff = (await directory_of(request).entries(service, "person")).values()
    return sorted((one for one in staff if one.role in (Role.COORDINATOR, Role.SUPERVISOR)), key=lambda one: one.name)

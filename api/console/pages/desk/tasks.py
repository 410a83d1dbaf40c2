"""My tasks: everything that is owed, one line an obligation, whoever's case it is in; every view is an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import Response

from api.console.pages.desk.task_verbs import colleagues, verbs_of
from api.console.pages.desk.worklist import owners
from api.console.session import Viewer, Visitor, directory_of, fresh_key
from api.console.text.times import ViewerClock
from api.console.web import page, pages
from api.http.access import belonging_of
from api.http.auth import Parts
from api.http.masking import sees
from api.http.paging import place_of, read_place
from api.ports import Service
from api.routes.desk.tasks import due, owed, patient_of, reader
from api.routes.looks import looked_over
from api.routes.reads import scope_of
from api.untold import state_of
from domain.core.policy import Party
from domain.core.roles import Action
from domain.journey import OWES
from domain.roles import Actor, allow
from domain.stages.anytime.tasks import STAFF

router = pages()
PAGE = 40
TABS = ("mine", "offered", "role", "others", "all")
TICKED = ("late", "urgent", "free")
CHOSEN: Mapping[str, Sequence[str]] = {"debtor": [p.value for p in Party], "kind": sorted({o.kind for o in OWES})}
GROUPS = {"debtor": "party", "kind": "owed"}


@dataclass(frozen=True, slots=True)
class TasksView:
    """Says which tasks an address asks for."""

    tab: str
    filters: Mapping[str, Any]
    after: str | None

    def query(self, **other: str | None) -> str:
        """Return the address of this view with something else of it."""
        named = {name: "1" if value is True else str(value) for name, value in self.filters.items()}
        return "?" + urlencode({name: value for name, value in {"tab": self.tab, **named, **other}.items() if value})


@dataclass(frozen=True, slots=True)
class Task:
    """One row, in the viewer's words; `href` is where the case says what settles it."""

    href: str
    words: str
    debtor: str
    yours: bool
    patient: str
    masked: bool
    stage: str
    due: datetime
    urgency: str
    owner: str
    holder: str
    asked: str
    verb: str
    covers: str
    row: Mapping[str, Any]


@router.get("/console/tasks")
async def tasks(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show tasks, those of urgent cases first, late ones before others."""
    who, scope = viewer.who, scope_of(viewer.who)
    counts = await service.tasks.tally(scope, reader(who))
    tabs = _tabs(who)
    asked = _asked(request.query_params, tabs, counts)
    rows = await service.tasks.tasks(scope, reader(who), asked.tab, asked.filters, read_place(asked.after), PAGE + 1)
    clock = ViewerClock(service.clock(), viewer.zone, viewer.t)
    names = await owners(request, service, viewer)
    verbs = verbs_of(viewer, asked.tab)
    staff = await directory_of(request).entries(service, "person") if "offer" in verbs else {}
    lines = [await _line(service, viewer, clock, names, row, asked.tab) for row in rows[:PAGE]]
    await looked_over(service, who, rows[:PAGE])
    return page(
        request,
        "tasks.html",
        viewer,
        clock=clock,
        lines=lines,
        asked=asked,
        tabs=[(tab, viewer.t(f"tasks.{tab}"), counts.get(tab, 0), counts.get(f"{tab}_late", 0)) for tab in tabs],
        more=asked.query(after=place_of(rows[PAGE - 1])) if len(rows) > PAGE else None,
        choices={name: [(one, viewer.t.named(GROUPS[name], one)) for one in words] for name, words in CHOSEN.items()},
        ticked=TICKED,
        verbs=verbs,
        colleagues=colleagues(viewer, staff),
        key=fresh_key(),
    )


def _tabs(who: Actor) -> Sequence[str]:
    """Who owns no cases has no tasks by them; whose role owes nothing has none in hand."""
    if allow(who, Action.COORDINATE):
        return TABS
    return ("mine", "offered", "role", "all") if who.role.value in STAFF else ("role", "all")


def _asked(params: Mapping[str, str], tabs: Sequence[str], counts: Mapping[str, int]) -> TasksView:
    """Unknown words are left out, as the worklist does; without a tab, the first that holds something."""
    filters: dict[str, Any] = {name: params[name] for name, words in CHOSEN.items() if params.get(name) in words}
    filters |= {name: True for name in TICKED if params.get(name) == "1"}
    tab = params.get("tab", "")
    first = next((one for one in tabs if counts.get(one)), tabs[0])
    return TasksView(tab if tab in tabs else first, filters, params.get("after"))


async def _line(
    service: Service, viewer: Visitor, clock: ViewerClock, names: Mapping[str, str], row: Mapping[str, Any], tab: str
) -> Task:
    t = viewer.t
    kind, chasing = owed(row)
    words = t.named("owed", kind)
    patient = await patient_of(service, viewer.who, row)
    covered = _covered(viewer, tab, row)
    masked = "identity" not in sees(viewer.who, belonging_of(row))
    return Task(
        f"/console/cases/{row['stream']}#o-{row['task']}",
        t("worklist.chase", what=words) if chasing else words,
        t.named("party", row["task_debtor"]),
        row["task_debtor"] == viewer.who.role.value,
        t(f"case.{state}") if (state := state_of(patient)) else str(patient),
        masked,
        t.named("stage", row["stage"]),
        due(row),
        clock.urgency(due(row)),
        names.get(row["owner"], row["owner"] or ""),
        names.get(row["task_holder"], row["task_holder"] or ""),
        names.get(row["task_offered"], row["task_offered"] or ""),
        _verb(viewer, row),
        names.get(covered, covered),
        row,
    )


def _verb(viewer: Visitor, row: Mapping[str, Any]) -> str:
    """What one press does with a task: what this viewer was asked, what nobody has, what they have in hand."""
    me = viewer.who
    if row["task_offered"] == me.id:
        return "accept"
    if row["task_holder"] == me.id:
        return "hand_back"
    return "claim" if not row["task_holder"] and row["task_debtor"] == me.role.value else ""


def _covered(viewer: Visitor, tab: str, row: Mapping[str, Any]) -> str:
    """Whose task is among the viewer's own only because they cover; empty = it is their own."""
    whose = row["task_holder"] or row["owner"]
    return whose if tab == "mine" and whose and whose != viewer.who.id else ""

"""One's own calendar feed: an address that only its owner knows, with what is due; made anew or revoked at any time."""

from __future__ import annotations

from datetime import timedelta

from fastapi import Request
from fastapi.responses import Response

from api.console.dossier_question import CALENDAR
from api.console.session import CSRF, Viewer, require_csrf
from api.console.text.texts import ENGLISH, Texts, languages
from api.console.web import page, pages, seen
from api.http.auth import Parts
from api.http.form_json import read_form
from api.http.limits import address, note_known, read_small
from api.ports import Service
from api.routes.desk.ical import CalendarEvent, calendar
from api.routes.desk.tasks import due, owed, reader
from api.routes.reads import scope_of
from domain.catalogue.staff import Staff
from domain.roles import Actor, of_staff

router = pages()
HERE = "/console/calendar"
LASTS = timedelta(days=365)
MOST = 500
"""Tasks of a feed at most, the most urgent first."""
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


@router.get(HERE)
async def mine(request: Request, viewer: Viewer) -> Response:
    """Show what the feed is, and the ways to make and revoke its address."""
    return page(request, "calendar.html", viewer)


@router.post(HERE)
async def change(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Make a new address, shown this once, or revoke it; either ends the one before."""
    form = dict(read_form(await read_small(request)))
    require_csrf(request, form.get(CSRF, ""))
    me = viewer.who.id
    await service.capabilities.clear(me)
    if form.get("do") != "make":
        return seen(HERE)
    until = service.clock() + LASTS
    token = await service.capabilities.issue(me, "", me, CALENDAR, (), {}, viewer.zone_name, until)
    made = f"{service.public_url.rstrip('/')}/calendar/{token}"
    return page(request, "calendar.html", viewer, made=made, until=until.astimezone(viewer.zone).date().isoformat())


@router.get("/calendar/{token}")
async def feed(token: str, request: Request, service: Parts) -> Response:
    """Return what is due as iCalendar: case number and kind, nothing of the patient. Unknown or revoked: 404."""
    row = await service.capabilities.find(token[:200])
    person = (await service.commands.entry(row["stream"])).state if row and row["question"] == CALENDAR else None
    if row is None or not row["open"] or not isinstance(person, Staff) or not person.role:
        await request.app.state.throttle.hit("sign_in", f"calendar {address(request)}")
        return Response(status_code=404, headers=HEADERS)
    note_known(request)
    t = Texts(person.language if person.language in languages() else ENGLISH)
    who = of_staff(row["stream"], person.role, person.team)
    events = await _events(service, who, t)
    text = calendar(t("calendar.title"), events, row["now"])
    return Response(text, media_type="text/calendar; charset=utf-8", headers=HEADERS)


async def _events(service: Service, who: Actor, t: Texts) -> list[CalendarEvent]:
    rows = await service.tasks.tasks(scope_of(who), reader(who), "mine", {}, None, MOST)
    return [CalendarEvent(row["task"], due(row), f"{row['number']}: {t.named('owed', owed(row)[0])}") for row in rows]

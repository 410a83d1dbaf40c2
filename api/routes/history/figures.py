"""Figures for managers, of any period as it was known on any day: JSON with the cases behind each, and CSV."""

from __future__ import annotations

import csv
from asyncio import to_thread
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response

from api.http.auth import Parts, Who
from api.http.problems import Fault, invalid
from api.ports import Service
from api.routes.reads import private
from domain.core.errors import Reason, require
from domain.core.roles import Role
from domain.history.figures import Figure, figures
from domain.roles import Actor

router = APIRouter(tags=["figures"])
WHO = (Role.SUPERVISOR, Role.AUDITOR)
PERIOD = timedelta(days=365)
"""Counted where no period is asked for."""
LATEST = date.max - timedelta(days=1)
"""The last day that has one after it."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = ("measure", "of", "count", "median_days", "ninety_percent_days", "cases")


@dataclass(frozen=True, slots=True)
class FigurePeriod:
    """Holds what is counted: what ended from the first day to the last, both whole days in UTC, and how it is known."""

    first: date
    last: date
    known_at: datetime
    centre: str = ""
    country: str = ""


def asked(
    service: Parts,
    from_: Annotated[date | None, Query(alias="from")] = None,
    to: date | None = None,
    known_on: date | None = None,
    centre: Annotated[str, Query(max_length=100)] = "",
    country: Annotated[str, Query(max_length=2)] = "",
) -> FigurePeriod:
    """Read the period; without one it is the last 365 days, as known now. Raises Problem."""
    now = service.clock()
    last = to or now.date()
    first = from_ or last - min(PERIOD, last - date.min)
    if first > last:
        raise invalid("a period begins before it ends", Fault("lies after `to`", parameter="from"))
    known = datetime.combine(known_on, time.max, UTC) if known_on else now
    return FigurePeriod(first, last, min(known, now), centre, country)


Period = Annotated[FigurePeriod, Depends(asked)]


@router.get("/figures", summary="Figures for managers")
async def counted(service: Parts, who: Who, what: Period) -> JSONResponse:
    """Count what ended in a period: time in stage, waiting on whom, inquiry to infusion, refusals, centres, reminders.

    `median_days` and `ninety_percent_days` leave out the time a case stood still. `known_on`: as it was known at the
    end of that day. `cases` are those behind the number.
    """
    found = [_row(one) for one in await figures_of(service, who, what)]
    body = {"from": what.first, "to": what.last, "known_at": what.known_at, "figures": found}
    return JSONResponse(jsonable_encoder(body), headers=private())


@router.get("/figures.csv", summary="Figures for managers, as a table", response_class=Response)
async def table(service: Parts, who: Who, what: Period) -> Response:
    """Return the same as CSV: one line for each figure, in UTF-8; no cell is a formula to a spreadsheet."""
    found = await figures_of(service, who, what)
    headers = {**private(), "Content-Disposition": f'attachment; filename="figures-{what.first}-{what.last}.csv"'}
    return Response(written([_row(one) for one in found]), media_type="text/csv; charset=utf-8", headers=headers)


async def figures_of(service: Service, who: Actor, what: FigurePeriod) -> Sequence[Figure]:
    """Return the figures of a period. Raises Refused for whoever manages nothing."""
    require(who.role in WHO, Reason.NOT_ALLOWED, f"figures over all cases are not for the role {who.role.value}")
    first = datetime.combine(what.first, time.min, UTC)
    until = datetime.combine(min(what.last, LATEST) + timedelta(days=1), time.min, UTC)
    events = await service.figures.recorded(first, until, what.known_at)
    return await to_thread(figures, events, first, until, centre=what.centre, country=what.country)


def written(rows: Sequence[dict[str, Any]]) -> str:
    """Write rows as CSV; a cell that a spreadsheet would reckon begins with an apostrophe."""
    out = StringIO()
    lines = csv.writer(out)
    lines.writerow(COLUMNS)
    for row in rows:
        lines.writerow([_cell(row[name]) for name in COLUMNS])
    return out.getvalue()


def _cell(value: Any) -> str:  # noqa: ANN401 - a number, a text, or a list of texts
    text = " ".join(value) if isinstance(value, (list, tuple)) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _row(one: Figure) -> dict[str, Any]:
    return {
        "measure": one.measure,
        "of": one.of,
        "count": one.count,
        "median_days": None if one.median is None else round(one.median, 2),
        "ninety_percent_days": None if one.ninety is None else round(one.ninety, 2),
        "cases": list(one.cases),
    }

"""Shows managers how long things take and how often, for a period, as known on a day, with the cases behind each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import Response

from api.console.session import Viewer, Visitor, directory_of
from api.console.text.charts import Bars, bars
from api.console.web import page, pages
from api.http.auth import Parts
from api.routes.history.figures import FigurePeriod, Period, figures_of
from domain.case.stage import Stage
from domain.history.figures import Figure

router = pages()
GROUPS: Mapping[str, str] = {
    "to_infusion": "", "stage": "stage", "waiting": "party", "reminded_done": "party", "reminded_not_done": "party",
    "refused": "code", "centre_answer": "", "centre_accepted": "", "centre_declined": "", "centre_infused": "",
}  # fmt: skip
"""Measures in the order of the page, and the texts that name what each is of."""
ROOM = 20
"""Characters before a bar."""
RANK = {stage.value: stage.rank for stage in Stage}


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure as it stands in its table, with the address of the cases behind it."""

    name: str
    figure: Figure
    href: str


@dataclass(frozen=True, slots=True)
class FigureGroup:
    """All figures of one measure, and their picture."""

    measure: str
    drawn: Bars
    rows: Sequence[FigureRow]


@router.get("/console/figures")
async def shown(
    request: Request, service: Parts, viewer: Viewer, what: Period, measure: str = "", of: str = ""
) -> Response:
    """Show the figures; `measure` and `of` name the one whose cases are listed."""
    found = await figures_of(service, viewer.who, what)
    names = await directory_of(request).labels(service, viewer.who)
    kept = _kept(what)
    groups = [_group(viewer, name, [one for one in found if one.measure == name], names, kept) for name in GROUPS]
    behind = next((one for one in found if (one.measure, one.of) == (measure, of)), None)
    return page(
        request,
        "figures.html",
        viewer,
        what=what,
        groups=[group for group in groups if group.rows],
        behind=_name(viewer, behind, names) if behind else "",
        behind_measure=measure if behind else "",
        cases=await service.figures.numbers(behind.cases) if behind else (),
        csv=f"/figures.csv?{kept}",
        centres=sorted(
            (names.get(one.of, one.of), one.of) for one in found if one.measure == "centre_answer" and one.of
        ),
    )


def _centres(found: Sequence[Figure]) -> set[str]:
    return {one.of for one in found if one.measure.startswith("centre") and one.of}


def _kept(what: FigurePeriod) -> str:
    given = {"from": what.first, "to": what.last, "known_on": what.known_at.date()}
    return urlencode({**given, **{name: getattr(what, name) for name in ("centre", "country") if getattr(what, name)}})


def _group(viewer: Visitor, measure: str, found: Sequence[Figure], names: Mapping[str, str], kept: str) -> FigureGroup:
    ordered = sorted(found, key=lambda one: (RANK.get(one.of, 0), -one.count, one.of))
    rows = [
        FigureRow(_name(viewer, one, names), one, f"?{kept}&{urlencode({'measure': measure, 'of': one.of})}#cases")
        for one in ordered
    ]
    drawn = bars([(_short(measure, row.name), _lengths(row.figure), _says(row.figure)) for row in rows])
    return FigureGroup(measure, drawn, rows)


def _name(viewer: Visitor, one: Figure, names: Mapping[str, str]) -> str:
    group = GROUPS[one.measure]
    if not one.of:
        return viewer.t("figures.all")
    return viewer.t.named(group, one.of) if group else names.get(one.of, one.of)


def _short(measure: str, name: str) -> str:
    """Return what fits before a bar; the whole name of a centre stands in the table beside it."""
    return name if GROUPS[measure] or len(name) <= ROOM else f"{name[: ROOM - 1].rstrip()}…"


def _lengths(one: Figure) -> Sequence[float]:
    """Days where it is timed, dark the median; else how many."""
    return [one.median or 0.0, one.ninety or 0.0] if one.median is not None else [0.0, float(one.count)]


def _says(one: Figure) -> str:
    return f"{one.median:.1f} / {one.ninety:.1f}" if one.median is not None else str(one.count)

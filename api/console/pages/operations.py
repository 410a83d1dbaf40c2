"""Shows operators what waits, what failed and what can be done about it, who is at work, and how long things take."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from api.console.pages.desk.worklist import owed_words
from api.console.pages.history.nightly_report import nightly_reports
from api.console.session import Viewer, Visitor, directory_of
from api.console.text.charts import Bars, bars
from api.console.text.times import ViewerClock
from api.console.web import page, pages
from api.http.auth import Parts
from api.http.health import answering
from api.routes.changes import changes_now
from domain.case.stage import Stage
from domain.core.errors import Reason, require
from domain.core.roles import Role

router = pages()
WHO = (Role.OPERATOR, Role.SUPERVISOR)
RANK = {stage.value: stage.rank for stage in Stage}


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars, and the same as a table."""

    name: str
    drawn: Bars
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@router.get("/console/operations")
async def operations(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show how the machinery does at a glance."""
    allowed = viewer.who.role in WHO
    require(allowed, Reason.NOT_ALLOWED, f"how the machinery does is not for the role {viewer.who.role.value}")
    ops, clock = service.operations, ViewerClock(service.clock(), viewer.zone, viewer.t)
    asked = (service.gauges(), service.audit.exposure(), answering({**service.needed, **service.wanted}), ops.workers())
    figures, exposure, parts, workers = await asyncio.gather(*asked)
    return page(
        request,
        "operations.html",
        viewer,
        clock=clock,
        figures={name: _seconds(clock, figures[name]) for name in ("oldest_unattended", "oldest_unwoken")},
        past=figures["claims_past_lease"],
        exposure=exposure,
        parts=parts,
        workers=workers,
        leaders=await ops.leads(),
        doubt=await ops.doubt(),
        unattended=await ops.unattended(),
        late=[{**row, "what": owed_words(viewer.t, row["kind"])} for row in await ops.late()],
        effects=await ops.effects(),
        past_lease=await ops.past_lease(),
        callbacks=await ops.callbacks(),
        changes=await changes_now(service, viewer.who),
        names=await directory_of(request).names(service, viewer.who),
        temporal=service.temporal_ui,
        nights=nightly_reports(viewer.t, await service.audit.nightly()),
        charts=[_stages(viewer, clock, await ops.stages()), _waiting(viewer, await ops.waiting()),
                _reminders(viewer, await ops.reminders())],
    )  # fmt: skip


def _seconds(clock: ViewerClock, seconds: float) -> str:
    return clock.span(timedelta(seconds=seconds)) if seconds else ""


def _stages(viewer: Visitor, clock: ViewerClock, rows: Sequence[Any]) -> Chart:
    t, ordered = viewer.t, sorted(rows, key=lambda row: RANK.get(row["stage"], 99))
    named = [(t.named("stage", row["stage"]), row) for row in ordered]
    spans = [(_seconds(clock, float(row["median"])), _seconds(clock, float(row["ninety"]))) for _, row in named]
    drawn = bars([(name, [float(row["median"]), float(row["ninety"])], f"{half} / {most}")
                  for (name, row), (half, most) in zip(named, spans, strict=True)])  # fmt: skip
    cells = [[name, str(row["number"]), *span] for (name, row), span in zip(named, spans, strict=True)]
    return Chart("stages", drawn, ["stage", "cases", "median", "ninety"], cells)


def _waiting(viewer: Visitor, rows: Sequence[Any]) -> Chart:
    ordered = sorted(rows, key=lambda row: -row["number"])
    named = [(viewer.t.named("party", row["debtor"]), row) for row in ordered]
    drawn = bars([(name, [row["late"], row["number"]], str(row["number"])) for name, row in named])
    cells = [[name, str(row["number"]), str(row["late"])] for name, row in named]
    return Chart("waiting", drawn, ["party", "cases", "late"], cells)


def _reminders(viewer: Visitor, rows: Sequence[Any]) -> Chart:
    named = [(viewer.t.named("party", row["debtor"] or "nobody"), row) for row in rows]
    drawn = bars([(name, [row["met"], row["owed"]], f"{row['met']} / {row['owed']}") for name, row in named])
    cells = [[name, *(str(row[n]) for n in ("sent", "owed", "met", "missed"))] for name, row in named]
    return Chart("reminders", drawn, ["party", "sent", "owed", "met", "missed"], cells)

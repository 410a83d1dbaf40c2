"""Shows auditors what is sealed, whether history holds, and proofs in words. Nothing here changes anything."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from api.console.pages.history.nightly_report import nightly_reports
from api.console.session import CSRF, Viewer, require_csrf
from api.console.text.times import ViewerClock
from api.console.web import page, pages, seen
from api.http.access import case_meant
from api.http.auth import Parts
from api.http.form_json import read_form
from api.http.limits import read_body
from api.ports import Service
from api.routes.history.audit import may_prove
from api.routes.history.evidence import OPENS
from domain.core.errors import Reason, require
from domain.proof.merkle import check_consistency, check_inclusion

router = pages()
NEWEST = 10
LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Point:
    """A checkpoint as its note says it: over how many events, and the root of their tree."""

    origin: str
    size: int
    root: bytes
    note: str


def point_of(note: str) -> Point:
    """Return the first three lines of a C2SP tlog-checkpoint."""
    origin, size, root = note.split("\n")[:3]
    return Point(origin, int(size), b64decode(root), note)


@router.get("/console/audit")
async def overview(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show how much is sealed, and what can be asked."""
    may_prove(viewer.who)
    exposure = await service.audit.exposure()
    newest = await service.audit.checkpoints(max(exposure["sealed"] - 1, 0), 1)
    return page(
        request,
        "audit.html",
        viewer,
        clock=ViewerClock(service.clock(), viewer.zone, viewer.t),
        exposure=exposure,
        newest=newest[0] if newest else None,
        places=service.checkpoint_places,
        checks=(await service.checks.newest())[:NEWEST],
        levels=list(OPENS),
        nights=nightly_reports(viewer.t, await service.audit.nightly()),
    )


@router.post("/console/audit/checks")
async def start(request: Request, service: Parts, viewer: Viewer) -> Response:
    """Begin to verify; the only thing that can be done here."""
    may_prove(viewer.who)
    form = dict(read_form(await read_body(request)))
    require_csrf(request, form.get(CSRF, ""))
    asked = form.get("case", "").strip()
    case = await _known(service, asked) if asked else ""
    return seen(f"/console/audit/checks/{(await service.checks.start(case)).id}")


@router.get("/console/audit/checks/{check}")
async def check(check: str, request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show how far a check is, and what it found."""
    may_prove(viewer.who)
    found = await service.checks.find(check)
    require(found, Reason.NOT_FOUND, "no such check; the newest twenty are kept")
    exposure = await service.audit.exposure()
    return page(request, "audit_check.html", viewer, check=found, exposure=exposure)


@router.get("/console/audit/event")
async def event(
    request: Request, service: Parts, viewer: Viewer, case: str, version: int, size: int | None = None
) -> Response:
    """That an event is in the tree of a checkpoint, checked here and now."""
    may_prove(viewer.who)
    stream = await _known(service, case.strip())
    proof = await service.audit.inclusion(stream, version, size)
    point = point_of(proof["checkpoint"])
    path = [b64decode(one) for one in proof["path"]]
    holds = check_inclusion(b64decode(proof["leaf"]), proof["index"], point.size, path, point.root)
    where = f"/audit/events/{stream}/{version}/inclusion?size={point.size}"
    asked = {"case": stream, "version": version, "place": proof["index"] + 1, "where": where}
    return page(request, "audit_proof.html", viewer, kind="inclusion", holds=holds, point=point, hashes=proof["path"],
                leaf=proof["leaf"], asked=asked)  # fmt: skip


@router.get("/console/audit/consistency")
async def consistency(request: Request, service: Parts, viewer: Viewer, old: int, new: int) -> Response:
    """That nothing was taken away between two checkpoints, checked here and now."""
    may_prove(viewer.who)
    proof = await service.audit.consistency(min(old, LARGEST), min(new, LARGEST))
    first, second = point_of(proof["old"]), point_of(proof["new"])
    hashes = [b64decode(one) for one in proof["proof"]]
    holds = check_consistency(first.size, second.size, first.root, second.root, hashes)
    asked: Mapping[str, Any] = {"where": f"/audit/consistency?old={first.size}&new={second.size}"}
    return page(request, "audit_proof.html", viewer, kind="consistency", holds=holds, first=first, point=second,
                hashes=proof["proof"], leaf="", asked=asked)  # fmt: skip


@router.get("/console/audit/evidence")
async def take(service: Parts, viewer: Viewer, case: str, level: str = "regulator") -> Response:
    """To the evidence package of a case, which is made where it is asked for."""
    may_prove(viewer.who)
    require(level in OPENS, Reason.NOT_FOUND, "no such level")
    return seen(f"/audit/cases/{await _known(service, case.strip())}/evidence?level={level}")


@router.get("/console/audit/checkpoints")
async def checkpoints(request: Request, service: Parts, viewer: Viewer, after: int = 0) -> Response:
    """Show every checkpoint, by size."""
    may_prove(viewer.who)
    rows = await service.audit.checkpoints(after, PAGE + 1)
    more = rows[PAGE - 1]["size"] if len(rows) > PAGE else None
    clock = ViewerClock(service.clock(), viewer.zone, viewer.t)
    return page(request, "audit_checkpoints.html", viewer, clock=clock, rows=rows[:PAGE], more=more, after=after)


PAGE = 100


async def _known(service: Service, text: str) -> str:
    """A case that is there."""
    stream = await case_meant(service, text)
    require(await service.worklist.rows([stream]), Reason.NOT_FOUND, "no such case")
    return stream

"""Shows lots: where each unit stands, its results against the product's specification; takes what quality decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any, get_args

from fastapi import Request
from fastapi.responses import Response

from api.console.session import CSRF, Viewer, directory_of, require_csrf
from api.console.text.times import ViewerClock
from api.console.web import page, pages, seen
from api.http.access import case_meant, require_case_named, require_command, stream_meant
from api.http.auth import Parts
from api.http.command_json import CATALOGUE as COMMANDS
from api.http.form_json import read_form
from api.http.limits import read_body
from api.ports import Service
from api.routes.doses.genealogy import require_quality
from api.routes.register.entries import carried_out, request_of
from domain.core.errors import Reason, Refused
from domain.doses import codes
from domain.doses.lot import STOPPED
from domain.doses.product import Limit, Product, stream_of
from domain.doses.quality import LotResult, Outcome
from domain.doses.stock import Lot

router = pages()
PAGE = 50
Tested = tuple[Limit | None, LotResult | None]
TOLD: Mapping[str, Sequence[str]] = {
    "RecordResult": ("test", "tested", "value", "unit", "word"),
    "DecideOutOfSpecification": ("test", "outcome", "reason"),
    "ReleaseLot": (),
    "QuarantineLot": ("reason",),
    "PlaceUnit": ("unit", "store", "position"),
    "DecideStoppedUnit": ("unit", "outcome", "reason"),
    "SettleUnit": ("unit", "outcome", "reason"),
    "PrintLabel": ("unit",),
    "BindLot": ("case", "coi", "reason"),
    "StateLabel": (
        "number", "product_code", "donation", "zone", "gtin", "name", "cells", "volume_ml", "storage", "maker",
    ),
}  # fmt: skip
"""The commands the page of a lot gives, and the fields of their forms."""


@router.get("/console/lots")
async def lots(request: Request, service: Parts, viewer: Viewer, after: str = "") -> Response:
    """List lots with their state and stock."""
    require_quality(viewer.who)
    rows = await service.registers.catalogue("lot", after, PAGE + 1)
    more = rows[PAGE - 1]["stream"] if len(rows) > PAGE else ""
    return page(request, "lots.html", viewer, rows=rows[:PAGE], more=more, stopped=tuple(STOPPED))


@router.get("/console/lots/{entry}")
async def one(request: Request, entry: str, service: Parts, viewer: Viewer) -> Response:
    """Show one lot with its units and results; whatever may be decided about it is asked here."""
    require_quality(viewer.who)
    found = await service.commands.entry(stream_meant(entry, "lot"))
    lot: Lot = found.state
    product = await _product(service, lot.product)
    whose = await service.worklist.rows([lot.bound.case]) if lot.bound and lot.bound.case else []
    return page(
        request,
        "lot.html",
        viewer,
        clock=ViewerClock(found.now, viewer.zone, viewer.t),
        id=found.stream,
        lot=lot,
        rows=_tested(product.tests, lot),
        source=product.source,
        units=sorted(lot.units.values(), key=lambda unit: unit.id),
        now=found.now,
        names=await directory_of(request).labels(service, viewer.who),
        outcomes=get_args(Outcome),
        stores={row["stream"]: row["state"]["name"] for row in await service.registers.catalogue("store", "", PAGE)},
        stops=lot.state not in STOPPED,
        whose=whose[0]["number"] if whose else "",
        label_fields=TOLD["StateLabel"],
        today=found.now.date().isoformat(),
        nonce=token_hex(8),
    )


async def _product(service: Service, code: str) -> Product:
    """Return the product of a lot as it stands; one that nobody registered states nothing."""
    try:
        found: Product = (await service.commands.entry(stream_of(code))).state
    except Refused as no:
        if no.reason is not Reason.NOT_FOUND:
            raise
        found = Product()
    return found


def _tested(tests: Sequence[Limit], lot: Lot) -> Sequence[Tested]:
    """Each test of the specification with its result, then results whose test stands in none any more."""
    known = dict(lot.results)
    rows: list[tuple[Limit | None, LotResult | None]] = [
        (one, known.pop(codes.folded(one.test), None)) for one in tests
    ]
    return [*rows, *((None, left) for left in known.values())]


@router.post("/console/lots/{entry}")
async def tell(request: Request, entry: str, service: Parts, viewer: Viewer) -> Response:
    """Give the lot the command of one of the page's forms, and show it then."""
    given = dict(read_form(await read_body(request)))
    require_csrf(request, given.get(CSRF, ""))
    stream, name = stream_meant(entry, "lot"), given.get("type", "")
    said = {one: _typed(one, text) for one in TOLD.get(name, ()) if (text := given.get(one, "").strip())}
    if "case" in said:  # people say the number of a case
        said["case"] = await case_meant(service, said["case"])
    command = COMMANDS.parse({**said, "type": name}, viewer.who.id, only=tuple(TOLD))
    require_command(viewer.who, command.type)
    await require_case_named(service, command)
    key = f"lot/{given.get('nonce', '')}/{name}/{said.get('test', said.get('unit', ''))}"
    await carried_out(request, service, request_of(service, viewer.who, key, stream, command, about=stream))
    return seen(f"/console/lots/{stream}")


def _typed(field: str, text: str) -> Any:  # noqa: ANN401 - a number, or what is refused as none
    if field not in ("value", "volume_ml"):
        return text
    try:
        return float(text)
    except ValueError:
        return text

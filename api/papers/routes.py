"""Fetches labels and reports as PDF: the label of a printing, the custody report of a unit, the report of a recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.console.session import directory_of
from api.console.text.texts import Texts, languages, texts_for
from api.http.access import stream_meant
from api.http.auth import Parts, Who
from api.http.problems import Fault, invalid
from api.papers import custody, recalled
from api.papers.sheet import PaperWriter
from api.ports import Service
from api.routes.doses.genealogy import answered, require_quality
from api.routes.doses.recalls import shown
from api.routes.looks import looked
from api.routes.reads import private
from domain.case.state import Case
from domain.catalogue.streams import fold
from domain.core.errors import Reason, require
from domain.core.fact import Fact
from domain.doses.labelling.label import DoseLabel, LabelPrinted, label_of
from domain.doses.stock import Lot, unit_named
from domain.doses.unit import Unit
from domain.recalls.recall import Recall
from domain.roles import Actor

router = APIRouter(tags=["papers"])
PDF = "application/pdf"


@router.get("/lots/{entry}/labels/{number}", summary="The label of one printing", response_class=Response)
async def label(entry: str, number: int, request: Request, service: Parts, who: Who, language: str = "") -> Response:
    """Return the label as it was printed; `number` counts the printings of the lot from 1 (PrintLabel adds one)."""
    require_quality(who)
    found = await service.commands.entry(stream_meant(entry, "lot"))
    printed = [n for n, fact in enumerate(found.facts) if isinstance(fact.event, LabelPrinted)]
    require(0 < number <= len(printed), Reason.NOT_FOUND, "no such printing of a label of this lot")
    upto = printed[number - 1]
    event = found.facts[upto].event
    assert isinstance(event, LabelPrinted)
    then = fold(found.stream, found.facts[:upto])
    assert isinstance(then, Lot)
    made = label_of(then.labels, event.unit, then.expires)
    w = _writer(request, language)
    sheet = _sheet(w, made, event, then.product)
    return _pdf(await service.papers.label(sheet, made.message), f"label-{number}.pdf")


def _sheet(w: PaperWriter, label: DoseLabel, event: LabelPrinted, product: str) -> Mapping[str, Any]:
    """Say in words what the Data Matrix holds, and what else stands on the label."""
    volume = "" if label.volume_ml is None else f"{label.volume_ml:g} mL"
    told = (
        ("lot", label.number),
        ("unit", label.unit),
        ("product_code", label.product_code),
        ("gtin", label.gtin),
        ("expires", f"{label.expires:%Y-%m-%d %H:%M} {label.zone}"),
        ("cells", label.cells),
        ("volume", volume),
        ("storage", label.storage),
        ("maker", label.maker),
    )
    rows = [[w.t(f"paper.{name}"), value] for name, value in told if value]
    footer = w.t("paper.copy_of", copy=event.copy_number, version=event.version)
    said = {"title": label.name or product, "donation": label.donation, "check": label.check, "rows": rows}
    return {**said, "footer": footer, "language": w.t.language, "rtl": w.t.direction == "rtl"}


@router.get("/lots/{entry}/custody", summary="The custody report of one unit", response_class=Response)
async def custody_of(entry: str, unit: str, request: Request, service: Parts, who: Who, language: str = "") -> Response:
    """Return where a unit came from, where it lay, who checked it and who got it; the same bytes for the same facts."""
    require_quality(who)
    found = await service.commands.entry(stream_meant(entry, "lot"))
    lot: Lot = found.state
    one = unit_named(lot, unit)
    stores = {stay.store: await service.commands.entry(stay.store) for stay in one.stays}
    number, case, told = await _patient(service, who, one)
    made = custody.Custody(
        stream=found.stream,
        lot=lot,
        facts=found.facts,
        unit=one,
        trace=await service.genealogy.trace([found.stream]),
        stores={stream: known.state for stream, known in stores.items()},
        readings={
            stream: [fact for fact in known.facts if fact.event.type == "ReadingsRecorded"]
            for stream, known in stores.items()
        },
        number=number,
        case=case,
        told=told,
        names=await directory_of(request).labels(service, who),
    )
    sheet = custody.report(_writer(request, language), made)
    return _pdf(await service.papers.report(sheet), "custody.pdf")


async def _patient(service: Service, who: Actor, unit: Unit) -> tuple[str, Case | None, Sequence[Fact[Any]]]:
    """Return whose the unit is or was last, once the look at that case is recorded; stock is nobody's."""
    whose = unit.case if isinstance(unit.case, str) and unit.state != "free" else ""
    rows = await service.worklist.rows([whose]) if whose else []
    if not rows:
        return "", None, ()
    await looked(service, who, "custody", [whose], frozenset())
    case, facts, _ = await service.commands.case(whose)
    return rows[0]["number"], case, facts


@router.get("/recalls/{recall}/report", summary="The report of a recall", response_class=Response)
async def recall_report(recall: str, request: Request, service: Parts, who: Who, language: str = "") -> Response:
    """Return lots, hospitals and units of a recall; holds are shown as they were when it was opened."""
    require_quality(who)
    state, now = await service.commands.driven(stream_meant(recall, "recall"))
    assert isinstance(state, Recall)
    trace = await service.genealogy.trace([state.scope])
    found = {**shown(state), **await answered(service, who, trace, state.opened_at or now)}
    names = await directory_of(request).labels(service, who)
    return _pdf(
        await service.papers.report(recalled.report(_writer(request, language), state, found, names)), "recall.pdf"
    )


def _writer(request: Request, language: str) -> PaperWriter:
    """Write in the language that is asked for, else in the reader's. Raises Problem."""
    if language and language not in languages():
        raise invalid("no such language", Fault(f"one of {', '.join(languages())}", "#/language"))
    return PaperWriter(Texts(language) if language else texts_for(request))


def _pdf(made: bytes, name: str) -> Response:
    return Response(made, media_type=PDF, headers={**private(), "Content-Disposition": f'inline; filename="{name}"'})

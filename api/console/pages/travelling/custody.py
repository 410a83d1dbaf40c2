"""The page of custody: what travels without the patient, and each hand it went through, in order [doses.custody]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import Response

from api.console.pages.case import opened, shown_part
from api.console.pages.travel import NOW
from api.console.session import Viewer
from api.console.text.fact_text import FactWriter
from api.console.web import pages
from api.http.answers import allowed_now
from api.http.auth import Parts
from domain.case.supply.shipments import Handover, Shipment
from domain.core.personal import readable

router = pages()
ACTS = ("RecordHandover", "MoveShipment", "EndShipment")


@dataclass(frozen=True, slots=True)
class HandoverLine:
    """One link of the chain in words. `gap` says that whoever gave it on had not taken it, as far as was told."""

    at: str
    hands: str
    details: Sequence[str]
    findings: Sequence[str]
    gap: str


@dataclass(frozen=True, slots=True)
class ShipmentRow:
    """One shipment in words. `acts` are the commands that may be given about it now."""

    id: str
    cargo: str
    code: str
    state: str
    stopped: bool
    late: bool
    warmed: bool
    legs: Sequence[str]
    chain: Sequence[HandoverLine]
    acts: Sequence[str]


@router.get("/console/cases/{case}/custody")
async def custody_page(case: str, request: Request, service: Parts, viewer: Viewer) -> Response:
    """Show every shipment with its chain of custody."""
    one = await opened(request, service, viewer, case, NOW)
    may = allowed_now(viewer.who, one.case)
    rows = [_row(s, one.speaker, may) for s in one.case.shipments.values()]
    return shown_part(request, viewer, one, "custody", sent=rows, may=may)


def _row(s: Shipment, speaker: FactWriter, may: Sequence[str]) -> ShipmentRow:
    t, clock = speaker.clock.t, speaker.clock
    acts = [name for name in ACTS if name in may and (s.live or name == "RecordHandover")]
    acts += ["CloseCustodyGap"] if s.open_gaps and "CloseCustodyGap" in may else []
    acts += ["JudgeShipment"] if s.stopped and "JudgeShipment" in may else []
    sealed = [t("custody.seal", number=s.seal)] if s.seal else []
    legs = [f"{leg.carrier}: {clock.instant(leg.departs)} - {clock.instant(leg.arrives)}" for leg in s.legs]
    return ShipmentRow(
        s.id,
        t.named("cargo", s.cargo),
        s.carries if "trace" in speaker.visible else "",
        t.named("state", s.state),
        s.stopped,
        s.late_for == s.arrives and s.live,
        s.warmed,
        [*legs, *sealed],
        [_line(h, s, speaker) for h in s.handovers],
        acts,
    )


def _line(h: Handover, s: Shipment, speaker: FactWriter) -> HandoverLine:
    t = speaker.clock.t
    said = [t.named("condition", h.condition)]
    said += [t("custody.seal", number=h.seal)] if h.seal else [t("custody.no_seal")]
    said += [t("custody.new_seal", number=h.new_seal)] if h.new_seal else []
    if "identity" in speaker.visible:
        said += [str(one) for one in (h.gave, h.took, h.place) if readable(one)]
    hands = t("custody.hands", giver=t.named("giver", h.giver), taker=t.named("taker", h.taker))
    found = [t.named("findings", one) for one in h.findings]
    gap = t("custody.gap" if h.at in s.open_gaps else "custody.unexplained") if h.at in s.gaps else ""
    return HandoverLine(speaker.clock.instant(h.at), hands, said, found, gap)

"""The page of a stay: what is arranged and with whom, what must be there on arrival, and by when each step is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from fastapi import Request
from fastapi.responses import Response

from api.console.pages.case import opened, shown_part
from api.console.pages.travel import NOW
from api.console.session import Viewer
from api.console.text.fact_text import FactWriter
from api.console.text.texts import Texts
from api.console.web import pages
from api.http.answers import allowed_now
from api.http.auth import Parts
from domain.case.phases.arrangements import Arrangement
from domain.core.personal import readable
from domain.stages.travel.backward_plan import backward_plan, planned_infusion
from domain.stages.travel.moving_costs import movable
from domain.stages.travel.readiness import OPEN, arrival_items

router = pages()


@dataclass(frozen=True, slots=True)
class ArrangedRow:
    """One arrangement in words. `acts` are the commands that may be given about it now.

    `tell` is the name under which it can be said what moving it costs; empty = nobody reckons with it.
    """

    id: str
    kind: str
    asked_of: str
    state: str
    when: str
    details: Sequence[str]
    slots: Sequence[str]
    acts: Sequence[str]
    tell: str


@router.get("/console/cases/{case}/stay")
async def stay_page(
    case: str, request: Request, service: Parts, viewer: Viewer, infusion: date | None = None
) -> Response:
    """Show what is arranged, what must be there, and the plan backwards from the infusion."""
    one = await opened(request, service, viewer, case, NOW)
    policy = service.commands.policy
    planned = planned_infusion(one.case, policy)
    day = infusion or planned
    may = allowed_now(viewer.who, one.case)
    return shown_part(
        request,
        viewer,
        one,
        "stay",
        arranged=[_row(a, one.speaker, may) for a in one.case.arrangements.values()],
        ready=arrival_items(one.case),
        open_states=OPEN,
        plan=backward_plan(one.case, infusion, one.now, policy) if day else (),
        infusion=day,
        may=may,
    )


ACTS = ("ConfirmArrangement", "ChooseSlot", "AskArrangementAgain", "RefuseArrangement", "CancelArrangement")
AFTER = {"over": ACTS[:0], "cancelled": ("AskArrangementAgain",)}


def _row(a: Arrangement, speaker: FactWriter, may: Sequence[str]) -> ArrangedRow:
    t, clock = speaker.clock.t, speaker.clock
    acts = [name for name in AFTER.get(a.state, ACTS) if name in may and (name != "ChooseSlot" or a.slots)]
    return ArrangedRow(
        a.id,
        t.named("kind", a.kind),
        t.named("asked_of", a.asked_of),
        t.named("state", a.state),
        f"{clock.instant(a.starts)} - {clock.instant(a.ends)}",
        arrangement_details(t, a, identity="identity" in speaker.visible),
        [f"{clock.instant(slot.starts)} - {clock.instant(slot.ends)}" for slot in a.slots],
        acts,
        f"{a.kind}:{a.id}" if f"{a.kind}:{a.id}" in movable(speaker.case) and "RecordMovingCost" in may else "",
    )


def arrangement_details(t: Texts, a: Arrangement, *, identity: bool) -> Sequence[str]:
    """Say what is known of an arrangement; names and places only for whoever may see persons."""
    plain = [
        f"{a.distance_km} km" if a.distance_km is not None else "",
        f"{t.named('field', 'payer')}: {t.named('payer', a.payer)}" if a.payer else "",
        f"{a.language_from} → {a.language_to}" if a.language_to else "",
        t.named("mode", a.mode) if a.mode else "",
        t.named("setting", a.setting) if a.setting else "",
    ]
    told = (a.place, a.flight, a.contact, a.phone, a.emergency_number) if identity else ()
    return [text for text in (*plain, *(str(one) for one in told if readable(one))) if text]

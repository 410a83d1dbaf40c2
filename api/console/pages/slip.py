"""The page of a slip: what does not hold on a day of arrival, each with a tick that asks for it when sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from fastapi import Request
from fastapi.responses import Response

from api.console.forms.form_restore import shown_to
from api.console.overview.costs import range_in_words
from api.console.pages.case import opened, shown_part
from api.console.pages.travel import NOW
from api.console.session import Viewer, fresh_key
from api.console.text.fact_text import FactWriter
from api.console.web import pages
from api.http.answers import allowed_now
from api.http.auth import Parts
from domain.case.costs import Item
from domain.stages.schedule.infusion_slip import (
    expected_infusion,
    infusion_slip,
    moved_infusion,
    next_infusion,
    there,
)
from domain.stages.travel.arrangement_kinds import planned_arrival
from domain.stages.travel.moving_costs import movable
from domain.stages.treatment.slip import SlipLine, next_day, slip, sums

router = pages()


@dataclass(frozen=True, slots=True)
class SlipRow:
    """One step in words. `name` is what the form sends; `price` is empty where the case knows no sum.

    `tell` is the name under which its cost can be told; empty = nothing of it is held.
    """

    name: str
    words: str
    why: str
    mend: str
    to: str
    lost: str
    cost: str
    tell: str
    price: str
    asked: bool


@router.get("/console/cases/{case}/slip")
async def slip_page(
    case: str,
    request: Request,
    service: Parts,
    viewer: Viewer,
    arrives: date | None = None,
    infusion_day: date | None = None,
) -> Response:
    """Show what moves with the arrival, or with the infusion of a patient who is there, and the form that moves it."""
    one = await opened(request, service, viewer, case, NOW)
    policy = service.commands.policy
    if then := infusion_day is not None or (arrives is None and there(one.case)):
        day = infusion_day or next_infusion(one.case, one.now, policy)
        lines, planned = infusion_slip(one.case, day, one.now, policy), expected_infusion(one.case, policy)
    else:
        day = arrives or next_day(one.case, one.now) or one.now.date()
        lines, planned = slip(one.case, day, one.now, policy), planned_arrival(one.case)
    moved = moved_infusion(one.case) if then else one.case.moved
    left = moved.left_out if moved else ()
    may, open_lines = allowed_now(viewer.who, one.case), [line for line in lines if not line.asked]
    return shown_part(
        request,
        viewer,
        one,
        "slip",
        rows=[_row(line, one.speaker) for line in lines],
        sums=", ".join(f"{_range(s.low, s.high, one.speaker)} {s.currency}" for s in sums(lines)),
        untold=sum(line.cost is None for line in open_lines),
        day=day,
        planned=planned,
        named="infusion_day" if then else "arrives",
        command="MoveInfusion" if then else "MoveArrival",
        texts="there_" if then else "",
        left=[_words(step.kind, step.about, one.speaker) for step in left],
        may_move=("MoveInfusion" if then else "MoveArrival") in may,
        may_tell="RecordMovingCost" in may,
        key=fresh_key(),
        version=one.case.people_version,
        shown=await shown_to(service, viewer.who.id),
    )


def _words(kind: str, about: str, speaker: FactWriter) -> str:
    words = speaker.clock.t.named("kind", kind)
    return f"{words}, {speaker.person(about)}" if about in speaker.case.people else words


def _row(line: SlipLine, speaker: FactWriter) -> SlipRow:
    t, clock, step = speaker.clock.t, speaker.clock, line.step
    until = clock.instant(step.until) if step.until else ""
    why = t(f"slip_why.{line.why}", until=until, needed=clock.instant(step.needed))
    return SlipRow(
        step.name,
        _words(step.kind, step.about, speaker),
        why,
        t.named("mend", line.mend),
        t.named("party", line.to.value),
        t(f"slip_lost.{line.lost}") if line.lost else "",
        _cost(line, speaker),
        step.name if step.name in movable(speaker.case) else "",
        _price(line, speaker),
        line.asked,
    )


def _cost(line: SlipLine, speaker: FactWriter) -> str:
    """Say what moving it costs and when that was told, or whom to ask."""
    t, clock, known = speaker.clock.t, speaker.clock, line.cost
    if known is None:
        return t("slip.ask", who=t.named("told_by", line.told_by))
    sum_ = f"{_range(known.low, known.high, speaker)} {known.currency}"
    words = [sum_]
    if line.free and known.free_until:
        words = [t("slip.free", until=clock.instant(known.free_until)), t("slip.from_then", sum=sum_)]
    return "; ".join([*words, t("slip.told", at=clock.day(known.told.astimezone(clock.zone).date()))])


def _price(line: SlipLine, speaker: FactWriter) -> str:
    if line.price is None or line.priced is None:
        return ""
    at = speaker.clock.day(line.priced.astimezone(speaker.clock.zone).date())
    return f"{range_in_words(line.price, speaker)} {line.currency}; {speaker.clock.t('slip.told', at=at)}"


def _range(low: int, high: int, speaker: FactWriter) -> str:
    return range_in_words(Item(low, high), speaker)

"""The timeline of a case: everything that was recorded, the newest first, whole or what is asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from fastapi import Request
from fastapi.responses import Response

from api.console.overview.case_status import StagedFact, staged
from api.console.pages.case import OpenedCase, opened, shown_part
from api.console.pages.travel import AtMoment, Moment
from api.console.session import Viewer
from api.console.text.texts import Texts
from api.console.web import pages
from api.http.auth import Parts
from domain.case.stage import Stage

router = pages()
PAGE = 150
LAST = 2**31 - 1
Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class TimelineFilter:
    """Says which facts are asked for; what is empty asks nothing. `until`: a day of the viewer's zone, included."""

    by: str = ""
    kind: str = ""
    stage: str = ""
    until: str = ""

    @property
    def asks(self) -> bool:
        """Return whether anything is left out."""
        return bool(self.by or self.kind or self.stage or self.until)

    def query(self, moment: Moment, **other: object) -> str:
        """Return the end of the address that shows this, at that moment."""
        return moment.query(by=self.by, kind=self.kind, stage=self.stage, until=self.until, **other)


@router.get("/console/cases/{case}/timeline")
async def timeline(
    case: str,
    request: Request,
    service: Parts,
    viewer: Viewer,
    before: int = LAST,
    *,
    moment: AtMoment,
) -> Response:
    """Show everything that was recorded, or what of it is asked for; a choice the case does not have is left out."""
    one = await opened(request, service, viewer, case, moment)
    every = staged(one.facts)
    choices = _choices(one, every, viewer.t)
    given = request.query_params
    chosen = {name: given[name] for name, those in choices.items() if given.get(name) in dict(those)}
    asked = TimelineFilter(**chosen, until=_day(given.get("until", "")))
    end = _end(asked.until, viewer.zone)
    found = [s.fact for s in every if s.fact.version < before and _meant(s, asked, end)]
    told = [one.speaker.fact(fact) for fact in reversed(found[-PAGE:])]
    older = told[-1].version if len(found) > PAGE else None
    return shown_part(
        request, viewer, one, "timeline", told=told, older=older, before=before < LAST, asked=asked, choices=choices
    )


def _choices(one: OpenedCase, every: Sequence[StagedFact], t: Texts) -> dict[str, Choices]:
    """What there is to choose from in this case, in the viewer's words; the stages in the journey's order."""
    who = {s.by: one.speaker.actor(s.fact) for s in every}
    kinds = {s.fact.event.type: t.named("event", s.fact.event.type) for s in every}
    entered = {s.stage for s in every}
    return {
        "by": sorted(who.items(), key=lambda pair: pair[1]),
        "kind": sorted(kinds.items(), key=lambda pair: pair[1]),
        "stage": [(stage.value, t.named("stage", stage.value)) for stage in Stage if stage in entered],
    }


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _end(day: str, zone: tzinfo) -> datetime | None:
    """The end of a day in a zone; None = no end."""
    try:
        return datetime.fromisoformat(day).replace(tzinfo=zone) + timedelta(days=1) if day else None
    except OverflowError:
        return None


def _meant(staged_fact: StagedFact, asked: TimelineFilter, end: datetime | None) -> bool:
    s = staged_fact
    return (
        asked.by in ("", s.by)
        and asked.kind in ("", s.fact.event.type)
        and asked.stage in ("", s.stage.value)
        and (end is None or s.fact.at < end)
    )

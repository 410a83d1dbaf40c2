"""Draws when what a case rests on begins and ends: one bar or mark each, with today's line, what has ended in red."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from api.console.text.fact_text import FactWriter
from domain.case.state import Case
from domain.core.fact import Fact
from domain.stages.follow_up.follow_up import visit_lines

ROW, WIDTH, LABEL, FOOT = 24, 900, 210, 20
SAID, GAP, MONTH = 130, 8, 60
"""Room for what is said of an end, its distance, and room for the name of a month."""
LONGEST = 26
AHEAD, MARGIN = timedelta(days=120), timedelta(days=4)
"""How far behind today visits of the follow-up are drawn; what is left free at both ends."""
TRACKS = ("quote", "dose", "bed", "letter", "fit_to_travel")
MONTHS, TICKS = 12, 8


@dataclass(frozen=True, slots=True)
class DatedSpan:
    """Something dated: from `begins`, None = not known, to `ends`; the same instant twice is a mark."""

    words: str
    begins: datetime | None
    ends: datetime
    stays: bool = False
    """What has happened does not lapse; what is held does."""


@dataclass(frozen=True, slots=True)
class DatedRow:
    """One row of the picture: its words, the bar or mark, and what is said of its end."""

    words: str
    says: str
    y: int
    x: float
    width: float
    lapsed: bool
    mark: bool
    at: float
    """Where its end is said, which is left of it where `before`."""
    before: bool


@dataclass(frozen=True, slots=True)
class MonthMark:
    """The first day of a month, by its place."""

    words: str
    x: float


@dataclass(frozen=True, slots=True)
class DatesChart:
    """The whole picture; `today` is the place of the line."""

    rows: Sequence[DatedRow]
    months: Sequence[MonthMark]
    today: float
    height: int
    width: int = WIDTH


def dates_chart(case: Case, facts: Sequence[Fact[object]], now: datetime, speaker: FactWriter) -> DatesChart | None:
    """Return the picture of a case at an instant; None where nothing of it has a date."""
    told = {fact.id: fact.at for fact in facts}
    spans = [*_held(case, told, speaker), *_stay(case, facts, speaker), *_given(case, speaker)]
    if not spans:
        return None
    reach = max([now + AHEAD, *(one.ends for one in spans)])
    rows = [*spans, *_visits(case, reach, speaker)]
    first = min([now, *(one.begins or one.ends for one in rows)]) - MARGIN
    last = max([now, *(one.ends for one in rows)]) + MARGIN

    def place(at: datetime) -> float:
        return round(LABEL + (at - first) / (last - first) * (WIDTH - LABEL), 1)

    drawn = [_row(n, one, now, speaker, place(one.begins or one.ends), place(one.ends)) for n, one in enumerate(rows)]
    named = [MonthMark(words, place(at)) for words, at in _months(first, last, speaker)]
    months = [month for month in named if month.x + MONTH <= WIDTH]
    return DatesChart(drawn, months, place(now), len(rows) * ROW + FOOT)


def _row(n: int, one: DatedSpan, now: datetime, speaker: FactWriter, x: float, end: float) -> DatedRow:
    clock, t = speaker.clock, speaker.clock.t
    day = clock.day(one.ends.astimezone(clock.zone).date())
    lapsed = not one.stays and one.ends <= now
    plain = one.stays or one.begins == one.ends
    says = t("dates.lapsed", day=day) if lapsed else day if plain else t("dates.until", day=day)
    mark = one.begins is None or end - x < 1
    before = end + SAID > WIDTH and x - SAID > LABEL
    at = x - GAP if before else end + GAP if end + SAID <= WIDTH else x + GAP
    return DatedRow(one.words, says, n * ROW, x, round(max(end - x, 2.0), 1), lapsed, mark, at, before)


def _held(case: Case, told: dict[str, datetime], speaker: FactWriter) -> Iterator[DatedSpan]:
    """Acceptances, and the tracks that hold until an instant."""
    t = speaker.clock.t
    accepted = [one for one in case.submissions.values() if one.state == "accepted" and one.valid_until]
    for one in accepted:
        assert one.valid_until is not None
        words = t.named("kind", "acceptance") if len(accepted) == 1 else speaker.label(one.centre)
        yield DatedSpan(_short(words), told.get(one.fact), one.valid_until)
    for name in TRACKS:
        track = getattr(case, name)
        if track.until and track.state in ("held", "asked"):
            yield DatedSpan(t.named("track", name), told.get(track.fact), track.until)


def _short(words: str) -> str:
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"


def _stay(case: Case, facts: Iterable[Fact[object]], speaker: FactWriter) -> Iterator[DatedSpan]:
    """Visas, each from the day it was granted, and the permitted stay."""
    t = speaker.clock.t
    granted = {getattr(f.event, "person", ""): f.at for f in facts if type(f.event).__name__ == "VisaGranted"}
    for visa in case.visas.values():
        if visa.valid_until and visa.state in ("granted", "lapsed"):
            words = t.named("track", "visa")
            words += f", {speaker.label(visa.person)}" if len(case.visas) > 1 else ""
            yield DatedSpan(_short(words), granted.get(visa.person), visa.valid_until)
    if case.entered and case.stay_until:
        yield DatedSpan(t.named("kind", "stay"), case.entered, case.stay_until)


def _given(case: Case, speaker: FactWriter) -> Iterator[DatedSpan]:
    """Lymphodepletion and infusions of every treatment, for whoever may read what was given."""
    if "clinical" not in speaker.visible:
        return
    t = speaker.clock.t
    for treatment in case.treatments:
        days = [one.on for one in treatment.days if one.on]
        days += [treatment.plan.on(day) for day in treatment.plan.days] if treatment.plan else []
        if days:
            ends = datetime.combine(max(days) + timedelta(days=1), time(), UTC)
            yield DatedSpan(
                t.named("stage", "lymphodepletion"), datetime.combine(min(days), time(), UTC), ends, stays=True
            )
        for one in treatment.infusions:
            if one.occurred.earliest:
                at = one.occurred.earliest
                yield DatedSpan(t("dates.infusion", n=one.number), at, at, stays=True)


def _visits(case: Case, until: datetime, speaker: FactWriter) -> Iterator[DatedSpan]:
    """The visits of the follow-up that are still to be reported, as far as the picture reaches."""
    for visit in visit_lines(case):
        if visit.stands in ("owed", "ahead", "missed") and visit.due <= until:
            yield DatedSpan(speaker.clock.t("dates.visit", name=visit.name), visit.due, visit.due)


def _months(first: datetime, last: datetime, speaker: FactWriter) -> Iterator[tuple[str, datetime]]:
    """Months that begin inside, so far apart that their names do not touch."""
    t, zone = speaker.clock.t, speaker.clock.zone
    months = range(first.year * MONTHS + first.month, last.year * MONTHS + last.month)
    step = max(1, -(-len(months) // TICKS))
    for n in months[::step]:
        year, month = divmod(n, MONTHS)
        yield f"{t(f'month.m{month + 1}')} {year}", datetime(year, month + 1, 1, tzinfo=zone)

"""The days after an infusion [S9]: what is looked at on each, as the protocol plans it, told or chased.

Planned when the cells go in [monitoring.planned]: a protocol that reads otherwise later changes no plan that has begun,
and infusions told before there were plans have none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, assert_never, get_args

from domain.case.phases.monitoring import Monitoring, MonitoringDay
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Owes, Rule, Takes
from domain.case.treatment import Infusion
from domain.core.about import About
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, readable
from domain.core.planned_check import MonitoringCheck, PlannedCheck
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.core.when import When
from domain.stages.governing.by_class import class_of
from domain.stages.treatment.lymphodepletion import local_day, zone_of

DEFAULT: tuple[PlannedCheck, ...] = (
    PlannedCheck(what="clinical_check", days=(0, 1, 2, 3, 4, 5, 6, 7, 14)),
    PlannedCheck(what="blood_count", days=(7, 14, 21, 28), window=1),
    PlannedCheck(what="viral_tests", days=(7, 14, 21, 28), window=1),
    PlannedCheck(what="persistence", days=(7, 14, 28), window=1),
    PlannedCheck(what="response", days=(28,), window=3),
)
"""Where the protocol says nothing [monitoring.default]."""
TOLD_BY = time(12)
"""A day is told by noon of the one after its window, where the centre is [monitoring.day-told]."""


@dataclass(frozen=True, slots=True)
class RecordMonitoring:
    """The hospital looked at the patient on a planned day after the infusion.

    `day` counts from the infusion, day 0; `infusion` is which of the patient's, None = the last. `what` empty =
    everything planned and not told yet. `finding` is what was found, in the hospital's words. Grades, infections and
    laboratory results are told by their own commands.
    """

    day: int
    what: tuple[MonitoringCheck, ...] = ()
    finding: Clinical = ""
    occurred: When | None = None
    infusion: int | None = None
    type: Literal["RecordMonitoring"] = "RecordMonitoring"


@dataclass(frozen=True, slots=True)
class SkipMonitoring:
    """Planned checks of a day were not made, and why; `what` empty = all that were not told yet."""

    day: int
    reason: Clinical
    what: tuple[MonitoringCheck, ...] = ()
    occurred: When | None = None
    infusion: int | None = None
    type: Literal["SkipMonitoring"] = "SkipMonitoring"


Command = RecordMonitoring | SkipMonitoring


@dataclass(frozen=True, slots=True)
class MonitoringPlanned:
    """The days after an infusion are planned. `by_protocol`: the protocol names them, else the field's default."""

    infusion: int
    checks: tuple[PlannedCheck, ...]
    by_protocol: bool
    type: Literal["MonitoringPlanned"] = "MonitoringPlanned"


@dataclass(frozen=True, slots=True)
class MonitoringRecorded:
    """What was looked at on a day after an infusion."""

    infusion: int
    day: int
    what: tuple[MonitoringCheck, ...]
    finding: Clinical
    type: Literal["MonitoringRecorded"] = "MonitoringRecorded"


@dataclass(frozen=True, slots=True)
class MonitoringSkipped:
    """Planned checks of a day after an infusion were not made."""

    infusion: int
    day: int
    what: tuple[MonitoringCheck, ...]
    reason: Clinical
    type: Literal["MonitoringSkipped"] = "MonitoringSkipped"


Event = MonitoringPlanned | MonitoringRecorded | MonitoringSkipped

TAKES = (
    Takes(
        RecordMonitoring,
        (MonitoringRecorded,),
        at=stages(Stage.LYMPHODEPLETION),
        by=Action.ANSWER,
        answers=("monitoring_day",),
    ),
    Takes(
        SkipMonitoring,
        (MonitoringSkipped,),
        at=stages(Stage.LYMPHODEPLETION),
        by=Action.ANSWER,
        answers=("monitoring_day",),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide what is told of a day: return the events it brings about. Raises Refused."""
    plan = _plan(case, command.infusion)
    day = command.day
    words = ", ".join(map(str, plan.days))
    require(day in plan.days, Reason.INVALID, f"nothing is planned on that day; the days planned are: {words}", "day")
    match command:
        case RecordMonitoring():
            _require_come(case, plan, day, now)
            left = tuple(row.what for row in plan.untold(day))
            done = command.what or left
            words = "everything planned on that day is told; name what was looked at"
            require(done, Reason.ALREADY, words, "what")
            return [MonitoringRecorded(plan.infusion, day, tuple(dict.fromkeys(done)), command.finding)]
        case SkipMonitoring():
            return [_skipped(plan, command)]
        case _:
            assert_never(command)


def _skipped(plan: Monitoring, c: SkipMonitoring) -> Event:
    require(readable(c.reason), Reason.INVALID, "say why it was not looked at", "reason")
    left = [row.what for row in plan.untold(c.day)]
    require(left, Reason.ALREADY, "everything planned on that day is told; correct that fact instead", "day")
    words = f"not told of that day are: {', '.join(left)}"
    require(all(what in left for what in c.what), Reason.INVALID, words, "what")
    return MonitoringSkipped(plan.infusion, c.day, c.what or tuple(left), c.reason)


def _plan(case: Case, infusion: int | None) -> Monitoring:
    found = [plan for plan in case.monitoring if infusion in (None, plan.infusion)]
    if not found:
        words = "no days are planned after that infusion; what was found is reported as it is (ReportLaboratory …)"
        raise Refused(Reason.NOT_NOW, words, "infusion")
    return found[-1]


def _require_come(case: Case, plan: Monitoring, day: int, now: datetime) -> None:
    """Refuse what nobody can have seen: a day whose window has not begun, where the centre is."""
    start = _day_0(case, plan)
    opens = min(day - row.window for row in plan.on(day))
    come = start is None or start + timedelta(days=opens) <= now.astimezone(zone_of(case)).date()
    require(come, Reason.INVALID, "that day is still to come", "day")


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold a plan, or what was told of one of its days."""
    event = fact.event
    match event:
        case MonitoringPlanned():
            planned = Monitoring(event.infusion, event.checks, event.by_protocol)
            return replace(case, monitoring=(*case.monitoring, planned))
        case MonitoringRecorded():
            return _told(case, event)
        case MonitoringSkipped():
            return _told(case, event)
        case _:
            assert_never(event)


def _told(case: Case, event: MonitoringRecorded | MonitoringSkipped) -> Case:
    """What was made stays made, whatever is told of it later; what was left out may still be made."""
    plan = next((known for known in case.monitoring if known.infusion == event.infusion), None)
    if plan is None:
        return case
    before = plan.told_of(event.day)
    if isinstance(event, MonitoringRecorded):
        done = tuple(dict.fromkeys((*before.done, *event.what)))
        skipped = tuple(what for what in before.skipped if what not in done)
        finding = _text(event.finding) or before.finding
        after = replace(before, done=done, skipped=skipped, finding=finding)
    else:
        left = tuple(dict.fromkeys((*before.skipped, *event.what)))
        skipped = tuple(what for what in left if what not in before.done)
        after = replace(before, skipped=skipped, reason=_text(event.reason))
    others = (told for told in plan.told if told.day != event.day)
    changed = replace(plan, told=tuple(sorted((*others, after), key=lambda told: told.day)))
    return replace(case, monitoring=tuple(changed if known is plan else known for known in case.monitoring))


def _text(said: object) -> str:
    """Nothing where its key is gone."""
    return said if isinstance(said, str) else ""


def planned_by_class(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Plan the days after an infusion by the protocol, else by the default and what the product's class adds to it."""
    planned = planned_with_the_cells(case, now, ids, policy)
    added = tuple(PlannedCheck(what=what, days=days, window=1) for what, days in class_of(case).checks)
    return [one if one.by_protocol else replace(one, checks=(*one.checks, *added)) for one in planned]


def planned_with_the_cells(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[MonitoringPlanned]:
    """Plan them by the protocol as the case knows it when the cells are told, else alike: the rule of before."""
    last = case.infusions[-1] if case.infusions else None
    if last is None or not last.monitored or any(known.infusion == last.number for known in case.monitoring):
        return []
    said: tuple[PlannedCheck, ...] = tuple(case.noted(case.protocol).get("monitoring", ()))
    return [MonitoringPlanned(last.number, said or DEFAULT, bool(said))]


GROUNDS = ("InfusionCompleted", "ProtocolStateNoted")
RULES = (Rule("monitoring_planned", 2, planned_by_class, GROUNDS, (MonitoringPlanned,)),)
EARLIER = (Rule("monitoring_planned", 1, planned_with_the_cells, GROUNDS, (MonitoringPlanned,)),)
"""Before the class of a product added to the days."""


def _infusion(case: Case, number: int) -> Infusion | None:
    return next((known for known in case.infusions if known.number == number), None)


def _day_0(case: Case, plan: Monitoring) -> date | None:
    """The date of the infusion where the centre is; None while it is not known to the day."""
    known = _infusion(case, plan.infusion)
    return local_day(case, known.occurred) if known else None


def runs(case: Case, plan: Monitoring) -> bool:
    """Return whether days of a plan are owed: of the last infusion, while the patient is there and data may be kept.

    Who leaves the trial has the cells all the same, and is looked after until home or out of follow-up.
    """
    last = bool(case.infusions) and case.infusions[-1].number == plan.infusion
    withdrawn = any(one.purpose == "data_processing" and not one.given for one in case.consents.values())
    there = case.home is None and not (case.died or case.exit or withdrawn)
    return last and there and case.follow_up == "open" and _day_0(case, plan) is not None


def _untold(case: Case) -> Iterable[str]:
    """One day at a time: the first that is neither told nor missed; beside it the first missed one, which is chased."""
    plan = case.monitoring[-1] if case.monitoring else None
    if plan is None or not runs(case, plan):
        return []
    left = [f"{plan.infusion}/{day}" for day in plan.days if plan.untold(day)]
    over = {o.about for o in case.obligations.values() if o.kind == "monitoring_day" and o.state == "missed"}
    missed = [about for about in left if about in over]
    ahead = [about for about in left if about not in over]
    return [*missed[:1], *ahead[:1]]


def _of(case: Case, about: str) -> Monitoring | None:
    return next((plan for plan in case.monitoring if str(plan.infusion) == About.of(about).id), None)


def _met(case: Case, about: str) -> bool:
    plan = _of(case, about)
    return plan is not None and not plan.untold(About.of(about).number)


def _told_by(case: Case, about: str) -> datetime | None:
    """By noon of the day after the window; where several checks are left, after that of the soonest."""
    plan = _of(case, about)
    day_0 = _day_0(case, plan) if plan else None
    if plan is None or day_0 is None:
        return None
    day = About.of(about).number
    left = plan.untold(day) or plan.on(day)
    following = day_0 + timedelta(days=day + min(row.window for row in left) + 1)
    return datetime.combine(following, TOLD_BY, zone_of(case)).astimezone(UTC)


OWES = (Owes("monitoring_day", Party.HOSPITAL, Party.COORDINATOR, _untold, _met, _told_by),)


Stands = Literal["done", "skipped", "missed", "owed", "ahead", "ended"]


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check of a day and how it stands."""

    what: MonitoringCheck
    stands: Stands


@dataclass(frozen=True, slots=True)
class MonitoringLine:
    """One day after an infusion: its date, None = unknown, and how each planned check stands.

    `missed`: it was to be told and was not; `ended`: nobody owes it any more.
    """

    day: int
    on: date | None
    checks: tuple[CheckLine, ...]
    finding: str
    reason: str


@dataclass(frozen=True, slots=True)
class MonitoringTable:
    """The days after one infusion; `by_protocol`: the protocol names them, else the field's default."""

    infusion: int
    by_protocol: bool
    lines: tuple[MonitoringLine, ...]


def monitoring_tables(case: Case) -> Sequence[MonitoringTable]:
    """Return the planned days after every infusion, in order."""
    return [
        MonitoringTable(plan.infusion, plan.by_protocol, tuple(_line(case, plan, day) for day in plan.days))
        for plan in case.monitoring
    ]


def _line(case: Case, plan: Monitoring, day: int) -> MonitoringLine:
    told, start = plan.told_of(day), _day_0(case, plan)
    left = _left(case, plan, day)
    planned = tuple(row.what for row in plan.on(day))
    extra = tuple(what for what in CHECKS if what in told.done and what not in planned)
    checks = tuple(CheckLine(what, _stands(told, what, left)) for what in (*planned, *extra))
    on = start + timedelta(days=day) if start else None
    return MonitoringLine(day, on, checks, told.finding, told.reason)


CHECKS: tuple[MonitoringCheck, ...] = get_args(MonitoringCheck)


def _stands(told: MonitoringDay, what: str, left: Stands) -> Stands:
    return "done" if what in told.done else "skipped" if what in told.skipped else left


def _left(case: Case, plan: Monitoring, day: int) -> Stands:
    """How the checks of a day stand of which nothing was told."""
    about = f"{plan.infusion}/{day}"
    owed = case.latest("monitoring_day", about)
    if owed is not None and owed.state == "missed":
        return "missed"
    if not runs(case, plan):
        return "ended"
    return "owed" if owed is not None and owed.state == "open" else "ahead"

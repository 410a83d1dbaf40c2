"""Safety, also after closing: a near miss, a new cancer, a recalled lot, a grade that calls somebody [P8].

Answered within a day, a grade within hours [safety.answer]; reported to an authority in time [safety.reporting].
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal, assert_never

from domain.case.asking import notice
from domain.case.phases.redosing import GradeTold
from domain.case.phases.treatment import Alert, Episode
from domain.case.stage import EVERY_STAGE, Stage, stages
from domain.case.state import Case
from domain.case.table import Owes, Rule, Takes, Wants
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, Trace, readable
from domain.core.policy import Party, Policy
from domain.core.when import When
from domain.grading import kinds


@dataclass(frozen=True, slots=True)
class ReportMalignancy:
    """A new cancer after integrating cells."""

    detail: Clinical
    occurred: When | None = None
    type: Literal["ReportMalignancy"] = "ReportMalignancy"


@dataclass(frozen=True, slots=True)
class AnswerAlert:
    """A party has dealt with an alert: patient seen, manufacturer and authorities told, as it falls to them."""

    alert: str
    party: Literal["coordinator", "hospital"]
    note: Clinical = ""
    type: Literal["AnswerAlert"] = "AnswerAlert"


@dataclass(frozen=True, slots=True)
class RecordSafetyReport:
    """The authority or sponsor was told of an alert, or the clinician says why it is not to be reported."""

    alert: str
    reported: bool
    to: Clinical = ""
    reason: Clinical = ""
    occurred: When | None = None
    type: Literal["RecordSafetyReport"] = "RecordSafetyReport"


Command = ReportMalignancy | AnswerAlert | RecordSafetyReport


@dataclass(frozen=True, slots=True)
class MalignancyReported:
    """A new cancer was found."""

    detail: Clinical
    type: Literal["MalignancyReported"] = "MalignancyReported"


@dataclass(frozen=True, slots=True)
class RecallReached:
    """A lot was recalled of which this patient has cells."""

    lot: Trace
    type: Literal["RecallReached"] = "RecallReached"


@dataclass(frozen=True, slots=True)
class ExcursionReached:
    """A unit that this patient got turned out to have lain in a store that was too warm or unwatched."""

    lot: Trace
    unit: Trace
    type: Literal["ExcursionReached"] = "ExcursionReached"


@dataclass(frozen=True, slots=True)
class AlertAnswered:
    """A party has dealt with an alert."""

    alert: str
    party: Literal["coordinator", "hospital"]
    note: Clinical
    type: Literal["AlertAnswered"] = "AlertAnswered"


@dataclass(frozen=True, slots=True)
class AdverseEventAlerted:
    """A grade was reached from which on others must know; it is reported until then if it was not expected."""

    kind: Clinical
    name: Clinical
    grade: int
    report_by: datetime
    type: Literal["AdverseEventAlerted"] = "AdverseEventAlerted"


@dataclass(frozen=True, slots=True)
class SafetyReportRecorded:
    """An alert was reported to the authority or sponsor, or is not to be, and why."""

    alert: str
    reported: bool
    to: Clinical
    reason: Clinical
    type: Literal["SafetyReportRecorded"] = "SafetyReportRecorded"


Event = (
    MalignancyReported | RecallReached | ExcursionReached | AlertAnswered | AdverseEventAlerted | SafetyReportRecorded
)

TAKES = (
    Takes(ReportMalignancy, (MalignancyReported,), at=stages(Stage.ADMISSION), over_fhir=True),
    Takes(
        AnswerAlert,
        (AlertAnswered,),
        at=EVERY_STAGE,
        over_fhir=True,
        answers=("tell_centre_of_alert", "safety_answer", "urgent_answer"),
        settles=("safety_alert", "urgent_alert"),
    ),
    Takes(RecordSafetyReport, (SafetyReportRecorded,), at=EVERY_STAGE, over_fhir=True, answers=("safety_report",)),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a safety command: return the events it brings about. Raises Refused."""
    match command:
        case ReportMalignancy():
            return [MalignancyReported(command.detail)]
        case RecordSafetyReport():
            return [_report(case, command)]
        case AnswerAlert():
            known = _known(case, command.alert)
            require(command.party not in known.answered, Reason.ALREADY, "that party has answered", "party")
            return [AlertAnswered(command.alert, command.party, command.note)]
        case _:
            assert_never(command)


def _known(case: Case, alert: str) -> Alert:
    if alert not in case.alerts:
        raise Refused(Reason.NOT_FOUND, "no such alert in this case", "alert")
    return case.alerts[alert]


def _report(case: Case, c: RecordSafetyReport) -> Event:
    known = _known(case, c.alert)
    require(known.report_by is not None, Reason.NOT_NOW, "an alert of this kind is not reported from here", "alert")
    require(not known.reported, Reason.ALREADY, "it is said whether it was reported", "alert")
    require(not c.reported or readable(c.to), Reason.INVALID, "say to whom it was reported", "to")
    require(c.reported or readable(c.reason), Reason.INVALID, "say why it is not to be reported", "reason")
    return SafetyReportRecorded(c.alert, c.reported, c.to, c.reason)


def _episode(case: Case, kind: str, name: str) -> Episode | None:
    key = kinds.episode_of(kind, name)
    return next((e for e in case.episodes.values() if kinds.episode_of(e.kind, e.name) == key), None)


def called_for(case: Case, kind: str, name: str, grade: int | None, now: datetime) -> Sequence[AdverseEventAlerted]:
    """Return the alert that a grade after treatment began raises: once, and again for each higher one of an episode."""
    begun = case.treatment is not None and not case.treatment.untouched
    if grade is None or not begun or not kinds.alerts(kind, grade):
        return []
    known = _episode(case, kind, name)
    if known is not None and not known.over and known.alerted >= grade:
        return []
    return [AdverseEventAlerted(kind, name, grade, now + kinds.report_within(grade))]


def graded(case: Case, kind: str, name: str, grade: int | None, fact: str, calculated: int | None = None) -> Case:
    """Fold a grade into its episode; grade 0 ends it, and what comes after an end begins anew."""
    known = _episode(case, kind, name)
    before = known if known and not known.over else Episode(kind, name, known.fact if known else fact, None, 0)
    computed = before.calculated if calculated is None else calculated
    highest = max(before.highest, grade or 0)
    after = replace(before, grade=grade, highest=highest, calculated=computed, over=grade == 0)
    return replace(case, episodes={**case.episodes, after.fact: after})


def with_grade(case: Case, fact: str, told: GradeTold) -> Case:
    """Fold a grade with its date, beside the episode it belongs to."""
    return replace(case, grades={**case.grades, fact: told})


def ended(case: Case, name: str) -> Case:
    """Fold that an adverse event is over."""
    known = _episode(case, kinds.kind_of(name), name)
    return replace(case, episodes={**case.episodes, known.fact: replace(known, over=True)}) if known else case


def _alerted(case: Case, event: AdverseEventAlerted, fact: str) -> Case:
    raised = _raised(case, Alert(fact, "adverse_event", "", report_by=event.report_by))
    if not isinstance(event.kind, str) or not isinstance(event.name, str):
        return raised
    known = _episode(case, event.kind, event.name)
    after = replace(known, alerted=event.grade) if known else None
    return replace(raised, episodes={**case.episodes, after.fact: after}) if after else raised


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one safety event; an alert goes by the id of the fact that raised it."""
    event = fact.event
    match event:
        case MalignancyReported():
            return _raised(case, Alert(fact.id, "malignancy", "", occurred=fact.occurred))
        case RecallReached():
            return _raised(case, Alert(fact.id, "recall", event.lot if isinstance(event.lot, str) else ""))
        case ExcursionReached():
            return _raised(case, Alert(fact.id, "excursion", event.unit if isinstance(event.unit, str) else ""))
        case AlertAnswered():
            known = case.alerts.get(event.alert)
            return _raised(case, replace(known, answered=known.answered | {event.party})) if known else case
        case AdverseEventAlerted():
            return _alerted(case, event, fact.id)
        case SafetyReportRecorded():
            known = case.alerts.get(event.alert)
            return _raised(case, replace(known, reported=fact.id)) if known else case
        case _:
            assert_never(event)


def _raised(case: Case, alert: Alert) -> Case:
    return replace(case, alerts={**case.alerts, alert.id: alert})


def recalled(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A recall reaches everybody who has cells of the lot, once, whatever became of the case."""
    known = {a.about for a in case.alerts.values() if a.kind == "recall"}
    infused = dict.fromkeys(i.lot for i in case.infusions if isinstance(i.lot, str) and i.lot)
    return [RecallReached(lot) for lot in infused if case.noted(lot).get("state") == "recalled" and lot not in known]


def warmed(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A store's readings that come after the cells went in reach whoever sees to the patient, once for each unit."""
    known = {a.about for a in case.alerts.values() if a.kind == "excursion"}
    infused = dict.fromkeys((i.lot, i.unit) for i in case.infusions if readable(i.lot) and readable(i.unit))
    stopped = ((lot, unit) for lot, unit in infused if unit in case.noted(str(lot)).get("stopped", ()))
    return [ExcursionReached(lot, unit) for lot, unit in stopped if unit not in known]


LOTS_AND_CELLS = ("LotStateNoted", "InfusionCompleted")
RULES = (
    Rule("recall_reaches_the_patient", 1, recalled, LOTS_AND_CELLS, (RecallReached,)),
    Rule("excursion_reaches_the_patient", 1, warmed, LOTS_AND_CELLS, (ExcursionReached,)),
)


def _open_for(case: Case, party: str, kinds_of: Collection[str] = ()) -> Iterable[str]:
    return [a.id for a in case.alerts.values() if party not in a.answered and (not kinds_of or a.kind in kinds_of)]


def _for_hospital(case: Case, kinds_of: Collection[str] = ()) -> Iterable[str]:
    """The hospital looks at the patient, who must be alive for that."""
    return _open_for(case, "hospital", kinds_of) if case.centre and not case.died else []


def _answered_by(party: str, case: Case, about: str) -> bool:
    return about in case.alerts and party in case.alerts[about].answered


def _to_report(case: Case) -> Iterable[str]:
    return [a.id for a in case.alerts.values() if a.report_by and not a.reported] if case.centre else []


WITHIN_A_DAY = ("malignancy", "recall", "mismatch", "deviation", "excursion", "custody")
WITHIN_HOURS = ("adverse_event",)

OWES = (
    *(
        Owes(
            owed,
            Party.COORDINATOR,
            Party.SUPERVISOR,
            partial(_open_for, party="coordinator", kinds_of=which),
            partial(_answered_by, "coordinator"),
        )
        for owed, which in (("safety_alert", WITHIN_A_DAY), ("urgent_alert", WITHIN_HOURS))
    ),
    *(
        Owes(
            owed,
            Party.HOSPITAL,
            Party.COORDINATOR,
            partial(_for_hospital, kinds_of=which),
            partial(_answered_by, "hospital"),
        )
        for owed, which in (("safety_answer", WITHIN_A_DAY), ("urgent_answer", WITHIN_HOURS))
    ),
    Owes(
        "safety_report",
        Party.HOSPITAL,
        Party.COORDINATOR,
        _to_report,
        lambda c, about: about in c.alerts and bool(c.alerts[about].reported),
        due=lambda c, about: c.alerts[about].report_by if about in c.alerts else None,
    ),
)

WANTS = (
    Wants(
        "tell_centre_of_alert",
        Party.HOSPITAL,
        _for_hospital,
        lambda c, about: _answered_by("hospital", c, about),
        asks=notice("A safety notice concerns this patient"),
    ),
)

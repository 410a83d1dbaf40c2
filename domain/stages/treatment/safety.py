"""Safety, also after closing: a near miss, a new cancer, a recalled lot, answered within a day [P8, safety.answer]."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from domain.case.asking import notice
from domain.case.phases.treatment import Alert
from domain.case.stage import EVERY_STAGE, Stage, stages
from domain.case.state import Case
from domain.case.table import Owes, Rule, Takes, Wants
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Clinical, Trace
from domain.core.policy import Party, Policy
from domain.core.when import When


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


Command = ReportMalignancy | AnswerAlert


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
class AlertAnswered:
    """A party has dealt with an alert."""

    alert: str
    party: Literal["coordinator", "hospital"]
    note: Clinical
    type: Literal["AlertAnswered"] = "AlertAnswered"


Event = MalignancyReported | RecallReached | AlertAnswered

TAKES = (
    Takes(ReportMalignancy, (MalignancyReported,), at=stages(Stage.ADMISSION), over_fhir=True),
    Takes(AnswerAlert, (AlertAnswered,), at=EVERY_STAGE, over_fhir=True),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a safety command: return the events it brings about. Raises Refused."""
    match command:
        case ReportMalignancy():
            return [MalignancyReported(command.detail)]
        case AnswerAlert():
            known = case.alerts.get(command.alert)
            if known is None:
                raise Refused(Reason.NOT_FOUND, "no such alert in this case", "alert")
            require(command.party not in known.answered, Reason.ALREADY, "that party has answered", "party")
            return [AlertAnswered(command.alert, command.party, command.note)]
        case _:
            assert_never(command)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one safety event; an alert goes by the id of the fact that raised it."""
    event = fact.event
    match event:
        case MalignancyReported():
            return _raised(case, Alert(fact.id, "malignancy", ""))
        case RecallReached():
            return _raised(case, Alert(fact.id, "recall", event.lot if isinstance(event.lot, str) else ""))
        case AlertAnswered():
            known = case.alerts.get(event.alert)
            return _raised(case, replace(known, answered=known.answered | {event.party})) if known else case
        case _:
            assert_never(event)


def _raised(case: Case, alert: Alert) -> Case:
    return replace(case, alerts={**case.alerts, alert.id: alert})


def recalled(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A recall reaches everybody who has cells of the lot, once, whatever became of the case."""
    known = {a.about for a in case.alerts.values() if a.kind == "recall"}
    infused = dict.fromkeys(i.lot for i in case.infusions if isinstance(i.lot, str) and i.lot)
    return [RecallReached(lot) for lot in infused if case.noted(lot).get("state") == "recalled" and lot not in known]


RULES = (Rule("recall_reaches_the_patient", 1, recalled, ("LotStateNoted", "InfusionCompleted"), (RecallReached,)),)


def _open_for(case: Case, party: str) -> Iterable[str]:
    return [a.id for a in case.alerts.values() if party not in a.answered]


def _for_hospital(case: Case) -> Iterable[str]:
    """The hospital looks at the patient, who must be alive for that."""
    return _open_for(case, "hospital") if case.centre and not case.died else []


def _answered_by(party: str, case: Case, about: str) -> bool:
    return about in case.alerts and party in case.alerts[about].answered


OWES = (
    Owes(
        "safety_alert",
        Party.COORDINATOR,
        Party.SUPERVISOR,
        lambda c: _open_for(c, "coordinator"),
        lambda c, about: _answered_by("coordinator", c, about),
    ),
    Owes(
        "safety_answer",
        Party.HOSPITAL,
        Party.COORDINATOR,
        _for_hospital,
        lambda c, about: _answered_by("hospital", c, about),
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

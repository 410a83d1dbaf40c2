"""Corrections: a wrong fact is superseded by a right one of the same kind; both stay visible for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, assert_never, get_args

from domain.case.stage import EVERY_STAGE
from domain.case.state import Case
from domain.case.table import Takes
from domain.core.codes import require_days, require_zone
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity, readable
from domain.core.policy import Policy
from domain.core.when import When
from domain.stages.eligibility import eligibility
from domain.stages.intake import inquiry, people
from domain.stages.records import observing
from domain.stages.response import assessing, cell_loss
from domain.stages.schedule import monitoring_days
from domain.stages.travel import visa
from domain.stages.treatment import adverse_events, grading, infusion, lymphodepletion, observations, safety, transplant

Correctable = (
    observations.Command
    | assessing.Command
    | cell_loss.Command
    | adverse_events.Command
    | grading.Command
    | safety.ReportMalignancy
    | transplant.RecordTransplant
    | infusion.RecordInfusion
    | lymphodepletion.RecordDepletion
    | monitoring_days.RecordMonitoring
    | visa.RecordPassport
    | visa.GrantVisa
    | inquiry.StateDiagnosis
    | eligibility.RecordCriterion
    | observing.Command
    | people.AddPerson
)
"""Facts told by people that may be told again. An infusion keeps its place; only its details change."""


@dataclass(frozen=True, slots=True)
class CorrectFact:
    """`fact` was recorded wrongly; `correction` is the command as it should have been; found out at `occurred`."""

    fact: str
    correction: Correctable
    reason: Identity
    occurred: When | None = None
    type: Literal["CorrectFact"] = "CorrectFact"


@dataclass(frozen=True, slots=True)
class FactCorrected:
    """A fact was superseded, and why; the right version follows in the same append."""

    fact: str
    reason: Identity
    type: Literal["FactCorrected"] = "FactCorrected"


def corrected(case: Case, wrong: Any, c: Correctable, now: datetime, ids: Ids, policy: Policy) -> Sequence[Any]:  # noqa: ANN401 - any correctable event
    """Return the right event in the place of the wrong one; what only the first telling could know is kept."""
    same = c.type in TOLD_BY[wrong.type]
    require(same, Reason.INVALID, f"a {wrong.type} is corrected by another {wrong.type}", "correction")
    if isinstance(c, observations.Command):
        return observations.decide(replace(case, died=""), c, now, ids, policy)
    if isinstance(c, assessing.Command):
        return assessing.decide(case, c, now, ids, policy)
    if isinstance(c, cell_loss.Command):
        return cell_loss.decide(case, c, now, ids, policy)
    if isinstance(c, adverse_events.Command):
        return adverse_events.decide(case, c, now, ids, policy)
    if isinstance(c, grading.Command):
        return grading.decide(case, c, now, ids, policy)
    if isinstance(c, observing.Command):
        return observing.decide(case, c, now, ids, policy)
    if isinstance(c, transplant.RecordTransplant):
        return transplant.decide(case, c, now, ids, policy)
    if isinstance(c, safety.ReportMalignancy):
        return safety.decide(case, c, now, ids, policy)
    match c:
        case infusion.RecordInfusion():
            require(not c.deviation, Reason.INVALID, "a deviation is told with the infusion itself", "correction")
            return [replace(wrong, unit=c.unit, cells=c.cells)]
        case lymphodepletion.RecordDepletion():
            return [replace(wrong, regimen=c.regimen, day=c.day, reduced=c.reduced)]
        case monitoring_days.RecordMonitoring():
            return monitoring_days.decide(case, c, now, ids, policy)
        case visa.RecordPassport():
            _same_person(wrong, c)
            return [replace(wrong, expires=c.expires, number=c.number)]
        case visa.GrantVisa():
            _same_person(wrong, c)
            require(c.stay_days > 0, Reason.INVALID, "a stay has at least one day", "stay_days")
            require_days(c.stay_days, "stay_days")
            return [replace(wrong, valid_until=c.valid_until, stay_days=c.stay_days, entries=c.entries)]
        case inquiry.StateDiagnosis():
            return inquiry.decide(case, c, now, ids, policy)
        case eligibility.RecordCriterion():
            same = (wrong.submission, wrong.criterion) == (c.submission, c.criterion)
            require(same, Reason.INVALID, "a correction is about the same criterion", "correction")
            return [replace(wrong, result=c.result, finding=c.finding)]
        case people.AddPerson():
            return [_identity(wrong, c)]
        case _:
            assert_never(c)


def _identity(wrong: Any, c: people.AddPerson) -> Any:  # noqa: ANN401 - a PersonAdded
    """Who somebody is, told again; the id by which the case knows them stays."""
    require(wrong.role == c.role, Reason.INVALID, "a correction is about the same person", "correction")
    require(readable(c.name), Reason.INVALID, "a person needs a name", "correction")
    require_zone(c.zone)
    details = {"name": c.name, "mail": c.mail, "phone": c.phone, "zone": c.zone, "language": c.language}
    return replace(wrong, **details, minor=c.minor)


def _same_person(wrong: Any, c: visa.RecordPassport | visa.GrantVisa) -> None:  # noqa: ANN401 - either event
    require(wrong.person == c.person, Reason.INVALID, "a correction is about the same person", "correction")


def evolve(case: Case, _: Fact[FactCorrected]) -> Case:
    """Change nothing: a correction takes the place of what it corrects when the history is folded."""
    return case


Command, Event = CorrectFact, FactCorrected
_FILES = (
    inquiry,
    people,
    observing,
    eligibility,
    adverse_events,
    grading,
    assessing,
    cell_loss,
    observations,
    safety,
    transplant,
    infusion,
    lymphodepletion,
    monitoring_days,
    visa,
)
_TOLD = [row for module in _FILES for row in module.TAKES]
TOLD_BY: dict[str, tuple[str, ...]] = {
    event.__name__: tuple(row.command.__name__ for row in _TOLD if event in row.records)
    for told in _TOLD
    for event in told.records
}
TAKES = (
    Takes(
        CorrectFact,
        (
            FactCorrected,
            *dict.fromkeys(
                event
                for row in _TOLD
                if row.command in get_args(Correctable)
                for event in row.records
                if event is not infusion.InfusionDeviated
            ),
        ),
        at=EVERY_STAGE,
        settles=("infusion_date",),
    ),
)

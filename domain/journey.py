"""Start here: the whole journey on one page. Stage, tracks, and what each stage accepts, records and asks for.

`decide` asks this table first; README's table is made from it; a test compares it with the code in both directions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from domain.effects import RecordOutcome, Wants
from domain.obligations import Owes
from domain.stages import (
    admission,
    anytime,
    bed,
    closing,
    correcting,
    dose,
    eligibility,
    follow_up,
    infusion,
    inquiry,
    lymphodepletion,
    moving,
    observations,
    records,
    redosing,
    transplant,
    visa,
)
from domain.state import Exit, Stage
from domain.table import Rule

__all__ = ["ACCEPTED", "JOURNEY", "OWES", "RULES", "TRACKS", "WANTS", "Exit", "Stage", "accepting_stages"]

TRACKS: tuple[str, ...] = ("dose", "bed", "letter", "visa", "transplant", "follow_up")
"""What runs beside the main line, each with a state of its own."""


@dataclass(frozen=True, slots=True)
class Row:
    """One stage: the modules whose commands it accepts, in the order people meet them."""

    stage: Stage
    meaning: str
    accepts: tuple[Any, ...]


def _all(*unions: object) -> tuple[type[Any], ...]:
    return tuple(c for union in unions for c in (get_args(union) or (union,)))


ANYTIME = _all(anytime.Command, moving.MoveOn, correcting.CorrectFact, RecordOutcome, closing.Command)
PEOPLE = _all(
    inquiry.AddPerson, inquiry.ChangeContact, inquiry.GiveConsent, inquiry.WithdrawConsent, inquiry.SetUrgency
)
RESOURCES = _all(dose.Command, bed.Command)
REPORTS = _all(observations.Command, transplant.Command)
DOSSIER = _all(records.Command)
EARLY = _all(observations.ReportDeath, observations.ReportProgression, observations.ReportTrialHold)
STAY = _all(admission.FileStayExtension, admission.DecideStayExtension, admission.RegisterAddress)

JOURNEY: tuple[Row, ...] = (
    Row(Stage.INQUIRY, "who asks, for whom, with whose consent", _all(inquiry.Command) + DOSSIER + EARLY),
    Row(Stage.RECORDS, "every document, readable, translated, frozen as one dossier", DOSSIER + PEOPLE + EARLY
        + _all(inquiry.ReplyToFamily, inquiry.AdviseLocalCare)),
    Row(Stage.ELIGIBILITY, "centres review and decide; quote; dose and bed held",
        _all(eligibility.Command) + RESOURCES + DOSSIER + PEOPLE + EARLY),
    Row(Stage.VISA, "letter, visas, stay plan, ticket at an open door",
        _all(visa.Command, eligibility.Command) + RESOURCES + DOSSIER + PEOPLE + EARLY),
    Row(Stage.ADMISSION, "arrival, admission, screening on site, trial consent",
        _all(admission.Command, visa.Command, eligibility.Command) + RESOURCES + PEOPLE + REPORTS),
    Row(Stage.LYMPHODEPLETION, "the gate that is never waived, then chemotherapy or its omission",
        _all(lymphodepletion.Command, infusion.PlanInfusions) + RESOURCES + STAY + PEOPLE + REPORTS
        + _all(eligibility.AcceptPatient)),
    Row(Stage.INFUSION, "authorised, checked by two, thawed, infused, watched",
        _all(infusion.Command, redosing.Command) + RESOURCES + STAY + PEOPLE + REPORTS
        + _all(follow_up.ReportMalignancy, follow_up.RecordVisit)),
    Row(Stage.REDOSING, "another treatment with its own dose, gate and day 0",
        _all(redosing.Command, infusion.DischargePatient, infusion.ReadmitPatient, infusion.DecidePathway)
        + RESOURCES + STAY + PEOPLE + REPORTS + _all(follow_up.ReportMalignancy, follow_up.RecordVisit)),
    Row(Stage.FOLLOW_UP, "home, hand-over, fifteen years of visits",
        _all(follow_up.Command, infusion.DischargePatient, infusion.ReadmitPatient, infusion.DecidePathway,
             infusion.DeclareFitHome, redosing.DecideRedosing) + STAY + PEOPLE + REPORTS),
    Row(Stage.CLOSED, "nothing is to be done; late reports are still kept", PEOPLE + REPORTS
        + _all(follow_up.RecordVisit, follow_up.ReportMalignancy)),
)  # fmt: skip

ACCEPTED: Mapping[Stage, tuple[type[Any], ...]] = {row.stage: row.accepts + ANYTIME for row in JOURNEY}

MODULES = (
    inquiry,
    records,
    eligibility,
    dose,
    bed,
    visa,
    admission,
    lymphodepletion,
    infusion,
    redosing,
    transplant,
    follow_up,
    closing,
    anytime,
    moving,
)

RULES: tuple[Rule, ...] = (
    Rule("dossier_complete", 1, records.freeze, ("RecordVerified", "RecordWaived", "SummarySigned")),
    *(rule for module in MODULES for rule in getattr(module, "RULES", ())),
)
"""What follows by itself, in the order it is tried."""

OWES: tuple[Owes, ...] = tuple(row for module in MODULES for row in getattr(module, "OWES", ()))
WANTS: tuple[Wants, ...] = tuple(row for module in MODULES for row in getattr(module, "WANTS", ()))


def accepting_stages(command: type[Any]) -> Sequence[str]:
    """The stages that accept a command, in journey order."""
    return [stage.value for stage, accepted in ACCEPTED.items() if command in accepted]

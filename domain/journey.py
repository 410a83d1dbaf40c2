"""Start here: the whole journey on one page. Stage, tracks, and what each stage accepts, records and asks for.

`decide` asks this table first; README's table is made from it; a test compares it with the code in both directions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from domain.case.effect import (
    EffectDelivered,
    EffectPutOff,
    EffectRefused,
    EffectUnknown,
    MessageBounced,
    RecordOutcome,
    ReportBounce,
    Wants,
)
from domain.case.obligation import Owes
from domain.case.state import Exit, Stage
from domain.case.table import Rule
from domain.stages.anytime import access, correcting, erasing, holding, moving, notes, reconsidering
from domain.stages.eligibility import eligibility, quote, review_again, submissions
from domain.stages.follow_up import acquired, closing, follow_up
from domain.stages.intake import importing, inquiry, people
from domain.stages.records import dossier, records
from domain.stages.travel import letter, travel, visa
from domain.stages.treatment import (
    admission,
    bed,
    dose,
    infusion,
    lymphodepletion,
    observations,
    recovery,
    redosing,
    safety,
    transplant,
)

__all__ = ["ACCEPTED", "JOURNEY", "OWES", "RECORDED", "RULES", "TRACKS", "WANTS", "Exit", "Stage", "accepting_stages"]

TRACKS: tuple[str, ...] = ("dose", "bed", "letter", "visa", "transplant", "follow_up")
"""What runs beside the main line, each with a state of its own."""

MODULES = (
    inquiry,
    people,
    records,
    dossier,
    submissions,
    eligibility,
    review_again,
    quote,
    dose,
    bed,
    acquired,
    letter,
    visa,
    travel,
    admission,
    lymphodepletion,
    infusion,
    recovery,
    observations,
    safety,
    redosing,
    transplant,
    follow_up,
    closing,
    holding,
    notes,
    erasing,
    access,
    importing,
    reconsidering,
    moving,
)
"""The files of domain/stages in the order people meet them; rules are tried in this order."""

Commands = tuple[type[Any], ...]


def _all(*unions: object) -> Commands:
    return tuple(dict.fromkeys(c for union in unions for c in (get_args(union) or (union,))))


BACK = _all(closing.ReopenCase, closing.RetractDeath)
TO_DO = _all(closing.LeaveJourney, closing.VoidCase, holding.Command, moving.MoveOn)
TO_KEEP = _all(
    notes.Command,
    erasing.Command,
    access.Command,
    safety.AnswerAlert,
    holding.Snooze,
    holding.Redate,
    holding.ApplyPolicy,
    correcting.CorrectFact,
    reconsidering.Command,
    RecordOutcome,
    ReportBounce,
)
PEOPLE = _all(people.Command, inquiry.SetUrgency, inquiry.StateDiagnosis)
DOSSIER = _all(records.Command, dossier.Command)
REVIEW = _all(submissions.Command, eligibility.Command, quote.Command)
HOLDS = _all(dose.Command, bed.Command, acquired.Command)
WAY = _all(letter.Command, visa.Command, travel.Command)
REPORTS = _all(observations.Command, transplant.Command)
EARLY = _all(observations.Command, transplant.RecordTransplant)
"""What happens to the patient at home, before the journey begins, is told as well."""
AFTER = _all(safety.ReportMalignancy, follow_up.RecordVisit)
STAY = _all(admission.FileStayExtension, admission.DecideStayExtension, admission.RegisterAddress)
ANSWERS = _all(dose.HoldDose, dose.RefuseDose, bed.HoldBed, bed.RefuseBed, letter.IssueLetter,
               visa.GrantVisa, visa.RefuseVisa, travel.ConfirmTravel, travel.StopTravel)  # fmt: skip
"""What was asked for before the journey was left may be answered after: it is kept, and given back."""
FATES = _all(acquired.Command)
BEDSIDE = _all(infusion.RecordInfusion, infusion.DestroyUnit)
GIVEN = _all(lymphodepletion.RecordDepletion, lymphodepletion.CompleteDepletion, lymphodepletion.StopDepletion)
HOMEWARD = _all(follow_up.ReturnHome, recovery.DischargePatient, recovery.ReadmitPatient)
PAPERS = _all(visa.Command, letter.IssueLetter, records.ReceiveRecord, records.VerifyRecord, records.RejectRecord)
CAME = _all(admission.RecordArrival, admission.AdmitPatient, admission.FailScreening)
"""What happened, and is written down when the case has gone on: it is told with its own date."""


@dataclass(frozen=True, slots=True)
class Row:
    """One stage: the commands it accepts, in the order people meet them, beside those accepted everywhere."""

    stage: Stage
    meaning: str
    own: Commands
    always: Commands = TO_KEEP + TO_DO + BACK

    @property
    def accepts(self) -> Commands:
        """Every command of this stage."""
        return tuple(dict.fromkeys(self.own + self.always))

    @property
    def records(self) -> tuple[type[Any], ...]:
        """Every event one of its commands may record; rules record theirs at any stage."""
        return tuple(dict.fromkeys(event for command in self.accepts for event in RECORDED[command]))


JOURNEY: tuple[Row, ...] = (
    Row(Stage.INQUIRY, "who asks, for whom, with whose consent",
        _all(inquiry.Command, importing.ImportFacts) + PEOPLE + DOSSIER + EARLY),
    Row(Stage.RECORDS, "every document, readable, translated, frozen as one dossier",
        DOSSIER + PEOPLE + EARLY + _all(inquiry.ReplyToFamily, inquiry.AdviseLocalCare)),
    Row(Stage.ELIGIBILITY, "centres review and decide; quote; dose and bed held",
        REVIEW + HOLDS + DOSSIER + PEOPLE + EARLY + ANSWERS),
    Row(Stage.VISA, "letter, visas, stay plan, ticket at an open door",
        WAY + REVIEW + HOLDS + DOSSIER + PEOPLE + EARLY),
    Row(Stage.ADMISSION, "arrival, admission, screening on site, trial consent",
        _all(admission.Command) + WAY + REVIEW + HOLDS + DOSSIER + PEOPLE + REPORTS + AFTER),
    Row(Stage.LYMPHODEPLETION, "the gate that is never waived, then chemotherapy or its omission",
        _all(lymphodepletion.Command, infusion.PlanInfusions, redosing.GiveUpRedosing, eligibility.AcceptPatient)
        + CAME + PAPERS + HOMEWARD + HOLDS + STAY + PEOPLE + REPORTS + AFTER),
    Row(Stage.INFUSION, "authorised, checked by two, thawed, infused, watched",
        _all(infusion.Command, recovery.Command, redosing.Command)
        + GIVEN + CAME + PAPERS + HOMEWARD + HOLDS + STAY + PEOPLE + REPORTS + AFTER),
    Row(Stage.REDOSING, "another treatment with its own dose, gate and day 0",
        _all(redosing.Command, recovery.Command, admission.RecordArrival, admission.AdmitPatient,
             eligibility.AcceptPatient, quote.GiveQuote, quote.AcceptQuote)
        + GIVEN + BEDSIDE + PAPERS + HOMEWARD + HOLDS + WAY + STAY + PEOPLE + REPORTS + AFTER),
    Row(Stage.FOLLOW_UP, "home, hand-over, fifteen years of visits",
        _all(follow_up.Command, recovery.Command, redosing.DecideRedosing)
        + GIVEN + PAPERS + STAY + PEOPLE + REPORTS + AFTER + ANSWERS + BEDSIDE + FATES),
    Row(Stage.CLOSED, "nothing is to be done; late answers and reports are still kept",
        PEOPLE + REPORTS + AFTER + ANSWERS + BEDSIDE + GIVEN + HOMEWARD + STAY + FATES, TO_KEEP + BACK),
)  # fmt: skip

ACCEPTED: Mapping[Stage, Commands] = {row.stage: row.accepts for row in JOURNEY}

_OUTCOMES = (EffectDelivered, EffectRefused, EffectUnknown, EffectPutOff)
RECORDED: Mapping[type[Any], tuple[type[Any], ...]] = {
    **{command: events for module in MODULES for command, events in module.RECORDS.items()},
    RecordOutcome: _OUTCOMES,
    ReportBounce: (MessageBounced,),
    correcting.CorrectFact: (
        correcting.FactCorrected,
        *dict.fromkeys(
            event
            for module in MODULES
            for command, events in module.RECORDS.items()
            if command in get_args(correcting.Correctable)
            for event in events
            if event is not infusion.InfusionDeviated
        ),
    ),
}
"""The events each command may record."""


def _table(name: str) -> Iterable[Any]:
    return (row for module in MODULES for row in getattr(module, name, ()))


RULES: tuple[Rule, ...] = tuple(_table("RULES"))
"""What follows by itself, in the order it is tried."""
OWES: tuple[Owes, ...] = tuple(_table("OWES"))
WANTS: tuple[Wants, ...] = tuple(_table("WANTS"))


def accepting(command: type[Any]) -> Sequence[Stage]:
    """The stages that accept a command, in journey order."""
    return [stage for stage, accepted in ACCEPTED.items() if command in accepted]


def accepting_stages(command: type[Any]) -> Sequence[str]:
    """The same as words."""
    return [stage.value for stage in accepting(command)]


TOLD_AT = {
    "dossier": Stage.RECORDS,
    "letter": Stage.VISA,
    "travel": Stage.VISA,
    "observations": Stage.ADMISSION,
    "transplant": Stage.ADMISSION,
}
"""Where commands of a track are at home, when they are already taken earlier."""


def home(command: type[Any]) -> Stage:
    """The stage a command belongs to: that of its file, else the first that takes it. Many are taken later as well."""
    module = command.__module__.rpartition(".")[2]
    return TOLD_AT.get(module) or next((s for s in Stage if s == module), accepting(command)[0])


def as_markdown() -> str:
    """The table as README shows it: each command at home."""
    always = tuple(dict.fromkeys(JOURNEY[0].always))
    lines = ["| Stage | What happens | Commands at home here |", "| --- | --- | --- |"]
    for row in JOURNEY:
        own = [
            c.__name__
            for c in dict.fromkeys(c for r in JOURNEY for c in r.own)
            if home(c) is row.stage and c not in always
        ]
        lines.append(f"| `{row.stage}` | {row.meaning} | {', '.join(own) or '-'} |")
    return "\n".join([*lines, "", f"At every stage: {', '.join(c.__name__ for c in always)}."])


def meaning(event: type[Any]) -> str:
    """The one line an event class says about itself."""
    return (event.__doc__ or "").split("\n", maxsplit=1)[0]

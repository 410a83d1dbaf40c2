"""Start here: the journey in order. For each stage what happens, what it waits for, and the commands at home there.

Many commands are taken at other stages too: the row of a command (`TAKES` in its file of domain/stages) says at which,
which events it may record, who may give it, and whether a hospital says it over its interface. Everything else is
derived from those rows: the table in README, the API, the command line, the console, roles, FHIR codes, reply forms. A
test holds this page and the rows against each other in both directions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from domain.case.stage import Exit, Stage
from domain.case.table import Owes, Rule, Takes, Wants
from domain.stages.anytime import (
    access,
    correcting,
    corrective,
    erasing,
    holding,
    linking,
    moving,
    notes,
    outcomes,
    reconsidering,
    tasks,
    wait_handover,
    watching,
)
from domain.stages.eligibility import (
    choosing,
    eligibility,
    exporting,
    filing,
    handing_over,
    quote,
    ranking,
    review_again,
    submissions,
    waiting,
)
from domain.stages.follow_up import (
    acquired,
    closing,
    custody,
    follow_up,
    questions,
    registries,
    replanning,
    searching,
    visit_plan,
)
from domain.stages.governing import cohort_place
from domain.stages.intake import importing, inquiry, majority, people
from domain.stages.messages import writing
from domain.stages.records import checklist, documents, dossier, observing, records, results, specimens, summary
from domain.stages.response import assessing, cell_loss, donor_search, late_toxicity
from domain.stages.schedule import depletion_days, monitoring_days, moving_infusion
from domain.stages.supply import gaps, handovers, shipping, stopping, vector_lot
from domain.stages.travel import (
    arrangement_answers,
    arranging,
    letter,
    moving_costs,
    postponing,
    readiness,
    travel,
    visa,
)
from domain.stages.treatment import (
    admission,
    adverse_events,
    arrival,
    bed,
    dose,
    grading,
    infusion,
    look_back,
    lymphodepletion,
    observations,
    recovery,
    redosing,
    safety,
    transplant,
)
from domain.stages.treatment.bedside import authorising, scanning

__all__ = ["JOURNEY", "TRACKS", "Exit", "Stage"]


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage: what happens in it, what it waits for before it is left, and its commands as people meet them."""

    stage: Stage
    meaning: str
    waits_for: str
    home: tuple[type[Any], ...]


# fmt: off
JOURNEY: tuple[StageRow, ...] = (
    StageRow(Stage.INQUIRY, "who asks, for whom, with whose consent",
        "consent to process health data, and an answer to the first mail", (
        inquiry.OpenCase, inquiry.AcknowledgeScope, inquiry.ReplyToFamily, inquiry.AdviseLocalCare,
        inquiry.SetUrgency, inquiry.StateDiagnosis, importing.ImportFacts, people.AddPerson, people.ChangeContact,
        people.GiveConsent, people.WithdrawConsent)),
    StageRow(Stage.RECORDS, "every document, readable, translated, frozen as one dossier",
        "every document settled, and a summary signed by a second person", (
        observing.DescribePatient, observing.RecordObservation, observing.RecordTherapy, results.ImportResults,
        summary.StrikeSummary,
        checklist.DrawUpChecklist, records.RequestRecord,
        records.ReceiveRecord, records.VerifyRecord, records.RejectRecord, records.WaiveRecord,
        dossier.OrderTranslation, dossier.DeliverTranslation, dossier.CertifyTranslation, dossier.DraftSummary,
        dossier.SignSummary)),
    StageRow(Stage.ELIGIBILITY, "centres review and decide; quote; dose and bed held",
        "an acceptance that still stands, an open protocol, the price accepted, dose and bed held", (
        submissions.ChooseCentre, submissions.ChooseExcludedCentre, submissions.SubmitDossier,
        submissions.AcknowledgeSubmission, submissions.WithdrawSubmission, handing_over.HandOverDocument,
        handing_over.ConfirmDossierRead, handing_over.ExplainMisreading, eligibility.AskForMore,
        eligibility.RecordCriterion, eligibility.AcceptPatient, eligibility.DeclinePatient, choosing.ChooseAcceptance,
        exporting.RecordExportAssessment, filing.TellStudyFiling,
        waiting.WaitForPlace, waiting.TakePlace, waiting.DeclinePlace, waiting.StopWaiting, waiting.ConfirmWaiting,
        ranking.NoteFirstRank,
        quote.IssueEstimate, quote.AcknowledgeEstimate,
        quote.GiveQuote, quote.AcceptQuote, dose.HoldDose, dose.RefuseDose, dose.AskDoseAgain,
        dose.AskDoseOutOfTurn, dose.OfferDose, bed.HoldBed,
        bed.RefuseBed, bed.AskBedAgain, acquired.RecordResource, acquired.ReportResource, acquired.OrderCells,
        acquired.ConfirmDestruction, custody.ReportSpecimen, shipping.PlanShipment)),
    StageRow(Stage.VISA, "letter, visas, stay plan, ticket at an open door",
        "letter, visas, a stay plan, fitness to travel, and the ticket at an open door", (
        letter.IssueLetter, visa.GrantVisa, visa.RefuseVisa, travel.ConfirmTravel, travel.StopTravel,
        letter.AskLetterAgain, visa.RecordPassport, visa.FileVisa, travel.PlanStay, travel.RecordFitToTravel,
        travel.BookTravel, postponing.PostponeAdmission,
        arrival.MoveArrival, arranging.AskArrangement, arranging.AskArrangementAgain, arranging.CancelArrangement,
        arrangement_answers.OfferSlots, arrangement_answers.ChooseSlot, arrangement_answers.ConfirmArrangement,
        arrangement_answers.RefuseArrangement, readiness.WaiveArrivalItem, moving_costs.RecordMovingCost)),
    StageRow(Stage.ADMISSION, "arrival, admission, screening on site, trial consent",
        "arrival, admission, screening confirmed, consent to the trial or treatment", (
        grading.GradeCRS, grading.GradeICANS, grading.GradeGVHD, grading.GradeCytopenia,
        adverse_events.ReportToxicity, adverse_events.ResolveToxicity, adverse_events.ReportInfection,
        adverse_events.ReportLaboratory, adverse_events.ReportStay, assessing.AssessResponse,
        observations.ReportProgression, observations.ReportOtherTreatment, observations.ReportOccurrence,
        observations.ReportTrialHold, observations.ReportTrialResumed, observations.ReportOffStudy,
        observations.ReportDeath, transplant.RecordTransplant, admission.RecordArrival, admission.RegisterAddress,
        admission.AdmitPatient, scanning.RegisterWristband, admission.ConfirmScreening, admission.FailScreening,
        admission.FileStayExtension,
        admission.DecideStayExtension, transplant.ReferTransplant, transplant.DeclineTransplant,
        donor_search.RecordDonorSearch,
        safety.ReportMalignancy)),
    StageRow(Stage.LYMPHODEPLETION, "the gate that is never waived, then chemotherapy or its omission",
        "the gate signed, and chemotherapy completed or omitted", (
        lymphodepletion.SignGate, moving_infusion.MoveInfusion, depletion_days.PlanDepletion,
        lymphodepletion.RecordDepletion, depletion_days.OmitDepletionDay, lymphodepletion.CompleteDepletion,
        lymphodepletion.OmitDepletion, lymphodepletion.StopDepletion, recovery.DischargePatient,
        recovery.ReadmitPatient)),
    StageRow(Stage.INFUSION, "authorised, checked by two, thawed, infused, watched",
        "every planned infusion, the response, and fitness for the way home", (
        infusion.PlanInfusions, authorising.AuthoriseInfusion, infusion.CheckIdentity, scanning.ScanIdentity,
        infusion.StartThaw, infusion.DestroyUnit, infusion.RecordInfusion, vector_lot.NameVectorLot,
        vector_lot.ConfirmVectorLot, monitoring_days.RecordMonitoring,
        monitoring_days.SkipMonitoring, cell_loss.ReportCellLoss, cohort_place.RecordLimitingToxicity,
        recovery.DecidePathway, recovery.DeclareFitHome)),
    StageRow(Stage.REDOSING, "another treatment with its own dose, gate and day 0",
        "its dose and whatever of acceptance, price, visa and stay has ended by then", (
        redosing.GiveUpRedosing, redosing.DecideRedosing)),
    StageRow(Stage.FOLLOW_UP, "home, hand-over, fifteen years of visits",
        "fifteen years of visits, death, withdrawal, or another service that takes over", (
        follow_up.RecordVisit, late_toxicity.CloseLateToxicity, follow_up.ReturnHome, follow_up.AcceptHandover,
        follow_up.TryContact, questions.AnswerYearlyQuestions, searching.SkipContact, follow_up.EndFollowUp,
        replanning.ReplanFollowUp, replanning.StopFollowUp, registries.ReportToRegistry,
        registries.RecordRegistryAnswer)),
    StageRow(Stage.CLOSED, "nothing is to be done; late answers and reports are still kept",
        "nothing", ()),
)

ANYTIME: tuple[type[Any], ...] = (
    notes.AssignCase, notes.AddNote, notes.AttachDocument, notes.SettleEffect,
    writing.SendMessage, writing.ReceiveMessage, writing.SettleThread, erasing.OrderErasure,
    erasing.ConfirmErasure, erasing.WithdrawErasure, erasing.RecordErasure, access.BreakGlass, access.ReviewAccess,
    shipping.MoveShipment, shipping.EndShipment, handovers.RecordHandover, gaps.CloseCustodyGap,
    stopping.JudgeShipment,
    safety.AnswerAlert, safety.RecordSafetyReport, look_back.RecordLookBack,
    corrective.PlanCorrectiveAction, corrective.CompleteCorrectiveAction, corrective.CheckCorrectiveAction,
    tasks.ClaimTask, tasks.HandBackTask, tasks.OfferTask, tasks.AcceptTask, tasks.DeclineTask, tasks.TakeOverTask,
    holding.Snooze, holding.Redate, holding.ApplyPolicy, correcting.CorrectFact,
    reconsidering.ReviewDecision, outcomes.RecordOutcome, outcomes.ReportBounce, closing.LeaveJourney,
    closing.VoidCase, linking.LinkCase, linking.UnlinkCase, linking.MergeCase, linking.AcceptLink, linking.ConfirmLink,
    linking.RefuseLink, holding.HoldCase, holding.ResumeCase, moving.MoveOn, closing.ReopenCase, closing.RetractDeath
)
# fmt: on
"""Commands at home nowhere: they are taken at every stage, or at every one that is not closed."""

TRACKS: tuple[str, ...] = ("dose", "bed", "letter", "visa", "transplant", "follow_up")
"""What runs beside the main line, each with a state of its own."""

MODULES: Mapping[str, ModuleType] = {
    "inquiry": inquiry,
    "people": people,
    "majority": majority,
    "documents": documents,
    "checklist": checklist,
    "records": records,
    "specimens": specimens,
    "dossier": dossier,
    "observing": observing,
    "results": results,
    "summary": summary,
    "submissions": submissions,
    "handing_over": handing_over,
    "eligibility": eligibility,
    "choosing": choosing,
    "exporting": exporting,
    "filing": filing,
    "waiting": waiting,
    "wait_handover": wait_handover,
    "ranking": ranking,
    "review_again": review_again,
    "quote": quote,
    "dose": dose,
    "bed": bed,
    "acquired": acquired,
    "custody": custody,
    "letter": letter,
    "visa": visa,
    "travel": travel,
    "postponing": postponing,
    "arrival": arrival,
    "arranging": arranging,
    "arrangement_answers": arrangement_answers,
    "readiness": readiness,
    "moving_costs": moving_costs,
    "shipping": shipping,
    "handovers": handovers,
    "gaps": gaps,
    "stopping": stopping,
    "vector_lot": vector_lot,
    "admission": admission,
    "lymphodepletion": lymphodepletion,
    "depletion_days": depletion_days,
    "authorising": authorising,
    "infusion": infusion,
    "scanning": scanning,
    "monitoring_days": monitoring_days,
    "moving_infusion": moving_infusion,
    "recovery": recovery,
    "adverse_events": adverse_events,
    "grading": grading,
    "assessing": assessing,
    "cell_loss": cell_loss,
    "late_toxicity": late_toxicity,
    "observations": observations,
    "safety": safety,
    "cohort_place": cohort_place,
    "look_back": look_back,
    "corrective": corrective,
    "redosing": redosing,
    "transplant": transplant,
    "donor_search": donor_search,
    "visit_plan": visit_plan,
    "searching": searching,
    "follow_up": follow_up,
    "questions": questions,
    "registries": registries,
    "replanning": replanning,
    "closing": closing,
    "holding": holding,
    "notes": notes,
    "messages": writing,
    "tasks": tasks,
    "erasing": erasing,
    "linking": linking,
    "access": access,
    "importing": importing,
    "reconsidering": reconsidering,
    "moving": moving,
    "correcting": correcting,
    "watching": watching,
    "effect": outcomes,
}
"""The files of domain/stages in the order people meet them, each under the name of its group of commands in the
console. Rules are tried in this order."""


def _table(name: str) -> Iterable[Any]:
    return (row for module in MODULES.values() for row in getattr(module, name, ()))


TAKES: Mapping[type[Any], Takes] = {row.command: row for row in _table("TAKES")}
"""The row of each command."""
COMMANDS: tuple[type[Any], ...] = tuple(TAKES)
RULES: tuple[Rule, ...] = tuple(_table("RULES"))
"""What follows by itself, in the order it is tried."""
EARLIER: tuple[Rule, ...] = tuple(_table("EARLIER"))
"""Versions of rules that no longer follow; events that were recorded by them are checked by them."""
OWES: tuple[Owes, ...] = tuple(_table("OWES"))
WANTS: tuple[Wants, ...] = tuple(_table("WANTS"))

HOME: Mapping[type[Any], Stage] = {command: row.stage for row in JOURNEY for command in row.home}
"""The stage a command is at home at; none for what is taken at any time."""
GROUP: Mapping[type[Any], str] = {row.command: name for name, m in MODULES.items() for row in m.TAKES}
"""The group of each command in the console."""


def _settled_by(row: Owes) -> Sequence[type[Any]]:
    """First what says of itself that it settles this, then what answers the effect that asked for it."""
    named = [command for command, takes in TAKES.items() if row.kind in takes.settles]
    answer = [command for command, takes in TAKES.items() if {row.kind, row.asked_by} & set(takes.answers)]
    return tuple(dict.fromkeys([*named, *answer]))


SETTLED_BY: Mapping[str, Sequence[type[Any]]] = {row.kind: _settled_by(row) for row in OWES}
"""The commands that settle each kind of obligation, or are a step to settling it."""


def _accepted(stage: Stage) -> tuple[type[Any], ...]:
    """Its own commands first, then those of other stages that it takes, then what is taken at any time."""
    taken = [command for command, row in TAKES.items() if stage in row.at]
    own = [command for row in JOURNEY if row.stage is stage for command in row.home]
    return tuple(dict.fromkeys([*own, *(c for c in taken if c in HOME), *(c for c in ANYTIME if c in taken)]))


ACCEPTED: Mapping[Stage, tuple[type[Any], ...]] = {stage: _accepted(stage) for stage in Stage}
"""The commands that each stage takes."""


def accepting_stages(command: type[Any]) -> Sequence[str]:
    """Return the names of the stages that take a command, in journey order."""
    return [stage.value for stage in TAKES[command].at]


def as_markdown() -> str:
    """Return the table as README shows it: each command at home."""
    lines = ["| Stage | What happens | Commands at home here |", "| --- | --- | --- |"]
    for row in JOURNEY:
        names = ", ".join(command.__name__ for command in row.home)
        lines.append(f"| `{row.stage}` | {row.meaning} | {names or '-'} |")
    return "\n".join([*lines, "", f"At every stage: {', '.join(c.__name__ for c in ANYTIME)}."])


def meaning(event: type[Any]) -> str:
    """Return the one line an event class says about itself."""
    return (event.__doc__ or "").split("\n", maxsplit=1)[0]

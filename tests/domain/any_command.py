"""For every command class a plausible command of this case, picked by a number: what random sequences are made of."""

# ruff: noqa: ARG005 - one signature for every maker

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, get_args

from domain.case.phases.consents import RISK_ITEMS
from domain.case.stage import Stage
from domain.case.undoing import UNDOING
from domain.core.when import When
from domain.stages.anytime.access import BreakGlass, ReviewAccess
from domain.stages.anytime.correcting import TOLD_BY, Correctable, CorrectFact
from domain.stages.anytime.holding import ApplyPolicy, HoldCase, Redate, ResumeCase, Snooze
from domain.stages.anytime.moving import MoveOn, missing
from domain.stages.anytime.notes import AddNote, AssignCase, AttachDocument, SettleEffect
from domain.stages.anytime.outcomes import RecordOutcome, ReportBounce
from domain.stages.anytime.reconsidering import ReviewDecision
from domain.stages.eligibility.choosing import ChooseAcceptance
from domain.stages.eligibility.eligibility import AcceptPatient, AskForMore, DeclinePatient, RecordCriterion
from domain.stages.eligibility.exporting import RecordExportAssessment
from domain.stages.eligibility.filing import TellStudyFiling
from domain.stages.eligibility.handing_over import ConfirmDossierRead, ExplainMisreading, HandOverDocument
from domain.stages.eligibility.quote import AcceptQuote, AcknowledgeEstimate, GiveQuote, IssueEstimate
from domain.stages.eligibility.submissions import AcknowledgeSubmission, SubmitDossier, WithdrawSubmission
from domain.stages.follow_up.acquired import ConfirmDestruction, OrderCells, RecordResource, ReportResource
from domain.stages.follow_up.closing import LeaveJourney, Leaving, ReopenCase, RetractDeath, VoidCase
from domain.stages.follow_up.custody import ReportSpecimen
from domain.stages.follow_up.follow_up import AcceptHandover, EndFollowUp, RecordVisit, ReturnHome, TryContact
from domain.stages.follow_up.searching import Channel
from domain.stages.follow_up.visit_plan import VISITS
from domain.stages.governing.cohort_place import RecordLimitingToxicity
from domain.stages.intake.importing import ImportFacts
from domain.stages.intake.inquiry import (
    AcknowledgeScope,
    AdviseLocalCare,
    OpenCase,
    ReplyToFamily,
    SetUrgency,
    StateDiagnosis,
)
from domain.stages.intake.people import NAMED, AddPerson, ChangeContact, GiveConsent, Purpose, WithdrawConsent
from domain.stages.records.checklist import DrawUpChecklist
from domain.stages.records.dossier import (
    CertifyTranslation,
    DeliverTranslation,
    DraftSummary,
    OrderTranslation,
    SignSummary,
)
from domain.stages.records.observing import DescribePatient, RecordObservation, RecordTherapy
from domain.stages.records.records import ReceiveRecord, RejectRecord, RequestRecord, VerifyRecord, WaiveRecord
from domain.stages.records.results import ImportResults
from domain.stages.records.summary import StrikeSummary
from domain.stages.schedule.moving_infusion import MoveInfusion
from domain.stages.travel.letter import AskLetterAgain, IssueLetter
from domain.stages.travel.postponing import PostponeAdmission
from domain.stages.travel.travel import BookTravel, ConfirmTravel, PlanStay, RecordFitToTravel, StopTravel
from domain.stages.travel.visa import FileVisa, GrantVisa, RecordPassport, RefuseVisa
from domain.stages.treatment.admission import (
    AdmitPatient,
    ConfirmScreening,
    DecideStayExtension,
    FailScreening,
    FileStayExtension,
    RecordArrival,
    RegisterAddress,
)
from domain.stages.treatment.adverse_events import (
    ReportInfection,
    ReportLaboratory,
    ReportStay,
    ReportToxicity,
    ResolveToxicity,
)
from domain.stages.treatment.arrival import MoveArrival
from domain.stages.treatment.bed import AskBedAgain, HoldBed, RefuseBed
from domain.stages.treatment.bedside.authorising import AuthoriseInfusion
from domain.stages.treatment.dose import AskDoseAgain, AskDoseOutOfTurn, HoldDose, OfferDose, RefuseDose
from domain.stages.treatment.grading import CODED, GradeCRS, GradeCytopenia, GradeGVHD, GradeICANS
from domain.stages.treatment.infusion import (
    CheckIdentity,
    DestroyUnit,
    PlanInfusions,
    RecordInfusion,
    StartThaw,
)
from domain.stages.treatment.look_back import RecordLookBack
from domain.stages.treatment.lymphodepletion import (
    CompleteDepletion,
    RecordDepletion,
    SignGate,
)
from domain.stages.treatment.observations import (
    ReportDeath,
    ReportOccurrence,
    ReportOffStudy,
    ReportOtherTreatment,
    ReportProgression,
    ReportTrialHold,
    ReportTrialResumed,
)
from domain.stages.treatment.recovery import DecidePathway, DeclareFitHome, DischargePatient, Pathway, ReadmitPatient
from domain.stages.treatment.redosing import DecideRedosing, GiveUpRedosing
from domain.stages.treatment.safety import AnswerAlert, RecordSafetyReport, ReportMalignancy
from domain.stages.treatment.transplant import DeclineTransplant, RecordTransplant, ReferTransplant
from tests.domain.any_result import any_results, any_therapy, any_value
from tests.domain.arrivals import any_infusion_move, any_move
from tests.domain.course import CENTRE, DOCUMENT, LOT, OPENED, PROTOCOL
from tests.domain.journey import DAY, Journey, stretched
from tests.domain.stages.any_names import item, moment, person, pick, resource, submission
from tests.domain.stages.anytime.any_person import OF_PERSONS
from tests.domain.stages.anytime.any_task import OF_TASKS
from tests.domain.stages.eligibility.waits import WAITS
from tests.domain.stages.follow_up.searched import OF_FOLLOW_UP
from tests.domain.stages.messages.any_message import OF_MESSAGES
from tests.domain.stages.records.lent import any_report
from tests.domain.stages.response.any_response import OF_RESPONSES
from tests.domain.stages.schedule.any_day import OF_DAYS
from tests.domain.stages.supply.given import MAKE as VECTORS
from tests.domain.stages.supply.sent import MAKE as SHIPMENTS
from tests.domain.stages.travel.any_arrangement import MAKE as ARRANGEMENTS
from tests.domain.stages.treatment.scans.any_scan import MAKE as BEDSIDE

Make = Callable[[Journey, int], Any]


def _acquire(j: Journey, n: int) -> RecordResource:
    kind = pick(UNDOING, n, "slides")
    paid = kind == "payment"
    return RecordResource(kind, submission(j, n // 3), "N-1", "", 5000 if paid else None, "USD" if paid else "")


def _fate(j: Journey, n: int) -> ReportResource:
    known = j.case.resources.get(resource(j, n // 4))
    fates = UNDOING[known.kind].fates if known else ("returned",)
    return ReportResource(known.id if known else "nothing", pick(fates, n, "lost"))


def _move_on(j: Journey, n: int) -> MoveOn:
    return MoveOn(pick(Stage, n, Stage.VISA), "reason", tuple(x.name for x in missing(j.case, j.now)), "person-9")


def _correct(j: Journey, n: int) -> CorrectFact:
    fact = pick(j.case.correctable, n, "nothing")
    known = j.case.correctable.get(fact)
    return CorrectFact(fact, _right(j, known, n), "mistyped")


def _right(j: Journey, known: Any, n: int) -> Any:
    """The same told again, mostly of the same person or criterion."""
    if known is not None and known.type == "InfusionCompleted":
        return RecordInfusion(_unit(j), "2e8", moment(j, n))
    if known is not None and known.type == "ToxicityReported":
        return ReportToxicity("CRS", 4)
    if known is not None and known.type == "PersonAdded":
        return AddPerson(known.role, "Y", "UTC", "en", minor=not n % 3)
    if known is not None and known.type == "CriterionRecorded":
        return RecordCriterion(known.submission, known.criterion, "not_met")
    command = next((c for c in get_args(Correctable) if known and c.__name__ in TOLD_BY[known.type]), RecordPassport)
    return MAKE[command](j, n if n % 4 else n + 1)


def _import(j: Journey, n: int) -> ImportFacts:
    stage = pick(Stage, n, Stage.VISA)
    infused = (When.on((j.now - 400 * DAY).date()),) if n % 2 else ()
    return ImportFacts(stage, "person-1", "", CENTRE, PROTOCOL, j.now + 9 * DAY, ("trial", "risks"), infusions=infused)


def _unit(j: Journey) -> str:
    return j.case.dose.ref or (j.case.treatment.unit if j.case.treatment else "") or "unit-9"


def _apply(j: Journey, n: int) -> ApplyPolicy:
    """By the policy in use, which now and then is a new one: everything takes so much longer."""
    j.policy = stretched(1 + n % 3)
    return ApplyPolicy(j.policy.hash, "new holidays")


def _obligation(j: Journey, n: int) -> str:
    return pick([o.id for o in j.all_owed()], n, "nothing")


def _due(j: Journey, n: int) -> Any:
    known = j.case.obligations.get(_obligation(j, n))
    return known.due if known else j.now


MAKE: dict[type[Any], Make] = {
    OpenCase: lambda j, n: OPENED,
    AcknowledgeScope: lambda j, n: AcknowledgeScope(person(j, n), "1"),
    ReplyToFamily: lambda j, n: ReplyToFamily("call"),
    AdviseLocalCare: lambda j, n: AdviseLocalCare("call"),
    SetUrgency: lambda j, n: SetUrgency(not j.case.urgent, "worse", "move" if n % 2 else "keep"),
    StateDiagnosis: lambda j, n: StateDiagnosis("r/r B-ALL", moment(j, n), pick(("", "b_all"), n, "")),
    ReviewDecision: lambda j, n: ReviewDecision(pick([key.split("/")[0] for key in j.case.reopened], n, "nothing")),
    AddPerson: lambda j, n: AddPerson(
        pick(("carer", "legal_representative", "home_oncologist"), n, "carer"), "X", "UTC", "en"
    ),
    ChangeContact: lambda j, n: ChangeContact(person(j, n), "m@example.org", "+91 22 5550", "UTC", "en"),
    GiveConsent: lambda j, n: _given(j, pick(get_args(Purpose), n, "trial"), n),
    WithdrawConsent: lambda j, n: WithdrawConsent(*_consent(j, n)),
    RequestRecord: lambda j, n: RequestRecord("labs", pick(("family", "home_oncologist"), n, "family")),
    DrawUpChecklist: lambda j, n: DrawUpChecklist(),
    ReceiveRecord: lambda j, n: ReceiveRecord(item(j, n), DOCUMENT, "en"),
    VerifyRecord: lambda j, n: VerifyRecord(item(j, n), "person-1"),
    RejectRecord: lambda j, n: RejectRecord(item(j, n), "illegible"),
    WaiveRecord: lambda j, n: WaiveRecord(item(j, n), "not needed"),
    OrderTranslation: lambda j, n: OrderTranslation(item(j, n), "zh"),
    DeliverTranslation: lambda j, n: DeliverTranslation(item(j, n), DOCUMENT, "person-4"),
    CertifyTranslation: lambda j, n: CertifyTranslation(item(j, n), "person-5"),
    DraftSummary: lambda j, n: DraftSummary(DOCUMENT, "person-2"),
    SignSummary: lambda j, n: SignSummary("person-3"),
    SubmitDossier: lambda j, n: SubmitDossier(submission(j, n)),
    AcknowledgeSubmission: lambda j, n: AcknowledgeSubmission(submission(j, n), "R"),
    HandOverDocument: lambda j, n: HandOverDocument(submission(j, n), 1, DOCUMENT, f"{n % 3:064x}"),
    ConfirmDossierRead: lambda j, n: ConfirmDossierRead(submission(j, n), (f"{n % 5:064x}",)),
    TellStudyFiling: lambda j, n: TellStudyFiling(submission(j, n), f"F-{n}", j.now.date()),
    ExplainMisreading: lambda j, n: ExplainMisreading(submission(j, n), "they had read an older copy"),
    WithdrawSubmission: lambda j, n: WithdrawSubmission(submission(j, n)),
    AskForMore: lambda j, n: AskForMore(submission(j, n), ("labs",)),
    DescribePatient: lambda j, n: DescribePatient(pick(("1980-02-03", "1980", "2001"), n, ""), "female"),
    RecordObservation: lambda j, n: any_value(moment(j, n) or When.on(j.now.date()), n),
    RecordTherapy: any_therapy,
    ImportResults: any_results,
    StrikeSummary: lambda j, n: StrikeSummary(pick([*j.case.summaries], n, "nothing"), "another patient's"),
    RecordCriterion: lambda j, n: RecordCriterion(submission(j, n), "ecog", pick(("met", "not_met"), n // 3, "met")),
    AcceptPatient: lambda j, n: AcceptPatient(
        submission(j, n), "Dr Li", j.now + (1 + n % 60) * DAY, "all the same" if n % 2 else ""
    ),
    DeclinePatient: lambda j, n: DeclinePatient(submission(j, n), "Dr Li", "other", "palliative care at home"),
    RecordExportAssessment: lambda j, n: RecordExportAssessment("centre-a", f"PIA-{n}", j.now.date()),
    ChooseAcceptance: lambda j, n: ChooseAcceptance(submission(j, n), person(j, n)),
    **WAITS,
    IssueEstimate: lambda j, n: IssueEstimate("USD", 1, 2),
    AcknowledgeEstimate: lambda j, n: AcknowledgeEstimate(person(j, n)),
    GiveQuote: lambda j, n: GiveQuote(submission(j, n), "USD", j.now + (1 + n % 9) * DAY, 7),
    AcceptQuote: lambda j, n: AcceptQuote(person(j, n)),
    HoldDose: lambda j, n: HoldDose(pick((LOT, "lot-b"), n, LOT), f"unit-{n % 3}", j.now + (1 + n % 30) * DAY),
    RefuseDose: lambda j, n: RefuseDose("none_available"),
    AskDoseAgain: lambda j, n: AskDoseAgain(),
    AskDoseOutOfTurn: lambda j, n: AskDoseOutOfTurn("progresses"),
    OfferDose: lambda j, n: OfferDose(LOT, "longest", 1 + n % 3, 3),
    HoldBed: lambda j, n: HoldBed("B", j.now + (1 + n % 30) * DAY),
    RefuseBed: lambda j, n: RefuseBed("full"),
    AskBedAgain: lambda j, n: AskBedAgain(),
    RecordResource: _acquire,
    ReportSpecimen: lambda j, n: any_report(j, n, pick),
    ReportResource: _fate,
    OrderCells: lambda j, n: OrderCells(
        resource(j, n), pick(("stored", "remade", "destroyed"), n // 2, "destroyed"), person(j, n)
    ),
    ConfirmDestruction: lambda j, n: ConfirmDestruction(submission(j, n), bool(n % 2)),
    IssueLetter: lambda j, n: IssueLetter("L", j.now + (1 + n % 90) * DAY),
    AskLetterAgain: lambda j, n: AskLetterAgain("expired"),
    RecordPassport: lambda j, n: RecordPassport(person(j, n), date(2036, 1, 1 + n % 28)),
    FileVisa: lambda j, n: FileVisa(person(j, n), "S2"),
    GrantVisa: lambda j, n: GrantVisa(person(j, n), j.now + (1 + n % 90) * DAY, 30 + n % 90),
    RefuseVisa: lambda j, n: RefuseVisa(person(j, n), "incomplete"),
    PlanStay: lambda j, n: PlanStay((j.now + (n % 40) * DAY).date(), 70, "", "H", bool(n % 5)),
    RecordFitToTravel: lambda j, n: RecordFitToTravel("Dr", j.now + (1 + n % 30) * DAY),
    BookTravel: lambda j, n: BookTravel(j.now + (1 + n % 10) * DAY),
    ConfirmTravel: lambda j, n: ConfirmTravel("T"),
    StopTravel: lambda j, n: StopTravel("closed"),
    RecordArrival: lambda j, n: RecordArrival(j.now - (n % 3) * DAY),
    RegisterAddress: lambda j, n: RegisterAddress("hotel"),
    AdmitPatient: lambda j, n: AdmitPatient("E"),
    PostponeAdmission: lambda j, n: PostponeAdmission((j.now + (n - 5) * DAY).date(), "no room"),
    MoveArrival: any_move,
    MoveInfusion: any_infusion_move,
    **ARRANGEMENTS,
    **SHIPMENTS,
    **VECTORS,
    ConfirmScreening: lambda j, n: ConfirmScreening("Dr"),
    FailScreening: lambda j, n: FailScreening("Dr", "infection", "treat the infection first"),
    FileStayExtension: lambda j, n: FileStayExtension(),
    DecideStayExtension: lambda j, n: DecideStayExtension(bool(n % 2), j.now + 30 * DAY),
    SignGate: lambda j, n: SignGate("Dr", True, True),
    RecordDepletion: lambda j, n: RecordDepletion("Flu/Cy", -5, moment(j, n)),
    CompleteDepletion: lambda j, n: CompleteDepletion(None, moment(j, n)),
    AuthoriseInfusion: lambda j, n: AuthoriseInfusion("Dr"),
    RecordLimitingToxicity: lambda j, n: RecordLimitingToxicity(("CRS", "ICANS")[n % 2], "Dr Li", "prolonged"),
    CheckIdentity: lambda j, n: CheckIdentity("nurse-1", "nurse-2", _unit(j), True, n % 4 != 3),
    **BEDSIDE,
    StartThaw: lambda j, n: StartThaw(_unit(j)),
    DestroyUnit: lambda j, n: DestroyUnit(_unit(j), "broken bag"),
    RecordInfusion: lambda j, n: RecordInfusion(_unit(j), "1e8", moment(j, n), "not told" if n % 7 == 6 else ""),
    PlanInfusions: lambda j, n: PlanInfusions(1 + n % 3),
    DischargePatient: lambda j, n: DischargePatient("Dr"),
    ReadmitPatient: lambda j, n: ReadmitPatient("fever"),
    DecidePathway: lambda j, n: DecidePathway(pick(get_args(Pathway), n, "observe"), "Dr"),
    DeclareFitHome: lambda j, n: DeclareFitHome("Dr"),
    ReportToxicity: lambda j, n: ReportToxicity("CRS", n % 6, None, "", moment(j, n)),
    GradeCRS: lambda j, n: GradeCRS(
        fever=n % 3 > 0,
        fever_suppressed=n % 2 > 0,
        hypotension=pick(CODED["hypotension"], n, ""),
        oxygen=pick(CODED["oxygen"], n // 4, ""),
        grade=pick([None, 2, 4], n, None),
        occurred=moment(j, n),
    ),
    GradeICANS: lambda j, n: GradeICANS(
        ice=pick([None, 0, 5, 10], n, None), awake=pick(CODED["awake"], n // 4, ""), occurred=moment(j, n)
    ),
    GradeGVHD: lambda j, n: GradeGVHD(
        skin_percent=str(n % 90), bilirubin=str(n % 17), stool_ml=str(100 * (n % 20)), occurred=moment(j, n)
    ),
    GradeCytopenia: lambda j, n: GradeCytopenia(days_500=n % 32, grade=pick([None, 4], n, None), occurred=moment(j, n)),
    RecordSafetyReport: lambda j, n: RecordSafetyReport(
        pick(j.case.alerts, n, "nothing"), n % 2 > 0, "authority", "expected"
    ),
    ResolveToxicity: lambda j, n: ResolveToxicity("CRS"),
    ReportInfection: lambda j, n: ReportInfection("lung", "", n % 6),
    ReportLaboratory: lambda j, n: ReportLaboratory("ferritin"),
    ReportStay: lambda j, n: ReportStay("three days"),
    ReportProgression: lambda j, n: ReportProgression("bone"),
    ReportOtherTreatment: lambda j, n: ReportOtherTreatment("radiotherapy"),
    ReportOccurrence: lambda j, n: ReportOccurrence("vaccination"),
    ReportTrialHold: lambda j, n: ReportTrialHold("FDA"),
    ReportTrialResumed: lambda j, n: ReportTrialResumed("FDA"),
    ReportOffStudy: lambda j, n: ReportOffStudy(),
    ReportDeath: lambda j, n: ReportDeath("", moment(j, n)),
    ReportMalignancy: lambda j, n: ReportMalignancy("T cell"),
    RecordLookBack: lambda j, n: RecordLookBack(pick(j.case.alerts, n, "nothing"), ("lot-1",), (), n % 3, 1, n % 2),
    AnswerAlert: lambda j, n: AnswerAlert(
        pick(j.case.alerts, n, "nothing"), pick(("coordinator", "hospital"), n // 2, "coordinator")
    ),
    DecideRedosing: lambda j, n: DecideRedosing("Dr", "", 1 + n % 2),
    GiveUpRedosing: lambda j, n: GiveUpRedosing("Dr", "infection"),
    ReferTransplant: lambda j, n: ReferTransplant("Dr"),
    RecordTransplant: lambda j, n: RecordTransplant(occurred=moment(j, n)),
    DeclineTransplant: lambda j, n: DeclineTransplant("no donor"),
    ReturnHome: lambda j, n: ReturnHome(moment(j, n)),
    AcceptHandover: lambda j, n: AcceptHandover(),
    RecordVisit: lambda j, n: RecordVisit(pick([v for v, _ in VISITS], n, ""), True),
    TryContact: lambda j, n: TryContact(pick(get_args(Channel), n, "call"), not n % 3),
    EndFollowUp: lambda j, n: EndFollowUp(pick(("withdrawn", "transferred", "lost"), n, "lost")),
    LeaveJourney: lambda j, n: LeaveJourney(pick(get_args(Leaving), n, "declined"), "hospice"),
    VoidCase: lambda j, n: VoidCase("twice"),
    ReopenCase: lambda j, n: ReopenCase("came back"),
    RetractDeath: lambda j, n: RetractDeath("another patient", "person-9"),
    HoldCase: lambda j, n: HoldCase("infection"),
    ResumeCase: lambda j, n: ResumeCase(),
    Snooze: lambda j, n: Snooze(_obligation(j, n), j.now + (_due(j, n) - j.now) / 2, "ill"),
    Redate: lambda j, n: Redate(_obligation(j, n), _due(j, n) + (n % 5 - 1) * DAY, "agreed"),
    ApplyPolicy: _apply,
    AssignCase: lambda j, n: AssignCase(f"person-{n % 3}", "team-1"),
    ReportBounce: lambda j, n: ReportBounce(pick(j.case.effects, n, "nothing"), "5.1.1", "no such mailbox"),
    BreakGlass: lambda j, n: BreakGlass("the ward rang", 1 + n % 24, "person-8"),
    ReviewAccess: lambda j, n: ReviewAccess(pick(j.case.accesses, n, "nothing"), "justified", by="person-9"),
    AddNote: lambda j, n: AddNote("note", "text"),
    AttachDocument: lambda j, n: AttachDocument(DOCUMENT, "scan", "image/png", 10),
    SettleEffect: lambda j, n: SettleEffect(
        pick([e.id for e in j.case.effects.values() if e.state in ("unknown", "refused")], n, "nothing"),
        pick(("delivered", "refused", "try_again"), n // 3, "delivered"),
    ),
    **OF_PERSONS,
    **OF_TASKS,
    **OF_MESSAGES,
    **OF_DAYS,
    **OF_RESPONSES,
    **OF_FOLLOW_UP,
    ImportFacts: _import,
    MoveOn: _move_on,
    CorrectFact: _correct,
    RecordOutcome: lambda j, n: RecordOutcome(
        pick([e.id for e in j.case.effects.values() if e.pending], n, "nothing"),
        1,
        pick(("delivered", "put_off", "unknown", "refused"), n, "delivered"),
        not_before=j.now + timedelta(hours=n % 12 + 1),
    ),
}


def _given(j: Journey, purpose: Purpose, n: int) -> GiveConsent:
    risks = RISK_ITEMS if n % 3 else RISK_ITEMS[: 1 + n % 5]
    items = risks if purpose == "risks" else ()
    return GiveConsent(purpose, person(j), "1", "en", CENTRE if purpose in NAMED else "", items)


def _consent(j: Journey, n: int) -> tuple[Any, str, str]:
    given = [(c.purpose, c.recipient) for c in j.case.consents.values() if c.given]
    purpose, recipient = pick(given, n, ("trial", ""))
    return purpose, person(j), recipient

"""One ordinary course, step by step by name, from the first mail to home: where every test takes its case from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

from domain.case.obligation import Obligation
from domain.case.phases.consents import RISK_ITEMS
from domain.core.when import When
from domain.stages.eligibility.eligibility import AcceptPatient
from domain.stages.eligibility.quote import AcceptQuote, AcknowledgeEstimate, GiveQuote, IssueEstimate
from domain.stages.eligibility.submissions import AcknowledgeSubmission, ChooseCentre, SubmitDossier, WithdrawSubmission
from domain.stages.follow_up.follow_up import AcceptHandover, RecordVisit, ReturnHome, TryContact
from domain.stages.intake.inquiry import AcknowledgeScope, OpenCase, ReplyToFamily
from domain.stages.intake.people import AddPerson, GiveConsent
from domain.stages.records.dossier import DraftSummary, SignSummary
from domain.stages.records.records import ReceiveRecord, RequestRecord, VerifyRecord
from domain.stages.response.assessing import AssessResponse
from domain.stages.travel.letter import IssueLetter
from domain.stages.travel.travel import BookTravel, ConfirmTravel, PlanStay, RecordFitToTravel
from domain.stages.travel.visa import FileVisa, GrantVisa, RecordPassport
from domain.stages.treatment.admission import AdmitPatient, ConfirmScreening, RecordArrival, RegisterAddress
from domain.stages.treatment.bed import HoldBed
from domain.stages.treatment.bedside.authorising import AuthoriseInfusion
from domain.stages.treatment.dose import HoldDose
from domain.stages.treatment.infusion import (
    CheckIdentity,
    RecordInfusion,
    StartThaw,
)
from domain.stages.treatment.lymphodepletion import CompleteDepletion, RecordDepletion, SignGate
from domain.stages.treatment.recovery import DecidePathway, DeclareFitHome, DischargePatient
from tests.domain.journey import DAY, HOUR, Journey

CENTRE, PROTOCOL, LOT, UNIT = "centre-a", "protocol-a", "lot-a", "unit-1"
DOCUMENT = "d" * 64
OPENED = OpenCase("IN", "hi", "Asia/Kolkata", "Asha", patient_mail="a@example.org", owner="person-1", team="team-1")


def patient(j: Journey) -> str:
    assert j.case.patient
    return j.case.patient.id


def item(j: Journey) -> str:
    return list(j.case.records)[-1]


def submission(j: Journey) -> str:
    return list(j.case.submissions)[-1]


def withdraw(j: Journey) -> None:
    j.tell(WithdrawSubmission(submission(j)))


def _world(j: Journey) -> None:
    j.source(CENTRE, paused=False, country="CN", zone="Asia/Shanghai")
    j.source("centre-b", paused=False, country="DE", zone="Europe/Berlin")
    j.source(PROTOCOL, open=True, open_until=j.now + 365 * DAY, planned_infusions=1)
    j.source("protocol-b", open=True, open_until=j.now + 365 * DAY, planned_infusions=1)
    j.source(LOT, state="released", expires=j.now + 365 * DAY)
    j.source("lot-b", state="released", expires=j.now + 365 * DAY)


def _opened(j: Journey) -> None:
    _world(j)
    j.tell(OPENED)
    j.tell(AddPerson("carer", "Bina", "Asia/Kolkata", "hi"))
    j.tell(AddPerson("home_oncologist", "Dr Rao", "Asia/Kolkata", "en"))
    j.store(DOCUMENT)


def _answered(j: Journey) -> None:
    j.away(HOUR).tell(ReplyToFamily("call"))


def _consented(j: Journey) -> None:
    who = patient(j)
    j.away(HOUR)
    j.tell(GiveConsent("risks", who, "1", "hi", items=RISK_ITEMS))
    for purpose in ("translation", "share_with_home_doctor", "trial"):
        j.tell(GiveConsent(purpose, who, "1", "hi"))
    for centre in (CENTRE, "centre-b"):
        j.tell(GiveConsent("share_with_hospital", who, "1", "hi", centre))
        j.tell(GiveConsent("cross_border", who, "1", "hi", centre))
    j.tell(AcknowledgeScope(who, "1"))
    j.tell(GiveConsent("data_processing", who, "1", "hi"))


def _asked_records(j: Journey) -> None:
    j.away(HOUR).tell(RequestRecord("pathology"))


def _received(j: Journey) -> None:
    j.away(DAY).tell(ReceiveRecord(item(j), DOCUMENT, "en"))


def _verified(j: Journey) -> None:
    j.away(HOUR).tell(VerifyRecord(item(j), "person-1"))


def _drafted(j: Journey) -> None:
    j.away(HOUR).tell(DraftSummary(DOCUMENT, "person-2"))


def _frozen(j: Journey) -> None:
    j.away(HOUR).tell(SignSummary("person-3"))


def _chosen(j: Journey) -> None:
    j.away(HOUR).tell(ChooseCentre(CENTRE, PROTOCOL))


def _submitted(j: Journey) -> None:
    j.away(HOUR).tell(SubmitDossier(submission(j)))


def _acknowledged(j: Journey) -> None:
    j.away(HOUR).tell(AcknowledgeSubmission(submission(j), "R-1"))


def _accepted(j: Journey) -> None:
    j.away(DAY).tell(AcceptPatient(submission(j), "Dr Li", j.now + 60 * DAY))


def _estimated(j: Journey) -> None:
    j.tell(IssueEstimate("USD", 60_000, 90_000)).tell(AcknowledgeEstimate(patient(j)))


def _quoted(j: Journey) -> None:
    j.away(HOUR).tell(GiveQuote(submission(j), "USD", j.now + 14 * DAY, 70_000))


def _priced(j: Journey) -> None:
    j.away(HOUR).tell(AcceptQuote(patient(j)))


def _dose_held(j: Journey) -> None:
    j.away(HOUR).tell(HoldDose(LOT, UNIT, j.now + 60 * DAY))


def _bed_held(j: Journey) -> None:
    j.away(HOUR).tell(HoldBed("B-1", j.now + 60 * DAY))


def _invited(j: Journey) -> None:
    j.away(DAY).tell(IssueLetter("L-1", j.now + 90 * DAY))


def _planned(j: Journey) -> None:
    arrives = (j.now + 12 * DAY).date()
    j.tell(PlanStay(arrives, 70, "", "Hostel", funds_confirmed=True, interpreter_language="hi"))


def _filed(j: Journey) -> None:
    j.tell(RecordPassport(patient(j), date(2036, 1, 1), "P1")).tell(FileVisa(patient(j), "S2"))


def _granted(j: Journey) -> None:
    j.away(5 * DAY).tell(GrantVisa(patient(j), j.now + 90 * DAY, 120))


def _fit(j: Journey) -> None:
    j.tell(RecordFitToTravel("Dr Rao", j.now + 30 * DAY))


def _booking(j: Journey) -> None:
    j.away(HOUR).tell(BookTravel(j.now + 6 * DAY))


def _booked(j: Journey) -> None:
    j.away(HOUR).tell(ConfirmTravel("T-1"))


def _arrived(j: Journey) -> None:
    j.away(7 * DAY).tell(RecordArrival(j.now - HOUR)).tell(RegisterAddress("hotel"))


def _admitted(j: Journey) -> None:
    j.away(HOUR).tell(AdmitPatient("E-1"))


def _screened(j: Journey) -> None:
    j.away(3 * DAY).tell(ConfirmScreening("Dr Li"))


def _gated(j: Journey) -> None:
    j.away(HOUR).tell(SignGate("Dr Li", no_active_infection=True, organ_function_fine=True))


def _depleting(j: Journey) -> None:
    j.away(DAY).tell(RecordDepletion("Flu/Cy", -5))


def _depleted(j: Journey) -> None:
    j.away(2 * DAY).tell(CompleteDepletion())


def _authorised(j: Journey) -> None:
    j.away(3 * DAY).tell(AuthoriseInfusion("Dr Li"))


def _checked(j: Journey) -> None:
    j.tell(CheckIdentity("nurse-1", "nurse-2", j.case.dose.ref, patient_matches=True, unit_matches=True))


def _thawed(j: Journey) -> None:
    j.tell(StartThaw(j.case.dose.ref))


def _infused(j: Journey) -> None:
    assert j.case.treatment
    j.away(timedelta(minutes=15)).tell(RecordInfusion(j.case.treatment.unit, "1e8", When.at(j.now)))


def _discharged(j: Journey) -> None:
    j.away(18 * DAY).tell(DischargePatient("Dr Li"))


def _assessed(j: Journey) -> None:
    j.away(9 * DAY).tell(AssessResponse("CR")).tell(DecidePathway("observe", "Dr Li"))


def _fit_home(j: Journey) -> None:
    j.away(DAY).tell(DeclareFitHome("Dr Li"))


def _home(j: Journey) -> None:
    j.away(2 * DAY).tell(ReturnHome(When.at(j.now)))


def _handed_over(j: Journey) -> None:
    j.away(2 * DAY).tell(AcceptHandover()).tell(TryContact("call", answered=True))


STEPS: dict[str, Callable[[Journey], None]] = {
    "opened": _opened,
    "answered": _answered,
    "records": _consented,
    "asked_records": _asked_records,
    "received": _received,
    "verified": _verified,
    "drafted": _drafted,
    "eligibility": _frozen,
    "chosen": _chosen,
    "submitted": _submitted,
    "acknowledged": _acknowledged,
    "accepted": _accepted,
    "estimated": _estimated,
    "quoted": _quoted,
    "priced": _priced,
    "dose_held": _dose_held,
    "visa": _bed_held,
    "invited": _invited,
    "planned": _planned,
    "filed": _filed,
    "granted": _granted,
    "fit": _fit,
    "booking": _booking,
    "admission": _booked,
    "arrived": _arrived,
    "admitted": _admitted,
    "lymphodepletion": _screened,
    "gated": _gated,
    "depleting": _depleting,
    "infusion": _depleted,
    "authorised": _authorised,
    "checked": _checked,
    "thawed": _thawed,
    "infused": _infused,
    "discharged": _discharged,
    "assessed": _assessed,
    "follow_up": _fit_home,
    "home": _home,
    "handed_over": _handed_over,
}
"""Name of what is reached → the step that reaches it. A stage's name stands where the case enters it."""


def at(name: str) -> Journey:
    """The course as far as that name, with everything asked for delivered on the way."""
    j = Journey()
    for reached, step in STEPS.items():
        step(j)
        j.deliver()
        if reached == name:
            return j
    raise AssertionError(f"no step is called {name}")


def visit_every_time(j: Journey, until: datetime) -> Journey:
    """Follow-up as it should be: each visit is recorded ten days before it is due."""
    while j.now < until:
        owed: list[Obligation] = j.all_owed("visit")
        if not owed:
            break
        j.wait(until=max(j.now, min(owed[0].due - 10 * DAY, until)))
        j.tell(RecordVisit(owed[0].about.split("/")[0], alive=True, occurred=When.on(j.now.astimezone(UTC).date())))
    return j


FROM = ("", "imported", *STEPS)
"""Every place to start from: nothing at all, a case that is being imported, each step of the course."""


def _walk() -> Iterator[tuple[str, Journey]]:
    """The course, gone once; as it stands at each name."""
    j = Journey()
    for reached, step in STEPS.items():
        step(j)
        j.deliver()
        yield reached, j.fork()


_walked: dict[str, Journey] = {}
_ahead = _walk()


@cache
def _reached(name: str) -> Journey:
    if name == "imported":
        j = Journey()
        _world(j)
        return j.tell(replace(OPENED, imported=True))
    if not name:
        return Journey()
    assert name in STEPS, f"no step is called {name}"
    while name not in _walked:
        reached, stands = next(_ahead)
        _walked[reached] = stands
    return _walked[name]


def start(name: str) -> Journey:
    """A case of its own that stands there."""
    return _reached(name).fork()

"""The stages before day 0, which no publication tells: filled in plausibly, every command marked as assumed."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from domain.case.phases.consents import RISK_ITEMS
from domain.core.codes import MOST_DAYS
from domain.core.fact import Command
from domain.stages.eligibility import eligibility, quote, submissions
from domain.stages.intake import inquiry, people
from domain.stages.records import dossier, records
from domain.stages.travel import letter, travel, visa
from domain.stages.treatment import admission, bed, dose
from rehearsal.courses.known import years
from rehearsal.courses.published.courses import Course
from rehearsal.courses.steps import ASSUMED, CourseCalendar, Places, Tell, ToldSoFar, Writer

LEAD = 75
"""Days from the inquiry to the arrival."""
SAID = f"{ASSUMED}: before day 0, told by no source"
HOME = ("IN", "Asia/Kolkata", "en")
ELSEWHERE = ("BD", "Asia/Dhaka", "en")
ROOM = timedelta(days=60)
ADULT = 18
PAPERS: tuple[records.RecordKind, ...] = ("pathology", "labs")
ASKED: tuple[people.Purpose, ...] = ("data_processing", "translation")
NAMED: tuple[people.Purpose, ...] = ("share_with_hospital", "cross_border")


def until_admission(course: Course, places: Places, days: CourseCalendar, come: int, stay: int, writer: Writer) -> None:
    """Lead from the first question to the hospital bed on day `come`; the stay is permitted for `stay` days."""
    _inquiry(course, places, days, come - LEAD, writer)
    _dossier(course, days, come - LEAD + 3, writer)
    _centre(places, days, come - LEAD + 14, come, writer)
    _papers(days, come - LEAD + 30, come, stay, writer)
    _arrival(days, come, writer)


def minor(age: str) -> bool:
    """Return whether the age as the source writes it is a child's."""
    known = years(age)
    return known < ADULT if known is not None else any(word in age.casefold() for word in ("child", "infant"))


def _inquiry(course: Course, places: Places, days: CourseCalendar, day: int, w: Writer) -> None:
    country, zone, language = HOME if places.country != HOME[0] else ELSEWHERE
    child = minor(course.age)
    opened = inquiry.OpenCase(
        country,
        language,
        zone,
        course.patient,
        diagnosis=course.disease,
        minor=child,
        owner="rehearsal",
        team="rehearsal",
    )
    w.say(days.at(day, 8), lambda _: opened, SAID)
    if child:
        parent = people.AddPerson("legal_representative", "not told by the source", zone, language)
        w.say(days.at(day, 9), lambda _: parent, SAID)
    w.say(days.at(day, 10), lambda _: inquiry.ReplyToFamily("call"), SAID)
    w.say(days.at(day + 1, 9), lambda k: inquiry.AcknowledgeScope(consenting(k), "1"), SAID)
    for purpose in ASKED:
        w.say(days.at(day + 1, 9), consent(purpose), SAID)
    for purpose in NAMED:
        w.say(days.at(day + 1, 9), consent(purpose, places.centre), SAID)


def consenting(known: ToldSoFar) -> str:
    """Return who decides: the patient, or the legal representative of a minor."""
    patient = known.case.patient
    assert patient is not None
    others = [p.id for p in known.case.people.values() if p.role == "legal_representative"]
    return others[0] if patient.minor and others else patient.id


def consent(purpose: people.Purpose, recipient: str = "") -> Tell:
    """Consent to one purpose by whoever decides."""
    items = RISK_ITEMS if purpose == "risks" else ()
    return lambda k: people.GiveConsent(purpose, consenting(k), "1", "en", recipient, items)


def _dossier(course: Course, days: CourseCalendar, day: int, w: Writer) -> None:
    for kind in PAPERS:
        w.say(days.at(day, 9), _request(kind), SAID)
    for kind in PAPERS:
        w.say(days.at(day + 4, 9), _receive(kind, sha256(f"{course.patient}/{kind}".encode()).hexdigest()), SAID)
        w.say(days.at(day + 4, 14), _verify(kind), SAID)
    summary = sha256(f"{course.patient}/summary".encode()).hexdigest()
    w.say(days.at(day + 7, 9), lambda _: dossier.DraftSummary(summary, "reviewer-1"), SAID)
    w.say(days.at(day + 7, 15), lambda _: dossier.SignSummary("reviewer-2"), SAID)


def _request(kind: records.RecordKind) -> Tell:
    return lambda _: records.RequestRecord(kind)


def _receive(kind: str, document: str) -> Tell:
    return lambda k: records.ReceiveRecord(_item(k, kind), document, "en")


def _verify(kind: str) -> Tell:
    return lambda k: records.VerifyRecord(_item(k, kind), "reviewer-1")


def _item(known: ToldSoFar, kind: str) -> str:
    return next(i.id for i in known.case.records.values() if i.kind == kind)


def _submission(known: ToldSoFar) -> str:
    return list(known.case.submissions)[-1]


def _centre(places: Places, days: CourseCalendar, day: int, come: int, w: Writer) -> None:
    late = days.at(come, 12) + ROOM
    w.say(days.at(day, 9), lambda _: submissions.ChooseCentre(places.centre, places.protocol), SAID)
    w.say(days.at(day, 10), lambda k: submissions.SubmitDossier(_submission(k)), SAID)
    w.say(days.at(day, 11), lambda _: quote.IssueEstimate("USD", 90_000, 180_000), SAID)
    w.say(days.at(day, 16), lambda k: quote.AcknowledgeEstimate(_patient(k)), SAID)
    w.say(days.at(day + 1, 3), lambda k: submissions.AcknowledgeSubmission(_submission(k), "received"), SAID)
    w.say(days.at(day + 6, 3), lambda k: eligibility.AcceptPatient(_submission(k), SAID, late), SAID)
    w.say(days.at(day + 8, 3), lambda k: quote.GiveQuote(_submission(k), "USD", late, 120_000), SAID)
    w.say(days.at(day + 9, 9), lambda k: quote.AcceptQuote(_patient(k)), SAID)
    w.say(days.at(day + 10, 3), hold(places, 1, days.at(come, 12) + 2 * ROOM), SAID)
    w.say(days.at(day + 10, 4), lambda _: bed.HoldBed("assumed", late), SAID)


def hold(places: Places, number: int, until: datetime) -> Tell:
    """One unit of the course's own lot."""
    return lambda _: dose.HoldDose(places.lot, places.unit(number), until)


def _patient(known: ToldSoFar) -> str:
    assert known.case.patient is not None
    return known.case.patient.id


def _papers(days: CourseCalendar, day: int, come: int, stay: int, w: Writer) -> None:
    late, arrives = days.at(come, 12) + ROOM, days.on(come - 1)
    w.say(days.at(day, 3), lambda _: letter.IssueLetter("assumed", late), SAID)
    w.say(days.at(day + 1, 9), lambda k: visa.RecordPassport(_patient(k), days.on(come + 3650)), SAID)
    w.say(days.at(day + 2, 9), lambda k: visa.FileVisa(_patient(k), "as the consulate says"), SAID)
    w.say(days.at(day + 2, 10), lambda _: travel.PlanStay(arrives, 70, "", "assumed", True), SAID)
    w.say(days.at(day + 9, 9), lambda k: visa.GrantVisa(_patient(k), late, min(stay, MOST_DAYS)), SAID)
    w.say(days.at(day + 20, 9), lambda _: travel.RecordFitToTravel("assumed", late), SAID)
    w.say(days.at(day + 21, 9), lambda _: travel.BookTravel(days.at(come - 2, 12)), SAID)
    w.say(days.at(day + 22, 3), lambda _: travel.ConfirmTravel("assumed"), SAID)


def _arrival(days: CourseCalendar, come: int, w: Writer) -> None:
    entered = days.at(come - 1, 6)
    w.say(days.at(come - 1, 9), lambda _: admission.RecordArrival(entered), SAID)
    w.say(days.at(come - 1, 10), lambda _: admission.RegisterAddress("hotel"), SAID)
    w.say(days.at(come, 3), lambda _: admission.AdmitPatient("assumed"), SAID)
    w.say(days.at(come, 4), consent("trial"), SAID)
    w.say(days.at(come, 4), consent("risks"), SAID)


def screened(_: ToldSoFar) -> Command:
    """The centre confirms on site."""
    return admission.ConfirmScreening(SAID)

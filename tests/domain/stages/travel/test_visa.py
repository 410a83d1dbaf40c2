"""Visa [S5]: letter, passports, visas, stay, fitness, tickets; nobody travels to a closed door [P7]."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from unittest.mock import ANY

import pytest

from domain.case.stage import Stage
from domain.core.errors import Reason
from domain.stages.anytime.moving import StageEntered
from domain.stages.anytime.watching import CentreStateNoted, ProtocolStateNoted
from domain.stages.travel.letter import AskLetterAgain, IssueLetter, LetterAsked, LetterIssued, LetterLapsed
from domain.stages.travel.travel import (
    BookTravel,
    ConfirmTravel,
    DoorClosed,
    DoorReopened,
    FitToTravelLapsed,
    FitToTravelRecorded,
    PlanStay,
    RecordFitToTravel,
    StayPlanned,
    StopTravel,
    TravelAsked,
    TravelBooked,
    TravelStopped,
)
from domain.stages.travel.visa import (
    FileVisa,
    GrantVisa,
    PassportRecorded,
    RecordPassport,
    RefuseVisa,
    VisaFiled,
    VisaGranted,
    VisaLapsed,
    VisaRefused,
)
from domain.stages.treatment.admission import RecordArrival
from domain.stages.treatment.dose import HoldDose
from tests.domain.course import CENTRE, LOT, PROTOCOL, STEPS, patient, start
from tests.domain.journey import DAY, HOUR, Journey, when
from tests.domain.refusals import No


def carer(j: Journey) -> str:
    return next(p.id for p in j.case.people.values() if p.role == "carer")


def lands(j: Journey) -> datetime:
    return datetime.combine(j.case.stay_plan["arrives"], time(), UTC)


def too_long(j: Journey) -> None:
    """The visa permits 120 days; 107 and a margin of 14 are one too many."""
    j.tell(PlanStay(j.case.stay_plan["arrives"], 107, "", "Hostel", funds_confirmed=True))


REFUSALS = (
    No("visa", lambda j: IssueLetter("L", j.now), Reason.INVALID, "the letter has ended already"),
    No("visa", AskLetterAgain("expired"), Reason.ALREADY, "a letter is asked for already"),
    No("arrived", AskLetterAgain("expired"), Reason.NOT_NOW, "no letter is needed now"),
    No("visa", lambda j: FileVisa(patient(j), "S2"), Reason.MISSING, "there is no valid invitation letter"),
    No("invited", lambda j: FileVisa(patient(j), "S2"), Reason.MISSING, "this person's passport is not recorded"),
    No("filed", lambda j: FileVisa(patient(j), "S2"), Reason.ALREADY, "an application is with the consulate"),
    No("invited", lambda j: RefuseVisa(patient(j), "other"), Reason.MISSING, "no application was filed"),
    No("granted", lambda j: RefuseVisa(patient(j), "other"), Reason.NOT_NOW, "the application is granted"),
    No("filed", lambda j: GrantVisa(patient(j), j.now, 60), Reason.INVALID, "the visa has ended already"),
    No("filed", lambda j: GrantVisa(patient(j), j.now + DAY, 0), Reason.INVALID, "a stay has at least one day"),
    No("visa", lambda j: PlanStay(j.now.date(), 0, "", "", True), Reason.INVALID, "a stay has at least one day"),
    No(
        "visa",
        lambda j: PlanStay(j.now.date(), 9, "", "", True, "\u202ehi"),
        Reason.INVALID,
        "a language is a code of BCP",
    ),
    No("visa", lambda j: PlanStay(j.now.date(), 10**9, "", "", True), Reason.INVALID, "at most 3660 days"),
    No("filed", lambda j: GrantVisa(patient(j), j.now + DAY, 10**9), Reason.INVALID, "at most 3660 days"),
    No("visa", lambda j: PlanStay(j.now.date(), 9, "nobody", "", True), Reason.NOT_FOUND, "no such person"),
    No("visa", lambda j: RecordFitToTravel("Dr", j.now), Reason.INVALID, "the statement has ended already"),
    No("fit", lambda j: BookTravel(j.now), Reason.INVALID, "the departure lies in the past"),
    No(
        "fit",
        lambda j: BookTravel(j.now + DAY),
        Reason.LAPSED,
        "the held lot expires too soon after the planned arrival",
        lambda j: j.source(LOT, expires=lands(j) + 3 * DAY - HOUR),
    ),
    No("fit", lambda j: BookTravel(j.now + DAY), Reason.LAPSED, "a visa's permitted stay is too short", too_long),
    No("booking", lambda j: BookTravel(j.now + DAY), Reason.ALREADY, "travel is booked or being booked"),
    No("arrived", lambda j: BookTravel(j.now + DAY), Reason.NOT_NOW, "no journey is being prepared"),
    No("fit", ConfirmTravel("T"), Reason.NOT_NOW, "no booking is waiting for the centre"),
    No("fit", StopTravel("x"), Reason.NOT_NOW, "nobody is about to travel"),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_letter_is_issued_and_the_family_applies() -> None:
    j = start("visa")
    until = j.now + 30 * DAY
    when(j, IssueLetter("L", until)).then_told(LetterIssued("L", until)).then_opens("visa_application")


def test_a_wrong_letter_is_voided_and_a_new_one_asked_for() -> None:
    when(start("invited"), AskLetterAgain("wrong_details")).then_told(LetterAsked("wrong_details", 2)).then_asks(
        "request_invitation_letter", "void_letter"
    )


def test_a_letter_that_ends_before_anybody_applied_is_asked_for_again() -> None:
    j = start("visa")
    j.tell(IssueLetter("L", j.now + DAY))
    when(j, at=j.now + DAY).then_told(LetterLapsed()).then_asks("request_invitation_letter")


def test_everybody_who_travels_needs_a_visa() -> None:
    j = start("invited")
    j.tell(PlanStay(j.now.date(), 70, carer(j), "Hostel", True))
    assert len(j.all_owed("visa_application")) == 2
    when(j, RecordPassport(carer(j), date(2036, 1, 1))).then_told(PassportRecorded(carer(j), date(2036, 1, 1), ""))
    when(j, FileVisa(carer(j), "S2")).then_told(VisaFiled(carer(j), "S2", 1)).then_opens("visa_outcome")


def test_a_refused_visa_is_applied_for_again() -> None:
    j = start("filed")
    when(j, RefuseVisa(patient(j), "incomplete")).then_told(VisaRefused(patient(j), "incomplete")).then_opens(
        "visa_application"
    )
    when(j, FileVisa(patient(j), "S2")).then_told(VisaFiled(patient(j), "S2", 2))


def test_a_visa_that_was_not_used_ends_by_itself() -> None:
    j = start("filed")
    until = j.now + 5 * DAY
    when(j, GrantVisa(patient(j), until, 120)).then_told(VisaGranted(patient(j), until, 120, 1))
    j.now = until
    when(j).then_told(VisaLapsed(patient(j)))
    assert j.owed("visa_application").about == f"{patient(j)}/1"


def test_stay_and_fitness() -> None:
    j = start("visa")
    when(j, PlanStay(date(2026, 5, 1), 70, "", "Hostel", False, "hi")).then_told(
        StayPlanned(date(2026, 5, 1), 70, "", "Hostel", False, "hi")
    ).then_opens("fit_to_travel", "travel_booking")
    assert j.owed("stay_plan").state == "open", "not funded yet"
    until = j.now + 2 * DAY
    when(j, RecordFitToTravel("Dr Rao", until)).then_told(FitToTravelRecorded("Dr Rao", until))
    when(j, at=until).then_told(FitToTravelLapsed()).then_opens("fit_to_travel")


def test_the_centre_is_asked_before_a_ticket_is_bought_and_its_yes_moves_the_case_on() -> None:
    j = start("fit")
    when(j, BookTravel(j.now + DAY)).then_told(TravelAsked(j.now + DAY, 1)).then_asks("confirm_open_door")
    when(j, ConfirmTravel("T-1")).then_told(TravelBooked("T-1"), StageEntered(Stage.ADMISSION, Stage.VISA)).then_asks(
        "arrange_stay"
    )


def test_the_centres_no_stops_the_booking() -> None:
    j = start("booking")
    when(j, StopTravel("ward closed")).then_told(TravelStopped("ward closed", answered=True)).then_opens(
        "travel_booking"
    )
    assert j.asked("cancel_travel") == []


Shut = Callable[[Journey], object]
DOORS: dict[str, Shut] = {
    "the centre's acceptance has ended": lambda j: j.away(59 * DAY),
    "the centre takes no patients at present": lambda j: j.source(CENTRE, paused=True),
    "the protocol is not known to be open": lambda j: j.source(PROTOCOL, open=False),
    "no dose is held": lambda j: j.source("lot-a", state="quarantined"),
}


@pytest.mark.parametrize("words", DOORS)
def test_no_ticket_is_bought_to_a_closed_door(words: str) -> None:
    j = start("fit")
    DOORS[words](j)
    assert when(j, BookTravel(j.now + DAY)).journey.refused
    assert j.refused
    assert j.refused.reason is Reason.LAPSED


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("granted", "fitness to travel is not stated or has ended"),
        ("planned", "a traveller has no visa valid on arrival; a passport ends too soon"),
        ("invited", "the stay is not planned and funded"),
    ],
)
def test_what_is_missing_before_a_ticket_is_said(at: str, words: str) -> None:
    j = start(at)
    when(j, BookTravel(j.now + DAY)).then_refused(Reason.LAPSED, words)


def test_a_passport_must_last_a_month_beyond_a_long_stay() -> None:
    j = start("fit")
    arrives = j.case.stay_plan["arrives"]
    j.case = replace(j.case, visas={p: replace(v, stay_days=180) for p, v in j.case.visas.items()})
    j.tell(PlanStay(arrives, 160, "", "Hostel", funds_confirmed=True))
    j.tell(RecordPassport(patient(j), arrives + timedelta(days=189)))
    when(j, BookTravel(j.now + DAY)).then_refused(Reason.LAPSED, "a passport ends too soon")
    j.tell(RecordPassport(patient(j), arrives + timedelta(days=190)))
    when(j, BookTravel(j.now + DAY)).then_told(TravelAsked(j.now + DAY, 1))


def test_a_passport_must_last_six_months_beyond_arrival() -> None:
    j = start("fit")
    arrives = j.case.stay_plan["arrives"]
    j.tell(RecordPassport(patient(j), arrives + timedelta(days=182)))
    when(j, BookTravel(j.now + DAY)).then_refused(Reason.LAPSED, "a passport ends too soon")
    j.tell(RecordPassport(patient(j), arrives + timedelta(days=183)))
    when(j, BookTravel(j.now + DAY)).then_told(TravelAsked(j.now + DAY, 1))


def test_a_visa_must_be_valid_on_the_day_of_arrival_not_only_today() -> None:
    j = start("fit")
    lands = j.case.stay_plan["arrives"]
    late = lands + timedelta(days=100)
    j.tell(PlanStay(late, 70, "", "Hostel", True))
    when(j, BookTravel(j.now + DAY)).then_refused(Reason.LAPSED, "a traveller has no visa valid on arrival")


def test_a_door_that_closes_while_the_centre_is_asked_stops_the_booking() -> None:
    j = start("booking")
    j.source(PROTOCOL, open=False)
    when(j).then_told(
        ProtocolStateNoted(PROTOCOL, 2, False, ANY, 1),
        TravelStopped("the protocol is not known to be open", answered=False),
    )
    [asked] = [e for e in j.case.effects.values() if e.kind == "confirm_open_door"]
    assert asked.state == "delivered"
    when(j, ConfirmTravel("T-1")).then_refused(Reason.NOT_NOW, "no booking is waiting")


def test_a_departure_that_passes_unconfirmed_is_no_booking() -> None:
    j = start("fit")
    departs = j.now + DAY
    j.tell(BookTravel(departs))
    when(j, at=departs)
    assert TravelStopped("the departure has passed", answered=False) in j.last


def test_a_door_that_closes_after_booking_is_told_to_family_and_coordinator() -> None:
    j = start("admission")
    j.source(CENTRE, paused=True)
    when(j).then_told(
        CentreStateNoted(CENTRE, 2, True, "CN", "Asia/Shanghai"),
        DoorClosed(("the centre takes no patients at present",)),
    ).then_opens("closed_door").then_asks("warn_of_closed_door")
    j.source(PROTOCOL, open=False)
    when(j)
    [told] = [e for e in j.last if isinstance(e, DoorClosed)]
    assert len(told.what) == 2
    j.source(CENTRE, paused=False).source(PROTOCOL, open=True).look()
    assert DoorReopened() in j.last


def test_a_lease_that_ends_by_itself_after_booking_is_a_closed_door_at_that_instant() -> None:
    j = start("admission")
    j.source(PROTOCOL, open_until=j.now + 2 * HOUR).look()
    assert j.agenda.wake_at == j.now + 2 * HOUR
    j.wait(by=2 * HOUR)
    assert j.case.shut == ("the protocol is not known to be open",)


def test_a_journey_called_off_gives_the_tickets_back() -> None:
    j = start("admission")
    when(j, StopTravel("fever")).then_told(TravelStopped("fever", answered=False)).then_asks("cancel_travel")
    assert j.owed("travel_booking").state == "open"


def test_who_has_arrived_is_behind_the_door() -> None:
    j = start("admission")
    j.source(PROTOCOL, open=False).look()
    j.away(7 * DAY).tell(RecordArrival(j.now))
    assert j.case.shut == ()
    assert j.all_owed("closed_door") == []


def test_a_dose_that_lapses_after_booking_reopens_the_door_when_held_again() -> None:
    j = start("admission")
    j.source("lot-a", state="quarantined").look()
    assert j.case.shut == ("no dose is held",)
    when(j, HoldDose("lot-b", "unit-7", j.now + 40 * DAY))
    assert DoorReopened() in j.last


def test_within_one_country_nobody_needs_a_letter_or_a_visa() -> None:
    j = start("dose_held")
    j.source(CENTRE, country="IN").look()
    STEPS["visa"](j)
    assert j.asked("request_invitation_letter") == []
    assert {o.kind for o in j.all_owed()} & {"invitation_letter", "visa_application"} == set()
    for step in ("planned", "fit", "booking", "admission"):
        STEPS[step](j)
    assert j.case.stage == Stage.ADMISSION


def test_exactly_the_margins_are_enough() -> None:
    j = start("fit")
    j.source(LOT, expires=lands(j) + 3 * DAY)
    j.tell(PlanStay(j.case.stay_plan["arrives"], 106, "", "Hostel", funds_confirmed=True))
    when(j, BookTravel(j.now + 6 * DAY)).then_told(TravelAsked(j.now + 6 * DAY, 1))


def test_a_lot_found_to_expire_too_soon_shuts_the_door_after_booking() -> None:
    j = start("admission")
    j.source(LOT, expires=lands(j) + DAY).look()
    assert DoorClosed(("the held lot expires too soon after the planned arrival",)) in j.last
    j.source(LOT, expires=lands(j) + 90 * DAY).look()
    assert DoorReopened() in j.last

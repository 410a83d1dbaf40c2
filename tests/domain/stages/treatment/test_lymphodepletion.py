"""Lymphodepletion [S7]: the gate compares dose, lot, door and consents with now, and nobody waives it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.case.stage import Stage
from domain.core.errors import Reason
from domain.core.when import When
from domain.stages.anytime.moving import MoveOn, StageEntered
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.intake.people import WithdrawConsent
from domain.stages.treatment.admission import DecideStayExtension, FileStayExtension
from domain.stages.treatment.lymphodepletion import (
    CompleteDepletion,
    DepletionCompleted,
    DepletionGiven,
    DepletionOmitted,
    DepletionStopped,
    GateSigned,
    OmitDepletion,
    RecordDepletion,
    SignGate,
    StopDepletion,
)
from tests.domain.course import LOT, PROTOCOL, patient, start
from tests.domain.journey import DAY, HOUR, Journey, when
from tests.domain.refusals import No

SIGN = SignGate("Dr Li", no_active_infection=True, organ_function_fine=True)


def lot_unknown(j: Journey) -> None:
    """The lot's own stream was never seen, so it is not known to be released."""
    j.sources.pop(LOT)
    j.case = replace(j.case, sources={s: n for s, n in j.case.sources.items() if s != LOT})


def nearly_over(j: Journey) -> None:
    j.tell(FileStayExtension()).tell(DecideStayExtension(granted=True, until=j.now + 14 * DAY - HOUR))


REFUSALS = (
    No("gated", SIGN, Reason.ALREADY, "the gate is signed for this treatment"),
    No(
        "lymphodepletion",
        SIGN,
        Reason.MISSING,
        "consent to the trial is not given",
        lambda j: j.tell(WithdrawConsent("trial", patient(j))),
    ),
    No(
        "lymphodepletion",
        SIGN,
        Reason.MISSING,
        "acceptance of the particular risks is not given",
        lambda j: j.tell(WithdrawConsent("risks", patient(j))),
    ),
    No("lymphodepletion", SignGate("Dr", False, True), Reason.INVALID, "an active infection keeps the gate closed"),
    No("lymphodepletion", SignGate("Dr", True, False), Reason.INVALID, "unfit organ function keeps the gate closed"),
    No(
        "lymphodepletion",
        SIGN,
        Reason.LAPSED,
        "the protocol is not known to be open now",
        lambda j: j.source(PROTOCOL, open=False),
    ),
    No("lymphodepletion", SIGN, Reason.LAPSED, "no dose is held now", lambda j: j.source(LOT, state="quarantined")),
    No("lymphodepletion", SIGN, Reason.LAPSED, "no dose is held now", lambda j: j.away(61 * DAY)),
    No("lymphodepletion", SIGN, Reason.NEVER_WAIVED, "the lot is not known to be released", lot_unknown),
    No("lymphodepletion", SIGN, Reason.LAPSED, "the lot has expired", lambda j: j.source(LOT, expires=j.now)),
    No(
        "lymphodepletion",
        SIGN,
        Reason.LAPSED,
        "the lot expires too soon for the days before the infusion",
        lambda j: j.source(LOT, expires=j.now + 3 * DAY - HOUR),
    ),
    No("lymphodepletion", SIGN, Reason.LAPSED, "the permitted stay ends too soon", nearly_over),
    No("lymphodepletion", RecordDepletion("Flu"), Reason.MISSING, "the lymphodepletion gate is not signed"),
    No("depleting", RecordDepletion("Flu", treatment=2), Reason.NOT_FOUND, "no such treatment"),
    No("lymphodepletion", OmitDepletion("x"), Reason.MISSING, "the lymphodepletion gate is not signed"),
    No("depleting", OmitDepletion("x"), Reason.NOT_NOW, "lymphodepletion has started"),
    No("gated", CompleteDepletion(), Reason.NOT_NOW, "lymphodepletion is not under way"),
    No("gated", StopDepletion("x"), Reason.NOT_NOW, "lymphodepletion is not under way"),
    No("depleting", CompleteDepletion(10**9), Reason.INVALID, "at most 3660 days"),
    No("depleting", CompleteDepletion(0), Reason.INVALID, "a window has at least one day"),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_signed_gate_asks_the_lot_and_the_hospital_before_the_first_dose() -> None:
    when(start("lymphodepletion"), SIGN).then_told(GateSigned(1, "Dr Li", "")).then_opens("depletion_report").then_asks(
        "confirm_depletion_start"
    )


def test_days_are_recorded_and_the_last_opens_the_window_for_the_cells() -> None:
    j = start("gated")
    when(j, RecordDepletion("Flu/Cy", -5)).then_told(DepletionGiven(1, "Flu/Cy", -5))
    closes = j.now + j.policy.infusion_window
    when(j, CompleteDepletion()).then_told(
        DepletionCompleted(1, closes), StageEntered(Stage.INFUSION, Stage.LYMPHODEPLETION)
    ).then_opens("infusion_window")
    assert j.owed("infusion_window").due == closes


@pytest.mark.parametrize(
    ("told", "closes"),
    [(When.unknown(), False), (When.between(None, None), False)],
    ids=["unknown", "bound"],
)
def test_an_unknown_last_day_gives_no_window(told: When, closes: bool) -> None:
    j = start("depleting")
    when(j, CompleteDepletion(9, told))
    [completed] = [e for e in j.last if isinstance(e, DepletionCompleted)]
    assert (completed.window_closes is not None) is closes
    assert j.owed("infusion_window").due > j.now


def test_the_products_own_window_counts_from_the_day_it_was_given() -> None:
    j = start("depleting")
    day = When.on(j.now.date())
    assert day.latest
    when(j, CompleteDepletion(9, day))
    assert DepletionCompleted(1, day.latest + timedelta(days=9)) in j.last


def test_leaving_it_out_is_recorded_and_moves_on() -> None:
    when(start("gated"), OmitDepletion("the protocol")).then_told(
        DepletionOmitted(1, "the protocol"), StageEntered(Stage.INFUSION, Stage.LYMPHODEPLETION)
    )


def test_broken_off_it_is_still_the_hospitals_to_report_and_cannot_be_undone() -> None:
    j = start("depleting")
    when(j, StopDepletion("fever")).then_told(DepletionStopped(1, "fever"))
    assert j.case.stage == Stage.LYMPHODEPLETION
    j.tell(LeaveJourney("not_suitable", "antibiotics, then again"))
    assert set(j.case.undone) == {"lymphodepletion", "stay_in_country", "shared_dossier"}


def test_nobody_moves_a_case_past_the_gate() -> None:
    when(
        start("lymphodepletion"), MoveOn(Stage.INFUSION, "in a hurry", ("lymphodepletion completed or left out",))
    ).then_refused(Reason.NEVER_WAIVED, "cannot be waived: lymphodepletion gate signed")


def test_a_supervisor_may_accept_that_the_days_were_never_reported() -> None:
    missing = ("lymphodepletion completed or left out",)
    when(start("gated"), MoveOn(Stage.INFUSION, "given, report lost", missing, "person-9")).then_told(
        StageEntered(Stage.INFUSION, Stage.LYMPHODEPLETION, missing, "given, report lost", "person-9")
    )

"""Leaving from any stage, what is undone in which order, what cannot be undone; reopened, voided, died."""

import pytest

from domain.case.stage import Exit, Stage
from domain.core.errors import Reason
from domain.core.fact import ENGINE
from domain.stages.anytime.moving import StageEntered
from domain.stages.anytime.outcomes import RecordOutcome
from domain.stages.follow_up.acquired import ConfirmDestruction
from domain.stages.follow_up.closing import (
    UNDO,
    CannotBeUndone,
    CaseReopened,
    DeathRetracted,
    JourneyLeft,
    LeaveJourney,
    ReopenCase,
    RetractDeath,
    VoidCase,
)
from domain.stages.intake.people import GiveConsent, WithdrawConsent
from domain.stages.treatment.observations import ReportDeath
from tests.domain.course import OPENED, STEPS, patient, start
from tests.domain.journey import Journey, when
from tests.domain.refusals import No

RANK = {row[1]: row[0] for row in UNDO}
LEFT = LeaveJourney("not_suitable", "palliative care at home")
BEFORE_CELLS = list(STEPS)[: list(STEPS).index("infused")]


def withdrawn(j: Journey) -> None:
    j.tell(WithdrawConsent("data_processing", patient(j)))


REFUSALS = (
    No("home", LEFT, Reason.ALREADY, "the journey was left before", lambda j: j.tell(LEFT)),
    No("home", VoidCase("x"), Reason.ALREADY, "the journey was left before", lambda j: j.tell(LEFT)),
    No(
        "records",
        LeaveJourney("not_suitable"),
        Reason.INVALID,
        "name the alternative pathway: nobody is left at a dead",
    ),
    No("submitted", VoidCase("x"), Reason.IRREVERSIBLE, "others know of this case; leave the journey instead"),
    No("records", ReopenCase("x"), Reason.NOT_NOW, "the journey was not left"),
    No(
        "records",
        ReopenCase("x"),
        Reason.IRREVERSIBLE,
        "this case cannot be taken up again",
        lambda j: j.tell(VoidCase("twice")),
    ),
    No(
        "records",
        ReopenCase("x"),
        Reason.MISSING,
        "consent to process health data was withdrawn; it must be given again",
        withdrawn,
    ),
    No("records", RetractDeath("x"), Reason.MISSING, "no death is recorded"),
    No("records", RetractDeath(""), Reason.INVALID, "a retraction has a reason", lambda j: j.tell(ReportDeath())),
    No("records", ReopenCase("x"), Reason.IRREVERSIBLE, "this case cannot", lambda j: j.tell(ReportDeath())),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


@pytest.mark.parametrize("name", BEFORE_CELLS)
def test_leaving_before_the_cells_undoes_what_was_acquired_in_order_and_closes(name: str) -> None:
    j = start(name)
    held = {t: getattr(j.case, t).state == "held" for t in ("dose", "bed", "letter", "travel")}
    when(j, LEFT)
    assert j.case.stage == Stage.CLOSED
    undone = []
    while waiting := [e.kind for e in j.agenda.effects if e.kind in RANK]:
        undone += waiting
        j.deliver(*waiting)
    ranks = [RANK[kind] for kind in undone]
    assert ranks == sorted(ranks)
    assert undone[-1] == "tell_family_of_exit"
    thawed = j.case.treatment is not None and j.case.treatment.thawed
    assert ("release_dose" in undone) == (held["dose"] and not thawed)
    assert ("release_bed" in undone) == (held["bed"] and not j.case.admitted)
    assert ("void_letter" in undone) == (held["letter"] and j.case.entered is None)
    assert ("cancel_travel" in undone) == (held["travel"] and j.case.entered is None)
    j.deliver()
    for known in [s.id for s in j.case.submissions.values() if s.round]:
        j.tell(ConfirmDestruction(known))
    open_kinds = {o.kind for o in j.all_owed()}
    assert open_kinds <= {"return_home", "stay_end", "address_registration", "unit_destruction"}
    if j.case.entered is None:
        assert not j.case.open


@pytest.mark.parametrize("name", [n for n in STEPS if n not in BEFORE_CELLS])
def test_leaving_after_the_cells_goes_on_with_follow_up(name: str) -> None:
    j = start(name)
    when(j, LeaveJourney("withdrawn"))
    assert (j.case.stage, j.case.follow_up) == (Stage.FOLLOW_UP, "open")
    assert "recall_dossier" not in [e.kind for e in j.agenda.effects], "who treated keeps the record"


@pytest.mark.parametrize("name", STEPS)
def test_death_at_any_step_ends_every_question_to_the_family(name: str) -> None:
    j = start(name)
    when(j, ReportDeath())
    assert (j.case.stage, j.case.exit) == (Stage.CLOSED, Exit.DIED)
    asked = {e.kind for e in j.agenda.effects if e.to == "family"}
    assert asked <= {"withdraw_visa", "cancel_travel"}
    assert not [o for o in j.all_owed() if o.debtor == "family"]


def test_a_failed_step_goes_to_a_person_and_does_not_stop_the_rest() -> None:
    j = start("granted").tell(LEFT)
    [dose] = j.asked("release_dose")
    j.tell(RecordOutcome(dose.id, 1, "refused", code="not_yours"), ENGINE)
    assert j.owed("settle_effect").about.startswith(dose.id)
    j.deliver("release_bed")
    assert "void_letter" in [e.kind for e in j.agenda.effects]


def test_a_step_nobody_can_tell_does_not_stop_the_rest_either() -> None:
    j = start("granted").tell(LEFT)
    for kind in ("release_dose", "release_bed"):
        j.tell(RecordOutcome(j.asked(kind)[0].id, 1, "unknown"), ENGINE)
    assert "void_letter" in [e.kind for e in j.agenda.effects]


def test_what_was_released_is_no_longer_held() -> None:
    j = start("admission").tell(LEFT)
    while j.agenda.effects:
        j.deliver()
    assert [t.state for t in (j.case.dose, j.case.bed, j.case.letter, j.case.travel)] == ["released"] * 4


def test_leaving_says_what_cannot_be_taken_back() -> None:
    j = start("admission")
    when(j, LEFT).then_told(
        JourneyLeft(Exit.NOT_SUITABLE, Stage.ADMISSION, "palliative care at home"),
        CannotBeUndone("granted_visa", "non-use is reported to the hospital"),
        CannotBeUndone("shared_dossier", "the hospital is told to destroy its copies where law allows"),
        StageEntered(Stage.CLOSED, Stage.ADMISSION),
    )


@pytest.mark.parametrize("reason", ["declined", "withdrawn", "lost_to_follow_up"])
def test_the_familys_own_reasons_need_no_alternative(reason: str) -> None:
    j = start("records")
    when(j, LeaveJourney(reason))  # type: ignore[arg-type]
    assert j.case.exit == Exit(reason)


@pytest.mark.parametrize("name", ["answered", "received", "submitted", "dose_held", "invited", "booking", "admission"])
def test_reopened_where_it_was_left_with_every_track_asked_anew(name: str) -> None:
    j = start(name)
    stage = j.case.stage
    j.tell(LEFT).deliver()
    when(j, ReopenCase("they came back"))
    assert j.last[0] == CaseReopened(stage, "they came back")
    assert j.case.exit is None
    assert [t.state for t in (j.case.dose, j.case.bed, j.case.letter, j.case.travel)].count("held") == 0
    owed = bool(j.all_owed()) or any(e.pending for e in j.case.effects.values())
    assert owed, "reopened into a dead end"


def test_reopened_before_the_release_went_out_the_unit_is_given_back_all_the_same() -> None:
    j = start("dose_held").tell(LEFT).tell(ReopenCase("they came back"))
    [release] = j.asked("release_dose")
    assert release.state == "requested"
    assert [e.state for e in j.asked("reserve_dose")] == ["delivered", "requested"]


def test_reopened_twice() -> None:
    j = start("records")
    for _ in range(2):
        j.tell(LeaveJourney("declined")).tell(ReopenCase("again"))
    assert (j.case.reopenings, j.case.stage) == (2, Stage.RECORDS)


def test_consent_given_again_lets_a_case_be_reopened() -> None:
    j = start("records")
    withdrawn(j)
    j.tell(GiveConsent("data_processing", patient(j), "2", "hi"))
    when(j, ReopenCase("they came back")).then_told(CaseReopened(Stage.RECORDS, "they came back"))


def test_a_case_opened_by_mistake_is_voided_without_a_word_to_anybody() -> None:
    j = Journey().tell(OPENED)
    when(j, VoidCase("twice")).then_told(
        JourneyLeft(Exit.VOIDED, Stage.INQUIRY, "twice"), StageEntered(Stage.CLOSED, Stage.INQUIRY)
    ).then_asks()
    assert not j.case.open


@pytest.mark.parametrize("name", STEPS)
def test_a_mistaken_report_of_death_is_retracted_and_the_journey_goes_on_where_it_stood(name: str) -> None:
    j = start(name)
    before = j.case
    j.tell(ReportDeath("sepsis"))
    death = j.case.died
    j.deliver()
    when(j, RetractDeath("another patient of that name", "person-9"))
    assert j.last[0] == DeathRetracted(death, before.stage, "another patient of that name", "person-9")
    assert (j.case.died, j.case.exit, j.case.follow_up) == ("", None, before.follow_up)
    assert (j.case.infusions, j.case.treatments) == (before.infusions, before.treatments)
    owed = bool(j.all_owed()) or any(e.pending for e in j.case.effects.values())
    assert owed, "retracted into a dead end"
    assert j.refold() == j.case
    when(j, RetractDeath("again", "person-9")).then_refused(Reason.MISSING, "no death is recorded")


def test_a_retracted_death_brings_the_visits_back_and_stays_on_record() -> None:
    j = start("handed_over")
    visit = j.owed("visit").about
    j.tell(ReportDeath()).tell(RetractDeath("mistaken", "person-9"))
    assert (j.case.stage, j.owed("visit").about) == (Stage.FOLLOW_UP, visit)
    assert "DeathReported" in [f.event.type for f in j.facts]
    when(j, ReportDeath("relapse"))
    assert (j.case.stage, j.case.exit) == (Stage.CLOSED, Exit.DIED)


def test_who_had_left_before_the_mistake_has_still_left() -> None:
    j = start("infused").tell(LeaveJourney("withdrawn")).tell(ReportDeath())
    assert j.case.follow_up == "died"
    j.tell(RetractDeath("mistaken", "person-9"))
    assert (j.case.exit, j.case.stage, j.case.follow_up) == (Exit.WITHDRAWN, Stage.FOLLOW_UP, "open")


def test_a_retracted_death_does_not_bring_back_a_consent() -> None:
    j = start("records").tell(ReportDeath()).tell(WithdrawConsent("data_processing", patient(start("records"))))
    j.tell(RetractDeath("mistaken", "person-9"))
    assert (j.case.exit, j.case.stage) == (Exit.WITHDRAWN, Stage.CLOSED)

"""Eligibility [S3, S4]: centres, their decision and their price; never a dead end, never a closed door."""

from dataclasses import replace
from datetime import timedelta
from unittest.mock import ANY

import pytest

from domain.case.effect import EffectRequested
from domain.case.stage import Stage
from domain.core.errors import Reason
from domain.stages.anytime.moving import StageEntered
from domain.stages.anytime.watching import ProtocolStateNoted
from domain.stages.eligibility.eligibility import (
    AcceptPatient,
    AskForMore,
    CriterionRecorded,
    DeclinePatient,
    MoreAsked,
    PatientDeclined,
    RecordCriterion,
)
from domain.stages.eligibility.quote import (
    AcceptQuote,
    AcknowledgeEstimate,
    EstimateAcknowledged,
    EstimateIssued,
    GiveQuote,
    IssueEstimate,
    QuoteAccepted,
    QuoteGiven,
    QuoteLapsed,
)
from domain.stages.eligibility.submissions import (
    AcknowledgeSubmission,
    CentreChosen,
    ChooseCentre,
    DossierSubmitted,
    SubmissionAcknowledged,
    SubmissionWithdrawn,
    SubmitDossier,
    WithdrawSubmission,
)
from domain.stages.intake.importing import ImportFacts
from domain.stages.intake.people import ConsentGiven, GiveConsent, WithdrawConsent
from domain.stages.records.records import ReceiveRecord, RecordRequested, VerifyRecord
from domain.stages.treatment.bed import BedHeld, HoldBed
from tests.domain.course import CENTRE, DOCUMENT, PROTOCOL, STEPS, patient, start, submission
from tests.domain.journey import DAY, Journey, when
from tests.domain.refusals import No

OTHER = ("centre-b", "protocol-b")


def also_asked(j: Journey) -> str:
    """A second centre has the dossier too."""
    j.tell(ChooseCentre(*OTHER))
    second = submission(j)
    j.tell(SubmitDossier(second))
    return second


def accepted_by_first(j: Journey) -> None:
    first = submission(j)
    also_asked(j)
    j.tell(AcceptPatient(first, "Dr Li"))


def unknown_world(j: Journey) -> None:
    """Neither centre nor protocol is in the catalogue; the consent is of a time when nobody looked there."""
    j.sources.clear()
    j.tell(ChooseCentre("centre-x", "protocol-x"))
    j.record(ConsentGiven("share_with_hospital", "centre-x", patient(j), "1", "hi"))


def known_centre_unknown_protocol(j: Journey) -> None:
    unknown_world(j)
    j.source("centre-x", paused=False, country="CN", zone="Asia/Shanghai")


REFUSALS = (
    No("chosen", ChooseCentre(CENTRE, PROTOCOL), Reason.ALREADY, "this centre is asked under this protocol"),
    No("accepted", ChooseCentre(*OTHER), Reason.ALREADY, "a centre has accepted; withdraw that first"),
    No("eligibility", ChooseCentre("Beijing", "x"), Reason.INVALID, "name a centre and one of its protocols"),
    No("eligibility", SubmitDossier("nothing"), Reason.NOT_FOUND, "no such submission in this case"),
    No("accepted", lambda j: SubmitDossier(submission(j)), Reason.NOT_NOW, "the submission is accepted"),
    No("submitted", lambda j: SubmitDossier(submission(j)), Reason.ALREADY, "this dossier version was submitted"),
    No(
        "chosen",
        lambda j: SubmitDossier(submission(j)),
        Reason.LAPSED,
        "the centre takes no patients at present",
        lambda j: j.source(CENTRE, paused=True),
    ),
    No(
        "chosen",
        lambda j: SubmitDossier(submission(j)),
        Reason.LAPSED,
        "the protocol is not known to be open now; ask the centre to confirm it",
        lambda j: j.source(PROTOCOL, open_until=j.now + DAY).look().away(DAY),
    ),
    No(
        "eligibility",
        lambda j: SubmitDossier(submission(j)),
        Reason.NOT_FOUND,
        "no such centre in the catalogue",
        unknown_world,
    ),
    No(
        "eligibility",
        lambda j: SubmitDossier(submission(j)),
        Reason.NOT_FOUND,
        "no such protocol in the catalogue",
        known_centre_unknown_protocol,
    ),
    No(
        "eligibility",
        lambda j: SubmitDossier(submission(j)),
        Reason.MISSING,
        "consent to share with this centre is not given",
        lambda j: j.tell(ChooseCentre("centre-x", PROTOCOL)),
    ),
    No("submitted", lambda j: AskForMore(submission(j), ()), Reason.INVALID, "name at least one kind of document"),
    No(
        "submitted",
        lambda j: AcceptPatient(submission(j), "Dr", j.now),
        Reason.INVALID,
        "the acceptance has ended already",
    ),
    No(
        "submitted",
        lambda j: DeclinePatient(submission(j), "Dr", "other", ""),
        Reason.INVALID,
        "a refusal names an alternative pathway",
    ),
    No(
        "arrived",
        lambda j: DeclinePatient(submission(j), "Dr", "other", "hospice"),
        Reason.NOT_NOW,
        "the patient is there; record a failed screening or leave the journey",
    ),
    No("eligibility", IssueEstimate("USD", 5, 4), Reason.INVALID, "a range goes from low to high"),
    No("eligibility", IssueEstimate("usd", 4, 5), Reason.INVALID, "no such currency"),
    No("accepted", lambda j: GiveQuote(submission(j), "XXX", j.now + DAY, 1), Reason.INVALID, "no such currency"),
    No("eligibility", AcknowledgeEstimate("x"), Reason.MISSING, "no estimate is waiting to be acknowledged"),
    No(
        "submitted",
        lambda j: GiveQuote(submission(j), "USD", j.now + DAY, 1),
        Reason.MISSING,
        "only the centre that accepted names a price",
    ),
    No(
        "accepted",
        lambda j: GiveQuote(submission(j), "USD", j.now + DAY, 0),
        Reason.INVALID,
        "a price is more than nothing",
    ),
    No("accepted", lambda j: GiveQuote(submission(j), "USD", j.now, 1), Reason.INVALID, "the quote has ended already"),
    No("accepted", lambda j: AcceptQuote(patient(j)), Reason.MISSING, "no quote is waiting to be accepted"),
    No(
        "quoted",
        lambda j: AcceptQuote(patient(j)),
        Reason.MISSING,
        "no quote is waiting to be accepted",
        lambda j: j.away(15 * DAY),
    ),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_dossier_cannot_be_submitted_before_it_is_frozen() -> None:
    """Reached only by an imported case: the stage eligibility needs a frozen dossier."""
    j = start("imported").tell(ImportFacts(Stage.ELIGIBILITY))
    j.tell(ChooseCentre(CENTRE, PROTOCOL))
    when(j, SubmitDossier(submission(j))).then_refused(Reason.MISSING, "there is no frozen dossier to submit")


def test_a_chosen_centre_becomes_known_and_gets_the_dossier() -> None:
    j = start("eligibility")
    when(j, ChooseCentre(CENTRE, PROTOCOL, "CD7")).then_told(
        ProtocolStateNoted(PROTOCOL, 1, True, ANY, 1),
        CentreChosen(ANY, CENTRE, PROTOCOL, "CD7", open=("international", "paediatric", "diagnosis")),
    )
    when(j, SubmitDossier(submission(j))).then_told(DossierSubmitted(submission(j), 1, 1)).then_asks("submit_dossier")
    when(j, AcknowledgeSubmission(submission(j), "R")).then_told(SubmissionAcknowledged(submission(j), "R"))


def test_a_hospital_that_asks_for_more_gets_the_new_dossier() -> None:
    j = start("submitted")
    when(j, AskForMore(submission(j), ("labs", "imaging"), "HBV DNA")).then_told(
        MoreAsked(submission(j), ("labs", "imaging"), "HBV DNA"),
        RecordRequested(ANY, "labs", "family", "HBV DNA"),
        RecordRequested(ANY, "imaging", "family", "HBV DNA"),
    ).then_opens("record", "record")
    for name in list(j.case.records)[-2:]:
        j.tell(ReceiveRecord(name, DOCUMENT, "en")).tell(VerifyRecord(name))
    assert j.owed("next_centre").state == "open", "the coordinator submits the new version"
    when(j, SubmitDossier(submission(j))).then_told(DossierSubmitted(submission(j), 2, 2)).then_asks("submit_dossier")


def test_a_refusal_is_never_the_end() -> None:
    j = start("submitted")
    when(j, DeclinePatient(submission(j), "Dr Li", "cohort_full", "the sister protocol in spring")).then_told(
        PatientDeclined(submission(j), "Dr Li", "cohort_full", "the sister protocol in spring")
    ).then_opens("next_centre")


def test_criteria_are_kept_as_a_person_read_them() -> None:
    j = start("submitted")
    when(j, RecordCriterion(submission(j), "ecog", "needs_review", "ECOG 2")).then(
        CriterionRecorded(submission(j), "ecog", "needs_review", "ECOG 2")
    )


def test_a_lost_acceptance_gives_back_what_was_acquired_and_looks_for_another_centre() -> None:
    j = start("invited")
    first = submission(j)
    when(j, WithdrawSubmission(first)).then_told(
        SubmissionWithdrawn(first), StageEntered(Stage.ELIGIBILITY, Stage.VISA)
    ).then_asks("withdraw_submission", "release_dose", "release_bed")
    assert [e.kind for e in j.deliver() if isinstance(e, EffectRequested)] == ["void_letter"]
    assert {o.kind for o in j.all_owed()} == {"next_centre", "destruction_confirmation"}


def test_what_the_first_centre_held_does_not_count_for_the_second() -> None:
    j = start("visa")
    j.tell(DeclinePatient(submission(j), "Dr Li", "protocol_closed", "centre B"))
    second = also_asked(j)
    j.tell(AcceptPatient(second, "Dr B")).tell(GiveQuote(second, "EUR", j.now + 9 * DAY, 9))
    when(j, AcceptQuote(patient(j))).then_told(QuoteAccepted(patient(j))).then_asks("reserve_dose", "hold_bed")
    assert j.case.stage == Stage.ELIGIBILITY


def test_consent_to_share_taken_back_ends_the_request_to_that_centre() -> None:
    j = start("submitted")
    j.tell(WithdrawConsent("share_with_hospital", patient(j), CENTRE))
    assert SubmissionWithdrawn(submission(j)) in j.last
    assert [e.kind for e in j.agenda.effects] == ["withdraw_submission"]


def shared_with(j: Journey, centre: str, country: str) -> Journey:
    """A centre in that country is chosen; sharing with it is consented to, sending abroad is not."""
    j.source(centre, paused=False, country=country, zone="UTC").tell(ChooseCentre(centre, PROTOCOL))
    return j.tell(GiveConsent("share_with_hospital", patient(j), "1", "hi", centre))


def test_records_do_not_leave_the_country_without_a_consent_to_that() -> None:
    j = shared_with(start("eligibility"), "centre-x", "CN")
    abroad = SubmitDossier(submission(j))
    when(j, abroad).then_refused(Reason.MISSING, "consent to send records to this centre's country is not given")
    j.tell(GiveConsent("cross_border", patient(j), "1", "hi", "centre-x"))
    when(j, abroad).then_told(DossierSubmitted(submission(j), 1, 1)).then_asks("submit_dossier")


def test_within_the_country_no_such_consent_is_needed() -> None:
    j = shared_with(start("eligibility"), "centre-x", "IN")
    when(j, SubmitDossier(submission(j))).then_told(DossierSubmitted(submission(j), 1, 1)).then_asks("submit_dossier")


def test_consent_to_send_abroad_taken_back_ends_the_request_before_it_goes_out() -> None:
    j = start("chosen").tell(SubmitDossier(submission(start("chosen"))))
    [asked] = j.asked("submit_dossier")
    when(j, WithdrawConsent("cross_border", patient(j), CENTRE)).then_asks("withdraw_submission")
    assert j.case.effects[asked.id].state == "withdrawn"
    assert j.case.submissions[submission(j)].state == "withdrawn"


def test_a_request_recorded_before_this_consent_was_asked_for_waits_for_it() -> None:
    """A case of an older Caravel: the dossier was submitted, nobody was asked about the border."""
    j = start("chosen").tell(SubmitDossier(submission(start("chosen"))))
    j.case = replace(j.case, consents={n: c for n, c in j.case.consents.items() if c.purpose != "cross_border"})
    j.look()
    assert not j.asked("submit_dossier")
    assert j.case.submissions[submission(j)].state == "submitted"
    when(j, GiveConsent("cross_border", patient(j), "1", "hi", CENTRE)).then_asks("submit_dossier")


def test_an_estimate_then_a_price() -> None:
    j = start("eligibility")
    when(j, IssueEstimate("USD", 6, 9)).then_told(EstimateIssued(6, 9, "USD"))
    when(j, AcknowledgeEstimate(patient(j))).then_told(EstimateAcknowledged(patient(j)))


def test_a_price_ends_by_itself_and_is_asked_for_again() -> None:
    j = start("accepted")
    until = j.now + 3 * DAY
    when(j, GiveQuote(submission(j), "USD", until, 7)).then_told(QuoteGiven(submission(j), 7, "USD", until))
    j.now = until - timedelta(microseconds=1)
    when(j).then_told()
    when(j, at=until).then_told(QuoteLapsed()).then_asks("remind", "request_quote")


def test_price_dose_and_bed_lead_to_the_visa() -> None:
    j = start("dose_held")
    when(j, HoldBed("B-1", j.now + 9 * DAY)).then_told(
        BedHeld("B-1", j.now + 9 * DAY), StageEntered(Stage.VISA, Stage.ELIGIBILITY)
    ).then_asks("request_invitation_letter")


def test_an_acceptance_that_ends_stops_the_case_where_it_stands() -> None:
    j = start("accepted")
    j.tell(AcceptPatient(submission(j), "Dr Li", j.now + DAY))
    for step in ("quoted", "priced", "dose_held"):
        STEPS[step](j)
    j.away(2 * DAY)
    when(j, HoldBed("B", j.now + 9 * DAY))
    assert StageEntered(Stage.VISA, Stage.ELIGIBILITY) not in j.last
    when(j, AcceptPatient(submission(j), "Dr Li"))
    assert StageEntered(Stage.VISA, Stage.ELIGIBILITY) in j.last

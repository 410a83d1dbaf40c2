"""What a hospital may open, what it was handed, and what it says it read: by digest, and only while it is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.core.errors import Reason, Refused
from domain.core.fact import ENGINE
from domain.core.personal import ERASED
from domain.stages.anytime.erasing import ConfirmErasure, OrderErasure
from domain.stages.eligibility.handing_over import (
    ConfirmDossierRead,
    DocumentHandedOver,
    DossierRead,
    ExplainMisreading,
    HandOverDocument,
    MisreadingExplained,
    may_read,
    require_inside,
    require_readable,
)
from domain.stages.eligibility.submissions import SubmitDossier, WithdrawSubmission
from domain.stages.follow_up.closing import LeaveJourney
from domain.stages.intake.people import WithdrawConsent
from domain.stages.records.dossier import (
    CertifyTranslation,
    DeliverTranslation,
    DraftSummary,
    OrderTranslation,
    SignSummary,
)
from domain.stages.records.records import ReceiveRecord, RecordRejected, RejectRecord, RequestRecord, VerifyRecord
from tests.domain.course import CENTRE, DOCUMENT, item, patient, start, submission
from tests.domain.journey import Journey, when
from tests.domain.refusals import No

READ, OTHER = "a" * 64, "b" * 64
SUMMARY = "5" * 64


def open_first(j: Journey) -> None:
    j.tell(HandOverDocument(submission(j), 1, DOCUMENT, READ), ENGINE)


def misread(j: Journey) -> None:
    open_first(j)
    j.tell(ConfirmDossierRead(submission(j), (OTHER,)))


REFUSALS = (
    No("submitted", HandOverDocument("nothing", 1, DOCUMENT, READ), Reason.NOT_FOUND, "no such submission"),
    No("submitted", lambda j: HandOverDocument(submission(j), 1, OTHER, READ), Reason.NOT_FOUND, "no such document in"),
    No("submitted", lambda j: HandOverDocument(submission(j), 1, DOCUMENT, READ), Reason.LAPSED, "this document turned",
       lambda j: j.tell(RejectRecord(item(j), "wrong_patient"))),
    No("submitted", lambda j: HandOverDocument(submission(j), 2, DOCUMENT, READ), Reason.LAPSED, "a newer dossier was"),
    No("submitted", lambda j: HandOverDocument(submission(j), 1, DOCUMENT, READ), Reason.ALREADY, "it was opened befo",
       open_first),
    No("chosen", lambda j: HandOverDocument(submission(j), 0, DOCUMENT, READ), Reason.LAPSED, "this request has ended"),
    No("depleting", lambda j: HandOverDocument(submission(j), 1, DOCUMENT, READ), Reason.LAPSED, "the consent to share",
       lambda j: j.tell(WithdrawConsent("share_with_hospital", patient(j), CENTRE))),
    No("submitted", lambda j: ConfirmDossierRead(submission(j), (READ,)), Reason.NOT_NOW, "no document of this"),
    No("submitted", lambda j: ConfirmDossierRead(submission(j), ()), Reason.INVALID, "name the SHA-256", open_first),
    No("submitted", lambda j: ConfirmDossierRead(submission(j), ("A" * 64,)), Reason.INVALID, "name the SHA-256",
       open_first),
    No("submitted", lambda j: ExplainMisreading(submission(j), "x"), Reason.NOT_NOW, "the centre named nothing",
       open_first),
    No("submitted", lambda j: ExplainMisreading(submission(j), ""), Reason.INVALID, "say what was found out", misread),
)  # fmt: skip


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refusals(no: No) -> None:
    no.check()


def test_the_hospital_names_what_it_read_by_digest() -> None:
    j = start("submitted")
    which = submission(j)
    handing = when(j, HandOverDocument(which, 1, DOCUMENT, READ))
    handing.then(DocumentHandedOver(which, 1, DOCUMENT, READ))
    when(j, ConfirmDossierRead(which, (READ,))).then(DossierRead(which, 1, (DOCUMENT,), 0, READ))
    assert j.case.submissions[which].read == (DOCUMENT,)
    assert not j.all_owed("misread_dossier")


def test_a_digest_of_nothing_it_was_given_is_an_alarm_until_it_is_explained() -> None:
    j = start("submitted")
    which = submission(j)
    open_first(j)
    told = when(j, ConfirmDossierRead(which, (READ, OTHER)))
    told.then_told(DossierRead(which, 1, (DOCUMENT,), 1, f"{READ} {OTHER}"))
    assert [o.about for o in j.all_owed("misread_dossier")] == [which]
    when(j, ExplainMisreading(which, "they had an older copy")).then_told(
        MisreadingExplained(which, "they had an older copy")
    )
    assert not j.all_owed("misread_dossier")


def test_reading_it_rightly_afterwards_ends_the_alarm_too() -> None:
    j = start("submitted")
    misread(j)
    assert j.all_owed("misread_dossier")
    j.tell(ConfirmDossierRead(submission(j), (READ,)))
    assert not j.all_owed("misread_dossier")


def test_where_the_key_of_a_digest_is_gone_nobody_is_accused() -> None:
    j = start("submitted")
    open_first(j)
    known = j.case.submissions[submission(j)]
    j.case = replace(j.case, submissions={known.id: replace(known, handed={DOCUMENT: ERASED})})
    j.tell(ConfirmDossierRead(known.id, (OTHER,)))
    assert not j.all_owed("misread_dossier")


def test_a_submission_keeps_the_documents_of_the_version_it_was_sent() -> None:
    """A summary that is written anew is another version, which the centre sees once it is submitted."""
    j = start("submitted")
    which = submission(j)
    assert j.case.submissions[which].documents == (DOCUMENT,)
    j.store(SUMMARY).tell(DraftSummary(SUMMARY, "person-2")).tell(SignSummary("person-3"))
    assert (j.case.dossier.version, j.case.dossier.documents) == (2, (DOCUMENT, SUMMARY))
    assert j.case.submissions[which].documents == (DOCUMENT,)
    require_readable(j.case, which, 1)
    j.tell(SubmitDossier(which))
    assert j.case.submissions[which].documents == (DOCUMENT, SUMMARY)
    with pytest.raises(Refused, match="a newer dossier"):
        require_readable(j.case, which, 1)


@pytest.mark.parametrize("at", ["submitted", "acknowledged", "accepted", "invited", "admission"])
@pytest.mark.parametrize("purpose", ["share_with_hospital", "cross_border"])
def test_consent_withdrawn_shuts_every_document(at: str, purpose: str) -> None:
    j = start(at)
    which = submission(j)
    require_readable(j.case, which, 1)
    j.tell(WithdrawConsent(purpose, patient(j), CENTRE))  # type: ignore[arg-type] # one of them
    with pytest.raises(Refused) as no:
        require_readable(j.case, which, 1)
    assert no.value.reason is Reason.LAPSED


@pytest.mark.parametrize(
    "end",
    [lambda j: WithdrawSubmission(submission(j)), lambda _: LeaveJourney("declined")],
    ids=["withdrawn", "left"],
)
def test_with_the_request_ends_the_way_to_its_documents(end: object) -> None:
    j = start("acknowledged")
    which = submission(j)
    j.tell(end(j))  # type: ignore[operator] # makes a command
    with pytest.raises(Refused, match="this request has ended"):
        require_readable(j.case, which, 1)


def opens(j: Journey, document: str = DOCUMENT) -> bool:
    known = require_readable(j.case, submission(j), 1)
    try:
        require_inside(j.case, known, document)
    except Refused:
        return False
    return True


@pytest.mark.parametrize("at", ["submitted", "accepted", "invited"])
def test_a_document_that_was_rejected_since_is_not_opened_until_it_is_verified_again(at: str) -> None:
    j = start(at)
    assert opens(j)
    j.tell(RejectRecord(item(j), "wrong_patient"))
    assert not opens(j)
    j.store(SUMMARY).tell(ReceiveRecord(item(j), SUMMARY, "en")).tell(VerifyRecord(item(j)))
    assert not opens(j), "another file takes its place, and does not make it fit"
    j.tell(RejectRecord(item(j), "incomplete")).tell(ReceiveRecord(item(j), DOCUMENT, "en")).tell(VerifyRecord(item(j)))
    assert opens(j), "it was rejected by mistake"


def test_a_second_request_for_the_same_file_that_is_rejected_leaves_the_first() -> None:
    j = start("submitted")
    j.tell(RequestRecord("labs")).tell(ReceiveRecord(item(j), DOCUMENT, "en")).tell(RejectRecord(item(j), "duplicate"))
    assert opens(j)


def test_a_translation_that_is_rejected_strikes_the_original_that_centres_have() -> None:
    j = start("submitted")
    translated = "e" * 64
    was = j.case.records[item(j)].verified
    j.tell(OrderTranslation(item(j), "zh")).store(translated)
    j.tell(DeliverTranslation(item(j), translated, "person-4")).tell(CertifyTranslation(item(j), "person-5"))
    rejecting = when(j, RejectRecord(item(j), "wrong_patient"))
    assert RecordRejected(item(j), "wrong_patient", was) in rejecting.journey.last
    rejecting.then_asks("request_record", "tell_centre_of_document")
    assert not opens(j)
    j.store(SUMMARY).tell(ReceiveRecord(item(j), SUMMARY, "en"))
    j.tell(OrderTranslation(item(j), "zh")).store("9" * 64)
    j.tell(DeliverTranslation(item(j), "9" * 64, "person-4")).tell(CertifyTranslation(item(j), "person-5"))
    when(j, RejectRecord(item(j), "illegible")).then_told(RecordRejected(item(j), "illegible"))


def test_a_confirmed_erasure_shuts_every_document_before_the_keys_are_gone() -> None:
    j = start("home")
    which = submission(j)
    j.tell(OrderErasure("consent_withdrawn", stops="follow_up", by="person-1"))
    require_readable(j.case, which, 1)
    assert may_read(j.case, j.case.submissions[which]), "one person alone erases nobody"
    assert j.case.erasure
    j.tell(ConfirmErasure(j.case.erasure.order, by="person-2"))
    assert not may_read(j.case, j.case.submissions[which])
    with pytest.raises(Refused, match="this request has ended"):
        require_readable(j.case, which, 1)

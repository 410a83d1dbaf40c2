"""Records [S2]: document by document, translated and reviewed, summed up under four eyes, frozen."""

from hashlib import sha256
from unittest.mock import ANY

import pytest

from domain.case.stage import Stage
from domain.core.copying import replace
from domain.core.errors import Reason
from domain.engine.evolve import fold
from domain.stages.anytime.moving import StageEntered
from domain.stages.anytime.notes import AttachDocument
from domain.stages.intake.people import WithdrawConsent
from domain.stages.records.dossier import (
    CertifyTranslation,
    DeliverTranslation,
    DossierFrozen,
    DraftSummary,
    OrderTranslation,
    SignSummary,
    SummarySigned,
    TranslationCertified,
    TranslationDelivered,
    TranslationOrdered,
    contents,
    digest,
)
from domain.stages.records.records import (
    ReceiveRecord,
    RecordReceived,
    RecordRejected,
    RecordRequested,
    RecordVerified,
    RecordWaived,
    RejectRecord,
    RequestRecord,
    VerifyRecord,
    WaiveRecord,
)
from tests.domain.course import DOCUMENT, item, patient, start
from tests.domain.journey import Journey, when
from tests.domain.refusals import No


def translating(j: Journey) -> None:
    j.tell(OrderTranslation(item(j), "zh"))


def locked(j: Journey) -> None:
    j.tell(RequestRecord("labs")).store("a" * 64, troubles=("encrypted",)).tell(ReceiveRecord(item(j), "a" * 64, "en"))


def delivered(j: Journey) -> None:
    translating(j)
    j.store(TRANSLATED)
    j.tell(DeliverTranslation(item(j), TRANSLATED, "person-4"))


TRANSLATED = "e" * 64
LOCKED = "the file is encrypted: reject it, and ask for one without a password"
NO_LANGUAGE = "a language is a code of BCP 47, such as zh or pt-BR; und where it is not known"
NOT_STORED = "no document of that name is stored in this case; store the file first"
REFUSALS = (
    No("asked_records", VerifyRecord("nothing"), Reason.NOT_FOUND, "no such document in this case"),
    No("asked_records", lambda j: VerifyRecord(item(j)), Reason.NOT_NOW, "the document is requested"),
    No("verified", lambda j: WaiveRecord(item(j), "x"), Reason.NOT_NOW, "the document is verified"),
    No("asked_records", lambda j: ReceiveRecord(item(j), "", "en"), Reason.INVALID, NOT_STORED),
    No("asked_records", lambda j: ReceiveRecord(item(j), "a" * 64, "en"), Reason.INVALID, NOT_STORED),
    No(
        "asked_records",
        lambda j: ReceiveRecord(item(j), DOCUMENT, "\u202een"),
        Reason.INVALID,
        "a language is a code of",
    ),
    No(
        "asked_records",
        lambda j: ReceiveRecord(item(j), DOCUMENT, ""),
        Reason.INVALID,
        "a language is a code of BCP 47",
    ),
    No("records", lambda j: VerifyRecord(item(j)), Reason.NOT_NOW, LOCKED, locked),
    No("verified", DraftSummary("a" * 64, "person-2"), Reason.INVALID, NOT_STORED),
    No(
        "received",
        lambda j: OrderTranslation(item(j), "zh"),
        Reason.MISSING,
        "consent to translation is not given",
        lambda j: j.tell(WithdrawConsent("translation", patient(j))),
    ),
    No("received", lambda j: OrderTranslation(item(j), "en"), Reason.INVALID, "the document is in en already"),
    No("received", lambda j: OrderTranslation(item(j), "to Chinese"), Reason.INVALID, "a language is a code of BCP 47"),
    No("received", lambda j: DeliverTranslation(item(j), DOCUMENT, "person-4"), Reason.NOT_NOW, "is received"),
    No(
        "received",
        lambda j: DeliverTranslation(item(j), DOCUMENT, ""),
        Reason.INVALID,
        "a translation has a translator",
        translating,
    ),
    No(
        "received",
        lambda j: DeliverTranslation(item(j), "", "person-4"),
        Reason.INVALID,
        NOT_STORED,
        translating,
    ),
    No(
        "received",
        lambda j: CertifyTranslation(item(j), "person-5"),
        Reason.MISSING,
        "no translation was delivered",
        translating,
    ),
    No("received", lambda j: CertifyTranslation(item(j), ""), Reason.INVALID, "a signature has a name", delivered),
    No(
        "received",
        lambda j: CertifyTranslation(item(j), "person-4"),
        Reason.FOUR_EYES,
        "a translator does not review their own work",
        delivered,
    ),
    No("verified", SignSummary("person-3"), Reason.MISSING, "there is no summary to sign"),
    No("verified", DraftSummary(DOCUMENT, ""), Reason.INVALID, "a summary has an author"),
    No("eligibility", SignSummary("person-3"), Reason.ALREADY, "the summary is signed"),
    No("drafted", SignSummary(""), Reason.INVALID, "a signature has a name"),
    No("drafted", SignSummary("person-2"), Reason.FOUR_EYES, "whoever wrote the summary does not sign it"),
)


@pytest.mark.parametrize("no", REFUSALS, ids=str)
def test_refused(no: No) -> None:
    no.check()


def test_a_document_is_asked_for_received_and_verified() -> None:
    j = start("records")
    when(j, RequestRecord("labs")).then_told(RecordRequested(ANY, "labs", "family", "")).then_asks("request_record")
    when(j, ReceiveRecord(item(j), DOCUMENT, "hi")).then_told(RecordReceived(item(j), DOCUMENT, "hi"))
    when(j, VerifyRecord(item(j), "person-1")).then_told(RecordVerified(item(j), "person-1"))


def test_a_document_that_cannot_be_used_is_asked_for_again() -> None:
    j = start("received")
    when(j, RejectRecord(item(j), "wrong_patient")).then_told(RecordRejected(item(j), "wrong_patient"))
    when(j, ReceiveRecord(item(j), DOCUMENT, "en")).then_told(RecordReceived(item(j), DOCUMENT, "en"))


def test_a_translation_is_reviewed_by_somebody_else() -> None:
    j = start("received").store(TRANSLATED)
    when(j, OrderTranslation(item(j), "zh")).then_told(TranslationOrdered(item(j), "zh")).then_asks("order_translation")
    when(j, DeliverTranslation(item(j), TRANSLATED, "person-4")).then_told(
        TranslationDelivered(item(j), TRANSLATED, "person-4")
    ).then_opens("translation_review")
    assert j.case.records[item(j)].document == DOCUMENT, "the original counts until a second person has compared"
    when(j, VerifyRecord(item(j))).then_refused(Reason.NOT_NOW)
    when(j, CertifyTranslation(item(j), "person-5")).then_told(
        TranslationCertified(item(j), TRANSLATED, "person-4", "person-5", DOCUMENT)
    )
    assert j.case.records[item(j)].document == TRANSLATED
    when(j, OrderTranslation(item(j), "en")).then_refused(Reason.NOT_NOW)
    j.tell(VerifyRecord(item(j)))
    when(j, OrderTranslation(item(j), "en")).then_asks("order_translation")


def test_a_translation_delivered_again_is_reviewed_by_somebody_else_than_its_last_translator() -> None:
    j = start("received")
    delivered(j)
    j.store("f" * 64).tell(DeliverTranslation(item(j), "f" * 64, "person-5"))
    when(j, CertifyTranslation(item(j), "person-5")).then_refused(Reason.FOUR_EYES)
    when(j, CertifyTranslation(item(j), "person-4")).then_told(
        TranslationCertified(item(j), "f" * 64, "person-5", "person-4", DOCUMENT)
    )


def test_a_new_order_does_not_take_the_old_translation() -> None:
    j = start("received")
    delivered(j)
    j.tell(CertifyTranslation(item(j), "person-5")).tell(VerifyRecord(item(j))).tell(OrderTranslation(item(j), "en"))
    when(j, CertifyTranslation(item(j), "person-5")).then_refused(Reason.MISSING, "no translation was delivered")


def test_the_second_signature_freezes_the_dossier_and_moves_the_case_on() -> None:
    when(start("drafted"), SignSummary("person-3")).then_told(
        SummarySigned("person-3"), DossierFrozen(1, ANY), StageEntered(Stage.ELIGIBILITY, Stage.RECORDS)
    )


def test_a_later_document_makes_a_new_version_and_the_same_ones_do_not() -> None:
    j = start("eligibility")
    j.tell(RequestRecord("labs"))
    when(j, WaiveRecord(item(j), "not needed")).then_told(RecordWaived(item(j), "not needed"))
    j.tell(RequestRecord("labs")).tell(ReceiveRecord(item(j), DOCUMENT, "en"))
    when(j, VerifyRecord(item(j))).then_told(RecordVerified(item(j), ""), DossierFrozen(2, ANY))


def test_a_new_summary_waits_for_a_new_signature() -> None:
    j = start("eligibility")
    j.store("e" * 64).tell(DraftSummary("e" * 64, "person-3"))
    assert j.owed("summary_signature").state == "open"
    when(j, SignSummary("person-2")).then_told(SummarySigned("person-2"), DossierFrozen(2, ANY))


def test_a_file_that_was_attached_may_be_received_and_one_stored_before_is_named() -> None:
    j = start("asked_records")
    j.tell(AttachDocument("a" * 64, "scan", "image/png", 9)).tell(ReceiveRecord(item(j), "a" * 64, "en"))
    j.store("b" * 64, content="c").store("c" * 64, content="d").store("f" * 64, content="c")
    same = {name[0]: known.same_as for name, known in j.case.stored.items()}
    assert same == {"d": "", "a": "", "b": "", "c": "", "f": "b" * 64}


def test_a_file_under_a_password_is_asked_for_again_and_never_verified() -> None:
    j = start("asked_records").store("a" * 64, troubles=("encrypted",)).store("b" * 64, troubles=("truncated",))
    j.tell(ReceiveRecord(item(j), "a" * 64, "en"))
    j.tell(RejectRecord(item(j), "wrong_format")).tell(ReceiveRecord(item(j), "b" * 64, "en"))
    when(j, VerifyRecord(item(j))).then_told(RecordVerified(item(j), ""))


def test_original_and_translation_are_both_in_the_dossier() -> None:
    j = start("received")
    delivered(j)
    j.tell(CertifyTranslation(item(j), "person-5")).tell(VerifyRecord(item(j)))
    known = j.case.records[item(j)]
    assert (known.document, known.original, known.language, known.into) == (TRANSLATED, DOCUMENT, "en", "zh")
    j.store("a" * 64).tell(DraftSummary("a" * 64, "person-2")).tell(SignSummary("person-3"))
    assert j.case.dossier.documents == (TRANSLATED, DOCUMENT, "a" * 64)
    without = replace(known, original="")
    assert digest(j.case) != digest(replace(j.case, records={known.id: without})), "the original is part of the digest"
    j.tell(RejectRecord(item(j), "incomplete")).tell(ReceiveRecord(item(j), DOCUMENT, "hi"))
    assert (j.case.records[item(j)].original, j.case.records[item(j)].into) == ("", "")


def test_a_translation_certified_before_originals_were_kept_makes_the_same_dossier() -> None:
    j = start("received")
    delivered(j)
    j.tell(CertifyTranslation(item(j), "person-5")).tell(VerifyRecord(item(j)))
    old = [replace(f, event=replace(f.event, original="")) if isinstance(f.event, TranslationCertified) else f
           for f in j.facts]  # fmt: skip
    case = fold(old)
    assert contents(case) == (TRANSLATED,)
    assert digest(case) == sha256(f"{item(j)}={TRANSLATED}\nsummary=".encode()).hexdigest()

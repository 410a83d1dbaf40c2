"""The dossier [S2]: translations reviewed by a second person, a summary signed by a second one, then frozen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import ClassVar, Literal, assert_never

from domain.case.asking import notice
from domain.case.phases.records import RecordItem
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Need, Owes, Rule, Takes, Wants
from domain.core.about import About
from domain.core.codes import require_language
from domain.core.copying import replace
from domain.core.errors import Reason, require
from domain.core.fact import Fact, Ids
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.stages.records.documents import require_stored
from domain.stages.records.records import changed, require_item, settled


@dataclass(frozen=True, slots=True)
class OrderTranslation:
    """A document goes to a translator; `into` is the language it is needed in, BCP 47."""

    item: str
    into: str
    type: Literal["OrderTranslation"] = "OrderTranslation"


@dataclass(frozen=True, slots=True)
class DeliverTranslation:
    """A translation came back; `document` is the SHA-256 of its stored ciphertext. It counts once it is certified."""

    item: str
    document: str
    by: str = ""
    type: Literal["DeliverTranslation"] = "DeliverTranslation"


@dataclass(frozen=True, slots=True)
class CertifyTranslation:
    """Somebody other than who delivered the translation has compared it with the original (four eyes)."""

    item: str
    by: str = ""
    type: Literal["CertifyTranslation"] = "CertifyTranslation"


@dataclass(frozen=True, slots=True)
class DraftSummary:
    """The medical summary was written; `document` is the SHA-256 of its stored ciphertext."""

    document: str
    by: str = ""
    type: Literal["DraftSummary"] = "DraftSummary"


@dataclass(frozen=True, slots=True)
class SignSummary:
    """A second medical reviewer signs the summary (four eyes)."""

    by: str = ""
    type: Literal["SignSummary"] = "SignSummary"


Command = OrderTranslation | DeliverTranslation | CertifyTranslation | DraftSummary | SignSummary


@dataclass(frozen=True, slots=True)
class TranslationOrdered:
    """A document is being translated."""

    item: str
    into: str
    type: Literal["TranslationOrdered"] = "TranslationOrdered"


@dataclass(frozen=True, slots=True)
class TranslationDelivered:
    """A translation awaits a second pair of eyes."""

    item: str
    document: str
    by: str
    type: Literal["TranslationDelivered"] = "TranslationDelivered"


@dataclass(frozen=True, slots=True)
class TranslationCertified:
    """A reviewed translation belongs to the document, beside its original."""

    item: str
    document: str
    translator: str
    reviewer: str
    original: str = ""
    schema_version: ClassVar[int] = 2
    type: Literal["TranslationCertified"] = "TranslationCertified"


@dataclass(frozen=True, slots=True)
class SummaryDrafted:
    """A medical summary awaits a second pair of eyes."""

    document: str
    by: str
    type: Literal["SummaryDrafted"] = "SummaryDrafted"


@dataclass(frozen=True, slots=True)
class SummarySigned:
    """The medical summary was signed by a second reviewer."""

    by: str
    type: Literal["SummarySigned"] = "SummarySigned"


@dataclass(frozen=True, slots=True)
class DossierFrozen:
    """The dossier a hospital will review, named by the digest of its parts; later documents make a new version."""

    version: int
    digest: str
    type: Literal["DossierFrozen"] = "DossierFrozen"


Event = (
    TranslationOrdered | TranslationDelivered | TranslationCertified | SummaryDrafted | SummarySigned | DossierFrozen
)

TAKES = (
    Takes(OrderTranslation, (TranslationOrdered,), at=stages(Stage.INQUIRY, Stage.ADMISSION)),
    Takes(
        DeliverTranslation,
        (TranslationDelivered,),
        at=stages(Stage.INQUIRY, Stage.ADMISSION),
        by=Action.TRANSLATE,
        settles=("translation",),
    ),
    Takes(
        CertifyTranslation,
        (TranslationCertified,),
        at=stages(Stage.INQUIRY, Stage.ADMISSION),
        by=Action.TRANSLATE,
        settles=("translation_review",),
    ),
    Takes(DraftSummary, (SummaryDrafted,), at=stages(Stage.INQUIRY, Stage.ADMISSION), settles=("records_list",)),
    Takes(
        SignSummary,
        (SummarySigned,),
        at=stages(Stage.INQUIRY, Stage.ADMISSION),
        by=Action.REVIEW,
        settles=("summary_signature",),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a command about translations and the summary: return the events. Raises Refused."""
    match command:
        case OrderTranslation():
            require_item(case, command.item, "received", "verified")
            require(case.consented("translation"), Reason.MISSING, "consent to translation is not given")
            return [TranslationOrdered(command.item, _needed(case.records[command.item], command.into))]
        case DeliverTranslation():
            require_item(case, command.item, "translating")
            require_stored(case, command.document)
            require(command.by, Reason.INVALID, "a translation has a translator", "by")
            return [TranslationDelivered(command.item, command.document, command.by)]
        case CertifyTranslation():
            return [_certified(require_item(case, command.item, "translating"), command)]
        case DraftSummary():
            require_stored(case, command.document)
            require(command.by, Reason.INVALID, "a summary has an author", "by")
            return [SummaryDrafted(command.document, command.by)]
        case SignSummary():
            return [_signed(case, command)]
        case _:
            assert_never(command)


def _needed(item: RecordItem, into: str) -> str:
    """Return the language, unless it is none, or the one the document is in. Raises Refused."""
    require_language(into, "into")
    same = into.casefold() == (item.into or item.language).casefold()
    require(not same, Reason.INVALID, f"the document is in {into} already", "into")
    return into


def _certified(item: RecordItem, c: CertifyTranslation) -> TranslationCertified:
    require(item.translation, Reason.MISSING, "no translation was delivered", "item")
    require(c.by, Reason.INVALID, "a signature has a name", "by")
    require(c.by != item.translator, Reason.FOUR_EYES, "a translator does not review their own work", "by")
    return TranslationCertified(c.item, item.translation, item.translator, c.by, item.original or item.document)


def _signed(case: Case, c: SignSummary) -> SummarySigned:
    require(case.dossier.drafted_by, Reason.MISSING, "there is no summary to sign")
    require(not case.dossier.signed_by, Reason.ALREADY, "the summary is signed")
    require(c.by, Reason.INVALID, "a signature has a name", "by")
    require(c.by != case.dossier.drafted_by, Reason.FOUR_EYES, "whoever wrote the summary does not sign it", "by")
    return SummarySigned(c.by)


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one dossier event."""
    event = fact.event
    match event:
        case TranslationOrdered():
            known = case.records.get(event.item)
            count = known.translations + 1 if known else 1
            fresh = {"translation": "", "translator": "", "into": event.into}
            return changed(case, event.item, state="translating", translations=count, **fresh)
        case TranslationDelivered():
            return changed(case, event.item, translation=event.document, translator=event.by)
        case TranslationCertified():
            originals = {"original": event.original} if event.original else {}
            return changed(case, event.item, state="translated", document=event.document, **originals)
        case SummaryDrafted():
            drafted = replace(case.dossier, summary=event.document, drafted_by=event.by, signed_by="")
            return replace(case, dossier=drafted)
        case SummarySigned():
            return replace(case, dossier=replace(case.dossier, signed_by=event.by))
        case DossierFrozen():
            frozen = replace(case.dossier, version=event.version, digest=event.digest, documents=contents(case))
            return replace(case, dossier=frozen)
        case _:
            assert_never(event)


def digest(case: Case) -> str:
    """SHA-256 over the verified documents' own hashes, their originals' and the summary's, in order of item id."""
    verified = [i for i in sorted(case.records.values(), key=lambda i: i.id) if i.state == "verified"]
    parts = [f"{i.id}={i.document}" + (f"/{i.original}" if i.original else "") for i in verified]
    return sha256("\n".join([*parts, f"summary={case.dossier.summary}"]).encode()).hexdigest()


def contents(case: Case) -> tuple[str, ...]:
    """Return the documents a hospital gets if the dossier is frozen now: the verified ones, then the summary.

    A translation stands before the original it was made from.
    """
    settled_now = [i for i in case.records.values() if i.state == "verified"]
    verified = [name for i in settled_now for name in (i.document, i.original) if name]
    return tuple(dict.fromkeys([*verified, *([case.dossier.summary] if case.dossier.summary else [])]))


def complete(case: Case) -> bool:
    """Return whether the dossier could be frozen: documents asked for, none outstanding, the summary signed."""
    return settled(case) and bool(case.dossier.signed_by)


BEFORE_TREATMENT = (Stage.RECORDS, Stage.ELIGIBILITY, Stage.VISA, Stage.ADMISSION)


def freeze(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A complete set of documents that differs from the frozen one becomes the next dossier version."""
    if case.stage not in BEFORE_TREATMENT or case.exit or not complete(case):
        return []
    fresh = digest(case)
    return [] if fresh == case.dossier.digest else [DossierFrozen(case.dossier.version + 1, fresh)]


RULES = (Rule("dossier_complete", 1, freeze, ("RecordVerified", "RecordWaived", "SummarySigned"), (DossierFrozen,)),)

NEEDS = (
    Need("every requested document verified or waived", lambda c, _: settled(c), rests_on=("RecordVerified",)),
    Need("medical summary signed by a second reviewer", lambda c, _: bool(c.dossier.signed_by)),
    Need("frozen dossier", lambda c, _: c.dossier.version > 0, waivable=False, rests_on=("DossierFrozen",)),
)


def _translating(case: Case, *, delivered: bool) -> Iterable[str]:
    items = [i for i in case.records.values() if i.state == "translating" and bool(i.translation) is delivered]
    return [] if case.exit else [f"{i.id}/{i.translations}" for i in items]


def _in_translation(case: Case) -> Iterable[str]:
    return _translating(case, delivered=False)


def _certified_now(case: Case, about: str) -> bool:
    item = case.records.get(About.of(about).id)
    return item is not None and item.state in ("translated", "verified")


def _translated(case: Case, about: str) -> bool:
    item = case.records.get(About.of(about).id)
    return item is not None and (bool(item.translation) or _certified_now(case, about))


def _unsigned(case: Case) -> Iterable[str]:
    return ["summary"] if case.dossier.drafted_by and not case.dossier.signed_by and not case.exit else []


def awaited(case: Case) -> bool:
    """Somebody owes something for the dossier already, so the coordinator waits."""
    return any(not i.settled for i in case.records.values()) or bool(_unsigned(case))


def _unlisted(case: Case) -> Iterable[str]:
    idle = case.stage is Stage.RECORDS and not case.exit
    return ["dossier"] if idle and not complete(case) and not awaited(case) else []


OWES = (
    Owes("translation", Party.TRANSLATOR, Party.COORDINATOR, _in_translation, _translated),
    Owes(
        "translation_review",
        Party.TRANSLATOR,
        Party.COORDINATOR,
        lambda c: _translating(c, delivered=True),
        _certified_now,
    ),
    Owes("summary_signature", Party.REVIEWER, Party.COORDINATOR, _unsigned, lambda c, _: bool(c.dossier.signed_by)),
    Owes(
        "records_list",
        Party.COORDINATOR,
        Party.FAMILY,
        _unlisted,
        lambda c, _: not c.exit and (complete(c) or awaited(c)),
        settled_in="records",
    ),
)

HAS_IT = ("submitted", "acknowledged", "more_info", "accepted")


def _struck(case: Case) -> Iterable[str]:
    """Documents that centres have in the dossier they were sent last, and that turned out not to be fit for it."""
    gone = [i for i in case.records.values() if i.struck and not case.exit]
    held = [s for s in case.submissions.values() if s.state in HAS_IT and s.round]
    return [f"{s.id}/{i.id}.{i.struck}" for s in held for i in gone if 0 < s.dossier <= i.struck_from]


WANTS = (
    Wants("order_translation", Party.TRANSLATOR, _in_translation, _translated),
    Wants(
        "tell_centre_of_document",
        Party.HOSPITAL,
        _struck,
        asks=notice("A document in the dossier you were sent is not to be relied on"),
    ),
)

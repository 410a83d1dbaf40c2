"""Records [S2]: every document the hospital needs, readable, translated, verified, then frozen as one dossier."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Literal, assert_never

from domain.effects import Wants
from domain.errors import Reason, Refused, require
from domain.fact import Fact, Ids
from domain.obligations import Owes
from domain.personal import Identity
from domain.policy import Party, Policy
from domain.state import Case, RecordItem, Stage
from domain.table import Need

RecordKind = Literal[
    "passport", "pathology", "antigen", "marrow_mrd", "imaging", "labs", "infection_serology", "cardiac_lung",
    "treatment_history", "current_status", "consent_form", "other",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """Ask for one document (DOMAIN.md 6.1). `source` is who has it: the family or the home oncologist."""

    kind: RecordKind
    source: Literal["family", "home_oncologist"] = "family"
    note: Identity = ""
    type: Literal["RequestRecord"] = "RequestRecord"


@dataclass(frozen=True, slots=True)
class ReceiveRecord:
    """A document came in. `document` is the SHA-256 of its stored ciphertext; `language` BCP 47."""

    item: str
    document: str
    language: str
    type: Literal["ReceiveRecord"] = "ReceiveRecord"


@dataclass(frozen=True, slots=True)
class VerifyRecord:
    """A person read it: legible, complete, this patient, date plausible."""

    item: str
    by: str = ""
    type: Literal["VerifyRecord"] = "VerifyRecord"


@dataclass(frozen=True, slots=True)
class RejectRecord:
    """It cannot be used; it is asked for again."""

    item: str
    reason: Literal["illegible", "incomplete", "wrong_patient", "outdated", "duplicate", "wrong_format"]
    type: Literal["RejectRecord"] = "RejectRecord"


@dataclass(frozen=True, slots=True)
class WaiveRecord:
    """It is not needed after all."""

    item: str
    reason: Identity
    type: Literal["WaiveRecord"] = "WaiveRecord"


@dataclass(frozen=True, slots=True)
class OrderTranslation:
    """A document goes to a translator."""

    item: str
    into: str
    type: Literal["OrderTranslation"] = "OrderTranslation"


@dataclass(frozen=True, slots=True)
class CertifyTranslation:
    """A translation came back and somebody other than its translator reviewed it."""

    item: str
    document: str
    translator: str
    reviewer: str
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


Command = (
    RequestRecord
    | ReceiveRecord
    | VerifyRecord
    | RejectRecord
    | WaiveRecord
    | OrderTranslation
    | CertifyTranslation
    | DraftSummary
    | SignSummary
)


@dataclass(frozen=True, slots=True)
class RecordRequested:
    """A document is asked for."""

    item: str
    kind: RecordKind
    source: Literal["family", "home_oncologist"]
    note: Identity
    type: Literal["RecordRequested"] = "RecordRequested"


@dataclass(frozen=True, slots=True)
class RecordReceived:
    """A document came in."""

    item: str
    document: str
    language: str
    type: Literal["RecordReceived"] = "RecordReceived"


@dataclass(frozen=True, slots=True)
class RecordVerified:
    """A document is fit for the dossier."""

    item: str
    by: str
    type: Literal["RecordVerified"] = "RecordVerified"


@dataclass(frozen=True, slots=True)
class RecordRejected:
    """A document cannot be used and is asked for again."""

    item: str
    reason: str
    type: Literal["RecordRejected"] = "RecordRejected"


@dataclass(frozen=True, slots=True)
class RecordWaived:
    """A document is not needed."""

    item: str
    reason: Identity
    type: Literal["RecordWaived"] = "RecordWaived"


@dataclass(frozen=True, slots=True)
class TranslationOrdered:
    """A document is being translated."""

    item: str
    into: str
    type: Literal["TranslationOrdered"] = "TranslationOrdered"


@dataclass(frozen=True, slots=True)
class TranslationCertified:
    """A reviewed translation belongs to the document."""

    item: str
    document: str
    translator: str
    reviewer: str
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
    RecordRequested
    | RecordReceived
    | RecordVerified
    | RecordRejected
    | RecordWaived
    | TranslationOrdered
    | TranslationCertified
    | SummaryDrafted
    | SummarySigned
    | DossierFrozen
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """What a records command brings about."""
    match command:
        case RequestRecord():
            return [RecordRequested(ids(), command.kind, command.source, command.note)]
        case ReceiveRecord():
            _item(case, command.item, "requested", "received", "rejected")
            return [RecordReceived(command.item, command.document, command.language)]
        case VerifyRecord():
            _item(case, command.item, "received", "translated")
            return [RecordVerified(command.item, command.by)]
        case RejectRecord():
            _item(case, command.item, "received", "translated", "verified")
            return [RecordRejected(command.item, command.reason)]
        case WaiveRecord():
            _item(case, command.item, "requested", "received", "rejected", "translating")
            return [RecordWaived(command.item, command.reason)]
        case OrderTranslation():
            _item(case, command.item, "received", "verified")
            require(case.consented("translation"), Reason.MISSING, "consent to translation is not given")
            return [TranslationOrdered(command.item, command.into)]
        case CertifyTranslation():
            _item(case, command.item, "translating")
            require(
                command.translator != command.reviewer,
                Reason.FOUR_EYES,
                "a translator does not review their own work",
                "reviewer",
            )
            c = command
            return [TranslationCertified(c.item, c.document, c.translator, c.reviewer)]
        case DraftSummary():
            return [SummaryDrafted(command.document, command.by)]
        case SignSummary():
            require(case.dossier.drafted_by, Reason.MISSING, "there is no summary to sign")
            require(not case.dossier.signed_by, Reason.ALREADY, "the summary is signed")
            require(
                command.by != case.dossier.drafted_by, Reason.FOUR_EYES, "whoever wrote the summary does not sign it"
            )
            return [SummarySigned(command.by)]
        case _:
            assert_never(command)


def _item(case: Case, item: str, *states: str) -> RecordItem:
    known = case.records.get(item)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "no such document in this case", "item")
    require(known.state in states, Reason.NOT_NOW, f"the document is {known.state}", "item")
    return known


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one records event."""
    event = fact.event
    match event:
        case RecordRequested():
            item = RecordItem(event.item, event.kind, Party(event.source), "requested")
            return replace(case, records={**case.records, item.id: item})
        case RecordReceived():
            return _changed(case, event.item, state="received", document=event.document, language=event.language)
        case RecordVerified():
            return _changed(case, event.item, state="verified")
        case RecordRejected():
            known = case.records.get(event.item)
            return _changed(case, event.item, state="rejected", round=known.round + 1 if known else 1)
        case RecordWaived():
            return _changed(case, event.item, state="waived")
        case TranslationOrdered():
            return _changed(case, event.item, state="translating")
        case TranslationCertified():
            return _changed(case, event.item, state="translated", document=event.document)
        case SummaryDrafted():
            drafted = replace(case.dossier, summary=event.document, drafted_by=event.by or "unknown", signed_by="")
            return replace(case, dossier=drafted)
        case SummarySigned():
            return replace(case, dossier=replace(case.dossier, signed_by=event.by or "unknown"))
        case DossierFrozen():
            return replace(case, dossier=replace(case.dossier, version=event.version, digest=event.digest))
        case _:
            assert_never(event)


def _changed(case: Case, item: str, **changes: object) -> Case:
    known = case.records.get(item)
    if known is None:
        return case
    return replace(case, records={**case.records, item: replace(known, **changes)})  # type: ignore[arg-type]


def digest(case: Case) -> str:
    """SHA-256 over the verified documents' own hashes and the summary's, in order of item id."""
    parts = [f"{i.id}={i.document}" for i in sorted(case.records.values(), key=lambda i: i.id) if i.state == "verified"]
    return sha256("\n".join([*parts, f"summary={case.dossier.summary}"]).encode()).hexdigest()


def complete(case: Case) -> bool:
    """Whether the dossier could be frozen: something verified, nothing outstanding, the summary signed."""
    items = case.records.values()
    return bool(items) and all(i.settled for i in items) and bool(case.dossier.signed_by)


def freeze(case: Case, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """A complete set of documents that differs from the frozen one becomes the next dossier version."""
    if case.stage is Stage.INQUIRY or case.exit or not complete(case):
        return []
    fresh = digest(case)
    return [] if fresh == case.dossier.digest else [DossierFrozen(case.dossier.version + 1, fresh)]


NEEDS = (
    Need("every requested document verified or waived", lambda c, _: _settled(c), rests_on=("RecordVerified",)),
    Need("medical summary signed by a second reviewer", lambda c, _: bool(c.dossier.signed_by)),
    Need("frozen dossier", lambda c, _: c.dossier.version > 0, waivable=False, rests_on=("DossierFrozen",)),
)


def _settled(case: Case) -> bool:
    return bool(case.records) and all(i.settled for i in case.records.values())


def _awaited(case: Case, source: Party) -> Iterable[str]:
    if case.exit:
        return []
    waiting = ("requested", "rejected")
    return [f"{i.id}/{i.round}" for i in case.records.values() if i.source == source and i.state in waiting]


def _arrived(case: Case, about: str) -> bool:
    item = case.records.get(about.split("/", maxsplit=1)[0])
    return item is not None and item.state not in ("requested", "rejected", "waived")


def _in_translation(case: Case) -> Iterable[str]:
    return [i.id for i in case.records.values() if i.state == "translating" and not case.exit]


def _unsigned(case: Case) -> Iterable[str]:
    return ["summary"] if case.dossier.drafted_by and not case.dossier.signed_by and not case.exit else []


OWES = (
    Owes("record", Party.FAMILY, Party.COORDINATOR, lambda c: _awaited(c, Party.FAMILY), _arrived),
    Owes(
        "record_from_doctor",
        Party.HOME_ONCOLOGIST,
        Party.COORDINATOR,
        lambda c: _awaited(c, Party.HOME_ONCOLOGIST),
        _arrived,
    ),
    Owes(
        "record_check",
        Party.COORDINATOR,
        Party.FAMILY,
        lambda c: [i.id for i in c.records.values() if i.state in ("received", "translated") and not c.exit],
        lambda c, about: about in c.records and c.records[about].state not in ("received", "translated"),
    ),
    Owes(
        "translation",
        Party.TRANSLATOR,
        Party.COORDINATOR,
        _in_translation,
        lambda c, about: about in c.records and c.records[about].state in ("translated", "verified"),
    ),
    Owes(
        "summary_signature",
        Party.REVIEWER,
        Party.COORDINATOR,
        _unsigned,
        lambda c, _: bool(c.dossier.signed_by),
    ),
    Owes(
        "records_list",
        Party.COORDINATOR,
        Party.FAMILY,
        lambda c: ["dossier"] if c.stage is Stage.RECORDS and not complete(c) and not _pending(c) else [],
        lambda c, _: complete(c) or _pending(c),
    ),
)


def _pending(case: Case) -> bool:
    """Somebody else owes something for the dossier, so the coordinator waits."""
    others = any(
        i.state in ("requested", "rejected", "received", "translating", "translated") for i in case.records.values()
    )
    return bool(case.exit) or others or bool(list(_unsigned(case)))


WANTS = (
    Wants("request_record", Party.FAMILY, lambda c: _awaited(c, Party.FAMILY)),
    Wants("request_record_from_doctor", Party.HOME_ONCOLOGIST, lambda c: _awaited(c, Party.HOME_ONCOLOGIST)),
    Wants("order_translation", Party.TRANSLATOR, _in_translation),
)

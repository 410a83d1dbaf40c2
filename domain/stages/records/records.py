"""Records [S2, records.documents]: every document the hospital needs, asked for until it is readable and verified."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal, assert_never

from domain.case.phases.records import RecordItem
from domain.case.stage import Stage, stages
from domain.case.state import Case
from domain.case.table import Owes, Takes, Wants
from domain.core.about import About
from domain.core.codes import require_language
from domain.core.copying import replace
from domain.core.errors import Reason, Refused, require
from domain.core.fact import Fact, Ids
from domain.core.personal import Identity
from domain.core.policy import Party, Policy
from domain.core.roles import Action
from domain.stages.records.documents import require_stored
from domain.stages.records.needed import outstanding

RecordKind = Literal[
    "passport", "pathology", "antigen", "marrow_mrd", "imaging", "labs", "infection_serology", "cardiac_lung",
    "treatment_history", "current_status", "consent_form", "other",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """Ask for one document. `source` is who has it: the family or the home oncologist."""

    kind: RecordKind
    source: Literal["family", "home_oncologist"] = "family"
    note: Identity = ""
    type: Literal["RequestRecord"] = "RequestRecord"


@dataclass(frozen=True, slots=True)
class ReceiveRecord:
    """A document came in. `document` is its name in the store, where it lies for this case; `language` BCP 47."""

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
    """Waive a document: it is not needed after all."""

    item: str
    reason: Identity
    type: Literal["WaiveRecord"] = "WaiveRecord"


Command = RequestRecord | ReceiveRecord | VerifyRecord | RejectRecord | WaiveRecord


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
    """A document cannot be used and is asked for again. `verified` is the fact that had said otherwise."""

    item: str
    reason: str
    verified: str = ""
    schema_version: ClassVar[int] = 2
    type: Literal["RecordRejected"] = "RecordRejected"


@dataclass(frozen=True, slots=True)
class RecordWaived:
    """A document is not needed."""

    item: str
    reason: Identity
    type: Literal["RecordWaived"] = "RecordWaived"


Event = RecordRequested | RecordReceived | RecordVerified | RecordRejected | RecordWaived

TAKES = (
    Takes(RequestRecord, (RecordRequested,), at=stages(Stage.INQUIRY, Stage.ADMISSION), settles=("records_list",)),
    Takes(
        ReceiveRecord,
        (RecordReceived,),
        at=stages(Stage.INQUIRY, Stage.FOLLOW_UP),
        settles=("record", "record_from_doctor"),
    ),
    Takes(VerifyRecord, (RecordVerified,), at=stages(Stage.INQUIRY, Stage.FOLLOW_UP), settles=("record_check",)),
    Takes(RejectRecord, (RecordRejected,), at=stages(Stage.INQUIRY, Stage.FOLLOW_UP), settles=("record_check",)),
    Takes(
        WaiveRecord,
        (RecordWaived,),
        at=stages(Stage.INQUIRY, Stage.ADMISSION),
        by=Action.SUPERVISE,
        settles=("record", "record_from_doctor"),
    ),
)


def decide(case: Case, command: Command, now: datetime, ids: Ids, policy: Policy) -> Sequence[Event]:
    """Decide a records command: return the events it brings about. Raises Refused."""
    match command:
        case RequestRecord():
            words = "consent to share with the doctor at home is not given; ask the family first"
            asked = command.source == "family" or case.shares_with_doctor
            require(asked, Reason.MISSING, words, "source")
            return [RecordRequested(ids(), command.kind, command.source, command.note)]
        case ReceiveRecord():
            require_item(case, command.item, "requested", "received", "rejected")
            require_stored(case, command.document)
            require_language(command.language, "language")
            return [RecordReceived(command.item, command.document, command.language)]
        case VerifyRecord():
            require_readable(case, require_item(case, command.item, "received", "translated"))
            return [RecordVerified(command.item, command.by)]
        case RejectRecord():
            known = require_item(case, command.item, "received", "translated", "verified")
            return [RecordRejected(command.item, command.reason, known.verified if _relied_on(case, known) else "")]
        case WaiveRecord():
            require_item(case, command.item, "requested", "received", "rejected", "translating")
            return [RecordWaived(command.item, command.reason)]
        case _:
            assert_never(command)


def require_item(case: Case, item: str, *states: str) -> RecordItem:
    """Return the document, if it stands as the command needs it."""
    known = case.records.get(item)
    if known is None:
        raise Refused(Reason.NOT_FOUND, "no such document in this case", "item")
    require(known.state in states, Reason.NOT_NOW, f"the document is {known.state}", "item")
    return known


def require_readable(case: Case, item: RecordItem) -> None:
    """Refuse what nobody can have read: a file under a password of its own. Raises Refused."""
    found = case.stored.get(item.document)
    locked = found is not None and "encrypted" in found.troubles
    require(not locked, Reason.NOT_NOW, "the file is encrypted: reject it, and ask for one without a password", "item")


def evolve(case: Case, fact: Fact[Event]) -> Case:
    """Fold one records event."""
    event = fact.event
    match event:
        case RecordRequested():
            item = RecordItem(event.item, event.kind, Party(event.source), "requested")
            return replace(case, records={**case.records, item.id: item})
        case RecordReceived():
            fresh = {"document": event.document, "language": event.language, "original": "", "into": ""}
            return changed(case, event.item, state="received", **fresh)
        case RecordVerified():
            return _fit(changed(case, event.item, state="verified", verified=fact.id), event.item)
        case RecordRejected():
            return _rejected(case, event, fact.id)
        case RecordWaived():
            return changed(case, event.item, state="waived")
        case _:
            assert_never(event)


def _rejected(case: Case, event: RecordRejected, fact: str) -> Case:
    """A document that was verified counts as corrected, so what was decided on it is open again [records.struck]."""
    known = case.records.get(event.item)
    if known is None:
        return case
    kept = {n for i in case.records.values() if i.state == "verified" and i.id != known.id for n in _files(i)}
    unfit = {**case.unfit, **{name: known.id for name in _files(known) if name not in kept}}
    again = replace(changed(case, event.item, state="rejected", round=known.round + 1), unfit=unfit)
    if not event.verified:
        return again
    struck = changed(again, event.item, struck=known.struck + 1, struck_from=case.dossier.version)
    return replace(struck, corrected={**case.corrected, event.verified: fact})


def _relied_on(case: Case, item: RecordItem) -> bool:
    """Return whether it is verified, or was, and its original stands in the dossier while a translation is checked."""
    return item.state == "verified" or bool(item.verified and item.original in case.dossier.documents)


def _files(item: RecordItem) -> tuple[str, ...]:
    return tuple(name for name in (item.document, item.original) if name)


def _fit(case: Case, item: str) -> Case:
    """A file that was rejected by mistake is fit again once a person has verified it."""
    known = case.records.get(item)
    files = _files(known) if known else ()
    return replace(case, unfit={name: of for name, of in case.unfit.items() if name not in files})


def changed(case: Case, item: str, **changes: object) -> Case:
    """Return the case with one document standing differently."""
    known = case.records.get(item)
    if known is None:
        return case
    return replace(case, records={**case.records, item: replace(known, **changes)})  # type: ignore[arg-type]


def settled(case: Case) -> bool:
    """Return whether documents were asked for and none is outstanding, none of a list that was drawn up either."""
    return bool(case.records) and all(i.settled for i in case.records.values()) and not outstanding(case)


def _awaited(case: Case, source: Party) -> Iterable[str]:
    if case.exit:
        return []
    waiting = ("requested", "rejected")
    return [f"{i.id}/{i.round}" for i in case.records.values() if i.source == source and i.state in waiting]


def _arrived(case: Case, about: str) -> bool:
    item = case.records.get(About.of(about).id)
    if item is None:
        return False
    return item.round > About.of(about).number or item.state not in ("requested", "rejected", "waived")


def _unread(case: Case) -> Iterable[str]:
    return [i.id for i in case.records.values() if i.state in ("received", "translated") and not case.exit]


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
        _unread,
        lambda c, about: about in c.records and c.records[about].state in ("verified", "rejected", "translating"),
    ),
)

WANTS = (
    Wants("request_record", Party.FAMILY, lambda c: _awaited(c, Party.FAMILY), _arrived),
    Wants(
        "request_record_from_doctor",
        Party.HOME_ONCOLOGIST,
        lambda c: _awaited(c, Party.HOME_ONCOLOGIST),
        _arrived,
    ),
)

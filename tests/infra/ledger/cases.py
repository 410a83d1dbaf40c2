"""Events of a made-up journey, and the one-line ways in which the ledger's tests use it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from activities.ports import Append, Attention, CommandKey, Loaded, Meta, Views
from domain.core.fact import Draft, Why
from domain.core.personal import Clinical, Identity, Sealed, Trace, Unread
from infra.keys import FolderKeys
from infra.ledger.ledger import PgLedger
from infra.ledger.opening import open_ledger

CANARY = "Wilhelmina Canary-Øster"


@dataclass(frozen=True, slots=True)
class Contact:
    role: str
    phone: Identity
    city: Identity | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    code: str
    value: float


@dataclass(frozen=True, slots=True)
class Told:
    text: Clinical


@dataclass(frozen=True, slots=True)
class PatientNamed:
    """Who it is."""

    name: Identity
    contacts: tuple[Contact, ...] = ()
    names: tuple[Identity, ...] = ()
    by_language: dict[str, Identity] | None = None
    born: Annotated[date | Unread, Sealed("identity")] | None = None
    finding: Annotated[Finding | Unread, Sealed("clinical")] | None = None
    remark: Told | Contact | None = None
    unit: Trace | None = None
    type: Literal["PatientNamed"] = "PatientNamed"


@dataclass(frozen=True, slots=True)
class Counted:
    """Something open, with every plain kind of field."""

    number: int = 0
    at: datetime = datetime(2026, 1, 2, tzinfo=UTC)
    day: date | None = None
    span: timedelta = timedelta(0)
    note: str = ""
    free: dict[str, Any] | None = None
    type: Literal["Counted"] = "Counted"


@dataclass(frozen=True, slots=True)
class Weighed:
    """Second shape: grams became kilograms."""

    kilograms: float
    of: Identity = ""
    type: Literal["Weighed"] = "Weighed"
    schema_version: ClassVar[int] = 2


EVENTS = (PatientNamed, Counted, Weighed)
META = Meta(actor="staff-7")
WHY = Why("remind", 3, "sha256:00", datetime(2026, 1, 2, tzinfo=UTC), ("a", "b"))


def new_id() -> str:
    return uuid.uuid4().hex


def stream(kind: str = "case") -> str:
    return f"{kind}-{new_id()}"


def drafts(*events: object) -> list[Draft[Any]]:
    return [Draft(event, new_id()) for event in events]


def writing(
    name: str, expected: int, *events: object, command: CommandKey | None = None, attention: Attention | None = None,
    views: Views | None = None, at: datetime | None = None,
) -> Append:  # fmt: skip
    return Append(name, expected, drafts(*events), META, views or Views(), command, attention, at)


def folder_keys(folder: Path) -> FolderKeys:
    return FolderKeys(folder / "keys", kek=folder / "kek", destroyed=folder / "destroyed")


async def opened(dsn: str, folder: Path, name: str = "here", kind: Any = "development", **more: Any) -> PgLedger:
    return await open_ledger(dsn, folder_keys(folder), more.pop("events", EVENTS), name, kind, ids=new_id, **more)


def case_row(number: str, detail: object = "{}", **more: Any) -> dict[str, Any]:
    then = datetime(2026, 1, 2, tzinfo=UTC)
    row = {"number": number, "stage": "inquiry", "urgent": False, "on_hold": False, "open": True, "opened_at": then}
    return {**row, "stage_since": then, "facts_version": 1, "detail": detail, **more}


def obligation(key: str, **more: Any) -> dict[str, Any]:
    then = datetime(2026, 1, 2, tzinfo=UTC)
    row = {"id": key, "kind": "answer", "about": "x", "debtor": "centre", "creditor": "family", "state": "open"}
    return {**row, "due": then, "opened_at": then, **more}


def effect(key: str, **more: Any) -> dict[str, Any]:
    then = datetime(2026, 1, 2, tzinfo=UTC)
    return {"id": key, "kind": "remind", "about": "x", "state": "requested", "tries": 0, "requested_at": then, **more}


def events_of(loaded: Loaded) -> Sequence[object]:
    return [fact.event for fact in loaded.facts]

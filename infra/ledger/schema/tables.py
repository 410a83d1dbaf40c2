"""The tables that reads select from, as SQLModel classes; migrations/versions makes them, a test compares the two.

Tables that only the statements of infra/ledger/queries.py and infra/audit/queries.py know have no class.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ARRAY, BigInteger, DateTime, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel


def _text(**options: Any) -> Any:  # noqa: ANN401 - as SQLModel's Field
    return Field(sa_type=Text, **options)


def _instant(**options: Any) -> Any:  # noqa: ANN401 - as SQLModel's Field
    return Field(sa_type=DateTime(timezone=True), **options)


class EventRow(SQLModel, table=True):
    """Holds one recorded event; docs/ledger-format.md explains the columns."""

    __tablename__: ClassVar[str] = "event"
    __table_args__ = (
        UniqueConstraint("stream", "version", name="event_stream_version"),
        Index(
            "event_cases_seen",
            text("((data::jsonb -> 'cases'))"),
            postgresql_using="gin",
            postgresql_where=text("type = 'CasesSeen'"),
        ),
        Index("event_erasures", "stream", postgresql_where=text("type = 'CaseErased'")),
        Index(
            "event_links_to",
            text("((data::jsonb ->> 'parent'))"),
            postgresql_where=text("type = 'MaterialLinked'"),
        ),
        Index("event_links_of", "stream", postgresql_where=text("type in ('MaterialLinked', 'MaterialUnlinked')")),
    )
    position: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    stream: str = _text()
    version: int
    id: str = _text()
    type: str = _text()
    schema_version: int
    occurred_earliest: datetime | None = _instant()
    occurred_latest: datetime | None = _instant()
    precision: str = _text()
    recorded_at: datetime = _instant()
    data: str = _text()
    sealed: str = _text()
    meta: str = _text()
    salts: bytes
    hash: bytes


class AttentionRow(SQLModel, table=True):
    """Tells the courier what it must know of a case."""

    __tablename__: ClassVar[str] = "attention"
    __table_args__ = (
        Index("attention_unattended", "nudge_at", postgresql_where=text("attended < version")),
        Index("attention_wake_at", "wake_at", postgresql_where=text("wake_at is not null")),
    )
    stream: str = _text(primary_key=True)
    version: int
    attended: int
    woken: int
    wake_at: datetime | None = _instant()
    ended: bool
    nudge_at: datetime = _instant()


class WatchRow(SQLModel, table=True):
    """Tells which case watches which lot, protocol, centre or person."""

    __tablename__: ClassVar[str] = "watch"
    __table_args__ = (Index("watch_stream", "stream"),)
    watcher: str = _text(primary_key=True)
    stream: str = _text(primary_key=True)


class ClaimRow(SQLModel, table=True):
    """Holds one attempt of an effect; `ended_at` is empty while nobody knows how it went."""

    __tablename__: ClassVar[str] = "claim"
    __table_args__ = (Index("claim_past_lease", "lease_until", postgresql_where=text("newest and ended_at is null")),)
    effect: str = _text(primary_key=True)
    attempt: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    stream: str = _text()
    epoch: int
    claimed_at: datetime = _instant()
    lease_until: datetime = _instant()
    ended_at: datetime | None = _instant()
    newest: bool


class ChoreRow(SQLModel, table=True):
    """Holds what a nightly chore found last."""

    __tablename__: ClassVar[str] = "chore"
    name: str = _text(primary_key=True)
    ended_at: datetime = _instant()
    fine: bool
    found: str = _text()


class LeadRow(SQLModel, table=True):
    """Tells which process leads, and since when; `holder` is empty once it gave that up."""

    __tablename__: ClassVar[str] = "lead"
    role: str = _text(primary_key=True)
    fence: int = Field(sa_type=BigInteger)
    holder: str | None = _text()
    since: datetime = _instant()
    renewed_at: datetime = _instant()
    lost_at: datetime | None = _instant()
    lost_by: str | None = _text()


class LossRow(SQLModel, table=True):
    """Holds what is missing at the end of this history and nobody has accepted; one row at most."""

    __tablename__: ClassVar[str] = "loss"
    single: bool = Field(primary_key=True, default=True)
    noted_at: datetime = _instant()
    found: str = _text()


class PolicyRow(SQLModel, table=True):
    """A policy that processes have worked under: the bytes of its two files."""

    __tablename__: ClassVar[str] = "policy"
    hash: str = _text(primary_key=True)
    file: bytes
    calendars: bytes


class VerificationRow(SQLModel, table=True):
    """Tells how far a verification is that was asked for on a page."""

    __tablename__: ClassVar[str] = "verification"
    __table_args__ = (
        Index("verification_running", text("(true)"), unique=True, postgresql_where=text("state = 'running'")),
    )
    id: str = _text(primary_key=True)
    stream: str = _text()
    began_at: datetime = _instant()
    seen_at: datetime = _instant()
    state: str = _text()
    found: str = _text()


class SourceRow(SQLModel, table=True):
    """A lot, protocol, centre or person; `state` is JSON."""

    __tablename__: ClassVar[str] = "source"
    stream: str = _text(primary_key=True)
    version: int
    state: str = _text()


class CaseView(SQLModel, table=True):
    """A line of the worklist; `detail` is JSON with its personal fields sealed."""

    __tablename__: ClassVar[str] = "case_view"
    __table_args__ = (
        UniqueConstraint("number", name="case_view_number"),
        Index("case_view_due", "next_due", "stream"),
        Index("case_view_owner_due", "owner", "next_due", "stream"),
        Index("case_view_team_due", "team", "next_due", "stream"),
        Index("case_view_stage_due", "stage", "next_due", "stream"),
        Index("case_view_pressing", "next_due", "stream", postgresql_where=text("urgent and open")),
    )
    stream: str = _text(primary_key=True)
    version: int
    number: str = _text()
    stage: str = _text()
    exit: str | None = _text()
    owner: str | None = _text()
    team: str | None = _text()
    centre: str | None = _text()
    protocol: str | None = _text()
    country: str | None = _text()
    urgent: bool
    on_hold: bool
    open: bool
    opened_at: datetime = _instant()
    stage_since: datetime = _instant()
    next_due: datetime | None = _instant()
    next_kind: str | None = _text()
    next_debtor: str | None = _text()
    facts_version: int
    detail: str = _text()


class ObligationView(SQLModel, table=True):
    """Says who owes what to whom until when; what chases something is late since that was due."""

    __tablename__: ClassVar[str] = "obligation_view"
    __table_args__ = (
        Index("obligation_view_stream", "stream"),
        Index("obligation_view_overdue", "due", postgresql_where=text("state = 'open'")),
        Index("obligation_view_late", "late_since", postgresql_where=text("late_since is not null")),
    )
    id: str = _text(primary_key=True)
    stream: str = _text()
    kind: str = _text()
    about: str = _text()
    debtor: str = _text()
    creditor: str = _text()
    state: str = _text()
    due: datetime = _instant()
    next_step_at: datetime | None = _instant()
    opened_at: datetime = _instant()
    late_since: datetime | None = _instant()
    holder: str | None = _text()
    offered: str | None = _text()


class EffectView(SQLModel, table=True):
    """Says what the journey asks of the world, and how that stands."""

    __tablename__: ClassVar[str] = "effect_view"
    __table_args__ = (
        Index("effect_view_stream", "stream"),
        Index("effect_view_unfinished", "requested_at", postgresql_where=text("state in ('requested', 'unknown')")),
    )
    id: str = _text(primary_key=True)
    stream: str = _text()
    kind: str = _text()
    about: str = _text()
    state: str = _text()
    tries: int
    not_before: datetime | None = _instant()
    requested_at: datetime = _instant()


class RejectedCallback(SQLModel, table=True):
    """A callback that was not believed; the newest 1,000 are kept."""

    __tablename__: ClassVar[str] = "rejected_callback"
    id: int = Field(primary_key=True, sa_type=BigInteger)
    received_at: datetime = _instant()
    centre: str = _text()
    reason: str = _text()
    digest: bytes
    size: int


class SessionRow(SQLModel, table=True):
    """Somebody signed in; `token` is a SHA-256."""

    __tablename__: ClassVar[str] = "session"
    __table_args__ = (Index("session_expires_at", "expires_at"),)
    token: bytes = Field(primary_key=True)
    actor: str = _text()
    kind: str = _text()
    opened_at: datetime = _instant()
    expires_at: datetime = _instant()


class CapabilityRow(SQLModel, table=True):
    """Holds one question somebody may answer once, or a code or visit behind one; `token` is a SHA-256."""

    __tablename__: ClassVar[str] = "capability"
    __table_args__ = (Index("capability_expires_at", "expires_at"),)
    token: bytes = Field(primary_key=True)
    stream: str = _text()
    effect: str = _text()
    actor: str = _text()
    question: str = _text()
    commands: list[str] = Field(sa_type=ARRAY(Text))
    fixed: str = _text()
    zone: str = _text()
    expires_at: datetime = _instant()
    used_at: datetime | None = _instant()


class CheckpointRow(SQLModel, table=True):
    """Holds one signed checkpoint."""

    __tablename__: ClassVar[str] = "checkpoint"
    size: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    root: bytes
    note: str = _text()
    signed_at: datetime = _instant()


class SealingRow(SQLModel, table=True):
    """Tells how sealing does; one row."""

    __tablename__: ClassVar[str] = "sealing"
    singleton: bool = Field(primary_key=True)
    outside: int = Field(sa_type=BigInteger)
    refused: str | None = _text()
    sinks: str = _text()

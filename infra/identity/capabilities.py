"""One-question links for those without an account: a random token, of which only the SHA-256 is kept; used once."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Interval, bindparam, delete, insert, literal_column, select, update

from domain.case.effect import Effect
from domain.case.state import Case
from domain.case.undoing import UNDOING
from domain.core.about import About
from domain.core.policy import Party
from domain.journey import MODULES, OWES, TAKES
from domain.recalls.recall import Recall
from domain.stages.follow_up import questions
from domain.stages.messages import writing
from domain.stages.records import translating
from infra.ledger.ledger import PgLedger
from infra.ledger.schema.tables import CapabilityRow
from infra.ledger.statement import NOW, SqlStatement, table, text

BYTES = 32
row = table(CapabilityRow).c
KEPT = literal_column("interval '90 days'", Interval)
"""How long a link that opens nothing any more can still say so."""
ISSUE = SqlStatement(
    insert(CapabilityRow)
    .values({name: bindparam(name) for name in row.keys() if name != "used_at"})  # noqa: SIM118 - columns, no mapping
    .add_cte(delete(CapabilityRow).where(row.expires_at < NOW - KEPT).cte("gone"))
)
FIND = SqlStatement(
    select(CapabilityRow, (row.expires_at > NOW).label("open"), NOW.label("now")).where(row.token == bindparam("token"))
)
CLEAR = SqlStatement(delete(CapabilityRow).where(row.stream == text("stream")))
USE = SqlStatement(
    update(CapabilityRow).where(row.token == bindparam("used"), row.used_at.is_(None)).values(used_at=NOW)
)

_DECISIONS_FIRST = [row for module in reversed([*MODULES.values()]) for row in module.TAKES]
ANSWERS: Mapping[str, Sequence[str]] = {
    kind: [row.command.__name__ for row in _DECISIONS_FIRST if kind in row.answers]
    for kind in dict.fromkeys(kind for row in TAKES.values() for kind in row.answers)
}
"""What may be answered to each kind of effect, and of obligation that no effect asked for; to any other, a few words
that are kept as a message."""
WORDS = ("AddNote",)
DOSSIER, TRANSLATION, RECALL = "submit_dossier", translating.ORDER, "recall"
"""The questions whose links stay open as long as they are asked, with files behind them."""

MESSAGES = "/messages"
"""The page behind the link of a message."""
OWED: Mapping[str, str] = {row.kind: row.asked_by for row in OWES if row.asked_by}
"""The effect a reminder or an escalation is about in the end, by the kind of what is owed."""


class Capabilities:
    """Issues links, and says what a link is for."""

    def __init__(self, ledger: PgLedger) -> None:
        self._pool = ledger.pool

    async def issue(
        self,
        stream: str,
        effect: str,
        actor: str,
        question: str,
        commands: Sequence[str],
        fixed: Mapping[str, str],
        zone: str,
        until: datetime,
    ) -> str:
        """Issue a new link and return its token, which is sent once and kept nowhere."""
        token = secrets.token_urlsafe(BYTES)
        await ISSUE.rows(
            self._pool, token=_digest(token), stream=stream, effect=effect, actor=actor, question=question,
            commands=list(commands), fixed=json.dumps(fixed), zone=zone, expires_at=until,
        )  # fmt: skip
        return token

    async def find(self, token: str) -> Mapping[str, Any] | None:
        """Read the row of a link, `open` and `now` by the database's clock and `fixed` parsed; None = never issued."""
        found = await FIND.first(self._pool, token=_digest(token))
        return {**found, "fixed": json.loads(found["fixed"])} if found else None

    async def clear(self, stream: str) -> None:
        """Close every link of this case."""
        await CLEAR.rows(self._pool, stream=stream)

    async def use(self, token: str) -> None:
        """Close a link whose answer is recorded."""
        await USE.rows(self._pool, used=_digest(token))


def links(ledger: PgLedger, public_url: str) -> Callable[[Case, Effect, datetime], Awaitable[str]]:
    """Makes the address that goes into a mail: `<public_url>/reply/<token>`."""
    capabilities = Capabilities(ledger)

    async def link(case: Case, effect: Effect, until: datetime) -> str:
        kind = asked(case, effect)
        about = case.root_of(effect.about)
        submission = case.submission_of(about) or case.accepted
        arranged = case.arrangements.get(about)
        centre = submission.centre if submission else arranged.centre if arranged else case.centre
        written = case.messages.get(about)
        centre = written.thread if written else centre
        actor = centre if effect.to is Party.HOSPITAL else f"{effect.to.value}-of-{case.id}"
        fixed = {"submission": submission.id if submission else "", "kind": "message"}
        fixed |= {"resource": about} if about in case.resources else {}
        fixed |= {"arrangement": about} if about in case.arrangements else {}
        fixed |= {"shipment": about} if about in case.shipments else {}
        fixed |= {"alert": about, "party": effect.to.value} if about in case.alerts else {}
        reader = {Party.FAMILY: case.family_reader, Party.HOME_ONCOLOGIST: case.home_doctor}.get(effect.to)
        fixed |= {"person": reader.id} if reader else {}
        fixed |= {"round": str(submission.round)} if submission and kind == DOSSIER else {}
        fixed |= {"item": about, "order": About.of(effect.about).round} if kind == TRANSLATION else {}
        fixed |= {"year": effect.about} if kind == questions.ASK else {}
        fixed |= {"thread": written.thread, "document": ""} if written else {}
        zone = str(case.noted(centre).get("zone") or case.zone or "UTC")
        own = kind in ("offer_slots_to_family", *writing.WRITES)
        zone = reader.zone if own and reader else zone  # chosen by one's own clock
        token = await capabilities.issue(case.id, effect.id, actor, kind, ANSWERS.get(kind, WORDS), fixed, zone, until)
        return f"{public_url.rstrip('/')}/reply/{token}{MESSAGES if kind in writing.WRITES else ''}"

    return link


def recall_links(ledger: PgLedger, public_url: str) -> Callable[[Recall, Effect, str, str, datetime], Awaitable[str]]:
    """Makes the address a hospital answers a recall at: `<public_url>/reply/<token>/recall`."""
    capabilities = Capabilities(ledger)

    async def link(recall: Recall, effect: Effect, centre: str, zone: str, until: datetime) -> str:
        given = ("AcknowledgeRecall",)
        token = await capabilities.issue(recall.id, effect.id, centre, RECALL, given, {}, zone, until)
        return f"{public_url.rstrip('/')}/reply/{token}/recall"

    return link


def asked(case: Case, effect: Effect) -> str:
    """Return the kind of the question: the effect's own, or of what a reminder is about."""
    owed = case.obligations.get(About.of(effect.about).id)
    if effect.kind in ANSWERS or owed is None:
        return effect.kind
    resource = case.resources.get(case.root_of(effect.about))
    own = owed.kind if owed.kind in ANSWERS else effect.kind
    return UNDOING[resource.kind].effect if resource else OWED.get(owed.kind, own)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()

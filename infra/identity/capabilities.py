"""One-question links for those without an account: a random token, of which only the SHA-256 is kept; used once."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from domain.case.effect import Effect
from domain.case.state import Case
from domain.case.undoing import UNDOING
from domain.core.policy import Party
from domain.journey import MODULES, OWES, TAKES
from infra.ledger.encoding.errors import guarded
from infra.ledger.ledger import PgLedger

BYTES = 32
ISSUE = """
with gone as (delete from capability where expires_at < clock_timestamp() - interval '90 days')
insert into capability values ($1, $2, $3, $4, $5, $6, $7, $8, $9, null)
"""
FIND = """
select *, expires_at > clock_timestamp() as open, clock_timestamp() as now from capability where token = $1
"""
CLEAR = "delete from capability where stream = $1"
USE = "update capability set used_at = clock_timestamp() where token = $1 and used_at is null"

_DECISIONS_FIRST = [row for module in reversed([*MODULES.values()]) for row in module.TAKES]
ANSWERS: Mapping[str, Sequence[str]] = {
    kind: [row.command.__name__ for row in _DECISIONS_FIRST if kind in row.answers]
    for kind in dict.fromkeys(kind for row in TAKES.values() for kind in row.answers)
}
"""What may be answered to each kind of effect, to any other, a few words that are kept as a message."""
WORDS = ("AddNote",)

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
        row = (_digest(token), stream, effect, actor, question, list(commands), json.dumps(fixed), zone, until)
        await guarded(self._pool.execute(ISSUE, *row))
        return token

    async def find(self, token: str) -> Mapping[str, Any] | None:
        """Read the row of a link, `open` and `now` by the database's clock and `fixed` parsed; None = never issued."""
        row = await guarded(self._pool.fetchrow(FIND, _digest(token)))
        return {**row, "fixed": json.loads(row["fixed"])} if row else None

    async def clear(self, stream: str) -> None:
        """Close every link of this case."""
        await guarded(self._pool.execute(CLEAR, stream))

    async def use(self, token: str) -> None:
        """Close a link whose answer is recorded."""
        await guarded(self._pool.execute(USE, _digest(token)))


def links(ledger: PgLedger, public_url: str) -> Callable[[Case, Effect, datetime], Awaitable[str]]:
    """Makes the address that goes into a mail: `<public_url>/reply/<token>`."""
    capabilities = Capabilities(ledger)

    async def link(case: Case, effect: Effect, until: datetime) -> str:
        kind = asked(case, effect)
        about = root(case, effect)
        submission = case.submission_of(about) or case.accepted
        centre = submission.centre if submission else case.centre
        actor = centre if effect.to is Party.HOSPITAL else f"{effect.to.value}-of-{case.id}"
        fixed = {"submission": submission.id if submission else "", "kind": "message"}
        fixed |= {"resource": about} if about in case.resources else {}
        zone = str(case.noted(centre).get("zone") or case.zone or "UTC")
        token = await capabilities.issue(case.id, effect.id, actor, kind, ANSWERS.get(kind, WORDS), fixed, zone, until)
        return f"{public_url.rstrip('/')}/reply/{token}"

    return link


def root(case: Case, effect: Effect) -> str:
    """Return what an effect is about in the end: a reminder is about the thing that is owed."""
    first = effect.about.split("/", maxsplit=1)[0]
    owed = case.obligations.get(first)
    return owed.about.split("/", maxsplit=1)[0] if owed else first


def asked(case: Case, effect: Effect) -> str:
    """Return the kind of the question: the effect's own, or of what a reminder is about."""
    owed = case.obligations.get(effect.about.split("/", maxsplit=1)[0])
    if effect.kind in ANSWERS or owed is None:
        return effect.kind
    resource = case.resources.get(root(case, effect))
    return UNDOING[resource.kind].effect if resource else OWED.get(owed.kind, effect.kind)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()

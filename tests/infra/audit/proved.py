"""What `caravel audit verify` says of the rows of a ledger, for tests that end with it."""

from __future__ import annotations

from infra.audit.verification.found import Break, Check
from infra.audit.verification.stream import verify_case
from infra.audit.verification.verification import VerificationScope, verify
from infra.ledger.ledger import PgLedger

ROWS: frozenset[Check] = frozenset({"chain", "places"})


async def broken(ledger: PgLedger, stream: str = "") -> Break | None:
    """The first break in the rows of the whole ledger, or of one stream; every event must have been looked at."""
    question = VerificationScope(dsn=ledger.bells._dsn, origin="", sinks=[], anchors=[], checks=ROWS)
    if stream:
        return (await verify_case(question, stream)).broken
    found = await verify(question)
    assert found.broken or found.events == await ledger.head()
    return found.broken

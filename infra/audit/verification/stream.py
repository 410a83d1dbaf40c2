"""One stream by itself: its links, and that the newest checkpoint kept outside has each of its events."""

from __future__ import annotations

import asyncpg

from domain.proof.merkle import check_inclusion
from infra.audit.chain import STREAM as ONE_STREAM
from infra.audit.chain import Chain, ChainFault
from infra.audit.checkpoints.checkpoint import Checkpoint
from infra.audit.checkpoints.tree import TreeIncomplete, inclusion
from infra.audit.queries import STREAM_FROM
from infra.audit.verification.chunk import session
from infra.audit.verification.classify import classify
from infra.audit.verification.evidence import evidence
from infra.audit.verification.found import Break
from infra.audit.verification.verification import VerificationScope, Verified
from infra.ledger.encoding.errors import guarded


async def verify_case(question: VerificationScope, stream: str) -> Verified:
    """Verify the events of one stream. Raises DatabaseFailed."""
    connection = await session(question.dsn)
    try:
        outside = await evidence(connection, question.sinks, question.origin, question.anchors, newest=True)
        newest = outside.points[max(outside.points)] if outside.points else None
        found = Verified(covered=newest.size if newest else 0, away=outside.away, checkpoints=int(newest is not None))
        await _walk(connection, stream, newest, found)
        found.broken = found.broken or outside.broken or outside.gone
        return found
    finally:
        await connection.close()


async def _walk(
    connection: asyncpg.Connection[asyncpg.Record], stream: str, newest: Checkpoint | None, found: Verified
) -> None:
    rows = await guarded(connection.fetch(STREAM_FROM, stream, 1))
    chain = Chain(looked=ONE_STREAM)
    chain.take(rows)
    for row, leaf in zip(rows, chain.leaves, strict=False):
        if newest and row["position"] <= newest.size and not await _included(connection, row["position"], leaf, newest):
            found.broken = await classify(connection, row["position"], None)
            return
        found.events += 1
    if chain.fault:
        found.broken = await _broken(connection, chain.fault, found.events + 1)
        return
    found.head = found.events


async def _broken(connection: asyncpg.Connection[asyncpg.Record], fault: ChainFault, version: int) -> Break:
    position = fault.row["position"]
    if fault.wrong == "version_missing":
        return Break("deleted", position, fault.row["stream"], version)
    return await classify(connection, position, "edited")


async def _included(
    connection: asyncpg.Connection[asyncpg.Record], position: int, leaf: bytes, newest: Checkpoint
) -> bool:
    try:
        path = await inclusion(connection, position, newest.size)
    except TreeIncomplete:
        return False
    return check_inclusion(leaf, position - 1, newest.size, path, newest.root)

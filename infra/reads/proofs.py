"""Answers what an auditor asks over HTTP: how sealing does, checkpoints, and proofs that can be checked without us."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, bindparam, select

from domain.core.errors import Reason, Refused, require
from infra.audit.checkpoints.exposure import exposure
from infra.audit.checkpoints.tree import TreeIncomplete, consistency, inclusion
from infra.ledger.connections import Pool
from infra.ledger.schema.tables import CheckpointRow, EventRow
from infra.ledger.statement import LIMIT, ONE, SqlStatement, table, text
from infra.reads.nightly import last

checkpoint, event = table(CheckpointRow).c, table(EventRow).c
SIZE = bindparam("size", type_=BigInteger)
CHECKPOINTS = SqlStatement(
    select(checkpoint.size, checkpoint.note, checkpoint.signed_at)
    .where(checkpoint.size > SIZE)
    .order_by(checkpoint.size)
    .limit(LIMIT)
)
CHECKPOINT = SqlStatement(select(checkpoint.size, checkpoint.note).where(checkpoint.size == SIZE))
NEWEST = SqlStatement(select(checkpoint.size, checkpoint.note).order_by(checkpoint.size.desc()).limit(ONE))
PLACE = SqlStatement(
    select(event.position, event.hash).where(event.stream == text("stream"), event.version == bindparam("version"))
)
LARGEST = 2**62


class ProofQueries:
    """Reads only. Hashes are base64, as in checkpoints; leaf indexes begin with 0."""

    def __init__(self, pool: Pool[Any]) -> None:
        self._pool = pool

    async def exposure(self) -> Mapping[str, Any]:
        """Read the exposure window, which is shown with every answer."""
        return (await exposure(self._pool)).shown()

    async def nightly(self) -> Mapping[str, Any]:
        """Read what each chore of the night found last."""
        return await last(self._pool)

    async def checkpoints(self, after: int, limit: int) -> Sequence[Mapping[str, Any]]:
        """List checkpoints by size, after the given one."""
        rows = await CHECKPOINTS.rows(self._pool, size=min(max(after, 0), LARGEST), limit=limit)
        return [{"size": r["size"], "note": r["note"], "signed_at": r["signed_at"].isoformat()} for r in rows]

    async def inclusion(self, stream: str, version: int, size: int | None) -> Mapping[str, Any]:
        """Prove that an event is in the tree of a checkpoint, the newest when no size is given. Raises Refused."""
        point = await self._checkpoint(size)
        place = await PLACE.first(self._pool, stream=stream, version=min(max(version, 0), 2**31 - 1))
        if place is None:
            raise Refused(Reason.NOT_FOUND, "no such event")
        sealed = place["position"] <= point["size"]
        require(sealed, Reason.NOT_NOW, "no checkpoint of that size covers this event yet", "size")
        path = await self._proof(inclusion(self._pool, place["position"], point["size"]))
        index = place["position"] - 1
        leaf = b64encode(place["hash"]).decode()
        return {"leaf": leaf, "index": index, "path": path, "checkpoint": point["note"]}

    async def consistency(self, old: int, new: int) -> Mapping[str, Any]:
        """Prove that one checkpoint's tree is the beginning of the other's. Raises Refused."""
        first, second = await self._checkpoint(old), await self._checkpoint(new)
        require(old <= new, Reason.INVALID, "the older one must not be the larger one", "old")
        proof = await self._proof(consistency(self._pool, old, new))
        return {"old": first["note"], "new": second["note"], "proof": proof}

    async def _checkpoint(self, size: int | None) -> Mapping[str, Any]:
        if size is None:
            found = await NEWEST.first(self._pool)
        else:
            found = await CHECKPOINT.first(self._pool, size=min(max(size, 0), LARGEST))
        if found is None:
            raise Refused(Reason.NOT_FOUND, "no checkpoint of that size", "size")
        return found

    @staticmethod
    async def _proof(asked: Any) -> list[str]:  # noqa: ANN401 - a coroutine of hashes
        try:
            return [b64encode(one).decode() for one in await asked]
        except TreeIncomplete:
            raise Refused(Reason.NOT_FOUND, "the stored tree has a hole; run `caravel audit verify`") from None

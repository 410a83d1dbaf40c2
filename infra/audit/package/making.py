"""Makes an evidence package: events, proofs, checkpoints, the keys of the log, and what is told about them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.core.errors import Reason, Refused, require
from domain.proof.merkle import complete, consistency_ranges, inclusion_ranges, proven
from infra.audit.checkpoints.exposure import exposure
from infra.audit.checkpoints.note import sign
from infra.audit.checkpoints.sinks import checkpoint_name, key_name
from infra.audit.checkpoints.tree import TreeIncomplete, nodes
from infra.audit.package.container import LARGEST, pack
from infra.audit.package.manifest import Manifest, statement
from infra.audit.package.redaction import LEVELS, Level, line
from infra.audit.package.schemas import schemas
from infra.audit.queries import PROVING_POINTS
from infra.ledger.connections import Pool
from infra.ledger.encoding.errors import guarded
from infra.ledger.encoding.sealing import canonical
from infra.ledger.encoding.stored import stored
from infra.ledger.queries import STREAM

PAUSE = 0.25
Announcements = Sequence[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Signs:
    """Holds what this process has of the log's keys: every announcement, and the private key where it lies here."""

    log: str
    announcements: Announcements
    private: Ed25519PrivateKey | None = None


@dataclass(frozen=True, slots=True)
class Packed:
    """Holds an evidence package before its readable parts are written. `size` 0 = no checkpoint covers any of it."""

    log: str
    level: Level
    lines: Sequence[Mapping[str, Any]]
    size: int
    newest: int
    exposure: Mapping[str, Any]


Papers = Callable[[Packed], Mapping[str, bytes]]
"""README.txt, documents.json, report.html, rules.json: what only who knows the journey can write."""


class EvidencePackages:
    """Makes evidence packages; it only reads."""

    def __init__(self, pool: Pool[Any], signs: Callable[[], Awaitable[Signs]], events: Sequence[type[Any]]) -> None:
        self._pool = pool
        self._signs = signs
        self._events = events

    async def make(self, stream: str, upto: int, level: str, wait: float, at: str, papers: Papers) -> bytes:
        """Make the evidence package of versions 1 … `upto`; wait at most `wait` seconds for seals. Raises Refused."""
        known = next((one for one in LEVELS if one == level), None)
        if known is None:
            raise Refused(Reason.INVALID, f"must be one of {', '.join(LEVELS)}", "level")
        rows = [stored(row) for row in await guarded(self._pool.fetch(STREAM, stream, upto))]
        require(rows, Reason.NOT_FOUND, "no such case")
        before = [None, *rows[:-1]]
        lines = [line(row, last, known) for row, last in zip(rows, before, strict=True)]
        points = await self._points(rows[-1].position, wait)
        signs = await self._signs()
        exposed = (await exposure(self._pool)).shown()
        told = Packed(signs.log, known, lines, min(points, default=0), max(points, default=0), exposed)
        proofs = await self._proofs(told)
        shapes = schemas(self._events, ((row.type, row.schema_version) for row in rows))
        parts = {
            **papers(told),
            "events.jsonl": b"".join(_json(one) + b"\n" for one in lines),
            "proofs.json": _json(proofs),
            "schemas.json": _json(shapes),
            "verify.py": resources.files(__package__).joinpath("verify.py").read_bytes(),
            **{f"checkpoints/{checkpoint_name(size)}": note for size, note in points.items()},
            **{f"keys/{key_name(number)}": note.encode() for number, note in signs.announcements},
        }
        whole = sealed(parts, told, signs, at)
        require(len(whole) <= LARGEST, Reason.INVALID, "this case is larger than a package may be")
        return whole

    async def _points(self, position: int, wait: float) -> dict[int, bytes]:
        """The smallest checkpoint that covers this position, or none does, and the newest, by size."""
        deadline = asyncio.get_running_loop().time() + wait
        while True:
            rows = await guarded(self._pool.fetch(PROVING_POINTS, position))
            covered = rows and rows[-1]["size"] >= position
            if covered or asyncio.get_running_loop().time() >= deadline:
                return {row["size"]: row["note"].encode() for row in rows}
            await asyncio.sleep(PAUSE)

    async def _proofs(self, told: Packed) -> dict[str, Any]:
        covered = [one for one in told.lines if one["position"] <= told.size]
        ranges = {str(one["version"]): inclusion_ranges(one["position"] - 1, told.size) for one in covered}
        later = consistency_ranges(told.size, told.newest) if told.size else []
        wanted = {node for some in (*ranges.values(), later) for leaves in some for node in complete(leaves)}
        lookup = await nodes(self._pool, sorted(wanted))
        try:
            paths = {version: _hex(proven(some, lookup)) for version, some in ranges.items()}
            consistency = _hex(proven(later, lookup))
        except TreeIncomplete:
            raise Refused(Reason.NOT_FOUND, "the stored tree has a hole; run `caravel audit verify`") from None
        return {"size": told.size, "newest": told.newest, "paths": paths, "consistency": consistency}


def sealed(parts: Mapping[str, bytes], told: Packed, signs: Signs, at: str) -> bytes:
    """Return the file, with its manifest, signed where the log's key is at hand."""
    last = told.lines[-1]
    manifest = Manifest(
        log=told.log,
        case=last["stream"],
        level=told.level,
        events=len(told.lines),
        head=last["hash"],
        size=told.size,
        newest=told.newest,
        log_size=told.exposure["head"],
        exposure={name: told.exposure[name] for name in ("events", "seconds", "outside", "sealed")},
        exported_at=at,
        files={name: sha256(content).hexdigest() for name, content in sorted(parts.items())},
    )
    content = _json(manifest.model_dump())
    signature = {}
    if signs.private:
        note = sign(statement(told.log, last["stream"], content), (signs.log, signs.private))
        signature = {"signature": note.encode()}
    return pack({**parts, "manifest.json": content, **signature})


def _hex(hashes: Sequence[bytes]) -> list[str]:
    return [one.hex() for one in hashes]


def _json(value: object) -> bytes:
    return canonical(value).encode()

"""Packages without a server: one case's events among others in a log of its own, signed with keys of its own."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.core.when import When
from domain.proof.merkle import consistency_ranges, inclusion_ranges, leaf_hash, proven, root
from infra.audit.checkpoints.checkpoint import Checkpoint, signed
from infra.audit.checkpoints.note import Key, key_of
from infra.audit.checkpoints.signing import SigningKeys
from infra.audit.checkpoints.sinks import checkpoint_name, key_name
from infra.audit.package.container import pack, unpack
from infra.audit.package.making import Packed, Signs, sealed
from infra.audit.package.redaction import Level, line
from infra.ledger.encoding.hashing import START, event_hash
from infra.ledger.encoding.sealing import canonical
from infra.ledger.encoding.stored import Stored
from tests.domain.proof.trees import subtrees
from tests.infra.audit.package.reading import Result, check

LOG, CASE, CANARY = "caravel/here", "case-0001", "Wilhelmina Canary-Øster"
START_AT = datetime(2026, 1, 2, tzinfo=UTC)
VERIFIER = Path(__file__).parents[4] / "infra/audit/package/verify.py"
DATA = ('{"country":"IN","name":{"$sealed":"identity"}}', '{"urgent":false}', '{"number":3}')
Parts = dict[str, bytes]


@dataclass(frozen=True)
class Made:
    """A package with everything that was needed to make it."""

    content: bytes = field(repr=False)
    key: Key
    private: Ed25519PrivateKey
    rows: list[Stored] = field(repr=False)

    @property
    def parts(self) -> Parts:
        return unpack(self.content)


@cache
def standalone() -> Any:
    """verify.py as a module: the program itself, not a copy."""
    spec = importlib.util.spec_from_file_location("dossier_verify", VERIFIER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def both(content: bytes, *keys: Key) -> Result:
    """What the two verifiers say, who must agree."""
    ours = check(content, keys)
    theirs = standalone().check(content, [standalone().read_key(str(key)) for key in keys])
    assert (theirs["outcome"], theirs["kind"]) == (ours.outcome, ours.kind), (theirs, ours)
    assert sorted(theirs["unproven"]) == sorted(ours.unproven)
    if ours.manifest:
        told = ours.manifest.model_dump(), ours.signer and str(ours.signer), ours.withheld
        assert (theirs["manifest"], theirs["signer"], theirs["withheld"]) == told
    return ours


def events(count: int) -> list[Stored]:
    """Of one case, at every third position of the log."""
    rows: list[Stored] = []
    link = START
    for version in range(1, count + 1):
        sealing = as_json({"identity": token_bytes(9).hex()}).decode() if version % 3 == 1 else "{}"
        row = Stored(
            3 * version - 1, CASE, version, f"event-{version}", "CaseOpened", 1, When.at(START_AT),
            START_AT + timedelta(seconds=version), DATA[(version - 1) % 3], sealing,
            '{"actor":"staff-7","purpose":"care_coordination"}', token_bytes(48), b"",
        )  # fmt: skip
        link = event_hash(link, row)
        rows.append(replace(row, hash=link))
    return rows


def make(
    folder: Path, *, count: int = 5, level: Level = "full", size: int | None = None, newest: int = 20,
    sign: bool = True, rotated: int = 0, log: str = LOG,
) -> Made:  # fmt: skip
    """A log of `newest` events; the case's are proven by the checkpoint of `size`."""
    signing = SigningKeys(folder / token_bytes(4).hex(), log)
    first = key_of(log, signing.current())
    for _ in range(rotated):
        signing.rotate()
    rows = events(count)
    leaves = [leaf_hash(n.to_bytes(4, "big")) for n in range(newest)]
    for row in rows:
        leaves[row.position - 1 : row.position] = [row.hash] if row.position <= newest else []
    size = newest if size is None else size
    lines = [line(row, last, level) for row, last in zip(rows, [None, *rows[:-1]], strict=True)]
    exposure = {
        "head": max(newest, rows[-1].position),
        "events": 0,
        "seconds": 0.5,
        "outside": newest,
        "sealed": newest,
    }
    told = Packed(log, level, lines, size, newest, exposure)
    signs = Signs(log, signing.announcements(), signing.current() if sign else None)
    content = sealed(parts_of(told, leaves, signing), told, signs, START_AT.isoformat())
    return Made(content, first, signing.current(), rows)


def parts_of(told: Packed, leaves: list[bytes], signing: SigningKeys) -> Parts:
    lookup = dict(subtrees(leaves)).__getitem__
    covered = [one for one in told.lines if one["position"] <= told.size]
    paths = {
        str(one["version"]): [h.hex() for h in proven(inclusion_ranges(one["position"] - 1, told.size), lookup)]
        for one in covered
    }
    later = [h.hex() for h in proven(consistency_ranges(told.size, told.newest), lookup)] if told.size else []
    points = {
        f"checkpoints/{checkpoint_name(size)}": signed(
            Checkpoint(told.log, size, root(leaves[:size])), signing.current()
        ).encode()
        for size in {told.size, told.newest} - {0}
    }
    papers = ("README.txt", "report.html", "rules.json", "documents.json", "schemas.json")
    return {
        **dict.fromkeys(papers, b"{}"),
        "events.jsonl": b"".join(canonical(one).encode() + b"\n" for one in told.lines),
        "proofs.json": as_json({"size": told.size, "newest": told.newest, "paths": paths, "consistency": later}),
        "verify.py": VERIFIER.read_bytes(),
        **points,
        **{f"keys/{key_name(number)}": note.encode() for number, note in signing.announcements()},
    }


def as_json(value: object) -> bytes:
    return canonical(value).encode()


def resealed(parts: Mapping[str, bytes], change: Callable[[dict[str, Any]], None] = lambda _: None) -> bytes:
    """What an attacker without the log's key makes of changed parts: a fitting manifest, no signature."""
    kept = {name: content for name, content in parts.items() if name not in ("manifest.json", "signature")}
    manifest = json.loads(parts["manifest.json"])
    manifest["files"] = {name: sha256(content).hexdigest() for name, content in kept.items()}
    change(manifest)
    return pack({**kept, "manifest.json": as_json(manifest)})


def lines_of(parts: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return [json.loads(one) for one in parts["events.jsonl"].splitlines()]


def with_lines(parts: Mapping[str, bytes], lines: list[dict[str, Any]]) -> bytes:
    """Other events, with a manifest that fits them."""
    content = b"".join(as_json(one) + b"\n" for one in lines)
    return resealed({**parts, "events.jsonl": content}, lambda m: m.update(events=len(lines), head=lines[-1]["hash"]))

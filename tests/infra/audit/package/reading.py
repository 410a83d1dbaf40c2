"""A second reading of a package, with the ledger's own code: the questions of verify.py in its order.

verify.py shares no code with the ledger; every difference between the two is a fault in one of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import BaseModel, StringConstraints, TypeAdapter, ValidationError

from domain.proof.merkle import check_consistency, check_inclusion
from infra.audit.checkpoints.checkpoint import Checkpoint, parse_text
from infra.audit.checkpoints.note import BadNote, Key, UnknownKey, parse, verify
from infra.audit.checkpoints.signing import announced
from infra.audit.checkpoints.sinks import checkpoint_name
from infra.audit.package.container import NotAPackage, unpack
from infra.audit.package.manifest import STRICT, Hash, Manifest, statement
from infra.ledger.encoding.hashing import START, header, leaf_hash, part_digest
from infra.ledger.encoding.sealing import canonical

FIXED = frozenset(
    {
        "README.txt", "documents.json", "events.jsonl", "manifest.json", "proofs.json", "report.html", "rules.json",
        "schemas.json", "verify.py",
    }
)  # fmt: skip
Kind = Literal[
    "", "not_a_package", "malformed", "changed_file", "key", "key_unknown", "signature", "edited", "missing",
    "reordered", "checkpoint", "proof", "consistency",
]  # fmt: skip
Unproven = Literal["unsigned", "not_sealed", "key_unknown"]
KEY_FILE = re.compile(r"keys/key-([0-9]{6})")
WRONG = (ValidationError, ValueError, OverflowError, RecursionError)


class Open(BaseModel):
    """A part as it was recorded, with its own salt."""

    model_config = STRICT
    salt: Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]
    text: str

    def hash(self) -> bytes:
        """Compute D(part), the digest of a part."""
        return part_digest(bytes.fromhex(self.salt), self.text.encode())


class Withheld(BaseModel):
    """Stands for a part that was left out."""

    model_config = STRICT
    digest: Hash

    def hash(self) -> bytes:
        """Return D(part) as it is given."""
        return bytes.fromhex(self.digest)


class Event(BaseModel):
    """Holds one line of events.jsonl: the columns of docs/ledger-format.md, instants as microseconds."""

    model_config = STRICT
    position: int
    stream: str
    version: int
    id: str
    type: str
    schema_version: int
    occurred_earliest: int | None
    occurred_latest: int | None
    precision: str
    recorded_at: int
    previous: Hash
    data: Open | Withheld
    sealed: Open | Withheld
    meta: Open | Withheld
    hash: Hash

    def leaf(self) -> bytes:
        """Return the hash, computed from the columns."""
        clear = header(
            self.stream, self.version, self.id, self.type, self.schema_version, self.occurred_earliest,
            self.occurred_latest, self.precision, self.recorded_at,
        )  # fmt: skip
        return leaf_hash(bytes.fromhex(self.previous), clear, (self.data.hash(), self.sealed.hash(), self.meta.hash()))


class Proofs(BaseModel):
    """Audit paths by version, and from the proving checkpoint to the newest."""

    model_config = STRICT
    size: int
    newest: int
    paths: dict[str, list[Hash]]
    consistency: list[Hash]


@dataclass(frozen=True, slots=True)
class Result:
    """`broken` says what does not hold; `incomplete` that nothing speaks against it and not all of it is proven."""

    outcome: Literal["verified", "incomplete", "broken"]
    kind: Kind = ""
    says: str = ""
    unproven: tuple[Unproven, ...] = ()
    manifest: Manifest | None = None
    signer: Key | None = None
    withheld: int = 0


class Broken(Exception):
    """Something does not hold."""

    def __init__(self, kind: Kind, says: str) -> None:
        super().__init__(says)
        self.kind = kind


def check(data: bytes, given: Sequence[Key]) -> Result:
    """`given` are the public keys somebody has reason to believe. Never raises."""
    try:
        return _Check(unpack(data), given).result()
    except NotAPackage as error:
        return Result("broken", "not_a_package", str(error))
    except Broken as broken:
        return Result("broken", broken.kind, str(broken))
    except WRONG as error:
        return Result("broken", "malformed", type(error).__name__)


def _need(condition: object, kind: Kind, says: str) -> None:
    if not condition:
        raise Broken(kind, says)


def _json(content: bytes) -> Any:
    found = json.loads(content)
    if canonical(found).encode() != content:
        raise ValueError("not in canonical form")
    return found


class _Check:
    def __init__(self, parts: Mapping[str, bytes], given: Sequence[Key]) -> None:
        _need(parts.keys() >= FIXED, "not_a_package", "a part is missing")
        self._parts = parts
        self._manifest = Manifest.model_validate(_json(parts["manifest.json"]))
        self._given = bool(given)
        self._trusted = [key for key in given if key.name == self._manifest.log]
        self._inside: list[Key] = []

    def result(self) -> Result:
        """Check everything in the order of verify.py and return the result."""
        unsealed = ("manifest.json", "signature")
        sums = {name: sha256(content).hexdigest() for name, content in self._parts.items() if name not in unsealed}
        _need(sums == self._manifest.files, "changed_file", "a part is not the one that was packed")
        self._read_keys()
        unproven: list[Unproven] = [] if self._signature() else ["unsigned"]
        events = self._events()
        signer = self._tree(events) if self._manifest.newest else None
        _need(signer or not self._checkpoints(), "checkpoint", "a checkpoint nobody packed")
        if not signer or events[-1].position > self._manifest.size:
            unproven.append("not_sealed")
        if not self._given:
            unproven.append("key_unknown")
        withheld = sum(isinstance(part, Withheld) for e in events for part in (e.data, e.sealed, e.meta))
        outcome: Literal["incomplete", "verified"] = "incomplete" if unproven else "verified"
        return Result(outcome, "", "", tuple(unproven), self._manifest, signer, withheld)

    def _read_keys(self) -> None:
        """Those the package has; believed are only the given ones and whom they vouched for."""
        for name in sorted(name for name in self._parts if name.startswith("keys/")):
            try:
                self._read_key(KEY_FILE.fullmatch(name), self._parts[name])
            except ValueError as error:
                raise Broken("key", f"{name}: {error}") from None

    def _read_key(self, named: re.Match[str] | None, note: bytes) -> None:
        key = announced(note.decode(), int(named[1]) if named else 0, self._manifest.log)
        self._inside.append(key)
        try:
            verify(parse(note), self._trusted)
        except UnknownKey:
            return
        if key not in self._trusted:
            self._trusted.append(key)

    def _signed(self, note: bytes, kind: Kind) -> tuple[str, Key]:
        known = self._trusted if self._given else self._inside
        try:
            found = parse(note)
            return found.text, verify(found, known)[0]
        except UnknownKey:
            raise Broken("key_unknown" if self._given else kind, "signed by no key that is believed") from None
        except BadNote as bad:
            raise Broken(kind, str(bad)) from None

    def _signature(self) -> bool:
        if "signature" not in self._parts:
            return False
        says, _ = self._signed(self._parts["signature"], "signature")
        expected = statement(self._manifest.log, self._manifest.case, self._parts["manifest.json"])
        _need(says == expected, "signature", "the signature is on another package")
        return True

    def _events(self) -> Sequence[Event]:
        lines = self._parts["events.jsonl"].split(b"\n")
        _need(lines.pop() == b"", "malformed", "lines end in newlines")
        events = LINES.validate_python([_json(line) for line in lines])
        last: Event | None = None
        for number, event in enumerate(events, 1):
            _follows(number, event, last, self._manifest.case)
            last = event
        packed = last and len(events) == self._manifest.events and last.hash == self._manifest.head
        _need(packed and events[-1].position <= self._manifest.log_size, "missing", "not the events that were packed")
        return events

    def _checkpoints(self) -> set[str]:
        return {name for name in self._parts if name.startswith("checkpoints/")}

    def _checkpoint(self, size: int) -> tuple[Checkpoint, Key]:
        says, key = self._signed(self._parts[f"checkpoints/{checkpoint_name(size)}"], "checkpoint")
        try:
            point = parse_text(says)
        except BadNote as bad:
            raise Broken("checkpoint", str(bad)) from None
        _need((point.origin, point.size) == (self._manifest.log, size), "checkpoint", "of another log or size")
        return point, key

    def _tree(self, events: Sequence[Event]) -> Key:
        size, newest = self._manifest.size, self._manifest.newest
        names = {f"checkpoints/{checkpoint_name(one)}" for one in (size, newest)}
        _need(self._checkpoints() == names and 0 < size <= newest, "checkpoint", "not the checkpoints that were packed")
        (point, key), (last, _) = self._checkpoint(size), self._checkpoint(newest)
        proofs = Proofs.model_validate(_json(self._parts["proofs.json"]))
        covered = [event for event in events if event.position <= size]
        packed = {str(event.version) for event in covered} == proofs.paths.keys()
        _need(packed and (proofs.size, proofs.newest) == (size, newest), "proof", "not the proofs that were packed")
        for event in covered:
            path = [bytes.fromhex(one) for one in proofs.paths[str(event.version)]]
            held = check_inclusion(bytes.fromhex(event.hash), event.position - 1, size, path, point.root)
            _need(held, "proof", f"version {event.version} is not in the tree at its place")
        path = [bytes.fromhex(one) for one in proofs.consistency]
        held = check_consistency(size, newest, point.root, last.root, path)
        _need(held, "consistency", "the newest checkpoint does not go on from the other")
        return key


LINES = TypeAdapter(list[Event])


def _follows(number: int, event: Event, last: Event | None, case: str) -> None:
    at = f"version {event.version}"
    in_place = event.version == number and event.stream == case
    _need(in_place, "missing", f"version {number} of {case} does not stand in its place")
    link = last.hash if last else START.hex()
    _need(event.previous == link, "edited", f"{at}: not linked to the one before")
    _need(event.leaf().hex() == event.hash, "edited", f"{at}: the hash is not that of its contents")
    before = (last.position, last.recorded_at) if last else (0, event.recorded_at)
    in_order = event.position > before[0] and event.recorded_at >= before[1]
    _need(in_order, "reordered", f"{at}: before the one before")

#!/usr/bin/env python3
"""Checks a Caravel evidence package with nothing but Python 3.11 or newer: no server, no network, nothing installed.

    python3 verify.py PACKAGE.zip --key 'caravel/…+01234567+AQ…'

Give the log's public key as you noted it down elsewhere (`caravel audit keys`); a key inside a package proves nothing
about who wrote it. Exit code: 0 verified, 1 it does not hold, 2 wrong use, 3 consistent, but not all of it is proven.
"""

# fmt: off

from __future__ import annotations

import argparse
import json
import re
import struct
import sys
from base64 import b64decode, b64encode
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any
from zlib import crc32

LARGEST, MOST, LARGEST_NOTE, MOST_LINES, HASH, KEY_HASH = 256 * 1024 * 1024, 1_000, 1_000_000, 100, 32, 4
NAME = re.compile(r"(?:(?:checkpoints|keys)/)?[A-Za-z][A-Za-z0-9_-]{0,63}(?:\.[a-z]{2,5})?")
FIXED = {"README.txt", "documents.json", "events.jsonl", "manifest.json", "proofs.json", "report.html", "rules.json",
         "schemas.json", "verify.py"}
MANIFEST = {"case": str, "events": int, "exported_at": str, "exposure": dict, "files": dict, "format": int, "head": str,
            "kind": str, "level": str, "log": str, "log_size": int, "newest": int, "size": int}
EVENT = {"data": dict, "hash": str, "id": str, "meta": dict, "occurred_earliest": (int, type(None)),
         "occurred_latest": (int, type(None)), "position": int, "precision": str, "previous": str, "recorded_at": int,
         "schema_version": int, "sealed": dict, "stream": str, "type": str, "version": int}
PROOFS = {"consistency": list, "newest": int, "paths": dict, "size": int}
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
KEY_FILE = re.compile(r"keys/key-([0-9]{6})")
WRONG = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError, struct.error)

class Broken(Exception):
    """Something does not hold; says what, and where."""
    def __init__(self, kind: str, says: str) -> None:
        super().__init__(says)
        self.kind = kind

def need(condition: object, kind: str, says: str) -> None:
    """Raise Broken unless it holds."""
    if not condition:
        raise Broken(kind, says)

P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]

def add(a: Point, b: Point) -> Point:
    """Add two points in extended coordinates."""
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    w, x, y, z = f - e, d - c, d + c, f + e
    return w * x % P, y * z % P, x * y % P, w * z % P

def times(factor: int, point: Point) -> Point:
    """Double and add; nothing here is secret."""
    found: Point = (0, 1, 1, 0)
    while factor:
        found = add(found, point) if factor & 1 else found
        point, factor = add(point, point), factor >> 1
    return found

def point_of(encoded: bytes) -> Point:
    """Raises Broken where there is none."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, (y & (2**255 - 1)) % P
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x * ROOT % P if (x * x - square) % P else x
    need((x * x - square) % P == 0, "key", "a key that is no point of the curve")
    x = P - x if x % 2 != sign else x
    return x % P, y, 1, x * y % P

BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))

def signed_by(public: bytes, text: bytes, signature: bytes) -> bool:
    """Return whether this key signed these bytes."""
    s = int.from_bytes(signature[HASH:], "little")
    if len(signature) != 2 * HASH or s >= ORDER:
        return False
    x, y, z, t = point_of(public)
    challenge = int.from_bytes(sha512(signature[:HASH] + public + text).digest(), "little") % ORDER
    x, y, z, t = add(times(s, BASE), times(challenge, (-x % P, y, z, -t % P)))
    inverse = pow(z, P - 2, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(HASH, "little") == signature[:HASH]

Key = tuple[str, bytes, bytes]  # name, hash, public key

def from_base64(text: str) -> bytes:
    """Decode the one text that stands for these bytes."""
    content = b64decode(text, validate=True)
    if b64encode(content).decode() != text:
        raise ValueError("base64 with stray bits")
    return content

def read_key(text: str) -> Key:
    """Read a key from `name+hash+base64`. Raises ValueError."""
    name, _, rest = text.strip().partition("+")
    given, _, encoded = rest.partition("+")
    content = from_base64(encoded)
    mark = sha256(name.encode() + b"\n" + content).digest()[:KEY_HASH]
    right = re.fullmatch(r"[^\s+]+", name) and not CONTROL.search(name) and content[:1] == b"\x01"
    if not right or len(content) != HASH + 1 or mark.hex() != given:
        raise ValueError("not an Ed25519 key as `caravel audit keys` writes it")
    return name, mark, content[1:]

def read_note(note: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Text, and its signatures as (name, key hash, signature). Raises ValueError."""
    whole = note.decode()
    text, separator, block = whole.rpartition("\n\n")
    lines = block[:-1].split("\n")
    found = [LINE.fullmatch(line) for line in lines]
    formed = separator and block.endswith("\n") and not CONTROL.search(whole) and all(found)
    if not formed or len(note) > LARGEST_NOTE or len(lines) > MOST_LINES:
        raise ValueError("not a note")
    named = [(match[1], from_base64(match[2])) for match in found if match]
    if any(len(content) <= KEY_HASH for _, content in named):
        raise ValueError("a signature that is too short")
    return text + "\n", [(name, content[:KEY_HASH], content[KEY_HASH:]) for name, content in named]

def signers(note: bytes, known: list[Key]) -> tuple[str, list[Key]]:
    """Return the text, and who of the known signed it. Raises ValueError for a known key's bad signature."""
    text, lines = read_note(note)
    by_name = {(name, mark): (name, mark, public) for name, mark, public in known}
    found = [(by_name[line[:2]], line[2]) for line in lines if line[:2] in by_name]
    if not all(signed_by(key[2], text.encode(), signature) for key, signature in found):
        raise ValueError("a signature that is not by its key")
    return text, [key for key, _ in found]

def announced(note: bytes, number: int, log: str) -> Key:
    """Return the key that a note announces and signs. Raises ValueError."""
    title, said, written, *rest = read_note(note)[0].split("\n")
    key = read_key(written)
    right = (title, said, key[0], rest) == ("caravel signing key", str(number), log, [""])
    if not right or not signers(note, [key])[1]:
        raise ValueError("no announcement of this key, or not signed by it")
    return key

class KnownKeys:
    """Holds which keys the reader has reason to believe, and which only stand in the package."""
    def __init__(self, parts: dict[str, bytes], log: str, given: list[Key]) -> None:
        self.given = bool(given)
        self.trusted = [key for key in given if key[0] == log]
        self.inside: list[Key] = []
        for name in sorted(part for part in parts if part.startswith("keys/")):
            match = KEY_FILE.fullmatch(name)
            try:
                key = announced(parts[name], int(match[1]) if match else 0, log)
                vouched = signers(parts[name], self.trusted)[1]
            except ValueError as error:
                raise Broken("key", f"{name}: {error}") from None
            self.inside.append(key)
            self.trusted += [key] if vouched and key not in self.trusted else []

    def signed(self, note: bytes, kind: str) -> tuple[str, Key]:
        """Return the text of a note one of them signed. Raises Broken."""
        try:
            text, found = signers(note, self.trusted if self.given else self.inside)
        except ValueError as error:
            raise Broken(kind, str(error)) from None
        need(found, "key_unknown" if self.given else kind, "signed by no key that yours vouches for"
             if self.given else "signed by no key in this package")
        return text, found[0]

def pack(parts: dict[str, bytes]) -> bytes:
    """Return the one zip there can be of these parts: stored, sorted, without dates."""
    body, index = bytearray(), bytearray()
    for name, content in sorted(parts.items()):
        encoded, size, check = name.encode("ascii"), len(content), crc32(content)
        index += struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 0x0314, 20, 0, 0, 0, 0x21, check, size, size,
                             len(encoded), 0, 0, 0, 0, 0o100644 << 16, len(body)) + encoded
        body += struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 0, 0, 0x21, check, size, size, len(encoded), 0)
        body += encoded + content
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, len(parts), len(parts), len(index), len(body), 0)
    return bytes(body + index + end)

def unpack(data: bytes) -> dict[str, bytes]:
    """Unpack its parts. Raises Broken for anything but that one zip."""
    need(len(data) <= LARGEST, "not_a_package", "larger than a package may be")
    parts, at = dict[str, bytes](), 0
    while data[at : at + 4] == b"PK\x03\x04" and len(data) - at >= 30:  # noqa: PLR2004 - a local header
        size, length = struct.unpack_from("<IH", data, at + 22)
        start = at + 30 + length
        name = data[at + 30 : start].decode("latin-1")
        allowed = name not in parts and len(parts) < MOST and NAME.fullmatch(name)
        need(allowed, "not_a_package", "a name that is not allowed, or stands there twice")
        parts[name], at = data[start : start + size], start + size
    need(pack(parts) == data, "not_a_package", "changed, cut or packed anew: not byte for byte a package")
    return parts

def read_json(text: bytes) -> Any:  # noqa: ANN401 - JSON
    """JSON in the one form it can have. Raises ValueError."""
    found = json.loads(text.decode())
    again = json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    need(again.encode() == text, "malformed", "not in canonical form")
    return found

def shaped(value: Any, shape: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return an object with exactly these members. Raises ValueError."""
    wrong = not isinstance(value, dict) or value.keys() != shape.keys()
    wrong = wrong or any(not isinstance(value[name], kind) or isinstance(value[name], bool)
                         for name, kind in shape.items())
    need(not wrong, "malformed", "not the members it should have")
    return dict(value)

def hashed(text: Any) -> bytes:  # noqa: ANN401 - JSON
    """Return a hash as it is written here. Raises ValueError."""
    need(isinstance(text, str) and re.fullmatch("[0-9a-f]{64}", text), "malformed", "not a hash")
    return bytes.fromhex(text)

def integer(number: int) -> bytes:
    """8 bytes, big-endian, signed."""
    return number.to_bytes(8, "big", signed=True)

def text_of(value: str) -> bytes:
    """Write a text as its length and UTF-8 bytes."""
    return integer(len(value.encode())) + value.encode()

def moment(micros: int | None) -> bytes:
    """Present or absent, then microseconds."""
    return b"\x00" + integer(0) if micros is None else b"\x01" + integer(micros)

def digest(part: dict[str, Any]) -> bytes:
    """D(part), computed, or given where the part is withheld."""
    if part.keys() == {"digest"}:
        return hashed(part["digest"])
    shaped(part, {"salt": str, "text": str})
    need(re.fullmatch("[0-9a-f]{32}", part["salt"]), "malformed", "not a salt")
    return sha256(bytes.fromhex(part["salt"]) + part["text"].encode()).digest()

def leaf(event: dict[str, Any]) -> bytes:
    """Return the event's hash from its columns."""
    return sha256(b"".join((
        b"\x00", hashed(event["previous"]), integer(1), text_of(event["stream"]), integer(event["version"]),
        text_of(event["id"]), text_of(event["type"]), integer(event["schema_version"]),
        moment(event["occurred_earliest"]), moment(event["occurred_latest"]), text_of(event["precision"]),
        integer(event["recorded_at"]), digest(event["data"]), digest(event["sealed"]), digest(event["meta"]),
    ))).digest()

def check_events(content: bytes, manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Check every hash, every link, the order, and that as many are there as were packed. Raises Broken, ValueError."""
    *lines, end = content.split(b"\n")
    need(end == b"", "malformed", "lines end in newlines")
    events = [shaped(read_json(line), EVENT) for line in lines]
    previous, position, clock = bytes(HASH), 0, float("-inf")
    for number, event in enumerate(events, 1):
        at = f"version {event['version']}"
        need(event["version"] == number and event["stream"] == manifest["case"], "missing",
             f"version {number} of {manifest['case']} does not stand in its place")
        need(hashed(event["previous"]) == previous, "edited", f"{at}: not linked to the one before")
        need(leaf(event) == hashed(event["hash"]), "edited", f"{at}: the hash is not that of its contents")
        need(event["position"] > position and event["recorded_at"] >= clock, "reordered", f"{at}: out of order")
        previous, position, clock = hashed(event["hash"]), event["position"], event["recorded_at"]
    whole = len(events) == manifest["events"] and previous == hashed(manifest["head"])
    need(whole and events and position <= manifest["log_size"], "missing", "not the events that were packed")
    return events

def node(left: bytes, right: bytes) -> bytes:
    """Hash an inner node of the Merkle tree."""
    return sha256(b"\x01" + left + right).digest()

def included(found: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    """RFC 9162, 2.1.3.2: whether a leaf is number `index` of the tree of `size` with this root."""
    first, last = index, size - 1
    for step in path:
        if last == 0:
            return False
        left = first & 1 or first == last
        found = node(step, found) if left else node(found, step)
        while left and first and not first & 1:
            first, last = first >> 1, last >> 1
        first, last = first >> 1, last >> 1
    return 0 <= index < size and last == 0 and found == root

def consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: list[bytes]) -> bool:
    """RFC 9162, 2.1.4.2: whether the tree of `old` is the beginning of that of `new`."""
    if not 0 < old < new or not proof:
        return old == new and old > 0 and not proof and old_root == new_root
    steps = [old_root, *proof] if old & (old - 1) == 0 else proof
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    one = two = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        left = first & 1 or first == last
        one, two = (node(step, one), node(step, two)) if left else (one, node(two, step))
        while left and first and not first & 1:
            first, last = first >> 1, last >> 1
        first, last = first >> 1, last >> 1
    return last == 0 and (one, two) == (old_root, new_root)

def root_of(parts: dict[str, bytes], size: int, log: str, keys: KnownKeys) -> tuple[bytes, Key]:
    """Return the root a checkpoint of this size says, and who signed it. Raises Broken."""
    text, key = keys.signed(parts[f"checkpoints/checkpoint-{size:020d}"], "checkpoint")
    lines = text.removesuffix("\n").split("\n")
    right = len(lines) >= 3 and all(lines) and SIZE.fullmatch(lines[1])  # noqa: PLR2004 - origin, size, root
    need(right and lines[:2] == [log, str(size)], "checkpoint", "a checkpoint of another log or size")
    need(len(root := from_base64(lines[2])) == HASH, "checkpoint", "a root of another length")
    return root, key

def check_tree(parts: dict[str, bytes], manifest: dict[str, Any], events: list[dict[str, Any]], keys: KnownKeys) -> Key:
    """Checkpoints, inclusion of every event they cover, and that the newest goes on from the other. Raises Broken."""
    size, newest = manifest["size"], manifest["newest"]
    names = {f"checkpoints/checkpoint-{one:020d}" for one in (size, newest)}
    there = {name for name in parts if name.startswith("checkpoints/")} == names
    need(there and 0 < size <= newest, "checkpoint", "not the checkpoints that were packed")
    root, key = root_of(parts, size, manifest["log"], keys)
    last, _ = root_of(parts, newest, manifest["log"], keys)
    proofs = shaped(read_json(parts["proofs.json"]), PROOFS)
    paths = {version: [hashed(one) for one in path] for version, path in proofs["paths"].items()}
    later = [hashed(one) for one in proofs["consistency"]]
    covered = [event for event in events if event["position"] <= size]
    packed = {str(event["version"]) for event in covered} == paths.keys()
    need(packed and (proofs["size"], proofs["newest"]) == (size, newest), "proof", "not the proofs that were packed")
    for event in covered:
        held = included(hashed(event["hash"]), event["position"] - 1, size, paths[str(event["version"])], root)
        need(held, "proof", f"version {event['version']} is not in the tree at its place")
    need(consistent(size, newest, root, last, later), "consistency", "the newest checkpoint is not a later one")
    return key

def check(data: bytes, given: list[Key]) -> dict[str, Any]:
    """Say what holds: `outcome` verified, incomplete or broken, `kind`, `says`, what is `proven` and `unproven`."""
    try:
        return _check(data, given)
    except Broken as broken:
        return {"outcome": "broken", "kind": broken.kind, "says": str(broken), "proven": [], "unproven": []}
    except WRONG as error:
        return {"outcome": "broken", "kind": "malformed", "says": type(error).__name__, "proven": [], "unproven": []}

def _check(data: bytes, given: list[Key]) -> dict[str, Any]:
    parts = unpack(data)
    need(parts.keys() >= FIXED, "not_a_package", "a part is missing")
    manifest = shaped(read_json(parts["manifest.json"]), MANIFEST)
    need((manifest["kind"], manifest["format"]) == ("caravel dossier", 1), "malformed", "another kind or format")
    told = [hashed(manifest["head"]).hex(), *manifest["files"].values()]
    need(all(isinstance(one, str) for one in told), "malformed", "not the sums of parts")
    sums = {name: sha256(content).hexdigest() for name, content in parts.items()
            if name not in ("manifest.json", "signature")}
    need(sums == manifest["files"], "changed_file", "a part is not the one that was packed")
    keys = KnownKeys(parts, manifest["log"], given)
    unproven = [] if "signature" in parts else ["unsigned"]
    if "signature" in parts:
        text, _ = keys.signed(parts["signature"], "signature")
        says = f"caravel dossier\n{manifest['log']}\n{manifest['case']}\n{sha256(parts['manifest.json']).hexdigest()}\n"
        need(text == says, "signature", "the signature is on another package")
    events = check_events(parts["events.jsonl"], manifest)
    key = check_tree(parts, manifest, events, keys) if manifest["newest"] else None
    need(key or not any(name.startswith("checkpoints/") for name in parts), "checkpoint", "a checkpoint nobody packed")
    covered = sum(event["position"] <= manifest["size"] for event in events) if key else 0
    unproven += ["not_sealed"] if covered < len(events) else []
    unproven += [] if keys.given else ["key_unknown"]
    withheld = sum("digest" in event[name] for event in events for name in ("data", "sealed", "meta"))
    signer = "+".join((key[0], key[1].hex(), b64encode(b"\x01" + key[2]).decode())) if key else None
    return {"outcome": "incomplete" if unproven else "verified", "kind": "", "says": "", "unproven": unproven,
            "proven": said(manifest, covered, withheld, key), "manifest": manifest, "signer": signer,
            "withheld": withheld}

def said(manifest: dict[str, Any], covered: int, withheld: int, key: Key | None) -> list[str]:
    """Write what was found to hold, in sentences."""
    lines = [f"{manifest['case']}: versions 1 to {manifest['events']}, every hash and every link"]
    if key:
        lines.append(f"{covered} events stand in the log {manifest['log']} of {manifest['size']} events")
        lines.append(f"signed by {key[0]}+{key[1].hex()}; the log went on to {manifest['newest']} events unchanged")
    return [*lines, f"withheld: {withheld} parts; their digests are proven, their contents cannot be guessed"]

UNPROVEN = {
    "key_unknown": "Consistent, signed by the key named above; that key is not known to you. Give --key.",
    "unsigned": "The package itself is not signed: that nothing came after its last event, and that report, rules, "
    "schemas and documents are as they were made, is not proven. The events are.",
    "not_sealed": "Its newest events were not yet covered by a checkpoint when it was made.",
}
CODES = {"verified": 0, "broken": 1, "incomplete": 3}

def main() -> int:
    """Say what holds; answers with the exit code."""
    reader = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    reader.add_argument("package", type=Path)
    reader.add_argument("--key", action="append", default=[], type=read_key, help="public key noted down elsewhere")
    asked = reader.parse_args()
    with asked.package.open("rb") as file:
        found = check(file.read(LARGEST + 1), asked.key)
    lines = [f"proven: {one}" for one in found["proven"]] + [f"NOT PROVEN: {UNPROVEN[n]}" for n in found["unproven"]]
    broken = [f"DOES NOT HOLD ({found['kind']}): {found['says']}"] if found["kind"] else []
    sys.stdout.write("\n".join([*broken, *lines, found["outcome"].upper()]) + "\n")
    return CODES[found["outcome"]]

if __name__ == "__main__":
    sys.exit(main())

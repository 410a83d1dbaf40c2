"""Prints the worked vectors of docs/ledger-format.md; shares no code with Caravel, so that two readings meet."""

import hashlib
import json
import sys
from base64 import b64encode

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def int8(number: int) -> bytes:
    return number.to_bytes(8, "big", signed=True)


def text(value: str) -> bytes:
    return int8(len(value.encode())) + value.encode()


def moment(micros: int | None) -> bytes:
    return b"\x00" + int8(0) if micros is None else b"\x01" + int8(micros)


def digest(part: dict[str, str]) -> bytes:
    if "digest" in part:
        return bytes.fromhex(part["digest"])
    return hashlib.sha256(bytes.fromhex(part["salt"]) + part["text"].encode()).digest()


def link(vector: dict) -> str:
    head = [int8(1), text(vector["stream"]), int8(vector["version"]), text(vector["id"]), text(vector["type"])]
    head += [int8(vector["schema_version"]), moment(vector["occurred_earliest"]), moment(vector["occurred_latest"])]
    head += [text(vector["precision"]), int8(vector["recorded_at"])]
    parts = [digest(vector[name]) for name in ("data", "sealed", "meta")]
    return hashlib.sha256(b"".join([b"\x00", bytes.fromhex(vector["previous"]), *head, *parts])).hexdigest()


def seal(stream: str, event: str, key_class: str, plain: str) -> str:
    key, nonce = bytes(range(32)), bytes(range(12))
    bound = text("caravel sealed 1") + text(stream) + text(event) + text(key_class)
    ciphertext = AESGCM(key).encrypt(nonce, plain.encode(), bound)
    box = {"ciphertext": b64encode(ciphertext).decode(), "key": "k-1", "nonce": b64encode(nonce).decode()}
    return json.dumps({key_class: box}, sort_keys=True, separators=(",", ":"))


def part(number: int, content: str) -> dict[str, str]:
    return {"salt": bytes([number] * 16).hex(), "text": content}


def vectors() -> list[dict]:
    plain = {
        "name": "plain",
        "previous": bytes(32).hex(),
        "stream": "installation",
        "version": 1,
        "id": "018f0000-0000-7000-8000-000000000001",
        "type": "InstallationNamed",
        "schema_version": 1,
        "occurred_earliest": 1767225600000000,
        "occurred_latest": 1767225600000000,
        "precision": "instant",
        "recorded_at": 1767225600000000,
        "data": part(1, '{"kind":"rehearsal","name":"Zürich"}'),
        "sealed": part(2, "{}"),
        "meta": part(3, '{"actor":"caravel","purpose":"care_coordination"}'),
    }
    plain["hash"] = link(plain)
    identity = '{"/contacts/0/phone":"+86 10 0000 0000","/name":"李雷"}'
    secret = {
        "name": "sealed, uncertain date",
        "previous": plain["hash"],
        "stream": "case-018f0000-0000-7000-8000-0000000000aa",
        "version": 2,
        "id": "018f0000-0000-7000-8000-000000000002",
        "type": "PatientNamed",
        "schema_version": 3,
        "occurred_earliest": None,
        "occurred_latest": -86400000001,
        "precision": "bound",
        "recorded_at": 1767225600000123,
        "data": part(4, '{"contacts":[{"phone":{"$sealed":"identity"}}],"name":{"$sealed":"identity"}}'),
        "meta": part(6, '{"actor":"staff-7","purpose":"care_coordination","why":null}'),
    }
    secret["sealed"] = part(5, seal(secret["stream"], secret["id"], "identity", identity))
    secret["hash"] = link(secret)
    withheld = {**secret, "name": "data withheld", "data": {"digest": digest(secret["data"]).hex()}}
    assert link(withheld) == secret["hash"]
    return [plain, secret, withheld]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(vectors(), indent=1, ensure_ascii=False, sort_keys=True) + "\n")

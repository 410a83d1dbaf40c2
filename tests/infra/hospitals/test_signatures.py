"""Callbacks are proved: the RFC's own vector, then everything that must not pass."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import HTTPMessageSigner, InvalidSignature
from http_message_signatures.algorithms import ED25519
from hypothesis import given
from hypothesis import strategies as st

from infra.hospitals import callbacks
from infra.hospitals.callbacks import BadSignature, key_id, read_key, shown, sign, verify
from rehearsal.hospitals.keys import HospitalKeys

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
PATH = "/hospitals/centre-1/callbacks"
BODY = b'{"resourceType": "Task"}'
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VECTOR = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
PUBLIC = KEY.public_key().public_bytes_raw()


def signed(body: bytes = BODY, now: datetime = NOW) -> dict[str, str]:
    return sign("POST", PATH, body, KEY, "centre-1", now)


def refused(headers: Mapping[str, str], *, path: str = PATH, body: bytes = BODY, key: bytes = PUBLIC) -> str:
    with pytest.raises(BadSignature) as bad:
        verify(headers, "POST", path, body, key, NOW)
    return bad.value.reason


def test_the_vector_of_rfc_9421_b_2_6(monkeypatch: pytest.MonkeyPatch) -> None:
    """Request, key and signature as printed in RFC 9421 appendix B.2.6 (key of B.1.4)."""
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs="))
    message = callbacks._Message(
        "POST",
        "https://example.com/foo?param=Value&Pet=dog",
        {
            "Date": "Tue, 20 Apr 2021 02:07:55 GMT",
            "Content-Type": "application/json",
            "Content-Length": "18",
            "Signature-Input": 'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")'
            ';created=1618884473;keyid="test-key-ed25519"',
            "Signature": f"sig-b26=:{VECTOR}:",
        },
    )
    at = datetime.fromtimestamp(1618884473, UTC)
    verifier = callbacks._Verifier(key, at)
    monkeypatch.setattr(verifier, "needed", ("created", "keyid"))
    assert [r.label for r in verifier.verify(message)] == ["sig-b26"]
    message.headers["Date"] = "Tue, 20 Apr 2021 02:07:56 GMT"
    with pytest.raises(InvalidSignature):
        verifier.verify(message)


def test_the_digest_of_rfc_9530_is_the_one_we_send() -> None:
    """SHA-256 of {"hello": "world"} and a newline, RFC 9530 section 2."""
    digest = signed(b'{"hello": "world"}\n')["Content-Digest"]
    assert digest == "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"


def test_what_a_hospital_signed_passes_whatever_the_case_of_its_headers() -> None:
    verify(signed(), "POST", PATH, BODY, PUBLIC, NOW)
    verify({k.lower(): v for k, v in signed().items()}, "post", PATH, BODY, PUBLIC, NOW)
    verify(list(signed().items()), "POST", PATH, BODY, PUBLIC, NOW + timedelta(minutes=5))
    assert key_id(signed()) == "centre-1"
    assert key_id({}) == ""


@pytest.mark.parametrize("late", [timedelta(minutes=5, seconds=1), timedelta(days=1), -timedelta(minutes=1)])
def test_too_old_or_from_the_future(late: timedelta) -> None:
    reason = refused(signed(now=NOW - late))
    assert "old" in reason or "future" in reason


def test_another_body_path_method_or_key() -> None:
    refused(signed(), body=BODY + b" ")
    refused(signed(), path="/hospitals/centre-2/callbacks")
    refused(signed(), key=Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    with pytest.raises(BadSignature):
        verify(signed(), "PUT", PATH, BODY, PUBLIC, NOW)


@pytest.mark.parametrize("name", ["Content-Digest", "Signature-Input", "Signature"])
def test_nothing_may_be_left_out(name: str) -> None:
    refused({k: v for k, v in signed().items() if k != name})


@pytest.mark.parametrize("left_out", ["@method", "@path", "content-digest"])
def test_a_signature_covers_method_path_and_body(left_out: str) -> None:
    headers = {"Content-Digest": signed()["Content-Digest"]}
    message = callbacks._Message("POST", callbacks.ORIGIN + PATH, headers)
    signer = HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=callbacks._OneKey(private=KEY))
    covered = [name for name in callbacks.NEEDED if name != left_out]
    signer.sign(
        message,
        key_id="centre-1",
        created=NOW,
        nonce="n",
        covered_component_ids=covered,
        use_existing_digest=True,
    )
    refused(message.headers)


@pytest.mark.parametrize("missing", ["created", "nonce", "keyid"])
def test_a_signature_says_when_by_whom_and_which(missing: str) -> None:
    headers = signed()
    parts = headers["Signature-Input"].split(";")
    headers["Signature-Input"] = ";".join(p for p in parts if not p.startswith(missing))
    assert missing in refused(headers)


def test_a_second_signature_beside_ours_is_not_accepted() -> None:
    headers = signed()
    other = sign("POST", PATH, BODY, Ed25519PrivateKey.generate(), "x", NOW)
    for name in ("Signature-Input", "Signature"):
        headers[name] += ", " + other[name].replace("hospital=", "other=")
    refused(headers)


@given(
    st.sampled_from(["Content-Digest", "Signature-Input", "Signature", "Content-Type"]), st.integers(0, 400), st.text()
)
def test_tampering_anywhere_is_refused_and_never_crashes(name: str, at: int, put: str) -> None:
    headers = signed()
    value = headers[name]
    at %= len(value) - 4 if name == "Signature" else len(value)  # base64 has idle bits at its very end
    changed = value[:at] + put + value[at + 1 :]
    if changed.strip() != value:
        headers[name] = changed
        reason = refused(headers)
        assert len(reason) <= 200


def test_each_centre_has_its_own_key_out_of_one_secret(tmp_path: Path) -> None:
    keys = HospitalKeys(tmp_path)
    assert HospitalKeys(tmp_path).public("centre-1") == keys.public("centre-1") != keys.public("centre-2")
    assert [f.stat().st_mode & 0o777 for f in tmp_path.iterdir()] == [0o600]
    raw = read_key(keys.public("centre-1"))
    verify(sign("POST", PATH, BODY, keys.private("centre-1"), "centre-1", NOW), "POST", PATH, BODY, raw, NOW)
    assert shown(keys.private("centre-1").public_key()) == keys.public("centre-1")
    with pytest.raises(ValueError, match=r"(?s).*"):
        read_key("not a key")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ('Unexpected signature metadata parameter "wilhelmina"', 'Unexpected signature metadata parameter "…"'),
        ('Signature missing expected label "Canary Øster"', 'Signature missing expected label "…"'),
        (
            'Expected "signature-input" header field to be present',
            'Expected "signature-input" header field to be present',
        ),
        ("Malformed parameter: Wilhelmina", "the signature does not match"),
        ("x" * 201, "the signature does not match"),
        ("", "the signature does not match"),
    ],
)
def test_a_reason_repeats_no_word_of_whoever_sent_it(said: str, kept: str) -> None:
    assert callbacks._reason(ValueError(said)) == kept


def covering(*more: str, url: str = "https://caravel.example" + PATH, **headers: str) -> dict[str, str]:
    """The headers of somebody who signs more than is asked for."""
    message = callbacks._Message("POST", url, {"Content-Type": "application/fhir+json", **headers})
    signer = HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=callbacks._OneKey(private=KEY))
    if headers:  # another program's library may know other digests
        signer.content_digest_class = cast("Any", SimpleNamespace(prepare=lambda *_, **__: None))
    signer.sign(
        message, key_id="centre-1", created=NOW, nonce="n", label="hospital",
        covered_component_ids=(*callbacks.NEEDED, *more), body=None if headers else BODY,
    )  # fmt: skip
    return message.headers


@pytest.mark.parametrize("more", [(), ("@authority",), ("@target-uri",), ("@scheme", "@authority")])
def test_whoever_signs_where_it_went_as_well_is_believed_at_our_own_address(more: tuple[str, ...]) -> None:
    verify(covering(*more), "POST", PATH, BODY, PUBLIC, NOW, "https://caravel.example")
    if more:
        with pytest.raises(BadSignature):
            verify(covering(*more), "POST", PATH, BODY, PUBLIC, NOW, "https://elsewhere.example")


SHA_256 = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
SHA_512 = base64.b64encode(hashlib.sha512(BODY).digest()).decode()


@pytest.mark.parametrize(
    ("digest", "reason"),
    [
        (f"sha-256=:{SHA_256}:", None),
        (f"md5=:AAAA:, sha-256=:{SHA_256}:", None),
        (f"sha-512=:{SHA_512}:", None),
        (f"sha-256=:{SHA_256}:, sha-512=:{SHA_512}:", None),
        ("md5=:AAAA:", "neither sha-256 nor sha-512"),
        (f"sha-256=:{SHA_256}:, sha-512=:{SHA_256}:", "not what was signed"),
        ("sha-256=:AAAA:", "not what was signed"),
    ],
)
def test_a_digest_that_proves_is_enough_and_none_may_be_wrong(digest: str, reason: str | None) -> None:
    headers = covering(**{"Content-Digest": digest})
    if reason is None:
        verify(headers, "POST", PATH, BODY, PUBLIC, NOW)
    else:
        assert reason in refused(headers)

"""Signed notes and checkpoints against the examples of their specifications, and against everything that is bent."""

from base64 import b64encode
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from infra.audit.checkpoints.checkpoint import Checkpoint, opened, origin_of, parse_text, signed
from infra.audit.checkpoints.note import BadNote, Key, Signature, UnknownKey, key_of, parse, parse_key, sign, verify

PETER = parse_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
"""Of the documentation of Go's sumdb/note, which wrote the format first."""
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
EXAMPLE = f"{TEXT}\n{LINE}".encode()
ONE, OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32)), Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
LOG = origin_of("here")
CHECKPOINT = Checkpoint(LOG, 20852163, bytes(range(32)))
KEYS = [key_of(LOG, ONE)]


def test_the_published_example_verifies() -> None:
    note = parse(EXAMPLE)
    assert note.text == TEXT
    assert verify(note, [PETER]) == [PETER]
    assert str(PETER) == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


def test_an_unknown_signature_is_ignored_but_one_must_be_known() -> None:
    note = parse(sign(TEXT, ("a", ONE), ("b", OTHER)).encode())
    assert verify(note, [key_of("b", OTHER)]) == [key_of("b", OTHER)]
    with pytest.raises(UnknownKey):
        verify(note, [PETER])
    with pytest.raises(UnknownKey):
        verify(note, [key_of("a", OTHER), key_of("b", ONE)])  # a name or a hash alone is not the key


def test_a_bad_signature_of_a_known_key_spoils_a_note_others_signed() -> None:
    note = parse(sign(TEXT, ("a", ONE), ("b", OTHER)).encode())
    a, b = note.signatures
    forged = type(note)(note.text, (Signature(a.name, a.key_hash, b.content), b))
    with pytest.raises(BadNote, match="not by its key"):
        verify(forged, [key_of("a", ONE), key_of("b", OTHER)])


@given(st.integers(0, len(EXAMPLE) - 1), st.integers(1, 255))
def test_no_bent_byte_verifies(place: int, flip: int) -> None:
    bent = bytearray(EXAMPLE)
    bent[place] ^= flip
    with pytest.raises(BadNote):
        verify(parse(bytes(bent)), [PETER])


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_whatever_is_not_a_note_is_refused_as_such(content: bytes) -> None:
    with pytest.raises(BadNote):
        opened(content, LOG, KEYS)


BENT: dict[str, Callable[[bytes], bytes]] = {
    "no signatures": lambda _: TEXT.encode() + b"\n",
    "no newline at the end": lambda n: n[:-1],
    "another dash": lambda n: n.replace("—".encode(), b"-"),
    "two spaces": lambda n: n.replace(b"n x08", b"n  x08"),
    "a carriage return": lambda n: n.replace(b"\n", b"\r\n"),
    "a tab": lambda n: n.replace(b"If you", b"If\tyou"),
    "not UTF-8": lambda n: n.replace(b"If", b"\xff"),
    "base64 with stray bits": lambda n: n.replace(b"JnAM=", b"JnAN="),
    "no base64": lambda n: n.replace(b"x08", b"x=8"),
    "too short": lambda n: n[: n.rindex(b"x08")] + b64encode(b"abcd") + b"\n",
    "too many": lambda n: n + LINE.encode() * 100,
    "too long": lambda n: b"x" * 1_000_000 + n,
}


@pytest.mark.parametrize("bend", BENT.values(), ids=BENT.keys())
def test_the_parser_is_strict(bend: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BadNote):
        verify(parse(bend(EXAMPLE)), [PETER])


BAD_KEYS = (
    "", "a+b", "a+c74f20a3+AAAA", "a+b+?", "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
)  # fmt: skip


@pytest.mark.parametrize("text", BAD_KEYS)
def test_a_key_that_does_not_hold_together_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"key|base64"):
        parse_key(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "a\x01b"])
def test_a_key_name_has_no_spaces_or_plus(name: str) -> None:
    with pytest.raises(ValueError, match="without spaces"):
        Key(name, bytes(32))


def test_what_cannot_be_read_back_is_not_signed() -> None:
    for text in ("no newline", "a\tb\n"):
        with pytest.raises(ValueError, match="newline"):
            sign(text, ("a", ONE))


def test_a_checkpoint_is_read_as_it_was_signed() -> None:
    note = signed(CHECKPOINT, ONE)
    assert note.startswith("caravel/here\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n— caravel/here ")
    assert opened(note.encode(), LOG, KEYS) == CHECKPOINT


def test_the_example_of_the_specification_is_read() -> None:
    found = parse_text("example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")
    assert (found.origin, found.size, found.root[:2]) == ("example.com/behind-the-sofa", 20852163, b"\x0a\xc5")


def test_lines_of_others_are_kept_because_they_are_signed() -> None:
    longer = Checkpoint(LOG, 1, bytes(32), ("witness 7", "2026"))
    assert opened(signed(longer, ONE).encode(), LOG, KEYS) == longer


ROOT = "A" * 43 + "=\n"
NO_CHECKPOINTS = (
    "", "a\n", "a\n1\n", "\n1\n" + ROOT, "a\n01\n" + ROOT, "a\n-1\n" + ROOT, "a\n1\nAAAA\n",
    "a\n1\n" + "A" * 42 + "B=\n", "a\n1\n?\n", "a\n1\n" + ROOT + "\nx\n", "a\n1\n" + ROOT[:-1],
    "a\n٣\n" + ROOT, "a\n" + "9" * 20 + "\n" + ROOT,
)  # fmt: skip


@pytest.mark.parametrize("text", NO_CHECKPOINTS)
def test_a_text_that_says_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        parse_text(text)


def test_a_checkpoint_from_another_log_or_key_is_refused_for_what_it_is() -> None:
    foreign = Checkpoint(origin_of("there"), 1, bytes(32))
    with pytest.raises(UnknownKey):
        opened(signed(foreign, ONE).encode(), LOG, KEYS)
    with pytest.raises(BadNote, match="another log: caravel/there"):
        opened(sign(foreign.text(), (LOG, ONE)).encode(), LOG, KEYS)
    with pytest.raises(UnknownKey):
        opened(signed(CHECKPOINT, OTHER).encode(), LOG, KEYS)


def test_an_installation_may_have_any_name() -> None:
    assert origin_of("Zürich + Basel") == "caravel/Z%C3%BCrich%20%2B%20Basel"

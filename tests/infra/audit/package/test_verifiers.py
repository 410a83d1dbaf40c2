"""Two verifiers that share no code say the same of every package, and never `verified` of one that was touched."""

import json
import re
import subprocess
import sys
import zipfile
from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from domain.proof.merkle import (
    check_consistency,
    check_inclusion,
    consistency_ranges,
    inclusion_ranges,
    proven,
)
from domain.proof.merkle import leaf_hash as leaf_of
from domain.proof.merkle import root as root_of
from infra.audit.checkpoints.note import key_of
from infra.audit.package.container import LARGEST, NotAPackage, pack, unpack
from tests.domain.proof.trees import subtrees
from tests.drawing import draws
from tests.infra.audit.package import made as making
from tests.infra.audit.package.made import (
    CASE,
    LOG,
    VERIFIER,
    Made,
    as_json,
    both,
    lines_of,
    make,
    resealed,
    with_lines,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("log"), size=16)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Of another log that has the same name."""
    return make(tmp_path_factory.mktemp("other"), size=16)


def test_what_is_whole_is_verified(made: Made, tmp_path: Path) -> None:
    assert both(made.content, made.key).outcome == "verified"
    assert both(make(tmp_path, level="regulator").content).unproven == ("key_unknown",)
    for size, newest in ((14, 14), (15, 64), (64, 100), (1000, 1001)):
        one = make(tmp_path, size=size, newest=newest)
        assert both(one.content, one.key).outcome == "verified"


@pytest.mark.parametrize("level", ["full", "clinical", "regulator"])
def test_every_level_is_proven_as_well(level: Any, tmp_path: Path) -> None:
    one = make(tmp_path, level=level)
    found = both(one.content, one.key)
    assert (found.outcome, found.withheld) == ("verified", {"full": 0, "clinical": 2, "regulator": 5}[level])


def test_a_key_is_believed_when_it_was_given_or_vouched_for(made: Made, other: Made, tmp_path: Path) -> None:
    rotated = make(tmp_path, rotated=2)
    assert both(rotated.content, rotated.key).outcome == "verified"
    assert both(rotated.content, key_of(LOG, rotated.private)).outcome == "verified"
    assert both(made.content).unproven == ("key_unknown",)
    assert both(made.content, other.key).kind == "key_unknown"
    assert both(made.content, other.key, made.key).outcome == "verified"


def test_what_no_checkpoint_covers_is_said_to_be_unproven(tmp_path: Path) -> None:
    part = make(tmp_path, size=9, newest=9)
    assert both(part.content, part.key).unproven == ("not_sealed",)
    nothing = make(tmp_path, size=0, newest=0)
    assert both(nothing.content, nothing.key).unproven == ("not_sealed",)
    unsigned = make(tmp_path, sign=False)
    assert both(unsigned.content, unsigned.key).unproven == ("unsigned",)


def edited(made: Made, _: Made) -> bytes:
    lines = lines_of(made.parts)
    lines[1]["data"]["text"] = '{"urgent":true}'
    return with_lines(made.parts, lines)


def redated(made: Made, _: Made) -> bytes:
    lines = lines_of(made.parts)
    lines[2]["recorded_at"] -= 1
    return with_lines(made.parts, lines)


def left_out(made: Made, _: Made) -> bytes:
    lines = lines_of(made.parts)
    return with_lines(made.parts, lines[:2] + lines[3:])


def swapped(made: Made, _: Made) -> bytes:
    one, two, *rest = lines_of(made.parts)
    return with_lines(made.parts, [two, one, *rest])


def moved(made: Made, _: Made) -> bytes:
    """Every hash holds, the place in the log does not."""
    lines = lines_of(made.parts)
    lines[1]["position"] += 1
    return with_lines(made.parts, lines)


def another_case(made: Made, _: Made) -> bytes:
    return resealed(made.parts, lambda manifest: manifest.update(case="case-0002"))


def foreign_log(made: Made, other: Made) -> bytes:
    """The events of one log under the checkpoints of another."""
    points = {name: content for name, content in other.parts.items() if name.startswith("checkpoints/")}
    return resealed({**made.parts, **points})


def everything_of_another_log(_: Made, other: Made) -> bytes:
    return other.content


def renamed_log(made: Made, _: Made) -> bytes:
    return resealed(made.parts, lambda manifest: manifest.update(log="caravel/elsewhere"))


def wrong_size(made: Made, _: Made) -> bytes:
    """A path that was made for the tree of another size."""
    proofs = json.loads(made.parts["proofs.json"])
    proofs["paths"]["1"] = proofs["paths"]["1"][:-1]
    return resealed({**made.parts, "proofs.json": as_json(proofs)})


def swapped_paths(made: Made, _: Made) -> bytes:
    proofs = json.loads(made.parts["proofs.json"])
    proofs["paths"]["1"], proofs["paths"]["2"] = proofs["paths"]["2"], proofs["paths"]["1"]
    return resealed({**made.parts, "proofs.json": as_json(proofs)})


def inconsistent(made: Made, _: Made) -> bytes:
    proofs = json.loads(made.parts["proofs.json"])
    proofs["consistency"] = ["00" * 32]
    return resealed({**made.parts, "proofs.json": as_json(proofs)})


def other_size_said(made: Made, _: Made) -> bytes:
    name = "checkpoints/checkpoint-00000000000000000016"
    note = made.parts[name].replace(b"\n16\n", b"\n17\n")
    return resealed({**made.parts, name: note})


def stray_key(made: Made, other: Made) -> bytes:
    return resealed({**made.parts, "keys/key-000002": other.parts["keys/key-000001"]})


def signature_of_another(made: Made, _: Made) -> bytes:
    changed = {**made.parts, "report.html": b"<p>All was well.</p>"}
    whole = unpack(resealed(changed))
    return pack({**whole, "signature": made.parts["signature"]})


def report_changed(made: Made, _: Made) -> bytes:
    return pack({**made.parts, "report.html": b"<p>All was well.</p>"})


def salted_anew(made: Made, _: Made) -> bytes:
    lines = lines_of(made.parts)
    lines[1]["data"]["salt"] = "00" * 16
    return with_lines(made.parts, lines)


def not_canonical(made: Made, _: Made) -> bytes:
    return resealed({**made.parts, "events.jsonl": made.parts["events.jsonl"].replace(b'"data":', b'"data": ', 1)})


def truth_for_a_number(made: Made, _: Made) -> bytes:
    """`true` hashes like 1 in a careless verifier."""
    events = made.parts["events.jsonl"].replace(b'"schema_version":1', b'"schema_version":true', 1)
    return resealed({**made.parts, "events.jsonl": events})


ATTACKS = {
    edited: "edited", redated: "edited", left_out: "missing", swapped: "missing", moved: "proof",
    another_case: "missing", foreign_log: "key_unknown", everything_of_another_log: "key_unknown",
    renamed_log: "key", wrong_size: "proof", swapped_paths: "proof", inconsistent: "consistency",
    other_size_said: "checkpoint", stray_key: "key", signature_of_another: "signature", report_changed: "changed_file",
    salted_anew: "edited", not_canonical: "malformed", truth_for_a_number: "malformed",
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.__name__)
def test_an_attack_is_found_and_named(attack: Callable[[Made, Made], bytes], made: Made, other: Made) -> None:
    found = both(attack(made, other), made.key)
    assert (found.outcome, found.kind) == ("broken", ATTACKS[attack])


def test_a_cut_end_is_found_by_the_signature_alone(made: Made) -> None:
    """The tree cannot show what came after: without the log's signature it is said to be unproven."""
    cut = with_lines(made.parts, lines_of(made.parts)[:-1])
    assert both(cut, made.key).outcome == "broken"  # a proof too many
    parts = unpack(cut)
    proofs = json.loads(parts["proofs.json"])
    del proofs["paths"]["5"]
    clean = resealed({**parts, "proofs.json": as_json(proofs)})
    found = both(clean, made.key)
    assert (found.outcome, found.unproven) == ("incomplete", ("unsigned",))
    signed = pack({**unpack(clean), "signature": made.parts["signature"]})
    assert both(signed, made.key).kind == "signature"


def test_a_key_swapped_together_with_every_signature(made: Made, other: Made) -> None:
    assert both(other.content).outcome == "incomplete"
    assert both(other.content).unproven == ("key_unknown",)
    assert both(other.content, made.key).kind == "key_unknown"


@draws(60)
@given(data=st.data())
def test_no_flipped_bit_goes_unseen(made: Made, data: st.DataObject) -> None:
    content = bytearray(made.content)
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert both(bytes(content), made.key).outcome == "broken"


@draws(60)
@given(at=st.floats(0, 1), put=st.binary(max_size=40), cut=st.integers(0, 200))
def test_no_bytes_put_in_or_taken_away_go_unseen(made: Made, at: float, put: bytes, cut: int) -> None:
    place = int(at * len(made.content))
    content = made.content[:place] + put + made.content[place + cut :]
    found = both(content, made.key)
    assert found.outcome == ("verified" if content == made.content else "broken")


NAMES = ("events.jsonl", "proofs.json", "manifest.json", "keys/key-000001", "signature",
         "checkpoints/checkpoint-00000000000000000016", "checkpoints/checkpoint-00000000000000000020")  # fmt: skip
JUNK = st.sampled_from([b"0", b"1", b"f", b"null", b"true", b"1.0", b"-", b'"', b"\n", b"{}", b"[]", b"9" * 20,
                        b"\\ud800", b"\xff", b"A", b"=", b"+", b" "])  # fmt: skip


@draws(50)
@given(name=st.sampled_from(NAMES), at=st.floats(0, 1), cut=st.integers(0, 12), put=JUNK)
def test_parts_that_were_packed_again_are_judged_alike(made: Made, name: str, at: float, cut: int, put: bytes) -> None:
    """An attacker with a hex editor who computes every sum anew."""
    parts = made.parts
    part = parts[name]
    place = int(at * len(part))
    parts[name] = part[:place] + put + part[place + cut :]
    same = parts[name] == part
    try:
        content = pack(parts) if name in ("manifest.json", "signature") else resealed(parts)
    except ValueError:
        return
    found = both(content, made.key)
    assert found.outcome != "verified" or (same and name in ("manifest.json", "signature"))


def zipped(*files: tuple[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_other_zips_are_refused_before_anything_is_read(made: Made) -> None:
    parts = tuple(sorted(made.parts.items()))
    bomb = zipped(*parts, ("zeros.txt", bytes(20_000_000)), compression=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 1_000_000
    for content in (
        bomb, zipped(*parts), zipped(*parts, parts[0]), zipped(("../../etc/passwd", b"x")), zipped(("/etc/x", b"x")),
        pack({**made.parts, "a/../b.txt": b""}), pack({f"x{n}": b"" for n in range(1001)}), made.content + b"\n",
        b"x" + made.content, made.content[:-1], b"", b"PK\x05\x06" + bytes(18), bytes(LARGEST + 1),
        pack({name: content for name, content in parts if name != "report.html"}),
    ):  # fmt: skip
        assert both(content, made.key).kind == "not_a_package"


def test_everybody_can_open_it(made: Made) -> None:
    """The control of the test above: the one form is an ordinary zip."""
    with zipfile.ZipFile(BytesIO(made.content)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == made.parts


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a/b", "checkpoints/../x", "checkpoints/", "x.", ".x", "C:x", "x y", "ä"]
)
def test_names_that_lead_elsewhere(name: str) -> None:
    with pytest.raises((NotAPackage, UnicodeEncodeError)):
        unpack(pack({name: b""}))


def run(*arguments: object) -> tuple[int, str]:
    """On a clean machine: no packages, no environment."""
    done = subprocess.run(  # noqa: PLW1510 - the exit code is what is asked for
        [sys.executable, "-I", "-S", str(VERIFIER), *map(str, arguments)], capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def test_the_program_in_the_dossier_runs_alone(made: Made, other: Made, tmp_path: Path) -> None:
    assert made.parts["verify.py"] == VERIFIER.read_bytes()
    file = tmp_path / "package.zip"
    file.write_bytes(made.content)
    code, said = run(file, "--key", made.key)
    assert code == 0
    assert f"{CASE}: versions 1 to 5" in said
    assert said.endswith("VERIFIED\n")
    code, said = run(file)
    assert (code, "not known to you" in said, str(made.key)[:21] in said) == (3, True, True)
    assert run(file, "--key", other.key)[0] == 1
    assert run(file, "--key", "nonsense")[0] == 2
    file.write_bytes(edited(made, made))
    assert run(file, "--key", made.key)[0] == 1


def test_it_imports_the_standard_library_only() -> None:
    imported = set(re.findall(r"^(?:from|import) (\w+)", VERIFIER.read_text(), re.MULTILINE))
    assert imported <= sys.stdlib_module_names
    assert not imported & {"socket", "urllib", "http", "ssl", "subprocess", "os", "pickle"}


# RFC 8032, 7.1: tests 1 to 3
VECTORS = [
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
]  # fmt: skip


@pytest.mark.parametrize(("public", "text", "signature"), VECTORS)
def test_signatures_by_the_standard(public: str, text: str, signature: str) -> None:
    signed_by = making.standalone().signed_by
    key, content, right = bytes.fromhex(public), bytes.fromhex(text), bytes.fromhex(signature)
    assert signed_by(key, content, right)
    assert not signed_by(key, content + b"x", right)
    assert not signed_by(key, content, right[:32] + bytes(32))
    high = int.from_bytes(right[32:], "little") + making.standalone().ORDER
    assert not signed_by(key, content, right[:32] + high.to_bytes(32, "little"))


@draws(15)
@given(st.binary(max_size=200))
def test_signatures_as_openssl_makes_them(text: bytes) -> None:
    private = Ed25519PrivateKey.generate()
    assert making.standalone().signed_by(private.public_key().public_bytes_raw(), text, private.sign(text))


def test_proofs_as_the_ledger_makes_them() -> None:
    leaves = [leaf_of(bytes([n])) for n in range(40)]
    lookup = dict(subtrees(leaves)).__getitem__
    for size in range(1, 40):
        now = root_of(leaves[:size])
        for index in range(size):
            path = proven(inclusion_ranges(index, size), lookup)
            for at in (index, index + 1, index - 1):
                right = check_inclusion(leaves[index], at, size, path, now)
                assert making.standalone().included(leaves[index], at, size, path, now) == right == (at == index)
        for old in range(1, size + 1):
            proof, before = proven(consistency_ranges(old, size), lookup), root_of(leaves[:old])
            for given_proof in (proof, proof[:-1], [*proof, now]):
                right = check_consistency(old, size, before, now, given_proof)
                assert making.standalone().consistent(old, size, before, now, given_proof) == right


def test_base64_has_one_form(made: Made) -> None:
    """Signatures cannot be written twice."""
    with pytest.raises(ValueError, match="stray"):
        making.standalone().from_base64(b64encode(b"a").decode().replace("YQ", "YR"))
    assert both(made.content, made.key).signer == made.key

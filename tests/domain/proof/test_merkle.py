"""The tree against the Certificate Transparency reference vectors and against RFC 6962 read word for word."""

from collections.abc import Sequence
from functools import cache
from hashlib import sha256

import pytest

from domain.proof.merkle import (
    EMPTY,
    Frontier,
    check_consistency,
    check_inclusion,
    complete,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    proven,
    root,
)
from tests.domain.proof.trees import subtrees

INPUTS = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
LEAVES = [leaf_hash(bytes.fromhex(text)) for text in INPUTS]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
PATHS = [(0, 1, []), (0, 8, [A, B, C]), (5, 8, [D, E, ROOTS[3]]), (2, 3, [ROOTS[1]]), (1, 5, [ROOTS[0], B, D])]
PROOFS = [(1, 1, []), (1, 8, [A, B, C]), (6, 8, [F, E, ROOTS[3]]), (2, 5, [B, D])]
MOST = 130
MANY = [leaf_hash(str(n).encode()) for n in range(MOST)]


@cache
def naive_root(first: int, end: int) -> bytes:
    """MTH of RFC 6962, section 2.1, over MANY[first:end]."""
    if end - first < 2:
        return MANY[first] if first < end else sha256(b"").digest()
    k = first + split(end - first)
    return sha256(b"\x01" + naive_root(first, k) + naive_root(k, end)).digest()


def naive_path(index: int, first: int, end: int) -> list[bytes]:
    """PATH of section 2.1.1."""
    if end - first == 1:
        return []
    k = first + split(end - first)
    if index < k:
        return [*naive_path(index, first, k), naive_root(k, end)]
    return [*naive_path(index, k, end), naive_root(first, k)]


def naive_proof(old: int, first: int, end: int, *, whole: bool = True) -> list[bytes]:
    """SUBPROOF of section 2.1.2."""
    if old == end:
        return [] if whole else [naive_root(first, end)]
    k = first + split(end - first)
    if old <= k:
        return [*naive_proof(old, first, k, whole=whole), naive_root(k, end)]
    return [*naive_proof(old, k, end, whole=False), naive_root(first, k)]


@cache
def split(size: int) -> int:
    k = 1
    while 2 * k < size:
        k *= 2
    return k


def hexes(proof: Sequence[bytes]) -> list[str]:
    return [one.hex() for one in proof]


NODES = dict(subtrees(MANY))
MANY_ROOTS = [naive_root(0, size) for size in range(MOST + 1)]


def path(index: int, size: int) -> list[bytes]:
    return proven(inclusion_ranges(index, size), NODES.__getitem__)


def proof(old: int, new: int) -> list[bytes]:
    return proven(consistency_ranges(old, new), NODES.__getitem__)


@pytest.mark.parametrize("size", range(1, 9))
def test_reference_roots(size: int) -> None:
    assert root(LEAVES[:size]).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("index", "size", "expected"), PATHS)
def test_reference_inclusion_paths(index: int, size: int, expected: list[str]) -> None:
    found = proven(inclusion_ranges(index, size), dict(subtrees(LEAVES)).__getitem__)
    assert hexes(found) == expected
    assert check_inclusion(LEAVES[index], index, size, found, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old", "new", "expected"), PROOFS)
def test_reference_consistency_proofs(old: int, new: int, expected: list[str]) -> None:
    found = proven(consistency_ranges(old, new), dict(subtrees(LEAVES)).__getitem__)
    assert hexes(found) == expected
    assert check_consistency(old, new, bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1]), found)


def test_the_root_of_nothing() -> None:
    assert root([]) == EMPTY == sha256().digest()


def test_every_root_is_that_of_the_definition() -> None:
    frontier = Frontier()
    for size, leaf in enumerate(MANY, 1):
        frontier.append(leaf)
        assert frontier.root() == MANY_ROOTS[size]
        assert Frontier(size, [NODES[n] for n in complete((0, size))]).root() == MANY_ROOTS[size]


@pytest.mark.parametrize("size", range(1, MOST + 1))
def test_every_path_is_that_of_the_definition_and_proves_one_place_only(size: int) -> None:
    for index in range(size):
        found = path(index, size)
        assert found == naive_path(index, 0, size)
        assert check_inclusion(MANY[index], index, size, found, MANY_ROOTS[size])
        other = (index + 1) % (size + 1)
        assert not check_inclusion(MANY[index], other, size, found, MANY_ROOTS[size])
        assert not check_inclusion(MANY[index], index, size, [*found, EMPTY], MANY_ROOTS[size])
        assert not check_inclusion(MANY[index], index, size, found[:-1], MANY_ROOTS[size]) or not found
        assert not check_inclusion(MANY[index], index, size, found, MANY_ROOTS[size - 1])


@pytest.mark.parametrize("new", range(1, MOST + 1))
def test_every_consistency_proof_is_that_of_the_definition(new: int) -> None:
    for old in range(1, new + 1):
        found = proof(old, new)
        assert found == naive_proof(old, 0, new)
        assert check_consistency(old, new, MANY_ROOTS[old], MANY_ROOTS[new], found)
        assert not check_consistency(old, new, MANY_ROOTS[old - 1], MANY_ROOTS[new], found)
        assert not check_consistency(old, new, MANY_ROOTS[old], MANY_ROOTS[new - 1], found)
        assert not check_consistency(old, new, MANY_ROOTS[old], MANY_ROOTS[new], [*found, EMPTY])
        assert not found or not check_consistency(old, new, MANY_ROOTS[old], MANY_ROOTS[new], found[:-1])
        for place in range(len(found) if new < 40 else 0):
            bent = [*found[:place], EMPTY, *found[place + 1 :]]
            assert not check_consistency(old, new, MANY_ROOTS[old], MANY_ROOTS[new], bent)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (3, 3), (0, -1)])
def test_a_leaf_that_is_not_there_has_no_path(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="has no leaf"):
        inclusion_ranges(index, size)
    assert not check_inclusion(MANY[0], index, size, [], MANY[0])


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (-1, 5), (6, 5), (1, 0)])
def test_consistency_from_an_empty_or_a_larger_tree_is_refused(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="nothing proves"):
        consistency_ranges(old, new)
    assert not check_consistency(old, new, EMPTY, MANY_ROOTS[5], [])
    assert not check_consistency(old, new, EMPTY, EMPTY, [])


def test_hashes_of_another_length_prove_nothing() -> None:
    assert not check_inclusion(b"short", 0, 1, [], b"short")
    assert not check_inclusion(MANY[0], 0, 2, [MANY[1] + b"\0"], MANY_ROOTS[2])
    assert not check_consistency(1, 1, b"", b"", [])
    assert not check_consistency(1, 2, MANY_ROOTS[1], MANY_ROOTS[2], [b""])


def test_a_frontier_needs_the_peaks_of_its_size() -> None:
    with pytest.raises(ValueError, match="3 leaves does not have 1 peaks"):
        Frontier(3, [EMPTY])

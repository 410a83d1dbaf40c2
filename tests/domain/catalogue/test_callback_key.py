"""A hospital's key proves something: the points under which anybody's signature holds are none."""

from __future__ import annotations

import base64

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.catalogue.callback_key import canonical, weak
from domain.core.errors import Refused

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]


def added(a: Point, b: Point) -> Point:
    """The group law of the curve (RFC 8032, 5.1.4), in affine coordinates."""
    cross = D * a[0] * b[0] * a[1] * b[1] % P
    x = (a[0] * b[1] + b[0] * a[1]) * pow(1 + cross, -1, P)
    return x % P, (a[1] * b[1] + a[0] * b[0]) * pow(1 - cross, -1, P) % P


def roots(y: int) -> list[int]:
    """Every x with which this y lies on the curve."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    found = [one for one in (x, x * pow(2, (P - 1) // 4, P) % P) if one * one % P == square]
    return sorted({one for x in found for one in (x, -x % P)})


def eightfold(point: Point) -> Point:
    for _ in range(3):
        point = added(point, point)
    return point


SMALL = ["26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
         "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"]  # fmt: skip
LOW = [0, 1, P - 1, *(int.from_bytes(bytes.fromhex(y), "little") for y in SMALL)]


def test_eight_points_of_the_curve_are_of_low_order_and_all_of_them_are_known() -> None:
    points = [(x, y) for y in LOW for x in roots(y)]
    assert len(set(points)) == 8
    assert {eightfold(point) for point in points} == {(0, 1)}


@pytest.mark.parametrize("y", [*LOW, P, P + 1])
@pytest.mark.parametrize("sign", [0, 1 << 255])
def test_such_a_key_is_refused_however_it_is_written(y: int, sign: int) -> None:
    raw = (y | sign).to_bytes(32, "little")
    assert weak(raw)
    with pytest.raises(Refused, match="anybody"):
        canonical(base64.b64encode(raw).decode())


def test_under_the_neutral_point_a_signature_of_nobody_holds_which_is_why() -> None:
    neutral = (1).to_bytes(32, "little")
    Ed25519PublicKey.from_public_bytes(neutral).verify(neutral + bytes(32), b"whatever was said")


def test_the_control_a_real_key_is_taken() -> None:
    key = Ed25519PrivateKey.generate().public_key()
    raw = key.public_bytes_raw()
    assert not weak(raw)
    assert base64.b64decode(canonical(base64.b64encode(raw).decode())) == raw
    with pytest.raises(InvalidSignature):
        key.verify((1).to_bytes(32, "little") + bytes(32), b"whatever was said")

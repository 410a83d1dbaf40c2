"""Makes lots as a cell laboratory does: specified, tested, labelled, released by another; and reads their labels."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from domain.catalogue import streams as catalogue
from domain.doses.codes import check_character
from domain.doses.labelling import isbt128
from domain.doses.labelling.label import WIDEST, StateLabel
from domain.doses.labelling.scan import printed
from domain.doses.lot import RegisterLot, ReleaseLot
from domain.doses.product import Limit, RegisterProduct, SpecifyTests
from domain.doses.quality import DecideOutOfSpecification, RecordResult

PRODUCT_CODE = "S1234V00"
SOURCE = "specification of the rehearsal, made up"
TESTS = (
    Limit(test="viability", unit="%", least=70.0),
    Limit(test="vector copies", unit="copies/cell", most=5.0),
    Limit(test="sterility", expected="no growth", late=True),
)
MISSES = 0.08
"""How often a first viability lies below the limit; it is measured again."""


def specified(product: str) -> Sequence[catalogue.Command]:
    """Return what is told of a product before its first lot is made."""
    return RegisterProduct(product, product), SpecifyTests(TESTS, SOURCE)


def made(
    lot: str,
    product: str,
    units: tuple[str, ...],
    expires: datetime,
    tested: date,
    *,
    maker: str,
    judges: Sequence[str],
) -> Iterator[catalogue.Command]:
    """Yield what is told of a lot until it is released; the first of two judges releases it."""
    chance = random.Random(f"lot/{lot}")  # noqa: S311 - a rehearsal repeats itself
    yield RegisterLot(product, units, expires, by=maker)
    yield StateLabel(
        number_of(lot), PRODUCT_CODE, donation_of(lot), "UTC", name=product[:40], volume_ml=50.0,
        storage="vapour of liquid nitrogen", maker="Cell laboratory of the rehearsal",
    )  # fmt: skip
    if chance.random() < MISSES:
        yield RecordResult("viability", tested, round(chance.uniform(62, 69), 1), "%")
        for judge in judges:
            yield DecideOutOfSpecification("viability", "remeasure", "the sample stood too long", judge)
    yield RecordResult("viability", tested, round(chance.uniform(76, 95), 1), "%")
    yield RecordResult("vector copies", tested, round(chance.uniform(1.2, 4.2), 1), "copies/cell")
    yield RecordResult("sterility", tested, word="no growth")
    yield ReleaseLot(judges[0])


def donation_of(lot: str) -> str:
    """Return a donation number of ISBT 128 with its check character, always the same one for a lot."""
    din = f"A999925{int.from_bytes(sha256(lot.encode()).digest()[:8]) % 1_000_000:06d}"
    return din + check_character(din)


def number_of(lot: str) -> str:
    """Return the lot's number as it stands on its labels."""
    return printed(lot.removeprefix("lot-"))[-WIDEST:]


def scanned(lot: str, unit: str, noted: Mapping[str, Any]) -> str:
    """Return what a scanner types that reads the label of a unit; of a lot without labels, the unit's own number."""
    expires = noted.get("expires")
    if not (noted.get("product_code") and isinstance(expires, datetime)):
        return unit
    values = {
        "donation": donation_of(lot)[:-1],
        "product_code": PRODUCT_CODE,
        "lot": number_of(lot),
        "supplemental": printed(unit),
    }
    return isbt128.write(values, expires.replace(second=0, microsecond=0))
